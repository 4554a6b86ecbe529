"""What a connector counts while it works, and what of its tables and its state is looked up on request."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

from django.db.models import Count, F, Min, Sum
from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric

from tongbao_broker.clock import Clock
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC
from tongbao_broker.metering.backlog import Backlog
from tongbao_broker.metering.registry import REGISTRY, gauge, total
from tongbao_broker.metering.storage import storage
from tongbao_broker.metering.terms import terms
from tongbao_broker.streams.models import Cursor
from tongbao_broker.trust.directory import Trust
from tongbao_connectors import incidents
from tongbao_connectors.intake import Intake
from tongbao_connectors.store.models import (
    CheckpointClaim,
    DeliveryGap,
    Draft,
    ExchangeHead,
    Incident,
    LeafBatch,
    Outbox,
    Quarantine,
    SeenCheckpoint,
    StageReport,
)
from tongbao_schemas.header import PeopleHeader, RejectedNotice
from tongbao_schemas.refusals import Code

SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
TRANSIT_S = (0.1, 0.3, 1.0, 3.0, 10.0, 60.0, 300.0, 3600.0, 86400.0)
IN, OUT, LEAVES, DIRECTORY = "in", "out", "leaves", "directory"

READ = Counter(
    "tongbao_connector_records_read", "Records read, again after a hold", ["stream"], registry=REGISTRY
)
ACCEPTED = Counter(
    "tongbao_connector_accepted",
    "Messages accepted, by origin and type",
    ["province", "type"],
    registry=REGISTRY,
)
REFUSED = Counter("tongbao_connector_refused", "Records refused, by code", ["code"], registry=REGISTRY)
TRANSIT = Histogram(
    "tongbao_connector_transit_seconds",
    "From a message's issue at its origin to its place in the tables here, by urgency",
    ["urgency"],
    buckets=TRANSIT_S,
    registry=REGISTRY,
)
SEALED = Counter("tongbao_connector_sealed", "Own messages sealed and signed", ["type"], registry=REGISTRY)
UNSENDABLE = Counter(
    "tongbao_connector_drafts_refused", "Drafts that can't be sent, by code", ["code"], registry=REGISTRY
)
PUBLISHED = Counter("tongbao_connector_published", "Own messages published", registry=REGISTRY)
AGAIN = Counter(
    "tongbao_connector_published_again",
    "Own messages published again, since the exchange hadn't settled them",
    registry=REGISTRY,
)
SETTLED = Counter("tongbao_connector_settled", "Own messages that the exchange settled", registry=REGISTRY)
REJECTED = Counter(
    "tongbao_connector_rejected",
    "Own messages that the exchange rejected, by code",
    ["code"],
    registry=REGISTRY,
)
PHASES = Histogram(
    "tongbao_connector_batch_seconds",
    "Duration of a batch's phases: open, store; seal, publish",
    ["phase"],
    buckets=SECONDS,
    registry=REGISTRY,
)
for _code in Code:  # an alarm on growth needs the 0 before the first
    REJECTED.labels(_code)
_STEPS = {
    ("polled", "opened"): PHASES.labels("open"),
    ("opened", "committed"): PHASES.labels("store"),
    ("drafted", "sealed"): PHASES.labels("seal"),
    ("sealed", "published"): PHASES.labels("publish"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """How a connector stands; `held` maps a topic to since when, `ends` to the end that is known of it."""

    trust: Trust
    keys: Mapping[str, str]
    held: Mapping[str, datetime]
    ends: Mapping[str, int | None]

    @property
    def word(self) -> str:
        """What is held, empty while everything flows."""
        return " ".join(f"held:{stream}" for stream in sorted(map(stream_of, self.held)))


def stream_of(topic: str) -> str:
    """What a topic is to this province: one of four words."""
    if topic in (LEAVES_TOPIC, DIRECTORY_TOPIC):
        return LEAVES if topic == LEAVES_TOPIC else DIRECTORY
    return OUT if topic.endswith(".out.v1") else IN


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
        READ.labels(stream_of(batch.topic)).inc(len(batch.records))


def sealed(types: Iterable[str], refused: Iterable[str]) -> None:
    """Counts what was sealed and is in the tables, and the drafts that couldn't be."""
    for type in types:
        SEALED.labels(type).inc()
    for code in refused:
        UNSENDABLE.labels(code).inc()


def stored(intakes: Iterable[Intake], settled: int) -> None:
    """Counts what came in and is in the tables."""
    for intake in intakes:
        for accept, _ in intake.accepted:
            header = accept.examined.header
            ACCEPTED.labels(header.origin, header.type).inc()
            if isinstance(header, PeopleHeader):
                TRANSIT.labels(header.urgency).observe((intake.at - header.issued_at).total_seconds())
        for one in intake.refused:
            REFUSED.labels(one.reject.code).inc()
        for said in intake.said:
            if isinstance(said, RejectedNotice):
                REJECTED.labels(said.code).inc()
    SETTLED.inc(settled)


