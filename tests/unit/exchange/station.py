"""The exchange over topics in memory: a relay with a real database, and a view of what came out.

station = Station(world, folder)
station.write("520000", world.message("alert", "520000", ["440000"]))
station.run()
[delivery] = station.deliveries("440000")
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.databases import without_waiting_for_the_disk
from tests.support.world import World
from tongbao_broker import database
from tongbao_broker.errors import TopicRefused, WriterBroken
from tongbao_broker.exchange.notices import Announcer
from tongbao_broker.exchange.own_directory import OwnDirectory
from tongbao_broker.exchange.points import no_op
from tongbao_broker.exchange.relay import Relay, Roads, Voice
from tongbao_broker.kafka.reader import Batch, Record
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.header import HeadHeader, NoticeHeader, parse_header
from tongbao_schemas.record import InRecord, OutRecord, parse_in


@dataclass
class SetClock:
    """A clock that a test sets."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass
class Topic:
    """What lies in a topic from offset `first` on."""

    identity: tuple[str, str] = ("cluster", "topic")
    records: list[Record] = field(default_factory=list)
    first: int = 0

    @property
    def end(self) -> int:
        return self.first + len(self.records)


class Broker:
    """Topics in memory. `refused` topics are closed to everyone; a broken broker answers nobody."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.topics: dict[str, Topic] = {}
        self.refused: set[str] = set()
        self.broken = False

    def topic(self, name: str) -> Topic:
        return self.topics.setdefault(name, Topic())

    def append(self, name: str, value: bytes | None, *, error: str = "", at: datetime | None = None) -> int:
        topic, written = self.topic(name), at or self.clock.now()
        timestamp = int(written.timestamp() * 1000)
        topic.records.append(Record(topic.end, timestamp, None, value, error))
        return topic.end - 1

    def send_all(self, items: Sequence[Outgoing]) -> list[int]:
        if self.broken:
            raise WriterBroken("no answer")
        if refused := {item.topic for item in items} & self.refused:
            raise TopicRefused(min(refused))
        return [self.append(item.topic, item.value) for item in items]

    def reader(self, topics: Sequence[str]) -> "Reader":
        if refused := set(topics) & self.refused:
            raise TopicRefused(min(refused))
        return Reader(self, dict.fromkeys(topics, 0))


@dataclass
class Reader:
    """Hands out what lies behind its positions, one batch a topic."""

    broker: Broker
    positions: dict[str, int]
    paused: set[str] = field(default_factory=set)

    def identity(self, topic: str) -> tuple[str, str]:
        return self.broker.topic(topic).identity

    def seek(self, topic: str, offset: int) -> None:
        self.positions[topic] = offset

    def pause(self, topic: str) -> None:
        self.paused.add(topic)

    def resume(self, topic: str) -> None:
        self.paused.discard(topic)

    def first_offset(self, topic: str) -> int:
        return self.broker.topic(topic).first

    def end_offset(self, topic: str) -> int:
        return self.broker.topic(topic).end

    def end_seen(self, topic: str) -> int | None:
        return self.end_offset(topic)

    def poll(self, timeout_s: float, max_records: int) -> list[Batch]:
        batches = []
        for topic, start in self.positions.items():
            if topic in self.paused:
                continue
            first = self.broker.topic(topic).first
            lost = max(first - start, 0)
            records = tuple(self.broker.topic(topic).records[max(start - first, 0) :][:max_records])
            following = records[-1].offset + 1 if records else start + lost
            if following > start:
                batches.append(Batch(topic, *self.identity(topic), start, following, records, lost))
                self.positions[topic] = following
        return batches

    def close(self) -> None:
        pass


class Station:
    """The exchange of a world, at the world's time."""

    def __init__(self, world: World, folder: Path, reached: Callable[[str], None] = no_op) -> None:
        without_waiting_for_the_disk(database.current())
        self.world = world
        self.folder = folder
        self.clock = SetClock(world.now)
        self.broker = Broker(self.clock)
        self.reached = reached
        self.put_trust(world)
        (folder / "pinned-root.json").write_text(json.dumps(world.root.as_json()), encoding="ascii")
        self.relay = self.new_relay()

    def put_trust(self, world: World) -> None:
        """Puts the world's documents where the exchange reads them."""
        draft = self.folder / "trust.new"
        draft.write_bytes(world.trust_file.encode())
        draft.replace(self.folder / "trust.json")

    def new_relay(self, **over: Any) -> Relay:
        """A process that starts now, on the same tables and topics."""
        keys = self.world.keys[EXCHANGE]
        facts: dict[str, Any] = {
            "own": OwnDirectory(
                self.folder / "trust.json", self.folder / "pinned-root.json", self.world.network
            ),
            "voice": Voice(Announcer(self.world.network, keys.message), keys.checkpoint),
            "clock": self.clock,
            "roads": Roads(self.broker.reader, self.broker),
            "reached": self.reached,
        }
        relay = Relay(**{**facts, **over})
        relay.start()
        return relay

    def restart(self) -> None:
        """The process ends without notice, and another one starts."""
        self.relay = self.new_relay()

    def write(self, owner: str, *values: OutRecord | bytes | None, **over: Any) -> None:
        """Writes records to a province's `out` topic."""
        for value in values:
            data = self.world.record_bytes(value) if isinstance(value, OutRecord) else value
            self.broker.append(out_topic(owner), data, **over)

    def run(self, turns: int = 3) -> None:
        """Some turns, a second apart."""
        for _ in range(turns):
            self.relay.turn(0)
            self.clock.at += timedelta(seconds=1)

    def received(self, code: str) -> list[InRecord]:
        """Everything in a province's `in` topic, as it was written."""
        values = [record.value for record in self.broker.topic(in_topic(code)).records]
        return [parse_in(value) for value in values if value is not None]

    def deliveries(self, code: str) -> list[InRecord]:
        """What was delivered under a number: messages of provinces, and notices."""
        return [record for record in self.received(code) if record.stamp]

    def messages(self, code: str) -> list[InRecord]:
        """The delivered messages of other provinces."""
        return [record for record in self.deliveries(code) if not isinstance(header(record), NoticeHeader)]

    def notices(self, code: str) -> list[NoticeHeader]:
        return [head for head in map(header, self.deliveries(code)) if isinstance(head, NoticeHeader)]

    def heads(self, code: str) -> list[HeadHeader]:
        return [head for head in map(header, self.received(code)) if isinstance(head, HeadHeader)]


def header(record: InRecord) -> Any:
    """The parsed header of a delivered message."""
    return parse_header(record.envelope.payload)


def numbers(records: Sequence[InRecord]) -> list[int]:
    """The delivery numbers of stamped records."""
    return [record.stamp.delivery_seq for record in records if record.stamp]
