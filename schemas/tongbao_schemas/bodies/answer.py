"""The body of an answer (反馈): what a person says about an alert. `kind` is the tag."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from tongbao_schemas.bodies.alert import Text
from tongbao_schemas.bodies.codes import AnswerKind, Outcome, ReturnGround
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.fields import ProvinceCode, Strict, Time
from tongbao_schemas.header import By
from tongbao_schemas.number import PROVINCES


def _a_province(code: str) -> str:
    if code not in PROVINCES or code == EXCHANGE:
        raise ValueError("not a province")
    return code


class AnswerBody(Strict):
    """What every answer says: a text, and by whom."""

    kind: AnswerKind
    text: Text
    by: By


class Progress(AnswerBody):
    """阶段反馈: what has been found so far."""

    kind: Literal[AnswerKind.PROGRESS]


class Result(AnswerBody):
    """反馈: what the checking came to."""

    kind: Literal[AnswerKind.RESULT]
    outcome: Outcome


class Returned(AnswerBody):
    """退回补正, on one of the closed grounds; the text says what is missing."""

    kind: Literal[AnswerKind.RETURNED]
    ground: ReturnGround


class Redirect(AnswerBody):
    """建议改发: the province that should have it instead."""

    kind: Literal[AnswerKind.REDIRECT]
    to: Annotated[ProvinceCode, AfterValidator(_a_province)]


class MoreTime(AnswerBody):
    """申请延期: until when; the text says why."""

    kind: Literal[AnswerKind.MORE_TIME]
    until: Time


AnyAnswer = Annotated[Progress | Result | Returned | Redirect | MoreTime, Field(discriminator="kind")]
ANSWER: Final[TypeAdapter[AnyAnswer]] = TypeAdapter(AnyAnswer)
