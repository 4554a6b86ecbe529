"""Replacing certificates and keys in a workspace that isn't running (no service, no network)."""

import json
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from typer.testing import CliRunner

from tests.unit.connectors.conftest import MADE_AT
from tongbao_broker.trust.certificates import read_certificate
from tongbao_broker.trust.directory import Directory, usable
from tongbao_broker.trust.keys import load_seal_key, load_signing_key
from tongbao_connectors import authority, issuing, rotation, workspace
from tongbao_connectors.cli.main import app
from tongbao_connectors.enrolment.external import enrol
from tongbao_connectors.rotation import NoSuchKey
from tongbao_connectors.workspace import NoSuchParticipant, Workspace
from tongbao_schemas.codes import KeyUse

NOW = MADE_AT
LATER = NOW + timedelta(days=300)
CODE, EXCHANGE, EXTERNAL = "520000", "100000", "610000"


def at_once(_directory: Directory) -> None:
    """Nothing runs that had to know."""


def message_keyid(place: Workspace) -> str:
    return load_signing_key(place.folder / CODE / "keys" / "message.pem").keyid


def rotate_message_key(place: Workspace, now: datetime = LATER) -> Directory:
    return rotation.rotate_signing_key(place, CODE, KeyUse.MESSAGE, now, known=at_once)


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
        rotation.rotate_signing_key(place, CODE, KeyUse.MESSAGE, LATER, known=interrupted)
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


@pytest.mark.parametrize("use", [KeyUse.MESSAGE, KeyUse.CHECKPOINT])
def test_the_exchanges_own_keys_have_successors(place: Workspace, use: KeyUse) -> None:
    """Both are listed, the old one for a week; what the exchange signs with from now on is the new one."""
    file = place.exchange / "keys" / f"{use}.pem"
    old = load_signing_key(file).keyid
    directory = rotation.rotate_signing_key(place, EXCHANGE, use, LATER, known=at_once)
    new = load_signing_key(file).keyid
    records = {key.kid: key for key in directory.document.keys if (key.owner, key.use) == (EXCHANGE, use)}

    assert records.keys() == {old, new}
    assert records[old].valid_until == LATER + authority.OVERLAP
    assert records[new].may_sign == records[old].may_sign
    assert usable(records[new], LATER)


@pytest.fixture
def external(place: Workspace) -> Workspace:
    """The network with one more province, whose system isn't ours."""
    return enrol(place, EXTERNAL, NOW, open_topics=at_once).workspace


def test_a_folder_that_was_handed_over_is_renewed(external: Workspace) -> None:
    """The owner of an external province's folder finds certificate, keys and directory in it."""
    folder = external.folder / EXTERNAL
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    rotation.rotate_certificate(external, EXTERNAL, LATER)
    rotation.rotate_signing_key(external, EXTERNAL, KeyUse.MESSAGE, LATER, known=at_once)
    directory = rotation.rotate_seal_key(external, EXTERNAL, LATER, held=lambda: None)
    changed = {path.name for path, content in before.items() if path.read_bytes() != content}
    here = {load_seal_key(path).kid for path in (folder / "keys" / "seal").glob("*.pem")}

    assert changed == {"tls.pem", "message.pem", "trust.json"}
    assert directory.seal_recipient(EXTERNAL, LATER).kid in here
    assert len(here) == 2
    assert (folder / "trust.json").read_bytes() == (external.exchange / "trust.json").read_bytes()
    assert usable(directory.message_key(load_signing_key(folder / "keys" / "message.pem").keyid), LATER)


def test_the_brokers_certificate_names_its_hosts(place: Workspace) -> None:
    """`CN=000000`, for the addresses it answers at."""
    rotation.rotate_certificate(place, workspace.BROKER, LATER)
    pem = (place.broker / "tls.pem").read_bytes()
    facts = read_certificate(pem, (place.broker / "ca.pem").read_bytes())

    assert (facts.subject, facts.valid_until) == ("CN=000000", LATER + timedelta(days=365))
    assert hosts_of(pem) == {"localhost", "127.0.0.1"}


def hosts_of(pem: bytes) -> set[str]:
    names = x509.load_pem_x509_certificates(pem)[0].extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return {str(name.value) for name in names.value}


def test_who_has_no_such_key(place: Workspace) -> None:
    """Only provinces open bodies, only the exchange signs checkpoints, only participants have keys."""
    with pytest.raises(NoSuchKey):
        rotation.rotate_signing_key(place, CODE, KeyUse.CHECKPOINT, LATER, known=at_once)
    with pytest.raises(NoSuchKey):
        rotation.rotate_seal_key(place, EXCHANGE, LATER, held=lambda: None)
    with pytest.raises(NoSuchParticipant):
        rotation.rotate_signing_key(place, workspace.BROKER, KeyUse.MESSAGE, LATER, known=at_once)
    with pytest.raises(NoSuchParticipant):
        rotation.rotate_certificate(place, "640000", LATER)


@pytest.mark.parametrize(
    ("what", "code", "directory"),
    [
        ("certificate", CODE, None),
        ("certificate", workspace.BROKER, None),
        ("message-key", CODE, 2),
        ("message-key", EXCHANGE, 2),
        ("checkpoint-key", EXCHANGE, 2),
        ("seal-key", CODE, 2),
    ],
)
def test_the_command_where_nothing_runs(
    place: Workspace, what: str, code: str, directory: int | None
) -> None:
    """It is done in the files, and said to be in use from the next start on."""
    result = CliRunner().invoke(app, ["rotate", what, code, "--dir", str(place.folder), "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "code": code,
        "rotated": what,
        "directory": directory,
        "restarted": False,
        "in_use": False,
    }


def test_a_directory_that_nobody_gets_is_waited_for_in_vain(
    connector_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exchange isn't running, say: an error in bounded time that tells how to go on."""
    monkeypatch.setattr(rotation, "KNOWN_WITHIN_S", 0.1)

    with pytest.raises(rotation.NotTakenOver, match="directory 7"):
        rotation.await_directory(7, [connector_database])
