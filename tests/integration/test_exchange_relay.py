"""The exchange as a process on a real broker: provinces write and read with their own certificates."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.kafka import Broker
from tests.support.network import until
from tests.support.world import World, fields_of
from tongbao_broker.clock import SystemClock
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing, Writer
from tongbao_broker.process import is_ready
from tongbao_broker.trust.checkpoint import verify_checkpoint
from tongbao_broker.trust.keys import save_private
from tongbao_broker.trust.merkle import leaf_hash, verify_inclusion
from tongbao_broker.trust.verify import verify_message
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import compact_json, sha256_hex
from tongbao_schemas.header import HeadHeader, NoticeHeader, parse_header
from tongbao_schemas.record import InRecord, OutRecord, ce_headers, encode_out, parse_in
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind, leaf_bytes

pytestmark = pytest.mark.kafka

SHAANXI, GANSU = "610000", "620000"
PATIENCE_S = 30.0


@dataclass
class Exchange:
    """The exchange's folder and its process."""

    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        command = [sys.executable, "-m", "tongbao_broker.exchange.worker", str(self.folder)]
        self.process = subprocess.Popen(command, start_new_session=True)
        until(
            lambda: is_ready(self.folder, self.process.pid) or self.process.poll() is not None,
            PATIENCE_S,
            "the worker is ready",
        )
        assert self.process.poll() is None, "the exchange did not start"

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=10)


@dataclass
class Province:
    """A province with its own reader and writer; `received` is all it has read from its `in` topic."""

    code: str
    reader: Reader
    writer: Writer
    received: list[InRecord] = field(default_factory=list)

    def write(self, *values: OutRecord | bytes) -> list[int]:
        data = [encode_out(value) if isinstance(value, OutRecord) else value for value in values]
        return self.writer.send_all([Outgoing(out_topic(self.code), None, value) for value in data])

    def read(self) -> list[InRecord]:
        for batch in self.reader.poll(0.1, 500):
            self.received += [parse_in(record.value) for record in batch.records if record.value]
        return self.received

    def delivery(self, message: OutRecord) -> InRecord:
        """The delivery of this message, once it has come."""
        found: list[InRecord] = []

        def come() -> bool:
            found[:] = [record for record in self.read() if record.out == message]
            return bool(found)

        until(come, PATIENCE_S, "the records have come")
        return found[0]

    def notice(self, matches: Callable[[Any], bool]) -> NoticeHeader:
        """The first notice whose content matches, once it has come."""
        return self._said(NoticeHeader, matches)

    def head(self, matches: Callable[[Any], bool]) -> HeadHeader:
        """The first head whose content matches, once it has come."""
        return self._said(HeadHeader, matches)

    def _said(self, kind: type[Any], matches: Callable[[Any], bool]) -> Any:
        found: list[Any] = []

        def come() -> bool:
            headers = [parse_header(record.envelope.payload) for record in self.read()]
            found[:] = [each for each in headers if isinstance(each, kind) and matches(each.content)]
            return bool(found)

        until(come, PATIENCE_S, "the records have come")
        return found[0]


class NotText(str):
    """A name that is written as bytes which are no UTF-8."""

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe"


@pytest.fixture(scope="module")
def world() -> World:
    return World.create((SHAANXI, GANSU), now=SystemClock().now())


