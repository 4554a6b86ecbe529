"""One alert as JSON (`submission/1.0`) taken over into a draft.

1. Exactly one alert. Several alerts or a list of people are refused with a sentence.
2. The file passes the parse gate and has no field that the form doesn't know, so that nothing is lost.
3. A field that is empty or has a wrong value comes along as it stands: the draft then says what is wrong.
4. Who drafted, reviewed and issued it, and its client reference, are the desk's own affair.
"""

from typing import Any, Final

from pydantic import BaseModel, ValidationError

from tongbao_broker.errors import Conflict, Words
from tongbao_schemas.bodies.alert import ALERT_BODIES, MAX_SUBJECTS
from tongbao_schemas.codes import Category, MessageType
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import field_path
from tongbao_schemas.gate import parse_object
from tongbao_schemas.refusals import Code
from tongbao_schemas.submission import SUBMISSION_LIMIT, Submission

ALERTS: Final = frozenset({"alerts", "items", "messages", "submissions", "subjects", "people", "persons"})
_STRUCTURE: Final = frozenset(
    {
        "extra_forbidden",
        "string_type",
        "tuple_type",
        "dict_type",
        "model_type",
        "model_attributes_type",
        "union_tag_invalid",
        "union_tag_not_found",
    }
)
"""Faults for which a form has no place."""


class NotOneAlert(Conflict):
    """The file holds something else than one alert."""


def read(data: bytes) -> tuple[Category, dict[str, Any]]:
    """The alert in a file, and its category; raises NotOneAlert, and Refused with the field's path."""
    if data.lstrip()[:1] == b"[":
        raise NotOneAlert(_LIST)
    plain = parse_object(data, limit=SUBMISSION_LIMIT)
    _check_one_alert(plain)
    category = _category(plain)
    _check_structure(Submission, plain, "", Code.SUBMISSION_SHAPE)
    body = plain.get("body", {})
    if body.get("attachments"):
        raise NotOneAlert(_ATTACHMENTS)
    _check_structure(ALERT_BODIES[category], body, "body.", Code.BODY_SHAPE)
    return category, plain


def _check_one_alert(plain: dict[str, Any]) -> None:
    if "body" not in plain and any(isinstance(plain.get(name), list) for name in ALERTS):
        raise NotOneAlert(_LIST)
    if plain.get("type", MessageType.ALERT) != MessageType.ALERT:
        raise NotOneAlert(_OTHER_TYPE)
    body = plain.get("body")
    if isinstance(body, list):
        raise NotOneAlert(_LIST)
    people = body.get("subjects") if isinstance(body, dict) else None
    if isinstance(people, list) and len(people) > MAX_SUBJECTS:
        raise NotOneAlert(_PEOPLE)


def _category(plain: dict[str, Any]) -> Category:
    try:
        return Category(plain.get("category", ""))
    except ValueError:
        raise Refused(Code.SUBMISSION_SHAPE, "category") from None


def _check_structure(model: type[BaseModel], plain: Any, prefix: str, code: Code) -> None:
    """That nothing is there which the form has no place for."""
    try:
        model.model_validate_json(compact_json(plain))
    except ValidationError as error:
        wrong = [each for each in error.errors(include_input=False) if each["type"] in _STRUCTURE]
    else:
        return
    if wrong:
        raise Refused(code, _where(wrong[0], prefix))


def _where(wrong: Any, prefix: str) -> str:
    """The path of a fault; an unknown field gives the path of what it stands in."""
    unknown = wrong["type"] == "extra_forbidden"
    path = prefix + field_path(wrong["loc"][:-1] if unknown else wrong["loc"])
    return f"{path.strip('.')} (unknown field)".strip() if unknown else path


_LIST: Final = Words(
    "一次只导入一件通报；不收人员名单，也不收多件通报的合集",
    "one alert at a time; neither lists of people nor collections of alerts are taken",
)
_PEOPLE: Final = Words(
    f"一件通报最多 {MAX_SUBJECTS} 人；不收人员名单，请按案件分别通报",
    f"an alert names {MAX_SUBJECTS} people at most; lists of people are not taken, notify case by case",
)
_OTHER_TYPE: Final = Words("这里只导入协查通报（alert）", "only alerts are imported here")
_ATTACHMENTS: Final = Words(
    "附件不能随草稿导入，请删去 attachments", "attachments don't come with a draft; take them out"
)
