"""A real Kafka server for tests, on free ports, with a certificate for whoever a test wants to be.

One server serves the whole run. It ends with it, however the run ends: its process group is killed and its
folder removed; where pytest itself is killed, the kernel ends the server.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tongbao_broker.clock import SystemClock
from tongbao_schemas.codes import EXCHANGE, ParticipantStatus
from tongbao_schemas.documents import DirectoryDocument, Participant

if TYPE_CHECKING:
    from tongbao_broker.kafka.client import Connection
    from tongbao_broker.kafka.server import EmbeddedKafka
    from tongbao_broker.kafka.topology import Plan
    from tongbao_broker.trust.certificates import CertificateAuthority

BROKER = "000000"
START_S = 60.0
DAYS = 2


@dataclass(frozen=True)
class Broker:
    """The running server and its authority."""

    folder: Path
    server: "EmbeddedKafka"
    authority: "CertificateAuthority"
    process: subprocess.Popen[bytes]

    @property
    def operator(self) -> "Connection":
        """The super user."""
        return self.server.connection

    def as_(self, name: str, authority: "CertificateAuthority | None" = None) -> "Connection":
        """The way in for `CN=<name>`, certified by this server's authority unless another is given."""
        pem = (authority or self.authority).issue(name, now=SystemClock().now(), days=DAYS)
        return self.with_certificate(name, pem)

    def with_certificate(self, name: str, pem: bytes) -> "Connection":
        """The way in with any certificate at all; `name` is for the log."""
        from tongbao_broker.kafka.client import Connection

        certificate = self.folder / f"client-{name}-{time.monotonic_ns()}.pem"
        certificate.write_bytes(pem)
        return Connection(self.server.bootstrap, certificate, self.server.ca, f"test-{name}")

    def set_up(self, directory: DirectoryDocument) -> "Plan":
        """Makes topics and rules as a directory demands."""
        from tongbao_broker.kafka import topology
        from tongbao_broker.trust.directory import Directory

        plan = topology.plan(self.operator, Directory(directory, "sha256:" + 64 * "0"))
        topology.apply(plan)
        return plan

    def recreate(self, topic: str) -> None:
        """Deletes a topic and makes another one of the same name and settings."""
        from tongbao_broker.kafka.client import administration

        with administration(self.operator) as admin:
            admin.delete_topics([topic])
            wait_until(lambda: topic not in admin.list_topics())
            admin.create_topics(
                {topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True
            )


def directory(**statuses: str) -> DirectoryDocument:
    """A directory of participants only: `directory(p520000="active")`; the exchange is always in it."""
    now = SystemClock().now()
    codes = {EXCHANGE: "active"} | {name.removeprefix("p"): status for name, status in statuses.items()}
    return DirectoryDocument.model_construct(
        network="test",
        version=1,
        issued_at=now,
        expires_at=now,
        participants=tuple(_participant(code, status) for code, status in codes.items()),
        keys=(),
        agreements=(),
        postings=(),
        floor=None,
    )


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A real server with mutual TLS and deny by default; tests choose their own province codes on it."""
    with _running() as broker:
        yield broker


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """A server of the test's own, to freeze or kill."""
    with _running() as broker:
        yield broker


@contextmanager
def _running() -> Iterator[Broker]:
    with TemporaryDirectory(prefix="tongbao-kafka-", ignore_cleanup_errors=True) as name:
        started = _start(Path(name))
        try:
            started.server.wait_ready(START_S)
            yield started
        finally:
            _kill(started.process)


def _start(folder: Path) -> Broker:
    from tongbao_broker.kafka.server import HOST, EmbeddedKafka
    from tongbao_broker.trust.certificates import CertificateAuthority

    now = SystemClock().now()
    authority = CertificateAuthority.create(_made(folder / "ca"), now=now)
    certificate = _made(folder / "broker") / "tls.pem"
    authority.issue_to(certificate, BROKER, now=now, days=DAYS, hosts=(HOST,))
    ports = free_ports()
    server = EmbeddedKafka(
        folder / "broker", certificate=certificate, ca=folder / "broker" / "ca.pem", ports=ports
    )
    server.prepare()
    with server.log_file.open("ab") as log:
        process = subprocess.Popen(server.command(), stdout=log, stderr=log, start_new_session=True)
    return Broker(folder, server, authority, process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_ports() -> tuple[int, int]:
    """Two ports that are free on the loopback address."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Returns as soon as it holds; fails the test when the time is over."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.02)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _participant(code: str, status: str) -> Participant:
    return Participant(
        code=code,
        name_zh=f"测试 {code}",
        name_en=f"Test {code}",
        status=ParticipantStatus(status),
        schemas=("alert/1.0",),
    )
