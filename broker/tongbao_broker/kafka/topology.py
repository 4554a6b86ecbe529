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
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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

Settings = Mapping[str, str]


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
    replicas: int
    create: Mapping[str, Settings]
    alter: tuple[Alteration, ...]
    allow: tuple[Rule, ...]
    remove: tuple[Rule, ...]
    denials: tuple[Rule, ...]

    @property
    def empty(self) -> bool:
        return not (self.create or self.alter or self.allow or self.remove)

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
    """What the broker has: each topic's partitions and own settings, all access rules, how many brokers."""

    partitions: Mapping[str, int]
    settings: Mapping[str, Settings]
    rules: frozenset[Rule]
    brokers: int


def plan(connection: Connection, directory: Directory) -> Plan:
    """Compares the broker with the directory, as the super user. Raises Unreachable, NoRight or Conflict."""
    participants = directory.document.participants
    with administration(connection) as admin:
        found = _found(admin, set(demanded_topics(participants, replicas=1)))
    return compare(connection, participants, found)


def apply(plan: Plan) -> None:
    """Makes the planned changes; those already made are no error. Raises Unreachable or NoRight."""
    with administration(plan.connection) as admin:
        _remove(admin, plan.remove)
        _create(admin, plan)
        _alter(admin, plan.alter)
        _allow(admin, plan.allow)


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
    rules, allowed = (
        demanded_rules(participants),
        {each for each in found.rules if each.permission == "ALLOW"},
    )
    return Plan(
        connection=connection,
        replicas=replicas,
        create={name: settings for name, settings in topics.items() if name not in found.partitions},
        alter=tuple(sorted(_alterations(topics, found.settings))),
        allow=tuple(sorted(rules - allowed)),
        remove=tuple(sorted(allowed - rules)),
        denials=tuple(sorted(found.rules - allowed)),
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
    rules = frozenset(_rule(each) for each in admin.describe_acls(_filter())[0])
    described = [each for each in admin.describe_topics() if each["name"] in topics]
    partitions = {each["name"]: len(each["partitions"]) for each in described}
    brokers = len(admin.describe_cluster()["brokers"])
    return Found(partitions, _found_settings(admin, sorted(partitions)), rules, brokers)


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
