"""What the reader and the writer do while the broker is frozen or gone, and after it is back."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.support.kafka import Broker, directory
from tongbao_broker.errors import WriterBroken
from tongbao_broker.kafka import reader as reading
from tongbao_broker.kafka import writer as writing
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import out_topic
from tongbao_broker.kafka.writer import Outgoing, Writer

pytestmark = pytest.mark.kafka

CODE = "520000"
IMPATIENT = {"delivery_timeout_ms": 3000, "request_timeout_ms": 1500, "max_block_ms": 2000}


@pytest.fixture
def world(own_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker of our own, and writers that lose patience soon."""
    monkeypatch.setattr(writing, "SETTINGS", writing.SETTINGS | IMPATIENT)
    monkeypatch.setattr(writing, "DELIVERY_S", 3)
    own_broker.set_up(directory(p520000="active"))
    return own_broker


def one(content: bytes) -> list[Outgoing]:
    return [Outgoing(out_topic(CODE), None, content)]


def read_until(reader: Reader, content: bytes, seconds: float = 30) -> list[bytes | None]:
    """Everything read until `content` came."""
    found: list[bytes | None] = []
    until = time.monotonic() + seconds
    while content not in found:
        assert time.monotonic() < until, f"only {found}"
        found += [record.value for batch in reader.poll(0.2, 10) for record in batch.records]
    return found


@contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    os.killpg(broker.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(broker.process.pid, signal.SIGCONT)


def test_frozen_broker_breaks_the_writer_in_time_and_the_reader_goes_on(
    world: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the broker is frozen a send ends in WriterBroken, a poll in nothing; then all flows.

    The old writer stays broken; what it could not confirm is written again by its successor.
    """
    connection = world.as_(CODE)
    with closing(Reader(connection, [out_topic(CODE)])) as reader:
        writer = Writer(connection)
        writer.send_all(one(b"before"))
        read_until(reader, b"before")
        with frozen(world):
            monkeypatch.setattr(reading, "IDENTITY_EVERY_S", 0.0)
            started = time.monotonic()
            with pytest.raises(WriterBroken):
                writer.send_all(one(b"lost?"))
            assert reader.poll(0.1, 10) == []
            assert time.monotonic() - started < 15
        with pytest.raises(WriterBroken):
            writer.send_all(one(b"never"))
        with closing(Writer(connection)) as successor:
            successor.send_all(one(b"lost?"))
            successor.send_all(one(b"after"))
        found = read_until(reader, b"after")

    assert found[-1] == b"after"
    assert set(found) == {b"lost?", b"after"}


def test_killed_broker_comes_back_with_what_was_acknowledged(
    world: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker killed outright and started again has every acknowledged record; the same reader goes on."""
    connection = world.as_(CODE)
    with closing(Reader(connection, [out_topic(CODE)])) as reader:
        with closing(Writer(connection)) as writer:
            writer.send_all(one(b"acknowledged"))
        read_until(reader, b"acknowledged")
        os.killpg(world.process.pid, signal.SIGKILL)
        world.process.wait()
        monkeypatch.setattr(reading, "IDENTITY_EVERY_S", 0.0)
        assert reader.poll(0.1, 10) == []
        with _restarted(world):
            with closing(Writer(connection)) as successor:
                successor.send_all(one(b"after"))
            found = read_until(reader, b"after")
            reader.seek(out_topic(CODE), 0)
            again = read_until(reader, b"after")

    assert found == [b"after"]
    assert again == [b"acknowledged", b"after"]


@contextmanager
def _restarted(broker: Broker) -> Iterator[None]:
    broker.server.prepare()
    with broker.server.log_file.open("ab") as log:
        process = subprocess.Popen(broker.server.command(), stdout=log, stderr=log, start_new_session=True)
    try:
        broker.server.wait_ready(60)
        yield
    finally:
        process.kill()
        process.wait()
