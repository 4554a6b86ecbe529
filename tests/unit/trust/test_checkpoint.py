"""Signed notes: exact bytes, and what is passed over."""

import pytest

from tests.support.world import signing_key
from tongbao_broker.trust.checkpoint import (
    key_hash,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from tongbao_schemas.encoding import b64encode
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

KEY, OTHER = signing_key("checkpoint"), signing_key("other")
ROOT = bytes(range(32))
NOTE = sign_checkpoint("demo", 9, ROOT, KEY)
TEXT, LINE = NOTE.split("\n\n")
OTHER_LINE = sign_checkpoint("demo", 9, ROOT, OTHER).split("\n\n")[1]
WITNESS_LINE = f"— witness.example/w1 {b64encode(bytes(80))}\n"
BAD_LINE = f"— tongbao/demo {b64encode(key_hash('tongbao/demo', KEY.public) + bytes(64))}\n"


def test_a_note_has_exactly_these_bytes() -> None:
    """Three lines, an empty one, one signature line under the origin's name: C2SP signed note."""
    blob = key_hash("tongbao/demo", KEY.public) + KEY.sign(f"tongbao/demo\n9\n{b64encode(ROOT)}\n".encode())

    assert f"tongbao/demo\n9\n{b64encode(ROOT)}\n\n— tongbao/demo {b64encode(blob)}\n" == NOTE


def test_a_good_note_verifies() -> None:
    """The key's holder said: this network, this size, this root."""
    checkpoint = verify_checkpoint(NOTE, "demo", [OTHER.public, KEY.public])

    assert (checkpoint.network, checkpoint.size, checkpoint.root) == ("demo", 9, ROOT)
    assert checkpoint.text == f"{TEXT}\n"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(LINE + WITNESS_LINE, id="a witness after"),
        pytest.param(WITNESS_LINE + LINE, id="a witness before"),
        pytest.param(LINE + OTHER_LINE, id="another key of the same name"),
        pytest.param(LINE + f"— tongbao/demo {b64encode(bytes(5))}\n", id="an unknown kind of signature"),
    ],
)
def test_lines_of_unknown_keys_are_passed_over(lines: str) -> None:
    """Further signature lines do no harm beside a good one of a known key."""
    assert verify_checkpoint(f"{TEXT}\n\n{lines}", "demo", [KEY.public]).size == 9


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(OTHER_LINE, id="another key"),
        pytest.param(WITNESS_LINE, id="witnesses only"),
        pytest.param(BAD_LINE, id="a wrong signature"),
        pytest.param(LINE + BAD_LINE, id="a wrong signature of the same key beside the good one"),
        pytest.param(LINE.replace("tongbao/demo", "tongbao/other"), id="the good one under another name"),
    ],
)
def test_without_a_good_line_of_a_known_key_it_is_refused(lines: str) -> None:
    """No line of a known key, or a bad one, and nothing of the note is believed."""
    with pytest.raises(Refused) as refused:
        verify_checkpoint(f"{TEXT}\n\n{lines}", "demo", [KEY.public])

    assert refused.value.code is Code.CHECKPOINT_SIGNATURE


def test_no_known_key_refuses() -> None:
    """With no valid checkpoint key at that time nothing verifies."""
    with pytest.raises(Refused) as refused:
        verify_checkpoint(NOTE, "demo", [])

    assert refused.value.code is Code.CHECKPOINT_SIGNATURE


def test_another_networks_note_is_refused() -> None:
    """A checkpoint of the staging network is void in production, even signed by the same key."""
    with pytest.raises(Refused) as refused:
        verify_checkpoint(NOTE, "cn", [KEY.public])

    assert refused.value.code is Code.CHECKPOINT_NETWORK


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        pytest.param("\n9\n", "\n10\n", id="size"),
        pytest.param(b64encode(ROOT), b64encode(bytes(32)), id="root"),
    ],
)
def test_a_changed_text_is_refused(was: str, becomes: str) -> None:
    """Size and root are what was signed."""
    with pytest.raises(Refused) as refused:
        verify_checkpoint(NOTE.replace(was, becomes), "demo", [KEY.public])

    assert refused.value.code is Code.CHECKPOINT_SIGNATURE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(TEXT, id="text only"),
        pytest.param(f"{TEXT}\n\n", id="no signature line"),
        pytest.param(NOTE[:-1], id="no last newline"),
        pytest.param(NOTE + "\n", id="a newline more"),
        pytest.param(NOTE.replace("\n", "\r\n"), id="carriage returns"),
        pytest.param(NOTE.replace("\n9\n", "\n09\n"), id="leading zero"),
        pytest.param(NOTE.replace("\n9\n", "\n+9\n"), id="signed size"),
        pytest.param(NOTE.replace("\n9\n", "\n٩\n"), id="other digits"),
        pytest.param(NOTE.replace("\n9\n", f"\n{2**53}\n"), id="too large a size"),
        pytest.param(NOTE.replace("\n9\n", "\n9\nextension\n"), id="one line more"),
        pytest.param(NOTE.replace("\n9\n", "\n"), id="one line less"),
        pytest.param(NOTE.replace("tongbao/demo\n9", "elsewhere/demo\n9"), id="another origin"),
        pytest.param(NOTE.replace(b64encode(ROOT), b64encode(ROOT[:31])), id="short root"),
        pytest.param(NOTE.replace(b64encode(ROOT), b64encode(ROOT).rstrip("=")), id="root without padding"),
        pytest.param(NOTE.replace("— ", "- "), id="hyphen for the dash"),
        pytest.param(NOTE.replace("— ", "—  "), id="two spaces"),
        pytest.param(f"{TEXT}\n\n— tongbao/demo {b64encode(bytes(4))}\n", id="key hash only"),
        pytest.param(f"{TEXT}\n\n— tongbao/demo ====\n", id="no base64"),
        pytest.param(f"{TEXT}\n\n" + LINE * 17, id="too many lines"),
        pytest.param(f"{TEXT}\n\n— {'n' * 20000} {b64encode(bytes(68))}\n", id="too long"),
    ],
)
def test_any_other_form_is_refused(text: str) -> None:
    """The form leaves no choice, so that one text has one meaning."""
    with pytest.raises(Refused) as refused:
        parse_checkpoint(text)

    assert refused.value.code is Code.CHECKPOINT_FORM
