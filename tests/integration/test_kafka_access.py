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

from tests.support.kafka import Broker, directory, wait_until
from tests.support.rights import QUESTIONS, rights
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import NoRight, OperationError, TopicRefused, Unreachable
from tongbao_broker.kafka import topology
from tongbao_broker.kafka.client import Connection, administration, ask, cluster_id
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing, Writer
from tongbao_broker.trust.certificates import CertificateAuthority

pytestmark = pytest.mark.kafka

OURS, THEIRS, EXCHANGE = "520000", "440000", "100000"
WORLD = directory(p520000="active", p440000="active")


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


GREED = topology.Rule("User:520000", "WRITE", out_topic(THEIRS))
DEMO = ("520000", "440000", "330000", "530000", "320000")
SUSPENDED, LEFT, STRANGER, OPERATOR = "610000", "210000", "640000", "000000"
NETWORK = directory(**{f"p{code}": "active" for code in DEMO}, p610000="suspended", p210000="left")
PUBLIC = (DIRECTORY_TOPIC, LEAVES_TOPIC)
TOPICS = (*(name for code in (*DEMO, SUSPENDED, LEFT) for name in (out_topic(code), in_topic(code))), *PUBLIC)
WITHOUT_DELETION = QUESTIONS.keys() - {"delete"}


def may_write(principal: str, topic: str) -> bool:
    """An active province its own `out`; the exchange every `in` and what is public."""
    if principal == EXCHANGE:
        return topic.endswith(".in.v1") or topic in PUBLIC
    return principal in DEMO and topic == f"prov.{principal}.out.v1"


def may_read(principal: str, topic: str) -> bool:
    """The exchange everything; a province that hasn't left its own two topics and what is public."""
    if principal == EXCHANGE:
        return True
    own = (f"prov.{principal}.out.v1", f"prov.{principal}.in.v1")
    return principal in (*DEMO, SUSPENDED) and topic in (*own, *PUBLIC)


def rule(principal: str, topic: str) -> set[str]:
    """What the design grants, and no more; `""` stands for the cluster.

    Whoever may read or write a topic also sees that it is there. Whoever may write any topic may open an
    idempotent producer. Nobody but the operator makes, changes or deletes.
    """
    if principal == OPERATOR:
        return {"idempotent write"} if topic == "" else WITHOUT_DELETION - {"idempotent write"}
    if topic == "":
        return {"idempotent write"} if any(may_write(principal, each) for each in TOPICS) else set()
    granted = {"write"} if may_write(principal, topic) else set()
    granted |= {"read"} if may_read(principal, topic) else set()
    return granted | ({"describe"} if granted else set())


@pytest.fixture(scope="module")
def network(broker: Broker) -> Broker:
    broker.set_up(NETWORK)
    return broker


@pytest.mark.parametrize("principal", [OPERATOR, EXCHANGE, *DEMO, SUSPENDED, LEFT, STRANGER])
def test_rights_are_exactly_these(network: Broker, principal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Principal × topic × operation: each cell is what the rule says (the operator isn't let delete here)."""
    if principal == OPERATOR:
        monkeypatch.delitem(QUESTIONS, "delete")
    found = rights(network.as_(principal), TOPICS)
    wrong = {
        (topic, operation) for topic in (*TOPICS, "") for operation in found[topic] ^ rule(principal, topic)
    }

    assert wrong == set()


def test_a_wrong_right_shows(network: Broker) -> None:
    """A right too many and one too few appear in exactly their cells, so the table above can fail."""
    brake = topology.Rule("User:520000", "READ", LEAVES_TOPIC, permission="DENY")
    ours = network.as_(OURS)

    def wrong() -> set[tuple[str, str]]:
        found = rights(ours, TOPICS)
        return {(topic, each) for topic in (*TOPICS, "") for each in found[topic] ^ rule(OURS, topic)}

    with administration(network.operator) as admin:
        topology._allow(admin, [GREED, brake])
        expected = {(out_topic(THEIRS), "write"), (out_topic(THEIRS), "describe"), (LEAVES_TOPIC, "read")}
        try:
            wait_until(lambda: wrong() == expected)
        finally:
            topology._remove(admin, [GREED, brake])


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
