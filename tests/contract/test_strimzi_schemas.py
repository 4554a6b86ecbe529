"""What `tongbao topology export` writes is what Strimzi's own schemas take."""

import jsonschema
import pytest

from tests.support.strimzi import KINDS, schema
from tests.unit.kafka.test_strimzi import participants
from tongbao_broker.kafka import strimzi
from tongbao_broker.kafka.strimzi import Resource, Shape

pytestmark = [pytest.mark.kafka, pytest.mark.slow]  # fetches some 60 MB the first time
META: Resource = {"apiVersion": {}, "kind": {}, "metadata": {}}
"""What every resource has and a custom one's schema leaves to Kubernetes."""


def check(resource: Resource) -> None:
    known = schema(resource["kind"])
    jsonschema.validate(resource, {**known, "properties": {**META, **known["properties"]}})


@pytest.mark.parametrize("listener", ["internal", "loadbalancer", "nodeport"])
def test_every_resource_is_as_its_schema_says(listener: str) -> None:
    """Cluster, servers, topics and users, whatever way clients come."""
    made = strimzi.resources(participants(p330000="suspended"), Shape(listener=listener))
    for resource in made:
        check(resource)

    assert {each["kind"] for each in made} == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "field"), [("Kafka", "zookeeper"), ("KafkaUser", "rights"), ("KafkaTopic", "partition")]
)
def test_the_schemas_notice_a_wrong_field(kind: str, field: str) -> None:
    """A field that Strimzi doesn't know is a mistake, not silence."""
    resource = next(each for each in strimzi.resources(participants(), Shape()) if each["kind"] == kind)

    with pytest.raises(jsonschema.ValidationError):
        check({**resource, "spec": {**resource["spec"], field: 1}})
