"""Old copies of databases and topics made anew, under a running network on a real broker."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support import databases
from tests.support.network import Network, until
from tongbao_broker import database
from tongbao_broker.exchange import models as exchange
from tongbao_broker.exchange.settings import ExchangeSettings
from tongbao_broker.kafka.client import administration
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_connectors import drafts, services
from tongbao_connectors.demo import samples
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import DeliveryGap, InboxItem, Incident, Outbox, StageReport

pytestmark = pytest.mark.kafka

ORIGIN, ADDRESSEE, EXCHANGE = "520000", "440000", "100000"
NOTICED_S = 90


def submit(*client_refs: str) -> list[str]:
    """Alerts from the one to the other; their ids."""
    with database.use(ORIGIN):
        content = [{**samples.load()[0].content, "client_ref": client_ref} for client_ref in client_refs]
        found = [
            drafts.submit(json.dumps(each).encode(), origin=ORIGIN, by="test", now=datetime.now(UTC))
            for each in content
        ]
    return [draft.message_id for draft in found]


def reported(ids: list[str]) -> bool:
    """Whether the origin knows that all of them are routed, and has everything settled."""
    with database.use(ORIGIN):
        routed = StageReport.objects.filter(of__in=ids, stage="routed").values("of").distinct()
        return routed.count() == len(ids) and not Outbox.objects.exclude(state="settled").exists()


def put_back(network: Network, name: str, url: str, copy: Path) -> None:
    """Puts an old copy where the database is, and ends the process that had the newer one open."""
    pid = network.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    databases.put_back(url, copy)
    network.kill(name)


def said(folder: Path, *words: str) -> bool:
    """Whether the process's output has all of these words."""
    text = (folder / "log" / "output.log").read_text("utf-8")
    return all(word in text for word in words)


def test_old_copies_refuse_to_start_and_are_mended(network: Network, tmp_path: Path) -> None:
    """The province says which command to use, the exchange how new a backup must be; both ways work."""
    province, centre = network.workspace.province(ORIGIN), network.workspace.exchange
    network.open_province(ORIGIN)
    network.open_province(ADDRESSEE)
    ids = submit("a-1", "a-2")
    until(lambda: reported(ids), 60, "the first alerts are through")
    urls = [ConnectorSettings.load(province).database_url, ExchangeSettings.load(centre).database_url]
    copies = [tmp_path / "province.copy", tmp_path / "exchange.copy"]
    for url, copy in zip(urls, copies, strict=True):
        databases.keep(url, copy)
    ids += submit("b-1", "b-2", "b-3")
    until(lambda: reported(ids), 60, "the others are through")

    put_back(network, ORIGIN, urls[0], copies[0])
    until(lambda: said(province, "OP-07", f"tongbao recover {ORIGIN}"), 30, "the connector refuses to start")
    assert network.pid(ORIGIN) is None
    found = network.answer_of("recover", ORIGIN)
    until(lambda: network.pid(ORIGIN) is not None, 60, "the connector starts by itself")
    ids += submit("c-1")
    until(lambda: reported(ids), 60, "the next alert is through, and everything is settled")

    assert found["sent"] >= 3
    with database.use(ORIGIN):
        seqs = list(Outbox.objects.order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))
        numbers = Outbox.objects.exclude(message__number="").values_list("message__number", flat=True)
        assert len(numbers) == len(set(numbers)) == 6
        assert not Incident.objects.filter(kind__in=["rejected", "equivocation"]).exists()
    with database.use(ADDRESSEE):
        assert sorted(InboxItem.objects.values_list("message__message_id", flat=True)) == sorted(ids)

    newest = tmp_path / "exchange.newest"
    databases.keep(urls[1], newest)
    put_back(network, EXCHANGE, urls[1], copies[1])
    until(lambda: said(centre, "OP-07", "backup that was made after"), 30, "the exchange refuses to start")
    assert network.pid(EXCHANGE) is None
    assert "CL-06" in network.tongbao("recover", EXCHANGE, code=1).stderr

    network.tongbao("down")
    databases.put_back(urls[1], newest)
    network.tongbao("up")
    network.open_province(ORIGIN)
    network.open_province(ADDRESSEE)
    ids += submit("d-1")
    until(lambda: reported(ids), 60, "a copy that lacks nothing takes the exchange's place")


@contextmanager
def frozen(network: Network, name: str) -> Iterator[None]:
    """The process stands still inside the block."""
    pid = network.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def make_anew(network: Network, topic: str) -> None:
    """Deletes a topic and makes it again with the settings and rights it should have."""
    with administration(services.broker_connection(network.workspace)) as admin:
        admin.delete_topics([topic])
        until(lambda: topic not in admin.list_topics(), 20, f"{topic} is gone")
    services.apply_topology(network.workspace)


def test_topics_made_anew_under_live_processes_are_an_incident_and_lose_nothing(network: Network) -> None:
    """What lay unread in an `out` and in an `in` topic is gone with them, and arrives all the same."""
    network.open_province(ORIGIN)
    network.open_province(ADDRESSEE)
    centre = network.open_exchange()
    ids = submit("before")
    until(lambda: reported(ids), 60, "the network flows")

    with frozen(network, EXCHANGE):
        unread = submit("out-1", "out-2", "out-3")
        with database.use(ORIGIN):
            published = Outbox.objects.filter(message__message_id__in=unread, state="published")
            until(lambda: published.count() == 3, 30, "published, and read by nobody")
        make_anew(network, out_topic(ORIGIN))

    def known_to_exchange() -> bool:
        with database.use(centre):
            return exchange.Incident.objects.filter(kind="topic_replaced").exists()

    def known_to(code: str) -> bool:
        with database.use(code):
            return Incident.objects.filter(kind="topic_replaced").exists()

    until(lambda: known_to_exchange() and known_to(ORIGIN), NOTICED_S, "both who use it note it")
    ids += unread
    until(lambda: reported(ids), 90, "what was unsettled is through")

    with frozen(network, ADDRESSEE):
        undelivered = submit("in-1", "in-2")
        with database.use(centre):
            logged = exchange.Message.objects.filter(message_id__in=undelivered)
            until(lambda: logged.count() == 2, 30, "logged")
            lane = exchange.Lane.objects.filter(addressee=ADDRESSEE)
            until(lambda: lane.get().published_seq == lane.get().delivery_seq, 30, "delivered, not read")
        make_anew(network, in_topic(ADDRESSEE))
    until(lambda: known_to(ADDRESSEE), NOTICED_S, "its reader notes it")
    ids += undelivered
    until(lambda: reported(ids), 120, "what was unread is asked for and comes")

    with database.use(ADDRESSEE):
        assert sorted(InboxItem.objects.values_list("message__message_id", flat=True)) == sorted(ids)
        assert not DeliveryGap.objects.exists()
