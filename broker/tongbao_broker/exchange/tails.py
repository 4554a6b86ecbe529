"""At the start: do the topics know anything that our tables don't?

1. A delivery, head or leaf in a topic that our tables never gave out means that an old copy of the database
   was put back: the exchange doesn't start, or it would give the same numbers to other messages. What was
   lost can't be made from the topics (none holds when rejected records were entered, or everything that was
   delivered), so the message says how new a backup must be.
2. Where the leaves' topic knows less than we have marked as published, it was made anew: the rest is
   published again.
3. Only tails are read. Every delivery and every head carries the lane's number, so the last few records
   tell.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Protocol

from tongbao_broker.errors import DatabaseOlderThanLog, TopicRefused, Unreachable, Words
from tongbao_broker.exchange.dispatch import LaneState
from tongbao_broker.kafka.reader import Batch, Record
from tongbao_broker.kafka.topics import LEAVES_TOPIC, in_topic
from tongbao_schemas.encoding import format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import HeadHeader, parse_header
from tongbao_schemas.record import parse_in

__all__ = ["OpenSource", "Source", "check_lanes", "check_leaves", "readable", "tail"]

TAIL = 50
"""How many records are looked at; the last few may be old deliveries that were sent again."""
PATIENCE_S = 20.0
AT_ONCE = 500


class Source(Protocol):
    """What reads: `tongbao_broker.kafka.reader.Reader`."""

    def identity(self, topic: str) -> tuple[str, str]: ...
    def seek(self, topic: str, offset: int) -> None: ...
    def first_offset(self, topic: str) -> int: ...
    def end_offset(self, topic: str) -> int: ...
    def end_seen(self, topic: str) -> int | None: ...
    def poll(self, timeout_s: float, max_records: int) -> list[Batch]: ...
    def close(self) -> None: ...


OpenSource = Callable[[Sequence[str]], Source]


def readable(open_source: OpenSource, topics: Sequence[str]) -> list[str]:
    """Those of the topics that exist and are open to us, tried one by one."""
    return [topic for topic in topics if _opens(open_source, topic)]


def _opens(open_source: OpenSource, topic: str) -> bool:
    try:
        open_source([topic]).close()
    except TopicRefused:
        return False
    return True


def check_lanes(open_source: OpenSource, lanes: Mapping[str, LaneState]) -> None:
    """Raises DatabaseOlderThanLog where an `in` topic holds a delivery number that its lane never gave out.

    A topic that can't be read is passed over: its lane waits until it can be written.
    """
    codes = {in_topic(code): code for code in lanes}
    try:
        source = open_source(topics := list(codes))
    except TopicRefused:
        source = open_source(topics := readable(open_source, list(codes)))
    with closing(source):
        records = list(tail(source, topics))
    for topic, record in records:
        number, ours = _delivery_seq(record.value or b""), lanes[codes[topic]].delivery_seq
        if number > ours:
            raise _older(topic, Words(f"投递 {number}", f"delivery {number}"), ours, records)


def check_leaves(source: Source, size: int, published: int) -> int:
    """How many leaves count as published: what the tables say, or less where the topic was made anew.

    Raises DatabaseOlderThanLog where the topic holds more leaves than our trail.
    """
    records = list(tail(source, (LEAVES_TOPIC,)))
    end = max((_end(record.value or b"") for _, record in records), default=0)
    if end > size:
        raise _older(LEAVES_TOPIC, Words(f"{end} 个叶子", f"{end} leaves"), size, records)
    return min(published, end)


def _older(
    topic: str, found: Words, ours: int, records: Iterable[tuple[str, Record]]
) -> DatabaseOlderThanLog:
    """What is wrong, and how new a backup has to be: newer than the newest record that was looked at."""
    newest = max(record.timestamp_ms for _, record in records)
    at = format_time(datetime.fromtimestamp(newest / 1000, UTC))
    return DatabaseOlderThanLog(
        Words(
            f"{topic}：主题中有{found.zh}，数据库只到 {ours}", f"{topic}: {found.en}, tables end at {ours}"
        ),
        Words(
            f"恢复 {at} 之后的备份；平台的数据库不能从主题重建（见 docs/operations.md）。",
            f"Restore a backup that was made after {at}; the topics don't hold all that the exchange's "
            "database does (docs/operations.md).",
        ),
    )


def tail(source: Source, topics: Sequence[str]) -> Iterator[tuple[str, Record]]:
    """The last records of each topic that have a value. Raises Unreachable when they don't come."""
    waiting = {}
    for topic in topics:
        first, end = source.first_offset(topic), source.end_offset(topic)
        source.seek(topic, max(first, end - TAIL))
        if end > first:
            waiting[topic] = end
    deadline = time.monotonic() + PATIENCE_S
    while waiting:
        if time.monotonic() > deadline:
            raise Unreachable(f"the tail of {next(iter(waiting))} doesn't come")
        for batch in source.poll(0.2, AT_ONCE):
            yield from ((batch.topic, record) for record in batch.records if record.value is not None)
            if batch.next >= waiting.get(batch.topic, 0):
                waiting.pop(batch.topic, None)


def _delivery_seq(value: bytes) -> int:
    """The lane's number in a delivery or head; 0 for what is neither."""
    try:
        record = parse_in(value)
        header = parse_header(record.envelope.payload)
    except Refused:
        return 0
    if isinstance(header, HeadHeader):
        return header.content.delivery_seq
    return record.stamp.delivery_seq if record.stamp else 0


def _end(value: bytes) -> int:
    """The size that a record of leaves reaches up to; 0 for what is none."""
    try:
        record = json.loads(value)
        return int(record["from"]) + len(record["hashes"])
    except (ValueError, KeyError, TypeError):
        return 0
