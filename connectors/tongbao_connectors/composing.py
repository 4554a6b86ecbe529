"""From a draft to a signed and sealed message: pure, apart from the randomness of sealing.

1. The connector adds what a submitter doesn't say: network, id, thread, number, origin, seq, the checkpoint
   seen, times.
2. Deadlines that a submission leaves out come from the agreement in force (of several addressees' the
   longest); under the statutory floor, which sets none, from `FLOOR_DEADLINES`.
3. What has been composed is read back by the model that a stranger reads it with, and checked like at the
   exchange (times, audience, policy, seal; steps 10, 11, 13, 14). Whatever fails raises `Refused`, before any
   number is used up. The parse gate comes first where a text is ours (a receipt's units are from the roster);
   all that a submission's header holds has passed it with the submission and the directory.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tongbao_broker.trust import dsse, policy
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.keys import SigningKey
from tongbao_broker.trust.sealing import Recipient, SealContext, Sealing, seal
from tongbao_schemas.codes import MessageType, Status, Urgency
from tongbao_schemas.documents import Agreement
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import MESSAGE_TYPE
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import AnyHeader, model_of, parse_header
from tongbao_schemas.record import OutRecord, encode_out
from tongbao_schemas.refusals import Code
from tongbao_schemas.submission import Submission

RECEIPT_LIFE = timedelta(days=30)
LIFE = timedelta(days=30)
"""How long after its last deadline a message expires where the submission doesn't say."""

FLOOR_BASIS = "法定协作"
FLOOR_DEADLINES = {
    Urgency.FLASH: (3600, 24 * 3600, 72 * 3600),
    Urgency.URGENT: (8 * 3600, 72 * 3600, 10 * 24 * 3600),
    Urgency.ROUTINE: (24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600),
}
"""Seconds to sign, to the first feedback and to the result where only the statutory floor applies."""

_MAX_BASIS = 200


@dataclass(frozen=True, slots=True)
class Office:
    """In whose name messages go out."""

    network: str
    code: str
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in its province's sequence.

    `seen` is size and root (hex) of the largest checkpoint.
    """

    seq: int
    seen: tuple[int, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready to be stored and published. `cek` is None where there is no body."""

    header: AnyHeader
    seq: int
    digest: str
    value: bytes
    cek: bytes | None


def compose(
    submission: Submission,
    *,
    office: Office,
    directory: Directory,
    place: Place,
    message_id: str,
    thread: str,
    number: str,
    thread_opened_at: datetime | None,
) -> Composed:
    """Seals and signs a submission.

    An alert's `number` is new, all others bear their thread's. Raises Refused.
    """
    fields = _common(office, place, submission.type, submission.status, message_id, thread)
    fields |= {
        "number": number,
        "audience": sorted(submission.audience),
        "urgency": submission.urgency,
        "handling": submission.handling,
        "category": submission.category,
        "refs": [{"id": ref.id, "digest": ref.digest, "relation": ref.relation} for ref in submission.refs],
    }
    deadlines = _deadlines(submission, office.code, directory, place.at)
    if deadlines:
        fields["deadlines"] = deadlines
    fields["expires_at"] = _expiry(submission, deadlines, place.at)
    if not directory.is_active(office.code):
        raise Refused(Code.ORIGIN_NOT_ACTIVE, "origin")
    recipients = [_recipient(code, directory, place.at) for code in (*fields["audience"], office.code)]
    sealing = seal(submission.body_bytes, SealContext.of(fields), recipients)
    payload = compact_json(fields | {"sealed": sealing.sealed})
    composed = _signed(model_of(payload), payload, place.seq, office, sealing)
    _check(composed.header, sealing.ciphertext, directory, place.at, thread_opened_at)
    return composed


def compose_receipt(
    items: Sequence[Mapping[str, Any]],
    *,
    office: Office,
    directory: Directory,
    place: Place,
    message_id: str,
    status: Status,
    addressee: str,
    thread_opened_at: datetime | None,
) -> Composed:
    """Signs a receipt over at most 500 items for one addressee and one status. Raises Refused."""
    fields = _common(office, place, MessageType.RECEIPT, status, message_id, message_id)
    fields |= {
        "audience": [addressee],
        "expires_at": format_time(place.at + RECEIPT_LIFE),
        "refs": [],
        "content": {"items": list(items)},
    }
    payload = compact_json(fields)
    composed = _signed(parse_header(payload), payload, place.seq, office, None)
    _check(composed.header, None, directory, place.at, thread_opened_at)
    return composed


