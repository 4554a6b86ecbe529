"""The province's side of its enrolment, in the folder that will be its connector's.

    keys/message.pem  keys/seal/*.pem   made here, never handed out
    tls-key.pem  tls-request.pem        the key goes into tls.pem together with the certificate
    enrolment.toml                      code and network
    request.json                        what the centre gets, once it was asked for
    tls.pem  ca.pem  trust.json  pinned-root.json  connector.toml  routing.toml  roster.toml
                                        once the centre's answer is installed
    renewal/                            new keys and their request, until the answer to that is installed

Rules:
1. The folder is whole or absent; the answer is installed whole or not at all, settings last.
2. A request is made once: its fingerprint has been told to somebody.
3. An answer is believed because a person typed the fingerprint of its root, heard on the telephone. Under
   that root the directory must list exactly the keys that lie here.
4. How far it has come is read from the files and kept nowhere else.
5. Keys are renewed in the same way, by a request and a telephone. The new seal key's private half is held by
   the connector before anybody can seal to it; the new message key takes its place when the directory lists
   it. Old seal keys stay, for what is under way.
"""

import json
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tongbao_broker.errors import BadConfiguration, Conflict, NotFound, Words
from tongbao_broker.trust.certificates import certified_key, read_certificate, request_certificate
from tongbao_broker.trust.directory import Directory, load_trust, parse_trust_file
from tongbao_broker.trust.enrolment import parse_request, request
from tongbao_broker.trust.keys import load_seal_key, load_signing_key, save_private, write_private
from tongbao_connectors import authority, workspace
from tongbao_connectors.authority import ParticipantKeys
from tongbao_connectors.enrolment import NoSuchProvince, Standing, same_fingerprint
from tongbao_connectors.workspace import FolderTaken
from tongbao_schemas.codes import EXCHANGE, KeyUse
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.envelope import Envelope
from tongbao_schemas.errors import Refused
from tongbao_schemas.gate import parse_object
from tongbao_schemas.number import PROVINCES
from tongbao_schemas.record import IN_LIMIT
from tongbao_schemas.refusals import Code

__all__ = [
    "Enrolling",
    "NotInstalled",
    "NotOurs",
    "NothingPrepared",
    "OtherRoot",
    "install",
    "prepare",
    "read",
    "renew",
    "requested",
]

SETTINGS = "enrolment.toml"
REQUEST = "request.json"
RENEWAL = "renewal"
TEXTS = ("certificate", "authority", "bootstrap")
ANSWER_FIELDS = {*TEXTS, "trust", "pinned_root"}
ROSTER = """\
# Units, officers and duty. Accountable is who is on duty for the unit, in an absence the substitute, with
# nobody on duty the leader. Replace what stands here by your own before the connector starts.

[[unit]]
code = "{code}-duty"
name = "{zh}禁毒总队值班室"
leader = "{short}-0001"

[[officer]]
officer_ref = "{short}-0001"
name = "值班负责人"
unit = "{code}-duty"
role = "leader"
"""
ROUTING = """\
# Which unit an arriving alert goes to. Where no rule fits, the duty desk takes it.
duty_desk = "{code}-duty"
"""


class NothingPrepared(NotFound):
    """The folder holds no enrolment."""

    code = "OP-40"
    zh = "该文件夹中没有入网材料。"
    en = "This folder holds no enrolment."
    next_zh = "先用 tongbao enrol prepare 生成密钥。"
    next_en = "Make the keys first with: tongbao enrol prepare"


class NotInstalled(Conflict):
    """Keys are renewed of a province that is enrolled."""

    code = "OP-45"
    zh = "本省尚未入网，没有可更换的密钥。"
    en = "This province isn't enrolled yet, so there are no keys to renew."
    next_zh = "先用 tongbao enrol install 装入平台的答复。"
    next_en = "Install the centre's answer first with: tongbao enrol install"


