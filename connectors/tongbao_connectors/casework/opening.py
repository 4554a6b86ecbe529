"""Opening bodies: the one way to read one, and the fixed extract that lists show.

1. A body is opened through `open_body` and nowhere else; who, when and why are written first, in the same
   transaction. Every opening of a received message is reported to its originator, who sees how often and by
   which unit his alert was opened.
2. An answer or another follow-up isn't signed for: it counts as read when the officer it lies with opens it.
3. A list's card shows title, kinds of request and contact rule of an alert. They are decrypted for the page
   and stored nowhere.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tongbao_broker.database import atomic
from tongbao_broker.errors import NoRight, NotFound, Words
from tongbao_broker.trust.sealing import open_with_cek
from tongbao_connectors import finding, reports
from tongbao_connectors.case_rules import EventKind, State
from tongbao_connectors.casework import events
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import ContentKey, InboxItem, Message, Opening, Record
from tongbao_connectors.store.records import stored_record
from tongbao_schemas.bodies.codes import Action, ContactRule
from tongbao_schemas.codes import MessageType, Stage
from tongbao_schemas.header import PeopleHeader, parse_header
from tongbao_schemas.record import InRecord, OutRecord, parse_in, parse_out


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A body for the eyes of the officer who asked.

    `openings` counts how often it has been opened, this time included.
    """

    message_id: str
    number: str
    body: dict[str, Any]
    openings: int


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of an alert's body; everything is empty once it has been purged."""

    title: str = ""
    requests: tuple[Action, ...] = ()
    contact_rule: ContactRule | None = None


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
        _report(message, officer_ref, roster, at)
        openings = Opening.objects.filter(message=message).count()
    return OpenedBody(message.message_id, message.number, body, openings)


def card(message: Message) -> Card:
    """What a list shows of an alert."""
    return cards([message])[message.pk]


def cards(messages: Iterable[Message]) -> dict[int, Card]:
    """What a list shows of these alerts, by the message's key; two queries, however many there are."""
    rows = list(messages)
    keys = dict(ContentKey.objects.filter(message__in=rows).values_list("message_id", "cek"))
    values = dict(Record.objects.filter(message__in=keys).values_list("message_id", "value"))
    return {row.pk: _card(row, values.get(row.pk), keys.get(row.pk)) for row in rows}


def _report(message: Message, officer_ref: str, roster: Roster, at: datetime) -> None:
    """The originator is told, and what isn't signed for is read once the officer it lies with opened it."""
    if message.delivery_seq is None:
        return
    by = {"unit": roster.unit_name_of(officer_ref), "officer_ref": officer_ref}
    reports.of_message(message, Stage.READ, at, **by).save()
    if message.type == MessageType.ALERT:
        return
    waiting = InboxItem.objects.filter(message=message, state=State.WAITING.value).first()
    if waiting and roster.may_claim(officer_ref, waiting.officer_ref):
        InboxItem.objects.filter(pk=waiting.pk, state=State.WAITING.value).update(state=State.READ.value)
        events.by_officer(message, EventKind.READ, at, officer_ref, roster)


def _card(message: Message, value: bytes | memoryview | None, cek: bytes | memoryview | None) -> Card:
    if value is None or cek is None or message.type != MessageType.ALERT:
        return Card()
    parse = parse_in if message.delivery_seq is not None else parse_out
    body = json.loads(_plain(parse(bytes(value)), bytes(cek)))
    requests: Sequence[str] = body["request"]["actions"]
    return Card(body["title"], tuple(Action(each) for each in requests), ContactRule(body["contact_rule"]))


def _decrypted(message: Message) -> bytes:
    key = ContentKey.objects.filter(message=message).first()
    record = stored_record(message)
    if key is None or record.body is None:
        raise NotFound(
            _body_of(message), Words("正文已销毁，或本来没有。", "It was purged, or there never was one.")
        )
    return _plain(record, bytes(key.cek))


def _plain(record: InRecord | OutRecord, cek: bytes) -> bytes:
    header = parse_header(record.envelope.payload)
    if not isinstance(header, PeopleHeader) or record.body is None:
        raise NotFound(Words("这份报文没有正文", "this message has no body"))
    return open_with_cek(header, record.body, cek)


def _body_of(message: Message) -> Words:
    name = message.number or message.message_id
    return Words(f"{name} 的正文", f"the body of {name}")
