"""The custom resources say exactly what `topology apply` does, and what a directory demands."""

from typing import Any

import pytest
import yaml

from tests.support.world import World
from tongbao_broker.kafka import strimzi
from tongbao_broker.kafka.strimzi import Resource, Shape
from tongbao_broker.kafka.topology import Rule, demanded_rules, demanded_topics
from tongbao_schemas.documents import Participant

CODES = ("330000", "440000", "520000", "610000")


def participants(**status: str) -> tuple[Participant, ...]:
    """A directory's participants, some of them suspended or gone."""
    world = World.create(CODES)
    rows = [
        {**row, "status": status.get(f"p{row['code']}", row["status"])}
        for row in world.document["participants"]
    ]
    return world.changed(participants=rows).directory.document.participants


DIRECTORIES = [{}, {"p330000": "suspended"}, {"p330000": "left", "p440000": "suspended"}]


def of(kind: str, found: list[Resource]) -> list[Resource]:
    return [each for each in found if each["kind"] == kind]


def rules(user: Resource) -> set[Rule]:
    """A user's rights, each as one entry of the access control list."""
    code = user["metadata"]["name"]
    return {
        Rule(
            principal=f"User:{code}",
            operation=operation.upper(),
            name=acl["resource"]["name"],
            resource=acl["resource"]["type"].upper(),
            pattern=acl["resource"]["patternType"].upper(),
            host=acl["host"],
            permission=acl["type"].upper(),
        )
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }


def settings(topic: Resource) -> dict[str, str]:
    return {key: text(value) for key, value in topic["spec"]["config"].items()}


def text(value: Any) -> str:
    """A setting as Kafka has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("status", DIRECTORIES)
@pytest.mark.parametrize("replicas", [1, 3])
def test_topics_are_those_of_the_plan(status: dict[str, str], replicas: int) -> None:
    """Every topic, every setting, every number of replicas, cell by cell."""
    them = participants(**status)
    found = of("KafkaTopic", strimzi.resources(them, Shape(replicas=replicas)))

    assert {each["spec"]["topicName"]: settings(each) for each in found} == demanded_topics(them, replicas)
    assert {(each["spec"]["partitions"], each["spec"]["replicas"]) for each in found} == {(1, replicas)}
    assert all(each["metadata"]["name"] == each["spec"]["topicName"] for each in found)


@pytest.mark.parametrize("status", DIRECTORIES)
def test_rights_are_those_of_the_plan(status: dict[str, str]) -> None:
    """Every right of every participant, cell by cell; who has none is no user."""
    them = participants(**status)
    found = of("KafkaUser", strimzi.resources(them, Shape()))

    assert frozenset(rule for user in found for rule in rules(user)) == demanded_rules(them)
    assert all(rules(user) for user in found)
    for user in found:
        names = [acl["resource"]["name"] for acl in user["spec"]["authorization"]["acls"]]
        assert len(set(names)) == len(names), "one entry a topic"


def test_whom_a_user_is() -> None:
    """Only a certificate with exactly the subject CN=<code>, issued elsewhere; one super user."""
    found = strimzi.resources(participants(), Shape())
    [kafka] = of("Kafka", found)
    listener = kafka["spec"]["kafka"]["listeners"]

    assert {user["metadata"]["name"] for user in of("KafkaUser", found)} == {"100000", *CODES}
    assert {user["spec"]["authentication"]["type"] for user in of("KafkaUser", found)} == {"tls-external"}
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple", "superUsers": ["CN=000000"]}
    assert [(each["tls"], each["authentication"]["type"]) for each in listener] == [(True, "tls")]
    assert kafka["spec"]["kafka"]["config"]["auto.create.topics.enable"] is False


def test_yaml_says_the_same() -> None:
    """What is printed reads back as what was made: codes stay texts."""
    found = strimzi.resources(participants(), Shape(listener="loadbalancer"))
    printed = strimzi.as_yaml(found)

    assert list(yaml.safe_load_all(printed)) == found
    assert 'name: "520000"' in printed
