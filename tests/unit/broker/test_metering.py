"""What stands in the registry, what is looked up and how often, and who answers for it over HTTP."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from tests.support.metering import exposed, value
from tongbao_broker import logs
from tongbao_broker.metering import endpoint, registry
from tongbao_broker.metering.address import LOOPBACK, MetricsAddress
from tongbao_broker.metering.backlog import Backlog
from tongbao_broker.metering.endpoint import Endpoint
from tongbao_broker.metering.registry import LookUp, gauge, total
from tongbao_broker.process import Pulse


def numbers() -> Iterator[Metric]:
    """A look that finds something."""
    yield gauge("tongbao_test_rows", "Rows", {"sealed": 2.0}, ["state"])
    yield total("tongbao_test_incidents", "Incidents", {("held",): 3.0}, ["kind"])


def broken() -> Iterator[Metric]:
    """A look whose database is away."""
    yield gauge("tongbao_test_rows", "Rows", 1.0)
    raise RuntimeError("away")


def test_what_is_looked_up_is_exposed() -> None:
    """Gauges and totals stand in the text with their labels, and that they could be looked up."""
    text = exposed(numbers)

    assert value(text, "tongbao_test_rows", state="sealed") == 2
    assert value(text, "tongbao_test_incidents_total", kind="held") == 3
    assert value(text, "tongbao_collected", what="0") == 1


def test_a_failing_look_up_says_so_and_takes_nothing_down() -> None:
    """Half of a look-up is worth nothing: its metrics are missing, and one number says why."""
    text = exposed(broken, numbers)

    assert value(text, "tongbao_collected", what="0") == 0
    assert value(text, "tongbao_collected", what="1") == 1
    assert value(text, "tongbao_test_incidents_total", kind="held") == 3


def test_many_who_ask_cost_one_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within `FRESH_S` the same answer serves everybody; later it is looked up again."""
    asked, now = 0, [100.0]

    def look_up() -> Iterator[Metric]:
        nonlocal asked
        asked += 1
        return iter(())

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    look = LookUp("test", look_up)
    for at in (100.0, 100.0 + registry.FRESH_S - 1, 100.0 + registry.FRESH_S):
        now[0] = at
        list(look.collect())

    assert asked == 2


def test_backlog_ages_while_the_same_records_wait() -> None:
    """The age counts from the moment at which records were first seen waiting, until these are read."""
    backlog = Backlog()
    seen = [
        backlog.note("in", following, end, now_s)
        for following, end, now_s in [
            (5, None, 0),
            (5, 7, 10),
            (5, 9, 40),
            (6, 9, 50),
            (7, 9, 60),
            (9, 9, 70),
        ]
    ]

    assert seen == [(0, 0.0), (2, 0.0), (4, 30.0), (3, 40.0), (2, 0.0), (0, 0.0)]


def ask(path: str, folder: Path, held: str = "", method: str = "GET") -> tuple[str, str]:
    """Status and text of an answer."""
    status: list[str] = []

    def respond(said: str, _headers: list[Any]) -> None:
        status.append(said)

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": ""}
    body = b"".join(Endpoint(folder, "ready", lambda: held)(environ, respond))
    return status[0], body.decode()


@pytest.mark.parametrize(
    ("path", "turns", "held", "status", "text"),
    [
        ("/healthz", True, "", "200 OK", "ok\n"),
        ("/readyz", True, "", "200 OK", "ok\n"),
        ("/healthz", True, "clock_unsound", "200 OK", "ok\n"),
        ("/readyz", True, "clock_unsound", "503 Service Unavailable", "clock_unsound\n"),
        ("/healthz", False, "", "503 Service Unavailable", "has not said that it is ready\n"),
        ("/readyz", False, "", "503 Service Unavailable", "has not said that it is ready\n"),
        ("/anything", True, "", "404 Not Found", "/metrics /healthz /readyz\n"),
    ],
)
def test_health_and_readiness(
    tmp_path: Path, path: str, turns: bool, held: str, status: str, text: str
) -> None:
    """Alive is whose loop turns; ready who also gets somewhere. A restart mends no hold."""
    if turns:
        Pulse(tmp_path)

    assert ask(path, tmp_path, held) == (status, text)


def test_who_cannot_say_what_he_waits_for_is_not_ready(tmp_path: Path) -> None:
    """A database that is away makes the answer `unknown`, not an error page."""
    Pulse(tmp_path)
    said: list[str] = []
    answer = Endpoint(tmp_path, "ready", lambda: str(1 / 0))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/readyz", "QUERY_STRING": ""}
    body = b"".join(answer(environ, lambda status, _headers: said.append(status)))

    assert (said, body) == (["503 Service Unavailable"], b"unknown\n")


def test_nothing_can_be_sent_there(tmp_path: Path) -> None:
    """The address only answers."""
    assert ask("/metrics", tmp_path, method="POST")[0] == "405 Method Not Allowed"


def test_served_over_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a port in the settings the process answers on it, says who it is and counts what it logs."""
    own = CollectorRegistry()
    monkeypatch.setattr(endpoint, "REGISTRY", own)
    own.register(endpoint.LOGGED)
    Pulse(tmp_path)
    port = free_port()
    address = MetricsAddress(port=port)
    server = endpoint.serve(address, tmp_path, "exchange", network="test", province="100000", look=numbers)
    assert server is not None
    try:
        logs.get("tongbao_broker.exchange.relay").error("trouble")
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        server.shutdown()
        server.server_close()
        logs.configure("tests")

    assert value(text, "tongbao_build_info", component="exchange", network="test", province="100000") == 1
    assert value(text, "tongbao_log_events_total", severity="error", source="relay") >= 1
    assert value(text, "tongbao_test_rows", state="sealed") == 2
    assert value(text, "tongbao_last_turn_timestamp_seconds") > 0


def test_without_a_port_nothing_is_served(tmp_path: Path) -> None:
    """Off unless set."""
    assert (
        endpoint.serve(
            MetricsAddress(), tmp_path, "exchange", network="test", province="100000", look=numbers
        )
        is None
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def test_a_taken_port_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the port is taken the process goes on without metrics, and the log says so."""
    monkeypatch.setattr(endpoint, "REGISTRY", CollectorRegistry())
    log = tmp_path / "log" / "worker.log"
    logs.configure("test", log)
    try:
        with socket.socket() as taken:
            taken.bind((LOOPBACK, 0))
            taken.listen()
            address = MetricsAddress(port=taken.getsockname()[1])
            server = endpoint.serve(address, tmp_path, "desk", network="n", province="440000", look=numbers)
    finally:
        logs.configure("tests")

    assert server is None
    assert [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()] == [
        "metrics aren't served"
    ]
