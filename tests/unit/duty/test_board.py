"""What pages show of duty and escalation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.duty.test_delivering import MAIL
from tests.unit.duty.test_watch import DESK, LEADER, ON_DUTY, RECIPIENTS, SUBSTITUTE, Watched, watched
from tests.unit.duty.test_week import ROSTER, at
from tongbao_broker import database
from tongbao_connectors.duty import board
from tongbao_connectors.duty.board import Escalating
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watched]:
    """With one 特急 alert in 待签收."""
    made = watched(tmp_path, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)
    with made.gd.here():
        yield made
    database.close()


@pytest.mark.parametrize(
    ("now", "officer_ref", "vacant", "until", "then"),
    [
        pytest.param("23T10:00", "粤-0002", False, "23T20:30", "粤-0003", id="by day"),
        pytest.param("28T09:00", "粤-0001", True, "28T20:30", "粤-0003", id="in a gap the leader"),
        pytest.param("28T06:00", "粤-0003", False, "28T08:30", "粤-0001", id="before a gap"),
    ],
)
def test_who_is_on_duty_and_who_is_next(
    now: str, officer_ref: str, vacant: bool, until: str, then: str
) -> None:
    """One officer now, until when, and the next one."""
    box = board.on_duty_box(Roster.parse(ROSTER), "gd-duty", at(now))

    assert (box.now.officer_ref, box.now.vacant, box.until) == (officer_ref, vacant, at(until))
    assert box.then is not None
    assert (box.then.officer_ref, box.leader) == (then, "粤-0001")


def shown(watch: Watched) -> list[Escalating]:
    """What is escalating, as somebody sees who sees everything."""
    rules = watch.rules
    return board.escalating(InboxItem.objects.all(), rules.roster, rules.desk_unit, watch.net.clock.now())


def test_an_alert_escalates_once_it_has_gone_beyond_the_officer_on_duty(watch: Watched) -> None:
    """The steps taken, the last one's time, the next one, and who is asked then."""
    watch.after(minutes=0)
    assert shown(watch) == []
    watch.after(minutes=5)

    [one] = shown(watch)
    assert [step.zh for step in one.taken] == ["主责", "本组"]
    assert one.next_step is not None
    assert (one.number, one.next_step.zh) == (watch.item.message.number, "组长")
    assert one.next_to == (LEADER,)
    assert one.last_at == watch.net.clock.now()

    watch.claim()
    assert shown(watch) == []


def test_the_badge_counts_what_waits_and_was_brought_to_an_officer(watch: Watched) -> None:
    """Each item once, and not any more when somebody has signed."""
    watch.after(minutes=0).after(minutes=5).after(minutes=5)
    assert [board.badge(ref) for ref in (ON_DUTY, SUBSTITUTE, LEADER, DESK)] == [1, 1, 1, 0]

    watch.claim()
    assert board.badge(ON_DUTY) == 0
