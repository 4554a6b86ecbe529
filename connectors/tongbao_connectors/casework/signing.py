"""Signing for an alert, taking it back, and what happens while nobody does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NoRight, NotFound, Refused, TongbaoError, Words
from tongbao_connectors import case_rules, finding
from tongbao_connectors.case_rules import Act, EventKind, State
from tongbao_connectors.casework import events, rights
from tongbao_connectors.casework.items import Item, move, not_now, of_message, row_of, signed_already, view
from tongbao_connectors.casework.reporting import report, report_of
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import AskedAlso, Event, InboxItem, Message, OwnReminder
from tongbao_schemas.codes import MessageType, Stage
from tongbao_schemas.encoding import format_time

MANY = 50
"""How many can be signed for at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of several: the item, or why not."""

    reference: str
    item: Item | None = None
    error: TongbaoError | None = None


def claim(reference: str, *, officer_ref: str, roster: Roster, at: datetime) -> Item:
    """Signs for an alert (签收). Raises NotFound, NoRight, and Conflict where somebody else was first.

    Signing again oneself changes nothing.
    """
    with atomic():
        return view(sign(row_of(reference), officer_ref, roster, at))


def claim_many(references: Sequence[str], *, officer_ref: str, roster: Roster, at: datetime) -> list[Outcome]:
    """Signs for several alerts, each by itself: what fails leaves the others signed. At most 50."""
    if len(references) > MANY:
        raise Conflict(Words(f"一次最多签收 {MANY} 份", f"at most {MANY} at once"))
    return [_outcome(reference, officer_ref, roster, at) for reference in references]


def take_by_phone(
    reference: str, *, other_officer: str, officer_ref: str, roster: Roster, at: datetime, place: str = ""
) -> None:
    """Records that somebody took an alert by phone (电话签收，代录): two references, his and the recorder's.

    Of a received alert `other_officer` is of this province and has signed for it from now on. Of an own one
    he is of the addressee `place`, which has no line at the moment: a note, known to this province only.
    Raises NotFound, NoRight, Conflict.
    """
    other = other_officer.strip()[:32]
    if not other or other == officer_ref:
        raise Conflict(Words("代录须有两个不同的人", "two different officers are needed"))
    with atomic():
        message = finding.message(reference)
        if InboxItem.objects.filter(message=message).exists():
            _signed_by_phone(of_message(message), other, officer_ref, roster, at)
            return
        if place not in message.audience_codes:
            raise NotFound(Words(f"{place} 不是收件单位", f"{place} isn't addressed"))
        events.by_officer(
            message, EventKind.TAKEN_BY_PHONE, at, officer_ref, roster, place=place, other=other
        )


def undo(reference: str, *, officer_ref: str, roster: Roster, at: datetime) -> Item:
    """Takes one's own last act back (签收, 交办, 开始核查) within five minutes, as a visible correction.

    Raises NotFound, NoRight, and Conflict where it is too late or something else was done since.
    """
    with atomic():
        row = row_of(reference)
        last = undoable(row.message, at)
        if last is None:
            raise Conflict(
                Words(
                    "没有可撤回的操作，或已超过 5 分钟", "there is nothing to undo, or 5 minutes have passed"
                )
            )
        if last.officer_ref != officer_ref:
            raise NoRight(Words(f"只有 {last.officer_ref} 可以撤回", f"only {last.officer_ref} can undo it"))
        row = move(row, Act.UNDO, _as_before(row, last, at))
        kind = case_rules.UNDONE_BY[EventKind(last.kind)]
        events.by_officer(row.message, kind, at, officer_ref, roster, event=last.pk)
        report_standing(row, roster, at)
        return view(row)


def undoable(message: Message, at: datetime) -> Event | None:
    """The last act, as long as it can be undone."""
    moves = Event.objects.filter(message=message, kind__in=[str(kind) for kind in case_rules.MOVES])
    last = moves.order_by("pk").last()
    if last is None or last.kind not in case_rules.UNDONE_BY or "was" not in last.facts:
        return None
    return last if at - last.at <= case_rules.UNDO_FOR else None


def come_back(message: Message, at: datetime, *, silent_until: datetime, roster: Roster) -> bool:
    """Gives an alert back to be signed for (待签收) if its owner's silence began by `silent_until`; else
    False: he has begun, or somebody else has it.
    """
    with atomic():
        row = of_message(message)
        silent = row.silent_since is not None and row.silent_since <= silent_until
        if not case_rules.allowed(Act.COME_BACK, row.state) or not silent:
            return False
        held_by = row.holder
        row = move(row, Act.COME_BACK, _unheld(row, roster, at))
        events.note(row.message, EventKind.CAME_BACK, at, unit=row.unit, held_by=held_by)
        report_standing(row, roster, at)
    return True


def ask_also(message: Message, officer_refs: Collection[str], at: datetime) -> tuple[str, ...]:
    """Lets these officers sign for a waiting alert in date too; those who were not asked before.

    The line about it is the escalation's own.
    """
    with atomic():
        row = of_message(message)
        known = {row.officer_ref, *row.asked}
        new = tuple(ref for ref in dict.fromkeys(officer_refs) if ref not in known)
        if new and message.expires_at > at and case_rules.allowed(Act.ASK_ALSO, row.state):
            AskedAlso.objects.bulk_create(AskedAlso(item=row, officer_ref=ref) for ref in new)
            return new
    return ()


def lift(reference: str, *, officer_ref: str, roster: Roster, at: datetime) -> Item:
    """Confirms that nothing is done any more on the ground of a cancelled alert (撤控).

    By who holds it or may sign for it. Raises NotFound, NoRight, Conflict. Confirming again changes nothing.
    """
    with atomic():
        row = row_of(reference)
        if row.holder != officer_ref:
            rights.check_may_sign(row, officer_ref, roster, at)
        if not case_rules.allowed(Act.LIFT, row.state):
            raise not_now(Act.LIFT, row)
        open_yet = InboxItem.objects.filter(pk=row.pk, state=row.state, closed_at=None)
        if open_yet.update(closed_at=at) == 1:
            events.by_officer(row.message, EventKind.LIFTED, at, officer_ref, roster)
            report(row.message, Stage.LIFTED, at)
        return view(of_message(row.message))


def remind_me(reference: str, *, when: datetime, officer_ref: str, roster: Roster, at: datetime) -> None:
    """Notes that an officer wants to be reminded of a message at `when`; raises NotFound, Conflict."""
    if when <= at:
        raise Conflict(Words("提醒时间已过", "that time has passed"))
    with atomic():
        message = finding.message(reference)
        OwnReminder.objects.create(message=message, officer_ref=officer_ref, asked_at=at, due_at=when)
        events.by_officer(message, EventKind.REMINDED_SELF, at, officer_ref, roster, when=format_time(when))


def sign(row: InboxItem, officer_ref: str, roster: Roster, at: datetime) -> InboxItem:
    """Signs inside the caller's transaction; the row as it is then."""
    if row.message.type != MessageType.ALERT:
        raise _not_signed_for(row.message)
    rights.check_may_sign(row, officer_ref, roster, at)
    if row.claimed_by == officer_ref:
        return row
    return _signed(row, officer_ref, EventKind.CLAIMED, officer_ref, roster, at)


