"""The body of an answer (反馈): what a person says about an alert. `kind` is the tag."""

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from tongbao_schemas.bodies.alert import Text
from tongbao_schemas.bodies.codes import AnswerKind, Outcome, ReturnGround
from tongbao_schemas.fields import ProvinceCode, Strict, Time
from tongbao_schemas.header import By


class AnswerBody(Strict):
    """What every answer says: a text, and by whom."""

    kind: AnswerKind
    text: Text
    by: By


class Progress(AnswerBody):
    """阶段反馈."""

    kind: Literal[AnswerKind.PROGRESS]


class Result(AnswerBody):
    """反馈: the outcome."""

    kind: Literal[AnswerKind.RESULT]
    outcome: Outcome


class Returned(AnswerBody):
    """退回补正, on closed grounds."""

    kind: Literal[AnswerKind.RETURNED]
    grounds: Annotated[tuple[ReturnGround, ...], Field(min_length=1, max_length=4)]


class Redirect(AnswerBody):
    """建议改发 to another province."""

    kind: Literal[AnswerKind.REDIRECT]
    to: ProvinceCode


class MoreTime(AnswerBody):
    """申请延期 until a time."""

    kind: Literal[AnswerKind.MORE_TIME]
    until: Time


AnyAnswer = Annotated[Progress | Result | Returned | Redirect | MoreTime, Field(discriminator="kind")]
ANSWER: Final[TypeAdapter[AnyAnswer]] = TypeAdapter(AnyAnswer)
