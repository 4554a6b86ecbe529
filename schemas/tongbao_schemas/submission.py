"""What `tongbao send`, a desk or a case system hands to its connector: `submission/1.0`.

1. `parse_submission`: the file passes the parse gate, and with it its body, and the closed model.
2. `check_submission` judges all that can be judged before anything is stored: the type may be submitted and
   has the refs of its type, the audience is known and not one's own, times are in order, the body keeps its
   rules.
3. `client_ref` is the submitter's own reference; `digest` tells the same content from other content. The
   order of keys and of the audience is no content.
4. What is absent here the connector adds: network, id, thread, number, origin, seq, seen, times, and for an
   alert the agreement's deadlines.
"""

from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from tongbao_schemas.bodies.parse import BODY_LIMIT, Body, judge_body
from tongbao_schemas.codes import EXCHANGE, RELATIONS, Category, Handling, MessageType, Status, Urgency
from tongbao_schemas.encoding import compact_json, digest
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import HeaderText, ProvinceCode, Strict, Time
from tongbao_schemas.gate import parse_object
from tongbao_schemas.header import Deadlines, Ref, deadlines_in_order
from tongbao_schemas.number import PROVINCES
from tongbao_schemas.refusals import Code

SUBMISSION_LIMIT: Final = BODY_LIMIT + 16_384
"""The most bytes a submission may have."""
CONNECTORS_OWN: Final = frozenset({MessageType.RECEIPT, MessageType.NOTICE, MessageType.HEAD})

ClientRef = Annotated[HeaderText, Field(max_length=64)]


def _in_order(audience: tuple[str, ...]) -> tuple[str, ...]:
    if len(audience) != len(set(audience)):
        raise ValueError("the audience names nobody twice")
    return tuple(sorted(audience))


class Submission(Strict):
    """A message to send, without what the connector adds."""

    client_ref: ClientRef
    type: MessageType
    status: Status
    audience: Annotated[tuple[ProvinceCode, ...], Field(min_length=1), AfterValidator(_in_order)]
    urgency: Urgency
    deadlines: Deadlines | None = None
    expires_at: Time | None = None
    handling: Handling
    category: Category
    refs: tuple[Ref, ...] = ()
    body: dict[str, Any]

    @cached_property
    def body_bytes(self) -> bytes:
        """The body as it is sealed."""
        return compact_json(self.body)

    @cached_property
    def digest(self) -> str:
        """The digest of the content without `client_ref`: same ref and same digest is the same submission."""
        return digest(compact_json(self.model_dump(mode="json", exclude={"client_ref"}, exclude_none=True)))


def parse_submission(data: bytes) -> Submission:
    """The submission in a file; `SUBMISSION_SHAPE` with the field's path, or a code of the gate."""
    parse_object(data, limit=SUBMISSION_LIMIT)
    return Submission.read(data, refuse_as=Code.SUBMISSION_SHAPE)


def check_submission(submission: Submission, *, now: datetime, origin: str) -> Body:
    """All that can be judged before storing, as if sent at `now` by province `origin`; gives the body."""
    _check_type(submission)
    _check_audience(submission, origin)
    _check_times(submission, now)
    return _check_body(submission, now)


def _check_type(submission: Submission) -> None:
    if submission.type in CONNECTORS_OWN:
        raise Refused(Code.NOT_SUBMITTABLE, "type")
    relations = RELATIONS[submission.type]
    if bool(submission.refs) != bool(relations) or not {ref.relation for ref in submission.refs} <= relations:
        raise Refused(Code.SUBMISSION_SHAPE, "refs")


def _check_audience(submission: Submission, origin: str) -> None:
    if not set(submission.audience) <= PROVINCES.keys() - {EXCHANGE}:
        raise Refused(Code.AUDIENCE_UNKNOWN, "audience")
    if origin in submission.audience:
        raise Refused(Code.AUDIENCE_IS_ORIGIN, "audience")


def _check_times(submission: Submission, now: datetime) -> None:
    if submission.expires_at is not None and submission.expires_at <= now:
        raise Refused(Code.EXPIRED, "expires_at")
    if submission.deadlines is None:
        return
    if submission.type not in (MessageType.ALERT, MessageType.UPDATE):
        raise Refused(Code.SUBMISSION_SHAPE, "deadlines")
    last = submission.expires_at or submission.deadlines.result_by
    if not deadlines_in_order(now, submission.deadlines, last):
        raise Refused(Code.DEADLINES_ORDER, "deadlines")


def _check_body(submission: Submission, now: datetime) -> Body:
    try:
        return judge_body(
            f"{submission.type.value}/1.0",
            submission.body,
            submission.body_bytes,
            category=submission.category,
            status=submission.status,
            at=now,
        )
    except Refused as refused:
        raise Refused(refused.code, _inside_body(refused.where)) from None


def _inside_body(where: str) -> str:
    joint = "." if where[:1].isalpha() else " "
    return f"body{joint}{where}".rstrip()
