"""Writes records, in order, and says that a record is written only when the broker has said so.

1. Idempotent, acknowledged by all replicas, uncompressed, in large batches.
2. An acknowledgement is the record's metadata with its topic and an offset; anything else isn't one.
3. The library's producer doesn't survive a failure. When the broker *refuses* something (a topic that is
   missing or closed, a record too large), nothing is in doubt: a new producer takes the old one's place, and
   TopicRefused is raised. When an answer *fails to come*, what is in the log is in doubt and the old one's
   threads may hang: WriterBroken is raised, for ever after, and the process has to end. Its successor writes
   again whatever isn't marked as published.
4. A value over the topic's limit is refused before it is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer
from kafka import errors as theirs
from kafka.producer.future import RecordMetadata

from tongbao_broker.errors import NoRight, OperationError, TopicRefused, Unreachable, WriterBroken
from tongbao_broker.kafka.client import Connection, administration, await_answer, speaking
from tongbao_broker.kafka.topics import PARTITION, value_limit

DELIVERY_S = 20
REFUSALS = (
    theirs.InvalidTopicError,
    theirs.MessageSizeTooLargeError,
    theirs.RecordListTooLargeError,
    theirs.TopicAuthorizationFailedError,
    theirs.UnknownTopicOrPartitionError,
)
DENIED = theirs.ClusterAuthorizationFailedError.__name__
"""Who may write no topic at all gets this name inside a plain error's text."""
SETTINGS = {
    "enable_idempotence": True,
    "acks": "all",
    "compression_type": None,
    "batch_size": 256 * 1024,
    "linger_ms": 5,
    "max_in_flight_requests_per_connection": 5,
    "max_request_size": 2 * 1024 * 1024,
    "max_block_ms": 5_000,
    "request_timeout_ms": DELIVERY_S * 500,
    "delivery_timeout_ms": DELIVERY_S * 1000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}


@dataclass(frozen=True)
class Outgoing:
    """A record to write. Key and headers are for people and their tools; logic reads the value only."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


class Writer:
    """One idempotent producer. Not for several threads."""

    def __init__(self, connection: Connection) -> None:
        """Raises Unreachable or BadConfiguration."""
        self._connection = connection
        await_answer(connection)
        self._producer = self._opened()
        self._broken = ""

    def send_all(self, items: Sequence[Outgoing]) -> list[int]:
        """Writes the items in their order and returns their offsets once all are acknowledged.

        Raises TopicRefused (with items of one topic, it is that topic) or NoRight; items may have been
        written all the same. Raises WriterBroken when the process has to end.
        """
        if self._broken:
            raise WriterBroken(self._broken)
        for item in items:
            _check_size(item)
        try:
            return self._written(items)
        except REFUSALS as error:
            self._replace()
            raise TopicRefused(_what(items, error)) from error
        except (theirs.KafkaError, OSError) as error:
            if DENIED in str(error):
                self._replace()
                raise NoRight(_what(items, error)) from error
            raise self._break(_what(items, error)) from error

    def close(self) -> None:
        """Ends the producer; one that is broken is left to the end of the process."""
        if not self._broken:
            self._producer.close(timeout=1)

    def _written(self, items: Sequence[Outgoing]) -> list[int]:
        futures = [self._sent(item) for item in items]
        self._producer.flush(timeout=DELIVERY_S + 5)
        return [_offset(item, future.get(timeout=1)) for item, future in zip(items, futures, strict=True)]

    def _sent(self, item: Outgoing) -> Any:
        headers = list(item.headers)
        try:
            return self._producer.send(item.topic, item.value, item.key, headers, partition=PARTITION)
        except theirs.KafkaTimeoutError:
            if self._is_missing(item.topic):
                raise theirs.UnknownTopicOrPartitionError(item.topic) from None
            raise

    def _is_missing(self, topic: str) -> bool:
        """The library only says that it waited too long; a missing topic is no reason to end the process."""
        try:
            with administration(self._connection) as admin:
                return any(each["error_code"] for each in admin.describe_topics([topic]))
        except OperationError:
            return False

    def _opened(self) -> KafkaProducer:
        with speaking(self._connection):
            return KafkaProducer(**{**self._connection.settings(), **SETTINGS})

    def _replace(self) -> None:
        self._producer.close(timeout=1)
        try:
            await_answer(self._connection)
            self._producer = self._opened()
        except Unreachable as error:
            raise self._break(error.detail) from error

    def _break(self, detail: str) -> WriterBroken:
        self._broken = detail
        return WriterBroken(detail)


def _check_size(item: Outgoing) -> None:
    limit = value_limit(item.topic)
    if len(item.value) > limit:
        raise TopicRefused(f"{item.topic}: a value of {len(item.value)} bytes; {limit} is the limit")


def _offset(item: Outgoing, metadata: object) -> int:
    if isinstance(metadata, RecordMetadata) and metadata.topic == item.topic and metadata.offset >= 0:
        return int(metadata.offset)
    raise theirs.KafkaError("no acknowledgement")


def _what(items: Sequence[Outgoing], error: Exception) -> str:
    topics = " ".join(sorted({item.topic for item in items}))
    return f"{topics}: {type(error).__name__}"
