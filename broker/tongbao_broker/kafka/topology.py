"""Which topics there are and who may do what, derived from the directory, compared with the broker, and
brought about.

1. Each participant has an `out` and an `in` topic; besides there are the directory's and the leaves' topic.
   Topics are created and their settings put right; none is ever deleted, since what is in them is evidence.
2. Rights are literal, one by one, for `User:<code>`. A province writes its own `out`, and reads its own `out`
   and `in`, the directory and the leaves. The exchange reads every `out`, and writes and reads every `in`,
   the directory and the leaves (it compares the tails with its tables at start). An idempotent producer needs
   no more than that.
3. A suspended province loses the right to write; one that has left has none at all.
4. A right that isn't demanded is taken away. A denial is somebody's emergency brake: it is shown and left
   alone.
5. With three brokers or more, three replicas of which two must be in step; else one.
6. Every broker answers for itself which topics it knows and by which rights it goes. What one of them lacks
   is to be made, what one of them allows too much is to be taken away; `apply` returns when nothing differs
   at any of them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from kafka import KafkaAdminClient
from kafka import errors as theirs
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.protocol.admin import DescribeAclsRequest
from kafka.protocol.metadata import MetadataRequest

from tongbao_broker.errors import Conflict, Unreachable, Words
from tongbao_broker.kafka.client import Connection, administration
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.trust.directory import Directory
from tongbao_schemas.codes import EXCHANGE, ParticipantStatus
from tongbao_schemas.documents import Participant

OUT_BATCH_BYTES = 589_824
IN_BATCH_BYTES = 1_179_648
FOURTEEN_DAYS_MS = 14 * 24 * 3600 * 1000
FOR_EVER = -1
EVERYWHERE = "*"
IN_FORCE_S = 30.0
LOOK_EVERY_S = 0.05

Settings = Mapping[str, str]


class NotInForce(Unreachable):
    """The brokers took the changes but don't all go by them yet."""

    code = "OP-13"
    zh = "更改已提交，但服务端尚未全部生效。"
    en = "The changes were taken, but not every broker goes by them yet."
    next_zh = "稍后执行 tongbao topology plan 查看；仍有差别时再次 apply，并查看服务端日志。"
    next_en = (
        "Look again with: tongbao topology plan; if it still differs, apply again and see the brokers' logs."
    )


class MissingBrokers(Unreachable):
    """The cluster isn't complete."""

    code = "OP-38"
    zh = "部分 Kafka 服务器尚未加入。"
    en = "Some of Kafka's servers have not joined."
    next_zh = "启动缺少的服务器，查看其日志，然后再次执行。"
    next_en = "Start the missing ones, see their logs, and do it again."


@dataclass(frozen=True, order=True)
class Rule:
    """One entry of the access control list, in Kafka's words."""

    principal: str
    operation: str
    name: str
    resource: str = "TOPIC"
    pattern: str = "LITERAL"
    host: str = EVERYWHERE
    permission: str = "ALLOW"


@dataclass(frozen=True, order=True)
class Alteration:
    """A topic's setting that is to change. `found` is empty where the broker's default holds."""

    topic: str
    setting: str
    found: str
    wanted: str


@dataclass(frozen=True)
class Plan:
    """What has to change at the broker; `denials` are shown only."""

    connection: Connection
    participants: tuple[Participant, ...]
    replicas: int
    create: Mapping[str, Settings]
    alter: tuple[Alteration, ...]
    allow: tuple[Rule, ...]
    remove: tuple[Rule, ...]
    denials: tuple[Rule, ...]

    @property
    def empty(self) -> bool:
        return not (self.create or self.alter or self.allow or self.remove)

    @property
    def summary(self) -> str:
        """What differs, counted."""
        parts = (
            ("create", self.create),
            ("alter", self.alter),
            ("allow", self.allow),
            ("remove", self.remove),
        )
        return " ".join(f"{name}={len(part)}" for name, part in parts if part)

    def as_json(self) -> dict[str, Any]:
        return {
            "empty": self.empty,
            "create": [
                {"topic": topic, "settings": dict(settings)} for topic, settings in self.create.items()
            ],
            "alter": [asdict(each) for each in self.alter],
            "allow": [asdict(each) for each in self.allow],
            "remove": [asdict(each) for each in self.remove],
            "denials": [asdict(each) for each in self.denials],
        }


