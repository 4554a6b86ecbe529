"""The published table of codes."""

import re

import pytest

from tongbao_schemas.refusals import REFUSALS, Code, table_markdown

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_code_has_one_row() -> None:
    """No code lacks its sentences, and no row stands under another's code."""
    assert set(Code) == set(REFUSALS)
    assert all(row.code is code for code, row in REFUSALS.items())


@pytest.mark.parametrize("code", Code)
def test_a_row_says_what_was_wrong_and_what_to_do(code: Code) -> None:
    """Both languages are whole: Chinese in Chinese, English without it, each ended as a sentence."""
    row = REFUSALS[code]

    assert re.fullmatch(r"TB-[1-6][0-9]{2}", code)
    assert row.step
    for lang, stop in (("zh", "。"), ("en", ".")):
        texts = (row.sentence(lang), row.next_step(lang))
        assert all(text.endswith(stop) for text in texts)
        assert all(bool(CHINESE.search(text)) == (lang == "zh") for text in texts)


def test_no_two_codes_say_the_same() -> None:
    """A sentence leads to one code, in either language."""
    for lang in ("zh", "en"):
        assert len({row.sentence(lang) for row in REFUSALS.values()}) == len(REFUSALS)


def test_the_table_has_a_line_for_every_code() -> None:
    """What is published is complete, one line per code, with four cells."""
    lines = table_markdown().splitlines()[2:]

    assert [line.split("`")[1] for line in lines] == list(Code)
    assert {line.count("|") for line in lines} == {5}
