"""What is made for a network whose servers run in containers (no service, no network)."""

import base64
import hashlib
import hmac
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tongbao_broker.trust.certificates import read_certificate
from tongbao_connectors import rotation, services, stack, workspace
from tongbao_connectors.desk import configuration
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import FolderTaken, NoTemplate, Plan, Workspace

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BROKERS = ("kafka-1", "kafka-2", "kafka-3")
PLAN = Plan(network="exercise", provinces=("520000", "440000"), brokers=BROKERS, database="postgres")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace.create(tmp_path_factory.mktemp("workspaces") / "stack", NOW, PLAN)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everybody_finds_all_brokers(made: Workspace) -> None:
    """Each participant is given the addresses of all three brokers, and so is the operator."""
    connector = ConnectorSettings.load(made.participant("520000"))

    assert made.bootstrap == "kafka-1:9092,kafka-2:9092,kafka-3:9092"
    assert connector.kafka.bootstrap == made.bootstrap
    assert workspace.load(made.folder) == made


def test_broker_has_its_own_certificate_for_its_own_name(made: Workspace) -> None:
    """Three keys for three brokers; each is CN=000000; all are of one cluster."""
    folders = [made.folder / host for host in BROKERS]
    certificates = [(folder / "tls.pem").read_bytes() for folder in folders]

    assert len(set(certificates)) == 3
    assert {read_certificate(pem, (folders[0] / "ca.pem").read_bytes()).subject for pem in certificates} == {
        "CN=000000"
    }
    assert len({(folder / "cluster.id").read_text() for folder in folders}) == 1
    assert (
        "ssl.keystore.location=/etc/kafka/secrets/tls.pem" in (folders[0] / "server.properties").read_text()
    )


def test_password_is_in_its_owners_folder_only(made: Workspace) -> None:
    """Each participant's password is in one file of mode 0600; the server gets no password at all."""
    passwords = {}
    for code in ("100000", "520000", "440000"):
        file = made.folder / code / "keys" / "database.pass"
        host, _, name, role, passwords[code] = file.read_text().strip().split(":")

        assert (host, name, role, mode(file)) == ("postgres", f"tongbao_{code}", f"tongbao_{code}", 0o600)
    roles = (made.folder / "database" / "roles.sql").read_text()
    assert len(set(passwords.values())) == 3
    assert not [password for password in passwords.values() if password in roles]


def test_database_address_names_the_password_file_and_no_password(made: Workspace) -> None:
    """The settings can be shown to anybody: they name a file."""
    url = ConnectorSettings.load(made.participant("440000")).database_url
    home = made.participant("440000")

    assert url == (
        "postgresql://tongbao_440000@postgres:5432/tongbao_440000"
        f"?passfile={home}/keys/database.pass&sslrootcert={home}/ca.pem"
    )


def test_database_server_proves_its_name(made: Workspace) -> None:
    """Its certificate is none of a participant's; over the network nobody speaks to it without TLS."""
    home = made.folder / "database"
    facts = read_certificate((home / "tls.pem").read_bytes(), (home / "ca.pem").read_bytes())
    over_the_network = [line for line in (home / "pg_hba.conf").read_text().splitlines() if "host" in line]

    assert facts.subject == "CN=postgres"
    assert over_the_network == ["hostssl all all all scram-sha-256"]


def test_verifier_recognises_its_password() -> None:
    """A client that proves the password gets through (RFC 5802), with another password it doesn't."""
    salt = bytes(range(16))
    verifier = stack.scram_verifier("a password", salt)
    matched = re.fullmatch(r"SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):(.+)", verifier)
    assert matched

    def stored(password: str) -> bytes:
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(matched[1]), 4096)
        return hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()

    assert stored("a password") == base64.b64decode(matched[2]) != stored("another password")


def test_no_published_password_outside_the_demo(made: Workspace) -> None:
    """The desks ask for a second factor and begin without accounts."""
    place = made.participant("440000")

    assert configuration.load(place, made.network).second_factor == "required"
    assert not (place / "accounts.toml").exists()


def test_empty_volumes_are_filled(tmp_path: Path) -> None:
    """Folders that are there and empty, as volumes are, get what belongs into them."""
    for name in ("520000", "440000", "kafka-1"):
        (tmp_path / "volumes" / name).mkdir(parents=True)
    made = workspace.create(tmp_path / "volumes", NOW, PLAN)

    assert (made.folder / "520000" / "connector.toml").exists()
    assert mode(made.folder / "kafka-1" / "tls.pem") == 0o600


def test_half_filled_volumes_are_left_alone(tmp_path: Path) -> None:
    """What an interrupted first start left behind is not mixed with new keys."""
    (tmp_path / "volumes" / "520000").mkdir(parents=True)
    (tmp_path / "volumes" / "520000" / "tls.pem").write_text("old")

    with pytest.raises(FolderTaken):
        workspace.create(tmp_path / "volumes", NOW, PLAN)


def test_supervisor_starts_nothing_that_runs_in_containers(made: Workspace) -> None:
    """`tongbao up` says what starts such a network."""
    with pytest.raises(services.RunsElsewhere, match="docker compose"):
        services.start_detached(made)


def test_province_without_a_desk_has_a_connector(tmp_path: Path) -> None:
    """Sample settings of desks are shipped for two provinces; the others come without one."""
    plan = Plan(provinces=("520000", "330000"), brokers=BROKERS, database="postgres")
    made = workspace.create(tmp_path / "stack", NOW, plan)

    assert (made.participant("520000") / "desk.toml").exists()
    assert (made.participant("330000") / "connector.toml").exists()
    assert not (made.participant("330000") / "desk.toml").exists()


def test_every_broker_gets_a_new_certificate(tmp_path: Path) -> None:
    """A rotation of the brokers' certificate reaches all three, each still under its own name."""
    made = workspace.create(tmp_path / "stack", NOW, PLAN)
    before = [(made.folder / host / "tls.pem").read_bytes() for host in BROKERS]
    rotation.rotate_certificate(made, "000000", NOW)
    after = [(made.folder / host / "tls.pem").read_bytes() for host in BROKERS]

    assert len({*before, *after}) == 6


def test_province_without_sample_settings_is_said(tmp_path: Path) -> None:
    """A province that nothing is shipped for is refused before anything is made."""
    with pytest.raises(NoTemplate, match="610000"):
        workspace.create(tmp_path / "w", NOW, Plan(provinces=("610000",)))

    assert list(tmp_path.iterdir()) == []
