"""The ids of traces and spans, what a span may say, and that nothing happens where nobody wants traces."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError

from tongbao_broker import tracing
from tongbao_broker.errors import BadConfiguration
from tongbao_broker.tracing import AT_ORIGIN, BEFORE, Step, Tracing
from tongbao_schemas.identifiers import new_id

ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
ORIGIN, PLACE = "520000", "440000"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def told() -> Iterator[InMemorySpanExporter]:
    """Where spans arrive in this process."""
    exporter = InMemorySpanExporter()
    tracing.install(SimpleSpanProcessor(exporter), "test", network="test", province=PLACE)
    yield exporter
    tracing.uninstall()


def spans(told: InMemorySpanExporter) -> list[ReadableSpan]:
    return list(told.get_finished_spans())


def tell_all() -> None:
    for step in Step:
        tracing.span(step, ID, origin=ORIGIN, place=PLACE, began=NOW, ended=NOW + SECOND, type="alert")


def test_the_trace_is_the_message(told: InMemorySpanExporter) -> None:
    """The id's sixteen bytes are the trace id, the same in every province."""
    tell_all()

    assert {format(span.context.trace_id, "032x") for span in spans(told)} == {ID.replace("-", "")}


def test_every_step_hangs_on_the_one_before(told: InMemorySpanExporter) -> None:
    """Each parent is the span of the step before, though whoever tells it never met that one."""
    tell_all()
    by_id = {span.context.span_id: span.name for span in spans(told)}
    tree = {span.name: by_id[span.parent.span_id] if span.parent else None for span in spans(told)}

    assert tree == {step.value: BEFORE[step].value if step in BEFORE else None for step in Step}


def test_the_same_step_bears_the_same_id() -> None:
    """After a crash a step is told again under the id it had; another addressee's has another."""
    first = tracing.span_id(ID, Step.DELIVER, PLACE)

    assert tracing.span_id(ID, Step.DELIVER, PLACE) == first
    assert tracing.span_id(ID, Step.DELIVER, "330000") != first
    assert tracing.span_id(ID, Step.ACCEPT, PLACE) != first
    assert tracing.span_id(new_id(NOW), Step.DELIVER, PLACE) != first


def test_ids_are_as_published() -> None:
    """The ids of docs/metrics.md, so that other systems can tell spans of their own."""
    assert format(tracing.trace_id(ID), "032x") == "0190a1b2c3d47e5f8a6b7c8d9e0f1a2b"
    assert format(tracing.span_id(ID, Step.PUBLISH, ORIGIN), "016x") == PUBLISHED


PUBLISHED = "6c07c3f2535e6ef7"


def test_a_span_says_codes_and_nothing_else(told: InMemorySpanExporter) -> None:
    """Facts outside the list are dropped; a refusal's code makes the span an error."""
    tracing.span(
        Step.ADMIT,
        ID,
        origin=ORIGIN,
        began=NOW,
        ended=NOW,
        type="alert",
        code="TB-405",
        title="金丝雀",
        officer_ref="A-0117",
    )
    [span] = spans(told)

    assert dict(span.attributes or {}) == {
        "tongbao.type": "alert",
        "tongbao.code": "TB-405",
        "tongbao.place": ORIGIN,
    }
    assert not span.status.is_ok
    assert dict(span.resource.attributes) == {
        "service.name": "tongbao-test",
        "service.namespace": "test",
        "service.instance.id": PLACE,
        "service.version": "0.1.0",
    }


def test_a_clock_that_went_back_makes_no_negative_span(told: InMemorySpanExporter) -> None:
    """A span ends where it begins at the earliest."""
    tracing.span(Step.SEAL, ID, origin=ORIGIN, began=NOW, ended=NOW - SECOND)
    [span] = spans(told)

    assert span.start_time == span.end_time


def test_everybody_chooses_the_same_messages() -> None:
    """A part of all, by the id alone, about as large as the ratio says."""
    ids = [new_id(NOW) for _ in range(2000)]
    chosen = [each for each in ids if tracing.is_chosen(each, 0.25)]

    assert 350 < len(chosen) < 650
    assert [each for each in chosen if tracing.is_chosen(each, 0.25)] == chosen
    assert all(tracing.is_chosen(each, 1.0) for each in ids)
    assert not any(tracing.is_chosen(each, 0.0) for each in ids)


def test_what_is_not_chosen_is_not_told() -> None:
    """A ratio of 0 tells nothing."""
    exporter = InMemorySpanExporter()
    tracing.install(SimpleSpanProcessor(exporter), "test", network="test", province=PLACE, ratio=0.0)
    try:
        tell_all()
    finally:
        tracing.uninstall()

    assert spans(exporter) == []


def test_off_costs_no_import() -> None:
    """Without an endpoint no process loads OpenTelemetry, and a span is nothing."""
    program = (
        "import sys; from datetime import datetime, UTC; from tongbao_broker import tracing;"
        "tracing.configure(tracing.Tracing(), 'exchange', network='n', province='100000');"
        f"n = datetime.now(UTC); tracing.span(tracing.Step.SEAL, '{ID}', origin='520000', began=n, ended=n);"
        "assert not tracing.is_on();"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint in the settings of an installation without the extra is a wrong setting."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    settings = Tracing(endpoint="http://127.0.0.1:4318/v1/traces")

    with pytest.raises(BadConfiguration) as caught:
        tracing.configure(settings, "exchange", network="test", province="100000")

    assert "tongbao[tracing]" in caught.value.next_step("en")


@pytest.mark.parametrize(
    "wrong", [{"endpoint": "localhost:4318"}, {"endpoint": "file:///tmp/x"}, {"ratio": 1.5}, {"rate": 1}]
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """Only an http address and a part between 0 and 1."""
    with pytest.raises(ValidationError):
        Tracing.model_validate(wrong)


def test_spans_go_out_by_otlp() -> None:
    """A collector gets them by HTTP in the standard's own encoding."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}/v1/traces"
    processor = tracing.configure(Tracing(endpoint=endpoint), "exchange", network="test", province="100000")
    try:
        tell_all()
        assert processor is not None
        processor.force_flush(5000)
    finally:
        tracing.uninstall()
        server.shutdown()
        server.server_close()
    message = ExportTraceServiceRequest.FromString(bodies[0])
    sent = [span for each in message.resource_spans for scope in each.scope_spans for span in scope.spans]

    assert {span.name for span in sent} == {step.value for step in Step}
    assert {span.trace_id.hex() for span in sent} == {ID.replace("-", "")}


def test_a_collector_that_is_away_delays_nothing() -> None:
    """Telling a span takes no time of the message's, whether anybody listens or not."""
    settings = Tracing(endpoint="http://127.0.0.1:9/v1/traces")
    tracing.configure(settings, "exchange", network="test", province="100000")
    try:
        began = datetime.now(UTC)
        for _ in range(500):
            tell_all()
        took = datetime.now(UTC) - began
    finally:
        tracing.uninstall()

    assert took < timedelta(seconds=5)


def test_steps_at_the_origin_come_first() -> None:
    """Those are told under the origin's code, the rest under the addressee's."""
    order = list(Step)

    assert {order.index(step) for step in AT_ORIGIN} == set(range(len(AT_ORIGIN)))
