"""The timeline of a message: everything that is known of it here, newest first.

1. It is put together from what is kept: the entry in the log, the acts of this province's officers and its
   desk (`Event`), the stages that others report, openings, and what else was said in the thread.
2. Nothing vanishes: a correction is a line of its own.
3. A line says what happened in references, codes and times; nothing of a body.
4. Readings by one person in a row are one line that says how many.
5. A line that brings its own words (`facts["zh"]`, `facts["en"]`) is shown with them.
6. Who follows a thread with one province only is shown the lines about that province and those about no
   other one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from tongbao_broker.errors import Words
from tongbao_connectors import finding
from tongbao_connectors.authorisation import AUTOMATIC
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.routing import OUR_RULES
from tongbao_connectors.store.models import (
    Draft,
    Event,
    InboxItem,
    Message,
    Notice,
    Opening,
    Outbox,
    StageReport,
)
from tongbao_schemas.bodies.codes import AnswerKind, CancelGround, ClosureOutcome, Outcome, ReturnGround
from tongbao_schemas.codes import PEOPLES_TYPES, Labelled, MessageType, NoticeKind, Relation, Stage
from tongbao_schemas.encoding import parse_time
from tongbao_schemas.number import PROVINCES

SYSTEM: Final = "system"
PERSON: Final = "person"
ENTRY: Final = "entry"
FAULT: Final = "fault"
FAILED: Final = "failed"
OWN: Final = "own"
"""How a line's point is drawn; `own` is known to this province only."""