class OtherRoot(Conflict):
    """The root in the answer isn't the one whose fingerprint was typed."""

    code = "OP-41"
    zh = "指纹与根文件不符。"
    en = "The fingerprint isn't that of the root document."
    next_zh = "电话向平台核对根文件指纹；再次不符则不要安装，并报告。"
    next_en = "Ask the centre for it by telephone again; if it differs still, install nothing and report it."


class NotOurs(Conflict):
    """The answer isn't for the keys that lie here."""

    code = "OP-42"
    zh = "平台的答复与本文件夹中的密钥不符。"
    en = "The centre's answer isn't for the keys in this folder."
    next_zh = "确认答复文件属于本次申请；必要时重新申请。"
    next_en = "Make sure that the answer belongs to this request; if need be, request anew."


@dataclass(frozen=True)
class Enrolling:
    """A province's folder on its way into the network; `request_digest` is empty before it was asked for."""

    folder: Path
    code: str
    network: str
    standing: Standing
    request_digest: str


def prepare(folder: Path, code: str, network: str) -> Enrolling:
    """Makes the province's keys in `folder`, which must be absent or empty.

    Raises NoSuchProvince, FolderTaken.
    """
    if code not in PROVINCES or code == EXCHANGE:
        raise NoSuchProvince(code)
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    _make_keys(folder, code, network)
    return read(folder)


def renew(folder: Path) -> Enrolling:
    """Makes new keys for a province that is enrolled; its connector holds the new seal key after a restart.

    A renewal that is under way is gone on with. Raises NothingPrepared, NotInstalled.
    """
    enrolling = read(folder)
    if enrolling.standing is not Standing.APPROVED:
        raise NotInstalled(str(enrolling.folder))
    renewal = enrolling.folder / RENEWAL
    if not renewal.exists():
        _make_keys(renewal, enrolling.code, enrolling.network)
    for path in (renewal / "keys" / "seal").glob("*.pem"):
        save_private(enrolling.folder / "keys" / "seal" / path.name, load_seal_key(path))
    return read(folder)


def _make_keys(folder: Path, code: str, network: str) -> None:
    """New keys in a folder that is whole or absent."""
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        workspace.write_keys(draft / "keys", ParticipantKeys.generate(code))
        private, asked = request_certificate(code)
        write_private(draft / "tls-key.pem", private)
        (draft / "tls-request.pem").write_bytes(asked)
        workspace.write_toml(draft / SETTINGS, {"code": code, "network": network}, {})
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def requested(folder: Path, now: datetime) -> tuple[Enrolling, bytes]:
    """Where it stands now, and the request to hand to the centre: the one made before, if there is one.

    Raises NothingPrepared, BadConfiguration.
    """
    enrolling = read(folder)
    material = _material(enrolling.folder)
    path = material / REQUEST
    if not path.exists():
        keys = material / "keys"
        envelope = request(
            enrolling.network,
            enrolling.code,
            message=load_signing_key(keys / "message.pem"),
            seal=load_seal_key(next((keys / "seal").glob("*.pem"))),
            certificate_request=(material / "tls-request.pem").read_bytes(),
            schemas=authority.PROVINCE_SCHEMAS,
            at=now,
        )
        workspace.write_whole(path, json.dumps(envelope.as_json()))
    return read(folder), path.read_bytes()


def read(folder: Path) -> Enrolling:
    """How far the enrolment in this folder has come: saved, requested or approved; the directory says what
    comes then.

    Raises NothingPrepared, BadConfiguration.
    """
    folder = folder.absolute()
    try:
        facts = tomllib.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        code, network = str(facts["code"]), str(facts["network"])
    except FileNotFoundError:
        raise NothingPrepared(str(folder)) from None
    except (OSError, ValueError, KeyError) as error:
        raise BadConfiguration(f"{SETTINGS}: {type(error).__name__}") from None
    path = _material(folder) / REQUEST
    digest = parse_request(path.read_bytes()).digest if path.exists() else ""
    return Enrolling(folder, code, network, _standing(folder), digest)


def _material(folder: Path) -> Path:
    """Where the keys lie that a request is about: a renewal's, else the ones in use."""
    return folder / RENEWAL if (folder / RENEWAL).is_dir() else folder


