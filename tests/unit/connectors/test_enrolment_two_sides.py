"""A province enrols in service: its own folder on one side, the centre's workspace on the other."""

import json
import shutil
import ssl
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.connectors.conftest import MADE_AT
from tongbao_broker.errors import NotFound, OperationError, Unreachable
from tongbao_broker.trust.directory import Directory
from tongbao_connectors import authority, enrolment, issuing, routing
from tongbao_connectors.enrolment import Standing, centre, province
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import FolderTaken, Workspace
from tongbao_schemas.codes import KeyUse, ParticipantStatus
from tongbao_schemas.documents import KeyRecord
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

CODE = "610000"
NOW = MADE_AT + timedelta(days=1)


def no_broker(_wanted: Directory) -> None:
    """Nothing runs."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Shaanxi's folder, with keys."""
    return province.prepare(tmp_path / "shaanxi", CODE, "demo").folder


def ask(place: Workspace, home: Path) -> str:
    """The request goes to the centre; the fingerprint that both sides see."""
    enrolling, content = province.requested(home, NOW)
    applicant = centre.receive(place, content, NOW)

    assert applicant.request == enrolment.fingerprint(enrolling.request_digest)
    return applicant.request


def approve(place: Workspace, home: Path) -> tuple[bytes, str]:
    return centre.approve(place, CODE, ask(place, home), NOW, open_topics=no_broker)


def standing(place: Workspace) -> Standing:
    return {each.code: each.standing for each in centre.applicants(place, NOW)}[CODE]


def directory(place: Workspace) -> Directory:
    return issuing.current(place, NOW).directory


def test_each_state_after_the_other(place: Workspace, home: Path) -> None:
    """saved → requested → approved → active → suspended → active, on both sides and in the directory."""
    assert province.read(home).standing is Standing.SAVED
    fingerprint = ask(place, home)
    assert (province.read(home).standing, standing(place)) == (Standing.REQUESTED,) * 2
    assert directory(place).participant(CODE) is None
    answer, root = centre.approve(place, CODE, fingerprint.upper(), NOW, open_topics=no_broker)
    assert province.install(home, answer, root, NOW).standing is Standing.APPROVED
    seen = [standing(place)]
    for status in (ParticipantStatus.ACTIVE, ParticipantStatus.SUSPENDED, ParticipantStatus.ACTIVE):
        centre.set_standing(place, CODE, status, NOW, open_topics=no_broker)
        seen.append(standing(place))
        participant = directory(place).participant(CODE)
        assert participant is not None
        assert participant.status is status

    assert seen == [Standing.APPROVED, Standing.ACTIVE, Standing.SUSPENDED, Standing.ACTIVE]


