"""What the originator does with its own alert: close, cancel, supplement or correct it, remind, reply.

1. `case_rules.OWN_FROM` says in which state of the thread each is allowed. Two officers who decide at once
   make one decision: both would send it under the same reference of the submitter's, and the second is told.
2. It goes to every party of the thread that is active; a cancel must (admission, step 12).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NotFound, Words
from tongbao_connectors import drafts, finding, trusting
from tongbao_connectors.case_rules import OWN_FROM, EventKind, OwnAct, ThreadState
from tongbao_connectors.casework import events
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Draft, InboxItem, Message, Outbox
from tongbao_schemas.bodies.codes import ReplyKind
from tongbao_schemas.codes import MessageType, Relation
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.refusals import Code

TURNS: Final = (MessageType.UPDATE, MessageType.CANCEL, MessageType.CLOSURE)
"""The types that change where a thread stands."""


def own_state(alert: Message) -> ThreadState:
    """Where an own alert stands, what is still on its way out included."""
    return own_states([alert])[alert.pk]


def own_states(alerts: Sequence[Message]) -> dict[int, ThreadState]:
    """The same of several, by the message's key; two queries, however many there are."""
    turns = _turns([alert.thread for alert in alerts])
    return {alert.pk: _after(turns[alert.thread]) for alert in alerts}


def _after(turns: Sequence[str]) -> ThreadState:
    state = ThreadState.OPEN
    for kind in turns:
        if kind == MessageType.CANCEL:
            return ThreadState.CANCELLED
        state = ThreadState.CLOSED if kind == MessageType.CLOSURE else ThreadState.OPEN
    return state


def close(
    reference: str, *, text: str, outcome: str, origin: str, officer_ref: str, roster: Roster, at: datetime
) -> drafts.Draft:
    """Closes an own alert (办结) with an outcome of `ClosureOutcome`.

    Raises NotFound for what isn't an own alert, Conflict, and Refused where the body breaks a rule.
    """
    coded = {"outcome": outcome}
    return _decide(OwnAct.CLOSE, reference, text, coded, origin, officer_ref, roster, at)


def cancel(
    reference: str, *, ground: str, text: str, origin: str, officer_ref: str, roster: Roster, at: datetime
) -> drafts.Draft:
    """Cancels an own alert (撤销) on a ground of `CancelGround`. Raises like `close`."""
    coded = {"ground": ground}
    return _decide(OwnAct.CANCEL, reference, text, coded, origin, officer_ref, roster, at)


def supplement(
    reference: str,
    *,
    relation: str,
    text: str,
    origin: str,
    officer_ref: str,
    roster: Roster,
    at: datetime,
    changes: Sequence[dict[str, str]] = (),
    client_ref: str | None = None,
) -> drafts.Draft:
    """Supplements or corrects an own alert; `relation` is `supplements` or `corrects`.

    `changes` are `{part, now, was?}` with parts of `ChangedPart`. A closed alert is open again by it. Raises
    like `close`.
    """
    if relation not in (Relation.SUPPLEMENTS, Relation.CORRECTS):
        raise Refused(Code.SUBMISSION_SHAPE, "refs")
    with atomic():
        alert = _own(reference, OwnAct.SUPPLEMENT)
        body: dict[str, Any] = {"text": text, "by": _by(officer_ref, roster)}
        if changes:
            body["changes"] = list(changes)
        content = _to_all(alert, MessageType.UPDATE, Relation(relation), body)
        content["client_ref"] = client_ref or f"update-{new_id(at)}"
        draft = _submit(content, origin, officer_ref, at)
        if draft.created:
            corrects = relation == Relation.CORRECTS
            kind = EventKind.CORRECTED if corrects else EventKind.SUPPLEMENTED
            events.by_officer(alert, kind, at, officer_ref, roster, message_id=draft.message_id)
    return draft


