"""Small rules of time: when to believe the clock, when to send a head, when to leave a topic alone."""

from datetime import datetime, timedelta

import pytest

from tests.support.world import NOW
from tongbao_broker.exchange.clockwatch import ClockWatch
from tongbao_broker.exchange.heads import HeadSchedule, Standing
from tongbao_broker.exchange.publishing import Backoff

TOPIC = "prov.520000.out.v1"
MINUTE, SECOND, MS = timedelta(minutes=1), timedelta(seconds=1), timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


CLOCKS: dict[str, tuple[int, timedelta, bool]] = {
    "written now": (10, timedelta(), True),
    "written 60 s ahead of us": (10, MINUTE, True),
    "written later than that": (10, MINUTE + MS, False),
    "before the anchor, long ago": (9, -1000 * MINUTE, True),
    "behind the anchor, 60 s before it": (10, -MINUTE, True),
    "behind the anchor, earlier than that": (10, -MINUTE - MS, False),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_the_broker_s_time_and_ours_may_differ_by_a_minute(name: str) -> None:
    """A record of the future, or an old one beyond a known end, means that a clock is wrong."""
    offset, written, expected = CLOCKS[name]
    watch = ClockWatch()
    watch.anchor(TOPIC, 10, NOW)

    assert watch.agrees(TOPIC, offset, milliseconds(NOW + written), NOW) is expected


def test_without_an_anchor_an_old_record_proves_nothing() -> None:
    """It may have lain there for a year."""
    assert ClockWatch().agrees(TOPIC, 0, milliseconds(NOW - timedelta(days=365)), NOW)


def test_an_anchor_of_our_future_is_forgotten() -> None:
    """After our clock was put back it says nothing any more."""
    watch = ClockWatch()
    watch.anchor(TOPIC, 0, NOW + timedelta(hours=1))

    assert watch.agrees(TOPIC, 0, milliseconds(NOW), NOW)


AT_REST, CHANGED = Standing(1, (), 1, 1), Standing(2, (), 1, 1)

HEADS: dict[str, tuple[Standing, timedelta, bool]] = {
    "at once after a change": (CHANGED, timedelta(), False),
    "a second after a change": (CHANGED, SECOND, True),
    "at rest, shortly before": (AT_REST, 50 * SECOND - MS, False),
    "at rest, within the minute": (AT_REST, 50 * SECOND, True),
    "after the clock was put back": (AT_REST, -SECOND, True),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_due_after_a_change_or_when_it_grows_old(name: str) -> None:
    """A province at rest hears once a minute, another one at most once a second."""
    standing, later, expected = HEADS[name]
    schedule = HeadSchedule()
    schedule.told("520000", AT_REST, NOW)

    assert schedule.due("520000", standing, NOW + later) is expected


def test_the_first_head_is_due_at_once() -> None:
    """After a start every province is told how it stands."""
    assert HeadSchedule().due("520000", AT_REST, NOW)


def test_each_failure_doubles_the_pause_up_to_a_minute() -> None:
    """A topic that stays closed costs less and less."""
    backoff, pauses, at = Backoff(), [], NOW
    for _ in range(6):
        backoff.failed(TOPIC, at)
        pause = SECOND
        while not backoff.allows(TOPIC, at + pause):
            pause += SECOND
        pauses.append(pause // SECOND)
        at += pause

    assert pauses == [5, 10, 20, 40, 60, 60]


def test_success_ends_the_pauses() -> None:
    """After it a failure is a first one again; other topics never waited."""
    backoff = Backoff()
    backoff.failed(TOPIC, NOW)
    assert backoff.allows("another", NOW)

    backoff.succeeded(TOPIC)

    assert backoff.allows(TOPIC, NOW)
