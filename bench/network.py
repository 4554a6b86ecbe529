"""A network to measure: real Kafka, the exchange and only those connectors that a measurement needs.

What a process used is read from /proc, so it is what the kernel counted, whichever way the work was done.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tongbao_broker import database, process
from tongbao_broker.clock import SystemClock
from tongbao_broker.exchange.settings import ExchangeSettings
from tongbao_broker.kafka.client import Connection
from tongbao_broker.kafka.server import EmbeddedKafka
from tongbao_connectors import services, workspace
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import Workspace
from tongbao_schemas.codes import EXCHANGE

SENDER, RECEIVER = "520000", "440000"
KAFKA = "kafka"
NAMES = {KAFKA: "Kafka", EXCHANGE: "exchange", SENDER: "sender", RECEIVER: "receiver"}
EXCHANGE_APPS = ("tongbao_broker.streams", "tongbao_broker.exchange")
READY_S = 60.0
LOOK_S = 0.02
TICK = os.sysconf("SC_CLK_TCK")

_began = time.monotonic()


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"[{time.monotonic() - _began:6.1f} s] {text}", file=sys.stderr, flush=True)


def until(holds: Callable[[], object], what: str, within_s: float = READY_S, look_s: float = LOOK_S) -> None:
    """Returns as soon as it holds; RuntimeError when the time is over."""
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"within {within_s:.0f} s: {what}")
        time.sleep(look_s)


@dataclass
class Network:
    """A network in a temporary folder, and its processes."""

    workspace: Workspace
    server: EmbeddedKafka
    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def operator(self) -> Connection:
        """The super user's way to the broker."""
        return self.server.connection

    def settings(self, code: str) -> ConnectorSettings:
        return ConnectorSettings.load(self.workspace.province(code))

    def open_province(self, code: str) -> str:
        """Opens a province's database; the name for `database.use`."""
        return self.settings(code).open_database()

    def open_exchange(self) -> str:
        """Opens the exchange's database; the name for `database.use`."""
        url = ExchangeSettings.load(self.workspace.exchange).database_url
        database.open_database(EXCHANGE, url, EXCHANGE_APPS)
        return EXCHANGE

    def start(self, *names: str, traced: bool = False) -> None:
        """Starts workers and waits until they are ready; traced ones write down what they do when."""
        for name in names:
            module = "tongbao_broker.exchange.worker" if name == EXCHANGE else "tongbao_connectors.worker"
            folder = self.workspace.participant(name)
            command = [sys.executable, "-m", module, str(folder)]
            if traced:
                command[2:] = ["bench.traced", str(folder), str(self.trace_file(name))]
            self._spawn(name, command, folder / "output.log")
        until(lambda: all(self._is_ready(name) for name in names), "the workers are ready")

    def start_kafka(self) -> None:
        self.server.prepare()
        self._spawn(KAFKA, self.server.command(), self.server.log_file)
        self.server.wait_ready(READY_S)
        services.apply_topology(self.workspace)

    def stop(self, *names: str) -> None:
        """Ends workers as their supervisor does."""
        for name in names:
            self.children[name].send_signal(signal.SIGTERM)
        for name in names:
            self.children.pop(name).wait(READY_S)

    def close(self) -> None:
        """Ends every process at once."""
        for child in reversed(list(self.children.values())):
            child.kill()
            child.wait()

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of every process so far."""
        return {name: _cpu_s(child.pid) for name, child in self.children.items()}

    def peaks_mib(self) -> dict[str, float]:
        """The most memory that every process has had, in MiB."""
        return {name: _peak_mib(child.pid) for name, child in self.children.items()}

    def trace_file(self, name: str) -> Path:
        """What a traced worker wrote down."""
        return self.workspace.participant(name) / "trace.txt"

    def _is_ready(self, name: str) -> bool:
        return process.is_ready(self.workspace.participant(name), self.children[name].pid)

    def _spawn(self, name: str, command: Sequence[str], log: Path) -> None:
        with log.open("ab") as output:
            self.children[name] = subprocess.Popen(
                command, stdout=output, stderr=output, env=process.supervised(dict(os.environ))
            )


@contextmanager
def running(change: Callable[[Workspace], None] = lambda _made: None) -> Iterator[Network]:
    """A fresh network in which Kafka runs, and nothing else yet; everything is gone afterwards.

    `change` is done to it first.
    """
    folder = Path(tempfile.mkdtemp(prefix="tongbao-bench-"))
    made = workspace.settle_ports(workspace.create(folder / "network", SystemClock().now()))
    change(made)
    server = EmbeddedKafka(
        made.broker,
        certificate=made.broker / "tls.pem",
        ca=made.broker / "ca.pem",
        ports=(made.broker_port, made.controller_port),
    )
    network = Network(made, server)
    try:
        say("starting Kafka")
        network.start_kafka()
        yield network
    finally:
        network.close()
        shutil.rmtree(folder, ignore_errors=True)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
