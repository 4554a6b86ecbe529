"""The metrics as a whole: nothing of a case in them, each name documented, each label from a closed set."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.casework import LEADER, SENDER
from tests.support.databases import DESK, EXCHANGE, new_database
from tests.support.metering import exposed, families
from tests.support.province import Network, Province, alert, alert_body
from tests.unit.duty.test_delivering import MAIL, channels
from tests.unit.duty.test_watch import RECIPIENTS
from tests.unit.exchange.station import Station
from tongbao_broker import database
from tongbao_broker.exchange import meters as exchange
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_broker.metering import endpoint
from tongbao_broker.metering.registry import LABELS
from tongbao_connectors import casework
from tongbao_connectors import meters as connector
from tongbao_connectors.desk import meters as desk
from tongbao_connectors.duty import meters as watch
from tongbao_connectors.duty import watching
from tongbao_connectors.duty.judging import Judge
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.duty.sending import Outbound
from tongbao_connectors.store.models import InboxItem

CANARY = "金丝雀九零一"
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
CLOSED = re.compile(r"[a-zA-Z0-9_.:<>+-]{0,40}")
"""What a label's value may look like: a code, a type, a state, a page's name; no sentence, no Chinese."""

PERSONAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-|[\u4e00-\u9fff]|\bA-0\d{3}\b|\d{6}-\d{6}")
"""Message ids, readable numbers, officers' references, names."""


def tell_everything(folder: Path) -> str:
    """What all processes of a network answer after an alert full of canaries went through them."""
    net = Network(folder / "provinces", apps=DESK)
    gz, gd = net.province("520000"), net.province("440000")
    body = json.loads(alert_body(title=CANARY, facts=CANARY * 20))
    gz.submit(alert(f"{CANARY}-1", body=body), by=SENDER)
    net.settle()
    net.broker.append(in_topic("440000"), f'{{"{CANARY}": 1}}'.encode())
    net.settle()
    text = [told(province) for province in (gz, gd)]
    with gd.here():
        text.append(work(gd))
    text.append(relayed(folder / "exchange", net))
    return "".join(text)


def told(province: Province) -> str:
    with province.here():
        return exposed(
            connector.look(province.settings.folder, province.connector.condition, province.net.clock),
            desk.look(province.net.clock),
        )


def work(gd: Province) -> str:
    """A watch wakes people, an officer reads and signs."""
    channels(gd.settings.folder, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)
    clock, rules = gd.net.clock, Rules.of(gd.settings)
    with database.atomic():
        epoch = watching.begin(clock.now())
    judge, outbound = Judge(epoch), Outbound(epoch, lambda *_: None)
    judge.turn(rules, clock.now())
    while outbound.turn(rules, clock.now()):
        pass
    item = InboxItem.objects.select_related("message").get(message__type="alert")
    casework.open_body(
        item.message.number, officer_ref=LEADER, why=CANARY, roster=rules.roster, at=clock.now()
    )
    clock.forward(hours=5)
    return exposed(watch.look(clock))


def relayed(folder: Path, net: Network) -> str:
    """The exchange takes the same alert, and a record that is none."""
    folder.mkdir()
    station = Station(net.world, folder)
    values = [value for value in net.broker.topic(out_topic("520000")).values if value]
    station.write("520000", *values, f'{{"{CANARY}": 1}}'.encode())
    station.run()
    return exposed(exchange.look(folder, station.relay.condition, station.clock))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("told")
    with database.use(new_database(folder, "100000", EXCHANGE)):
        yield tell_everything(folder)
    database.close()


def test_nothing_of_a_case_is_told(text: str) -> None:
    """No word of a body, no number, no officer, no message's id, wherever one might have slipped in."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]

    assert len(lines) > 200
    assert CANARY not in text
    assert [line for line in lines if PERSONAL.search(line)] == []


def test_labels_come_from_closed_sets(text: str) -> None:
    """Only the listed label names, and values that look like codes."""
    names = {name for labels in families(text).values() for name in labels}
    values = re.findall(r'="([^"]*)"', text)

    assert names - {"generation", "implementation", "major", "minor", "patchlevel"} <= LABELS
    assert [value for value in values if not CLOSED.fullmatch(value)] == []


def test_every_metric_is_documented(text: str) -> None:
    """The page lists exactly what is told, `tongbao_build_info` and all."""
    told_names = set(re.findall(r"^# TYPE (tongbao_\w+)", text, re.MULTILINE))
    told_names |= {
        "tongbao_build_info",
        f"{endpoint.LOGGED._name}_total",
        "tongbao_last_turn_timestamp_seconds",
    }
    listed = set(re.findall(r"^\| `(tongbao_\w+)`", PAGE.read_text("utf-8"), re.MULTILINE))

    assert listed == told_names