@pytest.fixture(scope="module")
def exchange(broker: Broker, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A running exchange with a trail of its own."""
    broker.set_up(world.directory.document)
    own = [topic(code) for code in (SHAANXI, GANSU) for topic in (in_topic, out_topic)]
    for topic in (LEAVES_TOPIC, DIRECTORY_TOPIC, *own):
        broker.recreate(topic)
    running = Exchange(fill(tmp_path_factory.mktemp(EXCHANGE), broker, world))
    running.start()
    yield running
    running.end()


@pytest.fixture
def shaanxi(broker: Broker, exchange: Exchange) -> Iterator[Province]:
    yield from province(broker, SHAANXI)


@pytest.fixture
def gansu(broker: Broker, exchange: Exchange) -> Iterator[Province]:
    yield from province(broker, GANSU)


def province(broker: Broker, code: str) -> Iterator[Province]:
    connection = broker.as_(code)
    with closing(Reader(connection, [in_topic(code)])) as reader, closing(Writer(connection)) as writer:
        yield Province(code, reader, writer)


def fill(folder: Path, broker: Broker, world: World) -> Path:
    """The files that the exchange reads."""
    settings = f'network = "{world.network}"\n[kafka]\nbootstrap = "{broker.server.bootstrap}"\n'
    (folder / "exchange.toml").write_text(settings, encoding="utf-8")
    connection = broker.as_(EXCHANGE)
    (folder / "tls.pem").write_bytes(connection.certificate.read_bytes())
    (folder / "ca.pem").write_bytes(connection.ca.read_bytes())
    save_private(folder / "keys" / "message.pem", world.keys[EXCHANGE].message)
    save_private(folder / "keys" / "checkpoint.pem", world.keys[EXCHANGE].checkpoint)
    (folder / "trust.json").write_bytes(world.trust_file.encode())
    (folder / "pinned-root.json").write_bytes(compact_json(world.root.as_json()))
    return folder


def alert(world: World) -> OutRecord:
    return world.message("alert", SHAANXI, [GANSU])


def test_an_alert_comes_with_a_stamp_that_verifies_and_its_origin_hears_of_it(
    world: World, shaanxi: Province, gansu: Province
) -> None:
    """Delivered bytes, proof of entry, the notice and the head: all signed by the exchange."""
    record = alert(world)
    fields = fields_of(record)
    shaanxi.write(record)

    delivery = gansu.delivery(record)
    notice = shaanxi.notice(lambda content: content.of == fields["id"])
    head = shaanxi.head(lambda content: content.settled_seq >= fields["seq"])

    assert delivery.stamp is not None
    leaf = delivery.stamp.leaf
    keys = world.directory.checkpoint_keys(leaf.admitted_at)
    note = verify_checkpoint(delivery.stamp.checkpoint, world.network, keys)
    hashed = leaf_hash(
        leaf_bytes(world.network, LeafKind.ADMITTED, leaf.index, leaf.digest, leaf.admitted_at, 1)
    )
    proof = [bytes.fromhex(node) for node in delivery.stamp.proof]
    verify_inclusion(hashed, leaf.index, note.size, proof, note.root)
    assert (notice.content.kind, notice.content.index) == ("admitted", leaf.index)
    assert head.content.holes == ()


def test_what_the_exchange_says_is_signed_by_it(world: World, shaanxi: Province) -> None:
    """Notices and heads verify like any message, by the exchange's own key."""
    shaanxi.write(alert(world))
    shaanxi.notice(lambda content: content.kind == "admitted")

    for record in shaanxi.received:
        verified = verify_message(
            record.out,
            directory=world.directory,
            network=world.network,
            at=SystemClock().now(),
            owner=EXCHANGE,
        )
        assert verified.header.origin == EXCHANGE


def test_a_bad_record_is_noticed_and_delays_nobody(world: World, shaanxi: Province, gansu: Province) -> None:
    """Its writer learns the code and the place; the alert behind it arrives."""
    bad, good = b'{"message": {}}', alert(world)

    offset, _ = shaanxi.write(bad, good)

    notice = shaanxi.notice(lambda content: content.kind == "rejected" and content.record.offset == offset)
    assert (notice.content.code, notice.content.record.sha256) == (Code.ENVELOPE_SHAPE, sha256_hex(bad))
    gansu.delivery(good)


def test_a_record_with_a_header_name_that_is_no_text_delays_nobody(
    world: World, shaanxi: Province, gansu: Province
) -> None:
    """What the client can't decode is noticed as unreadable and passed."""
    record, header = alert(world), parse_header(alert(world).envelope.payload)
    [place] = shaanxi.writer.send_all(
        [Outgoing(out_topic(SHAANXI), None, encode_out(record), [*ce_headers(header), (NotText("bad"), b"")])]
    )
    good = alert(world)
    shaanxi.write(good)

    gansu.delivery(good)
    notice = shaanxi.notice(lambda content: content.kind == "rejected" and content.record.offset == place)

    assert notice.content.code == Code.RECORD_UNREADABLE


def test_kill_and_restart_leave_no_gap(
    world: World, exchange: Exchange, shaanxi: Province, gansu: Province
) -> None:
    """Killed twice in the middle of 150 alerts: each is delivered, in order, and the numbers have no gap."""
    records = [alert(world) for _ in range(150)]
    for start in range(0, 150, 50):
        shaanxi.write(*records[start : start + 50])
        gansu.delivery(records[start])
        if start < 100:
            exchange.kill()
            exchange.start()
    gansu.delivery(records[-1])

    stamps = {record.stamp.delivery_seq: record for record in gansu.received if record.stamp}

    assert sorted(stamps) == list(range(1, max(stamps) + 1))
    wanted = {record.envelope.digest for record in records}
    in_order = [stamps[number].envelope.digest for number in sorted(stamps)]
    assert [digest for digest in in_order if digest in wanted] == [each.envelope.digest for each in records]
    leaves = [record.stamp.leaf.index for _, record in sorted(stamps.items()) if record.stamp]
    assert leaves == sorted(set(leaves))


def test_sigterm_ends_it_in_good_order(exchange: Exchange) -> None:
    """Exit code 0 within ten seconds; it can be started again at once."""
    code = exchange.end()
    exchange.start()

    assert code == 0
