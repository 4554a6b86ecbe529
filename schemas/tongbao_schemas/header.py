"""The signed header: who says what kind of thing to whom, under which number, until when.

Rules of the model (step 6 of admission; `docs/protocol.md`, section 5):
- each type has exactly its own fields (an optional one is absent; the gate has refused null);
- the audience is sorted, names nobody twice and at least one participant;
- a type without refs is its own thread; the others refer by the relations of `codes.RELATIONS`;
- a receipt goes to one participant: missing items, and only these, to the exchange;
- a head is actual, and its holes ascend above what it calls settled;
- the schema is a version of the message's own type;
- the exchange signs notices and heads, provinces everything else;
- a readable number belongs to people's types; an alert's names its origin;
- issued_at < sign_by ≤ first_feedback_by ≤ result_by ≤ expires_at.

What needs a directory, a clock or the log (audience active, agreement, refs known) is judged elsewhere.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from tongbao_schemas import codes
from tongbao_schemas.codes import (
    EXCHANGE,
    RELATIONS,
    Category,
    Handling,
    MessageType,
    Relation,
    Stage,
    Status,
    Urgency,
)
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import (
    Count,
    Digest,
    HeaderText,
    HexDigest,
    Kid,
    MessageId,
    Network,
    OfficerRef,
    ParticipantCode,
    Positive,
    ProvinceCode,
    RefusalCode,
    SchemaName,
    Strict,
    Time,
    UnitName,
    WrappedKey,
    explain,
)
from tongbao_schemas.gate import parse_object
from tongbao_schemas.number import check_number
from tongbao_schemas.refusals import Code

HEADER_LIMIT: Final = 393_216
"""The most bytes a payload may have: what base64 leaves of the 512 KiB of an `out` record."""
MAX_RECEIPT_ITEMS: Final = 500
MIN_CIPHERTEXT: Final = 4096 + 16
MAX_CIPHERTEXT: Final = 4096 * 88 + 16
SUITE: Final = "X25519-SHA256-A256GCM"


class Ref(Strict):
    """A reference to an earlier message by id and digest."""

    id: MessageId
    digest: Digest
    relation: Relation


class Seen(Strict):
    """The largest checkpoint the sender knows; `{0, SHA-256 of nothing}` at first."""

    size: Count
    root: HexDigest


class Deadlines(Strict):
    """By when it must be signed for, first answered and finished, and on what ground."""

    sign_by: Time
    first_feedback_by: Time
    result_by: Time
    basis: HeaderText


class Wrap(Strict):
    """The content key, encapsulated for one receiver."""

    code: ParticipantCode
    kid: Kid
    wrap: WrappedKey


class Sealed(Strict):
    """What is signed about the body that lies outside the signed payload."""

    suite: Literal["X25519-SHA256-A256GCM"]
    to: Annotated[tuple[Wrap, ...], Field(min_length=1)]
    commit: HexDigest
    ct_size: Annotated[int, Field(ge=MIN_CIPHERTEXT, le=MAX_CIPHERTEXT)]
    ct_sha256: HexDigest
    content_digest: Digest

    @field_validator("ct_size")
    @classmethod
    def _whole_blocks(cls, size: int) -> int:
        if size % 4096 != 16:
            raise ValueError("a ciphertext has whole blocks of 4096 bytes and a tag of 16")
        return size


class Header(Strict):
    """What every message says of itself."""

    network: Network
    id: MessageId
    thread: MessageId
    type: MessageType
    status: Status
    origin: ParticipantCode
    audience: Annotated[tuple[ParticipantCode, ...], Field(min_length=1)]
    issued_at: Time
    expires_at: Time
    refs: tuple[Ref, ...]
    schema_name: SchemaName = Field(alias="schema")

    @model_validator(mode="after")
    def _audience_in_order(self) -> Self:
        if list(self.audience) != sorted(set(self.audience)):
            raise Refused(Code.HEADER_SHAPE, "audience")
        return self

    @model_validator(mode="after")
    def _refs_of_the_type(self) -> Self:
        relations = RELATIONS[self.type]
        if bool(self.refs) != bool(relations) or not {ref.relation for ref in self.refs} <= relations:
            raise Refused(Code.HEADER_SHAPE, "refs")
        if not relations and self.thread != self.id:
            raise Refused(Code.HEADER_SHAPE, "thread")
        return self

    @model_validator(mode="after")
    def _own_schema_and_origin(self) -> Self:
        if self.schema_name.partition("/")[0] != self.type.value:
            raise Refused(Code.HEADER_SHAPE, "schema")
        if (self.origin == EXCHANGE) != (self.type in codes.EXCHANGE_TYPES):
            raise Refused(Code.HEADER_SHAPE, "origin")
        if self.issued_at >= self.expires_at:
            raise Refused(Code.HEADER_SHAPE, "expires_at")
        return self


class ProvinceHeader(Header):
    """What provinces add: their counter and the largest checkpoint they saw."""

    seq: Positive
    seen: Seen


class PeopleHeader(ProvinceHeader):
    """What people's messages add: number, urgency, handling, category and the seal."""

    number: str
    urgency: Urgency
    handling: Handling
    category: Category
    sealed: Sealed

    @model_validator(mode="after")
    def _number_fits(self) -> Self:
        named = check_number(self.number)
        if self.type is MessageType.ALERT and named != self.origin:
            raise Refused(Code.NUMBER_WRONG, "number")
        return self


