"""Reminders that an officer sets for himself."""

from datetime import datetime

import pytest

from tongbao_connectors.duty import reminders
from tongbao_connectors.duty.reminders import Choice


@pytest.mark.parametrize(
    ("choice", "at", "expected"),
    [
        pytest.param(Choice.HOUR, "2026-11-23T23:30:00+08:00", "2026-11-24T00:30:00+08:00", id="an hour"),
        pytest.param(Choice.FOUR_HOURS, "2026-11-23T08:00:00+08:00", "2026-11-23T12:00:00+08:00", id="four"),
        pytest.param(
            Choice.TOMORROW, "2026-11-23T14:00:00+08:00", "2026-11-24T08:30:00+08:00", id="tomorrow"
        ),
        pytest.param(
            Choice.TOMORROW, "2026-11-23T17:00:00+00:00", "2026-11-25T08:30:00+08:00", id="Beijing's tomorrow"
        ),
    ],
)
def test_when_a_reminder_is_due(choice: Choice, at: str, expected: str) -> None:
    """In one hour, in four, or tomorrow at 08:30 in Beijing."""
    assert reminders.due(choice, datetime.fromisoformat(at)) == datetime.fromisoformat(expected)
