"""What a province's own desk adds to a paper: where it lies and why, who holds it, what was answered.

Units and officers of the own roster stand by name; those of other provinces by what they state themselves.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tongbao_connectors import words
from tongbao_connectors.body_words import by_whom, read_answer, verdict
from tongbao_connectors.cli.paper import Sheet
from tongbao_connectors.cli.typesetting import Row, Section
from tongbao_connectors.roster import Roster
from tongbao_connectors.wording import Wording, left
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import Stage

if TYPE_CHECKING:
    from tongbao_connectors.casework import Attached, Item
    from tongbao_connectors.trail import Event

_REGION = re.compile(r"(?<![0-9])[1-9][0-9]{5}(?![0-9])")


@dataclass(frozen=True, slots=True)
class AnswerOnFile:
    """An answer to an alert: from which province, of which kind, when; its body where it was opened."""

    message_id: str
    origin: str
    kind: str
    at: datetime
    body: dict[str, Any] | None = None
    purged: bool = False


@dataclass(frozen=True, slots=True)
class Met:
    """When what was due was done."""

    signed_at: datetime | None
    first_answer_at: datetime | None
    result_at: datetime | None


def received(sheet: Sheet, roster: Roster) -> Section:
    """How a received message stands in this province."""
    item, w = sheet.item, sheet.w
    met = Met(item.claimed_at, item.answered_at, item.answered_at)
    return _desk((*_received(item, roster, w), *_terms(item, met, w)), w)


def sent(sheet: Sheet, events: Sequence["Event"], roster: Roster) -> Section:
    """How a message of this province's own stands with its addressees."""
    item, w = sheet.item, sheet.w
    answered = _met(item, events, frozenset(AnswerKind))
    met = Met(_met(item, events, {Stage.CLAIMED}), answered, _met(item, events, {AnswerKind.RESULT}))
    return _desk((*_sent(item, events, roster, w), *_terms(item, met, w)), w)


def files(found: Sequence["Attached"], w: Wording) -> Section:
    """The files that came with a message and with what followed it, and whether they are all here."""
    return Section(w.of("附件", "Files"), tuple(Row(file.name, (_file(file, w),)) for file in found))


def _file(file: "Attached", w: Wording) -> str:
    parts = w.of(f"已到 {file.here}/{file.parts} 段", f"{file.here} of {file.parts} parts")
    later = w.of("补充附件", "sent later") if file.later else ""
    size = w.of(f"{file.size} 字节", f"{file.size} bytes") if file.size else ""
    known = (size, w.label(file.stand), parts if 0 < file.here < file.parts else "", later)
    return " · ".join(each for each in known if each)


def _desk(rows: Sequence[Row], w: Wording) -> Section:
    return Section(w.of("办理", "Where it stands"), tuple(row for row in rows if any(row.lines)))


def answers(found: Sequence[AnswerOnFile], w: Wording) -> Section:
    """What has been answered to an alert, oldest first."""
    rows = tuple(Row(words.place(each.origin, w.lang), tuple(_answer(each, w)), "bold") for each in found)
    none = () if rows else (w.of("尚无反馈", "no answer so far"),)
    return Section(w.of("反馈", "Answers"), rows, none)


def _received(item: "Item", roster: Roster, w: Wording) -> Iterator[Row]:
    unit = roster.units.get(item.unit)
    yield Row(w.of("状态", "State"), (words.state(item.state, w.lang, item.type),), "bold")
    yield Row(w.of("单位", "Unit"), (unit.name if unit else item.unit,))
    yield Row(w.of("责任人", "Accountable"), (_officer(item.officer_ref, roster),))
    yield Row(w.of("签收人", "Signed for by"), tuple(_claimed(item, roster, w)))
    yield Row(w.of("分派理由", "Why here"), tuple(_with_names(step[w.lang], w) for step in item.steps))
    yield Row(w.of("收到", "Received"), (w.clock(item.received_at),))


def _sent(item: "Item", events: Sequence["Event"], roster: Roster, w: Wording) -> Iterator[Row]:
    yield Row(w.of("状态", "State"), (words.state(item.state, w.lang, item.type),), "bold")
    yield Row(w.of("发出人", "Sent by"), (_officer(item.officer_ref, roster),))
    yield Row(w.of("发出", "Sent"), (w.clock(item.issued_at),))
    for code in item.audience:
        there = [event for event in events if event.place == code]
        reached = tuple(_reached(event, w) for event in there) or (w.of("尚无回执", "nothing back yet"),)
        yield Row(words.place(code, w.lang), reached)


def _reached(event: "Event", w: Wording) -> str:
    by = f" · {event.by}" if event.by else ""
    return f"{words.stage(event.stage, w.lang)} · {w.clock(event.at)}{by}"


def _met(item: "Item", events: Sequence["Event"], stages: Collection[str]) -> datetime | None:
    """When the last of all addressees reached one of these stages; None while one of them hasn't."""
    first: dict[str, datetime] = {}
    for event in events:
        if event.stage in stages:
            first.setdefault(event.place, event.at)
    reached = [first.get(code) for code in item.audience]
    times = [at for at in reached if at is not None]
    return max(times) if len(times) == len(reached) else None


def _terms(item: "Item", met: Met, w: Wording) -> Iterator[Row]:
    dues = (
        (w.of("签收期限", "Sign by"), item.sign_by, met.signed_at),
        (w.of("首次反馈", "First answer by"), item.first_feedback_by, met.first_answer_at),
        (w.of("反馈期限", "Result by"), item.result_by, met.result_at),
    )
    yield from (Row(label, (_due(due, met, w),)) for label, due, met in dues if due)
    yield Row(w.of("有效至", "Valid until"), (w.until(item.expires_at),))
    yield Row(w.of("消息", "Message"), (item.message_id,))


def _due(due: datetime, met: datetime | None, w: Wording) -> str:
    if met is None:
        return w.until(due)
    return f"{w.clock(due)}{w.note(w.of('按时', 'in time') if met <= due else left(due, met, w.lang))}"


def _claimed(item: "Item", roster: Roster, w: Wording) -> Iterator[str]:
    if item.claimed_by and item.claimed_at:
        yield f"{_officer(item.claimed_by, roster)} · {w.clock(item.claimed_at)}"


def _officer(officer_ref: str, roster: Roster) -> str:
    officer = roster.officers.get(officer_ref)
    return f"{officer_ref} {officer.name}" if officer else officer_ref


def _with_names(step: str, w: Wording) -> str:
    return _REGION.sub(lambda code: w.code_and_name(code[0]), step)


def _answer(found: AnswerOnFile, w: Wording) -> Iterator[str]:
    if found.body is None:
        yield f"{words.answer_kind(found.kind, w.lang)} · {w.clock(found.at)}"
        yield w.of("正文已销毁", "its text was purged") if found.purged else w.of("正文未打开", "not opened")
        return
    body = read_answer(found.body)
    yield f"{verdict(body, w)} · {w.clock(found.at)} · {by_whom(body.by)}"
    yield body.text
