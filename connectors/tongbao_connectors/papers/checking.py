"""What is wrong with a draft, all at once, each fault at its own field and in words.

1. The form's own look at it: texts, papers that the requests need, ID numbers, places with the one that is
   probably meant.
2. The models of submission and body: what is missing or has another form.
3. If the body has its form, every rule of alerts by itself.
4. The agreements: whether each addressee may be notified of this.
5. If nothing was found, the whole check that the connector makes. What it refuses goes to the field that it
   names, with its code.

One field has one fault: the first that is found. The words at the top and at the field are the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from tongbao_broker.errors import Words
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.papers import form, places
from tongbao_connectors.papers.fields import Block, Field, Group, Kind, Part, Section, variant
from tongbao_connectors.papers.mapping import ACTIONS, PAPERS, Signatures, day_of, to_submission
from tongbao_connectors.papers.values import Values, count, indices, many, one
from tongbao_schemas.bodies import codes
from tongbao_schemas.bodies.alert import ALERT_BODIES
from tongbao_schemas.bodies.rules import ALERT_RULES
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import field_path
from tongbao_schemas.gate import check_string
from tongbao_schemas.identity import id_number_ok
from tongbao_schemas.refusals import REFUSALS, Code
from tongbao_schemas.submission import Submission, check_submission, parse_submission

ID_LENGTH: Final = 18
_MISSING: Final = frozenset({"missing", "string_too_short", "too_short"})
_TOO_LONG: Final = frozenset({"string_too_long", "too_long"})
_REQUEST: Final = "body.request"


@dataclass(frozen=True, slots=True)
class Fix:
    """A text that would put a field right, offered as a button."""

    label: Words
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to put right: at which field, in words, perhaps with the code of the refusal and ways out."""

    path: str
    words: Words
    code: str = ""
    fixes: tuple[Fix, ...] = ()


FILES: Final = "body.attachments"


@dataclass(frozen=True, slots=True)
class Question:
    """A draft and what is needed to judge it.

    `agreed` holds for an addressee why he may not be notified of this; who isn't in it may.
    """

    values: Values
    category: Category
    signatures: Signatures
    origin: str
    client_ref: str
    now: datetime
    agreed: Mapping[str, Words]
    files: Sequence[dict[str, Any]] = ()

    @property
    def today(self) -> date:
        return self.now.astimezone(BEIJING).date()

    def submission(self) -> dict[str, Any]:
        """What would be sent."""
        said = to_submission(
            self.values, self.category, self.signatures, client_ref=self.client_ref, today=self.today
        )
        if self.files:
            said["body"]["attachments"] = list(self.files)
        return said


def check(question: Question) -> tuple[Fault, ...]:
    """The faults in the order of the page; none if it may be sent."""
    fields = fields_of(question.values, question.category)
    first: dict[str, Fault] = {}
    for fault in _faults(question, fields):
        first.setdefault(fault.path, fault)
    if not first:
        first = {fault.path: fault for fault in _refusal(question, fields)}
    order = {path: place for place, path in enumerate(anchors(question.values, question.category))}
    return tuple(sorted(first.values(), key=lambda fault: order.get(fault.path, -1)))


def fields_of(values: Values, category: Category) -> dict[str, Field]:
    """Every field of the form as it stands, by its path, in the order of the page."""
    return {
        path: part
        for section in form.sections(category)
        for path, part in _walk(section.parts, values, "")
        if isinstance(part, Field)
    }


def anchors(values: Values, category: Category) -> dict[str, Section]:
    """Every path at which a fault can stand, groups too, with its section, in the order of the page."""
    return {
        path: section for section in form.sections(category) for path, _ in _walk(section.parts, values, "")
    }


def _walk(parts: tuple[Part, ...], values: Values, prefix: str) -> Iterator[tuple[str, Field | Group]]:
    for part in parts:
        if isinstance(part, Block):
            if part.action is None or part.action in many(values, ACTIONS):
                yield from _walk(part.fields, values, prefix)
            continue
        path = prefix + part.name
        yield path, part
        if isinstance(part, Group):
            for index in indices(values, path):
                item = f"{path}[{index}]"
                yield from _walk(variant(part, one(values, f"{item}.kind")), values, f"{item}.")


def _faults(question: Question, fields: Mapping[str, Field]) -> Iterator[Fault]:
    yield from _texts(question, fields)
    yield from _papers(question)
    yield from _id_numbers(question, fields)
    yield from _places(question, fields)
    yield from _models(question, fields)
    yield from _agreements(question)


def _texts(question: Question, fields: Mapping[str, Field]) -> Iterator[Fault]:
    for path in fields:
        for text in question.values.get(path, ()):
            try:
                check_string(text)
            except Refused as refused:
                yield _from_code(path, refused.code)


def _papers(question: Question) -> Iterator[Fault]:
    """What each request lacks: at the line of the paper, or at the requests where it has no line."""
    values = question.values
    for action in codes.Action:
        if action not in many(values, ACTIONS):
            continue
        for choice in codes.PAPERS_NEEDED[action]:
            lines = [line for line in _lines_of(values) if one(values, f"{line}.kind") in choice]
            if not any(one(values, f"{line}.number") for line in lines):
                yield Fault(
                    f"{lines[0]}.number" if lines else ACTIONS, _lacking(action, choice), Code.PAPERS_MISSING
                )


