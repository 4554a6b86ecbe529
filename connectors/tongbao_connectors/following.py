"""The exchange's two public topics: read outside a transaction, stored with the cursor's step.

1. `exchange.directory.v1`: a newer directory that verifies comes into force after the commit. One that
   doesn't is an incident and is passed by.
2. `exchange.leaves.v1`: batches of the log go into this province's copy. A checkpoint under a key that
   isn't in the directory (yet) is waited for; after `PATIENCE` it is an incident and passed by.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tongbao_broker.kafka.reader import Batch, Record
from tongbao_broker.streams import cursor
from tongbao_connectors import incidents, ledger, refusing
from tongbao_connectors.acceptance import Reject
from tongbao_connectors.refusing import RefusedRecord
from tongbao_connectors.trusting import Offered, Trusting
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

PATIENCE = timedelta(seconds=60)


@dataclass(slots=True)
class Followed:
    """What a batch of a public topic holds; `next` is where the cursor goes, `held` why no further."""

    batch: Batch
    at: datetime
    next: int
    directories: list[Offered] = field(default_factory=list)
    leaves: list[ledger.Published] = field(default_factory=list)
    unfit: list[RefusedRecord] = field(default_factory=list)
    held: str = ""


def read_directories(batch: Batch, trusting: Trusting, now: datetime) -> Followed:
    """The newer directories in a batch."""
    followed = Followed(batch, now, batch.next)
    for record in batch.records:
        try:
            offered = trusting.read(_value(record), now)
        except Refused as refused:
            followed.unfit.append(RefusedRecord(record, Reject(refused.code)))
            continue
        if offered is not None:
            followed.directories.append(offered)
    return followed


def read_leaves(batch: Batch, trusting: Trusting, now: datetime, waiting_since: datetime) -> Followed:
    """The batches of the log in a batch; `waiting_since` is when the stream last went on."""
    followed = Followed(batch, now, batch.next)
    for record in batch.records:
        try:
            published = ledger.read_published(
                _value(record), network=trusting.network, directory=trusting.directory
            )
        except Refused as refused:
            if refused.code == Code.CHECKPOINT_SIGNATURE and now < waiting_since + PATIENCE:
                followed.held, followed.next = (
                    "a checkpoint key of the log isn't in the directory",
                    record.offset,
                )
                break
            followed.unfit.append(RefusedRecord(record, Reject(refused.code)))
            continue
        followed.leaves.append(published)
    return followed


def store(followed: Followed, trusting: Trusting) -> None:
    """Stores what was read, inside the caller's transaction; raises Fenced."""
    batch, at = followed.batch, followed.at
    cursor.advance(batch.topic, batch.start, followed.next, batch.cluster_id, batch.topic_id)
    incidents.note_lost(batch, at)
    for offered in followed.directories:
        trusting.store(offered, at)
    for published in followed.leaves:
        ledger.append(published, at)
    if followed.leaves:
        ledger.remember_seen([published.checkpoint for published in followed.leaves])
        ledger.compare_kept(at)
    refusing.quarantine(followed.unfit, batch, at)
    for unfit in followed.unfit:
        _alarm(unfit, batch, at)


def _value(record: Record) -> bytes:
    if record.value is None:
        raise Refused(Code.RECORD_UNREADABLE)
    return record.value


def _alarm(unfit: RefusedRecord, batch: Batch, at: datetime) -> None:
    subject = f"{batch.topic_id}:{unfit.record.offset}"
    code, offset = str(unfit.reject.code), unfit.record.offset
    incidents.note("exchange_record", subject, at, topic=batch.topic, offset=offset, code=code)
