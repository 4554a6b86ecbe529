"""A message of the inbox as a card: pure, from what the tables and the fixed extract of its body say.

1. Every card says its level, whether it is an exercise, what kind it is, its number and where it is from.
2. It says what is asked, whether the person may notice, and why it came to this reader.
3. It says who holds it, or that nobody does, and since when.
4. What isn't an alert has no extract of its own: it bears the title of the alert that it belongs to.
5. Only an alert that waits and hasn't expired can be signed for from the list, one by one or several at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tongbao_broker.errors import Words
from tongbao_connectors import words
from tongbao_connectors.authorisation import Thing, Verb, Who, decide
from tongbao_connectors.case_rules import HELD, State
from tongbao_connectors.casework import Card
from tongbao_connectors.desk.inbox.lists import Span, span_of
from tongbao_connectors.desk.marks import moment
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem, Message
from tongbao_connectors.wording import Wording
from tongbao_schemas.bodies.codes import AnswerKind, ContactRule
from tongbao_schemas.codes import Category, MessageType, Status, Urgency

SIGN: Final = Words("签收", "Sign for")
FIRST_ANSWER: Final = Words("首次反馈", "First answer")
RESULT: Final = Words("反馈结果", "Result")
REGION: Final = re.compile(r"(?<=[地n] )[1-9][0-9]{5}(?![0-9])")


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables say of a page's messages beside their own rows, by the message's key.

    `roots` are the alerts of follow-ups, by thread.
    """

    cards: Mapping[int, Card]
    roots: Mapping[str, Message]
    notes: Mapping[int, "Note"]


