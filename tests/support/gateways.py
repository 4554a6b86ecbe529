"""Real servers on free loopback ports that take what officers are told: one for mail, one for HTTP.

    with mail_server() as mail:          # SMTP; `mail_server(context)` speaks TLS from the first byte
        …                                # send to 127.0.0.1:mail.port
        mail.received                    # whole messages as bytes, envelope first
    with http_server() as gateway:
        gateway.answer = (200, b'{"errcode": 0}')
        gateway.received                 # (path with query, headers, body)

`silent = True` lets a server take a connection and say nothing.
"""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER, PASSWORD = "tongbao", "correct horse"
SILENCE_S = 3.0


@dataclass
class MailServer:
    """What the server took, and how it behaves."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)
    refuse: bool = False
    silent: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


@dataclass
class HttpServer:
    """What the server took, and what it answers."""

    port: int = 0
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answer: tuple[int, bytes] = (200, b'{"errcode": 0, "errmsg": "ok"}')
    silent: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def mail_server(context: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """An SMTP server (RFC 5321, AUTH PLAIN)."""
    state = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if state.silent:
                state.ended.wait(SILENCE_S)
                return
            _Dialogue(self, state).run()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> Any:
            connection, address = super().get_request()
            return (context.wrap_socket(connection, server_side=True) if context else connection), address

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that breaks off is no error of the server."""

    with Server(("127.0.0.1", 0), Handler) as server, _serving(server, state.ended):
        state.port = server.server_address[1]
        yield state


class _Dialogue:
    def __init__(self, handler: socketserver.StreamRequestHandler, state: MailServer) -> None:
        self._in, self._out, self._state = handler.rfile, handler.wfile, state
        self._envelope: list[bytes] = []

    def run(self) -> None:
        self._say(b"220 mail.test")
        while line := self._in.readline():
            verb = line.strip().upper()
            if verb.startswith(b"EHLO"):
                self._say(b"250-mail.test\r\n250 AUTH PLAIN")
            elif verb.startswith(b"AUTH PLAIN"):
                given = base64.b64decode(line.split()[2]).split(b"\0")[1:]
                good = given == [USER.encode(), PASSWORD.encode()]
                self._say(b"235 in" if good else b"535 no")
            elif verb.startswith(b"RCPT") and self._state.refuse:
                self._say(b"550 nobody here")
            elif verb == b"DATA":
                self._say(b"354 go on")
                self._take()
            elif verb == b"QUIT":
                self._say(b"221 bye")
                return
            else:
                self._envelope.append(line)
                self._say(b"250 ok")

    def _take(self) -> None:
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            content += self._in.readline()
        self._state.received.append(b"".join(self._envelope) + content)
        self._envelope = []
        self._say(b"250 taken")

    def _say(self, text: bytes) -> None:
        self._out.write(text + b"\r\n")


@contextmanager
def http_server() -> Iterator[HttpServer]:
    """A server that takes any POST."""
    state = HttpServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.received.append((self.path, dict(self.headers.items()), body))
            if state.silent:
                state.ended.wait(SILENCE_S)
                return
            status, content = state.answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _serving(server, state.ended):
        server.daemon_threads = True
        state.port = server.server_address[1]
        yield state


@contextmanager
def _serving(server: socketserver.BaseServer, ended: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        server.shutdown()
        thread.join()
