"""The desk as a process: it serves without a broker, and ends quickly whoever has pages open."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tongbao_broker import process
from tongbao_connectors import workspace

CODE = "440000"


@dataclass
class Running:
    """A desk's process and where it serves."""

    child: "subprocess.Popen[bytes]"
    port: int

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, str(response.read(), "utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Running]:
    made = workspace.create(tmp_path / "network", datetime.now(UTC))
    folder = made.participant(CODE)
    child = subprocess.Popen([sys.executable, "-m", "tongbao_connectors.desk.worker", str(folder)])
    try:
        until = time.monotonic() + 60
        while not process.is_ready(folder, child.pid, "desk"):
            assert child.poll() is None
            assert time.monotonic() < until, "the desk never served"
            time.sleep(0.05)
        yield Running(child, made.desks[CODE])
    finally:
        child.kill()
        child.wait()


def test_sigterm_with_open_pages_ends_in_time(desk: Running) -> None:
    """Ten browsers hold connections open, two of them in the middle of a request; it ends in under 10 s."""
    status, page = desk.get("/login/")
    open_pages = [socket.create_connection(("127.0.0.1", desk.port)) for _ in range(10)]
    for connection in open_pages[:2]:
        connection.sendall(b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\nhalf")
    for connection in open_pages[2:6]:
        connection.sendall(b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.recv(100)

    began = time.monotonic()
    desk.child.send_signal(signal.SIGTERM)
    code = desk.child.wait(timeout=10)

    assert (status, code) == (200, 0)
    assert "通报" in page
    assert time.monotonic() - began < 10


def test_files_are_served_and_pages_are_not_stored(desk: Running) -> None:
    """Style and scripts come from the desk itself; an unknown page is a page too."""
    assert desk.get("/static/desk/desk.css")[0] == 200
    assert desk.get("/static/django_htmx/htmx-2.min.js")[0] == 200
    assert desk.get("/static/../keys/desk.key")[0] in (400, 404)
    assert desk.get("/nothing/")[0] == 404
