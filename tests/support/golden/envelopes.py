"""Records and envelopes."""

import json
from collections.abc import Callable
from typing import Any

from tests.support.golden.case import Family
from tests.support.golden.maker import Maker
from tests.support.golden.network import GD, GZ
from tests.support.world import Json
from tongbao_broker.trust import dsse
from tongbao_schemas.encoding import b64encode, compact_json
from tongbao_schemas.envelope import DIRECTORY_TYPE, MESSAGE_TYPE
from tongbao_schemas.record import OUT_LIMIT, OutRecord


def family() -> Family:
    make = Maker("envelopes")
    alert = make.alert("the alert")
    before = (make.earlier("the alert", alert),)
    key = make.world.keys[GD].message

    def receipt(name: str) -> OutRecord:
        return make.message(name, "receipt", GD, [GZ], about=alert)

    def case(name: str, says: str, value: Any, expected: str) -> None:
        make.admission(name, says, value, expected, by=GD, before=before)

    def edited(name: str, change: Callable[[Json], Any]) -> bytes:
        record: Json = json.loads(make.world.record_bytes(receipt(name)))
        change(record)
        return compact_json(record)

    def enveloped(name: str, change: Callable[[Json], Any]) -> bytes:
        return edited(name, lambda record: change(record["message"]))

    def signature(name: str, change: Callable[[str], str]) -> bytes:
        def bend(message: Json) -> None:
            message["signatures"][0]["sig"] = change(message["signatures"][0]["sig"])

        return enveloped(name, bend)

    def payload(name: str, change: Callable[[str], str]) -> bytes:
        return enveloped(name, lambda message: message.update(payload=change(message["payload"])))

    def padded(name: str, size: int) -> list[tuple[bytes, int]]:
        value = make.world.record_bytes(receipt(name))
        return [(value, 1), (b" ", size - len(value))]

    case("good-receipt", "A receipt of 440000 for an alert that 520000 sent it.", receipt("good"), "admit")
    spaced = json.dumps(json.loads(make.world.record_bytes(receipt("spaced"))), indent=2)
    case(
        "spaced-record",
        "The record's own JSON may have spaces and line breaks: only the payload's bytes are signed.",
        spaced.encode(),
        "admit",
    )
    case(
        "largest-record",
        "A record of exactly 524,288 bytes, most of them spaces after the object.",
        padded("largest", OUT_LIMIT),
        "admit",
    )
    case("oversize-record", "One byte more than 524,288.", padded("oversize", OUT_LIMIT + 1), "TB-101")
    case("empty-value", "A value without any bytes.", b"", "TB-103")
    case("list", "The record is a JSON list.", b"[]", "TB-103")
    case("cut-off", "The record ends in the middle.", make.world.record_bytes(receipt("cut"))[:-9], "TB-103")
    case("two-objects", "A second object follows the first.", edited("two", lambda _: None) + b"{}", "TB-103")
    case("byte-order-mark", "A byte order mark stands before the object.", b"\xef\xbb\xbf{}", "TB-103")
    case("not-utf-8", "A byte that UTF-8 never has.", b'{"message":"\xff"}', "TB-102")
    case("overlong-utf-8", "A slash in two bytes instead of one.", b'{"message":"\xc0\xaf"}', "TB-102")
    case(
        "encoded-surrogate",
        "A surrogate encoded as if it were a character.",
        b'{"a":"\xed\xa0\x80"}',
        "TB-102",
    )
    case("record-key-twice", "The record has `message` twice.", b'{"message":{},"message":{}}', "TB-104")
    case(
        "record-depth-100000",
        "A list in a list, 100,000 deep: refused before any recursion ends the reader.",
        [(b'{"message":', 1), (b"[", 100_000), (b"]", 100_000), (b"}", 1)],
        "TB-106",
    )
    case("no-message", "The record has no `message`.", b"{}", "TB-109")
    case(
        "unknown-field",
        "The record has a field that records don't have.",
        edited("unknown", _extra),
        "TB-109",
    )
    case(
        "stamp-on-out",
        "A province writes a stamp; only the exchange stamps.",
        edited("stamp", lambda record: record.update(stamp={})),
        "TB-109",
    )
    case("null-body", "A body that isn't there is left out, not null.", edited("null", _null_body), "TB-114")
    case(
        "body-beside-receipt",
        "A receipt has no sealed body, so none may lie beside it.",
        edited("body", lambda record: record.update(body=b64encode(bytes(4112)))),
        "TB-232",
    )
    case("unknown-envelope-field", "The envelope has a further field.", enveloped("extra", _extra), "TB-111")
    case(
        "no-payload-type",
        "The envelope lacks `payloadType`.",
        enveloped("untyped", lambda message: message.pop("payloadType")),
        "TB-111",
    )
    case(
        "wrong-payload-type",
        "A directory's payload type on a message, and signed so.",
        OutRecord(dsse.sign(receipt("type").envelope.payload, DIRECTORY_TYPE, [key])),
        "TB-113",
    )
    case(
        "payload-type-in-capitals",
        "Payload types are compared byte for byte.",
        OutRecord(dsse.sign(receipt("capitals").envelope.payload, MESSAGE_TYPE.upper(), [key])),
        "TB-113",
    )
    case(
        "two-signatures",
        "Two good signatures; a message carries exactly one.",
        OutRecord(
            dsse.sign(receipt("two").envelope.payload, MESSAGE_TYPE, [key, make.world.keys[GZ].message])
        ),
        "TB-112",
    )
    case(
        "no-signature",
        "The list of signatures is empty.",
        enveloped("unsigned", lambda message: message.update(signatures=[])),
        "TB-112",
    )
    case(
        "trailing-bits",
        "The signature's last base64 character has bits set that mean nothing.",
        signature("bits", lambda sig: f"{sig[:-3]}{chr(ord(sig[-3]) + 1)}=="),
        "TB-110",
    )
    case(
        "url-safe-alphabet",
        "`-` and `_` instead of `+` and `/`.",
        signature("url", lambda sig: sig.replace("+", "-").replace("/", "_")),
        "TB-110",
    )
    case(
        "line-break",
        "Base64 broken into lines of 76.",
        payload("lines", lambda text: "\n".join(text[at : at + 76] for at in range(0, len(text), 76))),
        "TB-110",
    )
    case("no-padding", "The signature's `==` is missing.", signature("bare", lambda sig: sig[:-2]), "TB-110")
    case("space", "A space in the payload's base64.", payload("space", lambda text: f"{text} "), "TB-110")
    return Family(
        make.family, "How a record and its DSSE envelope may be written (steps 1 and 2).", make.cases
    )


def _extra(value: Json) -> None:
    value["note"] = "演练"


def _null_body(record: Json) -> None:
    record["body"] = None
