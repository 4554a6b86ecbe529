"""Changing shifts at the desk."""

from datetime import datetime

import pytest

from tests.unit.duty.test_week import ROSTER, at
from tongbao_broker.errors import Conflict, NoRight, NotFound
from tongbao_connectors.duty import changing, current, week
from tongbao_connectors.duty.changing import Hours
from tongbao_connectors.duty.models import ShiftChange
from tongbao_connectors.roster import Roster

NOW = at("23T10:00")
LEADER, DAY, NIGHT = "粤-0001", "粤-0002", "粤-0003"

pytestmark = pytest.mark.usefixtures("connector_database")


def roster() -> Roster:
    return current.laid_over(Roster.parse(ROSTER))


def hours(start: str, until: str) -> Hours:
    return Hours("gd-duty", at(start), at(until))


def owners(start: str, until: str) -> list[tuple[datetime, str]]:
    return [
        (span.start, "" if span.vacant else span.officer_ref)
        for span in week.spans(roster(), "gd-duty", at(start), at(until))
    ]


def test_a_leader_fills_a_gap() -> None:
    """From then on somebody is on duty; the row says that nobody had the hours."""
    [row] = changing.override(hours("28T08:30", "28T20:30"), to=NIGHT, by=LEADER, roster=roster(), at=NOW)

    assert (row.instead_of, row.state) == ("", "in_force")
    assert owners("28T08:30", "28T20:30") == [(at("28T08:30"), NIGHT)]


def test_an_override_over_two_shifts_says_whose_each_was() -> None:
    """One row for each owner's part."""
    rows = changing.override(hours("24T18:00", "25T08:30"), to=LEADER, by=LEADER, roster=roster(), at=NOW)

    assert [row.instead_of for row in rows] == [DAY, NIGHT]
    assert owners("24T18:00", "25T08:30") == [(at("24T18:00"), LEADER), (at("24T20:30"), LEADER)]


def test_a_substitute_takes_over_at_once() -> None:
    """The roster names him, so nobody has to be asked."""
    changing.substitute(hours("23T08:30", "23T20:30"), of=DAY, by=DAY, roster=roster(), at=NOW)

    assert owners("23T08:30", "23T20:30") == [(at("23T08:30"), DAY), (NOW, NIGHT)]


def test_a_swap_changes_nothing_until_the_other_agrees() -> None:
    """Until then whoever had the hours has them."""
    mine, yours = hours("25T08:30", "25T20:30"), hours("25T20:30", "26T08:30")
    before = owners("25T08:30", "26T08:30")
    rows = changing.ask_swap(mine, to=NIGHT, back=yours, by=DAY, roster=roster(), at=NOW)
    assert owners("25T08:30", "26T08:30") == before

    changing.agree(rows[0].swap, by=NIGHT, roster=roster(), at=NOW)
    assert owners("25T08:30", "26T08:30") == [(at("25T08:30"), NIGHT), (at("25T20:30"), DAY)]


def test_a_declined_swap_leaves_the_plan() -> None:
    """It can't be agreed to afterwards."""
    [row] = changing.ask_swap(
        hours("25T08:30", "25T20:30"), to=NIGHT, back=None, by=DAY, roster=roster(), at=NOW
    )
    changing.decline(row.swap, by=NIGHT, at=NOW)

    assert changing.open_swaps(NOW) == []
    with pytest.raises(NotFound):
        changing.agree(row.swap, by=NIGHT, roster=roster(), at=NOW)


def test_a_swap_of_hours_that_have_changed_hands_is_not_agreed_to() -> None:
    """The plan is judged when he agrees, not when he was asked."""
    [row] = changing.ask_swap(
        hours("25T08:30", "25T20:30"), to=NIGHT, back=None, by=DAY, roster=roster(), at=NOW
    )
    changing.override(hours("25T10:00", "25T12:00"), to=LEADER, by=LEADER, roster=roster(), at=NOW)

    with pytest.raises(Conflict):
        changing.agree(row.swap, by=NIGHT, roster=roster(), at=NOW)


