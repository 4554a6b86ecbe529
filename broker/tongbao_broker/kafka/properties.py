"""The settings of a Kafka server, `server.properties`: one server alone, or each of several.

1. Every server is broker and controller. Both listeners speak TLS 1.3 and demand a client's certificate of
   the one authority; nothing listens in plain text.
2. The principal is the subject's CN, and only where the whole subject is `CN=` and six digits; any other
   certificate is nobody. The servers know one another, and the operator, by `CN=000000`, the only super user.
3. Whatever no rule allows is denied. Topics are never created by being named, and a replica that has fallen
   behind never becomes the leader.
4. With three servers or more a topic has three replicas, of which two must be in step; else one.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

PRINCIPAL_RULE = "RULE:^CN=([0-9]{6})$/$1/"
SUPER_USER = "User:000000"
ENOUGH = 3


@dataclass(frozen=True)
class Server:
    """One server of a cluster: `host` is what clients and the other servers call it by."""

    number: int
    host: str
    broker_port: int
    controller_port: int

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"{self.host}:{self.broker_port}"

    @property
    def voter(self) -> str:
        """How the others name it as a controller."""
        return f"{self.number}@{self.host}:{self.controller_port}"


@dataclass(frozen=True)
class Places:
    """Where a server finds its things: certificate with key, the authority's certificate, its data.

    It listens on the addresses of `bind`, which is empty for all.
    """

    certificate: str
    ca: str
    data: str
    bind: str = ""


def server_properties(own: Server, servers: Sequence[Server], places: Places) -> str:
    """The text of the file for one of the servers."""
    replicas, in_step = ("3", "2") if len(servers) >= ENOUGH else ("1", "1")
    settings = {
        "process.roles": "broker,controller",
        "node.id": str(own.number),
        "controller.quorum.voters": ",".join(each.voter for each in servers),
        "listeners": f"SSL://{places.bind}:{own.broker_port},CONTROLLER://{places.bind}:{own.controller_port}",
        "advertised.listeners": f"SSL://{own.address}",
        "listener.security.protocol.map": "SSL:SSL,CONTROLLER:SSL",
        "inter.broker.listener.name": "SSL",
        "controller.listener.names": "CONTROLLER",
        "ssl.client.auth": "required",
        "ssl.enabled.protocols": "TLSv1.3",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": places.certificate,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": places.ca,
        "ssl.principal.mapping.rules": PRINCIPAL_RULE,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": SUPER_USER,
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_step,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_step,
        "log.dirs": places.data,
    }
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def new_cluster_id() -> str:
    """Kafka's form of a random id: 22 characters, which must not begin with a hyphen."""
    while (text := base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text


def _escaped(value: str) -> str:
    """A value as a Java properties file wants it: ASCII, backslashes doubled."""
    doubled = value.replace("\\", "\\\\")
    return "".join(character if character.isascii() else _unicode_escape(character) for character in doubled)


def _unicode_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
