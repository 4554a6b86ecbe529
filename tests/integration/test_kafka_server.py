"""The embedded server starts, restarts and ends as promised."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.kafka import Broker, free_ports, wait_until
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import Unreachable
from tongbao_broker.kafka.client import cluster_id
from tongbao_broker.kafka.server import HOST, EmbeddedKafka
from tongbao_broker.trust.certificates import CertificateAuthority

pytestmark = pytest.mark.kafka


@pytest.fixture
def server(tmp_path: Path) -> EmbeddedKafka:
    now = SystemClock().now()
    (tmp_path / "ca").mkdir()
    CertificateAuthority.create(tmp_path / "ca", now=now).issue_to(
        tmp_path / "tls.pem", "000000", now=now, days=1, hosts=(HOST,)
    )
    return EmbeddedKafka(
        tmp_path, certificate=tmp_path / "tls.pem", ca=tmp_path / "ca.pem", ports=free_ports()
    )


def start(server: EmbeddedKafka) -> subprocess.Popen[bytes]:
    server.prepare()
    with server.log_file.open("ab") as log:
        return subprocess.Popen(server.command(), stdout=log, stderr=log, start_new_session=True)


def test_restart_keeps_the_cluster(server: EmbeddedKafka) -> None:
    """Stopped by SIGTERM, the server ends in seconds; it comes back as the same cluster, with one log."""
    ids = []
    for _ in range(2):
        process = start(server)
        try:
            server.wait_ready(60)
            ids.append(cluster_id(server.connection, timeout_s=5))
            process.terminate()

            assert process.wait(10) in (0, 128 + signal.SIGTERM)
        finally:
            process.kill()
            process.wait()

    assert ids[0] == ids[1]
    assert server.log_file.read_text("utf-8").count("Kafka Server started") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_server_ends_with_a_killed_parent(server: EmbeddedKafka, tmp_path: Path) -> None:
    """When the process that started the server is killed outright, the server doesn't stay behind."""
    server.prepare()
    program = (
        f"import subprocess; subprocess.Popen({list(server.command())!r}, start_new_session=True).wait()"
    )
    with server.log_file.open("ab") as log:
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=log, stderr=log)
    server.wait_ready(60)
    parent.kill()
    parent.wait()

    wait_until(lambda: not server.answers(), seconds=15)


def test_absent_server_is_unreachable(server: EmbeddedKafka) -> None:
    """Waiting for a server that doesn't come ends in time and names the log."""
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"server\.log"):
        server.wait_ready(0.3)

    assert time.monotonic() - started < 2


def test_log_says_nothing_alarming(broker: Broker) -> None:
    """The server came up without an error in its log."""
    log = broker.server.log_file.read_text("utf-8")

    assert "Kafka Server started" in log
    assert " ERROR " not in log.partition("Kafka Server started")[0]