def remind(
    reference: str,
    *,
    text: str,
    origin: str,
    officer_ref: str,
    roster: Roster,
    at: datetime,
    to: Sequence[str] = (),
    client_ref: str | None = None,
    unit: str = "",
) -> drafts.Draft:
    """Reminds the addressees of an own alert (催办), or only those in `to`.

    `unit` is that of somebody whom the roster doesn't list: a posted officer. Raises like `close`.
    """
    with atomic():
        alert = _own(reference, OwnAct.REMIND)
        unit = events.unit_of(officer_ref, roster, unit)
        body = {"text": text, "by": {"unit": roster.units[unit].name, "officer_ref": officer_ref}}
        content = _to_all(alert, MessageType.REMINDER, Relation.SUPPLEMENTS, body)
        if to:
            content["audience"] = _some(content["audience"], to)
        content["client_ref"] = client_ref or f"reminder-{new_id(at)}"
        draft = _submit(content, origin, officer_ref, at)
        if draft.created:
            facts = {"to": content["audience"], "message_id": draft.message_id}
            events.note(alert, EventKind.REMINDED, at, officer_ref=officer_ref, unit=unit, **facts)
    return draft


def reply(
    reference: str,
    *,
    text: str,
    origin: str,
    officer_ref: str,
    roster: Roster,
    at: datetime,
    client_ref: str | None = None,
) -> drafts.Draft:
    """Replies to a message that was received, by its id: a question (请求补充), an answer, a reminder.

    A question counts as answered then. Raises NotFound, also for an own message, and Refused.
    """
    with atomic():
        asked = finding.message(reference)
        if Outbox.objects.filter(message=asked).exists() or asked.type not in _REPLIED_TO:
            raise NotFound(Words(f"{reference} 不能回复", f"{reference} is nothing to reply to"))
        body = {"kind": ReplyKind.REPLY, "text": text, "by": _by(officer_ref, roster)}
        content = _content(asked, MessageType.REPLY, Relation.ANSWERS, body, [asked.origin])
        content["client_ref"] = client_ref or f"reply-{new_id(at)}"
        draft = _submit(content, origin, officer_ref, at)
        if draft.created:
            waiting = InboxItem.objects.filter(message=asked, state__in=_UNANSWERED)
            waiting.update(state=InboxItem.State.ANSWERED, answered_at=at)
            facts = {"to": asked.message_id, "message_id": draft.message_id}
            alert = _alert_of(asked)
            events.by_officer(alert or asked, EventKind.REPLIED, at, officer_ref, roster, **facts)
    return draft


def note_successor(
    reference: str, *, to: Sequence[str], message_id: str, officer_ref: str, unit: str, at: datetime
) -> None:
    """A line on an own alert, where it was sealed: what it says was issued anew to others, or corrected after
    a rejection.
    """
    own = Message.objects.select_related("outbox").filter(outbox__isnull=False)
    alert = own.filter(message_id=reference).first()
    if alert is not None:
        refused = alert.outbox.state == Outbox.State.REJECTED
        kind = EventKind.SENT_AGAIN if refused else EventKind.REISSUED
        events.note(alert, kind, at, officer_ref=officer_ref, unit=unit, to=list(to), message_id=message_id)


_REPLIED_TO: Final = frozenset(
    {MessageType.ANSWER, MessageType.REPLY, MessageType.REMINDER, MessageType.UPDATE}
)
_UNANSWERED: Final = (InboxItem.State.WAITING, InboxItem.State.READ)


def _own(reference: str, act: OwnAct) -> Message:
    """An own alert of which this may be done now."""
    message = finding.message(reference)
    check(message, act)
    return message


def check(message: Message, act: OwnAct) -> None:
    """That this is an own alert of which this may be done now; raises NotFound, Conflict."""
    sent = Outbox.objects.filter(message=message).first()
    if sent is None or message.type != MessageType.ALERT:
        called = message.number or message.message_id
        raise NotFound(Words(f"{called} 不是本省签发的通报", f"{called} is no alert of this province"))
    if sent.state == Outbox.State.REJECTED:
        raise Conflict(Words("交换中心未予登记", "the exchange rejected it"))
    state = own_state(message)
    if state not in OWN_FROM[act]:
        raise _not_now(act, state)


def _not_now(act: OwnAct, state: ThreadState) -> Conflict:
    return Conflict(
        Words(f"现为“{state.zh}”，不能{act.zh}", f"it is “{state.en}”, which doesn't allow: {act.en}")
    )