class DeadlineHeader(PeopleHeader):
    """What has deadlines: an alert always, an update where it changes them."""

    deadlines: Deadlines | None = None

    @model_validator(mode="after")
    def _deadlines_in_order(self) -> Self:
        if self.deadlines is not None and not deadlines_in_order(
            self.issued_at, self.deadlines, self.expires_at
        ):
            raise Refused(Code.DEADLINES_ORDER, "deadlines")
        return self


class AlertHeader(DeadlineHeader):
    """协查通报."""

    type: Literal[MessageType.ALERT]
    deadlines: Deadlines


class UpdateHeader(DeadlineHeader):
    """补充/更正通报."""

    type: Literal[MessageType.UPDATE]


class CancelHeader(PeopleHeader):
    """撤销."""

    type: Literal[MessageType.CANCEL]


class AnswerHeader(PeopleHeader):
    """反馈."""

    type: Literal[MessageType.ANSWER]


class ReplyHeader(PeopleHeader):
    """回复."""

    type: Literal[MessageType.REPLY]


class ReminderHeader(PeopleHeader):
    """催办."""

    type: Literal[MessageType.REMINDER]


class ClosureHeader(PeopleHeader):
    """办结."""

    type: Literal[MessageType.CLOSURE]


class AttachmentHeader(PeopleHeader):
    """附件."""

    type: Literal[MessageType.ATTACHMENT]


class By(Strict):
    """The person who acted, by unit and reference, never by name."""

    unit: UnitName
    officer_ref: OfficerRef


class ConnectorItem(Strict):
    """A receipt item that needs no person."""

    of: MessageId
    digest: Digest
    stage: Literal[Stage.DELIVERED, Stage.LIFTED, Stage.PURGED]
    at: Time


class DeskItem(Strict):
    """A receipt item that names a person."""

    of: MessageId
    digest: Digest
    stage: Literal[Stage.ROUTED, Stage.READ, Stage.CLAIMED, Stage.ASSIGNED, Stage.WORKING]
    at: Time
    by: By


class RefusedItem(Strict):
    """A message that failed verification on arrival; `of` only where the id could be read."""

    digest: Digest
    stage: Literal[Stage.REFUSED]
    at: Time
    code: RefusalCode
    of: MessageId | None = None


class MissingItem(Strict):
    """A delivery that never came; goes to the exchange."""

    stage: Literal[Stage.MISSING]
    at: Time
    delivery_seq: Positive


ReceiptItem = Annotated[ConnectorItem | DeskItem | RefusedItem | MissingItem, Field(discriminator="stage")]


class ReceiptContent(Strict):
    """1 to 500 items about messages of one origin."""

    items: Annotated[tuple[ReceiptItem, ...], Field(min_length=1, max_length=MAX_RECEIPT_ITEMS)]


class ReceiptHeader(ProvinceHeader):
    """回执: to the one origin of all items, or to the exchange for what is missing."""

    type: Literal[MessageType.RECEIPT]
    content: ReceiptContent

    @model_validator(mode="after")
    def _one_receiver(self) -> Self:
        missing = {isinstance(item, MissingItem) for item in self.content.items}
        if len(self.audience) != 1 or missing != {self.audience[0] == EXCHANGE}:
            raise Refused(Code.HEADER_SHAPE, "audience")
        return self


