"""Two provinces and the exchange as processes that a test starts and ends itself, on the shared broker."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import striking
from tests.support.databases import place
from tests.support.kafka import Broker
from tests.support.province import alert, write_folder
from tests.support.world import World
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.process import is_ready
from tongbao_broker.trust.keys import save_private
from tongbao_connectors import drafts
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import InboxItem, Outbox
from tongbao_schemas.codes import EXCHANGE

ROOT = Path(__file__).parents[2]
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

    def start(self, code: str, *, struck: bool = False) -> subprocess.Popen[bytes]:
        """Starts a worker and waits until it says that it is ready; `struck`: one that takes strikes."""
        module = "tongbao_broker.exchange.worker" if code == EXCHANGE else "tongbao_connectors.worker"
        folder = self.folder / code
        ordinary = [sys.executable, "-m", module, str(folder)]
        process = subprocess.Popen(striking.command(module, folder) if struck else ordinary, cwd=ROOT)
        self.running[code] = process
        until(
            lambda: is_ready(self.folder / code, process.pid) or process.poll() is not None, f"{code} is up"
        )
        return process

    def kill(self, code: str) -> None:
        """SIGKILL for the worker that was started last for this participant."""
        self.running[code].kill()
        self.running.pop(code).wait()

    def end(self) -> None:
        """Kills what is still running."""
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
    for file in (
        exchange / "exchange.toml",
        *(tmp_path / code / "connector.toml" for code in (SENDER, RECEIVER)),
    ):
        place(file)
    save_private(exchange / "keys" / "checkpoint.pem", world.keys[EXCHANGE].checkpoint)
    with ExitStack() as stack:
        started = Processes(tmp_path)
        stack.callback(database.close)
        stack.callback(started.end)
        for code in (SENDER, RECEIVER):
            ConnectorSettings.load(tmp_path / code).open_database(migrate=True)
        yield started


def submit(*client_refs: str) -> None:
    """Alerts from the one to the other."""
    with database.use(SENDER):
        for client_ref in client_refs:
            drafts.submit(alert(client_ref, RECEIVER), origin=SENDER, by="A-0120", now=CLOCK.now())


def arrived() -> int:
    """How many alerts are in the receiver's inbox."""
    with database.use(RECEIVER):
        return InboxItem.objects.count()


def settled() -> bool:
    """Whether both provinces have everything that they sent settled."""
    states = set()
    for code in (SENDER, RECEIVER):
        with database.use(code):
            states |= set(Outbox.objects.values_list("state", flat=True))
    return states == {"settled"}
