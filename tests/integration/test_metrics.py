"""The processes of a real network answer for themselves on their ports."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.metering import value
from tests.support.network import ROOT, Network, until
from tongbao_broker import database, health
from tongbao_connectors import services, workspace
from tongbao_connectors.workspace import LOOPBACK, free_ports

SENDER, RECEIVER = "520000", "440000"
SAMPLE = ROOT / "examples" / "1-520000-outbound-trafficking.json"
pytestmark = pytest.mark.kafka


@dataclass
class Answering:
    """A network whose exchange and one province answer, with the ports by process."""

    network: Network
    ports: dict[str, int]

    def ask(self, process: str, path: str = "/metrics") -> tuple[int, str]:
        connection = http.client.HTTPConnection(LOOPBACK, self.ports[process], timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def value(self, process: str, name: str, **labels: str) -> float:
        return value(self.ask(process)[1], name, **labels)


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    made = workspace.create(tmp_path_factory.mktemp("metrics") / "network", now=datetime.now(UTC))
    names = ("exchange", "connector", "desk", "watch")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    tell(made.exchange / "exchange.toml", {"port": ports["exchange"]})
    tell(made.participant(RECEIVER) / "connector.toml", {name: ports[name] for name in names[1:]})
    services.start_detached(made)
    try:
        yield Answering(Network(workspace.load(made.folder)), ports)
    finally:
        services.stop(made)
        database.close()


def tell(file: Path, ports: dict[str, int]) -> None:
    """Names ports in a settings file."""
    lines = "".join(f"{name} = {port}\n" for name, port in ports.items())
    file.write_text(f"{file.read_text('utf-8')}\n[metrics]\n{lines}", "utf-8")


@pytest.mark.parametrize(
    ("process", "code", "name"),
    [
        ("exchange", "100000", "ready"),
        ("connector", RECEIVER, "ready"),
        ("desk", RECEIVER, "desk"),
        ("watch", RECEIVER, "watch"),
    ],
)
def test_each_process_says_who_it_is_and_that_it_lives(
    answering: Answering, process: str, code: str, name: str
) -> None:
    """Build, look-ups that worked, life and readiness; the same life as asked for without HTTP."""
    until(lambda: answering.ask(process, "/readyz")[0] == 200, 30, f"{process} is ready")
    text = answering.ask(process)[1]

    assert value(text, "tongbao_build_info", component=process, province=code) == 1
    assert 'tongbao_collected{what="' in text
    assert " 0.0" not in [line[-4:] for line in text.splitlines() if line.startswith("tongbao_collected")]
    assert value(text, "process_resident_memory_bytes") > 10_000_000
    assert answering.ask(process, "/healthz") == (200, "ok\n")
    assert health.trouble(answering.network.workspace.participant(code), name) is None


def test_an_alert_can_be_followed_in_numbers(answering: Answering) -> None:
    """Admitted at the exchange, accepted by the connector, waiting for a signature at the watch."""
    answering.network.tongbao("--as", SENDER, "send", str(SAMPLE))

    until(
        lambda: answering.value("exchange", "tongbao_exchange_admitted_total", province=SENDER, type="alert"),
        30,
        "admitted",
    )
    until(
        lambda: answering.value(
            "connector", "tongbao_connector_accepted_total", province=SENDER, type="alert"
        ),
        30,
        "accepted",
    )
    until(lambda: answering.value("watch", "tongbao_watch_to_sign", urgency="flash"), 30, "to be signed for")
    until(lambda: not answering.value("exchange", "tongbao_exchange_unread", province=SENDER), 30, "read")
    exchange, connector = answering.ask("exchange")[1], answering.ask("connector")[1]

    assert value(exchange, "tongbao_exchange_batch_seconds_count", phase="publish") > 0
    assert value(connector, "tongbao_connector_batch_seconds_count", phase="store") > 0
    assert value(connector, "tongbao_ends_timestamp_seconds", what="certificate") > 0
    assert value(connector, "tongbao_ends_timestamp_seconds", what="seal_key") > 0
    assert f'tongbao_exchange_unread{{province="{SENDER}"}}' in exchange
    assert 'tongbao_connector_unread{stream="in"}' in connector
