"""The bodies of what follows an alert: update, cancel, reply, reminder, closure.

Each says something in a text, and by whom; what can be coded is. Which message it belongs to, and whether an
update supplements or corrects it, stands in the header's refs.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from tongbao_schemas.bodies import codes
from tongbao_schemas.bodies.alert import ShortText, Text
from tongbao_schemas.codes import MessageType
from tongbao_schemas.fields import Strict
from tongbao_schemas.header import By


class FollowUpBody(Strict):
    """What every one of them says: a text, and by whom."""

    text: Text
    by: By


class Change(Strict):
    """One part of the alert as it is now, and as it was where that helps."""

    part: codes.ChangedPart
    now: ShortText
    was: ShortText | None = None


class UpdateBody(FollowUpBody):
    """补充/更正通报: what is new or was wrong, part by part where it can be said so."""

    changes: Annotated[tuple[Change, ...], Field(max_length=20)] = ()


class CancelBody(FollowUpBody):
    """撤销, on one of the closed grounds; the text says what is to be undone."""

    ground: codes.CancelGround


class ReplyBody(FollowUpBody):
    """请求补充 or the 回复 to it."""

    kind: codes.ReplyKind


class ReminderBody(FollowUpBody):
    """催办."""


class ClosureBody(FollowUpBody):
    """办结: what the alert came to for its originator."""

    outcome: codes.ClosureOutcome


FOLLOW_UPS: Final[Mapping[MessageType, type[FollowUpBody]]] = MappingProxyType(
    {
        MessageType.UPDATE: UpdateBody,
        MessageType.CANCEL: CancelBody,
        MessageType.REPLY: ReplyBody,
        MessageType.REMINDER: ReminderBody,
        MessageType.CLOSURE: ClosureBody,
    }
)
"""The model of each type."""
