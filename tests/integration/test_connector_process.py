"""Connectors and the exchange as real processes on a real broker: killed, ended, cut off."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.kafka import Broker
from tests.support.province import alert, write_folder
from tests.support.world import World
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.process import is_ready
from tongbao_broker.trust.keys import save_private
from tongbao_connectors import casework, drafts, trail
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import DeliveryGap, InboxItem, Incident, LeafBatch, Outbox
from tongbao_schemas.codes import EXCHANGE

pytestmark = pytest.mark.kafka

SENDER, RECEIVER = "610000", "620000"
TOPICS = (
    DIRECTORY_TOPIC,
    LEAVES_TOPIC,
    *(topic(code) for code in (SENDER, RECEIVER) for topic in (in_topic, out_topic)),
)
CLOCK = SystemClock()


def until(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Waits for something to come about."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


@dataclass
class Processes:
    """Worker processes by the folder they work for."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, code: str) -> subprocess.Popen[bytes]:
        """Starts a worker and waits until it says that it is ready."""
        module = "tongbao_broker.exchange.worker" if code == EXCHANGE else "tongbao_connectors.worker"
        process = subprocess.Popen([sys.executable, "-m", module, str(self.folder / code)])
        self.running[code] = process
        until(
            lambda: is_ready(self.folder / code, process.pid) or process.poll() is not None, f"{code} is up"
        )
        return process

    def kill(self, code: str) -> None:
        self.running[code].kill()
        self.running.pop(code).wait()

    def end(self) -> None:
        for code in list(self.running):
            self.kill(code)


@pytest.fixture
def processes(tmp_path: Path, broker: Broker) -> Iterator[Processes]:
    """The folders of two provinces and the exchange, with topics and certificates; nothing is running yet."""
    world = World.create((SENDER, RECEIVER), now=CLOCK.now())
    broker.set_up(world.directory.document)
    for topic in TOPICS:
        broker.recreate(topic)
    for code in (SENDER, RECEIVER, EXCHANGE):
        folder = write_folder(tmp_path / code, world, code)
        connection = broker.as_(code)
        (folder / "tls.pem").write_bytes(connection.certificate.read_bytes())
        (folder / "ca.pem").write_bytes(connection.ca.read_bytes())
        text = (folder / "connector.toml").read_text("utf-8").replace("127.0.0.1:9093", connection.bootstrap)
        (folder / "connector.toml").write_text(text, "utf-8")
    exchange = tmp_path / EXCHANGE
    (exchange / "exchange.toml").write_text(
        f'network = "{world.network}"\n[kafka]\nbootstrap = "{broker.server.bootstrap}"\n', "utf-8"
    )
    save_private(exchange / "keys" / "checkpoint.pem", world.keys[EXCHANGE].checkpoint)
    with ExitStack() as stack:
        started = Processes(tmp_path)
        stack.callback(database.close)
        stack.callback(started.end)
        for code in (SENDER, RECEIVER):
            ConnectorSettings.load(tmp_path / code).open_database(migrate=True)
        yield started


def submit(*client_refs: str) -> None:
    with database.use(SENDER):
        for client_ref in client_refs:
            drafts.submit(alert(client_ref, RECEIVER), origin=SENDER, by="A-0120", now=CLOCK.now())


def arrived() -> int:
    with database.use(RECEIVER):
        return InboxItem.objects.count()


def settled() -> bool:
    states = set()
    for code in (SENDER, RECEIVER):
        with database.use(code):
            states |= set(Outbox.objects.values_list("state", flat=True))
    return states == {"settled"}


def test_an_alert_goes_there_and_back_and_sigterm_ends_everything(processes: Processes) -> None:
    """Sent, delivered, signed for, answered over the real broker; then each process ends in time with 0."""
    for code in (EXCHANGE, SENDER, RECEIVER):
        processes.start(code)
    submit("a-1")
    until(lambda: arrived() == 1, "the alert arrives")
    with database.use(RECEIVER):
        [item] = casework.list_inbox()
        roster = ConnectorSettings.load(processes.folder / RECEIVER).roster()
        who = {"officer_ref": item.officer_ref, "roster": roster, "at": CLOCK.now()}
        casework.claim(item.number, **who)
        casework.answer(
            item.number, kind="result", text="演练：已查获", outcome="seized", origin=RECEIVER, **who
        )
    expected = {RECEIVER: ["admitted", "delivered", "routed", "claimed", "result"]}

    def came_back() -> bool:
        with database.use(SENDER):
            return trail.stages(item.message_id, code=SENDER) == expected

    until(came_back, "all stages are back at the origin")
    until(settled, "everything is settled")
    with database.use(SENDER):
        assert trail.find(item.message_id, code=SENDER, network="test").proof is not None
    begun = time.monotonic()
    for process in processes.running.values():
        process.terminate()
    assert [process.wait(5) for process in processes.running.values()] == [0, 0, 0]
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("victim", [SENDER, RECEIVER, EXCHANGE])
def test_every_alert_arrives_once_though_a_process_is_killed(processes: Processes, victim: str) -> None:
    """SIGKILL in the middle of the traffic, three times; nothing is lost, doubled or left open."""
    for code in (EXCHANGE, SENDER, RECEIVER):
        processes.start(code)
    for run in range(3):
        submit(*(f"{run}-{index}" for index in range(20)))
        time.sleep(0.15 * (run + 1))
        processes.kill(victim)
        processes.start(victim)
    until(lambda: arrived() == 60, "60 alerts arrive")
    until(settled, "everything is settled", 60)

    assert arrived() == 60
    with database.use(SENDER):
        seqs = sorted(Outbox.objects.values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))
    for code in (SENDER, RECEIVER):
        with database.use(code):
            assert DeliveryGap.objects.count() == 0
            assert list(Incident.objects.values_list("kind", flat=True)) == []
            assert LeafBatch.objects.count() > 0


def test_a_frozen_connector_commits_nothing_after_a_second_one_took_over(processes: Processes) -> None:
    """SIGSTOP, a successor does the work, SIGCONT: the first ends by itself."""
    processes.start(EXCHANGE)
    processes.start(SENDER)
    frozen = processes.start(RECEIVER)
    submit("a-1")
    until(lambda: arrived() == 1, "the first alert")
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        processes.start(RECEIVER)
        submit(*(f"b-{index}" for index in range(10)))
        until(lambda: arrived() == 11, "the successor takes ten")
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    try:
        assert frozen.wait(30) != 0
    finally:
        frozen.kill()

    assert arrived() == 11


def test_without_a_broker_the_process_says_so_and_ends(processes: Processes) -> None:
    """Exit code 69; its supervisor tries again."""
    file = processes.folder / SENDER / "connector.toml"
    text = file.read_text("utf-8")
    file.write_text("\n".join([*text.splitlines()[:-1], 'bootstrap = "127.0.0.1:1"']), "utf-8")

    assert processes.start(SENDER).wait(30) == 69
