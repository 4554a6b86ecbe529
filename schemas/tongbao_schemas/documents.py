"""The two documents of trust: the directory (who takes part, with which keys and agreements) and the root.

The shapes only: nothing is listed twice (one key has one use), periods and allowances are in order, a
threshold can be met. Thresholds met, expiry and versions are judged in `tongbao_broker.trust.directory`.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from tongbao_schemas.codes import Category, Handling, KeyUse, MessageType, ParticipantStatus
from tongbao_schemas.fields import (
    HeaderText,
    HexDigest,
    Kid,
    Network,
    OfficerRef,
    ParticipantCode,
    Positive,
    ProvinceCode,
    SchemaName,
    Strict,
    Time,
    UnitName,
)

DOCUMENT_LIMIT: Final = 1_048_576
"""The most bytes the payload of a root or directory may have."""

CERTIFICATE_REQUEST_LIMIT: Final = 8_192
"""The most characters a certificate request in PEM may have."""

Names = TypeVar("Names", bound=Iterable[str])


def _each_once(names: Names) -> Names:
    listed = list(names)
    if len(listed) != len(set(listed)):
        raise ValueError("something is listed twice")
    return names


class Period(Strict):
    """[valid_from, valid_until)."""

    valid_from: Time
    valid_until: Time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from >= self.valid_until:
            raise ValueError("a period begins before it ends")
        return self


class Participant(Strict):
    """A province or the exchange, and the schema versions it understands."""

    code: ParticipantCode
    name_zh: UnitName
    name_en: UnitName
    status: ParticipantStatus
    schemas: tuple[SchemaName, ...]


class KeyRecord(Period):
    """One public key, its owner, its one use and its time; `may_sign` for message keys."""

    kid: Kid
    owner: ParticipantCode
    use: KeyUse
    alg: Literal["Ed25519", "X25519"]
    public: HexDigest
    may_sign: tuple[MessageType, ...] | None = None
    compromised_since: Time | None = None

    @model_validator(mode="after")
    def _fits_its_use(self) -> Self:
        if (self.alg == "X25519") != (self.use is KeyUse.SEAL):
            raise ValueError("seal keys are X25519, all others Ed25519")
        if (self.may_sign is not None) != (self.use is KeyUse.MESSAGE):
            raise ValueError("message keys, and only these, say what they may sign")
        return self


class Allowance(Strict):
    """Seconds allowed after issue until signing, first feedback and result."""

    sign_s: Positive
    first_feedback_s: Positive
    result_s: Positive

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.sign_s <= self.first_feedback_s <= self.result_s:
            raise ValueError("signing comes before first feedback, and that before the result")
        return self


class AllowanceByUrgency(Strict):
    """An allowance for each urgency."""

    flash: Allowance
    urgent: Allowance
    routine: Allowance


class Agreement(Period):
    """What its parties may notify each other of."""

    id: UnitName
    doc_number: HeaderText
    parties: Annotated[tuple[ParticipantCode, ...], Field(min_length=2), AfterValidator(_each_once)]
    categories: tuple[Category, ...]
    types: tuple[MessageType, ...]
    handling: tuple[Handling, ...]
    deadlines: AllowanceByUrgency


class Floor(Period):
    """法定协作: what the law allows between all provinces without an agreement."""

    categories: tuple[Category, ...]
    types: tuple[MessageType, ...]
    handling: tuple[Handling, ...]


class Posting(Period):
    """外派联络员: an officer of `home` who sits at `host`."""

    officer_ref: OfficerRef
    home: ProvinceCode
    host: ProvinceCode


class Document(Strict):
    """What root and directory have in common."""

    network: Network
    version: Positive
    issued_at: Time
    expires_at: Time

    @model_validator(mode="after")
    def _valid_for_a_while(self) -> Self:
        if self.issued_at >= self.expires_at:
            raise ValueError("a document is issued before it expires")
        return self


class DirectoryDocument(Document):
    """The payload of a directory."""

    participants: tuple[Participant, ...]
    keys: tuple[KeyRecord, ...]
    agreements: tuple[Agreement, ...]
    postings: tuple[Posting, ...]
    floor: Floor | None = None

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        _each_once(participant.code for participant in self.participants)
        _each_once(key.kid for key in self.keys)
        _each_once(key.public for key in self.keys)
        _each_once(agreement.id for agreement in self.agreements)
        return self


class NamedKey(Strict):
    """A public key of the root or of the directory's signers."""

    kid: Kid
    public: HexDigest


class KeySet(Strict):
    """Keys of which `threshold` distinct ones must sign."""

    threshold: Positive
    keys: Annotated[tuple[NamedKey, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        _each_once(key.kid for key in self.keys)
        _each_once(key.public for key in self.keys)
        if self.threshold > len(self.keys):
            raise ValueError("more signatures than keys can never be had")
        return self


class RootDocument(Document):
    """The payload of a root."""

    directory_keys: KeySet
    root_keys: KeySet


class EnrolmentRequest(Strict):
    """The payload of an enrolment: what a province asks the directory to list, made where its keys are.

    `message` is the Ed25519 key that signs this request, `seal` the X25519 key that bodies will be sealed to,
    `certificate_request` a PKCS#10 request (RFC 2986) in PEM for the subject `CN=<code>`.
    """

    network: Network
    code: ProvinceCode
    issued_at: Time
    message: NamedKey
    seal: NamedKey
    schemas: Annotated[tuple[SchemaName, ...], Field(min_length=1), AfterValidator(_each_once)]
    certificate_request: Annotated[str, Field(max_length=CERTIFICATE_REQUEST_LIMIT)]

    @model_validator(mode="after")
    def _one_use_each(self) -> Self:
        _each_once((self.message.public, self.seal.public))
        return self
