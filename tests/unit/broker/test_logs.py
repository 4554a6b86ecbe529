"""Nothing about a person reaches the log, whatever is passed to it."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tongbao_broker import logs
from tongbao_broker.errors import Held

SECRET = "演练甲 520000198802290018"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Lines]:
    path = tmp_path / "log" / "worker.log"
    handlers = logging.getLogger().handlers[:]
    logs.configure("exchange", path)
    yield lambda: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    logs.configure("tests")
    logging.getLogger().handlers[:] = handlers


def test_a_line_is_json_with_component_and_event(lines: Lines) -> None:
    """Each line is one JSON object that says when, who and what."""
    logs.get("relay").info("batch committed", count=3, topic="prov.520000.out.v1")

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("pid") > 0
    assert line == {
        "component": "exchange",
        "count": 3,
        "event": "batch committed",
        "level": "info",
        "module": "relay",
        "topic": "prov.520000.out.v1",
    }


@pytest.mark.parametrize(
    "passed",
    [
        pytest.param({"body": SECRET}, id="a key that is not allowed"),
        pytest.param({"detail": {"name": SECRET}}, id="an object under an allowed key"),
        pytest.param({"reason": [SECRET]}, id="a list under an allowed key"),
        pytest.param({"detail": SECRET.encode()}, id="bytes under an allowed key"),
    ],
)
def test_other_values_are_dropped(lines: Lines, passed: dict[str, Any]) -> None:
    """What isn't an allowed scalar is dropped, and the line names what was dropped."""
    logs.get("desk").warning("noted", **passed)

    (line,) = lines()
    assert line["dropped"] == next(iter(passed))
    assert SECRET not in json.dumps(line, ensure_ascii=False)


def test_exceptions_leave_no_message_and_no_locals(lines: Lines) -> None:
    """A foreign exception is logged as its class and places: its message quotes the data."""
    name = SECRET
    try:
        raise ValueError(name)
    except ValueError:
        logs.get("desk").exception("failed")

    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["trace"].startswith("test_logs.py:")
    assert SECRET not in json.dumps(line, ensure_ascii=False)


def test_our_errors_keep_code_and_detail(lines: Lines) -> None:
    """An error of our own tree is logged with its code and detail, which hold no personal data."""
    logs.get("relay").error("held", exc_info=Held("directory expired"))

    assert lines()[0]["code"] == "OP-01"
    assert lines()[0]["detail"] == "directory expired"


def test_library_warnings_keep_only_the_template(lines: Lines) -> None:
    """A library's warning is kept without its arguments."""
    logging.getLogger("kafka.conn").warning("cannot decode %s", SECRET)

    assert lines()[0]["template"] == "cannot decode %s"
    assert SECRET not in json.dumps(lines(), ensure_ascii=False)


def test_text_is_one_short_line(lines: Lines) -> None:
    """A text value can't forge a second line and can't fill the disk."""
    logs.get("relay").info("noted", reason="a\nb" + "x" * 1000)

    assert lines()[0]["reason"].startswith("a b")
    assert len(lines()[0]["reason"]) == logs.TEXT_LIMIT


def test_file_is_private(lines: Lines, tmp_path: Path) -> None:
    """Only the owner reads the log."""
    logs.get("relay").info("noted")

    assert (tmp_path / "log" / "worker.log").stat().st_mode & 0o777 == 0o600


def test_unconfigured_log_is_guarded_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Before `configure` the same rules hold, on stderr."""
    logs._destination = sys.stderr
    logs.get("early").warning("noted", body=SECRET)

    assert SECRET not in capsys.readouterr().err


def test_in_a_container_the_log_is_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the environment says so no file is written, and each line on standard output is one object."""
    monkeypatch.setenv("TONGBAO_LOG", "stdout")
    logs.configure("test", tmp_path / "log" / "worker.log")
    logs.get("here").info("at work", count=1)

    assert json.loads(capsys.readouterr().out)["event"] == "at work"
    assert not (tmp_path / "log").exists()
