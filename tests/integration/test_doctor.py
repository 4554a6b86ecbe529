"""What the doctor sees at a real broker."""

import json
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from tests.support.network import Network, until
from tongbao_broker.kafka import inspection, topology
from tongbao_broker.kafka.client import administration
from tongbao_broker.kafka.topology import Rule
from tongbao_connectors import services

pytestmark = pytest.mark.kafka

GREED = Rule("User:520000", "WRITE", "prov.440000.in.v1")
BRAKE = Rule("User:330000", "WRITE", "prov.330000.out.v1", permission="DENY")


def states(network: Network, code: int) -> dict[str, set[str]]:
    """The states found under each check."""
    found: dict[str, set[str]] = {}
    for each in json.loads(network.tongbao("doctor", "--json", code=code).stdout)["findings"]:
        found.setdefault(each["check"], set()).add(each["state"])
    return found


def test_drift_at_the_broker_is_found_and_mended(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """All good while it runs; a right too many and a setting changed are bad until `topology apply`."""
    until(lambda: states(network, 0)["clock"] == {"good"}, 30, "the exchange has written its heads")
    healthy = states(network, 0)
    connection = services.broker_connection(network.workspace)
    shorter = ConfigResource(ConfigResourceType.TOPIC, "prov.520000.out.v1", {"retention.ms": "1000"})
    with administration(connection) as admin:
        topology._allow(admin, [GREED, BRAKE])
        admin.alter_configs([shorter])
    until(lambda: "bad" in states(network, 1)["rights"], 10, "the drift is seen")
    drifted = states(network, 1)
    network.tongbao("topology", "apply")
    mended = states(network, 0)

    assert {state for found in healthy.values() for state in found} == {"good"}
    assert {"clock", "rights", "kafka", "java", "ports", "disk", "keys", "databases"} <= healthy.keys()
    assert (drifted["rights"], drifted["kafka"]) == ({"bad", "warning"}, {"bad", "good"})
    assert (mended["rights"], mended["kafka"]) == ({"good", "warning"}, {"good"})

    assert inspection.deviations(connection) == []
    demanded: dict[str, Any] = {**inspection.DEMANDED, "auto.create.topics.enable": "true"}
    monkeypatch.setattr(inspection, "DEMANDED", demanded)
    assert [(each.setting, each.found) for each in inspection.deviations(connection)] == [
        ("auto.create.topics.enable", "false")
    ]
