"""Reads topics from offsets that the caller keeps.

1. Topics are assigned, never subscribed to: no consumer group, no rebalance, no offset kept at the broker.
2. Nothing jumps. Where retention has taken the offset asked for, the batch says how many records are lost; an
   offset beyond the end raises RecordsLost.
3. A topic is known by its id. It is compared every few seconds; another id under the same name raises
   TopicReplaced.
4. A record that the library can't decode is handed out as unreadable and passed, so that it stops nobody. The
   library raises for it once without naming it and would spin ever after: it is looked for with a second
   consumer, one topic at a time, and the first one is moved past it.
5. Memory is bounded by what one fetch may return.
6. The library is asked only when there is something to hear: while a fetch is on its way, waiting for it is
   left to the kernel. (A poll of the library that brings nothing costs thirty times as much.) A `Bell` may
   end the wait.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka import errors as theirs

from tongbao_broker.bell import Bell
from tongbao_broker.errors import OperationError, RecordsLost, TopicRefused, TopicReplaced, Unreachable
from tongbao_broker.kafka.client import Connection, administrator, speaking
from tongbao_broker.kafka.topics import PARTITION

PARTITION_FETCH_BYTES = 2 * 1024 * 1024
FETCH_BYTES = 8 * 1024 * 1024
RESPONSE_BYTES = 2 * FETCH_BYTES
IDENTITY_EVERY_S = 15.0
IDENTITY_ANSWER_S = 3.0
PROBE_MS = 3_000
CLOSE_MS = 1_000
LIST_MS = 10_000
SETTINGS = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "check_crcs": True,
    "max_partition_fetch_bytes": PARTITION_FETCH_BYTES,
    "fetch_max_bytes": FETCH_BYTES,
    "receive_message_max_bytes": RESPONSE_BYTES,
    "metadata_max_age_ms": 30_000,
    "metrics_enabled": False,
}


@dataclass(frozen=True)
class Record:
    """A record as the broker has it, with its append time; an unreadable one has only offset and `error`."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    error: str = ""


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one topic; processing them moves the topic's cursor from `start` to `next`.

    `lost` counts the offsets from `start` on that retention had already taken.
    """

    topic: str
    cluster_id: str
    topic_id: str
    start: int
    next: int
    records: tuple[Record, ...]
    lost: int = 0


class Reader:
    """One consumer over some topics, each from its first record until `seek` says otherwise."""

    def __init__(self, connection: Connection, topics: Sequence[str], bell: Bell | None = None) -> None:
        """Raises Unreachable, or TopicRefused for a topic that is missing or closed to us.

        Who rings `bell` ends the wait of a poll; it is closed with the reader.
        """
        self._connection = connection
        self._coming: Any = None
        self._next = dict.fromkeys(topics, 0)
        self._admin = administrator(connection, request_s=IDENTITY_ANSWER_S)
        self._bell = bell or Bell()
        try:
            self._cluster_id, self._topic_ids = self._look_up()
            self._looked_up = time.monotonic()
            self._consumer = self._assigned(self._next)
        except OperationError:
            self._admin.close()
            self._bell.close()
            raise

    def identity(self, topic: str) -> tuple[str, str]:
        """Cluster id and topic id, as they were when the reader was made."""
        return self._cluster_id, self._topic_ids[topic]

    def seek(self, topic: str, offset: int) -> None:
        """The next batch of `topic` starts at `offset`."""
        self._consumer.seek(_partition(topic), offset)
        self._next[topic] = offset
        self._coming = None

    def pause(self, topic: str) -> None:
        """Takes no records from `topic` until `resume`."""
        self._consumer.pause(_partition(topic))

    def resume(self, topic: str) -> None:
        self._consumer.resume(_partition(topic))
        self._coming = None

    def first_offset(self, topic: str) -> int:
        """The oldest offset that the broker still has."""
        with speaking(self._connection):
            offsets = self._consumer.beginning_offsets([_partition(topic)], timeout_ms=LIST_MS)
        return int(offsets[_partition(topic)])

    def end_offset(self, topic: str) -> int:
        """The offset that the next record to be written will get."""
        with speaking(self._connection):
            offsets = self._consumer.end_offsets([_partition(topic)], timeout_ms=LIST_MS)
        return int(offsets[_partition(topic)])

    def end_seen(self, topic: str) -> int | None:
        """Where the topic ended when the broker last answered a fetch; asks nobody, None before that."""
        seen = self._consumer.highwater(_partition(topic))
        return None if seen is None else int(seen)

    def poll(self, timeout_s: float, max_records: int) -> list[Batch]:
        """What has arrived, at most one batch a topic and `max_records` in all; empty when time is over or
        the bell was rung.

        Raises TopicReplaced, TopicRefused, RecordsLost, Unreachable. A broker that is away isn't an error:
        its records come when it is back.
        """
        self._compare_identities()
        try:
            with _decoding(self._connection):
                polled = self._polled(timeout_s, max_records)
        except _OutOfRange as error:
            return [self._after_loss(topic) for topic in error.topics]
        except _Undecodable:
            return [self._pass_unreadable(max_records)]
        return [self._batch(partition.topic, records) for partition, records in polled.items()]

    def _polled(self, timeout_s: float, max_records: int) -> dict[TopicPartition, list[Any]]:
        until = time.monotonic() + timeout_s
        while True:
            if self._coming is None or self._coming.is_done:
                if polled := self._consumer.poll(timeout_ms=0, max_records=max_records):
                    return dict(polled)
                self._coming = self._fetch_on_its_way()
            left = until - time.monotonic()
            if left <= 0:
                return {}
            if self._coming is None:
                return dict(self._consumer.poll(timeout_ms=int(left * 1000), max_records=max_records))
            if self._bell.wait(left) and not self._coming.is_done:
                return {}

    def _fetch_on_its_way(self) -> Any:
        """The library's future of a fetch that was sent and not answered; it rings the bell when it is."""
        for fetch in tuple(getattr(self._consumer._fetcher, "_fetch_futures", ())):
            if not fetch.is_done:
                fetch.add_both(self._ring)
                return fetch
        return None

    def _ring(self, _answer: object) -> None:
        self._bell.ring()

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
        self._admin.close()
        self._bell.close()

    def _batch(self, topic: str, records: Sequence[Any]) -> Batch:
        return self._step(
            topic,
            tuple(Record(each.offset, each.timestamp, each.key, each.value) for each in records),
            records[-1].offset + 1,
        )

    def _step(self, topic: str, records: tuple[Record, ...], following: int, lost: int = 0) -> Batch:
        start = self._next[topic]
        self._next[topic] = following
        return Batch(topic, self._cluster_id, self._topic_ids[topic], start, following, records, lost)

    def _after_loss(self, topic: str) -> Batch:
        start, first = self._next[topic], self.first_offset(topic)
        if first <= start:
            self._compare_identities(at_once=True)
            raise RecordsLost(f"{topic}: offset {start} is beyond the end {self.end_offset(topic)}")
        self._consumer.seek(_partition(topic), first)
        return self._step(topic, (), first, lost=first - start)

    def _pass_unreadable(self, max_records: int) -> Batch:
        for topic in self._pending():
            records = tuple(self._unreadable(topic, max_records))
            if records:
                following = records[-1].offset + 1
                self._consumer.seek(_partition(topic), following)
                return self._step(topic, records, following)
        raise Unreachable("the consumer fails, and no record explains it")

    def _pending(self) -> list[str]:
        """The topics that have something to read: one of them holds the record that can't be decoded."""
        paused = {partition.topic for partition in self._consumer.paused()}
        return [
            topic
            for topic in self._next
            if topic not in paused and self.end_offset(topic) > self._next[topic]
        ]

    def _unreadable(self, topic: str, max_records: int) -> Iterator[Record]:
        """The records next in `topic` that can't be decoded; none if the first of them can."""
        start = self._next[topic]
        probe = self._assigned({topic: start})
        try:
            for offset in range(start, min(start + max_records, self.end_offset(topic))):
                probe.seek(_partition(topic), offset)
                error = self._error_of_next(probe)
                if not error:
                    return
                yield Record(offset, 0, None, None, error)
        finally:
            probe.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _error_of_next(self, probe: KafkaConsumer) -> str:
        try:
            with _decoding(self._connection):
                probe.poll(timeout_ms=PROBE_MS, max_records=1)
        except _Undecodable as error:
            return str(error)
        return ""

    def _assigned(self, positions: dict[str, int]) -> KafkaConsumer:
        with speaking(self._connection):
            consumer = KafkaConsumer(**self._connection.settings(), **SETTINGS)
            consumer.assign([_partition(topic) for topic in positions])
            for topic, offset in positions.items():
                consumer.seek(_partition(topic), offset)
        return consumer

    def _compare_identities(self, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self._looked_up < IDENTITY_EVERY_S:
            return
        self._looked_up = time.monotonic()
        try:
            cluster_id, topic_ids = self._look_up()
        except TopicRefused:
            raise
        except Unreachable:
            return  # a broker that is away replaces nothing; it is asked again
        for topic, known in self._topic_ids.items():
            if (cluster_id, topic_ids[topic]) != (self._cluster_id, known):
                raise TopicReplaced(f"{topic}: id {known} expected, {topic_ids[topic]} found")

    def _look_up(self) -> tuple[str, dict[str, str]]:
        with speaking(self._connection):
            cluster = self._admin.describe_cluster()
            found = self._admin.describe_topics(list(self._next))
        for each in found:
            if each["error_code"]:
                raise TopicRefused(f"{each['name']}: {theirs.for_code(each['error_code']).__name__}")
        return str(cluster["cluster_id"]), {each["name"]: str(each["topic_id"]) for each in found}


class _OutOfRange(Exception):
    """The broker has no such offset. Holds the topics."""

    def __init__(self, error: theirs.OffsetOutOfRangeError) -> None:
        super().__init__()
        self.topics = [partition.topic for partition in error.args[0]]


class _Undecodable(Exception):
    """The library can't decode a record. Holds the name of what it raised, nothing of the record."""


@contextmanager
def _decoding(connection: Connection) -> Iterator[None]:
    """Tells what a poll can raise apart: an offset that is gone, a record that can't be decoded, the rest."""
    try:
        yield
    except theirs.OffsetOutOfRangeError as error:
        raise _OutOfRange(error) from error
    except theirs.LogTruncationError as error:
        raise RecordsLost("the log was cut below what had been read") from error
    except (theirs.CorruptRecordError, theirs.UnsupportedCodecError) as error:
        raise _Undecodable(type(error).__name__) from error
    except (theirs.KafkaError, OSError):
        with speaking(connection):
            raise
    except Exception as error:
        raise _Undecodable(type(error).__name__) from error


def _partition(topic: str) -> TopicPartition:
    return TopicPartition(topic, PARTITION)