def _standing(folder: Path) -> Standing:
    if (folder / "connector.toml").exists():
        return Standing.APPROVED
    return Standing.REQUESTED if (folder / REQUEST).exists() else Standing.SAVED


def install(folder: Path, answer: bytes, root_fingerprint: str, now: datetime) -> Enrolling:
    """Puts the centre's answer into the folder, so that its connector can start.

    `root_fingerprint` is what a person at the centre read out. Raises NothingPrepared, OtherRoot, NotOurs,
    Refused, BadConfiguration.
    """
    enrolling = read(folder)
    told = parse_object(answer, limit=IN_LIMIT)
    if told.keys() != ANSWER_FIELDS or not all(isinstance(told[name], str) for name in TEXTS):
        raise Refused(Code.DOCUMENT_SHAPE, "answer")
    pinned = Envelope.parse(told["pinned_root"])
    if not same_fingerprint(root_fingerprint, pinned.digest):
        raise OtherRoot
    trust = compact_json(told["trust"])
    directory = load_trust(parse_trust_file(trust), pinned, network=enrolling.network, now=now).directory
    _check_keys(enrolling, directory)
    certificate = told["certificate"].encode("ascii", "replace")
    _check_certificate(enrolling, certificate, told["authority"].encode("ascii", "replace"))
    _write(enrolling, told, trust, certificate)
    return read(folder)


def _check_keys(enrolling: Enrolling, directory: Directory) -> None:
    """The directory lists the message and seal keys that were asked for; at first no others as ours."""
    keys = _material(enrolling.folder) / "keys"
    here = {
        KeyUse.MESSAGE: {load_signing_key(keys / "message.pem").keyid},
        KeyUse.SEAL: {load_seal_key(path).kid for path in (keys / "seal").glob("*.pem")},
    }
    listed = {
        use: {key.kid for key in directory.document.keys if (key.owner, key.use) == (enrolling.code, use)}
        for use in here
    }
    is_renewal = _material(enrolling.folder) != enrolling.folder
    if any(not here[use] <= listed[use] if is_renewal else here[use] != listed[use] for use in here):
        raise NotOurs(Words("目录中的密钥不同", "the directory lists other keys"))


def _check_certificate(enrolling: Enrolling, certificate: bytes, ca: bytes) -> None:
    """It is the authority's for our code, and certifies the key that lies here."""
    facts = read_certificate(certificate, ca)
    if facts.subject != f"CN={enrolling.code}":
        raise NotOurs(Words(f"证书主体是 {facts.subject}", f"the certificate is for {facts.subject}"))
    if certified_key(certificate) != certified_key(
        (_material(enrolling.folder) / "tls-request.pem").read_bytes()
    ):
        raise NotOurs(Words("证书不是本机密钥的", "the certificate is of another key"))


def _write(enrolling: Enrolling, told: Mapping[str, Any], trust: bytes, certificate: bytes) -> None:
    folder, code, material = enrolling.folder, enrolling.code, _material(enrolling.folder)
    write_private(folder / "tls.pem", (material / "tls-key.pem").read_bytes() + certificate)
    workspace.write_whole(folder / "ca.pem", told["authority"])
    workspace.write_whole(folder / "trust.json", trust.decode("utf-8"))
    workspace.write_whole(folder / "pinned-root.json", json.dumps(told["pinned_root"]))
    names = {"code": code, "zh": PROVINCES[code].zh, "short": PROVINCES[code].short}
    for name, text in (("roster.toml", ROSTER), ("routing.toml", ROUTING)):
        if not (folder / name).exists():
            workspace.write_whole(folder / name, text.format(**names))
    facts = {"code": code, "network": enrolling.network}
    if not (folder / "connector.toml").exists():
        workspace.write_toml(folder / "connector.toml", facts, {"kafka": {"bootstrap": told["bootstrap"]}})
    if material != folder:
        save_private(folder / "keys" / "message.pem", load_signing_key(material / "keys" / "message.pem"))
        shutil.rmtree(material)