def _lines_of(values: Values) -> list[str]:
    return [f"{PAPERS}[{index}]" for index in indices(values, PAPERS)]


def _lacking(action: codes.Action, choice: Iterable[codes.PaperKind]) -> Words:
    kinds = [kind for kind in codes.PaperKind if kind in set(choice)]
    return Words(
        f"“{action.zh}”需要{'或'.join(kind.zh for kind in kinds)}，请添加文号和文件",
        f"“{action.en}” needs: {' or '.join(kind.en for kind in kinds)}; add number and file",
    )


def _id_numbers(question: Question, fields: Mapping[str, Field]) -> Iterator[Fault]:
    for path in fields:
        if not path.endswith("id_document.number"):
            continue
        number = one(question.values, path)
        kind = one(question.values, path.replace("number", "kind")) or codes.IdDocumentKind.ID_CARD
        if number and kind == codes.IdDocumentKind.ID_CARD:
            yield from _id_number(path, number, one(question.values, "status"))


def _id_number(path: str, number: str, status: str) -> Iterator[Fault]:
    if len(number) != ID_LENGTH:
        words = Words(
            f"公民身份号码应为 18 位，现在是 {len(number)} 位",
            f"An ID number has 18 characters; this one has {len(number)}",
        )
        yield Fault(path, words, Code.ID_NUMBER_INVALID)
    elif status == Status.ACTUAL and not id_number_ok(number):
        yield Fault(path, _SENTENCES[Code.ID_NUMBER_INVALID], Code.ID_NUMBER_INVALID)
    elif status in (Status.EXERCISE, Status.TEST) and id_number_ok(number):
        yield Fault(path, _SENTENCES[Code.ID_NUMBER_REAL], Code.ID_NUMBER_REAL)


def _places(question: Question, fields: Mapping[str, Field]) -> Iterator[Fault]:
    for path, field in fields.items():
        text = one(question.values, path)
        if field.kind is not Kind.REGION or not text:
            continue
        on = day_of(path, question.values, question.today)
        code = places.code_of(text, on, many(question.values, "audience"))
        if not places.valid(code, on):
            yield Fault(path, places.fault(text, on), Code.REGION_CODE, tuple(_fixes(text, on)))


def _fixes(text: str, on: date) -> Iterator[Fix]:
    for region in places.suggestions(text, on):
        name = places.short_name(region)
        yield Fix(Words(f"改为 {name}", f"Change to {name}"), places.full_name(region.code, on))


def _models(question: Question, fields: Mapping[str, Field]) -> Iterator[Fault]:
    submission = question.submission()
    body = submission["body"]
    yield from _shape(Submission, submission, "", question, fields)
    faulty = list(_shape(ALERT_BODIES[question.category], body, "body.", question, fields))
    yield from faulty
    if not faulty:
        yield from _rules(question, body, fields)


def _shape(
    model: type[BaseModel],
    plain: dict[str, Any],
    prefix: str,
    question: Question,
    fields: Mapping[str, Field],
) -> Iterator[Fault]:
    try:
        model.model_validate_json(compact_json(plain))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    else:
        return
    for each in found:
        yield from _shape_faults(each, prefix + _path(each["loc"]), question, fields)


def _path(location: tuple[int | str, ...]) -> str:
    """The path of a model's fault; the tag of a target, which pydantic puts into it, is no part of it."""
    tags = frozenset(codes.TargetKind)
    steps = [
        step
        for place, step in enumerate(location)
        if not (step in tags and place and isinstance(location[place - 1], int))
    ]
    return field_path(tuple(steps))


def _shape_faults(error: Any, path: str, question: Question, fields: Mapping[str, Field]) -> Iterator[Fault]:
    if error["type"] in _MISSING and path not in fields:
        below = [name for name in fields if name.startswith((f"{path}.", f"{path}["))]
        needed = [name for name in below if not fields[name].optional] or below
        for name in needed or [_nearest(path, question, fields)]:
            yield Fault(name, _asked(fields.get(name)))
        return
    if path == _REQUEST:
        yield Fault(ACTIONS, _ALONE)
    elif path not in fields and f"{path}.substance" in fields:
        yield Fault(f"{path}.name", fields[f"{path}.name"].asks)
    else:
        name = _nearest(path, question, fields)
        yield Fault(name, _shape_words(error, fields.get(name), one(question.values, name)))


def _shape_words(error: Any, field: Field | None, text: str) -> Words:
    if field is None:
        return _SENTENCES[Code.BODY_SHAPE]
    if error["type"] in _TOO_LONG and text:
        most = error["ctx"]["max_length"]
        return Words(
            f"{field.label.zh}最多 {most} 字，现在是 {len(text)} 字",
            f"{field.label.en}: {most} characters at most, now {len(text)}",
        )
    if not text or error["type"] in _MISSING:
        return _asked(field)
    if field.form.zh:
        return field.form
    return Words(f"{field.label.zh}的写法不对", f"{field.label.en} has another form")


