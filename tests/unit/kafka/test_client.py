"""Connecting is mutual TLS or nothing, and a library's error never gets out."""

import ssl
from pathlib import Path

import pytest
from kafka import errors as theirs

from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import BadConfiguration, NoRight, OperationError, TopicRefused, Unreachable
from tongbao_broker.kafka.client import Connection, await_answer, speaking
from tongbao_broker.trust.certificates import CertificateAuthority


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Connection:
    """A good certificate and a server that isn't there."""
    folder = tmp_path_factory.mktemp("client")
    now = SystemClock().now()
    authority = CertificateAuthority.create(folder, now=now)
    authority.issue_to(folder / "tls.pem", "520000", now=now, days=1)
    return Connection("127.0.0.1:1,127.0.0.1:2", folder / "tls.pem", folder / "ca.pem", "test")


def test_context_checks_the_server(connection: Connection) -> None:
    """The server's certificate and name are checked, and nothing older than TLS 1.3 is spoken."""
    context = connection.ssl_context()

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3


def test_only_our_authority_is_trusted(connection: Connection) -> None:
    """The machine's own authorities don't count: only the one that was given."""
    assert len(connection.ssl_context().get_ca_certs()) == 1


@pytest.mark.parametrize("missing", ["certificate", "ca"])
def test_missing_file_is_named(connection: Connection, missing: str, tmp_path: Path) -> None:
    """A certificate file that is missing or isn't one is our own configuration's fault."""
    files = {"certificate": connection.certificate, "ca": connection.ca, missing: tmp_path / "nothing.pem"}

    with pytest.raises(BadConfiguration, match=r"nothing\.pem"):
        Connection("h:1", files["certificate"], files["ca"], "test").ssl_context()


def test_absent_servers_are_unreachable(connection: Connection) -> None:
    """When no server answers in time, the error names the last one and why."""
    with pytest.raises(Unreachable, match=r"test at 127\.0\.0\.1:2: ConnectionRefusedError"):
        await_answer(connection, timeout_s=0)


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (theirs.TopicAuthorizationFailedError("t"), TopicRefused),
        (theirs.UnknownTopicOrPartitionError("t"), TopicRefused),
        (theirs.ClusterAuthorizationFailedError(), NoRight),
        (theirs.KafkaTimeoutError(), Unreachable),
        (theirs.KafkaConnectionError("secret"), Unreachable),
        (ConnectionResetError("secret"), Unreachable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_their_errors_become_ours(
    connection: Connection, raised: Exception, ours: type[OperationError]
) -> None:
    """Each error of the library comes out as one of ours, without its text."""
    with pytest.raises(ours) as caught, speaking(connection):
        raise raised

    assert type(caught.value) is ours
    assert "secret" not in str(caught.value)
