"""What the exchange is told, in the files of its folder.

    exchange.toml       network, kafka.bootstrap, database_url (unless exchange.db in the folder serves),
                        metrics.port and metrics.host (off unless a port is named),
                        tracing.endpoint (off unless named), .ratio, .ca_file
    tls.pem  ca.pem     client certificate (CN=100000) with its key; the issuing CA
    keys/message.pem    signs notices and heads; keys/checkpoint.pem signs the trail
    trust.json          roots and directory, read again whenever the file changes
    pinned-root.json    the root that this installation was set up with

Everything is checked when it is read; what is wrong raises BadConfiguration with the file's name.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tongbao_broker import database
from tongbao_broker.errors import BadConfiguration, Words
from tongbao_broker.kafka.client import Connection
from tongbao_broker.metering.address import MetricsAddress
from tongbao_broker.tracing import Tracing
from tongbao_broker.trust.keys import SigningKey, load_signing_key
from tongbao_schemas.fields import Network, explain

APPS = ("tongbao_broker.streams", "tongbao_broker.exchange")
FILE = "exchange.toml"


class _Setting(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Kafka(_Setting):
    """Where the broker is."""

    bootstrap: Annotated[
        str, Field(description="host:port of one or more brokers", examples=["127.0.0.1:9093"])
    ]


class ExchangeFile(_Setting):
    """The tables of `exchange.toml`."""

    network: Network
    kafka: Kafka
    database_url: Annotated[
        str | None,
        Field(description="sqlite:///absolute/path or postgresql://…", examples=["postgresql://db/exchange"]),
    ] = None
    metrics: Annotated[
        MetricsAddress, Field(description="where the exchange answers for /metrics, /healthz, /readyz")
    ] = MetricsAddress()
    tracing: Annotated[Tracing, Field(description="where traces go; off unless an endpoint is named")] = (
        Tracing()
    )


class ExchangeSettings:
    """The settings in one folder."""

    def __init__(self, folder: Path, file: ExchangeFile) -> None:
        self.folder = folder
        self.network = file.network
        self.kafka = file.kafka
        self.metrics = file.metrics
        self.tracing = file.tracing
        self._database_url = file.database_url

    @classmethod
    def load(cls, folder: Path) -> "ExchangeSettings":
        """Reads `exchange.toml` in the folder; raises BadConfiguration."""
        folder = folder.resolve()
        try:
            tables = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
            return cls(folder, ExchangeFile.model_validate(tables))
        except OSError as error:
            raise BadConfiguration(f"{FILE}: {error.strerror}") from None
        except ValidationError as error:
            raise BadConfiguration(f"{FILE}: {explain(error)}") from None
        except ValueError:
            raise BadConfiguration(
                Words(f"{FILE} 不是 UTF-8 编码的 TOML", f"{FILE} is no TOML in UTF-8")
            ) from None

    @property
    def database_url(self) -> str:
        """The database's address; `exchange.db` in the folder where none is set."""
        return self._database_url or database.sqlite_url(self.folder / "exchange.db")

    @property
    def trust_file(self) -> Path:
        return self.folder / "trust.json"

    @property
    def pinned_root(self) -> Path:
        return self.folder / "pinned-root.json"

    @property
    def log_file(self) -> Path:
        return self.folder / "log" / "worker.log"

    def open_database(self, name: str) -> None:
        """Opens the database under `name` and brings its tables up to date."""
        database.open_database(name, self.database_url, APPS)
        database.migrate(name)

    def connection(self) -> Connection:
        """The way to the broker with the exchange's certificate."""
        return Connection(
            self.kafka.bootstrap, self.folder / "tls.pem", self.folder / "ca.pem", "tongbao-exchange"
        )

    def message_key(self) -> SigningKey:
        """The key that signs notices and heads."""
        return load_signing_key(self.folder / "keys" / "message.pem")

    def checkpoint_key(self) -> SigningKey:
        """The key that signs the trail."""
        return load_signing_key(self.folder / "keys" / "checkpoint.pem")
