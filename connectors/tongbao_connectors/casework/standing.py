"""Where an alert stands at each addressee, as the originator knows it, and who opened it how often.

1. Delivered, signed for, answered and closed are four facts with a time each, never one.
2. Of the stages that a desk reports the latest counts: a signature that was withdrawn there is followed by
   `routed`, an assignment that was withdrawn by `claimed` again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from tongbao_connectors import finding
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.store.models import Event, Message, Opening, Outbox, StageReport
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import MessageType, Stage

ENDING = frozenset({AnswerKind.RESULT, AnswerKind.RETURNED, AnswerKind.REDIRECT})


@dataclass(frozen=True, slots=True)
class Fact:
    """When it was, by whom (an officer's reference) and in which unit."""

    at: datetime
    by: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that came: which message, of which kind (`AnswerKind`), when."""

    message_id: str
    kind: str
    at: datetime


@dataclass(slots=True)
class Addressee:
    """Where an alert stands at one addressee.

    `answers` are the newest last. `read` is the first opening there, `readings` their number. `refused` is a
    refusal's code. `by_phone` is what this province noted of a call, known to it only.
    """

    code: str
    sign_by: datetime | None
    first_feedback_by: datetime | None
    result_by: datetime | None
    delivered_at: datetime | None = None
    refused: str = ""
    routed: Fact | None = None
    read: Fact | None = None
    readings: int = 0
    claimed: Fact | None = None
    assigned: Fact | None = None
    working: Fact | None = None
    lifted_at: datetime | None = None
    by_phone: Fact | None = None
    answers: list[Answered] = field(default_factory=list)
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def result(self) -> Answered | None:
        """The newest answer that ends its part: a result, a return, a redirection."""
        return next((each for each in reversed(self.answers) if each.kind in ENDING), None)

    @property
    def due_at(self) -> datetime | None:
        """What is due next of it; None where nothing is any more."""
        if self.closed_at or self.cancelled_at or self.result:
            return None
        if not (self.claimed or self.by_phone or self.answers):
            return self.sign_by
        return self.result_by if self.answers else self.first_feedback_by

    def overdue(self, at: datetime) -> bool:
        """Whether what is due next is late."""
        due = self.due_at
        return due is not None and due < at


@dataclass(frozen=True, slots=True)
class Openings:
    """How often a body was opened in one unit of a province (empty: this one), and when last."""

    place: str
    unit: str
    count: int
    last: datetime


def standing(reference: str) -> list[Addressee]:
    """Each addressee of an own alert, in the order of codes; raises NotFound."""
    alert = finding.message(reference)
    stated = _stated(alert)
    there = {
        code: Addressee(code, stated.sign_by, stated.first_feedback_by, stated.result_by)
        for code in _told(alert)
    }
    for report in _reports(alert).exclude(place=""):
        if report.place in there:
            _take(there[report.place], report)
    _take_answers(there, alert)
    _take_calls(there, alert)
    closed, cancelled = _ended(alert)
    for addressee in there.values():
        addressee.closed_at, addressee.cancelled_at = closed, cancelled
    return [there[code] for code in sorted(there)]


def opened_by(reference: str) -> list[Openings]:
    """How often a message was opened, by unit: there as it is reported, and here; the last opened first."""
    message = finding.message(reference)
    found: dict[tuple[str, str], list[datetime]] = {}
    for report in _reports(message).filter(stage=str(Stage.READ)).exclude(place=""):
        found.setdefault((report.place, report.unit), []).append(report.at)
    for unit, at in Opening.objects.filter(message=message).values_list("unit", "at"):
        found.setdefault(("", unit), []).append(at)
    rows = [Openings(place, unit, len(times), max(times)) for (place, unit), times in found.items()]
    return sorted(rows, key=lambda row: row.last, reverse=True)


def _stated(alert: Message) -> Message:
    """The message that states the deadlines: the newest update that brought any, else the alert."""
    updates = Message.objects.filter(thread=alert.thread, type=str(MessageType.UPDATE), origin=alert.origin)
    stating = updates.filter(sign_by__isnull=False).exclude(outbox__state=Outbox.State.REJECTED)
    return stating.order_by("issued_at", "pk").last() or alert


def _told(alert: Message) -> set[str]:
    """Whoever was addressed by the alert or by an update of it."""
    kinds = [str(MessageType.ALERT), str(MessageType.UPDATE)]
    sent = Message.objects.filter(thread=alert.thread, type__in=kinds, origin=alert.origin)
    return {code for message in sent for code in message.audience_codes}


def _reports(message: Message) -> QuerySet[StageReport]:
    return StageReport.objects.filter(of=message.message_id, digest=message.digest).order_by("at", "pk")


def _take(addressee: Addressee, report: StageReport) -> None:
    fact = Fact(report.at, report.officer_ref, report.unit)
    match Stage(report.stage):
        case Stage.DELIVERED:
            addressee.delivered_at = addressee.delivered_at or report.at
        case Stage.REFUSED:
            addressee.refused = report.code
        case Stage.READ:
            addressee.read = addressee.read or fact
            addressee.readings += 1
        case Stage.LIFTED:
            addressee.lifted_at = addressee.lifted_at or report.at
        case Stage.ROUTED:
            addressee.routed = fact
            addressee.claimed = addressee.assigned = addressee.working = None
        case Stage.CLAIMED:
            addressee.claimed = _same_or(addressee.claimed, fact)
            addressee.assigned = addressee.working = None
        case Stage.ASSIGNED:
            addressee.assigned = _same_or(addressee.assigned, fact)
            addressee.working = None
        case Stage.WORKING:
            addressee.working = _same_or(addressee.working, fact)
        case _:
            pass


def _same_or(before: Fact | None, fact: Fact) -> Fact:
    """The earlier fact if it is said once more of the same officer."""
    return before if before is not None and before.by == fact.by else fact


def _take_answers(there: dict[str, Addressee], alert: Message) -> None:
    answers = Message.objects.filter(thread=alert.thread, type=str(MessageType.ANSWER), outbox__isnull=True)
    for answer in answers.order_by("issued_at", "pk"):
        if answer.origin in there:
            at = answer.admitted_at or answer.issued_at
            there[answer.origin].answers.append(Answered(answer.message_id, answer.answer_kind, at))


def _take_calls(there: dict[str, Addressee], alert: Message) -> None:
    for event in Event.objects.filter(message=alert, kind=str(EventKind.TAKEN_BY_PHONE)).order_by("pk"):
        place = event.facts.get("place", "")
        if place in there:
            there[place].by_phone = Fact(event.at, event.facts["other"])


def _ended(alert: Message) -> tuple[datetime | None, datetime | None]:
    """When the thread was closed, unless it was reopened since, and when it was cancelled."""
    closed = cancelled = None
    for kind, at in _turns(alert):
        if kind == MessageType.CANCEL:
            cancelled = cancelled or at
        else:
            closed = at if kind == MessageType.CLOSURE else None
    return closed, cancelled


def _turns(alert: Message) -> Iterator[tuple[str, datetime]]:
    kinds = [str(each) for each in (MessageType.UPDATE, MessageType.CANCEL, MessageType.CLOSURE)]
    sent = Message.objects.filter(thread=alert.thread, type__in=kinds, origin=alert.origin)
    rows: Iterable[Message] = sent.exclude(outbox__state=Outbox.State.REJECTED).order_by("issued_at", "pk")
    return ((row.type, row.issued_at) for row in rows)
