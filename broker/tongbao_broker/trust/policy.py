"""May this go to them now: steps 10, 11, 13 and 14, the same for admission and acceptance.

Pure: header, directory, body and a time in; `Refused` or nothing out. The exchange judges at its own time,
a province at the time of admission.

    10  issued no more than 120 s ahead of the time, expiring after it
    11  origin active; each addressee known, active, not the origin, and its record lists the schema
    13  each addressee has an agreement in force with the origin that allows category, handling and type, or
        the directory has the statutory floor for it
    14  the body is sealed to the audience and the origin and nobody else, with their valid seal keys, and is
        the one whose size and hash were signed

Where the exchange takes part, some of this has no object: its notices and heads reach whoever is enrolled (a
suspended province must learn that it was refused) and need no agreement; nor does a receipt for missing
deliveries, which goes to it.
"""

from datetime import datetime, timedelta

from tongbao_broker.trust.directory import Directory, usable
from tongbao_schemas.codes import EXCHANGE, EXCHANGE_TYPES, KeyUse, MessageType
from tongbao_schemas.encoding import sha256_hex
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import Header, PeopleHeader, Sealed, Wrap
from tongbao_schemas.refusals import Code

__all__ = ["LAPSED_LETS", "MAX_AHEAD", "check_agreement", "check_audience", "check_sealed", "check_times"]

MAX_AHEAD = timedelta(seconds=120)
"""How far a sender's clock may be ahead."""

LAPSED_LETS = frozenset({MessageType.CANCEL, MessageType.RECEIPT, MessageType.ANSWER, MessageType.CLOSURE})
"""What may still be sent in a thread after the agreement that it was opened under has ended."""


def check_times(header: Header, at: datetime) -> None:
    """Step 10: `ISSUED_IN_FUTURE`, `EXPIRED`. There is no lower bound for `issued_at`."""
    if header.issued_at > at + MAX_AHEAD:
        raise Refused(Code.ISSUED_IN_FUTURE, "issued_at")
    if header.expires_at <= at:
        raise Refused(Code.EXPIRED, "expires_at")


def check_audience(header: Header, directory: Directory) -> None:
    """Step 11: `ORIGIN_NOT_ACTIVE`, `AUDIENCE_IS_ORIGIN`, `AUDIENCE_UNKNOWN`, `AUDIENCE_NOT_ACTIVE`,
    `SCHEMA_NOT_ACCEPTED`.
    """
    if not directory.is_active(header.origin):
        raise Refused(Code.ORIGIN_NOT_ACTIVE, "origin")
    for code in header.audience:
        _check_addressee(code, header, directory)


def check_agreement(
    header: Header, directory: Directory, at: datetime, thread_opened_at: datetime | None = None
) -> None:
    """Step 13: `NO_AGREEMENT` unless every addressee may be sent this.

    `thread_opened_at` is when the thread began that the message belongs to (of a receipt: the thread of what
    it acknowledges); None where there is none, or it is closed.
    """
    if header.type in EXCHANGE_TYPES:
        return
    moments = [at]
    if thread_opened_at is not None and header.type in LAPSED_LETS:
        moments.append(thread_opened_at)
    for code in header.audience:
        if not any(_allowed(header, code, directory, moment) for moment in moments):
            raise Refused(Code.NO_AGREEMENT, "audience")


def check_sealed(header: Header, body: bytes | None, directory: Directory, at: datetime) -> None:
    """Step 14: `SEALED_TO_WRONG_PARTIES`, `SEAL_KEY_NOT_VALID`, `BODY_MISSING`, `CIPHERTEXT_MISMATCH`.

    For a type without a sealed body: there is none.
    """
    if not isinstance(header, PeopleHeader):
        if body is not None:
            raise Refused(Code.BODY_MISSING, "body")
        return
    _check_wraps(header, directory, at)
    if body is None:
        raise Refused(Code.BODY_MISSING, "body")
    _check_ciphertext(header.sealed, body)


def _check_addressee(code: str, header: Header, directory: Directory) -> None:
    participant = directory.participant(code)
    if code == header.origin:
        raise Refused(Code.AUDIENCE_IS_ORIGIN, "audience")
    if participant is None:
        raise Refused(Code.AUDIENCE_UNKNOWN, "audience")
    if header.type in EXCHANGE_TYPES:
        return
    if not directory.is_active(code):
        raise Refused(Code.AUDIENCE_NOT_ACTIVE, "audience")
    if header.schema_name not in participant.schemas:
        raise Refused(Code.SCHEMA_NOT_ACCEPTED, "audience")


def _allowed(header: Header, addressee: str, directory: Directory, at: datetime) -> bool:
    if isinstance(header, PeopleHeader):
        ground = directory.agreement(
            header.origin, addressee, header.category, header.type, header.handling, at
        )
        return ground is not None
    if addressee == EXCHANGE:
        return True
    return directory.agreement(header.origin, addressee, None, header.type, None, at) is not None


def _check_wraps(header: PeopleHeader, directory: Directory, at: datetime) -> None:
    wraps = header.sealed.to
    if tuple(wrap.code for wrap in wraps) != (*header.audience, header.origin):
        raise Refused(Code.SEALED_TO_WRONG_PARTIES, "sealed.to")
    for wrap in wraps:
        _check_wrap(wrap, directory, at)


def _check_wrap(wrap: Wrap, directory: Directory, at: datetime) -> None:
    key = directory.key(wrap.kid)
    if key is None or key.use is not KeyUse.SEAL or key.owner != wrap.code or not usable(key, at):
        raise Refused(Code.SEAL_KEY_NOT_VALID, "sealed.to")


def _check_ciphertext(sealed: Sealed, body: bytes) -> None:
    if len(body) != sealed.ct_size or sha256_hex(body) != sealed.ct_sha256:
        raise Refused(Code.CIPHERTEXT_MISMATCH, "body")
