"""How Tongbao talks to a broker: who, where, and with which settings.

1. Always mutual TLS 1.3, the certificate's names checked; the context is our own, so that a renewed
   certificate can be loaded into it and serves the next connection.
2. Every setting whose default is unsafe is given, never inherited.
3. No error of the library leaves this package: `speaking` turns it into one of ours.
"""

import socket
import ssl
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka import errors as theirs

from tongbao_broker.errors import BadConfiguration, NoRight, TopicRefused, Unreachable

REQUEST_S = 10.0
BOOTSTRAP_TIMEOUT_S = 10.0
ANSWER_S = 5.0
RETRY_S = 0.1
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Length, key, version, correlation, no client id."""


@dataclass(frozen=True)
class Connection:
    """A participant's way to the broker.

    `certificate` is a PEM file with key and chain, `ca` the authority's certificate, `bootstrap` is
    `host:port[,…]`.
    """

    bootstrap: str
    certificate: Path
    ca: Path
    client_id: str

    def settings(self) -> Mapping[str, Any]:
        """What every client of the library is given."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "client_id": self.client_id,
            "security_protocol": "SSL",
            "ssl_context": self.ssl_context(),
            "ssl_check_hostname": True,
            "request_timeout_ms": int(REQUEST_S * 1000),
            "bootstrap_timeout_ms": int(BOOTSTRAP_TIMEOUT_S * 1000),
            "reconnect_backoff_max_ms": 2_000,
        }

    def ssl_context(self) -> ssl.SSLContext:
        """TLS 1.3 both ways; raises BadConfiguration when a file is missing or holds something else."""
        try:
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(self.ca))
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_cert_chain(str(self.certificate))
        except (OSError, ssl.SSLError) as error:
            files = f"{self.certificate}, {self.ca}"
            raise BadConfiguration(f"{files}: {type(error).__name__}") from error
        return context


@contextmanager
def speaking(connection: Connection) -> Iterator[None]:
    """Turns whatever the library raises inside the block into an error of ours."""
    try:
        yield
    except (theirs.TopicAuthorizationFailedError, theirs.UnknownTopicOrPartitionError) as error:
        raise TopicRefused(_who(connection, error)) from error
    except (theirs.ClusterAuthorizationFailedError, theirs.GroupAuthorizationFailedError) as error:
        raise NoRight(_who(connection, error)) from error
    except (theirs.KafkaError, OSError) as error:
        raise Unreachable(_who(connection, error)) from error


def await_answer(connection: Connection, timeout_s: float = BOOTSTRAP_TIMEOUT_S) -> None:
    """Returns as soon as one of the servers answers us over TLS; raises Unreachable with the last reason.

    To be called before a client of the library is made: one that finds no server leaves a thread behind which
    goes on trying for ever, and it doesn't say whether it was the network or the certificate.
    """
    context, until = connection.ssl_context(), time.monotonic() + timeout_s
    while True:
        for server in connection.bootstrap.split(","):
            try:
                return ask(server, context)
            except OSError as error:
                reason = f"{server}: {getattr(error, 'reason', None) or type(error).__name__}"
        if time.monotonic() > until:
            raise Unreachable(f"{connection.client_id} at {reason}")
        time.sleep(RETRY_S)


def ask(server: str, context: ssl.SSLContext) -> None:
    """Sends `host:port` the first request of Kafka's protocol; raises OSError unless it answers.

    A client that isn't let in may notice only here: in TLS 1.3 it has finished its handshake before it is
    judged.
    """
    host, _, port = server.rpartition(":")
    name = host.strip("[]")
    with (
        socket.create_connection((name, int(port)), timeout=ANSWER_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        secure.sendall(API_VERSIONS)
        if not secure.recv(1):
            raise ConnectionResetError("hung up")


def administrator(
    connection: Connection, timeout_s: float = BOOTSTRAP_TIMEOUT_S, request_s: float = REQUEST_S
) -> KafkaAdminClient:
    """A client for questions and changes; the caller closes it. Raises Unreachable or BadConfiguration."""
    await_answer(connection, timeout_s)
    with speaking(connection):
        return KafkaAdminClient(**{**connection.settings(), "request_timeout_ms": int(request_s * 1000)})


@contextmanager
def administration(
    connection: Connection, timeout_s: float = BOOTSTRAP_TIMEOUT_S
) -> Iterator[KafkaAdminClient]:
    """An administrator's session; the library's errors inside it become ours."""
    client = administrator(connection, timeout_s)
    try:
        with speaking(connection):
            yield client
    finally:
        client.close()


def cluster_id(connection: Connection, timeout_s: float) -> str:
    """The cluster's id, which every authenticated client may ask for; raises Unreachable."""
    with administration(connection, timeout_s) as client:
        return str(client.describe_cluster()["cluster_id"])


def _who(connection: Connection, error: Exception) -> str:
    return f"{connection.client_id} at {connection.bootstrap}: {type(error).__name__}"
