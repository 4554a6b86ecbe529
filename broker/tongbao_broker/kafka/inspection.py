"""How the brokers are set up and which time they keep, as the super user sees it.

1. The settings that topics and rights rely on: no topic by being named, no leader that lacks records, nobody
   without a certificate, no principal but from `CN=` and six digits, TLS 1.3.
2. A broker tells its time only by what it wrote: the newest record of some topics.
3. Nothing is changed here.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType

from tongbao_broker.kafka.client import Connection, administration
from tongbao_broker.kafka.properties import PRINCIPAL_RULE
from tongbao_broker.kafka.reader import Reader

DEMANDED: Mapping[str, str] = {
    "auto.create.topics.enable": "false",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "ssl.client.auth": "required",
    "ssl.enabled.protocols": "TLSv1.3",
    "ssl.principal.mapping.rules": PRINCIPAL_RULE,
    "unclean.leader.election.enable": "false",
}
TRIES = 20
POLL_S = 0.1


@dataclass(frozen=True, order=True)
class Deviation:
    """A broker's setting that isn't what it should be."""

    broker: str
    setting: str
    found: str
    wanted: str


def deviations(connection: Connection) -> list[Deviation]:
    """What is set wrongly at any broker. Raises Unreachable or NoRight."""
    with administration(connection) as admin:
        brokers = [str(each["broker_id"]) for each in admin.describe_cluster()["brokers"]]
        asked = [ConfigResource(ConfigResourceType.BROKER, broker) for broker in brokers]
        found = admin.describe_configs(asked, config_filter=ConfigFilterType.ALL)["broker"]
    return sorted(
        Deviation(broker, setting, str(found[broker].get(setting, {}).get("value")), wanted)
        for broker in brokers
        for setting, wanted in DEMANDED.items()
        if str(found[broker].get(setting, {}).get("value")) != wanted
    )


def last_written_ms(connection: Connection, topics: Sequence[str]) -> int | None:
    """When the newest record of these topics was written, by the broker's clock; None if there is none.

    Milliseconds since 1970. Raises Unreachable or TopicRefused.
    """
    with closing(Reader(connection, topics)) as reader:
        ends = {topic: reader.end_offset(topic) for topic in topics}
        filled = {topic for topic, end in ends.items() if end > reader.first_offset(topic)}
        for topic in topics:
            reader.seek(topic, max(0, ends[topic] - 1))
        times: dict[str, int] = {}
        for _ in range(TRIES):
            if filled <= times.keys():
                break
            for batch in reader.poll(POLL_S, len(topics)):
                times[batch.topic] = max(record.timestamp_ms for record in batch.records)
    return max(times.values(), default=None)
