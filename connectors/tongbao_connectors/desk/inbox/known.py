"""What pages say beside a message's own row: looks into the tables, few queries for any number of rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from typing import Any

from django.db.models import Max

from tongbao_broker.errors import BadConfiguration, Words
from tongbao_connectors import case_rules, casework
from tongbao_connectors.authorisation import Verb, Who, decide
from tongbao_connectors.case_rules import EventKind, State
from tongbao_connectors.casework import Line
from tongbao_connectors.desk.access import thing_of, visible
from tongbao_connectors.desk.here import Desk
from tongbao_connectors.desk.inbox.rows import Known, Note, name_of, named
from tongbao_connectors.duty import board
from tongbao_connectors.duty.board import ChannelView, Escalating, OnDuty, WatchState
from tongbao_connectors.duty.channels import Channels
from tongbao_connectors.roster import Roster
from tongbao_connectors.search.index import Similar
from tongbao_connectors.store.models import Event, ExchangeHead, InboxItem, Message, Opening
from tongbao_connectors.wording import Wording
from tongbao_schemas.codes import MessageType
from tongbao_schemas.refusals import REFUSALS, Code

ESCALATIONS = 5
SENT_OUT = tuple(
    kind.value
    for kind in (
        *(EventKind.PROGRESS, EventKind.RESULT, EventKind.RETURNED, EventKind.REDIRECTED),
        *(EventKind.MORE_TIME, EventKind.ASKED, EventKind.REPLIED),
    )
)


@dataclass(frozen=True, slots=True)
class Side:
    """Beside the list, as far as the reader may see it: who is on duty in his unit, what is escalating, how
    the exchange is heard, how the channels do.
    """

    duty: OnDuty | None
    escalating: Sequence[Escalating]
    watch: WatchState
    heard: ExchangeHead | None
    channels: Sequence[ChannelView]


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the four facts: when, and by whom."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Term:
    """One due time: what, until when, from when on, and when it was met."""

    what: Words
    due: datetime
    start: datetime
    met: datetime | None


@dataclass(frozen=True, slots=True)
class Undo:
    """What the reader did last and can still take back, and until when."""

    message_id: str
    number: str
    kind: EventKind
    until: datetime


@dataclass(frozen=True, slots=True)
class Unsent:
    """What was answered here and refused or rejected on its way: which, when, why, what to do."""

    kind: MessageType
    at: datetime
    why: Words
    next_step: Words
    code: str


@dataclass(frozen=True, slots=True)
class Alike:
    """A similar message: which, why, who holds it, how far it is."""

    item: InboxItem | None
    message: Message
    reasons: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """What somebody else had signed for."""

    message_id: str
    number: str
    by: str
    at: datetime | None


def known_of(items: Sequence[InboxItem]) -> Known:
    """What a page's cards need: extracts, the alerts of follow-ups, the newest thing about what waits."""
    messages = [item.message for item in items]
    threads = {each.thread for each in messages if each.type != MessageType.ALERT}
    roots = Message.objects.filter(thread__in=threads, type=MessageType.ALERT) if threads else ()
    by_thread = {root.thread: root for root in roots}
    alerts = [each for each in messages if each.type == MessageType.ALERT]
    cards = casework.cards([*alerts, *by_thread.values()])
    waiting = [item.pk for item in items if item.state == State.WAITING.value]
    return Known(cards, by_thread, _notes(waiting) if waiting else {})


def side(who: Who, here: Desk) -> Side:
    """The boxes beside the list."""
    roster, at = here.roster(), here.now()
    seen = visible(InboxItem.objects.all(), who)
    duty = bool(decide(who, Verb.SEE_DUTY)) and who.unit in roster.units
    return Side(
        duty=board.on_duty_box(roster, who.unit, at) if duty else None,
        escalating=board.escalating(seen, roster, here.settings.routing().duty_desk, at, ESCALATIONS),
        watch=board.watch(at),
        heard=ExchangeHead.objects.first(),
        channels=_channels(here, at) if decide(who, Verb.SEE_CHANNELS) else (),
    )


def undo_of(message: Message, who: Who, at: datetime) -> Undo | None:
    """The reader's own last act on a message, as long as it can be undone."""
    last = casework.undoable(message, at)
    if last is None or last.officer_ref != who.officer_ref:
        return None
    kind = EventKind(last.kind)
    return Undo(message.message_id, message.number, kind, last.at + case_rules.UNDO_FOR)


def just_signed(message_id: str, who: Who, at: datetime) -> Undo | None:
    """The same by a message's id; None for anything but a message that he can take back."""
    message = _message(message_id)
    return undo_of(message, who, at) if message else None


