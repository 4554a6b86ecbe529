"""Quarantined records judged again, by today's code, directory, keys and rules.

1. Only what bears a good signature was kept and can be judged again; everything is judged at the time of its
   entry into the log, as ever.
2. Each record has a transaction of its own, which begins before the judging: what was stored meanwhile is
   known.
3. A good one brings about all that its arrival would have: routing, stage reports, what it says of own
   messages. Its entry is marked, and judging it once more changes nothing.
4. One that is still refused keeps its entry, with today's code. Nobody is told twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tongbao_broker.database import atomic
from tongbao_broker.errors import NotFound
from tongbao_broker.kafka.reader import Batch, Record
from tongbao_connectors import inbox, refusing
from tongbao_connectors.intake import Intake, Reception
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import Quarantine
from tongbao_connectors.trusting import Trusting


class Outcome(StrEnum):
    """What became of an entry."""

    DELIVERED = "delivered"
    KNOWN = "known"
    BEFORE = "replayed_before"
    REFUSED = "refused"
    HELD = "held"
    NOT_KEPT = "not_kept"


GOOD = frozenset({Outcome.DELIVERED, Outcome.KNOWN, Outcome.BEFORE})


@dataclass(frozen=True, slots=True)
class Replayed:
    """One entry's outcome; `code` where it is refused, `reason` where our own trouble holds it."""

    id: int
    message_id: str
    outcome: Outcome
    code: str = ""
    reason: str = ""


def replay(entry_id: int, settings: ConnectorSettings, now: datetime) -> Replayed:
    """Judges one entry again; raises NotFound."""
    return _judge(entry_id, Reception.of(settings), Trusting.of(settings, now), now)


def replay_all(settings: ConnectorSettings, now: datetime) -> Iterator[Replayed]:
    """Judges again, in the order of their arrival, all entries that were kept and haven't been replayed."""
    waiting = Quarantine.objects.filter(value__isnull=False, replayed_at=None).order_by("pk")
    reception, trusting = Reception.of(settings), Trusting.of(settings, now)
    for entry_id in list(waiting.values_list("pk", flat=True)):
        yield _judge(entry_id, reception, trusting, now)


def _judge(entry_id: int, reception: Reception, trusting: Trusting, now: datetime) -> Replayed:
    with atomic():
        entry = Quarantine.objects.select_for_update().filter(pk=entry_id).first()
        if entry is None:
            raise NotFound(str(entry_id))
        if entry.replayed_at is not None:
            return Replayed(entry.pk, entry.message_id, Outcome.BEFORE)
        if entry.value is None:
            return Replayed(entry.pk, entry.message_id, Outcome.NOT_KEPT, entry.code)
        return _settle(entry, reception.read(_batch(entry), trusting, now), now)


def _settle(entry: Quarantine, intake: Intake, now: datetime) -> Replayed:
    if intake.held:
        return Replayed(entry.pk, entry.message_id, Outcome.HELD, entry.code, intake.held)
    if intake.refused:
        reject = intake.refused[0].reject
        refusing.put_again(entry, reject, now)
        return Replayed(entry.pk, entry.message_id, Outcome.REFUSED, reject.code)
    inbox.take_in(intake)
    entry.replayed_at = now
    entry.save(update_fields=["replayed_at"])
    new = intake.accepted or intake.said
    return Replayed(entry.pk, entry.message_id, Outcome.DELIVERED if new else Outcome.KNOWN)


def _batch(entry: Quarantine) -> Batch:
    """The entry as the only record of a batch at its old place."""
    record = Record(entry.offset, 0, None, bytes(entry.value or b""))
    return Batch(entry.topic, "", entry.topic_id, entry.offset, entry.offset + 1, (record,))
