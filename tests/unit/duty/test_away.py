"""Escalation while Kafka is away: what had arrived goes on, what is read from a backlog waits (ADR 0009)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.duty.test_delivering import MAIL
from tests.unit.duty.test_watch import DESK, LEADER, ON_DUTY, RECIPIENTS, SUBSTITUTE, Watched, watched
from tongbao_broker import database
from tongbao_connectors import casework
from tongbao_connectors.duty import watching
from tongbao_connectors.duty.judging import Judge
from tongbao_connectors.duty.models import Escalation, Notification, Watch
from tongbao_connectors.store.models import Event, ExchangeHead, InboxItem, Message, OwnReminder

MANY = 210
"""More than the watch judges in one turn."""


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watched]:
    """With one 特急 alert in 待签收, brought to the officer on duty while all is well."""
    made = watched(tmp_path, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)
    with made.gd.here():
        step(made)
        yield made
    database.close()


def step(watch: Watched, **later: float) -> None:
    """One turn of the watch's process, this time later."""
    watch.net.clock.forward(**later)
    now = watch.net.clock.now()
    behind_since = watching.note_turn(watch.judge.epoch, watching.is_caught_up(now), now)
    watch.judge.turn(watch.rules, now, behind_since)
    while watch.outbound.turn(watch.rules, now):
        pass


def breaks(watch: Watched) -> None:
    """The connection breaks; after three minutes without a head the watch, looking all the time, knows it."""
    for _ in range(9):
        step(watch, seconds=20)


def later(watch: Watched, **span: float) -> Watched:
    """Time passes."""
    watch.net.clock.forward(**span)
    return watch


def restarted(watch: Watched) -> Watched:
    """Another watch in the place of this one."""
    with database.atomic():
        watch.judge = Judge(watching.begin(watch.net.clock.now()))
    watch.outbound._epoch = watch.judge.epoch
    return watch


def back(watch: Watched) -> None:
    """The connection is back and everything is here."""
    ExchangeHead.objects.update(at=watch.net.clock.now())


def arrives(watch: Watched, count: int = 1) -> list[int]:
    """So many alerts more, as the connector reads them from a backlog now; their keys."""
    first, now = watch.item, watch.net.clock.now()
    begun = Message.objects.count()
    known = {field.attname: getattr(first.message, field.attname) for field in Message._meta.concrete_fields}
    del known["id"]
    stored = Message.objects.bulk_create(
        Message(**known | _names(number)) for number in range(begun, begun + count)
    )
    fields = {"unit": first.unit, "officer_ref": ON_DUTY, "rule": first.rule, "steps": first.steps}
    InboxItem.objects.bulk_create(
        [InboxItem(message=one, routed_at=now, urgency=one.urgency, **fields) for one in stored]
    )
    return [one.pk for one in stored]


def _names(number: int) -> dict[str, object]:
    name = f"01a2068f-8a00-7000-8000-{number:012d}"
    return {
        "message_id": name,
        "thread": name,
        "number": f"黔2026-{number:06d}-X",
        "delivery_seq": 10_000 + number,
    }


def told(watch: Watched, keys: list[int]) -> int:
    return Event.objects.filter(message__in=keys, kind="escalated").count()


def test_what_has_arrived_goes_on_escalating(watch: Watched) -> None:
    """The connection breaks between two steps: group, leader and duty desk are asked in their time."""
    breaks(watch)
    border = Watch.objects.get().behind_since
    assert border is not None
    assert border > ExchangeHead.objects.get().at
    step(watch, minutes=2)
    assert watch.taken() == ["on_duty", "group"]
    step(watch, minutes=5)
    step(watch, minutes=5)

    assert watch.taken() == ["on_duty", "group", "leader", "desk"]
    asked = set(Notification.objects.values_list("recipient", flat=True))
    assert {ON_DUTY, SUBSTITUTE, LEADER, DESK} <= asked


def test_a_signature_ends_it_without_a_connection(watch: Watched) -> None:
    """Whether somebody signed is this province's own knowledge."""
    step(watch, minutes=6)
    watch.claim()
    step(watch, minutes=30)

    assert watch.taken() == ["on_duty", "group"]


def test_what_was_signed_for_comes_back_without_a_connection(watch: Watched) -> None:
    """Silence of an own officer needs no connection to be known."""
    watch.claim()
    breaks(watch)
    step(watch, minutes=58)

    assert watch.item.state == "waiting"
    assert watch.taken()[-1] == "on_duty"


def test_an_officers_own_reminder_is_due_without_a_connection(watch: Watched) -> None:
    """He asked for it himself."""
    when = watch.net.clock.now() + timedelta(minutes=30)
    casework.remind_me(
        watch.item.message.number,
        when=when,
        officer_ref=ON_DUTY,
        roster=watch.rules.roster,
        at=watch.net.clock.now(),
    )
    step(watch, minutes=31)

    assert OwnReminder.objects.get().done_at == watch.net.clock.now()


def test_hundreds_read_after_the_break_wait_and_ring_once(watch: Watched) -> None:
    """None of a backlog is brought to anybody before all of it is here; then the missed steps are one."""
    breaks(watch)
    keys = arrives(watch, MANY)
    step(watch, minutes=20)
    waiting = told(watch, keys), Escalation.objects.filter(message__in=keys).count()
    mails = Notification.objects.filter(channel="mail").count()
    back(watch)
    for _ in range(MANY // 200 + 2):
        step(watch, seconds=1)

    assert waiting == (0, 0)
    assert told(watch, keys) == MANY
    assert (
        Escalation.objects.filter(message__in=keys, done_at=None, due_at__lte=watch.net.clock.now()).count()
        == 0
    )
    rung = Notification.objects.filter(channel="mail", pk__gt=mails, state="sent", recipient=ON_DUTY)
    assert sum(row.covers for row in rung) >= MANY
    assert rung.count() <= MANY // 200 + 2


def test_a_cancelled_one_of_the_backlog_rings_nobody(watch: Watched) -> None:
    """Its cancellation is read before it is judged."""
    breaks(watch)
    keys = arrives(watch)
    step(watch, minutes=20)
    InboxItem.objects.filter(pk__in=keys).update(state="cancelled")
    back(watch)
    step(watch, seconds=1)

    assert told(watch, keys) == 0


def test_the_border_stays_when_the_watch_is_restarted(watch: Watched) -> None:
    """Another watch goes on with what had arrived, and leaves what came after the break."""
    breaks(watch)
    border = Watch.objects.get().behind_since
    keys = arrives(later(watch, minutes=1))
    step(restarted(watch), minutes=7)

    assert Watch.objects.get().behind_since == border
    assert watch.taken() == ["on_duty", "group", "leader"]
    assert told(watch, keys) == 0


def test_a_watch_that_was_not_looking_goes_by_the_last_head(watch: Watched) -> None:
    """It is started while Kafka is away: what was read after the last head may be a backlog and waits."""
    heard = ExchangeHead.objects.get().at
    later(watch, minutes=40)
    keys = arrives(watch)
    step(restarted(watch), minutes=1)

    assert Watch.objects.get().behind_since == heard
    assert "leader" in Escalation.objects.filter(done_at__isnull=False).values_list("step", flat=True)
    assert told(watch, keys) == 0


def test_caught_up_again_the_border_is_gone(watch: Watched) -> None:
    """A second break has a border of its own."""
    breaks(watch)
    back(watch)
    step(watch, seconds=1)
    assert Watch.objects.get().behind_since is None
    again = watch.net.clock.now()
    breaks(watch)
    border = Watch.objects.get().behind_since

    assert border is not None
    assert border > again
