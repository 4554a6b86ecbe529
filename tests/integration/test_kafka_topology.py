"""The directory's demands are brought about on the real broker, and drift is found."""

from contextlib import closing

import pytest

from tests.support.kafka import Broker, directory
from tongbao_broker.errors import NoRight, TopicRefused
from tongbao_broker.kafka import topology
from tongbao_broker.kafka.client import administration
from tongbao_broker.kafka.topics import out_topic
from tongbao_broker.kafka.topology import Alteration, Plan, Rule
from tongbao_broker.kafka.writer import Outgoing, Writer
from tongbao_broker.trust.directory import Directory

pytestmark = pytest.mark.kafka

CODE = "150000"
ACTIVE, SUSPENDED = (directory(p150000=status) for status in ("active", "suspended"))


def plan(broker: Broker, document: object = ACTIVE) -> Plan:
    return topology.plan(broker.operator, Directory(document, "sha256:" + 64 * "0"))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _applied(broker: Broker) -> None:
    broker.set_up(ACTIVE)


def test_plan_after_apply_is_empty(broker: Broker) -> None:
    """Once applied, the same directory demands nothing more; applying again changes nothing."""
    again = plan(broker)
    topology.apply(again)

    assert again.empty
    assert plan(broker).empty


def test_an_old_plan_can_be_applied_again(broker: Broker) -> None:
    """Applying a plan that was already applied is no error."""
    wanted = topology.demanded_topics(ACTIVE.participants, replicas=1)
    rules = tuple(topology.demanded_rules(ACTIVE.participants))
    topology.apply(Plan(broker.operator, ACTIVE.participants, 1, wanted, (), rules, (), ()))

    assert plan(broker).empty


def test_drift_is_found_and_put_right(broker: Broker) -> None:
    """A changed setting and a foreign right show in the plan and are gone after it."""
    foreign = Rule("User:*", "READ", "prov.", pattern="PREFIXED")
    with administration(broker.operator) as admin:
        topology._allow(admin, [foreign])
        topology._alter(admin, [Alteration(out_topic(CODE), "compression.type", "", "producer")])
    drifted = plan(broker)
    topology.apply(drifted)

    assert drifted.alter == (Alteration(out_topic(CODE), "compression.type", "producer", "uncompressed"),)
    assert drifted.remove == (foreign,)
    assert plan(broker).empty


def test_denial_outlives_the_plan(broker: Broker) -> None:
    """A denial set by hand stops a province at once, and applying the directory doesn't lift it."""
    brake = Rule(f"User:{CODE}", "WRITE", out_topic(CODE), permission="DENY")
    with administration(broker.operator) as admin:
        topology._allow(admin, [brake])
    try:
        topology.apply(plan(broker))

        assert plan(broker).denials == (brake,)
        with closing(Writer(broker.as_(CODE))) as writer, pytest.raises((TopicRefused, NoRight)):
            writer.send_all([Outgoing(out_topic(CODE), None, b"{}")])
    finally:
        with administration(broker.operator) as admin:
            topology._remove(admin, [brake])


def test_suspension_takes_the_right_to_write(broker: Broker) -> None:
    """The plan for a directory that suspends a province removes its rights to write, and nothing else."""
    wanted = plan(broker, SUSPENDED)

    assert {(rule.operation, rule.name) for rule in wanted.remove} == {
        ("WRITE", out_topic(CODE)),
        ("DESCRIBE", out_topic(CODE)),
    }
    assert (wanted.create, wanted.alter, wanted.allow) == ({}, (), ())


def test_what_is_applied_is_in_force(broker: Broker) -> None:
    """The first thing that a province does after `apply` is done or refused as the new directory says."""
    for document, may in ((SUSPENDED, False), (ACTIVE, True), (SUSPENDED, False), (ACTIVE, True)):
        topology.apply(plan(broker, document))

        assert writes(broker) is may


def writes(broker: Broker) -> bool:
    """Whether the province's record is taken."""
    try:
        with closing(Writer(broker.as_(CODE))) as writer:
            writer.send_all([Outgoing(out_topic(CODE), None, b"{}")])
    except (TopicRefused, NoRight):
        return False
    return True


def test_what_never_comes_into_force_is_an_error(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brokers that took the rules and don't go by them: an error in bounded time that counts what differs."""
    wanted = plan(broker, directory(p150000="active", p650000="active"))
    monkeypatch.setattr(topology, "_allow", lambda admin, rules: None)
    monkeypatch.setattr(topology, "_create", lambda admin, plan: None)

    with pytest.raises(topology.NotInForce, match="create=2 allow=9"):
        topology.apply(wanted, within_s=0.2)


def test_only_the_super_user_plans(broker: Broker) -> None:
    """A participant can't even look at who may do what."""
    with pytest.raises(NoRight):
        topology.plan(broker.as_("100000"), Directory(ACTIVE, ""))
