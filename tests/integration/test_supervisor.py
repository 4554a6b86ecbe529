"""The supervised network heals by itself when Kafka, the middle of everything, is killed."""

import json
from datetime import UTC, datetime

import pytest

from tests.support.network import Network, until
from tongbao_broker import database
from tongbao_connectors import drafts, services
from tongbao_connectors.demo import samples
from tongbao_connectors.store.models import InboxItem, StageReport

pytestmark = pytest.mark.kafka

ORIGIN, ADDRESSEE = "520000", "440000"
ALERTS = 20


def submit(client_ref: str) -> str:
    """An alert from Guizhou to Guangdong; gives its message id."""
    content = {**samples.load()[0].content, "client_ref": client_ref}
    with database.use(ORIGIN):
        return drafts.submit(
            json.dumps(content).encode(), origin=ORIGIN, by="test", now=datetime.now(UTC)
        ).message_id


def routed(ids: list[str]) -> int:
    """How many of the alerts their origin knows to be routed."""
    with database.use(ORIGIN):
        reports = StageReport.objects.filter(of__in=ids, stage="routed", place=ADDRESSEE)
        return reports.values("of").distinct().count()


def test_alerts_arrive_once_though_kafka_is_killed(network: Network) -> None:
    """SIGKILL of the broker in the middle of traffic: it comes back on its data, every alert arrives once."""
    network.open_province(ORIGIN)
    network.open_province(ADDRESSEE)
    ids = [submit(f"before-{number}") for number in range(ALERTS)]
    network.kill("kafka")
    ids += [submit(f"after-{number}") for number in range(ALERTS)]

    until(lambda: routed(ids) == len(ids), 120, "all alerts are routed, and their origin knows it")

    with database.use(ADDRESSEE):
        arrived = list(InboxItem.objects.values_list("message__message_id", flat=True))
    assert sorted(arrived) == sorted(ids)
    status = services.running(network.workspace)
    assert status is not None
    assert next(child.restarts for child in status.processes if child.name == "kafka") == 1
