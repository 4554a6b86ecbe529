"""What officers do with a received message: look through the inbox, open, sign for, answer.

1. Only the accountable officer or his substitute signs for an alert, once. An answer isn't signed for: it
   counts as read when one of the two has opened it. Who comes second is told by whom and when.
2. Only the officer who signed for it answers it; a `result` ends his part.
3. A body is opened through `open_body` and nowhere else; who, when and why are written first, in the same
   transaction.
4. Nothing here waits for the broker: stages and answers are rows, and the connector sends them.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NoRight, NotFound, Words
from tongbao_broker.trust.sealing import open_with_cek
from tongbao_connectors import drafts, finding, reports
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import ContentKey, Draft, InboxItem, Message, Opening, Outbox
from tongbao_connectors.store.records import stored_record
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import MessageType, Relation, Stage
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.header import PeopleHeader, parse_header
from tongbao_schemas.identifiers import new_id

OPEN_STATES = (InboxItem.State.WAITING, InboxItem.State.CLAIMED)


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


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A body for the eyes of the officer who asked.

    `openings` counts how often it has been opened, this time included.
    """

    message_id: str
    number: str
    body: dict[str, Any]
    openings: int


def list_inbox(
    officer_ref: str | None = None,
    *,
    roster: Roster | None = None,
    states: Collection[str] = OPEN_STATES,
    limit: int = 100,
) -> list[Item]:
    """The newest items in these states; of one officer only those that are his.

    With a roster that includes the items of officers whose substitute he is.
    """
    rows = InboxItem.objects.select_related("message").filter(state__in=states).order_by("-message")
    if officer_ref is not None:
        rows = rows.filter(officer_ref__in=_stands_in_for(officer_ref, roster))
    return [_view(row) for row in rows[:limit]]


def show(reference: str) -> Item:
    """One message by readable number or id, without its body, as it lies at the desk; raises NotFound.

    An own message has been routed nowhere: its `state` is how far it has got, `officer_ref` who sent it.
    """
    own = Outbox.objects.filter(message=finding.message(reference)).select_related("message").first()
    return _view(_row(reference)) if own is None else _sent(own)


def claim(reference: str, *, officer_ref: str, roster: Roster, at: datetime) -> Item:
    """Signs for a message (签收). Raises NotFound, NoRight, and Conflict where somebody else was first.

    Signing again oneself changes nothing.
    """
    with atomic():
        row = _row(reference)
        if row.message.type == MessageType.ANSWER:
            raise Conflict(
                Words("反馈不用签收", "an answer is not signed for"),
                Words("打开即为已阅。", "Open it; it counts as read then."),
            )
        if not roster.may_claim(officer_ref, row.officer_ref):
            raise NoRight(_not_accountable(row.officer_ref, officer_ref))
        if _sign(row, officer_ref, at):
            by = {"unit": roster.unit_name_of(officer_ref), "officer_ref": officer_ref}
            reports.of_message(row.message, Stage.CLAIMED, at, **by).save()
        row = _row(reference)
    if row.claimed_by != officer_ref:
        raise Conflict(_signed_already(row))
    return _view(row)


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
    client_ref: str | None = None,
) -> drafts.Draft:
    """Drafts an answer (progress, result) of the province `origin` to the message's origin.

    Raises NotFound, NoRight unless `officer_ref` signed for the message, and Refused where the answer
    breaks a rule.
    """
    row = _row(reference)
    if row.claimed_by != officer_ref:
        raise NoRight(*drafts.ONLY_WHO_SIGNED)
    by = {"unit": roster.unit_name_of(officer_ref), "officer_ref": officer_ref}
    body = {"kind": kind, "text": text, "by": by} | ({"outcome": outcome} if outcome else {})
    with atomic():
        draft = drafts.submit(
            compact_json(_submission(row.message, body, client_ref or f"answer-{new_id(at)}")),
            origin=origin,
            by=officer_ref,
            now=at,
        )
        if kind == AnswerKind.RESULT and draft.created:
            InboxItem.objects.filter(pk=row.pk).update(state=InboxItem.State.ANSWERED, answered_at=at)
    return draft