def _common(
    office: Office, place: Place, kind: MessageType, status: Status, message_id: str, thread: str
) -> dict[str, Any]:
    size, root = place.seen
    return {
        "network": office.network,
        "id": message_id,
        "thread": thread,
        "type": kind,
        "status": status,
        "origin": office.code,
        "seq": place.seq,
        "seen": {"size": size, "root": root},
        "issued_at": format_time(place.at),
        "schema": f"{kind}/1.0",
    }


def _signed(header: AnyHeader, payload: bytes, seq: int, office: Office, sealing: Sealing | None) -> Composed:
    envelope = dsse.sign(payload, MESSAGE_TYPE, [office.key])
    body, cek = (sealing.ciphertext, sealing.cek) if sealing else (None, None)
    return Composed(header, seq, envelope.digest, encode_out(OutRecord(envelope, body)), cek)


def _recipient(code: str, directory: Directory, at: datetime) -> Recipient:
    """Whom to seal to; without a seal key says why there is none."""
    if directory.participant(code) is None:
        raise Refused(Code.AUDIENCE_UNKNOWN, "audience")
    if not directory.is_active(code):
        raise Refused(Code.AUDIENCE_NOT_ACTIVE, "audience")
    return directory.seal_recipient(code, at)


def _check(
    header: AnyHeader,
    body: bytes | None,
    directory: Directory,
    at: datetime,
    thread_opened_at: datetime | None,
) -> None:
    policy.check_times(header, at)
    policy.check_audience(header, directory)
    policy.check_agreement(header, directory, at, thread_opened_at)
    policy.check_sealed(header, body, directory, at)


def _expiry(submission: Submission, deadlines: Mapping[str, str] | None, at: datetime) -> str:
    if submission.expires_at is not None:
        return format_time(submission.expires_at)
    last = datetime.fromisoformat(deadlines["result_by"]) if deadlines else at
    return format_time(last + LIFE)


def _deadlines(
    submission: Submission, origin: str, directory: Directory, at: datetime
) -> dict[str, str] | None:
    """The submission's own deadlines; for an alert without any the agreed ones."""
    given = submission.deadlines
    if given is not None:
        times = (given.sign_by, given.first_feedback_by, given.result_by)
        return _stated(times, given.basis)
    if submission.type != MessageType.ALERT:
        return None
    agreed = [_agreed(submission, origin, addressee, directory, at) for addressee in submission.audience]
    seconds = [max(column) for column in zip(*(terms for terms, _ in agreed), strict=True)]
    basis = basis_of(basis for _, basis in agreed)
    return _stated([at + timedelta(seconds=after) for after in seconds], basis)


def basis_of(documents: Iterable[str]) -> str:
    """What default deadlines rest on, as a header says it: the agreements' numbers."""
    return "；".join(dict.fromkeys(documents))[:_MAX_BASIS]


def _stated(times: Sequence[datetime], basis: str) -> dict[str, str]:
    sign_by, first_feedback_by, result_by = (format_time(time) for time in times)
    return {
        "sign_by": sign_by,
        "first_feedback_by": first_feedback_by,
        "result_by": result_by,
        "basis": basis,
    }


def _agreed(
    submission: Submission, origin: str, addressee: str, directory: Directory, at: datetime
) -> tuple[tuple[int, int, int], str]:
    """Seconds and basis between the two provinces.

    The floor's where there is no agreement (which step 13 then judges).
    """
    agreement = directory.agreement(
        origin, addressee, submission.category, submission.type, submission.handling, at
    )
    if not isinstance(agreement, Agreement):
        return FLOOR_DEADLINES[submission.urgency], FLOOR_BASIS
    terms = getattr(agreement.deadlines, submission.urgency)
    return (terms.sign_s, terms.first_feedback_s, terms.result_s), agreement.doc_number
