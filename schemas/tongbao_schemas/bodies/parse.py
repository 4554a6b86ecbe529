"""From the bytes of an opened body to its model (acceptance step 7): 1 parse gate, 2 model, 3 rules."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from tongbao_schemas.bodies.alert import ALERT_BODIES, AlertBody, category_fields
from tongbao_schemas.bodies.answer import ANSWER, AnswerBody
from tongbao_schemas.bodies.attachment import AttachmentBody, check_attachment
from tongbao_schemas.bodies.followups import FOLLOW_UPS, FollowUpBody
from tongbao_schemas.bodies.rules import check_alert, check_answer, check_texts
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import explain
from tongbao_schemas.gate import parse_object
from tongbao_schemas.refusals import Code

BODY_LIMIT: Final = 88 * 4096 - 36
"""The most bytes a body may have: 88 blocks less salt and length."""
ALERT_SCHEMA: Final = "alert/1.0"
ANSWER_SCHEMA: Final = "answer/1.0"
ATTACHMENT_SCHEMA: Final = "attachment/1.0"

Body = AlertBody | AnswerBody | AttachmentBody | FollowUpBody
Fault = tuple[Code, str]
B = TypeVar("B", bound=Body)
P = TypeVar("P", AttachmentBody, FollowUpBody)

_FOLLOW_UPS: Final = {f"{kind.value}/1.0": model for kind, model in FOLLOW_UPS.items()}
_KNOWN: Final = frozenset({ALERT_SCHEMA, ANSWER_SCHEMA, ATTACHMENT_SCHEMA, *_FOLLOW_UPS})


def parse_body(schema_name: str, data: bytes, *, category: Category, status: Status, at: datetime) -> Body:
    """The body of a schema (`alert/1.0`…); `at` (aware) is the time of submission or admission.

    Raises `Refused`: a code of the gate, `BODY_SHAPE`, a rule's own code, `SCHEMA_UNKNOWN`.
    """
    _check_schema(schema_name)
    plain = parse_object(data, limit=BODY_LIMIT)
    return judge_body(schema_name, plain, data, category=category, status=status, at=at)


def judge_body(
    schema_name: str,
    plain: dict[str, Any],
    data: bytes,
    *,
    category: Category,
    status: Status,
    at: datetime,
) -> Body:
    """Model and rules for a body that has passed the gate: its plain JSON values, and their text `data`.

    Raises `Refused` like `parse_body`, of the gate's codes only `RECORD_TOO_LARGE`.
    """
    _check_schema(schema_name)
    if len(data) > BODY_LIMIT:
        raise Refused(Code.RECORD_TOO_LARGE)
    if schema_name == ALERT_SCHEMA:
        return _alert(plain, data, category, status, at)
    if schema_name == ANSWER_SCHEMA:
        return _answer(plain, data, status, at)
    if schema_name == ATTACHMENT_SCHEMA:
        return _attachment(plain, data, status)
    return _plain_model(_FOLLOW_UPS[schema_name], plain, data, status)


def _check_schema(schema_name: str) -> None:
    if schema_name not in _KNOWN:
        raise Refused(Code.SCHEMA_UNKNOWN)


def _alert(plain: dict[str, Any], data: bytes, category: Category, status: Status, at: datetime) -> AlertBody:
    model = ALERT_BODIES[category]
    body = _model(model.model_validate_json, data, lambda error: (_alert_code(error, model), explain(error)))
    check_texts(plain, data, status)
    check_alert(body, status=status, at=at)
    return body


def _answer(plain: dict[str, Any], data: bytes, status: Status, at: datetime) -> AnswerBody:
    body = _model(ANSWER.validate_json, data, lambda error: (Code.BODY_SHAPE, _answer_path(error)))
    check_texts(plain, data, status)
    check_answer(body, at=at)
    return body


def _attachment(plain: dict[str, Any], data: bytes, status: Status) -> AttachmentBody:
    body = _plain_model(AttachmentBody, plain, data, status)
    check_attachment(body)
    return body


def _plain_model(model: type[P], plain: dict[str, Any], data: bytes, status: Status) -> P:
    body = _model(model.model_validate_json, data, lambda error: (Code.BODY_SHAPE, explain(error)))
    check_texts(plain, data, status)
    return body


def _model(validate: Callable[[bytes], B], data: bytes, judge: Callable[[ValidationError], Fault]) -> B:
    """The model of a body. What pydantic says quotes the body, so it does not stay behind the refusal."""
    try:
        return validate(data)
    except ValidationError as error:
        code, where = judge(error)
    raise Refused(code, where)


def _answer_path(error: ValidationError) -> str:
    """The wrong field of an answer: the tag itself, or a field behind it."""
    known_kind = bool(error.errors(include_input=False)[0]["loc"])
    return explain(error, tagged=True) if known_kind else "kind"


def _alert_code(error: ValidationError, model: type[Any]) -> Code:
    """`CATEGORY_NEEDS` if the first fault is that a field of the category itself is missing."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "missing" and first["loc"][0] in category_fields(model):
        return Code.CATEGORY_NEEDS
    return Code.BODY_SHAPE
