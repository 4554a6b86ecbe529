"""What this province wrote itself, as its `out` topic has it: messages with its own good signature."""

from collections.abc import Iterator
from dataclasses import dataclass

from tongbao_broker.kafka.reader import Batch
from tongbao_broker.trust import dsse
from tongbao_broker.trust.directory import Directory
from tongbao_schemas.envelope import MESSAGE_TYPE
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import ProvinceHeader, parse_header
from tongbao_schemas.record import OutRecord, parse_out


@dataclass(frozen=True, slots=True)
class Own:
    """An own message: `value` is exactly what was written."""

    value: bytes
    record: OutRecord
    header: ProvinceHeader
    digest: str


def own_messages(batch: Batch, directory: Directory, code: str) -> Iterator[Own]:
    """The own messages in a batch; any other bytes are passed over."""
    for record in batch.records:
        own = _own(record.value, directory, code)
        if own is not None:
            yield own


def _own(value: bytes | None, directory: Directory, code: str) -> Own | None:
    """The message if a key of this province signed it, whether that key is still in force or not."""
    try:
        record = parse_out(value or b"")
        key = directory.message_key(dsse.only_signature(record.envelope).keyid)
        dsse.verify_one(record.envelope, MESSAGE_TYPE, bytes.fromhex(key.public))
        header = parse_header(record.envelope.payload)
    except Refused:
        return None
    if not isinstance(header, ProvinceHeader) or not key.owner == header.origin == code:
        return None
    return Own(value or b"", record, header, record.envelope.digest)
