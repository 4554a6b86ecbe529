"""What the exchange knows of a message: its entry in the log, its deliveries, and what came back about it.

The exchange reads signed headers only, so nothing of a body can appear here. A readable number is looked up
in the headers, since the exchange has no use for it elsewhere.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tongbao_connectors.cli.frame import Call
from tongbao_connectors.language import Language

if TYPE_CHECKING:
    from tongbao_broker.exchange.models import Message


@dataclass(frozen=True)
class Line:
    """One entry of the log that has to do with the message; `detail`: deliveries, or a receipt's stages."""

    index: int
    at: datetime
    type: str
    origin: str
    audience: str
    code: str
    detail: str


def show(call: Call, reference: str) -> None:
    """Prints the exchange's view of a message by readable number or id. Raises NotFound."""
    from tongbao_broker import database
    from tongbao_broker.exchange.settings import ExchangeSettings
    from tongbao_schemas.codes import EXCHANGE

    settings = ExchangeSettings.load(call.exchange())
    settings.open_database(EXCHANGE)
    with database.use(EXCHANGE):
        from tongbao_broker.exchange.models import TrailState

        message = _find(reference)
        header = json.loads(bytes(message.payload))
        lines = [_line(message), *_answers(message), *_receipts(message)]
        published = _is_published(message, settings.network)
        state = TrailState.objects.get()
        _put(call, header, message, sorted(lines, key=lambda line: line.index), published, state.size)


def _find(reference: str) -> "Message":
    from tongbao_broker.errors import NotFound
    from tongbao_broker.exchange.models import Message

    found = Message.objects.filter(message_id=reference).first() or next(_numbered(reference), None)
    if found is None:
        raise NotFound(reference)
    return found


def _numbered(number: str) -> "Iterator[Message]":
    """Alerts with this readable number, the newest first."""
    from tongbao_broker.exchange.models import Message
    from tongbao_schemas.errors import Refused
    from tongbao_schemas.number import check_number

    try:
        origin = check_number(number)
    except Refused:
        return
    for message in Message.objects.filter(origin=origin, type="alert").order_by("-index").iterator():
        if json.loads(bytes(message.payload)).get("number") == number:
            yield message


def _line(message: "Message", detail: str = "") -> Line:
    from tongbao_broker.exchange.models import Delivery

    deliveries = Delivery.objects.filter(index=message.index).order_by("addressee")
    sent = " ".join(f"{each.addressee}#{each.delivery_seq}" for each in deliveries)
    return Line(
        index=message.index,
        at=message.admitted_at,
        type=message.type,
        origin=message.origin,
        audience=message.audience,
        code=message.code,
        detail=detail or sent,
    )


def _answers(message: "Message") -> Iterator[Line]:
    from tongbao_broker.exchange.models import Message

    others = Message.objects.filter(thread=message.thread).exclude(index=message.index)
    yield from (_line(each) for each in others)


def _receipts(message: "Message") -> Iterator[Line]:
    """Receipts of the addressees that name the message, each with the stages it reports."""
    from tongbao_broker.exchange.models import Message

    addressees = json.loads(bytes(message.payload))["audience"]
    receipts = Message.objects.filter(type="receipt", origin__in=addressees, index__gt=message.index)
    for receipt in receipts.iterator():
        items = json.loads(bytes(receipt.payload))["content"]["items"]
        stages = [item["stage"] for item in items if item.get("of") == message.message_id]
        if stages:
            yield _line(receipt, " ".join(stages))


def _is_published(message: "Message", network: str) -> bool:
    """Whether the log, as published for everybody, holds exactly this message's leaf at its index."""
    from tongbao_broker.exchange.models import LeafRecord
    from tongbao_broker.trust.merkle import leaf_hash
    from tongbao_schemas.stamp import LeafKind, leaf_bytes

    record = LeafRecord.objects.filter(first__lte=message.index, end__gt=message.index).first()
    if record is None:
        return False
    kind = LeafKind.REJECTED if message.code else LeafKind.ADMITTED
    leaf = leaf_bytes(
        network,
        kind,
        message.index,
        message.digest,
        message.admitted_at,
        message.directory,
        message.code or None,
    )
    hashes: list[str] = json.loads(bytes(record.value))["hashes"]
    return hashes[message.index - record.first] == leaf_hash(leaf).hex()


def _put(
    call: Call, header: dict[str, Any], message: "Message", lines: list[Line], published: bool, size: int
) -> None:
    from tongbao_schemas.encoding import format_time

    data = {
        "number": header.get("number"),
        "message_id": message.message_id,
        "thread": message.thread,
        "origin": message.origin,
        "type": message.type,
        "status": message.status,
        "audience": header["audience"],
        "digest": message.digest,
        "code": message.code or None,
        "entries": [{**asdict(line), "at": format_time(line.at)} for line in lines],
        "proof": {"index": message.index, "size": size, "published": published},
    }
    call.put(data, lambda: _print(call, data, lines, published, size))


def _print(call: Call, data: dict[str, Any], lines: list[Line], published: bool, size: int) -> None:
    from tongbao_connectors.cli.printing import beijing, facts, table
    from tongbao_connectors.words import kind, place, status

    lang = call.lang
    facts(
        [
            (call.words("编号", "number"), data["number"]),
            (call.words("消息", "message"), data["message_id"]),
            (call.words("类型", "type"), kind(data["type"], lang)),
            (call.words("性质", "status"), status(data["status"], lang)),
            (call.words("来自", "from"), place(data["origin"], lang)),
            (call.words("发往", "to"), " ".join(place(code, lang) for code in data["audience"])),
            (call.words("摘要", "digest"), data["digest"]),
        ]
    )
    headings = [call.words("账本序号", "leaf"), call.words("登记（北京）", "entered (Beijing)")]
    headings += [call.words("类型", "type"), call.words("来自", "from"), call.words("代码", "code")]
    headings += [call.words("投递或环节", "deliveries or stages")]
    table(
        headings,
        [
            [
                line.index,
                beijing(line.at, exactly=True),
                kind(line.type, lang),
                place(line.origin, lang),
                line.code,
                _in_words(line, lang),
            ]
            for line in lines
        ],
    )
    index = data["proof"]["index"]
    if published:
        call.say(
            f"账本共 {size} 条；第 {index} 条与公开发布的一致。",
            f"The log has {size} leaves; leaf {index} is as published.",
        )
    else:
        call.say(f"第 {index} 条尚未公开发布。", f"Leaf {index} has not been published yet.")


def _in_words(line: Line, lang: Language) -> str:
    """Deliveries by the addressee's name, stages in words."""
    from tongbao_connectors.words import place, stage

    said = [each.partition("#") for each in line.detail.split()]
    return "  ".join(
        f"{place(name, lang)} {mark}{number}" if mark else stage(name, lang) for name, mark, number in said
    )