_POINTS: Final[Mapping[EventKind, str]] = MappingProxyType(
    {
        EventKind.ROUTED: SYSTEM,
        EventKind.NOTIFIED: SYSTEM,
        EventKind.SUPPRESSED: SYSTEM,
        EventKind.ESCALATED: FAULT,
        EventKind.CAME_BACK: FAULT,
        EventKind.CHANNEL_FAILED: FAILED,
        EventKind.NOT_SENT: FAILED,
        EventKind.TAKEN_BY_PHONE: OWN,
        EventKind.REMINDED_SELF: OWN,
        EventKind.COMMENTED: OWN,
        EventKind.PRINTED: OWN,
        EventKind.EXPORTED: OWN,
        EventKind.FILE_OPENED: OWN,
    }
)
_BY_NOBODY: Final = frozenset({Stage.DELIVERED, Stage.ROUTED, Stage.LIFTED, Stage.PURGED})
_GROUNDS: Final[Mapping[EventKind, tuple[str, type[Labelled]]]] = MappingProxyType(
    {
        EventKind.RESULT: ("outcome", Outcome),
        EventKind.RETURNED: ("ground", ReturnGround),
        EventKind.CLOSED: ("outcome", ClosureOutcome),
        EventKind.CANCELLED: ("ground", CancelGround),
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: when, how its point is drawn, of which kind, in words, and by whom.

    `about` are the provinces that it is about; none: it is about no particular one.
    """

    at: datetime
    point: str
    kind: str
    words: Words
    by: Words | None = None
    about: frozenset[str] = frozenset()


def timeline(reference: str, *, only: Collection[str] = ()) -> list[Line]:
    """All lines of a message, newest first, or those about the provinces in `only`; raises NotFound."""
    message = finding.message(reference)
    lines = [
        *_way(message),
        *_events(message),
        *_stages(message),
        *_openings(message),
        *_others(message),
    ]
    seen = [line for line in lines if not (only and line.about) or line.about & set(only)]
    return list(_gathered(sorted(seen, key=lambda line: line.at)[::-1]))


def _gathered(lines: Sequence[Line]) -> Iterator[Line]:
    """Readings by one person with nothing between them are one line, with their number and the last time."""
    for reading, same in groupby(lines, key=_reading):
        several = list(same)
        if reading is None:
            yield from several
        elif len(several) == 1:
            yield several[0]
        else:
            words, count = several[0].words, len(several)
            yield replace(several[0], words=Words(f"{words.zh}，{count} 次", f"{words.en}, {count} times"))


def _reading(line: Line) -> tuple[str, str] | None:
    """Who read, and for what; None for all other lines."""
    if line.kind not in ("opened", Stage.READ):
        return None
    return line.words.zh, line.by.zh if line.by else ""


def _way(message: Message) -> Iterator[Line]:
    """How it came to be and came here."""
    outbox = Outbox.objects.filter(message=message).first()
    draft = Draft.objects.filter(message_id=message.message_id).first() if outbox else None
    if draft is not None:
        yield Line(
            draft.submitted_at, PERSON, "drafted", Words("交接入端发出", "Handed in"), _by(draft.submitted_by)
        )
        yield from _source(message)
    where = _place(message.origin)
    signed = Words(f"{where.zh}签名加密", f"Signed and sealed by {where.en}")
    yield Line(message.issued_at, SYSTEM, "issued", signed)
    yield from _entry(message)
    if outbox is None:
        yield Line(message.stored_at, SYSTEM, "received", Words("收到并通过校验", "Received and verified"))
        yield from _routed(message)
    elif outbox.state == Outbox.State.REJECTED and outbox.settled_at is not None:
        words = Words(f"未予登记（{outbox.code}）", f"Rejected by the exchange ({outbox.code})")
        yield Line(outbox.settled_at, FAILED, str(NoticeKind.REJECTED), words)


def _source(message: Message) -> Iterator[Line]:
    """Out of which own alert it was drafted."""
    kinds = (EventKind.REISSUED.value, EventKind.SENT_AGAIN.value)
    told = Event.objects.filter(kind__in=kinds, facts__message_id=message.message_id)
    for event in told.select_related("message"):
        old, kind = event.message.number, EventKind(event.kind)
        words = Words(f"由 {old} {kind.zh}", f"{kind.en}, from {old}")
        yield Line(event.at, PERSON, event.kind, words, _by(event.officer_ref))


def _entry(message: Message) -> Iterator[Line]:
    at, index = message.admitted_at, message.leaf_index
    if at is None:
        kind = str(NoticeKind.ADMITTED)
        notice = Notice.objects.filter(of=message.message_id, digest=message.digest, kind=kind).first()
        at, index = (notice.at, notice.index) if notice else (None, None)
    if at is not None:
        words = Words(f"交换中心登记，账本第 {index} 条", f"Entered in the log, leaf {index}")
        yield Line(at, ENTRY, str(NoticeKind.ADMITTED), words)


def _routed(message: Message) -> Iterator[Line]:
    item = InboxItem.objects.filter(message=message).first()
    if item is None:
        return
    report = StageReport.objects.filter(of=message.message_id, place="", stage=str(Stage.ROUTED)).first()
    first = report.officer_ref if report else item.officer_ref
    rule = OUR_RULES.get(item.rule, Words(item.rule, item.rule))
    words = Words(f"分派：责任人 {first}（{rule.zh}）", f"Routed to {first} ({rule.en})")
    yield Line(item.routed_at, SYSTEM, str(EventKind.ROUTED), words)


def _events(message: Message) -> Iterator[Line]:
    for event in Event.objects.filter(message=message):
        kind = EventKind(event.kind)
        point = _POINTS.get(kind, PERSON if event.officer_ref or "origin" in event.facts else SYSTEM)
        yield Line(event.at, point, event.kind, _said(kind, event.facts), _actor(event), _about(event))


def _about(event: Event) -> frozenset[str]:
    """The provinces that an event names: where it is from, whom it went to, who was called or is followed."""
    if event.kind == EventKind.REPLIED and "to" in event.facts:
        asked = Message.objects.filter(message_id=event.facts["to"]).first()
        return frozenset([asked.origin] if asked else [])
    named = [event.facts.get(name, ()) for name in ("origin", "place", "to", "host")]
    codes = {code for each in named for code in ([each] if isinstance(each, str) else each)}
    return frozenset(codes & PROVINCES.keys())


def _said(kind: EventKind, facts: Mapping[str, Any]) -> Words:
    if "zh" in facts and "en" in facts:
        return Words(str(facts["zh"]), str(facts["en"]))
    detail = _detail(kind, facts)
    return Words(f"{kind.zh}{detail.zh}", f"{kind.en}{detail.en}")


def _detail(kind: EventKind, facts: Mapping[str, Any]) -> Words:
    """What an event's facts add to its kind."""
    if kind in _GROUNDS and _GROUNDS[kind][0] in facts:
        name, values = _GROUNDS[kind]
        value = values(facts[name])
        return Words(f"：{value.zh}", f": {value.en}")
    match kind:
        case EventKind.ASSIGNED:
            return Words(f" → {facts['to']}", f" to {facts['to']}")
        case EventKind.REDIRECTED:
            there = _place(str(facts["to"]))
            return Words(f" → {there.zh}", f" to {there.en}")
        case EventKind.REISSUED | EventKind.SENT_AGAIN:
            named = [_place(str(code)) for code in facts["to"]]
            zh, en = "、".join(each.zh for each in named), ", ".join(each.en for each in named)
            return Words(f" → {zh}", f" to {en}")
        case EventKind.MORE_TIME:
            until = _clock(facts["until"])
            return Words(f"至 {until}", f" until {until}")
        case EventKind.REMINDED_SELF:
            return Words(f"：{_clock(facts['when'])}", f" for {_clock(facts['when'])}")
        case EventKind.NOT_SENT:
            what = MessageType(facts["type"])
            return Words(f"：{what.zh}（{facts['code']}）", f": {what.en} ({facts['code']})")
        case EventKind.FILE_OPENED:
            return Words(f" {facts['file']}…", f" {facts['file']}…")
        case EventKind.CAME_BACK:
            return Words(f"（原由 {facts['held_by']} 签收）", f" (it was {facts['held_by']}'s)")
        case EventKind.COMMENTED:
            return Words(f"：{facts['text']}", f": {facts['text']}")
        case EventKind.TAKEN_BY_PHONE:
            there = _place(facts["place"]) if "place" in facts else Words("", "")
            return Words(
                f"：{there.zh}{facts['other']}", f": {there.en} {facts['other']}".replace(":  ", ": ")
            )
        case _:
            return Words("", "")


def _actor(event: Event) -> Words | None:
    if event.officer_ref:
        return _by(event.officer_ref)
    return _place(event.facts["origin"]) if "origin" in event.facts else None


def _stages(message: Message) -> Iterator[Line]:
    """What addressees report of an own message."""
    reports = StageReport.objects.filter(of=message.message_id, digest=message.digest).exclude(place="")
    for report in reports:
        stage, where = Stage(report.stage), _place(report.place)
        point = FAILED if stage is Stage.REFUSED else SYSTEM if stage in _BY_NOBODY else PERSON
        code = Words(f"（{report.code}）", f" ({report.code})") if report.code else Words("", "")
        words = Words(f"{where.zh}{stage.zh}{code.zh}", f"{where.en}: {stage.en}{code.en}")
        by = _by(report.officer_ref, report.unit) if report.officer_ref else None
        yield Line(report.at, point, report.stage, words, by, frozenset({report.place}))


def _openings(message: Message) -> Iterator[Line]:
    for opening in Opening.objects.filter(message=message):
        why = AUTOMATIC.get(opening.why, Words(opening.why, opening.why))
        words = Words(f"查阅正文：{why.zh}", f"Body opened: {why.en}")
        yield Line(
            opening.at,
            OWN if message.delivery_seq is None else PERSON,
            "opened",
            words,
            _by(opening.officer_ref),
        )


def _others(message: Message) -> Iterator[Line]:
    """What else was said in the alert's thread, unless a line of this province's own tells of it."""
    if message.type != MessageType.ALERT:
        return
    told = {event.facts.get("message_id") for event in Event.objects.filter(message=message)}
    kinds = [str(kind) for kind in PEOPLES_TYPES - {MessageType.ATTACHMENT}]
    for other in Message.objects.filter(thread=message.thread, type__in=kinds).exclude(pk=message.pk):
        if other.message_id not in told:
            where, what = _place(other.origin), _what(other)
            words = Words(f"{where.zh}{what.zh}", f"{where.en}: {what.en}")
            own = other.delivery_seq is None
            about = frozenset(other.audience_codes if own else {other.origin})
            yield Line(other.admitted_at or other.issued_at, PERSON, other.type, words, about=about)


def _what(message: Message) -> Labelled:
    if message.answer_kind:
        return AnswerKind(message.answer_kind)
    corrects = message.type == MessageType.UPDATE and message.references.filter(
        relation=str(Relation.CORRECTS)
    )
    return Relation.CORRECTS if corrects else MessageType(message.type)


def _by(officer_ref: str, unit: str = "") -> Words:
    name = f"{unit} {officer_ref}".strip()
    return Words(name, name)


def _place(code: str) -> Words:
    province = PROVINCES.get(code)
    return Words(province.zh, province.en) if province else Words(code, code)


def _clock(time: str) -> str:
    return f"{parse_time(time).astimezone(BEIJING):%m-%d %H:%M}"