def taken(message_id: str, who: Who, roster: Roster, w: Wording) -> Taken | None:
    """Who has signed for a message that the reader sees."""
    message = _message(message_id)
    item = InboxItem.objects.select_related("message").filter(message=message).first() if message else None
    if item is None or not item.claimed_by or not decide(who, Verb.SEE_MESSAGE, thing_of(item, roster)):
        return None
    by = name_of(item.claimed_by, who, roster, w)
    return Taken(item.message.message_id, item.message.number, by, item.claimed_at)


def unsent_of(message: Message) -> Unsent | None:
    """The last answer where it didn't get out and nothing was sent since."""
    lines = Event.objects.filter(message=message).order_by("pk")
    last = lines.filter(kind=EventKind.NOT_SENT.value).last()
    if last is None or lines.filter(pk__gt=last.pk, kind__in=SENT_OUT).exists():
        return None
    refusal = REFUSALS[Code(last.facts["code"])]
    why, next_step = Words(refusal.zh, refusal.en), Words(refusal.next_zh, refusal.next_en)
    return Unsent(MessageType(last.facts["type"]), last.at, why, next_step, refusal.code)


def four_facts(item: InboxItem, roster: Roster, w: Wording) -> dict[str, Fact | None]:
    """已送达 已签收 已反馈 已办结, never merged."""
    connector, origin = w.of("接入端", "connector"), w.of("发出方", "its origin")
    return {
        "delivered": Fact(item.message.stored_at, connector),
        "signed": _fact(item.claimed_at, named(item.claimed_by, roster, w)),
        "answered": _fact(item.answered_at, named(item.holder, roster, w)),
        "closed": _fact(item.closed_at, origin),
    }


def terms(item: InboxItem) -> list[Term]:
    """The due times of an alert, each with when it was met."""
    message = item.message
    due = (
        (Words("签收", "Sign for"), message.sign_by, item.claimed_at),
        (Words("首次反馈", "First answer"), message.first_feedback_by, item.first_answer_at),
        (Words("结果", "Result"), message.result_by, item.answered_at),
    )
    return [Term(what, at, message.issued_at, met) for what, at, met in due if at is not None]


def similar(found: Iterable[Similar], who: Who) -> list[Alike]:
    """Similar messages that the reader may see; own ones have no row in the inbox."""
    similars = list(found)
    keys = [each.message.pk for each in similars]
    rows = {item.pk: item for item in visible(InboxItem.objects.filter(pk__in=keys), who)}
    sees_sent = decide(who, Verb.SEE_SENT)
    return [
        Alike(rows.get(each.message.pk), each.message, each.reasons)
        for each in similars
        if each.message.pk in rows or (sees_sent and each.message.delivery_seq is None)
    ]


def named_lines(lines: Iterable[Line], roster: Roster, w: Wording) -> list[Line]:
    """A timeline with this province's officers by name."""
    return [
        replace(line, words=_both(line.words, roster, w), by=line.by and _both(line.by, roster, w))
        for line in lines
    ]


def print_style() -> str:
    """The sheet for paper, for a file that stands by itself."""
    sheet = resources.files("tongbao_connectors.desk") / "static" / "desk" / "print.css"
    return sheet.read_text(encoding="utf-8")


def _channels(here: Desk, at: datetime) -> list[ChannelView]:
    """The channels; none where their file has a mistake, which 通知 tells."""
    try:
        return board.channels(Channels.load(here.settings.folder), at)
    except BadConfiguration:
        return []


def _notes(waiting: Sequence[int]) -> dict[int, Note]:
    """Who was told last, else who looked at it last."""
    looked = Opening.objects.filter(message__in=waiting).values("message").annotate(newest=Max("pk"))
    seen = Opening.objects.filter(pk__in=[each["newest"] for each in looked])
    notes = {
        each.message_id: Note(each.at, Words("已打开，未签收", "opened it, not signed"), each.officer_ref)
        for each in seen
    }
    told = Event.objects.filter(
        message__in=waiting, kind__in=[EventKind.ESCALATED.value, EventKind.CAME_BACK.value]
    )
    for event in told.order_by("pk"):
        notes[event.message_id] = Note(event.at, _words_of(event))
    return notes


def _words_of(event: Event) -> Words:
    """What a line says in its own words, else what kind it is."""
    kind = EventKind(event.kind)
    return Words(event.facts.get("zh", kind.zh), event.facts.get("en", kind.en))


def _both(words: Words, roster: Roster, w: Wording) -> Words:
    return Words(named(words.zh, roster, w), named(words.en, roster, w))


def _fact(at: datetime | None, by: str) -> Fact | None:
    return Fact(at, by) if at else None


def _message(message_id: str) -> Message | None:
    return Message.objects.filter(message_id=message_id[:36]).first() if message_id else None