@dataclass(frozen=True)
class Found:
    """What the brokers have: the partitions and own settings of each topic that all of them know, the access
    rules that all of them go by, those that only some go by, how many brokers there are.
    """

    partitions: Mapping[str, int]
    settings: Mapping[str, Settings]
    rules: frozenset[Rule]
    brokers: int
    rules_of_some: frozenset[Rule] = frozenset()


def plan(connection: Connection, directory: Directory, brokers: int = 1) -> Plan:
    """Compares the brokers with the directory, as the super user. Raises Unreachable, NoRight or Conflict.

    `brokers` is how many there are to be: how many replicas a topic gets is decided when it is made. While
    some are missing it waits for them, and raises MissingBrokers after `IN_FORCE_S`.
    """
    participants = directory.document.participants
    with administration(connection) as admin:
        _await_brokers(admin, brokers)
        return _plan(admin, connection, participants)


def _await_brokers(admin: KafkaAdminClient, wanted: int) -> None:
    until = time.monotonic() + IN_FORCE_S
    while (there := len(admin.describe_cluster()["brokers"])) < wanted:
        if time.monotonic() > until:
            raise MissingBrokers(f"{there}/{wanted}")
        time.sleep(LOOK_EVERY_S)


def apply(plan: Plan, within_s: float = IN_FORCE_S) -> None:
    """Makes the planned changes and returns when every broker goes by what the directory demands.

    Changes already made are no error. Raises NotInForce where something still differs after `within_s`
    seconds, Unreachable or NoRight.
    """
    with administration(plan.connection) as admin:
        _remove(admin, plan.remove)
        _create(admin, plan)
        _alter(admin, plan.alter)
        _allow(admin, plan.allow)
        _await(lambda: _plan(admin, plan.connection, plan.participants), within_s)


def _await(left: Callable[[], Plan], within_s: float) -> None:
    until = time.monotonic() + within_s
    while not (rest := left()).empty:
        if time.monotonic() > until:
            raise NotInForce(rest.summary)
        time.sleep(LOOK_EVERY_S)


def _plan(admin: KafkaAdminClient, connection: Connection, participants: Sequence[Participant]) -> Plan:
    found = _found(admin, set(demanded_topics(participants, replicas=1)))
    return compare(connection, participants, found)


def compare(connection: Connection, participants: Sequence[Participant], found: Found) -> Plan:
    """What differs. Raises Conflict for a topic with several partitions, which nothing can mend."""
    replicas = 3 if found.brokers >= 3 else 1
    topics = demanded_topics(participants, replicas)
    for topic, count in found.partitions.items():
        if count != 1:
            raise Conflict(
                Words(
                    f"{topic} 有 {count} 个分区，应为 1 个",
                    f"{topic} has {count} partitions, one is demanded",
                ),
                Words("由其所属单位改用新主题。", "Let its owner move to a new topic."),
            )
    rules, anywhere = demanded_rules(participants), found.rules | found.rules_of_some
    denials = {each for each in anywhere if each.permission != "ALLOW"}
    return Plan(
        connection=connection,
        participants=tuple(participants),
        replicas=replicas,
        create={name: settings for name, settings in topics.items() if name not in found.partitions},
        alter=tuple(sorted(_alterations(topics, found.settings))),
        allow=tuple(sorted(rules - found.rules)),
        remove=tuple(sorted(anywhere - denials - rules)),
        denials=tuple(sorted(denials)),
    )


