"""What topics and rights follow from a directory, and what has to change at a broker."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.kafka import directory
from tongbao_broker.errors import Conflict
from tongbao_broker.kafka.client import Connection
from tongbao_broker.kafka.topology import Alteration, Found, Rule, compare, demanded_rules, demanded_topics

NOBODY = Connection("127.0.0.1:1", Path("tls.pem"), Path("ca.pem"), "test")
WORLD = directory(p520000="active", p440000="active").participants
NOTHING = Found({}, {}, frozenset(), brokers=1)
BAN = Rule("User:520000", "WRITE", "prov.520000.out.v1", permission="DENY")


def brought_about(found: Found = NOTHING, brokers: int = 1) -> Found:
    """What a broker has after the plan for the world has been applied."""
    topics = demanded_topics(WORLD, 3 if brokers > 2 else 1)
    return replace(
        found,
        partitions=dict.fromkeys(topics, 1),
        settings=topics,
        rules=demanded_rules(WORLD) | {rule for rule in found.rules if rule.permission == "DENY"},
        brokers=brokers,
    )


def rights(status: str) -> set[tuple[str, str]]:
    """What a province of this status may do, as (operation, topic)."""
    rules = demanded_rules(directory(p520000=status).participants)
    return {(rule.operation, rule.name) for rule in rules if rule.principal == "User:520000"}


READING = {
    ("READ", "prov.520000.out.v1"),
    ("READ", "prov.520000.in.v1"),
    ("READ", "exchange.directory.v1"),
    ("READ", "exchange.leaves.v1"),
}
WRITING = {("WRITE", "prov.520000.out.v1"), ("DESCRIBE", "prov.520000.out.v1")}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param("active", READING | WRITING, id="active: reads, and writes its out"),
        pytest.param("suspended", READING, id="suspended: reads only"),
        pytest.param("left", set(), id="left: nothing"),
    ],
)
def test_rights_of_a_province(status: str, expected: set[tuple[str, str]]) -> None:
    """A province's rights follow from its status, and concern its own two topics and the exchange's two."""
    assert rights(status) == expected


def test_rights_of_the_exchange() -> None:
    """The exchange reads every topic, and writes every one but the provinces' `out`."""
    rules = [rule for rule in demanded_rules(WORLD) if rule.principal == "User:100000"]
    ins = {"prov.520000.in.v1", "prov.440000.in.v1"}
    common = {"exchange.directory.v1", "exchange.leaves.v1"}

    assert {rule.name for rule in rules if rule.operation == "WRITE"} == ins | common
    assert {rule.name for rule in rules if rule.operation == "READ"} == set(demanded_topics(WORLD, 1))


def test_every_right_is_literal_and_allows() -> None:
    """No right is by prefix, for everybody, or about anything but a topic."""
    kinds = {(rule.resource, rule.pattern, rule.permission) for rule in demanded_rules(WORLD)}

    assert kinds == {("TOPIC", "LITERAL", "ALLOW")}
    assert {rule.principal for rule in demanded_rules(WORLD)} == {"User:100000", "User:520000", "User:440000"}


def test_first_plan_creates_everything() -> None:
    """On an empty broker the plan creates all topics and rights and changes nothing else."""
    plan = compare(NOBODY, WORLD, NOTHING)

    assert set(plan.create) == set(demanded_topics(WORLD, 1))
    assert set(plan.allow) == demanded_rules(WORLD)
    assert (plan.alter, plan.remove, plan.empty) == ((), (), False)


def test_plan_is_empty_when_all_is_there() -> None:
    """What has been brought about needs no change."""
    assert compare(NOBODY, WORLD, brought_about()).empty


def test_foreign_rights_are_removed() -> None:
    """Any right that the directory doesn't give is taken away, whatever its pattern or resource."""
    foreign = {
        Rule("User:*", "READ", "prov.", pattern="PREFIXED"),
        Rule("User:520000", "WRITE", "prov.440000.out.v1"),
        Rule("User:520000", "READ", "*", resource="GROUP"),
    }
    has = brought_about()
    plan = compare(NOBODY, WORLD, replace(has, rules=has.rules | foreign))

    assert set(plan.remove) == foreign
    assert plan.allow == ()


def test_a_broker_that_lags_leaves_something_to_do() -> None:
    """A right that some broker doesn't know yet is to be given; one that some broker still allows, taken."""
    has = brought_about()
    new, old = min(demanded_rules(WORLD)), Rule("User:520000", "WRITE", "prov.440000.out.v1")
    plan = compare(NOBODY, WORLD, replace(has, rules=has.rules - {new}, rules_of_some=frozenset({new, old})))

    assert (plan.allow, plan.remove) == ((new,), (old,))
    assert plan.summary == "allow=1 remove=1"


def test_denials_are_shown_and_kept() -> None:
    """A denial is an emergency brake: no plan releases it, every plan shows it."""
    plan = compare(NOBODY, WORLD, brought_about(replace(NOTHING, rules=frozenset({BAN}))))

    assert plan.empty
    assert plan.denials == (BAN,)
    assert plan.as_json()["denials"][0]["permission"] == "DENY"


def test_drifted_settings_are_put_right() -> None:
    """A setting that differs, or was only the broker's default, is set."""
    has = brought_about()
    topic = "prov.520000.out.v1"
    drifted = {key: value for key, value in has.settings[topic].items() if key != "retention.ms"}
    drifted["compression.type"] = "producer"
    plan = compare(NOBODY, WORLD, replace(has, settings={**has.settings, topic: drifted}))

    assert plan.alter == (
        Alteration(topic, "compression.type", "producer", "uncompressed"),
        Alteration(topic, "retention.ms", "", "1209600000"),
    )


def test_several_partitions_are_a_conflict() -> None:
    """A topic that has several partitions lost its order; no plan pretends to mend it."""
    has = brought_about()
    partitions = {**has.partitions, "prov.520000.out.v1": 3}

    with pytest.raises(Conflict):
        compare(NOBODY, WORLD, replace(has, partitions=partitions))


@pytest.mark.parametrize(
    ("brokers", "replicas", "in_step"), [(1, 1, "1"), (2, 1, "1"), (3, 3, "2"), (5, 3, "2")]
)
def test_replicas_follow_the_number_of_brokers(brokers: int, replicas: int, in_step: str) -> None:
    """Three brokers or more hold three copies, two of which acknowledge; fewer hold one."""
    plan = compare(NOBODY, WORLD, replace(NOTHING, brokers=brokers))

    assert plan.replicas == replicas
    assert {settings["min.insync.replicas"] for settings in plan.create.values()} == {in_step}


def test_settings_of_the_topics() -> None:
    """Limits and times to keep are those of the protocol."""
    topics = demanded_topics(WORLD, 1)
    found = {
        name: (settings["max.message.bytes"], settings["retention.ms"]) for name, settings in topics.items()
    }

    assert found["prov.520000.out.v1"] == ("589824", "1209600000")
    assert found["prov.520000.in.v1"] == ("1179648", "1209600000")
    assert found["exchange.leaves.v1"] == found["exchange.directory.v1"] == ("1179648", "-1")
    assert {settings["compression.type"] for settings in topics.values()} == {"uncompressed"}
    assert {settings["message.timestamp.type"] for settings in topics.values()} == {"LogAppendTime"}
