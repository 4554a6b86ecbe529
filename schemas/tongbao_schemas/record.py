"""Record values on the `out` and `in` topics, and the CloudEvents headers written beside them.

Step 1 of admission: size, UTF-8, outer JSON, record shape. The value is parsed once; the envelope keeps the
exact payload bytes.
"""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from tongbao_schemas.encoding import b64, b64decode, compact_json, format_time
from tongbao_schemas.envelope import Envelope
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import explain
from tongbao_schemas.gate import parse_object
from tongbao_schemas.header import Header
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import Stamp

OUT_LIMIT: Final = 524_288
"""The most bytes a value on `out` may have."""
IN_LIMIT: Final = 1_048_576
"""The most bytes a value on `in` may have."""


@dataclass(frozen=True)
class OutRecord:
    """What a province writes: a message and, outside the signature, its body's ciphertext."""

    envelope: Envelope
    body: bytes | None = None


@dataclass(frozen=True)
class InRecord:
    """What the exchange delivers; heads have no stamp."""

    envelope: Envelope
    body: bytes | None = None
    stamp: Stamp | None = None

    @property
    def out(self) -> OutRecord:
        """The record as its origin wrote it."""
        return OutRecord(self.envelope, self.body)


def parse_out(value: bytes) -> OutRecord:
    """The record in a value of an `out` topic (at most 512 KiB)."""
    fields = _fields(value, OUT_LIMIT, {"message", "body"})
    return OutRecord(Envelope.parse(fields["message"]), _body(fields))


def parse_in(value: bytes) -> InRecord:
    """The record in a value of an `in` topic (at most 1 MiB)."""
    fields = _fields(value, IN_LIMIT, {"message", "body", "stamp"})
    return InRecord(Envelope.parse(fields["message"]), _body(fields), _stamp(fields))


def encode_out(record: OutRecord) -> bytes:
    """The value to write to `out`."""
    return _encoded(record.envelope, record.body, None)


def encode_in(record: InRecord) -> bytes:
    """The value to write to `in`."""
    stamp = compact_json(record.stamp.model_dump(mode="json")) if record.stamp else None
    return _encoded(record.envelope, record.body, stamp)


def encode_stamped(record: OutRecord, stamp: bytes) -> bytes:
    """The value to write to `in`, under a stamp that is JSON text already."""
    return _encoded(record.envelope, record.body, stamp)


def ce_headers(header: Header) -> list[tuple[str, bytes]]:
    """The CloudEvents 1.0 Kafka headers of a message, for ordinary tools; nothing of ours reads them."""
    texts = {
        "ce_specversion": "1.0",
        "ce_id": header.id,
        "ce_source": f"/tongbao/{header.origin}",
        "ce_type": f"tongbao.{header.type.value}.v1",
        "ce_time": format_time(header.issued_at),
        "ce_correlationid": header.thread,
        "ce_dataclassification": getattr(header, "handling", ""),
        "content-type": "application/json",
    }
    return [(name, text.encode("ascii")) for name, text in texts.items() if text]


def _fields(value: bytes, limit: int, allowed: set[str]) -> dict[str, Any]:
    fields = parse_object(value, limit=limit)
    if "message" not in fields or not fields.keys() <= allowed:
        raise Refused(Code.RECORD_SHAPE)
    return fields


def _body(fields: dict[str, Any]) -> bytes | None:
    body = fields.get("body")
    if body is None:
        return None
    if not isinstance(body, str):
        raise Refused(Code.RECORD_SHAPE, "body")
    return b64decode(body, "body")


def _stamp(fields: dict[str, Any]) -> Stamp | None:
    stamp = fields.get("stamp")
    if stamp is None:
        return None
    try:
        return Stamp.model_validate(stamp)
    except ValidationError as error:
        where = explain(error)
    raise Refused(Code.STAMP_SHAPE, where)


def _encoded(envelope: Envelope, body: bytes | None, stamp: bytes | None) -> bytes:
    """The JSON text that `compact_json` would write, without a copy of the body more than it needs."""
    fields = [b'"message":' + envelope.encode()]
    if body is not None:
        fields.insert(0, b'"body":"%b"' % b64(body))
    if stamp is not None:
        fields.append(b'"stamp":' + stamp)
    return b"{%b}" % b",".join(fields)