def look(folder: Path, condition: Callable[[], Condition], clock: Clock) -> Callable[[], Iterator[Metric]]:
    """What looks up the rest: the connector's state, and of the tables what an index finds."""
    backlog = Backlog()

    def looked_up() -> Iterator[Metric]:
        found, now = condition(), clock.now()
        yield _held(found, now)
        yield from _unread(found, backlog)
        yield from terms(folder, found.trust, found.keys)
        yield from _outbox(now)
        yield from _inbound(now)
        yield from _log()
        yield storage()

    return looked_up


def _held(found: Condition, now: datetime) -> Metric:
    since = {stream_of(topic): (now - at).total_seconds() for topic, at in found.held.items()}
    values = {stream: since.get(stream, 0.0) for stream in (IN, OUT, LEAVES, DIRECTORY)}
    text = "For how long a stream has been held; 0 while it flows; out: nothing is sealed"
    return gauge("tongbao_connector_held_seconds", text, values, ["stream"])


def _unread(found: Condition, backlog: Backlog) -> Iterator[Metric]:
    now_s = time.monotonic()
    following = dict(Cursor.objects.filter(stream__in=found.ends).values_list("stream", "next"))
    noted = {
        stream_of(topic): backlog.note(topic, following[topic], end, now_s)
        for topic, end in found.ends.items()
        if topic in following
    }
    text = "Records of a stream that aren't processed yet"
    yield gauge("tongbao_connector_unread", text, {name: n for name, (n, _) in noted.items()}, ["stream"])
    text = "For how long at least the oldest unprocessed record of a stream has been lying there"
    ages = {name: age for name, (_, age) in noted.items()}
    yield gauge("tongbao_connector_oldest_unread_seconds", text, ages, ["stream"])


def _outbox(now: datetime) -> Iterator[Metric]:
    """What is on its way out; partial indexes hold just these rows."""
    drafted = Draft.objects.filter(state=Draft.State.DRAFTED).aggregate(Count("id"), Min("submitted_at"))
    rows: dict[str, float] = {"drafted": drafted["id__count"]}
    ages = {"drafted": _age(drafted["submitted_at__min"], now)}
    for state in (Outbox.State.SEALED, Outbox.State.PUBLISHED):
        found = Outbox.objects.filter(state=state).aggregate(Count("pk"), Min("message__issued_at"))
        rows[state.value] = found["pk__count"]
        ages[state.value] = _age(found["message__issued_at__min"], now)
    yield gauge("tongbao_connector_outbox_rows", "Own messages not settled yet", rows, ["state"])
    text = "Age of the oldest own message in this state; 0 where there is none"
    yield gauge("tongbao_connector_outbox_oldest_seconds", text, ages, ["state"])
    waiting = StageReport.objects.filter(pending=True).count()
    yield gauge("tongbao_connector_reports_waiting", "Stage reports not sent yet", waiting)


def _inbound(now: datetime) -> Iterator[Metric]:
    head = ExchangeHead.objects.filter(pk=1).values_list("at", flat=True).first()
    text = "When the newest head of the exchange was signed; 0 before the first"
    yield gauge("tongbao_connector_last_head_timestamp_seconds", text, head.timestamp() if head else 0.0)
    gaps = DeliveryGap.objects.aggregate(missing=Sum(F("last") - F("first") + 1), since=Min("noted_at"))
    yield gauge("tongbao_connector_missing_deliveries", "Deliveries that haven't come", gaps["missing"] or 0)
    text = "For how long the oldest missing delivery has been missing"
    yield gauge("tongbao_connector_oldest_missing_seconds", text, _age(gaps["since"], now))
    refused = Quarantine.objects.filter(replayed_at=None).values_list("code").annotate(Count("id"))
    text = "Refused records that lie in quarantine, by code"
    yield gauge("tongbao_connector_quarantine", text, dict.fromkeys(Code, 0) | dict(refused), ["code"])
    noted = Incident.objects.values_list("kind").annotate(Count("id"))
    ever = dict.fromkeys(get_args(incidents.Kind), 0) | dict(noted)
    yield total("tongbao_connector_incidents", "Incidents ever noted, by kind", ever, ["kind"])


def _log() -> Iterator[Metric]:
    """How far the exchange's log is known and compared here."""
    own = LeafBatch.objects.order_by("size").values_list("size", flat=True).last()
    seen = SeenCheckpoint.objects.values_list("size", flat=True).first()
    yield gauge("tongbao_connector_trail_leaves", "Leaves of the exchange's log rebuilt here", own or 0)
    text = "Leaves under the largest checkpoint that was met"
    yield gauge("tongbao_connector_seen_leaves", text, seen or 0)
    text = "Checkpoints and claims that can't be compared yet"
    yield gauge("tongbao_connector_claims_waiting", text, CheckpointClaim.objects.count())


def _age(since: datetime | None, now: datetime) -> float:
    return max(timedelta(), now - since).total_seconds() if since else 0.0