def test_the_private_keys_stay_at_home(place: Workspace, home: Path) -> None:
    """Neither request nor answer nor any file of the centre holds a private key of the province."""
    answer, root = approve(place, home)
    province.install(home, answer, root, NOW)
    secret = [path for path in home.rglob("*.pem") if b"PRIVATE KEY" in path.read_bytes()]
    blocks = [line for path in secret for line in path.read_bytes().splitlines()[1:2]]
    files = [path.read_bytes() for path in place.folder.rglob("*") if path.is_file()]

    assert {path.name for path in secret} >= {"message.pem", "tls.pem", "tls-key.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    assert not [True for content in files for block in blocks if block in content]


def test_the_installed_folder_is_a_connectors(place: Workspace, home: Path) -> None:
    """Settings, keys, certificate, trust, roster and routes load as the connector loads them."""
    answer, root = approve(place, home)
    province.install(home, answer, root, NOW)
    settings = ConnectorSettings.load(home)
    listed = {key.use: key.kid for key in directory(place).document.keys if key.owner == CODE}

    assert (settings.code, settings.network, settings.kafka.bootstrap) == (CODE, "demo", place.bootstrap)
    assert settings.message_key().keyid == listed[KeyUse.MESSAGE]
    assert set(settings.seal_keys()) == {listed[KeyUse.SEAL]}
    assert isinstance(settings.routing(), routing.RoutingTable)
    assert settings.roster().units
    ssl.create_default_context(cafile=str(home / "ca.pem")).load_cert_chain(home / "tls.pem")


def test_a_request_is_made_once(home: Path) -> None:
    """Its fingerprint was told to somebody: asking again gives the same bytes."""
    first = province.requested(home, NOW)

    assert province.requested(home, NOW + timedelta(hours=1)) == first


def test_roster_and_routes_that_were_filled_in_stay(place: Workspace, home: Path) -> None:
    """Installing an answer again replaces certificate and trust only."""
    answer, root = approve(place, home)
    province.install(home, answer, root, NOW)
    edited = (home / "roster.toml").read_text("utf-8") + "\n# 本省\n"
    (home / "roster.toml").write_text(edited, "utf-8")
    province.install(home, answer, root, NOW)

    assert (home / "roster.toml").read_text("utf-8") == edited


@pytest.mark.parametrize("typed", ["", "0000", "ffff " * 8, "{}", "{} 0000"])
def test_another_fingerprint_approves_nothing(place: Workspace, home: Path, typed: str) -> None:
    """What was heard on the telephone must be the request's; a part of it isn't."""
    fingerprint = ask(place, home)
    with pytest.raises(centre.OtherRequest):
        centre.approve(place, CODE, typed.format(fingerprint[:-1]), NOW, open_topics=no_broker)

    assert directory(place).participant(CODE) is None


@pytest.mark.parametrize("typed", ["", "0000", "{}"])
def test_another_root_is_not_installed(place: Workspace, home: Path, typed: str) -> None:
    """An answer made by somebody else has another root; nothing of it is written."""
    answer, root = approve(place, home)
    with pytest.raises(province.OtherRoot):
        province.install(home, answer, typed.format(root[:-1]), NOW)

    assert not (home / "connector.toml").exists()
    assert not (home / "tls.pem").exists()


def test_an_answer_for_other_keys_is_not_installed(place: Workspace, home: Path, tmp_path: Path) -> None:
    """Two folders were prepared; the answer fits the one that asked."""
    answer, root = approve(place, home)
    other = province.prepare(tmp_path / "other", CODE, "demo").folder
    with pytest.raises(province.NotOurs):
        province.install(other, answer, root, NOW)


def with_certificate_of(place: Workspace, told: dict[str, Any], code: str) -> dict[str, Any]:
    """The answer with a certificate of another participant, by the same authority."""
    pem = (place.folder / code / "tls.pem").read_text("ascii")
    return {**told, "certificate": pem[pem.index("-----BEGIN CERT") :]}


def test_an_answer_with_another_certificate_is_not_installed(place: Workspace, home: Path) -> None:
    """Somebody else's certificate, though the authority made it."""
    answer, root = approve(place, home)
    bent = json.dumps(with_certificate_of(place, json.loads(answer), "440000")).encode()
    with pytest.raises(province.NotOurs):
        province.install(home, bent, root, NOW)


@pytest.mark.parametrize(
    "answer",
    [b"", b"{}", b"[]", b'{"certificate": 1}', b"\xff"],
    ids=["nothing", "empty", "list", "short", "bytes"],
)
def test_what_is_no_answer_is_refused(home: Path, answer: bytes) -> None:
    """With a code, and nothing is written."""
    with pytest.raises(Refused):
        province.install(home, answer, "0000", NOW)

    assert not (home / "connector.toml").exists()


def test_an_interrupted_approval_is_finished_by_the_next(place: Workspace, home: Path) -> None:
    """No broker answers: nothing is listed. Again: listed once, and the answer can be made anew."""
    fingerprint = ask(place, home)

    def fails(_wanted: Directory) -> None:
        raise Unreachable("kafka")

    with pytest.raises(Unreachable):
        centre.approve(place, CODE, fingerprint, NOW, open_topics=fails)
    assert directory(place).participant(CODE) is None
    centre.approve(place, CODE, fingerprint, NOW, open_topics=no_broker)
    version = directory(place).version
    answer, root = centre.approve(place, CODE, fingerprint, NOW, open_topics=no_broker)

    assert directory(place).version == version
    assert province.install(home, answer, root, NOW).standing is Standing.APPROVED


def test_a_second_request_takes_the_place_of_one_not_approved(
    place: Workspace, home: Path, tmp_path: Path
) -> None:
    """The province lost its first keys before anybody approved them."""
    first = ask(place, home)
    other = province.prepare(tmp_path / "other", CODE, "demo").folder
    second = ask(place, other)

    assert [(each.code, each.request) for each in centre.applicants(place, NOW)] == [(CODE, second)]
    with pytest.raises(centre.OtherRequest):
        centre.approve(place, CODE, first, NOW, open_topics=no_broker)


def kids(folder: Path) -> dict[KeyUse, set[str]]:
    settings = ConnectorSettings.load(folder)
    return {KeyUse.MESSAGE: {settings.message_key().keyid}, KeyUse.SEAL: set(settings.seal_keys())}


def listed(place: Workspace) -> list[KeyRecord]:
    return [key for key in directory(place).document.keys if key.owner == CODE]


def test_keys_are_renewed_as_they_were_enrolled(place: Workspace, home: Path) -> None:
    """New seal key held first; the message key in use stays until the answer is there; the old ones end."""
    province.install(home, *approve(place, home), NOW)
    centre.set_standing(place, CODE, ParticipantStatus.ACTIVE, NOW, open_topics=no_broker)
    before, tls = kids(home), (home / "tls.pem").read_bytes()

    province.renew(home)
    held = kids(home)
    province.install(home, *approve(place, home), NOW)
    after, ends = kids(home), {key.kid: key.valid_until for key in listed(place)}

    assert held[KeyUse.MESSAGE] == before[KeyUse.MESSAGE]
    assert held[KeyUse.SEAL] == after[KeyUse.SEAL] > before[KeyUse.SEAL]
    assert not after[KeyUse.MESSAGE] & before[KeyUse.MESSAGE]
    assert {kid for use in after for kid in after[use] | before[use]} == ends.keys()
    assert all(ends[kid] <= NOW + authority.OVERLAP for use in before for kid in before[use])
    assert (home / "tls.pem").read_bytes() != tls
    assert not (home / "renewal").exists()
    assert standing(place) is Standing.ACTIVE


def test_a_renewal_is_gone_on_with(place: Workspace, home: Path) -> None:
    """Renewing twice makes one set of keys and one request."""
    province.install(home, *approve(place, home), NOW)
    province.renew(home)
    once, asked = kids(home), province.requested(home, NOW)
    province.renew(home)

    assert (kids(home), province.requested(home, NOW)) == (once, asked)


def test_what_is_not_enrolled_renews_nothing(home: Path) -> None:
    """Before the first answer there is nothing to renew."""
    with pytest.raises(province.NotInstalled):
        province.renew(home)


def test_a_renewal_waits_for_approval(place: Workspace, home: Path) -> None:
    """The list says so; an unapproved renewal changes no directory."""
    province.install(home, *approve(place, home), NOW)
    version = directory(place).version
    province.renew(home)
    ask(place, home)

    assert [each.waits for each in centre.applicants(place, NOW)] == [True]
    assert directory(place).version == version


def test_another_networks_request_is_refused(place: Workspace, tmp_path: Path) -> None:
    """The network's name is in what is signed."""
    home = province.prepare(tmp_path / "other", CODE, "exercise-2027").folder
    with pytest.raises(Refused) as refused:
        centre.receive(place, province.requested(home, NOW)[1], NOW)

    assert refused.value.code is Code.DOCUMENT_NETWORK


@pytest.mark.parametrize("code", ["100000", "999999", "../etc", ""])
def test_only_provinces_prepare(tmp_path: Path, code: str) -> None:
    """Neither the exchange nor what is no province."""
    with pytest.raises(enrolment.NoSuchProvince):
        province.prepare(tmp_path / "new", code, "demo")

    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(home: Path) -> None:
    """Keys are never overwritten."""
    before = (home / "keys" / "message.pem").read_bytes()
    with pytest.raises(FolderTaken):
        province.prepare(home, CODE, "demo")

    assert (home / "keys" / "message.pem").read_bytes() == before


@pytest.mark.parametrize("code", ["610000", "../..", "100000"])
def test_what_nobody_asked_for_is_not_found(place: Workspace, code: str) -> None:
    """No request, no participant: not found, whatever was typed."""
    with pytest.raises(NotFound):
        centre.approve(place, code, "0000", NOW, open_topics=no_broker)
    with pytest.raises(OperationError):
        centre.set_standing(place, code, ParticipantStatus.SUSPENDED, NOW, open_topics=no_broker)


def test_a_folder_without_keys_says_so(tmp_path: Path) -> None:
    """Not prepared."""
    with pytest.raises(province.NothingPrepared):
        province.requested(tmp_path, NOW)


def test_a_copy_of_the_folder_goes_on(place: Workspace, home: Path, tmp_path: Path) -> None:
    """The folder can be carried to another machine between any two steps."""
    answer, root = approve(place, home)
    moved = Path(shutil.move(home, tmp_path / "moved"))

    assert province.install(moved, answer, root, NOW).folder == moved