def _turns(threads: Sequence[str]) -> dict[str, list[str]]:
    """The types of what this province sent in threads, oldest first; last what isn't sealed yet."""
    kinds = [str(kind) for kind in TURNS]
    sent = Message.objects.filter(thread__in=threads, type__in=kinds, outbox__isnull=False)
    counted = sent.exclude(outbox__state=Outbox.State.REJECTED).order_by("pk").values_list("thread", "type")
    drafted = Draft.objects.filter(thread__in=threads, type__in=kinds, state=Draft.State.DRAFTED)
    turns: dict[str, list[str]] = defaultdict(list)
    for thread, kind in (*counted, *drafted.order_by("pk").values_list("thread", "type")):
        turns[thread].append(kind)
    return turns


_DECISIONS: Final = {
    OwnAct.CLOSE: (MessageType.CLOSURE, Relation.CLOSES, EventKind.CLOSED),
    OwnAct.CANCEL: (MessageType.CANCEL, Relation.RETRACTS, EventKind.CANCELLED),
}
"""What can be decided once: the message that says so, its relation, and the line."""


def _decide(
    act: OwnAct,
    reference: str,
    text: str,
    coded: Mapping[str, str],
    origin: str,
    officer_ref: str,
    roster: Roster,
    at: datetime,
) -> drafts.Draft:
    """Submits a decision; Conflict where somebody else decided at the same moment."""
    kind, relation, event = _DECISIONS[act]
    with atomic():
        alert = _own(reference, act)
        body = {"text": text, "by": _by(officer_ref, roster), **coded}
        content = _to_all(alert, kind, relation, body)
        earlier = Draft.objects.filter(thread=alert.thread, type=str(kind)).count()
        content["client_ref"] = f"{kind}-{alert.thread}-{earlier + 1}"
        try:
            draft = _submit(content, origin, officer_ref, at)
        except Refused as refused:
            if refused.code != Code.CLIENT_REF_CONFLICT:
                raise
            raise _not_now(act, own_state(alert)) from None
        if not draft.created:
            raise _not_now(act, own_state(alert))
        events.by_officer(alert, event, at, officer_ref, roster, **coded, message_id=draft.message_id)
    return draft


def _submit(content: dict[str, Any], origin: str, officer_ref: str, at: datetime) -> drafts.Draft:
    return drafts.submit(compact_json(content), origin=origin, by=officer_ref, now=at)


def _by(officer_ref: str, roster: Roster) -> dict[str, str]:
    return {"unit": roster.unit_name_of(officer_ref), "officer_ref": officer_ref}


def _to_all(alert: Message, kind: MessageType, relation: Relation, body: dict[str, Any]) -> dict[str, Any]:
    return _content(alert, kind, relation, body, _parties(alert))


def _content(
    about: Message, kind: MessageType, relation: Relation, body: dict[str, Any], audience: list[str]
) -> dict[str, Any]:
    return {
        "type": kind,
        "status": about.status,
        "audience": audience,
        "urgency": about.urgency,
        "handling": about.handling,
        "category": about.category,
        "refs": [{"id": about.message_id, "digest": about.digest, "relation": relation}],
        "body": body,
    }


def _parties(alert: Message) -> list[str]:
    """Whoever was ever addressed in the thread and still takes part."""
    sent = Message.objects.filter(thread=alert.thread, outbox__isnull=False)
    told = {
        code
        for message in sent.exclude(outbox__state=Outbox.State.REJECTED)
        for code in message.audience_codes
    }
    directory = trusting.newest()
    active = told & set(directory.active_codes()) if directory else told
    if not active:
        raise Conflict(Words("收件单位均已停用", "no addressee takes part any more"))
    return sorted(active)


def _some(audience: Sequence[str], to: Sequence[str]) -> list[str]:
    chosen = sorted(set(audience) & set(to))
    if len(chosen) != len(set(to)):
        raise NotFound(Words("收件单位不在其中", "not all of these are addressed"))
    return chosen


def _alert_of(message: Message) -> Message | None:
    return Message.objects.filter(message_id=message.thread, type=MessageType.ALERT).first()
