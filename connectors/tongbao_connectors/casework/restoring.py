"""What own receipts and answers say was done at the desk, put into a database that lost it.

1. They are counted in the order of the log, after everything that was received has done its work (`effects`)
   in a database that knew of no officer. What ended an alert since then holds; its holder is known again.
2. A cancel that found nobody holding the alert was lifted at once. Had somebody held it, his confirmation is
   waited for again, unless it was reported.
"""

from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from tongbao_connectors.case_rules import ACT_OF, EventKind, State, after, allowed
from tongbao_connectors.casework.items import due_at
from tongbao_connectors.store.models import Event, InboxItem, Message, StageReport
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import Stage

_UNHELD: Final = MappingProxyType(
    {"claimed_by": "", "claimed_at": None, "assigned_to": "", "assigned_at": None, "silent_since": None}
)
_HELD: Final = frozenset({State.CLAIMED, State.ASSIGNED, State.WORKING})
_ENDED: Final = frozenset({State.CLOSED, State.CANCELLED})


def reported(message: Message, stage: Stage, officer_ref: str, at: datetime) -> None:
    """A stage of a received message that this province had reported."""
    row = InboxItem.objects.select_related("message").filter(message=message).first()
    if row is None:
        return
    match stage:
        case Stage.CLAIMED:
            _claimed(row, officer_ref, at)
        case Stage.ASSIGNED:
            _held(row, State.ASSIGNED, assigned_to=officer_ref, assigned_at=at)
        case Stage.WORKING:
            _held(row, State.WORKING, started_at=at)
        case Stage.ROUTED if row.claimed_at is not None and row.claimed_at < at:
            _held(row, State.WAITING, **_UNHELD)
        case Stage.LIFTED:
            InboxItem.objects.filter(pk=row.pk, state=str(State.CANCELLED)).update(closed_at=at)
        case _:
            pass


def answered(message_id: str, kind: AnswerKind, at: datetime) -> None:
    """An answer that this province had given to a received message."""
    act, _ = ACT_OF[kind]
    row = InboxItem.objects.select_related("message").filter(message__message_id=message_id).first()
    if row is None or row.state not in _HELD or not allowed(act, row.state):
        return
    times = {"answered_at": at} if kind is AnswerKind.RESULT else {}
    _set(row, after(act, row.state), first_answer_at=row.first_answer_at or at, silent_since=None, **times)


def _claimed(row: InboxItem, officer_ref: str, at: datetime) -> None:
    owner = {"claimed_by": officer_ref, "claimed_at": at, "assigned_to": "", "assigned_at": None}
    if row.state == State.WAITING or row.state in _HELD:
        _set(row, State.CLAIMED, **owner)
    elif row.state in _ENDED:
        _set(row, State(row.state), **owner)
    if row.state == State.CANCELLED:
        _not_lifted(row)


def _not_lifted(row: InboxItem) -> None:
    """Nobody has confirmed it yet: what was noted by itself a moment ago isn't so."""
    InboxItem.objects.filter(pk=row.pk).update(closed_at=None)
    Event.objects.filter(message=row.message, kind=str(EventKind.LIFTED), officer_ref="").delete()
    reports = StageReport.objects.filter(of=row.message.message_id, place="", stage=str(Stage.LIFTED))
    reports.filter(pending=True).delete()


def _held(row: InboxItem, state: State, **changes: Any) -> None:
    if row.state in _HELD:
        _set(row, state, **changes)


def _set(row: InboxItem, state: State, **changes: Any) -> None:
    due = due_at(row, state, changes)
    InboxItem.objects.filter(pk=row.pk).update(state=str(state), due_at=due, **changes)
