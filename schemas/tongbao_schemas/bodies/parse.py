"""From the bytes of an opened body to its model: parse gate, model, rules (acceptance step 7)."""

from datetime import datetime
from typing import Final

from pydantic import ValidationError

from tongbao_schemas.bodies.alert import ALERT_BODIES, AlertBody
from tongbao_schemas.bodies.answer import ANSWER, AnswerBody
from tongbao_schemas.bodies.rules import check_alert, check_invented
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import explain
from tongbao_schemas.gate import parse_object
from tongbao_schemas.refusals import Code

BODY_LIMIT: Final = 88 * 4096 - 36
"""The most bytes a body may have: 88 blocks less salt and length."""

Body = AlertBody | AnswerBody


def parse_body(schema_name: str, data: bytes, *, category: Category, status: Status, at: datetime) -> Body:
    """The body of schema `alert/1.0` or `answer/1.0`; `at` is the time of issue (aware, UTC).

    Raises `Refused`: a code of the gate, `BODY_SHAPE`, a rule's own code, or `TYPE_NOT_BUILT`.
    """
    if schema_name == "alert/1.0":
        return _alert(data, category, status, at)
    if schema_name == "answer/1.0":
        return _answer(data, status)
    raise Refused(Code.TYPE_NOT_BUILT)


def _alert(data: bytes, category: Category, status: Status, at: datetime) -> AlertBody:
    parse_object(data, limit=BODY_LIMIT)
    body = ALERT_BODIES[category].read(data, refuse_as=Code.BODY_SHAPE)
    check_alert(body, status=status, at=at)
    return body


def _answer(data: bytes, status: Status) -> AnswerBody:
    plain = parse_object(data, limit=BODY_LIMIT)
    try:
        body = ANSWER.validate_json(data)
    except ValidationError as error:
        raise Refused(Code.BODY_SHAPE, explain(error, tagged=True)) from None
    if status is not Status.ACTUAL:
        check_invented(plain)
    return body
