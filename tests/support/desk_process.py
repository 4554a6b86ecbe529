"""A desk as a process of its own, without a broker, in the demo network's 广东."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.network import created
from tongbao_broker import process

CODE = "440000"


@dataclass
class Running:
    """A desk's process, its province's folder, and where it serves."""

    child: "subprocess.Popen[bytes]"
    folder: Path
    port: int

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, str(response.read(), "utf-8")


@contextmanager
def running(folder: Path, port: int) -> Iterator[Running]:
    """Runs the desk of a folder inside the block."""
    child = subprocess.Popen([sys.executable, "-m", "tongbao_connectors.desk.worker", str(folder)])
    try:
        until = time.monotonic() + 60
        while not process.is_ready(folder, child.pid, "desk"):
            assert child.poll() is None
            assert time.monotonic() < until, "the desk never served"
            time.sleep(0.05)
        yield Running(child, folder, port)
    finally:
        child.terminate()
        child.wait(timeout=20)


@pytest.fixture
def desk_process(tmp_path: Path) -> Iterator[Running]:
    """The demo's desk as it is shipped."""
    made = created(tmp_path / "network", datetime.now(UTC))
    with running(made.participant(CODE), made.desks[CODE]) as desk:
        yield desk


@pytest.fixture
def strict_desk_process(tmp_path: Path) -> Iterator[Running]:
    """The same, asking for a second factor."""
    made = created(tmp_path / "network", datetime.now(UTC))
    folder = made.participant(CODE)
    (folder / "desk.toml").write_text(f"port = {made.desks[CODE]}\n", encoding="utf-8")
    with running(folder, made.desks[CODE]) as desk:
        yield desk
