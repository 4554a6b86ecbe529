"""What a message that follows an alert does to the alert's item at the desk when it arrives, and what
becomes of the alert when an own message in its thread could not be sent.

1. A closure closes it. A cancel cancels it: where nobody had signed for it the lifting is reported at once,
   else it waits until who holds it confirms (撤控). An update reopens what was answered, returned, redirected
   or closed, and its deadlines, if it brings any, count from now on. Replies and reminders change no state.
2. Only what the alert's own originator says does anything. Each is a line in the alert's timeline.
3. A fault of ours in one of them is an incident and keeps neither the others nor the batch.
4. What arrived before its alert does its work when that arrives, in the order of the log.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tongbao_broker import logs
from tongbao_broker.database import atomic
from tongbao_broker.statements import places, select
from tongbao_connectors import incidents, reports
from tongbao_connectors.case_rules import Act, EventKind, allowed
from tongbao_connectors.casework import events
from tongbao_connectors.casework.items import due_at, move
from tongbao_connectors.store.models import Draft, Event, InboxItem, Message, Outbox
from tongbao_schemas.bodies.codes import ReplyKind
from tongbao_schemas.bodies.followups import FOLLOW_UPS, ReplyBody
from tongbao_schemas.codes import PEOPLES_TYPES, MessageType, Relation, Stage

if TYPE_CHECKING:
    from tongbao_connectors.acceptance import Accept
    from tongbao_connectors.routing import Decision

log = logs.get(__name__)

SAID_IN_A_THREAD: Final = PEOPLES_TYPES - {MessageType.ALERT}
ENDINGS: Final = frozenset({EventKind.RESULT, EventKind.RETURNED, EventKind.REDIRECTED})
ANSWERS: Final = ENDINGS | {EventKind.PROGRESS, EventKind.MORE_TIME}
BEFORE: Final = (MessageType.UPDATE, MessageType.CANCEL, MessageType.CLOSURE)
"""What may have come before its alert and still has work to do."""
DEADLINES: Final = ("sign_by", "first_feedback_by", "result_by")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What counts of a message that follows an alert."""

    type: str
    thread: str
    message_id: str
    origin: str
    corrects: bool = False
    asks: bool = False
    deadlines: Mapping[str, datetime] = field(default_factory=dict)


def apply(stored: "Sequence[tuple[int, Accept, Decision | None]]", at: datetime) -> None:
    """Lets the messages of a batch, which have just been stored, do their work; inside its transaction."""
    followers = [_follow_up(accept) for _, accept, _ in stored if _type(accept) in FOLLOW_UPS]
    alerts = [accept.examined.header.id for _, accept, _ in stored if _type(accept) == MessageType.ALERT]
    arrived = {follower.message_id for follower in followers}
    for follower in (*_earlier(alerts, arrived), *followers):
        _guarded(partial(_do, follower, at), follower.message_id, follower.type, at)


def refused(draft_key: int, code: str, at: datetime) -> None:
    """A draft of this province's own was refused here; inside the caller's transaction."""
    draft = Draft.objects.get(pk=draft_key)
    not_sent(draft.message_id, draft.thread, draft.type, code, at)


def not_sent(message_id: str, thread: str, kind: str, code: str, at: datetime) -> None:
    """What this province said in a thread was refused here or by the exchange, with its code.

    It stands in the timeline of the alert, and an alert whose only answer it was is held again.
    """
    alert = Message.objects.filter(message_id=thread, type=str(MessageType.ALERT)).first()
    if alert is None or kind not in SAID_IN_A_THREAD:
        return
    if kind == MessageType.ATTACHMENT and _told_of_files(alert, code):
        return
    _guarded(partial(_not_sent, alert, message_id, kind, code, at), message_id, kind, at)


def _told_of_files(alert: Message, code: str) -> bool:
    """Whether this was said of another part, or the alert itself was rejected: nobody reads it 80 times."""
    if Outbox.objects.filter(message=alert, state=Outbox.State.REJECTED).exists():
        return True
    same = {"kind": EventKind.NOT_SENT, "facts__type": MessageType.ATTACHMENT, "facts__code": code}
    return Event.objects.filter(message=alert, **same).exists()


def _not_sent(alert: Message, message_id: str, kind: str, code: str, at: datetime) -> None:
    events.note(alert, EventKind.NOT_SENT, at, message_id=message_id, code=code, type=kind)
    if kind == MessageType.ANSWER:
        _hold_again(alert)


def _hold_again(alert: Message) -> None:
    rows = InboxItem.objects.select_for_update(of=("self",)).select_related("message")
    row = rows.filter(message=alert).first()
    noted = list(Event.objects.filter(message=alert).values_list("kind", "facts"))
    lost = {facts["message_id"] for kind, facts in noted if kind == EventKind.NOT_SENT}
    sent = {kind for kind, facts in noted if kind in ANSWERS and facts.get("message_id") not in lost}
    if row is None or sent & ENDINGS or not allowed(Act.NOT_SENT, row.state):
        return
    first = {} if sent else {"first_answer_at": None}
    move(row, Act.NOT_SENT, {"answered_at": None, **first})


