"""The security tax: signing, sealing and accepting against plain kafka-python with JSON, on the same broker.

1. The plain side is what one writes without Tongbao: `json.dumps` and `send`, `poll` and `json.loads`, with
   the same connection (mutual TLS) and the same producer settings.
2. *signed* is a DSSE envelope around the same text; *sealed* is a whole alert, composed as the connector
   does, without its tables; *accept* is steps 1 to 7 of acceptance on real deliveries, opened and checked,
   without storing.
3. All five are measured in turns; a ratio is taken within one turn.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from bench.alerts import alert
from bench.network import RECEIVER, SENDER, Network
from tongbao_broker.clock import SystemClock
from tongbao_broker.kafka import reader as kafka_reader
from tongbao_broker.kafka import writer as kafka_writer
from tongbao_broker.kafka.client import administration
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.writer import Outgoing, Writer
from tongbao_broker.trust import dsse
from tongbao_connectors import services
from tongbao_connectors.acceptance import Accept, Examined, Known, View, decide, examine
from tongbao_connectors.composing import Office, Place, compose
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.envelope import MESSAGE_TYPE
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.number import readable_number
from tongbao_schemas.record import OutRecord, ce_headers, encode_out
from tongbao_schemas.submission import parse_submission

PLAIN, SECURE = "bench.plain.v1", "bench.secure.v1"
AT_ONCE = 500
POLL_MS = 200
EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True)
class Tax:
    """Messages a second of each way; its ratio to the plain one by the clock, and by this process's CPU."""

    way: str
    against: str
    rate: float
    ratio: float
    cpu_ratio: float


@dataclass(frozen=True)
class _Run:
    wall: float
    cpu: float


def taxes(network: Network, count: int, size: int, rounds: int) -> list[Tax]:
    """Measures with `count` messages a turn. Deliveries of that size must lie in the receiver's topic."""
    with administration(network.operator) as admin:
        topics = {name: {"num_partitions": 1, "replication_factor": 1} for name in (PLAIN, SECURE)}
        admin.create_topics(topics, wait_for_metadata=True)
    ways = _ways(network, count, size)
    runs: dict[str, list[_Run]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            run = _timed(way, count)
            if turn:  # the first one warms up
                runs[name].append(run)
    produced = [_tax(name, "produce", runs) for name in ("produce", "signed", "sealed")]
    return [*produced, *(_tax(name, "consume", runs) for name in ("consume", "accept"))]


def _tax(name: str, against: str, runs: dict[str, list[_Run]]) -> Tax:
    pairs = list(zip(runs[against], runs[name], strict=True))
    return Tax(
        name,
        against,
        1 / median(run.wall for run in runs[name]),
        median(plain.wall / ours.wall for plain, ours in pairs),
        median(plain.cpu / ours.cpu for plain, ours in pairs),
    )


def _timed(way: Callable[[], None], count: int) -> _Run:
    wall, cpu = time.perf_counter(), time.process_time()
    way()
    return _Run((time.perf_counter() - wall) / count, (time.process_time() - cpu) / count)


def _ways(network: Network, count: int, size: int) -> dict[str, Callable[[], None]]:
    data = alert(size, (RECEIVER,), "bench-tax")
    plain = json.loads(data)
    producer = KafkaProducer(**{**network.operator.settings(), **kafka_writer.SETTINGS})
    writer = Writer(network.operator)
    records, deliveries = _Plain(network, count), _Deliveries(network, count)
    return {
        "produce": lambda: _produce(producer, plain, count),
        "signed": lambda: _send(writer, _signed(network, plain, count)),
        "sealed": lambda: _send(writer, _sealed(network, data, count)),
        "consume": records.consume,
        "accept": deliveries.accept,
    }


def _produce(producer: KafkaProducer, message: dict[str, Any], count: int) -> None:
    for _ in range(count):
        producer.send(PLAIN, json.dumps(message, ensure_ascii=False).encode(), partition=0)
    producer.flush()


def _send(writer: Writer, items: Iterator[Outgoing]) -> None:
    while batch := [item for item, _ in zip(items, range(AT_ONCE), strict=False)]:
        writer.send_all(batch)


def _signed(network: Network, message: dict[str, Any], count: int) -> Iterator[Outgoing]:
    key = network.settings(SENDER).message_key()
    for _ in range(count):
        envelope = dsse.sign(compact_json(message), MESSAGE_TYPE, [key])
        yield Outgoing(SECURE, None, encode_out(OutRecord(envelope)))


def _sealed(network: Network, data: bytes, count: int) -> Iterator[Outgoing]:
    settings, now = network.settings(SENDER), SystemClock().now()
    directory = services.directory(network.workspace)
    office = Office(settings.network, SENDER, settings.message_key())
    for serial in range(1, count + 1):
        message_id = new_id(now)
        composed = compose(
            parse_submission(data),
            office=office,
            directory=directory,
            place=Place(serial, (0, EMPTY_ROOT), now),
            message_id=message_id,
            thread=message_id,
            number=readable_number(SENDER, now.year, serial),
            thread_opened_at=None,
        )
        yield Outgoing(SECURE, message_id.encode(), composed.value, ce_headers(composed.header))


class _Plain:
    """The plain records, read over and over."""

    def __init__(self, network: Network, count: int) -> None:
        self._count = count
        self._partition = TopicPartition(PLAIN, 0)
        self._consumer = KafkaConsumer(**{**network.operator.settings(), **kafka_reader.SETTINGS})
        self._consumer.assign([self._partition])

    def consume(self) -> None:
        self._consumer.seek(self._partition, 0)
        seen = 0
        while seen < self._count:
            polled = self._consumer.poll(timeout_ms=POLL_MS, max_records=min(AT_ONCE, self._count - seen))
            for records in polled.values():
                seen += len([json.loads(record.value) for record in records])


class _Deliveries:
    """Real deliveries, accepted over and over: nothing is stored, so none is a duplicate."""

    def __init__(self, network: Network, count: int) -> None:
        settings = network.settings(RECEIVER)
        directory = services.directory(network.workspace)
        self._count = count
        self._topic = settings.in_topic
        self._reader = Reader(network.operator, [self._topic])
        self._view = View(
            RECEIVER,
            settings.network,
            directory,
            lambda _version: directory,
            settings.seal_keys(),
            SystemClock().now(),
        )

    def accept(self) -> None:
        self._reader.seek(self._topic, 0)
        accepted = 0
        while accepted < self._count:
            values = _values(self._reader, min(AT_ONCE, self._count - accepted))
            examined = (examine(value, self._view) for value in values)
            found = [one for one in examined if isinstance(one, Examined) and one.header.origin != EXCHANGE]
            outcomes = [decide(one, Known(), self._view) for one in found]
            accepted += sum(isinstance(outcome, Accept) for outcome in outcomes)


def _values(reader: Reader, most: int) -> Sequence[bytes]:
    batches = reader.poll(POLL_MS / 1000, most)
    return [record.value for batch in batches for record in batch.records if record.value is not None]
