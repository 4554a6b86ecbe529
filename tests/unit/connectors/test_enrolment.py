"""Enrolling a province with a system of its own (no service, no network)."""

import json
import ssl
import stat
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pytest

from tongbao_broker.errors import OperationError, Unreachable
from tongbao_broker.trust.directory import Directory, load_trust, parse_root_file, parse_trust_file
from tongbao_broker.trust.keys import load_seal_key, load_signing_key
from tongbao_connectors import workspace
from tongbao_connectors.enrolment import external
from tongbao_connectors.workspace import NoConnector, Workspace
from tongbao_schemas.codes import Category, Handling, MessageType
from tongbao_schemas.envelope import Envelope

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace.create(tmp_path_factory.mktemp("workspaces") / "demo", NOW)


@pytest.fixture
def place(network: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of the test's own."""
    return workspace.load(copytree(network.folder, tmp_path / "demo"))


def no_broker(_wanted: Directory) -> None:
    """Nothing runs."""


def enrol(place: Workspace, code: str = "610000") -> external.Enrolled:
    return external.enrol(place, code, LATER, open_topics=no_broker)


def directory_of(folder: Path, place: Workspace) -> Directory:
    trust = parse_trust_file((folder / "trust.json").read_bytes())
    pinned = parse_root_file((folder / "pinned-root.json").read_bytes())
    return load_trust(trust, pinned, network=place.network, now=LATER).directory


def test_the_directory_keeps_everything_and_grows_by_the_province(place: Workspace) -> None:
    """One version higher: all participants, keys and agreements of before, and the province's own."""
    before = directory_of(place.exchange, place).document
    after = enrol(place).directory.document
    new = {key.use for key in after.keys if key.owner == "610000"}

    assert (before.version, after.version) == (1, 2)
    assert {each.code for each in after.participants} - {each.code for each in before.participants} == {
        "610000"
    }
    assert after.keys[: len(before.keys)] == before.keys
    assert after.agreements[: len(before.agreements)] == before.agreements
    assert new == {"message", "seal"}


@pytest.mark.parametrize("other", workspace.DEMO_PROVINCES)
def test_the_province_has_an_agreement_with_every_other(place: Workspace, other: str) -> None:
    """Alerts may go both ways."""
    directory = enrol(place).directory
    alert = (Category.OUTBOUND_TRAFFICKING, MessageType.ALERT, Handling.H0)

    assert directory.agreement("610000", other, *alert, LATER)
    assert directory.agreement(other, "610000", *alert, LATER)


def test_the_exchange_and_the_folder_get_the_same_directory(place: Workspace) -> None:
    """The exchange's trust.json, the authority's and the folder's hold one directory."""
    done = enrol(place)
    found = {directory_of(folder, place).digest for folder in (place.exchange, done.folder)}
    kept = Envelope.parse(json.loads((place.authority / "directory.json").read_bytes()))

    assert found == {done.directory.digest} == {kept.digest}


def test_the_folder_holds_the_keys_that_the_directory_names(place: Workspace) -> None:
    """Signing key, seal key and certificate are the province's, and nobody else may read them."""
    done = enrol(place)
    message = load_signing_key(done.folder / "keys" / "message.pem")
    [seal_file] = (done.folder / "keys" / "seal").iterdir()
    secrets = [done.folder / "tls.pem", done.folder / "keys" / "message.pem", seal_file]

    assert done.directory.message_key(message.keyid).owner == "610000"
    assert done.directory.seal_recipient("610000", LATER).kid == load_seal_key(seal_file).kid
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    ssl.create_default_context(cafile=str(done.folder / "ca.pem")).load_cert_chain(done.folder / "tls.pem")


def test_the_settings_say_where_the_broker_is(place: Workspace) -> None:
    """participant.toml and client.properties name the workspace's broker."""
    done = enrol(place)
    told = tomllib.loads((done.folder / "participant.toml").read_text("utf-8"))
    java = (done.folder / "client.properties").read_text("utf-8")

    assert told == {"code": "610000", "network": "demo", "kafka": {"bootstrap": place.bootstrap}}
    assert f"\nbootstrap.servers={place.bootstrap}\n" in java


def test_new_ports_reach_the_folder(place: Workspace) -> None:
    """Where the broker moves, an external province's settings move along."""
    done = enrol(place)
    text = (done.folder / "client.properties").read_text("utf-8")
    (done.folder / "client.properties").write_text(text.replace(place.bootstrap, "127.0.0.1:1"), "utf-8")
    settled = workspace.settle_ports(workspace.load(place.folder))

    assert f"bootstrap.servers={settled.bootstrap}\n" in (done.folder / "client.properties").read_text(
        "utf-8"
    )


def test_the_workspace_remembers_it_without_a_connector(place: Workspace) -> None:
    """An external province is a participant; asking for its connector says that there is none."""
    enrol(place)
    known = workspace.load(place.folder)

    assert (known.provinces, known.external) == (place.provinces, ("610000",))
    assert known.participant("610000").is_dir()
    with pytest.raises(NoConnector):
        known.province("610000")


def test_two_provinces_come_one_after_the_other(place: Workspace) -> None:
    """The second directory holds both, and an agreement between them."""
    first = enrol(place, "610000")
    second = enrol(first.workspace, "450000")
    pair = ("450000", "610000")

    assert (second.directory.version, second.workspace.external) == (3, ("610000", "450000"))
    assert [each.id for each in second.directory.document.agreements if each.parties == pair] == [
        "450000-610000"
    ]


@pytest.mark.parametrize(
    ("code", "error"), [("520000", "OP-29"), ("100000", "OP-30"), ("999999", "OP-30"), ("../etc", "OP-30")]
)
def test_who_cannot_be_enrolled(place: Workspace, code: str, error: str) -> None:
    """A participant that is there already, the exchange, and what is no province."""
    with pytest.raises(OperationError) as raised:
        enrol(place, code)

    assert raised.value.code == error


def test_a_folder_in_the_way_is_left_alone(place: Workspace) -> None:
    """Whatever lies under the province's name is nobody's to overwrite."""
    (place.folder / "610000").mkdir()

    with pytest.raises(workspace.FolderTaken):
        enrol(place)


def test_a_broker_that_does_not_answer_leaves_all_as_it_was(place: Workspace) -> None:
    """Where the topics can't be made, there is no folder, no directory and nothing to remember."""
    before = {path: path.read_bytes() for path in place.folder.rglob("*") if path.is_file()}

    def fails(_wanted: Directory) -> None:
        raise Unreachable("no broker")

    with pytest.raises(Unreachable):
        external.enrol(place, "610000", LATER, open_topics=fails)
    after = {path: path.read_bytes() for path in place.folder.rglob("*") if path.is_file()}
    after.pop(place.authority / "issuing.lock")

    assert after == before
