"""Reminders that an officer sets for himself."""

from datetime import datetime

import pytest

from tongbao_connectors.desk.inbox.forms import when_of


@pytest.mark.parametrize(
    ("choice", "at", "expected"),
    [
        pytest.param("1h", "2026-11-23T23:30:00+08:00", "2026-11-24T00:30:00+08:00", id="an hour"),
        pytest.param("4h", "2026-11-23T08:00:00+08:00", "2026-11-23T12:00:00+08:00", id="four"),
        pytest.param("tomorrow", "2026-11-23T14:00:00+08:00", "2026-11-24T08:30:00+08:00", id="tomorrow"),
        pytest.param(
            "tomorrow", "2026-11-23T17:00:00+00:00", "2026-11-25T08:30:00+08:00", id="Beijing's tomorrow"
        ),
    ],
)
def test_when_a_reminder_is_due(choice: str, at: str, expected: str) -> None:
    """In one hour, in four, or tomorrow at 08:30 in Beijing."""
    assert when_of(choice, datetime.fromisoformat(at)) == datetime.fromisoformat(expected)
