"""The desk as a process: it serves without a broker, and ends quickly whoever has pages open."""

import signal
import socket
import time

import pytest

from tests.support.desk_process import Running

pytestmark = pytest.mark.kafka


def test_sigterm_with_open_pages_ends_in_time(desk_process: Running) -> None:
    """Ten browsers hold connections open, two of them in the middle of a request; it ends in under 10 s."""
    status, page = desk_process.get("/login/")
    open_pages = [socket.create_connection(("127.0.0.1", desk_process.port)) for _ in range(10)]
    for connection in open_pages[:2]:
        connection.sendall(b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\nhalf")
    for connection in open_pages[2:6]:
        connection.sendall(b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.recv(100)

    began = time.monotonic()
    desk_process.child.send_signal(signal.SIGTERM)
    code = desk_process.child.wait(timeout=10)

    assert (status, code) == (200, 0)
    assert "通报" in page
    assert time.monotonic() - began < 10


def test_files_are_served_and_nothing_else(desk_process: Running) -> None:
    """Style and scripts come from the desk itself; an unknown page is a page too."""
    assert desk_process.get("/static/desk/desk.css")[0] == 200
    assert desk_process.get("/static/django_htmx/htmx-2.min.js")[0] == 200
    assert desk_process.get("/static/../keys/desk.key")[0] in (400, 404)
    assert desk_process.get("/nothing/")[0] == 404