def _guarded(work: Callable[[], None], message_id: str, kind: str, at: datetime) -> None:
    """Does the work for a message; a fault of ours in it is undone, and somebody must look at it."""
    try:
        with atomic():
            work()
    except Exception:
        log.exception("a message has no effect", message_id=message_id, type=kind)
        incidents.note("no_effect", message_id, at, type=kind)


def _type(accept: "Accept") -> MessageType:
    return accept.examined.header.type


def _follow_up(accept: "Accept") -> FollowUp:
    header = accept.examined.header
    deadlines = getattr(header, "deadlines", None)
    return FollowUp(
        type=header.type,
        thread=header.thread,
        message_id=header.id,
        origin=header.origin,
        corrects=any(ref.relation is Relation.CORRECTS for ref in header.refs),
        asks=isinstance(accept.body, ReplyBody) and accept.body.kind is ReplyKind.QUESTION,
        deadlines={name: getattr(deadlines, name) for name in DEADLINES} if deadlines else {},
    )


def _earlier(alerts: Sequence[str], arrived: Collection[str]) -> Iterator[FollowUp]:
    """What was stored of these alerts' threads before the alerts themselves."""
    if not alerts:
        return
    kinds = [str(each) for each in BEFORE]
    condition = f"thread IN {places(alerts)} AND type IN {places(kinds)}"
    keys = [key for (key,) in select("id", Message, condition, [*alerts, *kinds])]
    rows = Message.objects.filter(pk__in=keys).exclude(message_id__in=arrived) if keys else ()
    for row in sorted(rows, key=lambda row: row.leaf_index or 0):
        corrects = row.references.filter(relation=str(Relation.CORRECTS)).exists()
        times = {name: getattr(row, name) for name in DEADLINES}
        deadlines = {name: time for name, time in times.items() if time is not None}
        yield FollowUp(row.type, row.thread, row.message_id, row.origin, corrects, deadlines=deadlines)


def _do(follower: FollowUp, at: datetime) -> None:
    rows = InboxItem.objects.select_for_update(of=("self",)).select_related("message")
    row = rows.filter(message__message_id=follower.thread, message__origin=follower.origin).first()
    if row is not None:
        _WORK[MessageType(follower.type)](row, follower, at)


def _close(row: InboxItem, follower: FollowUp, at: datetime) -> None:
    if allowed(Act.CLOSED_THERE, row.state):
        move(row, Act.CLOSED_THERE, {"closed_at": at, "silent_since": None})
    _note(row, EventKind.CLOSED, follower, at)


def _cancel(row: InboxItem, follower: FollowUp, at: datetime) -> None:
    if not allowed(Act.CANCELLED_THERE, row.state):
        return
    held = bool(row.claimed_by)
    move(row, Act.CANCELLED_THERE, {"closed_at": None if held else at, "silent_since": None})
    _note(row, EventKind.CANCELLED, follower, at)
    if not held:
        events.note(row.message, EventKind.LIFTED, at, unit=row.unit)
        reports.of_message(row.message, Stage.LIFTED, at).save()


def _update(row: InboxItem, follower: FollowUp, at: datetime) -> None:
    _note(row, EventKind.CORRECTED if follower.corrects else EventKind.SUPPLEMENTED, follower, at)
    if follower.deadlines:
        _new_deadlines(row, follower.deadlines)
    if allowed(Act.UPDATED_THERE, row.state):
        row = move(row, Act.UPDATED_THERE, {"closed_at": None, "answered_at": None, "silent_since": None})
        _note(row, EventKind.REOPENED, follower, at)


def _new_deadlines(row: InboxItem, deadlines: Mapping[str, datetime]) -> None:
    for name, time in deadlines.items():
        setattr(row.message, name, time)
    row.message.save(update_fields=list(deadlines))
    InboxItem.objects.filter(pk=row.pk).update(due_at=due_at(row, row.state, {}))


def _remind(row: InboxItem, follower: FollowUp, at: datetime) -> None:
    _note(row, EventKind.REMINDED, follower, at)


def _reply(row: InboxItem, follower: FollowUp, at: datetime) -> None:
    _note(row, EventKind.ASKED if follower.asks else EventKind.REPLIED, follower, at)


def _note(row: InboxItem, kind: EventKind, follower: FollowUp, at: datetime) -> None:
    facts: dict[str, Any] = {"message_id": follower.message_id, "origin": follower.origin}
    events.note(row.message, kind, at, **facts)


_WORK: Final = MappingProxyType(
    {
        MessageType.CLOSURE: _close,
        MessageType.CANCEL: _cancel,
        MessageType.UPDATE: _update,
        MessageType.REMINDER: _remind,
        MessageType.REPLY: _reply,
    }
)