class RecordPlace(Strict):
    """Where a rejected record lies in its `out` topic, and what its value hashes to."""

    offset: Count
    sha256: HexDigest


class AdmittedNotice(Strict):
    """已登记: the message has leaf `index`."""

    kind: Literal["admitted"]
    of: MessageId
    digest: Digest
    at: Time
    index: Count


class RejectedNotice(Strict):
    """未予登记: why; `of` and `digest` where they could be read."""

    kind: Literal["rejected"]
    at: Time
    code: RefusalCode
    record: RecordPlace
    of: MessageId | None = None
    digest: Digest | None = None


class OverdueNotice(Strict):
    """已超时: `by` has not done what was `due`."""

    kind: Literal["overdue"]
    of: MessageId
    digest: Digest
    at: Time
    due: Time
    by: ProvinceCode


class SuspectNotice(Strict):
    """密钥存疑: messages signed by `key` since a time are in doubt."""

    kind: Literal["suspect"]
    at: Time
    key: Kid
    since: Time
    of: MessageId | None = None
    digest: Digest | None = None


NoticeContent = Annotated[
    AdmittedNotice | RejectedNotice | OverdueNotice | SuspectNotice, Field(discriminator="kind")
]


class NoticeHeader(Header):
    """平台通知."""

    type: Literal[MessageType.NOTICE]
    content: NoticeContent


class DirectoryState(Strict):
    """The directory the exchange goes by."""

    version: Positive
    digest: Digest


Hole = Annotated[tuple[Positive, Positive], Field(description="first and last unused seq")]


class HeadContent(Strict):
    """Where the exchange stands with one province."""

    at: Time
    settled_seq: Count
    holes: tuple[Hole, ...]
    out_next_offset: Count
    delivery_seq: Count
    directory: DirectoryState
    checkpoint: str

    @model_validator(mode="after")
    def _holes_ascend(self) -> Self:
        row = [self.settled_seq, *(edge for hole in self.holes for edge in hole)]
        befores, firsts, lasts = row[0:-1:2], row[1::2], row[2::2]
        if any(before >= first for before, first in zip(befores, firsts, strict=True)) or any(
            first > last for first, last in zip(firsts, lasts, strict=True)
        ):
            raise Refused(Code.HEADER_SHAPE, "content.holes")
        return self


class HeadHeader(Header):
    """平台状态: says where the exchange stands, so it is always actual."""

    type: Literal[MessageType.HEAD]
    status: Literal[Status.ACTUAL]
    content: HeadContent


AnyHeader = (
    AlertHeader
    | UpdateHeader
    | CancelHeader
    | AnswerHeader
    | ReplyHeader
    | ReminderHeader
    | ClosureHeader
    | AttachmentHeader
    | ReceiptHeader
    | NoticeHeader
    | HeadHeader
)
HEADER: Final[TypeAdapter[AnyHeader]] = TypeAdapter(Annotated[AnyHeader, Field(discriminator="type")])


def parse_header(payload: bytes) -> AnyHeader:
    """Steps 5 and 6a of admission: the parse gate, then the model of the payload's own type."""
    parse_object(payload, limit=HEADER_LIMIT)
    return model_of(payload)


def model_of(payload: bytes) -> AnyHeader:
    """Step 6a alone, for a payload that passed the gate or was put together from values that did."""
    try:
        return HEADER.validate_json(payload)
    except ValidationError as error:
        where = explain(error, tagged=True)
    raise Refused(Code.HEADER_SHAPE, where)


def payload_bytes(header: dict[str, Any]) -> bytes:
    """The bytes to sign for a header given as plain JSON values; `HEADER_SHAPE` if it would be refused."""
    data = compact_json(header)
    parse_header(data)
    return data


def deadlines_in_order(issued_at: Any, deadlines: Deadlines, expires_at: Any) -> bool:
    """issued_at < sign_by ≤ first_feedback_by ≤ result_by ≤ expires_at."""
    rest = [deadlines.sign_by, deadlines.first_feedback_by, deadlines.result_by, expires_at]
    return bool(issued_at < deadlines.sign_by) and _ascending(rest)


def _ascending(moments: Iterable[Any]) -> bool:
    row = list(moments)
    return all(earlier <= later for earlier, later in pairwise(row))