def report_standing(row: InboxItem, roster: Roster, at: datetime) -> None:
    """Tells the originator where it stands now; the newest report is the one that counts."""
    stage, officer_ref = _standing(row)
    by = {"unit": _unit_name(row, officer_ref, roster), "officer_ref": officer_ref}
    report(row.message, stage, at, **by)


def _unit_name(row: InboxItem, officer_ref: str, roster: Roster) -> str:
    """The name of the unit that acts: the officer's own, or where he is unknown, the one it lies in."""
    if officer_ref in roster.officers:
        return roster.unit_name_of(officer_ref)
    return roster.units[row.unit].name if row.unit in roster.units else row.unit


def _as_before(row: InboxItem, last: Event, at: datetime) -> dict[str, Any]:
    """Who held it before the last act; with nobody left it doesn't come back by itself."""
    was: dict[str, Any] = last.facts["was"]
    silent = at if was["claimed_by"] else None
    times = {} if was["claimed_by"] else {"claimed_at": None}
    return {
        **was,
        **times,
        "assigned_at": row.assigned_at if was["assigned_to"] else None,
        "silent_since": silent,
    }


def _standing(row: InboxItem) -> tuple[Stage, str]:
    match State(row.state):
        case State.WAITING:
            return Stage.ROUTED, row.officer_ref
        case State.CLAIMED:
            return Stage.CLAIMED, row.claimed_by
        case State.ASSIGNED:
            return Stage.ASSIGNED, row.assigned_to
        case _:
            return Stage.WORKING, row.holder


def _outcome(reference: str, officer_ref: str, roster: Roster, at: datetime) -> Outcome:
    try:
        return Outcome(reference, claim(reference, officer_ref=officer_ref, roster=roster, at=at))
    except (Conflict, NoRight, NotFound, Refused) as error:
        return Outcome(reference, error=error)


def _signed_by_phone(row: InboxItem, other: str, officer_ref: str, roster: Roster, at: datetime) -> InboxItem:
    if row.message.type != MessageType.ALERT:
        raise _not_signed_for(row.message)
    roster.officer(officer_ref)
    rights.check_may_sign(row, other, roster, at)
    return _signed(row, other, EventKind.TAKEN_BY_PHONE, officer_ref, roster, at)


def _signed(
    row: InboxItem, claimer: str, kind: EventKind, officer_ref: str, roster: Roster, at: datetime
) -> InboxItem:
    """The row signed for by `claimer`, with the line of who recorded it."""
    if row.claimed_by:
        raise Conflict(signed_already(row))
    was = {"claimed_by": "", "assigned_to": "", "started_at": None}
    row = move(row, Act.CLAIM, {"claimed_by": claimer, "claimed_at": at, "silent_since": at})
    other = {} if claimer == officer_ref else {"other": claimer}
    events.by_officer(row.message, kind, at, officer_ref, roster, was=was, **other)
    report_of(row.message, Stage.CLAIMED, at, claimer, roster)
    return row


def _unheld(row: InboxItem, roster: Roster, at: datetime) -> dict[str, Any]:
    """Nobody's again, accountable is who is on duty now."""
    known = row.unit in roster.units
    accountable = roster.accountable(row.unit, at).officer_ref if known else row.officer_ref
    return {
        "claimed_by": "",
        "claimed_at": None,
        "assigned_to": "",
        "assigned_at": None,
        "silent_since": None,
        "officer_ref": accountable,
    }


def _not_signed_for(message: Message) -> Conflict:
    kind = MessageType(message.type)
    return Conflict(
        Words(f"{kind.zh}不用签收", f"a message of the type {kind.en} is not signed for"),
        Words("打开即为已阅。", "Open it; it counts as read then."),
    )
