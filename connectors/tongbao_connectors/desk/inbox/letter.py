"""What isn't an alert, as a page shows it: an answer or a follow-up, in its own words and by whom; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tongbao_connectors import body_words
from tongbao_connectors.wording import Wording
from tongbao_schemas.bodies.followups import (
    FOLLOW_UPS,
    CancelBody,
    ClosureBody,
    FollowUpBody,
    ReplyBody,
    UpdateBody,
)
from tongbao_schemas.codes import MessageType
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.refusals import Code


@dataclass(frozen=True, slots=True)
class Change:
    """One part of an alert as it is now, and as it was where that is said."""

    part: str
    now: str
    was: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What it comes to, its text, who wrote it, and what it changes."""

    verdict: str
    text: str
    by: str
    changes: tuple[Change, ...] = ()


def letter_of(kind: str, plain: dict[str, Any], w: Wording) -> Letter:
    """The letter of a stored body, which passed its rules when it came; raises Refused."""
    if kind == MessageType.ANSWER:
        answer = body_words.read_answer(plain)
        return Letter(body_words.verdict(answer, w), answer.text, body_words.by_whom(answer.by))
    body = FOLLOW_UPS[MessageType(kind)].read(compact_json(plain), refuse_as=Code.BODY_SHAPE)
    return Letter(
        _verdict(MessageType(kind), body, w), body.text, body_words.by_whom(body.by), tuple(_changes(body, w))
    )


def _verdict(kind: MessageType, body: FollowUpBody, w: Wording) -> str:
    match body:
        case CancelBody():
            return f"{w.label(kind)}{w.of('：', ': ')}{w.label(body.ground)}"
        case ClosureBody():
            return f"{w.label(kind)}{w.of('：', ': ')}{w.label(body.outcome)}"
        case ReplyBody():
            return w.label(body.kind)
        case _:
            return w.label(kind)


def _changes(body: FollowUpBody, w: Wording) -> Iterator[Change]:
    if isinstance(body, UpdateBody):
        for change in body.changes:
            yield Change(w.label(change.part), change.now, change.was or "")
