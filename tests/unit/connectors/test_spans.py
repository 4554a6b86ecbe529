"""One trace from the officer who submits in one province to the one who signs in another."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.support.casework import ACCOUNTABLE, SENDER
from tests.support.province import Network, Province, alert
from tests.unit.duty.test_delivering import MAIL, channels
from tests.unit.duty.test_watch import RECIPIENTS
from tests.unit.exchange.station import Station
from tongbao_broker import database, tracing
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_connectors import casework
from tongbao_connectors.duty import watching
from tongbao_connectors.duty.judging import Judge
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.duty.sending import Outbound
from tongbao_connectors.store.models import InboxItem

GZ, GD = "520000", "440000"
CANARY = "金丝雀九零一"
WAY = {
    "submit": None,
    "seal": "submit",
    "publish": "seal",
    "admit": "publish",
    "deliver": "admit",
    "accept": "deliver",
    "route": "accept",
    "notify": "route",
    "open": "route",
    "sign": "route",
}


@dataclass
class Whole:
    """Two provinces and the real exchange over topics in memory."""

    net: Network
    station: Station

    def carry(self) -> None:
        """Everybody's turn: what a province wrote goes to the exchange, what that wrote to the provinces."""
        self.net.clock.forward(milliseconds=50)
        for code, province in self.net.provinces.items():
            province.turn()
            written = self.net.broker.topic(out_topic(code)).values
            taken = self.station.broker.topic(out_topic(code)).end
            self.station.clock.at = self.net.clock.at
            self.station.write(code, *written[taken:])
        self.station.relay.turn(0)
        self.net.clock.forward(milliseconds=300)
        self.station.clock.at = self.net.clock.at
        self.station.relay.turn(0)
        for topic in (DIRECTORY_TOPIC, LEAVES_TOPIC, *map(in_topic, self.net.provinces)):
            there = len(self.net.broker.topic(topic).values)
            for record in self.station.broker.topic(topic).records[there:]:
                self.net.broker.append(topic, record.value)


@pytest.fixture
def told() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.install(SimpleSpanProcessor(exporter), "test", network="test", province="")
    yield exporter
    tracing.uninstall()


@pytest.fixture
def whole(tmp_path: Path, exchange_database: str) -> Iterator[Whole]:
    net = Network(tmp_path / "provinces")
    net.province(GZ)
    net.province(GD)
    (tmp_path / "exchange").mkdir()
    yield Whole(net, Station(net.world, tmp_path / "exchange"))
    database.close()


def work(gd: Province) -> None:
    """The watch wakes somebody, who reads and signs."""
    channels(gd.settings.folder, MAIL.format(port=465, more="exercise = true") + RECIPIENTS)
    clock = gd.net.clock
    with gd.here():
        rules = Rules.of(gd.settings)
        with database.atomic():
            epoch = watching.begin(clock.now())
        judge, outbound = Judge(epoch), Outbound(epoch, lambda *_: None)
        judge.turn(rules, clock.now())
        while outbound.turn(rules, clock.now()):
            pass
        number = InboxItem.objects.select_related("message").get().message.number
        who: dict[str, Any] = {"officer_ref": ACCOUNTABLE, "roster": rules.roster}
        casework.open_body(number, why=CANARY, at=clock.now(), **who)
        clock.forward(seconds=40)
        casework.claim(number, at=clock.now(), **who)


def tree(spans: list[ReadableSpan]) -> dict[str, str | None]:
    """Each step's name → the name of its parent's."""
    names = {span.context.span_id: span.name for span in spans}
    return {span.name: names[span.parent.span_id] if span.parent else None for span in spans}


def test_one_trace_from_submitting_to_signing(whole: Whole, told: InMemorySpanExporter) -> None:
    """All steps of the alert hang together, in three participants that exchange no word about it."""
    draft = whole.net.provinces[GZ].submit(alert("a-1"), by=SENDER)
    whole.net.clock.forward(seconds=3)
    for _ in range(3):
        whole.carry()
    work(whole.net.provinces[GD])
    whole.carry()
    trace = int(draft.message_id.replace("-", ""), 16)
    spans = [span for span in told.get_finished_spans() if span.context.trace_id == trace]
    places = {span.name: (span.attributes or {})["tongbao.place"] for span in spans}
    submit = next(span for span in spans if span.name == "submit")

    assert tree(spans) == WAY
    assert {name for name, place in places.items() if place == GD} == set(list(WAY)[4:])
    assert {name for name, place in places.items() if place == GZ} == set(list(WAY)[:4])
    assert (submit.end_time or 0) - (submit.start_time or 0) >= 3 * 10**9
    assert [span.start_time for span in spans if span.name == "sign"] > [submit.start_time]


def test_only_what_people_send_is_traced_and_nothing_of_it_told(
    whole: Whole, told: InMemorySpanExporter
) -> None:
    """Receipts, notices and heads have no trace; no span says a word, a number or an officer."""
    whole.net.provinces[GZ].submit(alert(f"{CANARY}-1"), by=SENDER)
    for _ in range(3):
        whole.carry()
    work(whole.net.provinces[GD])
    whole.carry()
    spans = told.get_finished_spans()
    text = "".join(span.to_json() for span in spans)

    assert {(span.attributes or {}).get("tongbao.type", "alert") for span in spans} == {"alert"}
    assert CANARY not in text
    assert "A-0" not in text
    assert "-000001-" not in text


def test_a_rejected_message_ends_its_trace_with_the_code(whole: Whole, told: InMemorySpanExporter) -> None:
    """What the exchange doesn't admit shows as an error with its code, and goes no further."""
    whole.net.provinces[GZ].submit(alert("a-1"), by=SENDER)
    whole.net.provinces[GZ].turn()
    whole.station.put_trust(whole.net.world.changed(agreements=[]))
    whole.carry()
    steps = {span.name: span for span in told.get_finished_spans()}

    assert steps["admit"].status.description == "TB-414"
    assert "deliver" not in steps
