"""Working on an alert that was signed for: assigning, starting, answering, asking for more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from tongbao_broker.database import atomic
from tongbao_connectors import case_rules, drafts
from tongbao_connectors.case_rules import ACT_OF, Act, EventKind, State
from tongbao_connectors.casework import events, rights
from tongbao_connectors.casework.items import Item, move, not_now, row_of, view
from tongbao_connectors.casework.reporting import report_of
from tongbao_connectors.casework.signing import sign
from tongbao_connectors.files import File
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem, Message
from tongbao_schemas.bodies.codes import AnswerKind, ReplyKind
from tongbao_schemas.codes import MessageType, Relation, Stage
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.refusals import Code
from tongbao_schemas.submission import Submission, parse_submission

_SAID: Final = frozenset({"kind", "text", "by"})
"""What of an answer stays in its sealed body."""


def assign(reference: str, *, to: str, officer_ref: str, roster: Roster, at: datetime) -> Item:
    """Gives an alert to a named officer of this province (交办). Raises NotFound, NoRight, Conflict."""
    roster.officer(to)
    with atomic():
        row = row_of(reference)
        rights.check_may_assign(row, officer_ref, roster)
        if row.assigned_to == to:
            return view(row)
        was = _held_now(row)
        row = move(
            row, Act.ASSIGN, {"assigned_to": to, "assigned_at": at, "started_at": None, "silent_since": at}
        )
        events.by_officer(row.message, EventKind.ASSIGNED, at, officer_ref, roster, to=to, was=was)
        report_of(row.message, Stage.ASSIGNED, at, to, roster)
        return view(row)


def start(reference: str, *, officer_ref: str, roster: Roster, at: datetime) -> Item:
    """Begins the checking (核查). Raises NotFound, NoRight, Conflict. Beginning again changes nothing."""
    with atomic():
        row = row_of(reference)
        rights.check_holds(row, officer_ref)
        if row.state == State.WORKING:
            return view(row)
        was = _held_now(row)
        row = move(row, Act.START, {"started_at": at, "silent_since": None})
        events.by_officer(row.message, EventKind.STARTED, at, officer_ref, roster, was=was)
        report_of(row.message, Stage.WORKING, at, officer_ref, roster)
        return view(row)


def answer(
    reference: str,
    *,
    officer_ref: str,
    roster: Roster,
    kind: str,
    text: str,
    origin: str,
    at: datetime,
    outcome: str | None = None,
    ground: str | None = None,
    to: str | None = None,
    until: datetime | None = None,
    client_ref: str | None = None,
) -> drafts.Draft:
    """Drafts an answer of the province `origin` to the message's origin: progress, result (with `outcome`),
    returned (with `ground`), redirect (`to` a province), more_time (`until`).

    Who may sign for a waiting alert can return or redirect it at once; that signs for it. Raises NotFound,
    NoRight for anybody but the officer who holds it, Conflict, and Refused where the answer breaks a rule.
    """
    act, _ = ACT_OF[_answer_kind(kind)]
    given = {
        "outcome": outcome,
        "ground": ground,
        "to": to,
        "until": format_time(until) if until else None,
    }
    coded = {name: value for name, value in given.items() if value is not None}
    with atomic():
        row = row_of(reference)
        if row.state == State.WAITING and case_rules.allowed(act, row.state):
            row = sign(row, officer_ref, roster, at)
        rights.check_holds(row, officer_ref)
        by = {"unit": roster.unit_name_of(officer_ref), "officer_ref": officer_ref}
        body = {"kind": kind, "text": text, "by": by, **coded}
        content = _submission(row.message, MessageType.ANSWER, body, client_ref or f"answer-{new_id(at)}")
        return submit(compact_json(content), origin=origin, by=officer_ref, roster=roster, at=at)


def submit(
    data: bytes, *, origin: str, by: str, roster: Roster, at: datetime, files: Sequence[File] = ()
) -> drafts.Draft:
    """Takes a submission, at the desk or from a case system; an answer moves its case either way.

    Raises what `drafts.submit` raises, and Conflict where the case doesn't allow that answer.
    """
    with atomic():
        draft = drafts.submit(data, origin=origin, by=by, now=at, files=files)
        if draft.created and draft.type == MessageType.ANSWER:
            _count(parse_submission(data), draft.message_id, by, roster, at)
    return draft


def ask(
    reference: str,
    *,
    text: str,
    officer_ref: str,
    roster: Roster,
    origin: str,
    at: datetime,
    client_ref: str | None = None,
) -> drafts.Draft:
    """Asks the originator for more (请求补充), as a message of the type reply. Raises like `answer`."""
    with atomic():
        row = row_of(reference)
        rights.check_holds(row, officer_ref)
        if not case_rules.allowed(Act.ASK, row.state):
            raise not_now(Act.ASK, row)
        by = {"unit": roster.unit_name_of(officer_ref), "officer_ref": officer_ref}
        body = {"kind": ReplyKind.QUESTION, "text": text, "by": by}
        content = _submission(row.message, MessageType.REPLY, body, client_ref or f"ask-{new_id(at)}")
        draft = drafts.submit(compact_json(content), origin=origin, by=officer_ref, now=at)
        if draft.created:
            move(row, Act.ASK, {"silent_since": None})
            events.by_officer(
                row.message, EventKind.ASKED, at, officer_ref, roster, message_id=draft.message_id
            )
    return draft


def _answer_kind(kind: str) -> AnswerKind:
    try:
        return AnswerKind(kind)
    except ValueError:
        raise Refused(Code.BODY_SHAPE, "body.kind") from None


def _count(submission: Submission, message_id: str, by: str, roster: Roster, at: datetime) -> None:
    """What an answer that was taken does to the alerts that it answers."""
    act, event = ACT_OF[AnswerKind(submission.body["kind"])]
    coded = {name: value for name, value in submission.body.items() if name not in _SAID}
    for ref in submission.refs:
        row = row_of(ref.id)
        _moved(row, act, at)
        events.by_officer(row.message, event, at, by, roster, **coded, message_id=message_id)


def _moved(row: InboxItem, act: Act, at: datetime) -> None:
    changes: dict[str, Any] = {"silent_since": None, "first_answer_at": row.first_answer_at or at}
    if act is Act.PROGRESS:
        changes["started_at"] = row.started_at or at
    if act is Act.RESULT:
        changes["answered_at"] = at
    move(row, act, changes)


def _held_now(row: InboxItem) -> dict[str, Any]:
    """Who holds it now, as an undo puts it back."""
    return {
        "claimed_by": row.claimed_by,
        "assigned_to": row.assigned_to,
        "started_at": None,
    }


def _submission(message: Message, kind: MessageType, body: dict[str, Any], client_ref: str) -> dict[str, Any]:
    """To the origin of a received message."""
    ref = {"id": message.message_id, "digest": message.digest, "relation": Relation.ANSWERS}
    return {
        "client_ref": client_ref,
        "type": kind,
        "status": message.status,
        "audience": [message.origin],
        "urgency": message.urgency,
        "handling": message.handling,
        "category": message.category,
        "refs": [ref],
        "body": body,
    }
