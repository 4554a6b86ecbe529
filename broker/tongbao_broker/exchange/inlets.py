"""The provinces' `out` topics as one source: where each stands, and what to do when one isn't what it was.

1. A stream goes on at its cursor. A topic that was made anew, or whose end lies before the cursor, is read
   from its beginning, with an incident: what is known already is recognised as a duplicate.
2. A topic that can't be read (missing, closed to us) is an incident and is tried again now and then; the
   others flow.
3. After anything was not committed, `seek_back` lets the same records come again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tongbao_broker import logs
from tongbao_broker.database import atomic
from tongbao_broker.errors import BadConfiguration, TopicRefused, TopicReplaced, Unreachable
from tongbao_broker.exchange import store
from tongbao_broker.exchange.clockwatch import ClockWatch
from tongbao_broker.exchange.dispatch import IncidentKind, IncidentNote, Step
from tongbao_broker.exchange.tails import OpenSource, Source, readable
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.streams import cursor
from tongbao_broker.streams.cursor import CursorState

__all__ = ["Inlets"]

_log = logs.get(__name__)


@dataclass(slots=True)
class Inlets:
    """`next` is the offset of each topic that will be committed next."""

    open_source: OpenSource
    next: dict[str, int] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    """Topics that couldn't be read when the source was opened."""
    _source: Source | None = None
    _watch: ClockWatch = field(default_factory=ClockWatch)

    def open(self, topics: Sequence[str], now: datetime) -> None:
        """Reads these topics from their cursors. Raises Unreachable when the broker is away."""
        self.close()
        source, self._watch = self._opened(topics, now), ClockWatch()
        usable = [topic for topic in topics if topic not in self.closed]
        self.next = {topic: _position(source, topic, now) for topic in usable}
        self._source = source
        self.seek_back()
        store.close_incidents(IncidentKind.TOPIC_CLOSED, now, self.next)

    def close(self) -> None:
        if self._source:
            self._source.close()
            self._source = None

    @property
    def source(self) -> Source:
        if self._source is None:
            raise BadConfiguration("the streams were not opened")
        return self._source

    def poll(self, timeout_s: float, max_records: int) -> list[Batch]:
        return self.source.poll(timeout_s, max_records)

    def end_seen(self, topic: str) -> int | None:
        """Where the topic ended when the broker last said so; None before that."""
        return self._source.end_seen(topic) if self._source else None

    def seek_back(self) -> None:
        """The next poll of every topic starts at its cursor."""
        if self._source:
            for topic, position in self.next.items():
                self._source.seek(topic, position)

    def moved(self, steps: Iterable[Step]) -> None:
        """Notes what has been committed."""
        self.next.update((step.stream, step.next) for step in steps)

    def anchor(self, now: datetime) -> None:
        """Notes of every topic that is read to its end that it ended there at this time."""
        for topic, position in self.next.items():
            if self.source.end_offset(topic) == position:
                self._watch.anchor(topic, position, now)

    def clock_agrees(self, batches: Iterable[Batch], now: datetime) -> bool:
        """Whether our clock can be squared with the times at which the broker wrote these records."""
        return all(
            self._watch.agrees(batch.topic, record.offset, record.timestamp_ms, now)
            for batch in batches
            for record in batch.records
            if not record.error
        )

    def come_back(self) -> bool:
        """Whether a topic that was closed can be read by now."""
        return bool(readable(self.open_source, self.closed))

    def _opened(self, topics: Sequence[str], now: datetime) -> Source:
        """A source over all topics that can be read; those that were not read before are suspected first."""
        self.closed = []
        for suspects in ([], [topic for topic in topics if topic not in self.next], topics):
            good = readable(self.open_source, suspects)
            self.closed = [topic for topic in suspects if topic not in good]
            try:
                source = self.open_source([topic for topic in topics if topic not in self.closed])
            except TopicRefused:
                continue
            for topic in self.closed:
                _report_closed(topic, now)
            return source
        raise Unreachable("topics come and go")


def _position(source: Source, topic: str, now: datetime) -> int:
    cluster_id, topic_id = source.identity(topic)
    state = cursor.load(topic)
    if state is None:
        return cursor.begin(topic, cluster_id, topic_id).next
    kind = _difference(state, cluster_id, topic_id, source.end_offset(topic))
    if kind is None:
        return state.next
    _log.error("a topic is not the one we know and is read from its beginning", topic=topic, incident=kind)
    store.note_incident(IncidentNote(kind, topic, state.next), now)
    with atomic():
        return cursor.rewind(topic, cluster_id, topic_id).next


def _difference(state: CursorState, cluster_id: str, topic_id: str, end: int) -> IncidentKind | None:
    try:
        state.check(cluster_id, topic_id)
    except TopicReplaced:
        return IncidentKind.TOPIC_REPLACED
    return IncidentKind.RECORDS_LOST if state.next > end else None


def _report_closed(topic: str, now: datetime) -> None:
    _log.error("a topic can't be read; its province waits", topic=topic)
    if not store.is_open(IncidentKind.TOPIC_CLOSED, topic):
        store.note_incident(IncidentNote(IncidentKind.TOPIC_CLOSED, topic), now)
