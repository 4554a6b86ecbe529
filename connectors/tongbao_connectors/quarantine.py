"""Records that were refused, by topic, partition, offset and hash.

1. A record is noted once, with the code and the field's path, never with a value out of it.
2. The bytes are kept only of a record whose signature was good: those are a participant's fault, or ours,
   and may be tried again. Anything else is somebody's bytes without a name to them.
"""

from dataclasses import dataclass
from datetime import datetime

from tongbao_broker.errors import NotFound
from tongbao_connectors.store.models import Quarantine


@dataclass(frozen=True, slots=True)
class Entry:
    """A refused record. `origin` and `message_id` are None where no good signature vouches for them."""

    id: int
    topic: str
    partition: int
    offset: int
    sha256: str
    size: int
    code: str
    where: str
    origin: str | None
    message_id: str | None
    noted_at: datetime
    kept: bool
    replayed_at: datetime | None


def entries(limit: int = 100) -> list[Entry]:
    """The newest entries."""
    return [_view(row) for row in Quarantine.objects.order_by("-pk")[:limit]]


def show(entry_id: int) -> Entry:
    """One entry; raises NotFound."""
    row = Quarantine.objects.filter(pk=entry_id).first()
    if row is None:
        raise NotFound(str(entry_id))
    return _view(row)


def _view(row: Quarantine) -> Entry:
    return Entry(
        id=row.pk,
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        sha256=row.sha256,
        size=row.size,
        code=row.code,
        where=row.where,
        origin=row.origin or None,
        message_id=row.message_id or None,
        noted_at=row.noted_at,
        kept=row.value is not None,
        replayed_at=row.replayed_at,
    )