def test_a_withdrawn_change_gives_the_hours_that_are_left_back() -> None:
    """What has passed stays as it was."""
    [row] = changing.override(hours("23T12:00", "23T18:00"), to=LEADER, by=LEADER, roster=roster(), at=NOW)
    changing.withdraw(row.pk, by=LEADER, roster=roster(), at=at("23T15:00"))

    assert owners("23T12:00", "23T18:00") == [(at("23T12:00"), LEADER), (at("23T15:00"), DAY)]


def test_both_halves_of_a_swap_are_withdrawn_together() -> None:
    """Nobody keeps hours that he gave for others."""
    rows = changing.ask_swap(
        hours("25T08:30", "25T20:30"),
        to=NIGHT,
        back=hours("25T20:30", "26T08:30"),
        by=DAY,
        roster=roster(),
        at=NOW,
    )
    changing.agree(rows[0].swap, by=NIGHT, roster=roster(), at=NOW)
    changing.withdraw(rows[1].pk, by=DAY, roster=roster(), at=NOW)

    assert owners("25T08:30", "26T08:30") == [(at("25T08:30"), DAY), (at("25T20:30"), NIGHT)]


@pytest.mark.parametrize(
    ("start", "until", "to", "by", "error"),
    [
        pytest.param("28T08:30", "28T20:30", NIGHT, DAY, NoRight, id="not the leader"),
        pytest.param("28T08:30", "28T20:30", "粤-0999", LEADER, NotFound, id="nobody of the roster"),
        pytest.param("28T20:30", "28T08:30", NIGHT, LEADER, Conflict, id="the end before the beginning"),
        pytest.param("23T08:30", "23T10:00", NIGHT, LEADER, Conflict, id="in the past"),
        pytest.param("23T20:30", "24T08:30", NIGHT, LEADER, Conflict, id="he has them already"),
    ],
)
def test_what_can_not_be_assigned(start: str, until: str, to: str, by: str, error: type[Exception]) -> None:
    """It is refused with a reason, and nothing is stored."""
    with pytest.raises(error):
        changing.override(hours(start, until), to=to, by=by, roster=roster(), at=NOW)
    assert not ShiftChange.objects.exists()


@pytest.mark.parametrize(
    ("of", "by", "error"),
    [
        pytest.param(NIGHT, NIGHT, Conflict, id="somebody else's hours, and no substitute"),
        pytest.param(DAY, NIGHT, NoRight, id="neither he nor the leader"),
        pytest.param(LEADER, LEADER, Conflict, id="no substitute in the roster"),
    ],
)
def test_who_can_not_be_substituted(of: str, by: str, error: type[Exception]) -> None:
    """Only one's own hours, and only to the one the roster names."""
    with pytest.raises(error):
        changing.substitute(hours("25T08:30", "25T20:30"), of=of, by=by, roster=roster(), at=NOW)


def test_a_swap_is_decided_by_the_one_who_was_asked() -> None:
    """Not by the one who asks, and not by the leader."""
    [row] = changing.ask_swap(
        hours("25T08:30", "25T20:30"), to=NIGHT, back=None, by=DAY, roster=roster(), at=NOW
    )
    for officer_ref in (DAY, LEADER):
        with pytest.raises(NoRight):
            changing.agree(row.swap, by=officer_ref, roster=roster(), at=NOW)


@pytest.mark.parametrize(
    ("to", "start"),
    [
        pytest.param(DAY, "25T08:30", id="with himself"),
        pytest.param(NIGHT, "24T08:30", id="hours of which some are another's"),
    ],
)
def test_what_can_not_be_swapped(to: str, start: str) -> None:
    """Only hours that are all one's own."""
    with pytest.raises(Conflict):
        changing.ask_swap(hours(start, "25T20:30"), to=to, back=None, by=DAY, roster=roster(), at=NOW)
