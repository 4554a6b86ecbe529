"""What `topology apply` brings about at a broker, as custom resources for Strimzi's operators.

1. The same topics, settings and rights, from the same functions: a `KafkaTopic` for each topic, a `KafkaUser`
   for each participant that has a right. On a cluster of Strimzi's the operators apply them; `topology apply`
   is for all others.
2. Strimzi's brokers take a certificate's whole subject for the principal, so a participant is
   `User:CN=<code>` there, which only a certificate with exactly this subject is. Users are `tls-external`:
   their certificates come from the network's own authority, the operator makes none.
3. Whoever operates the network is `CN=000000`, the only super user besides Strimzi's own components.
4. What is in a topic is evidence: the brokers delete none (`delete.topic.enable`), whoever removes its
   `KafkaTopic`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tongbao_broker.kafka.topics import PARTITION
from tongbao_broker.kafka.topology import Rule, demanded_rules, demanded_topics
from tongbao_schemas.documents import Participant

API = "kafka.strimzi.io/v1"
CLUSTER = "tongbao"
KAFKA_VERSION = "4.3.1"
PORT = 9093
OPERATOR = "CN=000000"
PRINCIPAL = "User:"

Resource = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """What the directory doesn't say: the cluster's name, how clients reach it, how much it keeps."""

    cluster: str = CLUSTER
    replicas: int = 3
    listener: str = "internal"
    storage: str = "100Gi"
    namespace: str = "tongbao"


def resources(participants: Sequence[Participant], shape: Shape) -> list[Resource]:
    """All custom resources, in the order in which they are best applied."""
    topics = demanded_topics(participants, shape.replicas)
    return [
        _pool(shape),
        _cluster(shape),
        *(_topic(name, settings, shape) for name, settings in topics.items()),
        *_users(demanded_rules(participants), shape),
    ]


def _cluster(shape: Shape) -> Resource:
    """Kafka with one listener: TLS 1.3, a client's certificate of the network's authority demanded."""
    in_step = 2 if shape.replicas > 2 else 1
    listener = {
        "name": "clients",
        "port": PORT,
        "type": shape.listener,
        "tls": True,
        "authentication": {"type": "tls"},
        "configuration": {
            "brokerCertChainAndKey": {
                "secretName": f"{shape.cluster}-brokers-tls",
                "certificate": "tls.crt",
                "key": "tls.key",
            }
        },
    }
    settings = {
        "allow.everyone.if.no.acl.found": False,
        "auto.create.topics.enable": False,
        "default.replication.factor": shape.replicas,
        "delete.topic.enable": False,
        "min.insync.replicas": in_step,
        "offsets.topic.replication.factor": shape.replicas,
        "ssl.enabled.protocols": "TLSv1.3",
        "transaction.state.log.min.isr": in_step,
        "transaction.state.log.replication.factor": shape.replicas,
        "unclean.leader.election.enable": False,
    }
    return {
        **_head("Kafka", shape.cluster, shape, belongs=False),
        "spec": {
            "clientsCa": {"generateCertificateAuthority": False},
            "kafka": {
                "version": KAFKA_VERSION,
                "listeners": [listener],
                "authorization": {"type": "simple", "superUsers": [OPERATOR]},
                "config": settings,
            },
            "entityOperator": {"topicOperator": {}, "userOperator": {}},
        },
    }


def _pool(shape: Shape) -> Resource:
    volume = {
        "id": 0,
        "type": "persistent-claim",
        "size": shape.storage,
        "deleteClaim": False,
        "kraftMetadata": "shared",
    }
    return {
        **_head("KafkaNodePool", "server", shape),
        "spec": {
            "replicas": shape.replicas,
            "roles": ["controller", "broker"],
            "storage": {"type": "jbod", "volumes": [volume]},
        },
    }


def _topic(name: str, settings: Mapping[str, str], shape: Shape) -> Resource:
    return {
        **_head("KafkaTopic", name, shape),
        "spec": {
            "topicName": name,
            "partitions": PARTITION + 1,
            "replicas": shape.replicas,
            "config": {key: _value(text) for key, text in settings.items()},
        },
    }


def _users(rules: frozenset[Rule], shape: Shape) -> Iterator[Resource]:
    ordered = sorted(rules, key=lambda rule: (rule.principal, rule.name, rule.operation))
    for principal, own in groupby(ordered, key=lambda rule: rule.principal):
        acls = [_acl(name, list(of)) for name, of in groupby(own, key=lambda rule: rule.name)]
        yield {
            **_head("KafkaUser", principal.removeprefix(PRINCIPAL), shape),
            "spec": {
                "authentication": {"type": "tls-external"},
                "authorization": {"type": "simple", "acls": acls},
            },
        }


def _acl(name: str, rules: Sequence[Rule]) -> Resource:
    """What may be done with one topic. The directory demands literal rights to topics and no others."""
    return {
        "type": "allow",
        "resource": {"type": "topic", "name": name, "patternType": "literal"},
        "operations": [rule.operation.capitalize() for rule in rules],
        "host": rules[0].host,
    }


def _head(kind: str, name: str, shape: Shape, *, belongs: bool = True) -> Resource:
    labels = {"labels": {"strimzi.io/cluster": shape.cluster}} if belongs else {}
    return {
        "apiVersion": API,
        "kind": kind,
        "metadata": {"name": name, "namespace": shape.namespace, **labels},
    }


def _value(text: str) -> str | int | bool:
    """A topic's setting as its own kind of value: the operator compares texts, people read numbers."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.removeprefix("-").isdigit() else text


def as_yaml(resources: Sequence[Resource]) -> str:
    """The resources as one YAML stream. Texts are written as JSON writes them, which YAML reads the same."""
    return "".join(f"---\n{_block(resource, 0)}" for resource in resources)


def _block(value: Mapping[str, Any], indent: int) -> str:
    return "".join(f"{' ' * indent}{_key(key)}:{_inline(each, indent)}" for key, each in value.items())


def _inline(value: Any, indent: int) -> str:
    if isinstance(value, Mapping):
        return f"\n{_block(value, indent + 2)}" if value else " {}\n"
    if isinstance(value, list):
        return "\n" + "".join(_item(each, indent) for each in value) if value else " []\n"
    return f" {_scalar(value)}\n"


def _item(value: Any, indent: int) -> str:
    if isinstance(value, Mapping):
        text = _block(value, indent + 4)
        return f"{' ' * (indent + 2)}- {text[indent + 4 :]}"
    return f"{' ' * (indent + 2)}- {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _key(text: str) -> str:
    return text if text.replace(".", "").replace("/", "").isalnum() else _scalar(text)
