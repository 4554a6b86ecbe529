"""One tree of errors, each with a code, sentences, a next step and an exit code."""

import re

import pytest

from tongbao_broker import errors
from tongbao_schemas.refusals import Code

CLASSES = sorted(
    (
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, errors.OperationError)
        and kind is not errors.OperationError
    ),
    key=lambda kind: kind.code,
)


def test_codes_are_unique() -> None:
    """No two errors share a code, so a code alone finds the page that explains it."""
    codes = [kind.code for kind in CLASSES]

    assert sorted(set(codes)) == codes


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_speaks_both_languages(kind: type[errors.OperationError]) -> None:
    """Each error says in both languages what is wrong and what to do, and stands in the module's tree."""
    error = kind()
    texts = [error.sentence("en"), error.next_step("en")]

    assert all(text.endswith(".") for text in texts)
    assert all(re.search("[一-鿿]", text) for text in (error.sentence("zh"), error.next_step("zh")))
    assert re.search(rf"── {kind.__name__} +{kind.code} ", errors.__doc__ or "")


def test_text_has_code_detail_and_next_step() -> None:
    """An operator reads code, sentence, what exactly, and what to do, in this order."""
    error = errors.Held("directory expired", "Fetch the new one.")

    assert (
        str(error) == "OP-01 The stream waits because of trouble of our own; nothing was rejected. "
        "(directory expired) Fetch the new one."
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFound(), 4),
        (errors.NoRight(), 77),
        (errors.Unreachable(), 69),
        (errors.WriterBroken(), 69),
        (errors.Held(), 1),
        (errors.Refused(Code.SIGNATURE_WRONG), 66),
        (errors.Refused(Code.HEADER_SHAPE), 65),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_exit_codes(error: errors.TongbaoError, code: int) -> None:
    """Scripts tell not found, no right, unreachable, bad signature and bad data apart by the exit code."""
    assert errors.exit_code(error) == code


def test_a_detail_comes_in_the_readers_language() -> None:
    """`Words` say it in both; a plain text reads the same everywhere; logs have the English one."""
    told = errors.NoRight(
        errors.Words("责任人是 粤-0117", "粤-0117 is accountable"), errors.Words("问他。", "Ask him.")
    )
    plain = errors.NotFound("黔2026-000017-D")

    assert (told.detail_in("zh"), told.next_step("zh")) == ("责任人是 粤-0117", "问他。")
    assert (told.detail_in("en"), told.next_step("en")) == ("粤-0117 is accountable", "Ask him.")
    assert told.detail == told.detail_in("en")
    assert plain.detail_in("zh") == plain.detail_in("en") == plain.detail