def open_body(reference: str, *, officer_ref: str, why: str, roster: Roster, at: datetime) -> OpenedBody:
    """Opens the body of a message, received or sent, for an officer of this province.

    `why` is kept with his reference and the time. Raises NotFound, also where the body has been purged, and
    NoRight.
    """
    if officer_ref not in roster.officers or not why.strip():
        raise NoRight(
            Words(
                "正文由本省联络员说明理由后打开",
                "a body is opened by an officer of this province who says why",
            )
        )
    message = finding.message(reference)
    with atomic():
        Opening.objects.create(
            message=message,
            officer_ref=officer_ref,
            unit=roster.officer(officer_ref).unit,
            why=why.strip()[:200],
            at=at,
        )
        body = json.loads(_decrypted(message))
        _mark_read(message, officer_ref, roster)
        openings = Opening.objects.filter(message=message).count()
    return OpenedBody(message.message_id, message.number, body, openings)


def _mark_read(message: Message, officer_ref: str, roster: Roster) -> None:
    """An answer that the officer it lies with has opened is read."""
    waiting = InboxItem.objects.filter(message=message, state=InboxItem.State.WAITING).first()
    if message.type == MessageType.ANSWER and waiting and roster.may_claim(officer_ref, waiting.officer_ref):
        InboxItem.objects.filter(pk=waiting.pk).update(state=InboxItem.State.READ)


def _row(reference: str) -> InboxItem:
    row = InboxItem.objects.select_related("message").filter(message=finding.message(reference)).first()
    if row is None:
        raise NotFound(Words(f"{reference} 不在收件箱", f"{reference} is in no officer's inbox"))
    return row


def _sign(row: InboxItem, officer_ref: str, at: datetime) -> bool:
    """Whether this call is the one that signed; the condition decides between two at once."""
    waiting = InboxItem.objects.filter(pk=row.pk, state=InboxItem.State.WAITING)
    return waiting.update(state=InboxItem.State.CLAIMED, claimed_by=officer_ref, claimed_at=at) == 1


def _submission(message: Message, body: dict[str, Any], client_ref: str) -> dict[str, Any]:
    ref = {"id": message.message_id, "digest": message.digest, "relation": Relation.ANSWERS}
    return {
        "client_ref": client_ref,
        "type": MessageType.ANSWER,
        "status": message.status,
        "audience": [message.origin],
        "urgency": message.urgency,
        "handling": message.handling,
        "category": message.category,
        "refs": [ref],
        "body": body,
    }


def _decrypted(message: Message) -> bytes:
    key = ContentKey.objects.filter(message=message).first()
    record = stored_record(message)
    if key is None or record.body is None:
        raise NotFound(
            _body_of(message), Words("正文已销毁，或本来没有。", "It was purged, or there never was one.")
        )
    header = parse_header(record.envelope.payload)
    if not isinstance(header, PeopleHeader):
        raise NotFound(_body_of(message))
    return open_with_cek(header, record.body, bytes(key.cek))


def _stands_in_for(officer_ref: str, roster: Roster | None) -> list[str]:
    officers = roster.officers.values() if roster else ()
    return [officer_ref, *(officer.officer_ref for officer in officers if officer.substitute == officer_ref)]


def _not_accountable(accountable: str, officer_ref: str) -> Words:
    return Words(
        f"责任人是 {accountable}，不是 {officer_ref}",
        f"{accountable} is accountable for this message, not {officer_ref}",
    )


def _signed_already(row: InboxItem) -> Words:
    at = row.claimed_at
    zh = f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" if at else ""
    en = format_time(at) if at else ""
    return Words(f"{row.claimed_by} 已于北京时间 {zh} 签收", f"signed for by {row.claimed_by} at {en}")


def _body_of(message: Message) -> Words:
    name = message.number or message.message_id
    return Words(f"{name} 的正文", f"the body of {name}")


def _sent(outbox: Outbox) -> Item:
    """An own message, as if it lay with the officer who sent it."""
    message = outbox.message
    senders = Draft.objects.filter(message_id=message.message_id).values_list("submitted_by", flat=True)
    sender = senders.first() or ""
    item = InboxItem(message=message, officer_ref=sender, state=outbox.state, steps=[])
    return _view(item)


def _view(row: InboxItem) -> Item:
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
        answered_at=row.answered_at,
    )
