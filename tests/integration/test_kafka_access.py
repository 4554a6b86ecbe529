"""Who gets in, and who may do what, on the real broker."""

import contextlib
import ssl
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tests.support.kafka import Broker, directory
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import NoRight, OperationError, TopicRefused, Unreachable
from tongbao_broker.kafka import topology
from tongbao_broker.kafka.client import Connection, administration, ask, cluster_id
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing, Writer
from tongbao_broker.trust.certificates import CertificateAuthority

pytestmark = pytest.mark.kafka

OURS, THEIRS, SUSPENDED, LEFT, EXCHANGE = "520000", "440000", "330000", "210000", "100000"
WORLD = directory(p520000="active", p440000="active", p330000="suspended", p210000="left")


@pytest.fixture(scope="module")
def world(broker: Broker) -> Broker:
    broker.set_up(WORLD)
    return broker


def writes(connection: Connection, topic: str) -> bool:
    """True if a record can be written, False if the broker refuses it."""
    writer = Writer(connection)
    try:
        return writer.send_all([Outgoing(topic, None, b"{}")])[0] >= 0
    except (TopicRefused, NoRight):
        return False
    finally:
        writer.close()


def reads(connection: Connection, topic: str) -> bool:
    """True if the topic can be polled, False if the broker refuses it."""
    try:
        with contextlib.closing(Reader(connection, [topic])) as reader:
            reader.poll(0.2, 1)
    except TopicRefused:
        return False
    return True


def lets_in(connection: Connection, context: ssl.SSLContext | None = None) -> bool:
    """True if the broker answers, False if it hangs up."""
    try:
        ask(connection.bootstrap, context or connection.ssl_context())
    except OSError:
        return False
    return True


def test_good_certificate_gets_in(world: Broker) -> None:
    """A certificate of the authority with a province's code gets in, writes its `out` and reads it back."""
    connection = world.as_(OURS)

    assert lets_in(connection)
    assert len(cluster_id(connection, timeout_s=5)) == 22
    assert writes(connection, out_topic(OURS))
    assert reads(connection, out_topic(OURS))


def test_certificate_of_another_authority_stays_out(world: Broker) -> None:
    """The right name in a certificate of somebody else's authority is worth nothing."""
    folder = world.folder / "other-ca"
    folder.mkdir()
    other = CertificateAuthority.create(folder, now=SystemClock().now())

    assert not lets_in(world.as_(OURS, other))


def test_no_certificate_stays_out(world: Broker) -> None:
    """A client without a certificate doesn't get in, though it trusts the authority."""
    context = ssl.create_default_context(cafile=str(world.server.ca))

    assert not lets_in(world.operator, context)


def test_old_tls_stays_out(world: Broker) -> None:
    """A client that speaks no TLS 1.3 doesn't get in."""
    context = world.as_(OURS).ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    assert not lets_in(world.as_(OURS), context)


def test_refused_client_is_unreachable(world: Broker) -> None:
    """To a program that isn't let in the broker is unreachable; it neither hangs nor gets a foreign error."""
    folder = world.folder / "third-ca"
    folder.mkdir()
    other = CertificateAuthority.create(folder, now=SystemClock().now())

    with pytest.raises(Unreachable):
        cluster_id(world.as_(OURS, other), timeout_s=1)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param([["520000-test"]], id="CN=520000-test"),
        pytest.param([["520000", "440000"]], id="CN=520000+CN=440000"),
        pytest.param([["520000"], ["440000"]], id="CN=440000,CN=520000"),
        pytest.param([["5200001"]], id="CN=5200001"),
        pytest.param([["52000"]], id="CN=52000"),
        pytest.param([[" 520000"]], id="CN with a space"),
    ],
)
def test_other_subject_is_nobody(world: Broker, subject: list[list[str]]) -> None:
    """Only a subject that is exactly `CN=` and six digits names a participant; nothing like it is let in."""
    assert lets_in(world.with_certificate("even", _certificate(world, [[OURS]])))
    assert not lets_in(world.with_certificate("odd", _certificate(world, subject)))


MATRIX = {
    OURS: {out_topic(OURS): "rw", in_topic(OURS): "r", DIRECTORY_TOPIC: "r", LEAVES_TOPIC: "r"},
    SUSPENDED: {out_topic(SUSPENDED): "r", in_topic(SUSPENDED): "r", DIRECTORY_TOPIC: "r", LEAVES_TOPIC: "r"},
    LEFT: {},
    "640000": {},
    EXCHANGE: {
        **{out_topic(code): "r" for code in (OURS, THEIRS, SUSPENDED, LEFT)},
        **{in_topic(code): "rw" for code in (OURS, THEIRS, SUSPENDED, LEFT)},
        DIRECTORY_TOPIC: "rw",
        LEAVES_TOPIC: "rw",
    },
}
GREED = topology.Rule("User:520000", "WRITE", out_topic(THEIRS))
TOPICS = sorted({topic for rights in MATRIX.values() for topic in rights})


@pytest.mark.parametrize("principal", MATRIX)
def test_rights_are_exactly_these(world: Broker, principal: str) -> None:
    """Each principal may read and write exactly the topics of the table; every other pair is refused."""
    connection = world.as_(principal)
    found = {topic: _rights(connection, topic) for topic in TOPICS}

    assert {topic: MATRIX[principal].get(topic, "") for topic in TOPICS} == found


@pytest.mark.parametrize("principal", [OURS, EXCHANGE])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda admin: admin.create_topics({"new": {}}), id="create a topic"),
        pytest.param(lambda admin: admin.delete_topics([out_topic(OURS)]), id="delete a topic"),
        pytest.param(lambda admin: admin.describe_acls(topology._filter()), id="list the rules"),
        pytest.param(lambda admin: topology._allow(admin, [GREED]), id="give itself a right"),
    ],
)
def test_participants_administer_nothing(
    world: Broker, principal: str, change: Callable[..., object]
) -> None:
    """No participant, not even the exchange, can make, delete or permit anything."""
    with pytest.raises(OperationError), administration(world.as_(principal)) as admin:
        change(admin)


def _rights(connection: Connection, topic: str) -> str:
    return ("r" if reads(connection, topic) else "") + ("w" if writes(connection, topic) else "")


def _certificate(broker: Broker, subject: list[list[str]]) -> bytes:
    """A certificate of the real authority with a subject that its own code would never issue."""
    name = x509.Name(
        x509.RelativeDistinguishedName(x509.NameAttribute(NameOID.COMMON_NAME, value) for value in values)
        for values in subject
    )
    authority = x509.load_pem_x509_certificate((broker.folder / "ca" / "ca.pem").read_bytes())
    signer = load_pem_private_key((broker.folder / "ca" / "ca-key.pem").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(authority.not_valid_before_utc)
        .not_valid_after(authority.not_valid_after_utc)
        .sign(signer, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM) + broker.authority.pem
