"""Incidents: what a supervisor must look at, noted once and logged.

What each kind means, and what to do, stands in docs/operations.md.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tongbao_broker import logs
from tongbao_connectors.store.models import Incident

if TYPE_CHECKING:
    from tongbao_broker.kafka.reader import Batch

Kind = Literal[
    "equivocation",
    "exchange_record",
    "gap",
    "held",
    "leaves_changed",
    "leaves_mismatch",
    "leaves_missing",
    "no_effect",
    "records_lost",
    "rejected",
    "seen_ahead",
    "split_view",
    "stamp",
    "topic_replaced",
]

log = logs.get(__name__)


def note(kind: Kind, subject: str, at: datetime, **facts: str | int) -> bool:
    """Notes an incident with facts that hold no case content.

    The same one met again adds nothing. Always False.
    """
    _, new = Incident.objects.get_or_create(
        key=f"{kind}:{subject}"[:255], defaults={"kind": kind, "noted_at": at, "facts": facts}
    )
    if new:
        log.error("incident", kind=kind, **facts)
    return False


def note_lost(batch: "Batch", at: datetime) -> None:
    """Notes that retention took records before they were read, if the batch says so."""
    if batch.lost:
        subject = f"{batch.topic_id}:{batch.start}"
        note("records_lost", subject, at, topic=batch.topic, offset=batch.start, count=batch.lost)