@dataclass(frozen=True, slots=True)
class Note:
    """The newest thing about a waiting message: an escalation's line, or who looked at it."""

    at: datetime
    said: Words
    by: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A card."""

    item_id: str
    number: str
    level: Urgency
    status: Status
    kind: MessageType
    origin: str
    category: str
    title: str
    asked: str
    rule: str
    covert: bool
    why: str
    holder: str
    unheld: bool
    note: str
    due: datetime | None
    allowed_from: datetime
    what: Words
    span: Span
    state: State
    stands: str
    expired: bool
    signable: bool

    @property
    def pressing(self) -> bool:
        """Whether it has a red edge: a flash that waits for a signature, or something overdue."""
        waits = self.is_alert and self.state is State.WAITING
        return self.span is Span.OVER or (self.level is Urgency.FLASH and waits)

    @property
    def is_alert(self) -> bool:
        return self.kind is MessageType.ALERT


def row_of(item: InboxItem, thing: Thing, who: Who, known: Known, roster: Roster, w: Wording) -> Row:
    """The card of a message for one reader at one moment."""
    message = item.message
    root = known.roots.get(message.thread, message)
    card = known.cards.get(message.pk if message.type == MessageType.ALERT else root.pk, Card())
    expired = message.expires_at <= w.now
    waits = item.state == State.WAITING.value and message.type == MessageType.ALERT
    note = known.notes.get(message.pk)
    return Row(
        item_id=message.message_id,
        number=message.number,
        level=Urgency(message.urgency),
        status=Status(message.status),
        kind=MessageType(message.type),
        origin=words.place(message.origin, w.lang),
        category=Category(message.category).label(w.lang),
        title=_title(message, card, w),
        asked=w.labels(card.requests) if message.type == MessageType.ALERT else "",
        rule=w.label(card.contact_rule) if card.contact_rule else "",
        covert=card.contact_rule is ContactRule.COVERT,
        why=why_here(item, who, roster, w),
        holder=holder(item, who, roster, w),
        unheld=waits,
        note=_note(item, note, roster, w),
        due=item.due_at,
        allowed_from=message.issued_at,
        what=due_for(item),
        span=span_of(item.due_at, w.now),
        state=State(item.state),
        stands=_stands(item, w),
        expired=expired,
        signable=waits and not expired and bool(decide(who, Verb.SIGN, thing)),
    )


def due_for(item: InboxItem) -> Words:
    """What is due next."""
    if item.state == State.WAITING.value:
        return SIGN
    return RESULT if item.first_answer_at else FIRST_ANSWER


def name_of(officer_ref: str, who: Who, roster: Roster, w: Wording) -> str:
    """An officer by name, and 你 where it is the reader."""
    officer = roster.officers.get(officer_ref)
    name = officer.name if officer else officer_ref
    return name + w.of("（你）", " (you)") if officer_ref == who.officer_ref else name


def named(text: str, roster: Roster, w: Wording) -> str:
    """A text in which officers of the roster stand by name, and region codes with theirs."""
    refs = sorted(map(re.escape, roster.officers), key=len, reverse=True)
    by_name = re.sub("|".join(refs), lambda ref: roster.officers[ref[0]].name, text) if refs else text
    return REGION.sub(lambda code: w.code_and_name(code[0]), by_name)


def holder(item: InboxItem, who: Who, roster: Roster, w: Wording) -> str:
    """Who holds it; 无人签收 while nobody does."""
    if item.holder:
        return name_of(item.holder, who, roster, w)
    if item.message.type != MessageType.ALERT:
        return name_of(item.officer_ref, who, roster, w)
    return w.of("无人签收", "Nobody has signed")


def became(item: InboxItem, who: Who, roster: Roster, w: Wording) -> str:
    """What has become of a message that still stands in a list: who signed for it when, or its state."""
    if item.claimed_at is None or State(item.state) not in HELD:
        return w.label(State(item.state))
    by, at = name_of(item.claimed_by, who, roster, w), moment(item.claimed_at, w.now, w.lang)
    return w.of(f"已由 {by} 于 {at} 签收", f"signed for by {by} at {at}")


def why_here(item: InboxItem, who: Who, roster: Roster, w: Wording) -> str:
    """Why the reader sees it."""
    if item.holder == who.officer_ref:
        return w.of("由你承办", "you handle it")
    if item.officer_ref == who.officer_ref:
        if item.message.type != MessageType.ALERT:
            return w.of("到你：由你经办", "to you: your matter")
        return w.of("到你：值班主责", "to you: on duty")
    if who.officer_ref in item.asked:
        return w.of("到你：升级通知", "to you: escalated")
    if who.officer_ref in roster.substitutes(item.officer_ref):
        return w.of("到你：替班", "to you: substitute")
    if item.unit in who.on_duty:
        return w.of("到你：本单位值班", "to you: on duty in the unit")
    unit = roster.units.get(item.unit)
    return w.of("在 {}", "lies with {}").format(unit.name if unit else item.unit)


def _title(message: Message, card: Card, w: Wording) -> str:
    title = card.title or w.of("正文已销毁", "The body was purged")
    if message.type == MessageType.ALERT:
        return title
    kind = AnswerKind(message.answer_kind) if message.answer_kind else MessageType(message.type)
    return f"{w.label(kind)}{w.of('：', ': ')}{card.title or message.number}"


def _stands(item: InboxItem, w: Wording) -> str:
    """Its state; what isn't an alert is read, not signed for."""
    if item.state == State.WAITING.value and item.message.type != MessageType.ALERT:
        return w.of("待阅", "To read")
    return w.label(State(item.state))


def _note(item: InboxItem, note: Note | None, roster: Roster, w: Wording) -> str:
    if item.holder:
        at = item.assigned_at if item.assigned_to else item.claimed_at
        said = State(item.state).label(w.lang)
        return f"{moment(at, w.now, w.lang)} {said}" if at else said
    if note is not None and item.state == State.WAITING.value:
        said = named(w.of(*note.said), roster, w)
        return " ".join(filter(None, (moment(note.at, w.now, w.lang), named(note.by, roster, w), said)))
    return f"{moment(item.message.stored_at, w.now, w.lang)} {w.of('送达', 'delivered')}"
