"""Where the milliseconds of one alert in flight go: its way, stage by stage, through the commit points of
three processes.

The workers run as in service, but write down when they reach what (`bench.traced`); one clock serves them
all. A stage ends with the first event of its kind after the one before it. What lies between a commit and the
read at the other end is Kafka: the record encoded, sent, appended, fetched, decoded.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import job
from bench.network import RECEIVER, SENDER, Network
from tongbao_broker import database
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_schemas.codes import EXCHANGE

WAY: Sequence[tuple[str, str, str]] = (
    ("submitted, and the connector's turn comes", SENDER, "drafted"),
    ("sealed, signed, stored", SENDER, "sealed"),
    ("to the exchange", EXCHANGE, f"read {out_topic(SENDER)}"),
    ("judged", EXCHANGE, "decided"),
    ("logged", EXCHANGE, "committed"),
    ("to the addressee", RECEIVER, f"read {in_topic(RECEIVER)}"),
    ("verified, opened, judged", RECEIVER, "opened"),
    ("stored, routed", RECEIVER, "committed"),
    ("the connector's turn goes on", RECEIVER, "drafted"),
    ("receipt signed, stored", RECEIVER, "sealed"),
    ("to the exchange", EXCHANGE, f"read {out_topic(RECEIVER)}"),
    ("judged", EXCHANGE, "decided"),
    ("logged", EXCHANGE, "committed"),
    ("to the origin", SENDER, f"read {in_topic(SENDER)}"),
    ("verified", SENDER, "opened"),
    ("stored", SENDER, "committed"),
)
"""Each stage, and the event of which process ends it."""


@dataclass(frozen=True)
class Event:
    """What a process reached, and when (seconds of the monotonic clock)."""

    at: float
    name: str


@dataclass(frozen=True)
class Stage:
    """How long one stage takes (median, milliseconds)."""

    what: str
    where: str
    ms: float


@dataclass(frozen=True)
class Traced:
    """One alert after the other: each stage, the whole, and what commits and sends took of it."""

    stages: Sequence[Stage]
    whole_ms: float
    commit_ms: float
    """The median commit, of all processes."""
    send_ms: float
    """The median send, from the call to the acknowledgement."""


def trace(network: Network, count: int, size: int) -> Traced:
    """Sends `count` alerts, each when the receipt for the one before it is back.

    The workers must have been started traced.
    """
    spans = []
    with database.use(network.open_province(SENDER)):
        for _ in range(count):
            began = time.monotonic()
            job.latency_of_one(size)
            spans.append((began, time.monotonic()))
    events = {name: list(_events(network.trace_file(name))) for name in (SENDER, EXCHANGE, RECEIVER)}
    ways = [way for began, _ in spans if (way := _followed(began, events))]
    first, last = spans[0][0], spans[-1][1]
    during = [event for each in events.values() for event in each if first <= event.at <= last]
    return Traced(
        [
            Stage(what, where, median(way[place] for way in ways))
            for place, (what, where, _) in enumerate(WAY)
        ],
        median((end - began) * 1000 for began, end in spans),
        median(_taken(during, "commit")),
        median(_taken(during, "wrote")),
    )


def _events(file: Path) -> Iterator[Event]:
    for line in file.read_text("utf-8").splitlines():
        at, _, name = line.partition(" ")
        yield Event(float(at), name)


def _followed(began: float, events: dict[str, list[Event]]) -> list[float] | None:
    """The milliseconds of each stage of one alert; None where an event is missing."""
    taken, before = [], began
    for _, where, wanted in WAY:
        found = next((each.at for each in events[where] if each.at >= before and each.name == wanted), None)
        if found is None:
            return None
        taken.append((found - before) * 1000)
        before = found
    return taken


def _taken(events: Iterable[Event], kind: str) -> list[float]:
    """How long commits or sends took, from the events that say so: `commit 1.2`, `wrote 3.4`."""
    return [float(each.name.split()[1]) for each in events if each.name.startswith(f"{kind} ")]
