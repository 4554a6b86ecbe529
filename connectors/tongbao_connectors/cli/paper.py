"""What an officer reads: an alert or an answer as an official paper, in words.

1. The answer before the document. The first block says, in this order: level and time left, what is asked,
   whether the person may notice, who and what, vehicles, when and where, danger, papers, source, the 24 h
   telephone. What is unknown is said to be unknown, never left out.
2. Facts and assessment are two sections, and the assessment is marked as inference in every line.
3. Whether it is 演练, 测试 or 正式 stands in the head and in every heading.
4. Coded values stand in words, regions by name with the code behind, times in Beijing time. Plates, numbers
   and what a province wrote stand as they are. Digests of documents are left to `--json`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tongbao_connectors.cli import words
from tongbao_connectors.cli.typesetting import Paper, Row, Section
from tongbao_connectors.cli.wording import Wording
from tongbao_schemas.bodies import alert, answer, codes
from tongbao_schemas.bodies.alert import ALERT_BODIES, AlertBody, Place, Subject
from tongbao_schemas.bodies.answer import ANSWER, AnyAnswer
from tongbao_schemas.codes import Category, Handling, MessageType, Status, Urgency
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.header import By
from tongbao_schemas.identity import id_number_ok
from tongbao_schemas.refusals import Code

if TYPE_CHECKING:
    from tongbao_connectors.casework import Item

CHEVRONS = {Urgency.FLASH: "^^^", Urgency.URGENT: "^^", Urgency.ROUTINE: "^"}
LEVEL_STYLES = {Urgency.FLASH: "bold white on red", Urgency.URGENT: "bold black on yellow"}
STATUS_STYLES = {Status.EXERCISE: "bold magenta", Status.TEST: "dim", Status.ACTUAL: "reverse bold"}
ALARM = "bold red"
STRONG = "bold"
INVERTED = "reverse bold"
MARGIN_OF_ASSESSMENT = "║ "


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of where a paper comes from: `own` was written here.

    `index` and `admitted_at` are its entry in the log where that is proved.
    """

    own: bool
    index: int | None = None
    admitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A message for one reader at one moment; `answered`: a first answer to it has been given."""

    item: "Item"
    source: Source
    answered: bool
    w: Wording


def of_alert(sheet: Sheet, plain: dict[str, Any], *, opening: str, rest: Sequence[Section]) -> Paper:
    """The paper of an alert with the body `plain`; raises Refused if that is none.

    `opening` is the line about who opened it, `rest` follows the alert itself.
    """
    item, w, body = sheet.item, sheet.w, read_alert(plain, sheet.item.category)
    sections = (
        _first_block(sheet, body),
        Section("", texts=(opening,)),
        _facts(item, body, w),
        _assessment(body, w),
        _basis(item, body, w),
        *rest,
    )
    return Paper(_head(sheet, body.title), _status(item, w), sections)


def of_answer(sheet: Sheet, plain: dict[str, Any], *, opening: str, rest: Sequence[Section]) -> Paper:
    """The paper of an answer, likewise."""
    item, w, body = sheet.item, sheet.w, read_answer(plain)
    rows = (
        Row(w.of("反馈人", "By"), (by_whom(body.by),), STRONG),
        Row(w.of("时间", "When"), (w.clock(item.issued_at),)),
        Row(w.of("来源", "Source"), tuple(_source(sheet))),
    )
    sections = (
        Section("", rows),
        Section("", texts=(opening,)),
        Section(_in_words_of(w.of("内容", "Text"), item, w), texts=(body.text,)),
        *rest,
    )
    return Paper(_head(sheet, verdict(body, w)), _status(item, w), sections)


def closed(sheet: Sheet, *, rest: Sequence[Section]) -> Paper:
    """What may be read without opening a body."""
    sections = (Section("", (_handling(sheet.item, sheet.w),)), *rest)
    return Paper(_head(sheet, ""), _status(sheet.item, sheet.w), sections)


def read_alert(plain: dict[str, Any], category: str) -> AlertBody:
    """The model of a stored body, which passed its rules when it came; raises Refused."""
    return ALERT_BODIES[Category(category)].read(compact_json(plain), refuse_as=Code.BODY_SHAPE)


def read_answer(plain: dict[str, Any]) -> AnyAnswer:
    """The same of an answer."""
    return ANSWER.validate_json(compact_json(plain))


def _head(sheet: Sheet, title: str) -> tuple[tuple[str, str], ...]:
    item, w = sheet.item, sheet.w
    level = Urgency(item.urgency)
    addressees = w.listed(words.place(code, w.lang) for code in item.audience)
    way = f"{words.place(item.origin, w.lang)} → {addressees}"
    kind = MessageType(item.type).label(w.lang)
    lines = (
        (
            f"{CHEVRONS[level]} {w.label(level)}  {_pressing(sheet)}".rstrip(),
            LEVEL_STYLES.get(level, STRONG),
        ),
        (_status_line(item, w), STATUS_STYLES[Status(item.status)]),
        (title, STRONG),
        (f"{kind} {item.number} · {way} · {words.category(item.category, w.lang)}", ""),
    )
    return tuple(line for line in lines if line[0])


def _status(item: "Item", w: Wording) -> str:
    return Status(item.status).label(w.lang)


def _status_line(item: "Item", w: Wording) -> str:
    said = {
        Status.EXERCISE: w.of("不得据此采取真实行动", " no real action may follow from it"),
        Status.TEST: w.of("不办理", " nothing is to be done"),
    }.get(Status(item.status), "")
    expired = w.of("  【已过期】", "  [EXPIRED]") if item.expired or item.expires_at <= w.now else ""
    return w.of("【{}】", "[{}]").format(_status(item, w)) + said + expired


def _pressing(sheet: Sheet) -> str:
    """The next thing that is due of the reader and how long he has for it; else how far it has got."""
    item, w = sheet.item, sheet.w
    due, zh, en = _next_due(item, sheet.answered)
    if due is None:
        return words.state(item.state, w.lang, item.type)
    return w.of(f"{w.remaining(due)}  {w.clock(due)} 前{zh}", f"{w.remaining(due)}  {en} by {w.clock(due)}")


def _next_due(item: "Item", answered: bool) -> tuple[datetime | None, str, str]:
    if item.type != MessageType.ALERT or item.state not in ("waiting", "claimed"):
        return None, "", ""
    if item.state == "waiting":
        return item.sign_by, "签收", "sign for it"
    if answered:
        return item.result_by, "反馈结果", "result"
    return item.first_feedback_by, "首次反馈", "first answer"


def _first_block(sheet: Sheet, body: AlertBody) -> Section:
    w = sheet.w
    dangers = tuple(_dangers(body, w))
    covert = body.contact_rule is codes.ContactRule.COVERT
    papers = tuple(_papers(body, w))
    unknown = (w.of("未知", "unknown"),)
    return Section(
        "",
        (
            Row(w.of("请你做", "Asked of you"), tuple(_asked(body, w)), STRONG),
            Row(
                w.of("可否惊动", "Contact rule"),
                (w.label(body.contact_rule),),
                INVERTED if covert else STRONG,
            ),
            Row(w.of("对象", "Who, what"), tuple(_objects(body, w)), STRONG),
            Row(w.of("车辆", "Vehicles"), tuple(_vehicles(body, w)) or unknown, STRONG),
            Row(w.of("时间地点", "When, where"), tuple(_when_where(body, w)), STRONG),
            Row(w.of("危险", "Danger"), dangers or unknown, ALARM if _known_danger(body) else STRONG),
            Row(w.of("手续", "Papers"), papers),
            Row(w.of("来源", "Source"), tuple(_source(sheet))),
            Row(
                w.of("值班电话", "24 h phone"),
                (body.contact.duty_phone + w.note(w.of("24 小时", "24 h")), body.contact.unit),
                STRONG,
            ),
        ),
    )


def _asked(body: AlertBody, w: Wording) -> Iterator[str]:
    yield w.labels(body.request.actions)
    if body.request.detail:
        yield body.request.detail
    if body.watch:
        period = w.period(body.watch.start, body.watch.until)
        left = f"{w.of('，', ', ')}{w.remaining(body.watch.until)}" if body.watch.until > w.now else ""
        yield w.named("布控", "Watch", period + left)
        yield w.named("命中后", "On a hit:", w.label(body.watch.on_hit))
    if body.operation:
        yield from _operation(body.operation, w)


def _operation(operation: alert.Operation, w: Wording) -> Iterator[str]:
    lead = words.place(operation.lead, w.lang)
    others = w.listed(words.place(code, w.lang) for code in operation.participants)
    name = operation.code_name
    yield w.of(
        f"联合行动 {name}：{lead}牵头，{others}参战", f"Joint operation {name}: led by {lead}, with {others}"
    )
    yield w.of(f"{w.until(operation.not_before)} 之前不得先动", f"Not before {w.until(operation.not_before)}")


def _objects(body: AlertBody, w: Wording) -> Iterator[str]:
    targets = [target for target in body.targets if not isinstance(target, alert.Vehicle)]
    if not body.subjects and not targets:
        yield w.of("未知", "unknown")
    for subject in body.subjects:
        yield from _subject(subject, w)
    yield from (_target(target, w) for target in targets)
    yield from _of_category(body, w)
    for substance in body.substances:
        yield w.named("物品", "Substance:", _substance(substance, w))


def _subject(subject: Subject, w: Wording) -> Iterator[str]:
    birth = (w.age(subject.birth_date),) if subject.birth_date else ()
    role = _role(subject.role, w)
    measure = w.of(subject.measure.zh, f"measure: {subject.measure.en.lower()}")
    yield " · ".join((subject.name, w.label(subject.sex), *birth, role, measure))
    person = " · ".join(_person(subject, w))
    if person:
        yield person
    if subject.id_document:
        yield _document(subject.id_document, w)
    if subject.phones:
        yield w.named("电话", "phone", w.listed(subject.phones))


def _role(role: codes.Role, w: Wording) -> str:
    if role is codes.Role.UNKNOWN:
        return w.of("角色不详", "role unknown")
    return w.of(f"嫌疑角色 {role.zh}", f"suspected role: {role.en.lower()}")


def _person(subject: Subject, w: Wording) -> Iterator[str]:
    if subject.aliases:
        yield w.named("又名", "alias", w.listed(subject.aliases))
    if subject.birth_date:
        yield w.of(f"{subject.birth_date} 出生", f"born {subject.birth_date}")
    if subject.nationality:
        yield w.named("国籍", "nationality", subject.nationality)


def _document(document: alert.IdDocument, w: Wording) -> str:
    wrong = document.kind is codes.IdDocumentKind.ID_CARD and not id_number_ok(document.number)
    note = w.note(w.of("无效号", "no valid number")) if wrong else ""
    return f"{w.label(document.kind)} {document.number}{note}"


def _target(target: alert.Parcel | alert.Account | alert.Site | alert.Chemical, w: Wording) -> str:
    match target:
        case alert.Parcel():
            said = f"{target.carrier} {target.number}"
        case alert.Account():
            said = f"{target.platform} {target.account}"
        case alert.Site():
            said = target.description
        case alert.Chemical():
            said = f"{_substance(target, w)} · {target.description}"
    return f"{w.label(target.kind)}{w.of(' ', ': ')}{said}"


def _of_category(body: AlertBody, w: Wording) -> Iterator[str]:
    """Who and what a category names of its own."""
    if isinstance(body, alert.Precursor):
        if body.firm:
            yield w.named("企业", "Firm:", body.firm)
        if body.permit:
            yield w.named("许可证", "Permit:", body.permit)
    if isinstance(body, alert.StreetDealing):
        yield w.named("上线线索", "Lead upwards:", body.upstream_lead)
    if isinstance(body, alert.OutboundTrafficking) and body.suspected_role not in _roles(body):
        yield w.named("本案", "In this case:", _role(body.suspected_role, w))


def _roles(body: AlertBody) -> set[codes.Role]:
    """What need not be said again of the whole case."""
    return {codes.Role.UNKNOWN, *(subject.role for subject in body.subjects)}


def _substance(substance: alert.CodedSubstance, w: Wording) -> str:
    name = w.label(substance.substance)
    if substance.name:
        name += w.note(substance.name)
    quantity = substance.quantity
    return f"{name} {quantity.amount} {_unit(quantity, w)}" if quantity else name


def _unit(quantity: alert.Quantity, w: Wording) -> str:
    return w.label(quantity.unit) if w.lang == "zh" else quantity.unit.en.lower()


def _vehicles(body: AlertBody, w: Wording) -> Iterator[str]:
    for subject in body.subjects:
        for car in subject.vehicles:
            yield _car(car, w) + (w.note(subject.name) if len(body.subjects) > 1 else "")
    for target in body.targets:
        if isinstance(target, alert.Vehicle):
            yield _car(target, w) + w.note(w.of("驾驶人不详", "driver unknown"))


def _car(car: alert.CarOfSubject | alert.Vehicle, w: Wording) -> str:
    return f"{car.plate}  {car.description}" if car.description else car.plate


def _when_where(body: AlertBody, w: Wording) -> Iterator[str]:
    window = body.movement.window if body.movement else None
    yield w.period(window.start, window.until) if window else w.of("时间未知", "time unknown")
    places = [*_movement(body, w), *_places(body, w), *_transport(body, w)]
    yield from places or [w.of("地点未知", "place unknown")]


def _movement(body: AlertBody, w: Wording) -> Iterator[str]:
    movement = body.movement
    if movement is None:
        return
    on = movement.window.start if movement.window else None
    origin = _place(movement.origin, w, on) if movement.origin else w.of("起点未知", "start unknown")
    via = w.of(f"，经{movement.via}", f", via {movement.via}") if movement.via else ""
    yield f"{origin} → {_place(movement.to, w, on)}{via}"


def _places(body: AlertBody, w: Wording) -> Iterator[str]:
    if isinstance(body, alert.OutboundTrafficking):
        yield from (w.named("流入地", "Destination:", _place(place, w)) for place in body.to_places)
    if isinstance(body, alert.StreetDealing):
        yield w.named("贩卖地点", "Dealt at:", _place(body.place, w))
    for _, place in body.site_places():
        yield w.named("场所", "Site:", _place(place, w))


def _transport(body: AlertBody, w: Wording) -> Iterator[str]:
    if not isinstance(body, alert.Interdiction):
        return
    yield w.named("方式", "By:", w.label(body.mode))
    if body.checkpoint:
        yield w.named("检查站", "Checkpoint:", body.checkpoint)
    if body.route:
        yield w.named("路线", "Route:", body.route)


def _place(place: Place, w: Wording, on: datetime | None = None) -> str:
    region = w.region(place.region, on)
    return f"{region}{w.of('', ' ')}{place.address}" if place.address else region


def _dangers(body: AlertBody, w: Wording) -> Iterator[str]:
    for subject in body.subjects:
        said = w.labels(subject.danger)
        yield f"{subject.name}{w.of('：', ': ')}{said}" if len(body.subjects) > 1 else said


def _known_danger(body: AlertBody) -> bool:
    return any(danger is not codes.Danger.UNKNOWN for subject in body.subjects for danger in subject.danger)


def _papers(body: AlertBody, w: Wording) -> Iterator[str]:
    papers = body.request.papers
    kinds = {paper.kind for paper in papers}
    needed = [choice for action in body.request.actions for choice in codes.PAPERS_NEEDED[action]]
    missing = dict.fromkeys(choice for choice in needed if not kinds & choice)
    if missing:
        either = (w.of("或", " or ").join(w.label(kind) for kind in sorted(choice)) for choice in missing)
        yield w.of("不齐，缺 ", "incomplete, lacking ") + w.listed(either)
    else:
        yield w.of(f"齐全，{len(papers) + 1} 份", f"complete, {len(papers) + 1}")
    yield w.labels([body.legal_basis.kind, *(paper.kind for paper in papers)])


def _source(sheet: Sheet) -> Iterator[str]:
    item, source, w = sheet.item, sheet.source, sheet.w
    origin = words.place(item.origin, w.lang)
    if source.own:
        yield w.of("本省发出", "sent by this province")
    else:
        yield w.of(f"来源可信：{origin}签名有效", f"verified: signed by {origin}")
    if source.index is None or source.admitted_at is None:
        yield w.of("登记证明未到", "proof of entry not here yet")
    else:
        entered = w.clock(source.admitted_at)
        yield w.of(
            f"{entered} 登记，账本第 {source.index} 条，证明有效",
            f"entered {entered} as leaf {source.index}, proof verified",
        )


def _in_words_of(heading: str, item: "Item", w: Wording) -> str:
    """A heading; in English it says whose words follow in Chinese."""
    origin = words.place(item.origin, w.lang)
    return w.of(heading, f"{heading} (as written by {origin})")


def _facts(item: "Item", body: AlertBody, w: Wording) -> Section:
    lead = Row(w.of("线索来源", "Lead from"), (w.label(body.lead_source),))
    return Section(_in_words_of(w.of("事实", "Facts"), item, w), (lead,), (body.facts,))


def _assessment(body: AlertBody, w: Wording) -> Section:
    grading = body.grading
    source = f"{grading.source} {w.label(grading.source)}"
    information = f"{grading.information} {w.label(grading.information)}"
    rows = (
        Row(w.of("来源分级", "Source"), (source,)),
        Row(w.of("情报分级", "Information"), (information,)),
    )
    text = body.assessment or w.of("未作研判", "none was made")
    heading = w.of("研判　推断，不是事实", "Assessment: inference, not fact")
    return Section(heading, rows, (text,), MARGIN_OF_ASSESSMENT)


def _basis(item: "Item", body: AlertBody, w: Wording) -> Section:
    case = body.case
    papers: tuple[alert.LegalBasis | alert.Paper, ...] = (body.legal_basis, *body.request.papers)
    return Section(
        w.of("依据与责任", "Basis and responsibility"),
        (
            Row(w.of("法律文书", "Legal papers"), tuple(_paper(paper, w) for paper in papers)),
            Row(w.of("案件", "Case"), (case.number, f"{case.unit.name}{w.note(w.label(case.unit.kind))}")),
            Row(w.of("拟稿", "Prepared by"), (by_whom(body.prepared_by),)),
            Row(w.of("审批", "Approved by"), (by_whom(body.approved_by),)),
            Row(w.of("保密审查", "Secrecy"), (_secrecy(body.secrecy_review, w),)),
            Row(w.of("附件", "Attachments"), tuple(_attachments(body, w)) or (w.of("无", "none"),)),
            _handling(item, w),
            Row(w.of("保存至", "Kept until"), (w.until(body.retain_until or item.expires_at),)),
        ),
    )


def _handling(item: "Item", w: Wording) -> Row:
    return Row(w.of("使用限制", "Handling"), (f"{item.handling} {Handling(item.handling).label(w.lang)}",))


def _paper(paper: alert.LegalBasis | alert.Paper, w: Wording) -> str:
    return f"{w.label(paper.kind)} {paper.number}{_marking(paper.marking, w)}"


def _marking(marking: codes.Marking, w: Wording) -> str:
    return "" if marking is codes.Marking.NONE else w.note(w.label(marking))


def _secrecy(review: alert.SecrecyReview, w: Wording) -> str:
    return f"{w.label(review.result)} · {review.officer}"


def _attachments(body: AlertBody, w: Wording) -> Iterator[str]:
    for note in body.attachments:
        size = w.of(f"{note.size} 字节", f"{note.size} bytes")
        yield f"{note.name} · {size}{_marking(note.marking, w)}"


def by_whom(by: By) -> str:
    """An officer by reference and unit."""
    return f"{by.officer_ref} {by.unit}"


def verdict(body: AnyAnswer, w: Wording) -> str:
    """What an answer comes to: 反馈：查证属实."""
    kind, colon = w.label(body.kind), w.of("：", ": ")
    match body:
        case answer.Result():
            return f"{kind}{colon}{w.label(body.outcome)}"
        case answer.Returned():
            return f"{kind}{colon}{w.label(body.ground)}"
        case answer.Redirect():
            return f"{kind}{colon}{words.place(body.to, w.lang)}"
        case answer.MoreTime():
            return f"{kind}{w.of('至 ', ' until ')}{w.until(body.until)}"
        case _:
            return kind
