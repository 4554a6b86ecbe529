"""Deliveries that vanish from an `in` topic come again, on a real broker."""

import json

import pytest
from kafka import TopicPartition

from tests.support.databases import EXCHANGE as TABLES
from tests.support.kafka import Broker
from tests.support.processes import RECEIVER, SENDER, Processes, arrived, settled, submit, until
from tongbao_broker import database
from tongbao_broker.exchange import models as exchange
from tongbao_broker.exchange.settings import ExchangeSettings
from tongbao_broker.kafka.client import administration
from tongbao_broker.kafka.topics import PARTITION, in_topic
from tongbao_connectors.store.models import DeliveryGap, InboxItem, Incident, Outbox
from tongbao_schemas.codes import EXCHANGE

pytestmark = pytest.mark.kafka

LOST = 3


def test_deleted_deliveries_are_noticed_asked_for_and_arrive(processes: Processes, broker: Broker) -> None:
    """DeleteRecords takes three alerts while their reader is away; a head tells, they come again."""
    for code in (EXCHANGE, SENDER, RECEIVER):
        processes.start(code)
    submit("before")
    until(lambda: arrived() == 1 and settled(), "the first alert is through")
    ended(processes, RECEIVER)
    submit(*(f"lost-{number}" for number in range(LOST)))
    with database.use(opened(processes)):
        until(lambda: delivered() == LOST + 1, "the exchange has published all of them")
    ended(processes, EXCHANGE)
    with administration(broker.operator) as admin:
        admin.delete_records({TopicPartition(in_topic(RECEIVER), PARTITION): -1})

    processes.start(RECEIVER)
    processes.start(EXCHANGE)  # its first head says how many deliveries there are

    with database.use(RECEIVER):
        until(Incident.objects.filter(kind="gap").exists, "the gap is noticed")
        until(lambda: not DeliveryGap.objects.exists(), "the gap is closed")
    until(lambda: arrived() == LOST + 1 and settled(), "all are there, and settled")
    with database.use(SENDER):
        sent = Outbox.objects.filter(message__type="alert").values_list("message__message_id", flat=True)
        ids = sorted(sent)
    with database.use(RECEIVER):
        assert sorted(InboxItem.objects.values_list("message__message_id", flat=True)) == ids
        assert set(Incident.objects.values_list("kind", flat=True)) <= {"gap", "records_lost"}
    with database.use(opened(processes)):
        asked = exchange.Message.objects.filter(origin=RECEIVER, audience=EXCHANGE, code="")
        items = [item for each in asked for item in json.loads(bytes(each.payload))["content"]["items"]]
        assert {item["stage"] for item in items} == {"missing"}
        assert len({item["delivery_seq"] for item in items}) >= LOST
        assert not exchange.Resend.objects.exists()


def ended(processes: Processes, code: str) -> None:
    """The process ends in peace; nothing of it is under way any more."""
    process = processes.running.pop(code)
    process.terminate()
    assert process.wait(10) == 0


def opened(processes: Processes) -> str:
    """The exchange's database: a name for `database.use`."""
    database.open_database("centre", ExchangeSettings.load(processes.folder / EXCHANGE).database_url, TABLES)
    return "centre"


def delivered() -> int:
    """How many alerts the exchange has published to the receiver."""
    indexes = exchange.Message.objects.filter(type="alert").values("index")
    rows = exchange.Delivery.objects.filter(addressee=RECEIVER, index__in=indexes)
    lane = exchange.Lane.objects.get(addressee=RECEIVER)
    return rows.filter(delivery_seq__lte=lane.published_seq).count()
