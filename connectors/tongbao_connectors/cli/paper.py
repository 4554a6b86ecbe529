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

from tongbao_connectors import body_words, words
from tongbao_connectors.case_rules import OPEN
from tongbao_connectors.cli.typesetting import Paper, Row, Section
from tongbao_connectors.desk.inbox.letter import Change, letter_of
from tongbao_connectors.wording import Wording
from tongbao_schemas.bodies import alert, codes
from tongbao_schemas.bodies.alert import AlertBody
from tongbao_schemas.codes import Handling, MessageType, Status, Urgency

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
    item, w, body = sheet.item, sheet.w, body_words.read_alert(plain, sheet.item.category)
    sections = (
        _first_block(sheet, body),
        Section("", texts=(opening,)),
        _facts(item, body, w),
        _assessment(body, w),
        _basis(item, body, w),
        *rest,
    )
    return Paper(_head(sheet, body.title), _status(item, w), sections)


def of_letter(sheet: Sheet, plain: dict[str, Any], *, opening: str, rest: Sequence[Section]) -> Paper:
    """The paper of an answer or of what follows an alert, likewise."""
    item, w, body = sheet.item, sheet.w, letter_of(sheet.item.type, plain, sheet.w)
    author = w.of("反馈人", "By") if item.type == MessageType.ANSWER else w.of("签发人", "By")
    rows = (
        Row(author, (body.by,), STRONG),
        Row(w.of("时间", "When"), (w.clock(item.issued_at),)),
        *(Row(change.part, tuple(_change(change, w))) for change in body.changes),
        Row(w.of("来源", "Source"), tuple(_source(sheet))),
    )
    sections = (
        Section("", rows),
        Section("", texts=(opening,)),
        Section(_in_words_of(w.of("内容", "Text"), item, w), texts=(body.text,)),
        *rest,
    )
    return Paper(_head(sheet, body.verdict), _status(item, w), sections)


def _change(change: Change, w: Wording) -> Iterator[str]:
    yield change.now
    if change.was:
        yield w.of(f"原为 {change.was}", f"was {change.was}")


def closed(sheet: Sheet, *, rest: Sequence[Section]) -> Paper:
    """What may be read without opening a body."""
    sections = (Section("", (_handling(sheet.item, sheet.w),)), *rest)
    return Paper(_head(sheet, ""), _status(sheet.item, sheet.w), sections)


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
    if item.type != MessageType.ALERT or item.state not in OPEN:
        return None, "", ""
    if item.state == "waiting":
        return item.sign_by, "签收", "sign for it"
    if answered:
        return item.result_by, "反馈结果", "result"
    return item.first_feedback_by, "首次反馈", "first answer"


def _first_block(sheet: Sheet, body: AlertBody) -> Section:
    w = sheet.w
    covert = body.contact_rule is codes.ContactRule.COVERT
    asked = (body_words.asked(body, w), *body_words.asked_details(body, w))
    unknown = (w.of("未知", "unknown"),)
    dangers = tuple(body_words.dangers(body, w)) or unknown
    alarming = body_words.known_danger(body)
    phone = body.contact.duty_phone + w.note(w.of("24 小时", "24 h"))
    return Section(
        "",
        (
            Row(w.of("请你做", "Asked of you"), asked, STRONG),
            Row(
                w.of("可否惊动", "Contact rule"),
                (w.label(body.contact_rule),),
                INVERTED if covert else STRONG,
            ),
            Row(w.of("对象", "Who, what"), tuple(_things(body, w)), STRONG),
            Row(w.of("车辆", "Vehicles"), tuple(_cars(body, w)) or unknown, STRONG),
            Row(
                w.of("时间地点", "When, where"),
                (body_words.when(body, w), *body_words.where(body, w)),
                STRONG,
            ),
            Row(w.of("危险", "Danger"), dangers, ALARM if alarming else STRONG),
            Row(w.of("手续", "Papers"), tuple(_papers(body, w))),
            Row(w.of("来源", "Source"), tuple(_source(sheet))),
            Row(w.of("值班电话", "24 h phone"), (phone, body.contact.unit), STRONG),
        ),
    )


def _things(body: AlertBody, w: Wording) -> Iterator[str]:
    for thing in body_words.things(body, w):
        yield from (thing.said, *thing.notes)


def _cars(body: AlertBody, w: Wording) -> Iterator[str]:
    for car in body_words.cars(body, w):
        yield "  ".join(filter(None, (car.plate, car.description))) + (w.note(car.note) if car.note else "")


def _papers(body: AlertBody, w: Wording) -> Iterator[str]:
    found = body_words.papers(body)
    yield body_words.papers_said(found, w)
    yield w.labels(found.held)


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
            Row(w.of("法律文书", "Legal papers"), tuple(body_words.paper(paper, w) for paper in papers)),
            Row(w.of("案件", "Case"), (case.number, f"{case.unit.name}{w.note(w.label(case.unit.kind))}")),
            Row(w.of("拟稿", "Prepared by"), (body_words.by_whom(body.prepared_by),)),
            Row(w.of("审批", "Approved by"), (body_words.by_whom(body.approved_by),)),
            Row(w.of("保密审查", "Secrecy"), (body_words.secrecy(body.secrecy_review, w),)),
            Row(w.of("附件", "Attachments"), tuple(body_words.attachments(body, w)) or (w.of("无", "none"),)),
            _handling(item, w),
            Row(w.of("保存至", "Kept until"), (w.until(body.retain_until or item.expires_at),)),
        ),
    )


def _handling(item: "Item", w: Wording) -> Row:
    return Row(w.of("使用限制", "Handling"), (f"{item.handling} {Handling(item.handling).label(w.lang)}",))
