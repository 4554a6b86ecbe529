"""The address at which a process answers for itself: `/metrics`, `/healthz`, `/readyz`.

1. Off unless the settings name a port; the loopback address unless they name another. Plain HTTP, GET only:
   what leaves the machine goes through a proxy or a network policy.
2. `/healthz`: 200 while the process's loop turns (as `tongbao_broker.health` has it), else 503.
   `/readyz`: 200 while it also gets somewhere, else 503 with one word that says why not.
3. A port that is taken stops no message: the log says so, and whoever watches misses the process.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import Counter, Info
from prometheus_client.exposition import make_wsgi_app
from prometheus_client.metrics_core import Metric
from structlog.typing import EventDict, WrappedLogger

from tongbao_broker import database, health, logs, process
from tongbao_broker.metering.address import MetricsAddress
from tongbao_broker.metering.registry import REGISTRY, LookUp, gauge
from tongbao_broker.process import READY

Respond = Callable[..., Any]
ANSWER_S = 5.0
PLAIN = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]

LOGGED = Counter(
    "tongbao_log_events",
    "Lines of warning or worse in the log, by the module or library that wrote them",
    ["severity", "source"],
    registry=REGISTRY,
)

log = logs.get(__name__)


class Endpoint:
    """The three paths as a WSGI application."""

    def __init__(self, folder: Path, name: str, held: Callable[[], str]) -> None:
        self._folder = folder
        self._name = name
        self._held = held
        self._metrics = make_wsgi_app(REGISTRY)

    def __call__(self, environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _said(respond, "405 Method Not Allowed", "GET only")
        try:
            return self._answer(environ, respond)
        finally:
            database.close()  # each request has a thread of its own, and so its own connections

    def _answer(self, environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return list(self._metrics(environ, respond))
            case "/healthz":
                return self._judged(respond, health.trouble(self._folder, self._name))
            case "/readyz":
                return self._judged(respond, health.trouble(self._folder, self._name) or self._waits_for())
            case _:
                return _said(respond, "404 Not Found", "/metrics /healthz /readyz")

    def _waits_for(self) -> str:
        try:
            return self._held()
        except Exception:
            log.exception("it can't be told what is held")
            return "unknown"

    def _judged(self, respond: Respond, trouble: str | None) -> Iterable[bytes]:
        return _said(respond, "503 Service Unavailable" if trouble else "200 OK", trouble or "ok")


def serve(
    address: MetricsAddress,
    folder: Path,
    component: str,
    *,
    network: str,
    province: str,
    look: Callable[[], Iterable[Metric]],
    name: str = READY,
    held: Callable[[], str] = lambda: "",
) -> WSGIServer | None:
    """Answers in threads of its own as long as the process lives; None where nothing is to be answered.

    To be called once a process. `component` is exchange, connector, desk or watch, `look` looks up its
    metrics, `held` says in one word what the process waits for.
    """
    if address.port is None:
        return None
    _introduce(component, network, province)
    REGISTRY.register(LookUp(component, look))
    REGISTRY.register(LookUp("process", lambda: _life(folder, name)))
    try:
        server = make_server(address.host, address.port, Endpoint(folder, name, held), _Server, _Handler)
    except OSError as error:
        log.error("metrics aren't served", port=address.port, reason=error.strerror or "")
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _life(folder: Path, name: str) -> Iterator[Metric]:
    text = "When the process's loop last showed that it turns"
    yield gauge("tongbao_last_turn_timestamp_seconds", text, time.time() - process.silent_s(folder, name))


def _introduce(component: str, network: str, province: str) -> None:
    """Says in `tongbao_build_info` who this is, and counts what is logged from now on."""
    from importlib.metadata import version

    info = Info("tongbao_build", "Which program this is, of which participant", registry=REGISTRY)
    info.info(
        {"version": version("tongbao"), "component": component, "network": network, "province": province}
    )
    known = structlog.get_config()["processors"]
    structlog.configure(processors=[_count, *known])


def _count(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if method in ("warning", "error", "critical", "exception"):
        source = str(event.get("library") or event.get("module") or "").split(".")
        severity = "error" if method == "exception" else method
        LOGGED.labels(severity, source[-1] if source[0].startswith("tongbao") else source[0]).inc()
    return event


def _said(respond: Respond, status: str, text: str) -> Iterable[bytes]:
    respond(status, PLAIN)
    return [f"{text}\n".encode()]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = ANSWER_S

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: who asks is no event."""
