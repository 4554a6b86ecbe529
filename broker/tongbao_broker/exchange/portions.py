"""What has been read, as arrivals, cut into portions that one transaction can carry. Pure."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tongbao_broker.exchange.admission import Reject
from tongbao_broker.exchange.dispatch import Arrival
from tongbao_broker.trust.verify import Verified
from tongbao_schemas.header import ReceiptHeader

if TYPE_CHECKING:
    from tongbao_broker.kafka.reader import Batch

__all__ = ["Judged", "arrivals", "portions"]

PORTION_BYTES = 16 * 1024 * 1024
"""About how many bytes of rows one transaction may write."""
RECORD_BYTES = 4096
"""What a record costs besides its value: its rows, its notice, its stamp."""
ITEM_BYTES = 512
"""What a receipt's item costs: one message to look up."""

Judged = tuple[Arrival, Verified | Reject]


def arrivals(batch: "Batch") -> Iterator[Arrival]:
    """The records of a batch; the last one moves the stream to the batch's end."""
    owner = batch.topic.split(".")[1]
    for place, record in enumerate(batch.records, start=1):
        yield Arrival(
            owner=owner,
            topic=batch.topic,
            topic_id=batch.topic_id,
            cluster_id=batch.cluster_id,
            offset=record.offset,
            next=batch.next if place == len(batch.records) else record.offset + 1,
            value=record.value,
            error=record.error,
        )


def portions(judged: Sequence[Judged]) -> Iterator[list[Judged]]:
    """The records in their order, so many at a time that their deliveries stay below the limit; at least
    one.
    """
    portion: list[Judged] = []
    weight = 0
    for one in judged:
        heavier = weight + _weight(one)
        if portion and heavier > PORTION_BYTES:
            yield portion
            portion, heavier = [], _weight(one)
        portion.append(one)
        weight = heavier
    if portion:
        yield portion


def _weight(judged: Judged) -> int:
    arrival, result = judged
    size = len(arrival.value or b"")
    if isinstance(result, Reject):
        return RECORD_BYTES
    header = result.header
    items = len(header.content.items) if isinstance(header, ReceiptHeader) else 0
    return RECORD_BYTES + items * ITEM_BYTES + (size + RECORD_BYTES) * len(header.audience)
