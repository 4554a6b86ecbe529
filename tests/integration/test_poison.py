"""Bad records on the topics of a running network: each is noted once, and nobody else waits for it."""

import json
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

from tests.support import faulty
from tests.support.network import Network
from tests.support.network import until as within
from tests.support.processes import CLOCK, RECEIVER, SENDER, Processes, arrived, settled, submit, until
from tests.support.province import alert, alert_body
from tongbao_broker import database
from tongbao_broker.exchange import models as exchange
from tongbao_broker.kafka.client import Connection
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_broker.process import is_ready
from tongbao_connectors import drafts, replaying, services
from tongbao_connectors.demo import samples
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import InboxItem, Message, Outbox, Quarantine, StageReport
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.record import IN_LIMIT, OUT_LIMIT

pytestmark = pytest.mark.kafka

POISONED, OTHER, ADDRESSEE = "530000", "520000", "440000"
PEAK_KIB = 400 * 1024
IN_TIME_S = 10
HUGE = 200 * 1024 * 1024


class NotText(str):
    """A name that is written as bytes which are no UTF-8."""

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe"


def poison(connection: Connection, topic: str, limit: int) -> list[int]:
    """Writes a null value, a header name that is no text, and a value over the limit; their offsets."""
    with closing(KafkaProducer(**connection.settings(), max_request_size=4 << 20)) as producer:
        futures = [
            producer.send(topic, None, b"key"),
            producer.send(topic, b"{}", headers=[(NotText("bad"), b"")]),
            producer.send(topic, b"x" * (limit + 1)),
        ]
        producer.flush(timeout=20)
        return [future.get(timeout=1).offset for future in futures]


def peaks(pids: dict[str, int]) -> dict[str, int]:
    """The most memory (KiB, VmHWM) that each process ever held."""
    return {name: _peak(pid) for name, pid in pids.items()}


