"""A workspace is whole, private, and says the same in all its files (no service, no network)."""

import json
import socket
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tongbao_connectors import workspace
from tongbao_connectors.desk import configuration
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import (
    DEMO_PROVINCES,
    FolderTaken,
    NoSuchParticipant,
    NoWorkspace,
    Workspace,
)
from tongbao_schemas.documents import DirectoryDocument, RootDocument
from tongbao_schemas.envelope import Envelope

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace.create(tmp_path_factory.mktemp("workspaces") / "demo", NOW)


def directory_of(folder: Path) -> DirectoryDocument:
    trust = json.loads((folder / "trust.json").read_bytes())
    return DirectoryDocument.model_validate_json(Envelope.parse(trust["directory"]).payload)


def root_envelope(made: Workspace) -> Envelope:
    return Envelope.parse(json.loads((made.authority / "root.json").read_bytes()))


def test_loading_gives_what_was_made(made: Workspace) -> None:
    """`load` reads back exactly what `create` returned."""
    assert workspace.load(made.folder) == made


def test_every_participant_has_the_same_trust(made: Workspace) -> None:
    """Root and directory are the same bytes in every participant's folder."""
    copies = {(made.participant(code) / "trust.json").read_bytes() for code in made.participants}

    assert copies == {(made.authority / "trust.json").read_bytes()}


def test_documents_carry_as_many_distinct_signatures_as_their_thresholds(made: Workspace) -> None:
    """The root has three signatures of five root keys, the directory two of three directory keys."""
    root = RootDocument.model_validate_json(root_envelope(made).payload)
    trust = json.loads((made.authority / "trust.json").read_bytes())
    of_directory = {each["keyid"] for each in trust["directory"]["signatures"]}
    of_root = {each.keyid for each in root_envelope(made).signatures}

    assert (root.root_keys.threshold, len(root.root_keys.keys), len(of_root)) == (3, 5, 3)
    assert (root.directory_keys.threshold, len(root.directory_keys.keys), len(of_directory)) == (2, 3, 2)
    assert of_root < {key.kid for key in root.root_keys.keys}
    assert of_directory < {key.kid for key in root.directory_keys.keys}


def test_every_pair_has_an_agreement_over_everything(made: Workspace) -> None:
    """Ten agreements join five provinces in pairs, each over six categories and four handling codes."""
    agreements = directory_of(made.authority).agreements

    assert {agreement.parties for agreement in agreements} == {
        tuple(sorted((a, b))) for a in DEMO_PROVINCES for b in DEMO_PROVINCES if a != b
    }
    assert {(len(agreement.categories), len(agreement.handling)) for agreement in agreements} == {(6, 4)}


def test_key_has_one_owner_and_one_use(made: Workspace) -> None:
    """A province has a message and a seal key, the exchange a message and a checkpoint key."""
    uses = sorted((key.owner, str(key.use)) for key in directory_of(made.authority).keys)
    expected = [("100000", "checkpoint"), ("100000", "message")]

    assert uses == sorted(expected + [(code, use) for code in DEMO_PROVINCES for use in ("message", "seal")])


def test_exchange_and_provinces_may_not_sign_each_others_types(made: Workspace) -> None:
    """Only the exchange signs notices and heads, and it signs nothing else."""
    signs = {key.owner: set(key.may_sign or ()) for key in directory_of(made.authority).keys if key.may_sign}

    assert signs.pop("100000") == {"notice", "head"}
    assert all(not types & {"notice", "head"} and "alert" in types for types in signs.values())


def test_private_files_are_private(made: Workspace) -> None:
    """Nobody but the owner can enter the folder, and private keys have mode 0600 on top of that."""
    keys = [path for path in made.folder.rglob("*.pem") if path.name != "ca.pem"]

    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_provinces_settings_routing_and_roster_can_be_read(made: Workspace) -> None:
    """Each demo province's own files are accepted by the connector that will read them."""
    for code in made.provinces:
        settings = ConnectorSettings.load(made.participant(code))

        assert (settings.code, settings.kafka.bootstrap) == (code, made.bootstrap)
        assert settings.routing().units <= settings.roster().units.keys()


def test_somebody_is_accountable_at_every_hour(made: Workspace) -> None:
    """In every unit of every demo province, at every hour of a week, exactly one officer is accountable."""
    for code in made.provinces:
        settings = ConnectorSettings.load(made.participant(code))
        roster = settings.roster()
        for hour in range(7 * 24):
            for unit in settings.routing().units:
                assert roster.accountable(unit, NOW + timedelta(hours=hour)).officer_ref in roster.officers


def test_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    """`create` refuses a folder that isn't empty, and changes nothing."""
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(FolderTaken):
        workspace.create(tmp_path, NOW)

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_failed_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error half way leaves neither a workspace nor a draft of one."""

    def fail(count: int) -> tuple[int, ...]:
        raise OSError("no port")

    monkeypatch.setattr(workspace, "free_ports", fail)

    with pytest.raises(OSError, match="no port"):
        workspace.create(tmp_path / "demo", NOW)

    assert list(tmp_path.iterdir()) == []


def test_other_folders_are_no_workspace(tmp_path: Path) -> None:
    """A folder without workspace.toml is named in the error."""
    with pytest.raises(NoWorkspace, match=tmp_path.name):
        workspace.load(tmp_path)


def test_unknown_participant_has_no_folder(made: Workspace) -> None:
    """A code from outside the workspace never becomes a path."""
    for code in ("610000", "../520000", ""):
        with pytest.raises(NoSuchParticipant):
            made.participant(code)


def test_taken_port_is_replaced_everywhere(tmp_path: Path) -> None:
    """When another program listens on a kept port, all settings get the new address and keep the rest."""
    made = workspace.create(tmp_path / "demo", NOW)
    settings = made.participant("440000") / "connector.toml"
    settings.write_text('database_url = "sqlite:////tmp/x.db"\n' + settings.read_text())

    with socket.create_server(("127.0.0.1", made.broker_port)):
        settled = workspace.settle_ports(made)

    assert settled.broker_port != made.broker_port
    assert workspace.load(made.folder) == settled
    assert f'bootstrap = "{settled.bootstrap}"' in settings.read_text()
    assert settings.read_text().startswith("database_url")
    assert settled.bootstrap in (made.exchange / "exchange.toml").read_text()


def test_taken_port_of_a_desk_is_replaced(tmp_path: Path) -> None:
    """A desk gets another port where its own is taken; the other desk keeps its own, and files say so."""
    made = workspace.create(tmp_path / "demo", NOW)
    with socket.create_server(("127.0.0.1", made.desks["440000"])):
        settled = workspace.settle_ports(made)

    ports = {
        code: configuration.load(made.participant(code), made.network).port for code in ("440000", "520000")
    }
    assert settled.desks["440000"] != made.desks["440000"]
    assert settled.desks["520000"] == made.desks["520000"]
    assert ports == settled.desks == workspace.load(made.folder).desks


def test_free_ports_are_kept(made: Workspace) -> None:
    """A second start uses the same address."""
    assert workspace.settle_ports(made) == made
