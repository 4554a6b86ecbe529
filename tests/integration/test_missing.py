"""Deliveries that vanish from an `in` topic come again, on a real broker."""

import json
import os
import signal
from datetime import UTC, datetime

import pytest
from kafka import TopicPartition

from tests.support.network import Network, until
from tongbao_broker import database
from tongbao_broker.exchange import models as exchange
from tongbao_broker.kafka.client import administration
from tongbao_broker.kafka.topics import PARTITION, in_topic
from tongbao_connectors import drafts, services
from tongbao_connectors.demo import samples
from tongbao_connectors.store.models import DeliveryGap, InboxItem, Incident

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ORIGIN, ADDRESSEE = "520000", "440000"


def test_deleted_deliveries_are_noticed_asked_for_and_arrive(network: Network) -> None:
    """DeleteRecords takes three alerts before they are read; the next head tells, and they come once more."""
    origin, addressee = network.open_province(ORIGIN), network.open_province(ADDRESSEE)
    centre = network.open_exchange()
    content = samples.load()[0].content
    pid = network.pid(ADDRESSEE)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with database.use(origin):
            ids = [submit({**content, "client_ref": f"lost-{number}"}) for number in range(3)]
        with database.use(centre):
            until(lambda: delivered(ids) == 3, 30, "the exchange has published all three")
        with administration(services.broker_connection(network.workspace)) as admin:
            admin.delete_records({TopicPartition(in_topic(ADDRESSEE), PARTITION): -1})
    finally:
        os.kill(pid, signal.SIGCONT)

    with database.use(addressee):
        until(lambda: Incident.objects.filter(kind="gap").exists(), 70, "the gap is noticed")
        until(lambda: not DeliveryGap.objects.exists(), 60, "the gap is closed")
        assert sorted(InboxItem.objects.values_list("message__message_id", flat=True)) == sorted(ids)
        assert set(Incident.objects.values_list("kind", flat=True)) <= {"gap", "records_lost"}
    with database.use(centre):
        asked = exchange.Message.objects.filter(origin=ADDRESSEE, audience="100000", code="")
        items = json.loads(bytes(asked.get().payload))["content"]["items"]
        assert {item["stage"] for item in items} == {"missing"}
        assert not exchange.Resend.objects.exists()


def submit(content: dict[str, object]) -> str:
    data = json.dumps(content).encode()
    return drafts.submit(data, origin=ORIGIN, by="test", now=datetime.now(UTC)).message_id


def delivered(ids: list[str]) -> int:
    """How many of the messages the exchange has published to the addressee."""
    indexes = list(exchange.Message.objects.filter(message_id__in=ids).values_list("index", flat=True))
    lane = exchange.Lane.objects.get(addressee=ADDRESSEE)
    rows = exchange.Delivery.objects.filter(addressee=ADDRESSEE, index__in=indexes)
    return rows.filter(delivery_seq__lte=lane.published_seq).count()