def demanded_topics(participants: Iterable[Participant], replicas: int) -> dict[str, Settings]:
    """Every topic with its settings."""
    topics: dict[str, Settings] = {}
    for code in _provinces(participants):
        topics[out_topic(code)] = _settings(OUT_BATCH_BYTES, FOURTEEN_DAYS_MS, replicas)
        topics[in_topic(code)] = _settings(IN_BATCH_BYTES, FOURTEEN_DAYS_MS, replicas)
    for name in (DIRECTORY_TOPIC, LEAVES_TOPIC):
        topics[name] = _settings(IN_BATCH_BYTES, FOR_EVER, replicas)
    return topics


def demanded_rules(participants: Sequence[Participant]) -> frozenset[Rule]:
    """Every right that anybody has; whatever isn't here is denied."""
    provinces = [each for each in participants if each.code != EXCHANGE]
    return frozenset(chain(_exchange_rules(provinces), *(_province_rules(each) for each in provinces)))


def _province_rules(province: Participant) -> Iterator[Rule]:
    own = out_topic(province.code)
    if province.status is ParticipantStatus.ACTIVE:
        yield from _rules(province.code, own, "WRITE", "DESCRIBE")
    if province.status is not ParticipantStatus.LEFT:
        for topic in (own, in_topic(province.code), DIRECTORY_TOPIC, LEAVES_TOPIC):
            yield from _rules(province.code, topic, "READ")


def _exchange_rules(provinces: Iterable[Participant]) -> Iterator[Rule]:
    for province in provinces:
        yield from _rules(EXCHANGE, out_topic(province.code), "READ")
        yield from _rules(EXCHANGE, in_topic(province.code), "READ", "WRITE")
    for topic in (DIRECTORY_TOPIC, LEAVES_TOPIC):
        yield from _rules(EXCHANGE, topic, "READ", "WRITE")


def _rules(code: str, topic: str, *operations: str) -> Iterator[Rule]:
    return (Rule(f"User:{code}", operation, topic) for operation in operations)


def _provinces(participants: Iterable[Participant]) -> list[str]:
    return [each.code for each in participants if each.code != EXCHANGE]


def _settings(batch_bytes: int, retention_ms: int, replicas: int) -> Settings:
    return {
        "cleanup.policy": "delete",
        "compression.type": "uncompressed",
        "max.message.bytes": str(batch_bytes),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2" if replicas > 2 else "1",
        "retention.bytes": "-1",
        "retention.ms": str(retention_ms),
        "unclean.leader.election.enable": "false",
    }


def _alterations(topics: Mapping[str, Settings], found: Mapping[str, Settings]) -> Iterator[Alteration]:
    for topic, has in found.items():
        for setting, wanted in topics.get(topic, {}).items():
            if has.get(setting) != wanted:
                yield Alteration(topic, setting, has.get(setting, ""), wanted)


def _found(admin: KafkaAdminClient, topics: set[str]) -> Found:
    nodes = [int(each["broker_id"]) for each in admin.describe_cluster()["brokers"]]
    rules = [_rules_at(admin, node) for node in nodes]
    known = [_partitions_at(admin, node, topics) for node in nodes]
    common, everywhere = frozenset.intersection(*rules), set.intersection(*(set(each) for each in known))
    partitions = {topic: known[0][topic] for topic in sorted(everywhere)}
    return Found(
        partitions,
        _found_settings(admin, list(partitions)),
        common,
        brokers=len(nodes),
        rules_of_some=frozenset.union(*rules) - common,
    )


