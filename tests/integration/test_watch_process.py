"""The watch as a process: ready, sending, alone, and gone when told."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import CONNECTOR, address
from tests.support.gateways import MailServer, mail_server
from tests.support.processes import ROOT, until
from tests.support.province import Network, Province, alert
from tests.support.world import World
from tests.unit.duty.test_delivering import MAIL, channels
from tests.unit.duty.test_watch import RECIPIENTS
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_broker.process import is_ready
from tongbao_connectors.duty.models import Notification

END_S = 10.0
PAPERS = "tongbao_connectors.papers"
pytestmark = pytest.mark.kafka


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def gd(tmp_path: Path, mail: MailServer) -> Iterator[Province]:
    """440000 with an alert that waits, as of now, and e-mail to a real server."""
    net = Network(tmp_path, World.create(now=SystemClock().now()), apps=(*CONNECTOR, PAPERS))
    gz, gd = net.province("520000"), net.province("440000")
    gz.submit(alert("a-1"))
    net.settle()
    text = MAIL.format(port=mail.port, more="exercise = true\nunsafe_plain = true") + RECIPIENTS
    channels(gd.settings.folder, text)
    told = gd.settings.folder / "connector.toml"
    url = address("440000")
    told.write_text(f'database_url = "{url}"\n' + told.read_text(encoding="utf-8"), encoding="utf-8")
    with gd.here():
        yield gd
    database.close()


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        process.kill()
        process.wait()


def start(gd: Province, started: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    folder = gd.settings.folder
    command = [sys.executable, "-m", "tongbao_connectors.duty.worker", str(folder)]
    started.append(subprocess.Popen(command, cwd=ROOT))
    return started[-1]


def ready(gd: Province, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the watch has ended"
    return is_ready(gd.settings.folder, process.pid, "watch")


def end(process: subprocess.Popen[bytes]) -> float:
    """Tells it to end; how long that took."""
    told = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(END_S) == 0
    return time.monotonic() - told


def test_two_watches_never_notify_twice(
    gd: Province, mail: MailServer, started: list[subprocess.Popen[bytes]]
) -> None:
    """The second one waits until the first has gone, and goes on from the tables."""
    first = start(gd, started)
    until(lambda: ready(gd, first), "the first watch is ready")
    until(lambda: len(mail.received) == 1, "the officer on duty has his mail")
    second = start(gd, started)
    time.sleep(1.5)
    assert not ready(gd, second)

    assert end(first) < END_S
    until(lambda: ready(gd, second), "the second watch is ready")
    time.sleep(1.5)
    assert end(second) < END_S
    assert len(mail.received) == 1
    assert Notification.objects.get(channel="mail").state == "sent"


def test_a_watch_ends_while_a_server_keeps_it_waiting(
    gd: Province, mail: MailServer, started: list[subprocess.Popen[bytes]]
) -> None:
    """In under ten seconds; what became of the word isn't known, and it isn't sent again."""
    mail.silent = True
    watch = start(gd, started)
    until(lambda: ready(gd, watch), "the watch is ready")
    until(lambda: Notification.objects.filter(state="sending").exists(), "a word is under way")

    assert end(watch) < END_S


def test_a_killed_watch_leaves_a_word_unclear(
    gd: Province, mail: MailServer, started: list[subprocess.Popen[bytes]]
) -> None:
    """Nobody hears twice of what may have arrived; the timeline says so, and the next step follows."""
    mail.silent = True
    watch = start(gd, started)
    until(lambda: Notification.objects.filter(state="sending").exists(), "a word is under way")
    watch.kill()
    watch.wait()
    mail.silent = False
    other = start(gd, started)
    until(lambda: ready(gd, other), "another watch is ready")

    until(lambda: Notification.objects.get(channel="mail").state == "unclear", "the word is unclear")
    assert end(other) < END_S
    assert mail.received == []
