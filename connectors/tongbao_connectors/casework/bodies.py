"""Bodies in plain, for the machine: the fixed extract that lists show, and the search index.

1. Nothing in plain is stored. An officer reads a body through `opening.open_body` only.
2. A list's card shows title, kinds of request and contact rule of an alert.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tongbao_broker.errors import NotFound, Words
from tongbao_broker.trust.sealing import open_with_cek
from tongbao_connectors.store.models import ContentKey, Message, Record
from tongbao_connectors.store.records import stored_record
from tongbao_schemas.bodies.codes import Action, ContactRule
from tongbao_schemas.codes import MessageType
from tongbao_schemas.header import PeopleHeader, parse_header
from tongbao_schemas.record import InRecord, OutRecord, parse_in, parse_out


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of an alert's body; everything is empty once it has been purged."""

    title: str = ""
    requests: tuple[Action, ...] = ()
    contact_rule: ContactRule | None = None


def card(message: Message) -> Card:
    """What a list shows of an alert."""
    return cards([message])[message.pk]


def cards(messages: Iterable[Message]) -> dict[int, Card]:
    """What a list shows of these alerts, by the message's key; two queries, however many there are."""
    rows = list(messages)
    keys = dict(ContentKey.objects.filter(message__in=rows).values_list("message_id", "cek"))
    values = dict(Record.objects.filter(message__in=keys).values_list("message_id", "value"))
    return {row.pk: _card(row, values.get(row.pk), keys.get(row.pk)) for row in rows}


def plain_body(message: Message) -> dict[str, Any]:
    """The body of a message; raises NotFound where it has been purged, or there never was one."""
    key = ContentKey.objects.filter(message=message).first()
    record = stored_record(message)
    if key is None or record.body is None:
        raise NotFound(
            _body_of(message), Words("正文已销毁，或本来没有。", "It was purged, or there never was one.")
        )
    body: dict[str, Any] = json.loads(_plain(record, bytes(key.cek)))
    return body


def of_row(message: Message, value: bytes | memoryview, cek: bytes | memoryview) -> dict[str, Any]:
    """The body of a message whose record and content key have been read already."""
    parse = parse_in if message.delivery_seq is not None else parse_out
    body: dict[str, Any] = json.loads(_plain(parse(bytes(value)), bytes(cek)))
    return body


def _plain(record: InRecord | OutRecord, cek: bytes) -> bytes:
    header = parse_header(record.envelope.payload)
    if not isinstance(header, PeopleHeader) or record.body is None:
        raise NotFound(Words("这份报文没有正文", "this message has no body"))
    return open_with_cek(header, record.body, cek)


def _body_of(message: Message) -> Words:
    name = message.number or message.message_id
    return Words(f"{name} 的正文", f"the body of {name}")


def _card(message: Message, value: bytes | memoryview | None, cek: bytes | memoryview | None) -> Card:
    if value is None or cek is None or message.type != MessageType.ALERT:
        return Card()
    body = of_row(message, value, cek)
    requests: Sequence[str] = body["request"]["actions"]
    return Card(body["title"], tuple(Action(each) for each in requests), ContactRule(body["contact_rule"]))
