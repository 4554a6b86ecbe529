"""What the exchange counts while it works, and what of its tables and its state is looked up on request."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.db.models import Count, Q
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric

from tongbao_broker.clock import Clock
from tongbao_broker.exchange.admission import Admit, Decision, Duplicate, HoldReason, Reject
from tongbao_broker.exchange.alarm import BROKER, DATABASE, FORMER
from tongbao_broker.exchange.condition import Condition
from tongbao_broker.exchange.dispatch import Entry, IncidentKind
from tongbao_broker.exchange.models import Delivery, Incident, Message
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.metering.backlog import Backlog
from tongbao_broker.metering.registry import REGISTRY, gauge, total
from tongbao_broker.metering.storage import storage
from tongbao_broker.metering.terms import terms
from tongbao_schemas.codes import EXCHANGE

__all__ = ["committed", "look", "polled", "timed"]

REASONS = (*(str(reason) for reason in HoldReason), DATABASE, BROKER, FORMER)
WITH_AN_END = (IncidentKind.HELD.value, IncidentKind.TOPIC_CLOSED.value)
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

READ = Counter(
    "tongbao_exchange_records_read",
    "Records read from a province's out topic, again after a hold",
    ["province"],
    registry=REGISTRY,
)
ADMITTED = Counter(
    "tongbao_exchange_admitted",
    "Messages admitted, by origin and type",
    ["province", "type"],
    registry=REGISTRY,
)
REJECTED = Counter(
    "tongbao_exchange_rejected",
    "Records rejected, by owner of the topic and code",
    ["province", "code"],
    registry=REGISTRY,
)
DUPLICATES = Counter(
    "tongbao_exchange_duplicates", "Records that were known already", ["province"], registry=REGISTRY
)
PHASES = Histogram(
    "tongbao_exchange_batch_seconds",
    "Duration of a batch's phases: decide, commit, publish",
    ["phase"],
    buckets=SECONDS,
    registry=REGISTRY,
)
LAST_BATCH = Gauge(
    "tongbao_exchange_last_batch_timestamp_seconds", "When a batch was last committed", registry=REGISTRY
)
LAST_CHECKPOINT = Gauge(
    "tongbao_exchange_last_checkpoint_timestamp_seconds", "When the trail last grew", registry=REGISTRY
)
_STEPS = {
    ("polled", "decided"): PHASES.labels("decide"),
    ("published", "decided"): PHASES.labels("decide"),
    ("decided", "committed"): PHASES.labels("commit"),
    ("committed", "published"): PHASES.labels("publish"),
}


def timed(reached: Callable[[str], None]) -> Callable[[str], None]:
    """`reached`, which also takes the time from one commit point to the next."""
    former, former_s = "", 0.0

    def at_point(point: str) -> None:
        nonlocal former, former_s
        now_s = time.perf_counter()
        if step := _STEPS.get((former, point)):
            step.observe(now_s - former_s)
        reached(point)
        former, former_s = point, time.perf_counter()

    return at_point


def polled(batches: Sequence[Batch]) -> None:
    """Counts what was read."""
    for batch in batches:
        READ.labels(_owner(batch.topic)).inc(len(batch.records))


def committed(owners: Sequence[str], decisions: Sequence[Decision], entry: Entry) -> None:
    """Counts what was decided and is in the tables."""
    for owner, decision in zip(owners, decisions, strict=True):
        match decision:
            case Admit(message=message):
                ADMITTED.labels(owner, message.header.type).inc()
            case Reject(code=code):
                REJECTED.labels(owner, code).inc()
            case Duplicate():
                DUPLICATES.labels(owner).inc()
    LAST_BATCH.set(entry.at.timestamp())
    if entry.growth:
        LAST_CHECKPOINT.set(entry.at.timestamp())


def look(folder: Path, condition: Callable[[], Condition], clock: Clock) -> Callable[[], Iterator[Metric]]:
    """What looks up the rest: the relay's state, and of the tables what an index finds."""
    backlog = Backlog()

    def looked_up() -> Iterator[Metric]:
        now = condition(), clock.now()
        yield from _state(*now)
        yield from _unread(now[0], backlog)
        yield from terms(folder, now[0].trust, now[0].keys)
        yield from _tables(*now)

    return looked_up


