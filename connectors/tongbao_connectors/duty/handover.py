"""交接: what is open goes from one officer to the next, with its clocks, and is never without an owner.

1. Who gives names who takes; until that one takes it, everything stays with the giver.
2. Taking is one transaction: what waits for the giver waits for the taker, what the giver holds is assigned
   to the taker, each with a line in its timeline. Due times stay as they are.
3. Where the giver's hours aren't over yet, the rest of them go to the taker as a change of shift, at most
   `REST`. So the roster and the items name the same officer.
4. What belongs to an own alert that the giver sent stays with him.

Everything raises NotFound, NoRight, Conflict.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NoRight, NotFound, Words
from tongbao_connectors import casework
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.duty import board, current, lines, week
from tongbao_connectors.duty.models import Handover, HandoverItem, ShiftChange
from tongbao_connectors.roster import ChangeKind, Roster
from tongbao_connectors.routing import SENDER
from tongbao_connectors.store.models import Event, InboxItem

REST = timedelta(hours=24)
State = Handover.State


def offer(unit: str, *, giver: str, taker: str, briefed: bool, roster: Roster, at: datetime) -> Handover:
    """The giver offers his shift and all that is open."""
    if unit not in roster.units:
        raise NotFound(unit)
    roster.officer(giver)
    roster.officer(taker)
    if giver == taker:
        raise Conflict(Words("接班人须是另一人", "another officer takes over"))
    try:
        with atomic():
            return Handover.objects.create(
                unit=unit, giver=giver, taker=taker, briefed=briefed, offered_at=at
            )
    except IntegrityError:
        raise Conflict(
            Words("已有待接的交接", "a handover is already waiting to be taken"),
            Words("先撤回，或由接班人接班。", "Withdraw it, or let it be taken."),
        ) from None


def take(handover: int, *, by: str, roster: Roster, at: datetime) -> Handover:
    """The taker takes over; the handover with what went along."""
    with atomic():
        row = _offered(handover)
        if row.taker != by:
            raise NoRight(Words(f"由 {row.taker} 接班", f"{row.taker} takes over"))
        roster = _rest_of_the_shift(row, roster, at)
        items = list(open_items(row.unit, row.giver))
        for item in items:
            _hand_on(item, row, roster, at)
        HandoverItem.objects.bulk_create(
            [HandoverItem(handover=row, message=item.message, state=item.state) for item in items]
        )
        row.state, row.ended_at = State.TAKEN, at
        row.save(update_fields=["state", "ended_at"])
    return row


def withdraw(handover: int, *, by: str, at: datetime) -> None:
    """The giver takes his offer back; so may the one it was made to."""
    with atomic():
        row = _offered(handover)
        if by not in (row.giver, row.taker):
            raise NoRight(Words(f"由 {row.giver} 撤回", f"{row.giver} withdraws it"))
        row.state, row.ended_at = State.WITHDRAWN, at
        row.save(update_fields=["state", "ended_at"])


def open_items(unit: str, giver: str) -> list[InboxItem]:
    """What goes along: what waits for the giver in the unit, and what he holds."""
    return [
        item
        for item in board.open_items(giver)
        if item.state != InboxItem.State.WAITING or (item.unit == unit and item.rule != SENDER)
    ]


def _offered(handover: int) -> Handover:
    row = Handover.objects.filter(pk=handover).first()
    if row is None:
        raise NotFound(str(handover))
    if row.state != State.OFFERED:
        raise Conflict(Words("该交接已结束", "this handover is over"))
    return row


def _rest_of_the_shift(row: Handover, roster: Roster, at: datetime) -> Roster:
    """The roster under which the taker is on duty now, if the giver was."""
    span = week.spans(roster, row.unit, at, at + REST)[0]
    if span.officer_ref != row.giver:
        return roster
    ShiftChange.objects.create(
        unit=row.unit,
        officer_ref=row.taker,
        instead_of=row.giver,
        start=at,
        until=span.until,
        kind=ChangeKind.SWAP,
        state=ShiftChange.State.IN_FORCE,
        asked_of=row.taker,
        by=row.giver,
        at=row.offered_at,
        decided_by=row.taker,
        decided_at=at,
    )
    return current.laid_over(roster)


def _hand_on(item: InboxItem, row: Handover, roster: Roster, at: datetime) -> None:
    if item.state == InboxItem.State.WAITING:
        InboxItem.objects.filter(pk=item.pk, officer_ref=row.giver).update(officer_ref=row.taker)
        facts = lines.handed_over(row.giver, row.taker)
        Event.objects.create(message=item.message, at=at, kind=EventKind.ROUTED, unit=item.unit, facts=facts)
        return
    casework.assign(item.message.message_id, to=row.taker, officer_ref=row.giver, roster=roster, at=at)
