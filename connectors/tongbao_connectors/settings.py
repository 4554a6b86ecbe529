"""What one province's connector is told, in the files of its folder.

    connector.toml      code, network, kafka.bootstrap, database_url (unless connector.db in the folder
                        serves), metrics.host and metrics.connector, .desk, .watch (ports; off unless named),
                        tracing.endpoint (off unless named), .ratio, .ca_file
    tls.pem  ca.pem     client certificate with its key; the issuing CA
    keys/message.pem    the signing key; keys/seal/*.pem: the seal keys, old ones as long as bodies are sealed
                        to them
    trust.json          roots and directory; pinned-root.json: the root this installation was set up with
    routing.toml  roster.toml   where alerts go, and who is on duty

Everything is read when it is asked for and checked then; what is wrong raises BadConfiguration with the
file's name.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tongbao_broker.errors import BadConfiguration, Words
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_broker.metering.address import LOOPBACK, Host, MetricsAddress, Port
from tongbao_broker.tracing import Tracing
from tongbao_connectors.roster import Roster, Setting, read_settings, read_text
from tongbao_connectors.routing import RoutingTable
from tongbao_schemas.fields import Network, ParticipantCode

if TYPE_CHECKING:
    from tongbao_broker.kafka.client import Connection
    from tongbao_broker.trust.keys import SealKey, SigningKey

APPS = (
    "tongbao_broker.streams",
    "tongbao_connectors.store",
    "tongbao_connectors.search",
    "tongbao_connectors.duty",
)


class Kafka(Setting):
    """Where the broker is."""

    bootstrap: Annotated[
        str, Field(description="host:port of one or more brokers", examples=["127.0.0.1:9093"])
    ]


class Metrics(Setting):
    """Where this province's processes answer for /metrics, /healthz, /readyz; each on its own port."""

    host: Host = LOOPBACK
    connector: Port = None
    desk: Port = None
    watch: Port = None

    def of(self, component: Literal["connector", "desk", "watch"]) -> MetricsAddress:
        """Where this process answers."""
        return MetricsAddress(host=self.host, port=getattr(self, component))


class ConnectorFile(Setting):
    """The tables of `connector.toml`."""

    code: ParticipantCode
    network: Network
    kafka: Kafka
    database_url: Annotated[
        str | None,
        Field(
            description="sqlite:///absolute/path or postgresql://…",
            examples=["sqlite:////var/lib/tongbao/gd.db"],
        ),
    ] = None
    metrics: Metrics = Metrics()
    tracing: Tracing = Tracing()


class ConnectorSettings:
    """The settings in one folder."""

    def __init__(self, folder: Path, file: ConnectorFile) -> None:
        self.folder = folder
        self.code = file.code
        self.network = file.network
        self.kafka = file.kafka
        self.metrics = file.metrics
        self.tracing = file.tracing
        self._database_url = file.database_url

    @classmethod
    def load(cls, folder: Path) -> "ConnectorSettings":
        """Reads `connector.toml` in the folder; raises BadConfiguration."""
        folder = folder.resolve()
        text = read_text(folder / "connector.toml")
        return cls(folder, read_settings(ConnectorFile, text, "connector.toml"))

    @property
    def database_url(self) -> str:
        """The database's address; `connector.db` in the folder where none is set."""
        from tongbao_broker.database import sqlite_url

        return self._database_url or sqlite_url(self.folder / "connector.db")

    @property
    def out_topic(self) -> str:
        return out_topic(self.code)

    @property
    def in_topic(self) -> str:
        return in_topic(self.code)

    def open_database(
        self, *, migrate: bool = False, apps: Sequence[str] = APPS, name: str | None = None
    ) -> str:
        """Opens the database under the province's code (or `name`) and returns that name.

        `migrate` brings the tables of `apps` up to date, one process of the province after the other.
        """
        from tongbao_broker import database

        opened = name or self.code
        database.open_database(opened, self.database_url, apps)
        if migrate:
            with self._alone("migrate"):
                database.migrate(opened)
        return opened

    def connection(self, client_id: str = "") -> "Connection":
        """The way to the broker with this province's certificate."""
        from tongbao_broker.kafka.client import Connection

        return Connection(
            self.kafka.bootstrap,
            self.folder / "tls.pem",
            self.folder / "ca.pem",
            client_id or f"tongbao-{self.code}",
        )

    def message_key(self) -> "SigningKey":
        """The key that signs this province's messages."""
        from tongbao_broker.trust.keys import load_signing_key

        return load_signing_key(self.folder / "keys" / "message.pem")

    def seal_keys(self) -> "Mapping[str, SealKey]":
        """Every seal key that is still here, by its kid."""
        from tongbao_broker.trust.keys import load_seal_key

        keys = [load_seal_key(path) for path in sorted((self.folder / "keys" / "seal").glob("*.pem"))]
        if not keys:
            raise BadConfiguration(Words("keys/seal 中没有解密私钥", "keys/seal holds no seal key"))
        return {key.kid: key for key in keys}

    def pinned_root(self) -> bytes:
        """The bytes of `pinned-root.json`."""
        return self._bytes("pinned-root.json")

    def trust_file(self) -> bytes:
        """The bytes of `trust.json`."""
        return self._bytes("trust.json")

    def roster(self) -> Roster:
        """Units, officers and duty."""
        return Roster.load(self.folder / "roster.toml")

    def routing(self) -> RoutingTable:
        """The routing rules; raises BadConfiguration where they name a unit that the roster doesn't have."""
        table = RoutingTable.parse(read_text(self.folder / "routing.toml"), self.code)
        if unknown := sorted(table.units - self.roster().units.keys()):
            raise BadConfiguration(
                Words(
                    f"routing.toml 中的单位 {unknown[0]} 不在 roster.toml 中",
                    f"routing.toml names the unit {unknown[0]}, which roster.toml doesn't have",
                )
            )
        return table

    def rules_changed(self) -> tuple[int, ...]:
        """When `routing.toml` and `roster.toml` were last written (ns).

        Another value means that they were again.
        """
        files = (self.folder / "routing.toml", self.folder / "roster.toml")
        return tuple(file.stat().st_mtime_ns for file in files if file.exists())

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Waits until no other process of this province is inside the block of this name."""
        path = self.folder / "run" / f"{name}.lock"
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _bytes(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise BadConfiguration(f"{name}: {error.strerror}") from None