def _rules_at(admin: KafkaAdminClient, node: int) -> frozenset[Rule]:
    """The rules that one broker goes by. The library's own question goes to whichever broker is idle."""
    wanted = _filter()
    request = DescribeAclsRequest(
        resource_type_filter=wanted.resource_pattern.resource_type,
        resource_name_filter=wanted.resource_pattern.resource_name,
        pattern_type_filter=wanted.resource_pattern.pattern_type,
        principal_filter=wanted.principal,
        host_filter=wanted.host,
        operation=wanted.operation,
        permission_type=wanted.permission_type,
    )
    answer = admin._manager.run(admin._manager.send, request, node)
    acls, _ = admin._convert_describe_acls_response_to_acls(answer)
    return frozenset(_rule(each) for each in acls)


def _partitions_at(admin: KafkaAdminClient, node: int, topics: set[str]) -> dict[str, int]:
    """How many partitions those of the topics have that one broker knows."""
    request = MetadataRequest(topics=None, allow_auto_topic_creation=False)
    answer = admin._manager.run(admin._manager.send, request, node)
    return {each.name: len(each.partitions) for each in answer.topics if each.name in topics}


def _found_settings(admin: KafkaAdminClient, topics: Sequence[str]) -> Mapping[str, Settings]:
    if not topics:
        return {}
    configs = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics])[
        "topic"
    ]
    return {topic: {key: entry["value"] for key, entry in configs[topic].items()} for topic in topics}


def _create(admin: KafkaAdminClient, plan: Plan) -> None:
    if not plan.create:
        return
    wanted = {
        topic: {"num_partitions": 1, "replication_factor": plan.replicas, "configs": dict(settings)}
        for topic, settings in plan.create.items()
    }
    made = admin.create_topics(wanted, raise_errors=False)
    _check(each["error_code"] for each in made["topics"])
    admin.wait_for_topics(list(wanted))


def _alter(admin: KafkaAdminClient, alterations: Sequence[Alteration]) -> None:
    changes: dict[str, dict[str, str]] = {}
    for each in alterations:
        changes.setdefault(each.topic, {})[each.setting] = each.wanted
    if not changes:
        return
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, topic, settings) for topic, settings in changes.items()
    ]
    outcome = admin.alter_configs(resources)["topic"]
    failed = sorted(topic for topic, said in outcome.items() if said != "OK")
    if failed:
        raise Unreachable(
            Words(
                f"未能更改 {' '.join(failed)} 的设置", f"settings of {' '.join(failed)} could not be changed"
            )
        )


def _allow(admin: KafkaAdminClient, rules: Sequence[Rule]) -> None:
    if rules and admin.create_acls([_acl(rule) for rule in rules])["failed"]:
        raise Unreachable(Words("服务端未接受全部访问规则", "the broker didn't take all access rules"))


def _remove(admin: KafkaAdminClient, rules: Sequence[Rule]) -> None:
    if rules:
        removed = admin.delete_acls([_filter(rule) for rule in rules])
        _check(error.errno for _, _, error in removed)


def _check(codes: Iterable[int]) -> None:
    for code in codes:
        if code not in (theirs.NoError.errno, theirs.TopicAlreadyExistsError.errno):
            raise theirs.for_code(code)


def _rule(acl: ACL) -> Rule:
    place = acl.resource_pattern
    return Rule(
        principal=acl.principal,
        operation=acl.operation.name,
        name=place.resource_name,
        resource=place.resource_type.name,
        pattern=place.pattern_type.name,
        host=acl.host,
        permission=acl.permission_type.name,
    )


def _acl(rule: Rule) -> ACL:
    place = ResourcePattern(ResourceType[rule.resource], rule.name, ACLResourcePatternType[rule.pattern])
    operation, permission = ACLOperation[rule.operation], ACLPermissionType[rule.permission]
    return ACL(rule.principal, rule.host, operation, permission, place)


def _filter(rule: Rule | None = None) -> ACLFilter:
    """A filter for exactly one rule, or for all."""
    if rule is None:
        everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        return ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    acl = _acl(rule)
    place = acl.resource_pattern
    exactly = ResourcePatternFilter(place.resource_type, place.resource_name, place.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, exactly)