def _state(found: Condition, now: datetime) -> Iterator[Metric]:
    held = {reason.replace(" ", "_"): float(reason == found.held) for reason in REASONS}
    yield gauge("tongbao_exchange_held", "1 for the reason for which all streams are held", held, ["reason"])
    waiting = {code: lane.delivery_seq - lane.published_seq for code, lane in found.lanes.items()}
    text = "Deliveries given out and not published yet, by addressee"
    yield gauge("tongbao_exchange_deliveries_waiting", text, waiting, ["province"])
    refused = {code: float(code in found.refused) for code in found.lanes}
    text = "1 where the broker refused the province's in topic at the last attempt"
    yield gauge("tongbao_exchange_lane_refused", text, refused, ["province"])
    closed = {code: float(code in found.closed) for code in found.lanes}
    text = "1 where the province's out topic can't be read"
    yield gauge("tongbao_exchange_topic_closed", text, closed, ["province"])
    holes = {code: sum(last - first + 1 for first, last in lane.holes) for code, lane in found.lanes.items()}
    yield gauge("tongbao_exchange_missing_seqs", "Numbers a province has left out", holes, ["province"])
    heads = {code: at.timestamp() for code, at in found.heads.items()}
    text = "When the province was last sent a head"
    yield gauge("tongbao_exchange_last_head_timestamp_seconds", text, heads, ["province"])
    yield gauge("tongbao_exchange_trail_leaves", "Leaves of the trail", found.trail_size)
    text = "Leaves not published yet"
    yield gauge("tongbao_exchange_leaves_waiting", text, found.trail_size - found.published_leaves)


def _unread(found: Condition, backlog: Backlog) -> Iterator[Metric]:
    now_s = time.monotonic()
    noted = {code: backlog.note(code, *place, now_s) for code, place in found.unread.items()}
    text = "Records in a province's out topic that aren't read yet"
    yield gauge("tongbao_exchange_unread", text, {code: n for code, (n, _) in noted.items()}, ["province"])
    text = "For how long at least the oldest unread record has been lying in a province's out topic"
    ages = {code: age for code, (_, age) in noted.items()}
    yield gauge("tongbao_exchange_oldest_unread_seconds", text, ages, ["province"])


def _tables(found: Condition, now: datetime) -> Iterator[Metric]:
    ages = dict.fromkeys(found.lanes, 0.0)
    for code, lane in found.lanes.items():
        if not lane.clear:
            ages[code] = _age(code, lane.published_seq + 1, now)
    text = "Age of the oldest delivery not published yet, by addressee"
    yield gauge("tongbao_exchange_oldest_delivery_seconds", text, ages, ["province"])
    lasting = Q(closed_at=None, kind__in=WITH_AN_END)
    rows = list(
        Incident.objects.values_list("kind").annotate(ever=Count("id"), now=Count("id", filter=lasting))
    )
    ever = dict.fromkeys(map(str, IncidentKind), 0) | {kind: n for kind, n, _ in rows}
    text = "Incidents ever noted, by kind"
    yield total("tongbao_exchange_incidents", text, ever, ["kind"])
    text = "Incidents whose cause lasts, of the kinds that have an end"
    found_open = dict.fromkeys(WITH_AN_END, 0) | {kind: n for kind, _, n in rows if n}
    yield gauge("tongbao_exchange_incidents_open", text, found_open, ["kind"])
    yield storage()


def _age(code: str, number: int, now: datetime) -> float:
    index = Delivery.objects.filter(addressee=code, delivery_seq=number).values("index")
    admitted = Message.objects.filter(index__in=index).values_list("admitted_at", flat=True).first()
    return max(0.0, (now - admitted).total_seconds()) if admitted else 0.0


def _owner(topic: str) -> str:
    """Whose `out` topic it is."""
    parts = topic.split(".")
    return parts[1] if len(parts) > 1 else EXCHANGE
