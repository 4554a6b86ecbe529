"""What a province's channels.toml says."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from tests.unit.duty.test_delivering import MAIL, ROOM, channels
from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.workspace import DEMO_DESKS, template

MAIL_ON = MAIL.format(port=465, more="{more}")


@pytest.mark.parametrize(
    ("marks", "status", "unit", "expected"),
    [
        pytest.param("", "actual", "gd-duty", True, id="for real"),
        pytest.param("", "exercise", "gd-duty", False, id="an exercise never reaches a live channel"),
        pytest.param("", "test", "gd-duty", False, id="nor does a test"),
        pytest.param("exercise = true", "exercise", "gd-duty", True, id="unless it is marked for it"),
        pytest.param("exercise = true", "test", "gd-duty", False, id="each mark by itself"),
        pytest.param("test = true", "test", "gd-duty", True, id="marked for tests"),
        pytest.param('units = ["gd-zhuhai"]', "actual", "gd-duty", False, id="another unit's channel"),
        pytest.param('units = ["gd-duty"]', "actual", "gd-duty", True, id="the unit's own"),
    ],
)
def test_what_a_channel_takes(tmp_path: Path, marks: str, status: str, unit: str, expected: bool) -> None:
    """Status and unit decide."""
    own = channels(tmp_path, MAIL_ON.format(more=marks))

    assert own.all["mail"].takes(status, unit) is expected


@pytest.mark.parametrize(
    ("urgency", "at", "expected"),
    [
        pytest.param("routine", "2026-11-23T23:30:00", "2026-11-24T07:00:00", id="held until the morning"),
        pytest.param("urgent", "2026-11-24T06:59:30", "2026-11-24T07:00:00", id="in the last minute"),
        pytest.param("urgent", "2026-11-24T07:00:00", "2026-11-24T07:00:00", id="after them"),
        pytest.param("flash", "2026-11-23T23:30:00", "2026-11-23T23:30:00", id="特急 knows no quiet hours"),
    ],
)
def test_quiet_hours(tmp_path: Path, urgency: str, at: str, expected: str) -> None:
    """They hold back everything but 特急."""
    own = channels(tmp_path, MAIL_ON.format(more='quiet = "22:00-07:00"'))
    moment, until = (datetime.fromisoformat(f"{text}+08:00") for text in (at, expected))

    assert own.all["mail"].held_until(urgency, moment) == until


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(MAIL_ON.format(more='name2 = "x"'), id="a key that nobody knows"),
        pytest.param(MAIL_ON.format(more="") + MAIL_ON.format(more=""), id="two of the same name"),
        pytest.param(MAIL_ON.format(more="").replace('"mail"', '"web"'), id="the desk's own name"),
        pytest.param(ROOM.format(port=1, template="nobody"), id="a template that doesn't exist"),
        pytest.param(
            ROOM.format(port=1, template="wecom").replace("unsafe_plain = true", ""), id="http unsaid"
        ),
        pytest.param(MAIL_ON.format(more="timeout_s = 60"), id="a timeout that blocks an orderly end"),
        pytest.param(MAIL_ON.format(more='password_file = "../tls.pem"'), id="a secret outside its folder"),
    ],
)
def test_settings_that_make_no_sense_are_a_mistake(tmp_path: Path, text: str) -> None:
    """They are refused when the file is read."""
    with pytest.raises(BadConfiguration):
        channels(tmp_path, text)


def test_without_a_file_there_is_the_desk_alone(tmp_path: Path) -> None:
    """Its badge needs no setting."""
    own = channels(tmp_path, "")

    assert own.all == {}


@pytest.mark.parametrize("code", DEMO_DESKS)
def test_the_demos_examples_are_good_settings(tmp_path: Path, code: str) -> None:
    """With the marks taken away they are read as they stand."""
    text = re.sub(r"^# (?=\[\[|\w+ = )", "", template(code, "channels.toml"), flags=re.M)
    own = channels(tmp_path, text)

    assert [channel.kind for channel in own.all.values()] == ["email", "webhook", "sms"]
    assert (
        own.address(own.all["mail"], "粤-0117" if code == "440000" else "黔-0211") == "officer@mail.example"
    )
