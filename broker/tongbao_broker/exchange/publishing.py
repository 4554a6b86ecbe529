"""From rows to topics: every lane in order, none delayed by another.

1. What a batch has just committed is sent from memory; after a crash or a failure, from the table. The
   bytes are the same.
2. A lane is sent in the order of its numbers. How far it got is marked afterwards, with the next batch's
   rows or as soon as there is nothing else to do: a crash in between repeats records, which their reader
   recognises by number and digest.
3. A topic that the broker refuses (missing, closed to us) backs off alone, from five seconds up to a
   minute.
4. Leaves and directories go to their topics by the same rules; deliveries that were asked for again go
   beside the lane.
5. Leaves let others look over our shoulder, and nobody waits for them: those of a quarter of a second go
   together, so that every province stores them once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tongbao_broker import logs
from tongbao_broker.errors import TopicRefused
from tongbao_broker.exchange import store
from tongbao_broker.exchange.dispatch import Entry, LaneState, Marks, Outbound
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic
from tongbao_broker.kafka.writer import Outgoing
from tongbao_schemas.header import parse_header
from tongbao_schemas.record import ce_headers, parse_in

__all__ = ["Backoff", "Publisher", "Shipment", "Sink"]

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=60)
AT_ONCE = 1024 * 1024
"""About how many bytes of one lane are read from its table at a time."""
RESENDS_AT_ONCE = 50
LEAVES_EVERY = timedelta(milliseconds=250)

_log = logs.get(__name__)


class Sink(Protocol):
    """What writes: `tongbao_broker.kafka.writer.Writer`."""

    def send_all(self, items: Sequence[Outgoing]) -> list[int]: ...


@dataclass(slots=True)
class Backoff:
    """Which topics are left alone until when; each further failure doubles the pause."""

    _until: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)

    def allows(self, topic: str, now: datetime) -> bool:
        until, pause = self._until.get(topic, (now, FIRST_PAUSE))
        return now >= until or until - now > pause  # the second: our clock was put back

    def failing(self, topic: str) -> bool:
        """Whether the last attempt failed."""
        return topic in self._until

    def failed(self, topic: str, now: datetime) -> None:
        _, pause = self._until.get(topic, (now, FIRST_PAUSE / 2))
        longer = min(pause * 2, LONGEST_PAUSE)
        self._until[topic] = (now + longer, longer)

    def succeeded(self, topic: str) -> None:
        self._until.pop(topic, None)


@dataclass(frozen=True, slots=True)
class Shipment:
    """Records for one topic in order, and what is to be marked when they are there."""

    topic: str
    items: Sequence[Outgoing]
    lane: tuple[str, int] | None = None
    leaves: int | None = None
    directory: int | None = None
    resends: Sequence[tuple[str, int]] = ()


class Publisher:
    """Publishes what is committed and not yet published."""

    def __init__(self, sink: Sink, published_leaves: int, reached: Callable[[str], None]) -> None:
        self._sink = sink
        self._reached = reached
        self.backoff = Backoff()
        self.marks = Marks()
        self._leaves = LeafQueue(published_leaves)
        self._directories_waiting = True
        self._resends_waiting = True

    @property
    def published_leaves(self) -> int:
        """Up to which leaf the trail is published."""
        return self._leaves.published

    def publish(
        self, lanes: Mapping[str, LaneState], size: int, entry: Entry | None, now: datetime
    ) -> dict[str, int]:
        """Sends what is due; how far each lane has got that moved.

        `size` is the trail's, `entry` the batch just committed, if any. Raises WriterBroken or Unreachable
        where nothing can be sent at all.
        """
        if entry and (growth := entry.growth):
            self._leaves.add(growth.first, growth.head.size, growth.record, now)
        waiting = {
            code: lane
            for code, lane in lanes.items()
            if not lane.clear and self.backoff.allows(in_topic(code), now)
        }
        shipments = [
            shipment
            for shipment in self._shipments(waiting, size, entry, now)
            if self.backoff.allows(shipment.topic, now)
        ]
        if not shipments:
            return {}
        sent = self.send(shipments, now)
        self._reached("published")
        self._note(sent)
        return dict(shipment.lane for shipment in sent if shipment.lane)

    def mark(self) -> None:
        """Marks in the tables what has been published."""
        if self.marks:
            store.mark_published(self.marks)
            self.marked()
            self._reached("marked")

    def marked(self) -> None:
        """Notes that the tables have the marks."""
        self.marks = Marks()

    def send(self, shipments: Sequence[Shipment], now: datetime) -> list[Shipment]:
        """All at once; if a topic is refused, each on its own, so that the others get through.

        A topic whose last attempt failed is tried on its own from the beginning.
        """
        sound = [shipment for shipment in shipments if not self.backoff.failing(shipment.topic)]
        doubtful = [shipment for shipment in shipments if self.backoff.failing(shipment.topic)]
        try:
            self._sink.send_all([item for shipment in sound for item in shipment.items])
        except TopicRefused:
            sound, doubtful = [], list(shipments)
        return sound + [shipment for shipment in doubtful if self._send_alone(shipment, now)]

    def _send_alone(self, shipment: Shipment, now: datetime) -> bool:
        try:
            self._sink.send_all(shipment.items)
        except TopicRefused as error:
            self.backoff.failed(shipment.topic, now)
            _log.error("a topic is refused; its lane waits", topic=shipment.topic, detail=error.detail)
            return False
        self.backoff.succeeded(shipment.topic)
        return True

    def _shipments(
        self, lanes: Mapping[str, LaneState], size: int, entry: Entry | None, now: datetime
    ) -> Iterator[Shipment]:
        fresh: dict[str, list[Outbound]] = {}
        for outbound in entry.outbound if entry else ():
            fresh.setdefault(outbound.addressee, []).append(outbound)
        for code, lane in lanes.items():
            yield _lane_shipment(code, lane, fresh.get(code, []))
        if self._leaves.due(size, now):
            yield self._leaves.shipment()
        self._directories_waiting |= bool(entry and entry.new_directory)
        if self._directories_waiting:
            yield from _directories()
        self._resends_waiting |= bool(entry and entry.resends)
        if self._resends_waiting:
            yield from _resends()

    def _note(self, sent: Sequence[Shipment]) -> None:
        """Takes down what was sent; until it is marked in the tables a new process counts it as not sent."""
        for shipment in sent:
            if shipment.lane:
                self.marks.lanes[shipment.lane[0]] = shipment.lane[1]
            if shipment.leaves:
                self.marks.leaves = shipment.leaves
                self._leaves.sent(shipment.leaves)
            if shipment.directory:
                store.mark_directory(shipment.directory)
            if shipment.resends:
                store.mark_resent(shipment.resends)
        self._directories_waiting = self._directories_waiting and bool(store.unpublished_directories())
        self._resends_waiting = self._resends_waiting and bool(store.resends(1))


class LeafQueue:
    """The batches of leaves that are still to be published: those at hand if they are next, else the
    table's.
    """

    def __init__(self, published: int) -> None:
        self.published = published
        self._at_hand: list[tuple[int, int, bytes]] = []
        self._since: datetime | None = None

    def add(self, first: int, end: int, record: bytes, now: datetime) -> None:
        """Takes in a batch just committed; beyond about `AT_ONCE` bytes they are left to the table."""
        self._since = self._since or now
        behind = not self._at_hand or self._at_hand[-1][1] == first
        if behind and sum(len(value) for _, _, value in self._at_hand) < AT_ONCE:
            self._at_hand.append((first, end, record))

    def due(self, size: int, now: datetime) -> bool:
        """Whether leaves up to `size` have waited long enough; those of a former process have."""
        if self.published >= size:
            return False
        return self._since is None or not timedelta() <= now - self._since < LEAVES_EVERY

    def shipment(self) -> Shipment:
        """The next of them."""
        records = [(end, record) for _, end, record in self._at_hand]
        if not records or self._at_hand[0][0] != self.published:
            records = store.leaf_records(self.published, AT_ONCE)
        items = [Outgoing(LEAVES_TOPIC, None, value) for _, value in records]
        return Shipment(LEAVES_TOPIC, items, leaves=records[-1][0])

    def sent(self, end: int) -> None:
        """Notes that the leaves up to `end` are published."""
        self.published, self._since = end, None
        self._at_hand = [batch for batch in self._at_hand if batch[0] >= end]


def outgoing(addressee: str, value: bytes) -> Outgoing:
    """A stored value as a record: its key and headers are made anew from what is in it."""
    header = parse_header(parse_in(value).envelope.payload)
    return Outgoing(in_topic(addressee), header.thread.encode(), value, ce_headers(header))


def _lane_shipment(code: str, lane: LaneState, fresh: Sequence[Outbound]) -> Shipment:
    """The lane's next records: those at hand if they are next, else from the table."""
    topic = in_topic(code)
    if fresh and fresh[0].delivery_seq == lane.published_seq + 1:
        items = [Outgoing(topic, each.key.encode(), each.value, each.headers) for each in fresh]
        return Shipment(topic, items, lane=(code, fresh[-1].delivery_seq))
    rows = store.unpublished(code, lane.published_seq, AT_ONCE)
    return Shipment(topic, [outgoing(code, value) for _, value in rows], lane=(code, rows[-1][0]))


def _directories() -> Iterator[Shipment]:
    for version, value in store.unpublished_directories():
        item = Outgoing(DIRECTORY_TOPIC, str(version).encode(), value)
        yield Shipment(DIRECTORY_TOPIC, [item], directory=version)


def _resends() -> Iterator[Shipment]:
    """What was asked for again, by addressee; an expired delivery has no bytes left and is dropped."""
    asked: dict[str, list[tuple[int, bytes]]] = {}
    for addressee, number, value in store.resends(RESENDS_AT_ONCE):
        asked.setdefault(addressee, []).append((number, value))
    for addressee, rows in asked.items():
        items = [outgoing(addressee, value) for _, value in rows if value]
        numbers = [(addressee, number) for number, _ in rows]
        yield Shipment(in_topic(addressee), items, resends=numbers)
