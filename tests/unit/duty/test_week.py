"""The time table of a unit."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_connectors.duty import week
from tongbao_connectors.duty.week import Span
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import Change, ChangeKind, Roster

ROSTER = """
[[unit]]
code = "gd-duty"
name = "值班室"
leader = "粤-0001"

[[officer]]
officer_ref = "粤-0001"
name = "演练甲"
unit = "gd-duty"

[[officer]]
officer_ref = "粤-0002"
name = "演练乙"
unit = "gd-duty"
substitute = "粤-0003"

[[officer]]
officer_ref = "粤-0003"
name = "演练丙"
unit = "gd-duty"

[[duty]]
unit = "gd-duty"
officer = "粤-0002"
days = ["mon", "tue", "wed", "thu", "fri"]
hours = "08:30-20:30"

[[duty]]
unit = "gd-duty"
officer = "粤-0003"
hours = "20:30-08:30"

[[absence]]
officer = "粤-0002"
from = 2026-11-24T12:00:00+08:00
until = 2026-11-24T18:00:00+08:00
"""
MONDAY = datetime(2026, 11, 23, tzinfo=BEIJING)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+08:00")


def change(start: str, until: str, officer: str = "粤-0001") -> Change:
    return Change("gd-duty", officer, at(start), at(until), ChangeKind.OVERRIDE)


def shown(spans: list[Span]) -> list[tuple[str, str, str]]:
    return [
        (
            f"{span.start.astimezone(BEIJING):%dT%H:%M}",
            f"{span.until.astimezone(BEIJING):%dT%H:%M}",
            "无人值班" if span.vacant else span.officer_ref,
        )
        for span in spans
    ]


@pytest.mark.parametrize(
    ("changes", "start", "until", "expected"),
    [
        pytest.param(
            [],
            "23T00:00",
            "24T00:00",
            [
                ("23T00:00", "23T08:30", "粤-0003"),
                ("23T08:30", "23T20:30", "粤-0002"),
                ("23T20:30", "24T00:00", "粤-0003"),
            ],
            id="a day of the standing plan",
        ),
        pytest.param(
            [],
            "24T08:30",
            "24T20:30",
            [
                ("24T08:30", "24T12:00", "粤-0002"),
                ("24T12:00", "24T18:00", "粤-0003"),
                ("24T18:00", "24T20:30", "粤-0002"),
            ],
            id="an absence: the substitute's hours stand apart",
        ),
        pytest.param(
            [],
            "27T20:30",
            "28T20:30",
            [("27T20:30", "28T08:30", "粤-0003"), ("28T08:30", "28T20:30", "无人值班")],
            id="a day off that nobody has",
        ),
        pytest.param(
            [change("28T12:00", "28T18:00")],
            "28T08:30",
            "28T20:30",
            [
                ("28T08:30", "28T12:00", "无人值班"),
                ("28T12:00", "28T18:00", "粤-0001"),
                ("28T18:00", "28T20:30", "无人值班"),
            ],
            id="a change fills a part of the gap",
        ),
        pytest.param(
            [change("23T10:00", "23T11:00", "粤-0003"), change("23T09:00", "23T12:00")],
            "23T08:30",
            "23T12:30",
            [
                ("23T08:30", "23T09:00", "粤-0002"),
                ("23T09:00", "23T10:00", "粤-0001"),
                ("23T10:00", "23T11:00", "粤-0003"),
                ("23T11:00", "23T12:00", "粤-0001"),
                ("23T12:00", "23T12:30", "粤-0002"),
            ],
            id="the newest change lies on top",
        ),
        pytest.param(
            [change("23T09:00", "23T12:00", "粤-0999")],
            "23T08:30",
            "23T12:30",
            [("23T08:30", "23T12:30", "粤-0002")],
            id="a change to somebody who has left the roster has no effect",
        ),
    ],
)
def test_the_hours_of_a_unit(
    changes: list[Change], start: str, until: str, expected: list[tuple[str, str, str]]
) -> None:
    """Plan, absences and changes give one answer for every hour."""
    roster = Roster.parse(ROSTER).with_changes(changes)

    assert shown(week.spans(roster, "gd-duty", at(start), at(until))) == expected


def test_gaps_are_named_with_their_length() -> None:
    """The weekend's two days of twelve hours are the week's gaps."""
    gaps = week.gaps(week.spans(Roster.parse(ROSTER), "gd-duty", MONDAY, MONDAY + week.WEEK))

    assert shown(gaps) == [
        ("28T08:30", "28T20:30", "无人值班"),
        ("29T08:30", "29T20:30", "无人值班"),
    ]
    assert week.total(gaps) == timedelta(hours=24)


def test_a_day_is_its_24_hours_without_a_hole() -> None:
    """A night is shown in both of its days, as far as it lies in each."""
    all_spans = week.spans(Roster.parse(ROSTER), "gd-duty", MONDAY, MONDAY + week.WEEK)
    tuesday = week.days(all_spans, MONDAY)[1]

    assert [(piece.top, piece.bottom) for piece in tuesday.pieces] == [
        (0, 510),
        (510, 720),
        (720, 1080),
        (1080, 1230),
        (1230, 1440),
    ]


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(at("23T00:00"), id="its first moment"),
        pytest.param(at("29T23:59"), id="its last minute"),
        pytest.param(
            datetime.fromisoformat("2026-11-22T16:30:00+00:00"), id="Sunday in UTC, Monday in Beijing"
        ),
    ],
)
def test_a_week_begins_on_monday_in_beijing(moment: datetime) -> None:
    """Beijing's calendar counts."""
    assert week.monday(moment) == MONDAY


hours = st.integers(0, 7 * 24)


@st.composite
def some_changes(draw: st.DrawFn) -> list[Change]:
    return [
        Change(
            "gd-duty",
            draw(st.sampled_from(["粤-0001", "粤-0002", "粤-0003", "粤-0999"])),
            MONDAY + timedelta(hours=start, minutes=draw(st.integers(0, 59))),
            MONDAY + timedelta(hours=start + draw(st.integers(1, 48))),
            ChangeKind.OVERRIDE,
        )
        for start in draw(st.lists(hours, max_size=5))
    ]


@settings(max_examples=60, deadline=None)
@given(some_changes(), st.integers(0, 7 * 24 * 60 - 1))
def test_exactly_one_officer_is_accountable_at_any_time(changes: list[Change], minute: int) -> None:
    """However changes lie over each other: spans fill the week, and agree with the roster at every minute."""
    roster = Roster.parse(ROSTER).with_changes(changes)
    all_spans = week.spans(roster, "gd-duty", MONDAY, MONDAY + week.WEEK)
    moment = MONDAY + timedelta(minutes=minute)
    [span] = [span for span in all_spans if span.start <= moment < span.until]
    accountable = roster.accountable("gd-duty", moment)

    assert (span.officer_ref, span.vacant) == (accountable.officer_ref, accountable.vacant)
    assert accountable.officer_ref in roster.officers
    assert all_spans[0].start == MONDAY
    assert all_spans[-1].until == MONDAY + week.WEEK
    assert all(one.until == other.start and one.start < one.until for one, other in pairwise(all_spans))
