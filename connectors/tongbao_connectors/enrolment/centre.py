"""The centre's side of enrolments, in its workspace.

    authority/enrolments/610000/request.json   what the province asked for
    authority/enrolments/610000/answer.json    what it gets: certificate, directory, root, broker's address
    authority/enrolments/610000/active         there since the province was made active for the first time

Rules:
1. A request is kept only if its own keys signed it. Who sent it is decided by a person: approval takes the
   fingerprint that the province read out on the telephone.
2. Approval lists the keys and makes topics and the rights to read, but the province is suspended: nobody can
   notify it, and it can't write. It becomes active when it has said that it is up.
3. Topics and rights are there before the directory is: whoever reads it can read and write at once.
   A province that is listed already renews its keys in the same way; the ones before end some days later.
4. No key of a province is ever known here but its public half. An approval that was interrupted is finished
   by the next; the answer can be made again at any time.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tongbao_broker.errors import Conflict, NotFound
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.enrolment import parse_request, verify_request
from tongbao_connectors import authority, issuing, workspace
from tongbao_connectors.enrolment import Standing, fingerprint, same_fingerprint
from tongbao_connectors.workspace import CERTIFICATE_DAYS, NoSuchParticipant, Workspace
from tongbao_schemas.codes import EXCHANGE, KeyUse, ParticipantStatus
from tongbao_schemas.documents import EnrolmentRequest
from tongbao_schemas.envelope import Envelope

__all__ = [
    "Applicant",
    "NoRequest",
    "OtherRequest",
    "applicants",
    "approve",
    "receive",
    "set_standing",
]


class NoRequest(NotFound):
    """No request of this province lies here."""

    code = "OP-43"
    zh = "没有该单位的入网申请。"
    en = "There is no request of this province."
    next_zh = "先用 tongbao enrol receive 收下申请文件。"
    next_en = "Take its file first with: tongbao enrol receive FILE"


class OtherRequest(Conflict):
    """The fingerprint isn't the request's."""

    code = "OP-44"
    zh = "指纹与申请不符。"
    en = "The fingerprint isn't that of the request."
    next_zh = "电话向该省核对；再次不符则不要批准，并报告。"
    next_en = "Ask the province by telephone again; if it differs still, don't approve and report it."


@dataclass(frozen=True)
class Applicant:
    """A province that asked to be enrolled; `request` is the fingerprint of its newest request.

    `waits` says that the request's keys aren't in the directory yet: enrolment or renewal wants approval.
    """

    code: str
    standing: Standing
    request: str
    waits: bool


def receive(place: Workspace, data: bytes, now: datetime) -> Applicant:
    """Keeps a request, in the place of an earlier one. Raises Refused."""
    envelope = parse_request(data)
    asked = verify_request(envelope, network=place.network)
    with issuing.alone(place):
        directory = issuing.current(place, now).directory
        folder = _folder(place, asked.code)
        folder.mkdir(parents=True, exist_ok=True)
        workspace.write_whole(folder / "request.json", json.dumps(envelope.as_json()))
    return _applicant(place, asked.code, envelope, directory)


def applicants(place: Workspace, now: datetime) -> list[Applicant]:
    """All provinces that ever asked, by code."""
    directory = issuing.current(place, now).directory
    codes = sorted(path.parent.name for path in _enrolments(place).glob("*/request.json"))
    return [_applicant(place, code, _request(place, code), directory) for code in codes]


def approve(
    place: Workspace,
    code: str,
    typed_fingerprint: str,
    now: datetime,
    *,
    open_topics: Callable[[Directory], None],
) -> tuple[bytes, str]:
    """Lists the keys that a province asks for: the answer to hand over, the root's fingerprint to read out.

    A new province isn't active yet. `open_topics` makes the topics and rights of a directory. Raises
    NoRequest, OtherRequest, and whatever `open_topics` raises; the network is then as it was.
    """
    envelope = _request(place, code)
    if not same_fingerprint(typed_fingerprint, envelope.digest):
        raise OtherRequest(code)
    asked = verify_request(envelope, network=place.network)
    with issuing.alone(place):
        issue = issuing.current(place, now)
        if not _lists(issue.directory, asked):
            is_new = issue.directory.participant(code) is None
            change = _listing(asked, now) if is_new else _renewing(asked, now)
            issue = issuing.successor(place, issue, change, now)
            open_topics(issue.directory)
            issuing.publish(place, issue)
        answer = _answer(place, asked, issue, now)
        workspace.write_whole(_folder(place, code) / "answer.json", answer)
    return answer.encode("ascii"), fingerprint(_root(issue).digest)


def set_standing(
    place: Workspace,
    code: str,
    status: ParticipantStatus,
    now: datetime,
    *,
    open_topics: Callable[[Directory], None],
) -> Directory:
    """Makes a province active, or suspends it, which takes its right to write; the directory that says so.

    Raises NoSuchParticipant, and whatever `open_topics` raises; the network is then as it was.
    """
    with issuing.alone(place):
        issue = issuing.current(place, now)
        participant = issue.directory.participant(code)
        if participant is None or code == EXCHANGE:
            raise NoSuchParticipant(code)
        if participant.status is not status:
            issue = issuing.successor(
                place,
                issue,
                lambda directory, signers: authority.with_status(directory, code, status, signers, now),
                now,
            )
            open_topics(issue.directory)
            issuing.publish(place, issue)
        if status is ParticipantStatus.ACTIVE and _folder(place, code).is_dir():
            (_folder(place, code) / "active").touch()
    return issue.directory


def _publics(asked: EnrolmentRequest) -> dict[KeyUse, bytes]:
    return {
        KeyUse.MESSAGE: bytes.fromhex(asked.message.public),
        KeyUse.SEAL: bytes.fromhex(asked.seal.public),
    }


def _renewing(asked: EnrolmentRequest, now: datetime) -> issuing.Change:
    return lambda directory, signers: authority.with_successors(
        directory, asked.code, _publics(asked), signers, now
    )


def _listing(asked: EnrolmentRequest, now: datetime) -> issuing.Change:
    return lambda directory, signers: authority.with_province(
        directory,
        asked.code,
        _publics(asked),
        signers,
        now,
        status=ParticipantStatus.SUSPENDED,
        schemas=asked.schemas,
    )


def _lists(directory: Directory, asked: EnrolmentRequest) -> bool:
    """Whether the directory lists the keys that this province asks for."""
    listed = {(key.use, key.kid) for key in directory.document.keys if key.owner == asked.code}
    return listed >= {(KeyUse.MESSAGE, asked.message.kid), (KeyUse.SEAL, asked.seal.kid)}


def _answer(place: Workspace, asked: EnrolmentRequest, issue: issuing.Issue, now: datetime) -> str:
    ca = CertificateAuthority.load(place.authority / "ca")
    request = asked.certificate_request.encode("ascii")
    return json.dumps(
        {
            "certificate": ca.certify(request, asked.code, now=now, days=CERTIFICATE_DAYS).decode("ascii"),
            "authority": ca.pem.decode("ascii"),
            "trust": json.loads(issue.trust.encode()),
            "pinned_root": _root(issue).as_json(),
            "bootstrap": place.bootstrap,
        }
    )


def _root(issue: issuing.Issue) -> Envelope:
    """The newest root: whoever starts now starts from it."""
    return issue.trust.roots[-1]


def _applicant(place: Workspace, code: str, envelope: Envelope, directory: Directory) -> Applicant:
    asked = verify_request(envelope, network=place.network)
    participant = directory.participant(code)
    if participant is None:
        standing = Standing.REQUESTED
    elif participant.status is ParticipantStatus.SUSPENDED and not (_folder(place, code) / "active").exists():
        standing = Standing.APPROVED
    else:
        standing = Standing(str(participant.status))
    return Applicant(code, standing, fingerprint(envelope.digest), not _lists(directory, asked))


def _request(place: Workspace, code: str) -> Envelope:
    try:
        return parse_request((_folder(place, code) / "request.json").read_bytes())
    except FileNotFoundError:
        raise NoRequest(code) from None


def _enrolments(place: Workspace) -> Path:
    return place.authority / "enrolments"


def _folder(place: Workspace, code: str) -> Path:
    """`code` may be anything that somebody typed."""
    if not code.isdecimal():
        raise NoRequest(code)
    return _enrolments(place) / code