def _peak(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("no VmHWM")


def example() -> dict[str, Any]:
    return next(dict(each.content) for each in samples.load() if each.origin == OTHER)


def workers(network: Network) -> dict[str, int]:
    codes = (EXCHANGE, *network.workspace.provinces)
    return {code: pid for code in codes if (pid := network.pid(code))}


def test_a_huge_compressed_record_never_gets_in(network: Network) -> None:
    """200 MiB that gzip makes small: the broker unpacks it and takes nothing. Nobody reads it, all flows.

    A broker with a small heap (the demo's has 512 MiB) runs out of it over this one request and says that it
    doesn't know what happened; with a larger one it says that the record is too large.
    """
    settings = ConnectorSettings.load(network.workspace.province(POISONED))
    before = workers(network)
    client = {**settings.connection().settings(), "compression_type": "gzip", "max_request_size": 2 * HUGE}
    with closing(KafkaProducer(**client)) as producer:
        future = producer.send(out_topic(POISONED), bytes(HUGE))
        with pytest.raises(KafkaError, match=r"TooLarge|UnknownError"):
            future.get(timeout=60)

    took = arrives_in_time(network, "after-huge")

    assert took < IN_TIME_S
    with closing(Reader(settings.connection(), [out_topic(POISONED)])) as reader:
        assert reader.end_offset(out_topic(POISONED)) == 0
    assert workers(network) == before
    assert max(peaks(before).values()) < PEAK_KIB


def test_bad_records_are_noted_once_and_delay_nobody(network: Network) -> None:
    """In a province's `out` and in another's `in`: one entry each, and an alert between others is in time."""
    origin = ConnectorSettings.load(network.workspace.province(POISONED))
    before = workers(network)
    out = poison(origin.connection(), out_topic(POISONED), OUT_LIMIT)
    into = poison(services.broker_connection(network.workspace), in_topic(ADDRESSEE), IN_LIMIT)

    took = arrives_in_time(network, "between")

    assert took < IN_TIME_S
    with database.use(network.open_exchange()):
        refusals = exchange.Refusal.objects.filter(topic=out_topic(POISONED), offset__in=out)
        within(lambda: refusals.count() == len(out), 20, "the exchange has noted each of them")
        found = dict(refusals.values_list("offset", "code"))
        assert [found[offset] for offset in out] == ["TB-103", "TB-603", "TB-101"]
        assert exchange.Incident.objects.exclude(kind="poison").count() == 0
    with database.use(ADDRESSEE):
        entries = Quarantine.objects.filter(topic=in_topic(ADDRESSEE), offset__in=into)
        within(lambda: entries.count() == len(into), 20, "the addressee has noted each of them")
        assert Quarantine.objects.count() == len(into)
        assert not StageReport.objects.filter(stage="refused").exists()
    assert workers(network) == before
    assert max(peaks(before).values()) < PEAK_KIB


def arrives_in_time(network: Network, client_ref: str) -> float:
    """How many seconds an alert of another province takes to its officer's desk."""
    origin, addressee = network.open_province(OTHER), network.open_province(ADDRESSEE)
    begun = time.monotonic()
    with database.use(origin):
        data = json.dumps({**example(), "client_ref": client_ref}).encode()
        sent = drafts.submit(data, origin=OTHER, by="test", now=datetime.now(UTC))
    with database.use(addressee):
        item = InboxItem.objects.filter(message__message_id=sent.message_id)
        within(item.exists, 60, "the other province's alert arrives")
    return time.monotonic() - begun


def start_faulty(processes: Processes, code: str) -> subprocess.Popen[bytes]:
    module = faulty.EXCHANGE_WORKER if code == EXCHANGE else "tongbao_connectors.worker"
    folder = processes.folder / code
    process = processes.running[code] = subprocess.Popen(faulty.command(module, folder))
    until(lambda: is_ready(folder, process.pid), "the faulty worker is up")
    return process


def submit_poison(client_ref: str, **over: Any) -> str:
    with database.use(SENDER):
        data = alert(client_ref, RECEIVER, **over)
        return drafts.submit(data, origin=SENDER, by="A-0120", now=CLOCK.now()).message_id


def test_what_a_fault_of_ours_kept_out_is_delivered_after_the_fix(processes: Processes) -> None:
    """The faulty connector keeps it and goes on; mended, a replay delivers it, and no receipt is answered."""
    for code in (EXCHANGE, SENDER):
        processes.start(code)
    process = start_faulty(processes, RECEIVER)
    bad = submit_poison("bad", body=json.loads(alert_body(facts=f"演练{faulty.WORD}")))
    begun = time.monotonic()
    submit("good")
    until(lambda: arrived() == 1, "the alert behind it arrives")
    assert time.monotonic() - begun < IN_TIME_S
    assert _peak(process.pid) < PEAK_KIB
    with database.use(RECEIVER):
        assert list(Quarantine.objects.values_list("code", "message_id")) == [("TB-603", bad)]
    processes.kill(RECEIVER)
    processes.start(RECEIVER)

    with database.use(RECEIVER):
        settings = ConnectorSettings.load(processes.folder / RECEIVER)
        outcomes = [one.outcome for one in replaying.replay_all(settings, CLOCK.now())]
        again = list(replaying.replay_all(settings, CLOCK.now()))

    assert (outcomes, again) == (["delivered"], [])

    def reported() -> bool:
        with database.use(SENDER):
            stages = StageReport.objects.filter(of=bad, place=RECEIVER).values_list("stage", flat=True)
            return sorted(stages) == ["delivered", "routed"]

    until(reported, "its origin hears of it")
    until(settled, "everything is settled")
    assert arrived() == 2
    with database.use(SENDER):
        assert set(Message.objects.filter(origin=SENDER).values_list("type", flat=True)) == {"alert"}


def test_a_fault_of_ours_in_the_exchange_costs_one_record(processes: Processes) -> None:
    """It is rejected as unreadable, with an incident; the alert behind it arrives in time."""
    process = start_faulty(processes, EXCHANGE)
    for code in (SENDER, RECEIVER):
        processes.start(code)
    bad = submit_poison("bad", **precursor())
    begun = time.monotonic()
    submit("good")
    until(lambda: arrived() == 1, "the alert behind it arrives")
    assert time.monotonic() - begun < IN_TIME_S

    def told() -> bool:
        with database.use(SENDER):
            row = Outbox.objects.filter(message__message_id=bad).first()
            return row is not None and (row.state, row.code) == ("rejected", "TB-603")

    until(told, "its origin is told")
    assert process.poll() is None
    assert _peak(process.pid) < PEAK_KIB


def precursor() -> dict[str, Any]:
    """What makes an alert one about a precursor."""
    content = next(each.content for each in samples.load() if each.content["category"] == faulty.CATEGORY)
    return {"category": faulty.CATEGORY, "body": content["body"]}
