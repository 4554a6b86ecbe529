"""What becomes of a refused record: a quarantine entry, a word to its origin, perhaps an alarm.

1. The bytes are kept only if the signature was good.
2. The origin is told by a `refused` report if the signature was good, the entry was proved, and the record
   is something that people send: nothing is ever sent in reply to receipts, notices and heads.
3. A stamp that doesn't hold, and two contents under one id, are incidents.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from tongbao_broker import logs
from tongbao_broker.kafka.reader import Batch, Record
from tongbao_broker.kafka.topics import PARTITION
from tongbao_connectors import incidents, reports
from tongbao_connectors.acceptance import Reject
from tongbao_connectors.store.models import Quarantine, StageReport
from tongbao_schemas.refusals import Code

STAMP_FAULTS = frozenset(
    {
        Code.STAMP_SHAPE,
        Code.CHECKPOINT_FORM,
        Code.CHECKPOINT_SIGNATURE,
        Code.CHECKPOINT_NETWORK,
        Code.PROOF_WRONG,
        Code.STAMP_OF_ANOTHER_MESSAGE,
    }
)
"""Refusals that only the exchange, or somebody in its place, can be the cause of."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record, and why it isn't taken."""

    record: Record
    reject: Reject


def put(refused: Sequence[RefusedRecord], batch: Batch, at: datetime) -> None:
    """Stores what refused records bring about, inside the caller's transaction."""
    if not refused:
        return
    quarantine(refused, batch, at)
    StageReport.objects.bulk_create([report for one in refused for report in _report(one.reject, at)])
    for one in refused:
        _alarm(one, batch, at)


def put_again(entry: Quarantine, reject: Reject, at: datetime) -> None:
    """Notes in an entry why it is still refused, inside the caller's transaction.

    Its origin is told only if he wasn't: that our own code stumbled was nobody's business.
    """
    if entry.code == Code.RECORD_UNREADABLE and reject.code != Code.RECORD_UNREADABLE:
        StageReport.objects.bulk_create(_report(reject, at))
    entry.code, entry.where = reject.code, reject.where[:120]
    entry.save(update_fields=["code", "where"])


def quarantine(refused: Sequence[RefusedRecord], batch: Batch, at: datetime) -> None:
    """Notes records in the quarantine; one that is noted already stays as it is."""
    rows = [_row(one, batch, at) for one in refused]
    Quarantine.objects.bulk_create(rows, ignore_conflicts=True)


def _row(refused: RefusedRecord, batch: Batch, at: datetime) -> Quarantine:
    value, signed = refused.record.value, refused.reject.vouched
    return Quarantine(
        topic=batch.topic,
        topic_id=batch.topic_id,
        partition=PARTITION,
        offset=refused.record.offset,
        sha256=sha256(value or b"").hexdigest(),
        size=len(value or b""),
        code=refused.reject.code,
        where=refused.reject.where[:120],
        origin=signed.origin if signed else "",
        message_id=signed.message_id if signed else "",
        digest=signed.digest if signed else "",
        noted_at=at,
        value=value if signed else None,
    )


def _report(reject: Reject, at: datetime) -> Iterator[StageReport]:
    if reject.vouched is not None and reject.vouched.answerable and reject.stamp is not None:
        yield reports.of_refusal(reject.vouched, reject.code, at)


def _alarm(refused: RefusedRecord, batch: Batch, at: datetime) -> None:
    code, offset = refused.reject.code, refused.record.offset
    log.warning(
        "record refused", code=str(code), where=refused.reject.where, topic=batch.topic, offset=offset
    )
    if code in STAMP_FAULTS:
        subject = f"{batch.topic_id}:{offset}"
        incidents.note("stamp", subject, at, code=str(code), topic=batch.topic, offset=offset)
    signed = refused.reject.vouched
    if code == Code.EQUIVOCATION and signed is not None:
        subject = f"{signed.origin}:{signed.message_id}:{signed.digest}"
        incidents.note("equivocation", subject, at, origin=signed.origin, id=signed.message_id)
