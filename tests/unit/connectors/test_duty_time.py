"""Hours and weekdays of duty in Beijing time."""

from datetime import UTC, datetime

import pytest

from tongbao_connectors.duty_time import Hours

MONDAY_MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Beijing
TUESDAY_NIGHT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # 02:00 on Tuesday in Beijing


@pytest.mark.parametrize(
    ("window", "days", "at", "expected"),
    [
        pytest.param("08:00-20:00", (), MONDAY_MORNING, True, id="inside"),
        pytest.param("09:00-20:00", (), MONDAY_MORNING, True, id="its first minute"),
        pytest.param("08:00-09:00", (), MONDAY_MORNING, False, id="the end is outside"),
        pytest.param("18:00-08:00", (), TUESDAY_NIGHT, True, id="past midnight"),
        pytest.param("18:00-08:00", (), MONDAY_MORNING, False, id="after a night"),
        pytest.param(
            "18:00-08:00", ("mon",), TUESDAY_NIGHT, True, id="a night belongs to the day it begins on"
        ),
        pytest.param("18:00-08:00", ("tue",), TUESDAY_NIGHT, False, id="not to the day it ends on"),
        pytest.param("00:00-24:00", ("tue",), TUESDAY_NIGHT, True, id="the whole day, by Beijing's calendar"),
        pytest.param("00:00-24:00", ("mon",), TUESDAY_NIGHT, False, id="not by the calendar of UTC"),
    ],
)
def test_a_window_covers_its_hours(window: str, days: tuple[str, ...], at: datetime, expected: bool) -> None:
    """A window is [from, until) in Beijing time and belongs to the day on which it begins."""
    assert Hours.parse(window).contain(at, days) == expected


@pytest.mark.parametrize(
    "text", ["8:00-20:00", "08:00", "25:00-08:00", "08:60-09:00", "08:00-08:00", "08:00-24:30"]
)
def test_a_window_that_says_nothing_sensible_is_a_mistake(text: str) -> None:
    """Malformed and empty windows are refused when the file is read, not when an alert comes."""
    with pytest.raises(ValueError, match=r"hours|window"):
        Hours.parse(text)