def _asked(field: Field | None) -> Words:
    if field is None:
        return _SENTENCES[Code.BODY_SHAPE]
    if field.asks.zh:
        return field.asks
    return Words(f"填写{field.label.zh}", f"Fill in: {field.label.en}")


def _rules(question: Question, body: dict[str, Any], fields: Mapping[str, Field]) -> Iterator[Fault]:
    status = one(question.values, "status")
    if status not in frozenset(Status):
        return
    model = ALERT_BODIES[question.category].model_validate_json(compact_json(body))
    for rule in ALERT_RULES:
        try:
            rule(model, Status(status), question.now)
        except Refused as refused:
            if refused.where != "request.papers":
                yield _from_refusal(refused, "body.", question, fields)


def _agreements(question: Question) -> Iterator[Fault]:
    lacking = [code for code in many(question.values, "audience") if code in question.agreed]
    if lacking:
        yield Fault("audience", question.agreed[lacking[0]], Code.NO_AGREEMENT)


def _refusal(question: Question, fields: Mapping[str, Field]) -> Iterator[Fault]:
    """What the connector's own check has to say; the last word."""
    try:
        submission = parse_submission(compact_json(question.submission()))
        check_submission(submission, now=question.now, origin=question.origin)
    except Refused as refused:
        yield _from_refusal(refused, "", question, fields)


def of_refused(refused: Refused, question: Question) -> Fault:
    """The fault that a refusal from elsewhere speaks of."""
    return _from_refusal(refused, "", question, fields_of(question.values, question.category))


def _from_refusal(refused: Refused, prefix: str, question: Question, fields: Mapping[str, Field]) -> Fault:
    where = refused.where.removesuffix("(unknown field)").strip()
    if refused.code is Code.CATEGORY_NEEDS:
        name = _nearest(prefix + where, question, fields)
        return Fault(name, form.CATEGORY_NEEDS[question.category], refused.code)
    return _from_code(_nearest(prefix + where, question, fields), refused.code)


def _from_code(path: str, code: Code) -> Fault:
    row = REFUSALS[code]
    words = _SENTENCES.get(code) or Words(
        (row.zh + row.next_zh).rstrip("。"), f"{row.en} {row.next_en}".rstrip(".")
    )
    return Fault(path, words, code)


def _nearest(path: str, question: Question, fields: Mapping[str, Field]) -> str:
    """The field or group that a path speaks of: itself, the first one below it, or the one that holds it."""
    known = anchors(question.values, question.category)
    if path.startswith(FILES):
        return FILES
    if path in known and not (path not in fields and count(question.values, path)):
        return path
    below = [name for name in fields if name.startswith((f"{path}.", f"{path}["))]
    if below:
        return below[0]
    if path in known:
        return path
    above = re.sub(r"(\.[^.\[]+|\[\d+\])$", "", path)
    return _nearest(above, question, fields) if above and above != path else ""


_ALONE: Final = Words("“仅供参考”不能与其他请求同选", "An alert for information asks for nothing else")
_SENTENCES: Final[Mapping[Code, Words]] = {
    Code.BODY_SHAPE: Words("有一处填写不完整", "Something is not filled in"),
    Code.ID_NUMBER_INVALID: Words(
        "公民身份号码校验不通过，请核对证件", "The ID number fails its check; look at the document"
    ),
    Code.ID_NUMBER_REAL: Words(
        "演练和测试通报只能填通不过校验的号码", "Exercises and tests only hold ID numbers that fail the check"
    ),
    Code.SECRET_DOCUMENT: Words(
        "标有国家秘密的内容不能在这里传递，请走机要渠道",
        "State secrets must not travel here; use the classified channel",
    ),
    Code.NO_SUBJECT_OR_TARGET: Words("至少写明一名人员或一个目标", "Name at least one person or target"),
    Code.TOO_MANY_SUBJECTS: Words(
        "最多 20 人；本系统不传递人员名单，请按案件分别通报",
        "20 people at most; notify case by case, not by lists",
    ),
    Code.WINDOW_ORDER: Words("结束时间应晚于开始时间", "The end must come after the start"),
    Code.RETAIN_UNTIL: Words("保存期限须晚于现在，最长 3 年", "Kept until a time ahead, three years at most"),
    Code.EXPIRED: Words("有效期须晚于现在", "The alert must be valid beyond now"),
    Code.DEADLINES_ORDER: Words(
        "时限须依次晚于现在：签收、首次反馈、结果、有效期",
        "In this order, all ahead: sign by, first feedback, result, valid until",
    ),
    Code.PAPERS_MISSING: Words(
        "布控、传唤、抓捕、联合行动和凭证控制须有立案决定书和相应文书",
        "A watch, summons, arrest, joint operation or control needs an opened case and its papers",
    ),
    Code.AUDIENCE_IS_ORIGIN: Words("收件省不能是本省", "Your own province is no addressee"),
    Code.FORBIDDEN_CHARACTER: Words(
        "含有看不见的控制字符，请删去后重新输入", "An invisible control character is in it; type it anew"
    ),
}
