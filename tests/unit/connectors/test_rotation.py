"""Replacing certificates and keys in a workspace that isn't running (no service, no network)."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tongbao_broker.trust.certificates import read_certificate
from tongbao_broker.trust.directory import Directory, usable
from tongbao_broker.trust.keys import load_seal_key, load_signing_key
from tongbao_connectors import authority, enrolment, issuing, rotation, workspace
from tongbao_connectors.cli.main import app
from tongbao_connectors.workspace import NoConnector, NoSuchParticipant, Workspace
from tongbao_schemas.codes import KeyUse

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=300)
CODE = "520000"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace.create(tmp_path_factory.mktemp("workspaces") / "demo", NOW)


@pytest.fixture
def place(network: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of the test's own."""
    return workspace.load(shutil.copytree(network.folder, tmp_path / "demo"))


def at_once(_directory: Directory) -> None:
    """Nothing runs that had to know."""


def message_keyid(place: Workspace) -> str:
    return load_signing_key(place.folder / CODE / "keys" / "message.pem").keyid


def rotate_message_key(place: Workspace, now: datetime = LATER) -> Directory:
    return rotation.rotate_message_key(place, CODE, now, known=at_once)


def test_a_certificate_is_replaced(place: Workspace) -> None:
    """The same subject, the same authority, another year."""
    folder = place.folder / CODE
    rotation.rotate_certificate(place, CODE, LATER)
    facts = read_certificate((folder / "tls.pem").read_bytes(), (folder / "ca.pem").read_bytes())

    assert (facts.subject, facts.valid_until) == (f"CN={CODE}", LATER + timedelta(days=365))


def test_a_message_key_has_a_successor(place: Workspace) -> None:
    """The directory lists both; what signs from now on is the new one; the old one ends after a week."""
    old = message_keyid(place)
    directory = rotate_message_key(place)
    new = message_keyid(place)

    assert directory.version == 2
    assert new != old
    for keyid in (old, new):
        assert usable(directory.message_key(keyid), LATER)
    assert directory.message_key(old).valid_until == LATER + authority.OVERLAP
    assert directory.message_key(new).may_sign == directory.message_key(old).may_sign
    assert issuing.current(place, LATER).directory.digest == directory.digest


def test_nothing_is_signed_before_the_exchange_knows(place: Workspace) -> None:
    """While the directory is on its way the old key is in use; an interrupted rotation is then finished."""
    old, seen = message_keyid(place), []

    def interrupted(directory: Directory) -> None:
        seen.append((directory.version, message_keyid(place)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate_message_key(place, CODE, LATER, known=interrupted)
    waiting = load_signing_key(place.folder / CODE / "keys" / "message.next.pem").keyid
    finished = rotate_message_key(place)

    assert seen == [(2, old)]
    assert (finished.version, message_keyid(place)) == (2, waiting)
    assert not (place.folder / CODE / "keys" / "message.next.pem").exists()


def test_a_seal_key_is_held_before_it_is_listed(place: Workspace) -> None:
    """When the connector reads its keys anew, no directory lists the new one yet; the old one stays here."""
    folder = place.folder / CODE / "keys" / "seal"
    [old] = [load_seal_key(path).kid for path in folder.glob("*.pem")]
    seen: list[tuple[int, int]] = []

    def held() -> None:
        seen.append((len(list(folder.glob("*.pem"))), issuing.current(place, LATER).directory.version))

    directory = rotation.rotate_seal_key(place, CODE, LATER, held=held)
    here = {load_seal_key(path).kid for path in folder.glob("*.pem")}
    listed = {key.kid for key in directory.document.keys if (key.owner, key.use) == (CODE, KeyUse.SEAL)}

    assert seen == [(2, 1)]
    assert here == listed
    assert directory.seal_recipient(CODE, LATER).kid != old
    old_record = directory.key(old)
    assert old_record is not None
    assert usable(old_record, LATER)


def test_everything_else_stays(place: Workspace) -> None:
    """Other keys, participants and agreements are the same as before."""
    before = issuing.current(place, NOW).directory.document
    after = rotate_message_key(place).document
    old = next(key for key in before.keys if (key.owner, key.use) == (CODE, KeyUse.MESSAGE))

    assert (after.participants, after.agreements) == (before.participants, before.agreements)
    assert [key for key in after.keys if key in before.keys] == [key for key in before.keys if key != old]


def test_a_key_that_has_ended_is_not_prolonged(place: Workspace) -> None:
    """A second rotation leaves the end of the first key where it was."""
    first = message_keyid(place)
    ends = rotate_message_key(place).message_key(first).valid_until
    again = rotate_message_key(place, LATER + timedelta(days=3))

    assert again.message_key(first).valid_until == ends


def test_whose_keys_are_elsewhere(place: Workspace) -> None:
    """The exchange's keys and an external system's aren't rotated here; an external certificate is."""
    enrolled = enrolment.enrol(place, "610000", NOW, open_topics=at_once).workspace
    rotation.rotate_certificate(enrolled, "610000", LATER)

    with pytest.raises(NoConnector):
        rotation.rotate_message_key(enrolled, "610000", LATER, known=at_once)
    with pytest.raises(NoSuchParticipant):
        rotation.rotate_seal_key(enrolled, "100000", LATER, held=lambda: None)
    with pytest.raises(NoSuchParticipant):
        rotation.rotate_certificate(enrolled, "640000", LATER)


@pytest.mark.parametrize(("what", "directory"), [("certificate", None), ("message-key", 2), ("seal-key", 2)])
def test_the_command_where_nothing_runs(place: Workspace, what: str, directory: int | None) -> None:
    """It is done in the files, and said to be in use from the next start on."""
    result = CliRunner().invoke(app, ["rotate", what, CODE, "--dir", str(place.folder), "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "code": CODE,
        "rotated": what,
        "directory": directory,
        "restarted": False,
    }
