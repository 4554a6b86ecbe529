"""Messages as they lie at the desk: header facts, where they lie and why, who owns them; never a body."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from tongbao_broker.errors import Conflict, NotFound, Words
from tongbao_connectors import case_rules, finding
from tongbao_connectors.case_rules import Act, State
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Draft, InboxItem, Message, Outbox
from tongbao_schemas.encoding import format_time

OPEN_STATES = tuple(sorted(case_rules.OPEN))


@dataclass(frozen=True, slots=True)
class Item:
    """A received message at the desk: header facts, where it lies and why, never the body.

    `steps` explains the routing, each step as `{"zh": …, "en": …}`.
    """

    number: str
    message_id: str
    thread: str
    origin: str
    audience: tuple[str, ...]
    type: str
    answer_kind: str
    status: str
    urgency: str
    category: str
    handling: str
    unit: str
    officer_ref: str
    rule: str
    steps: tuple[dict[str, str], ...]
    state: str
    issued_at: datetime
    received_at: datetime
    expires_at: datetime
    sign_by: datetime | None
    first_feedback_by: datetime | None
    result_by: datetime | None
    expired: bool
    claimed_by: str | None
    claimed_at: datetime | None
    answered_at: datetime | None
    assigned_to: str | None = None
    assigned_at: datetime | None = None
    started_at: datetime | None = None
    first_answer_at: datetime | None = None
    closed_at: datetime | None = None
    asked: tuple[str, ...] = ()
    silent_since: datetime | None = None
    due_at: datetime | None = None

    @property
    def holder(self) -> str | None:
        """Who works on it: the officer it was assigned to, else who signed for it."""
        return self.assigned_to or self.claimed_by


def list_inbox(
    officer_ref: str | None = None,
    *,
    roster: Roster | None = None,
    states: Collection[str] = OPEN_STATES,
    limit: int = 100,
) -> list[Item]:
    """The newest items in these states; of one officer only those that lie with him or that he holds.

    With a roster that includes the items of officers whose substitute he is.
    """
    rows = InboxItem.objects.select_related("message").filter(state__in=states).order_by("-message")
    if officer_ref is not None:
        his = Q(claimed_by=officer_ref) | Q(assigned_to=officer_ref)
        rows = rows.filter(his | Q(officer_ref__in=_stands_in_for(officer_ref, roster)))
    return [view(row) for row in rows[:limit]]


def show(reference: str) -> Item:
    """One message by readable number or id, without its body, as it lies at the desk; raises NotFound.

    An own message has been routed nowhere: its `state` is how far it has got, `officer_ref` who sent it.
    """
    own = Outbox.objects.filter(message=finding.message(reference)).select_related("message").first()
    return view(row_of(reference)) if own is None else _sent(own)


def row_of(reference: str) -> InboxItem:
    """The row of a received message; raises NotFound, also for an own one."""
    row = InboxItem.objects.select_related("message").filter(message=finding.message(reference)).first()
    if row is None:
        raise NotFound(Words(f"{reference} 不在收件箱", f"{reference} is in no officer's inbox"))
    return row


def of_message(message: Message) -> InboxItem:
    """The row of a received message; raises NotFound."""
    return row_of(message.message_id)


def move(row: InboxItem, act: Act, changes: Mapping[str, Any] | None = None) -> InboxItem:
    """Does an act to a row as it was read, inside the caller's transaction; the row as it is afterwards.

    The condition of the statement decides between two at once. Raises Conflict where the act isn't allowed
    in this state, or somebody else was first.
    """
    changed = dict(changes or {})
    if not case_rules.allowed(act, row.state):
        raise not_now(act, row)
    claimed_by = changed.get("claimed_by", row.claimed_by)
    assigned_to = changed.get("assigned_to", row.assigned_to)
    state = case_rules.after(act, row.state, claimed_by=claimed_by, assigned_to=assigned_to)
    as_read = InboxItem.objects.filter(
        pk=row.pk, state=row.state, claimed_by=row.claimed_by, assigned_to=row.assigned_to
    )
    if as_read.update(**{"state": str(state), "due_at": due_at(row, state, changed), **changed}) != 1:
        raise not_now(act, of_message(row.message))
    return of_message(row.message)


def due_at(row: InboxItem, state: str, changed: Mapping[str, Any]) -> datetime | None:
    """What will be due next of this province in that state."""
    message = row.message
    return case_rules.next_due(
        state,
        sign_by=message.sign_by,
        first_feedback_by=message.first_feedback_by,
        result_by=message.result_by,
        first_answer_at=changed.get("first_answer_at", row.first_answer_at),
    )


def not_now(act: Act, row: InboxItem) -> Conflict:
    """Why an act can't be done: who holds it and since when, or the state it is in."""
    if act is Act.CLAIM and row.claimed_by:
        return Conflict(signed_already(row))
    state = State(row.state)
    return Conflict(
        Words(f"现为“{state.zh}”，不能{act.zh}", f"it is “{state.en}”, which doesn't allow: {act.en}")
    )


def signed_already(row: InboxItem) -> Words:
    """By whom it was signed for, and when."""
    at = row.claimed_at
    zh = f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" if at else ""
    en = format_time(at) if at else ""
    return Words(f"{row.claimed_by} 已于北京时间 {zh} 签收", f"signed for by {row.claimed_by} at {en}")


def _stands_in_for(officer_ref: str, roster: Roster | None) -> list[str]:
    officers = roster.officers.values() if roster else ()
    return [officer_ref, *(officer.officer_ref for officer in officers if officer.substitute == officer_ref)]


def _sent(outbox: Outbox) -> Item:
    """An own message, as if it lay with the officer who sent it."""
    message = outbox.message
    senders = Draft.objects.filter(message_id=message.message_id).values_list("submitted_by", flat=True)
    sender = senders.first() or ""
    return view(InboxItem(message=message, officer_ref=sender, state=outbox.state, steps=[]))


def view(row: InboxItem) -> Item:
    """A row, with its message at hand, as an item."""
    message = row.message
    return Item(
        number=message.number,
        message_id=message.message_id,
        thread=message.thread,
        origin=message.origin,
        audience=message.audience_codes,
        type=message.type,
        answer_kind=message.answer_kind,
        status=message.status,
        urgency=message.urgency,
        category=message.category,
        handling=message.handling,
        unit=row.unit,
        officer_ref=row.officer_ref,
        rule=row.rule,
        steps=tuple(row.steps),
        state=row.state,
        issued_at=message.issued_at,
        received_at=message.stored_at,
        expires_at=message.expires_at,
        sign_by=message.sign_by,
        first_feedback_by=message.first_feedback_by,
        result_by=message.result_by,
        expired=message.expired_on_arrival,
        claimed_by=row.claimed_by or None,
        claimed_at=row.claimed_at,
        assigned_to=row.assigned_to or None,
        assigned_at=row.assigned_at,
        started_at=row.started_at,
        first_answer_at=row.first_answer_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        asked=tuple(row.asked),
        silent_since=row.silent_since,
        due_at=row.due_at,
    )
