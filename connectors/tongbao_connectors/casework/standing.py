"""Where an alert stands at each addressee, as the originator knows it, and who opened it how often.

1. Delivered, signed for, answered and closed are four facts with a time each, never one.
2. Of the stages that a desk reports the latest counts: a signature that was withdrawn there is followed by
   `routed`, an assignment that was withdrawn by `claimed` again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from tongbao_connectors import finding
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.store.models import Event, Message, Opening, Outbox, StageReport
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import MessageType, Stage, Status

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
    return standings([alert])[alert.pk]


def standings(alerts: Sequence[Message]) -> dict[int, list[Addressee]]:
    """The same of several own alerts, by the message's key; three queries, however many there are."""
    threads = _threads(alerts)
    reports, calls = _reports_of(alerts), _calls(alerts)
    return {
        alert.pk: _standing(threads[alert.thread], reports[alert.message_id, alert.digest], calls[alert.pk])
        for alert in alerts
    }


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


@dataclass(slots=True)
class _Thread:
    """What was said in a thread, oldest first: by its originator as far as it wasn't rejected, and to it."""

    said: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)


def _threads(alerts: Sequence[Message]) -> dict[str, _Thread]:
    found = {alert.thread: _Thread() for alert in alerts}
    kinds = [str(kind) for kind in (*_SAID, MessageType.ANSWER)]
    rows = Message.objects.filter(thread__in=list(found), type__in=kinds).select_related("outbox")
    for row in rows.order_by("issued_at", "pk"):
        outbox: Outbox | None = getattr(row, "outbox", None)
        if row.type == MessageType.ANSWER:
            if outbox is None:
                found[row.thread].answers.append(row)
        elif outbox is not None and (outbox.state != Outbox.State.REJECTED or row.type == MessageType.ALERT):
            found[row.thread].said.append(row)
    return found


_SAID: Final = (MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL, MessageType.CLOSURE)


def _reports_of(alerts: Sequence[Message]) -> dict[tuple[str, str], list[StageReport]]:
    found: dict[tuple[str, str], list[StageReport]] = defaultdict(list)
    rows = StageReport.objects.filter(of__in=[alert.message_id for alert in alerts]).exclude(place="")
    for row in rows.order_by("at", "pk"):
        found[row.of, row.digest].append(row)
    return found


def _calls(alerts: Sequence[Message]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(message__in=alerts, kind=str(EventKind.TAKEN_BY_PHONE)).order_by("pk"):
        found[event.message_id].append(event)
    return found


def _standing(thread: _Thread, reports: Iterable[StageReport], calls: Iterable[Event]) -> list[Addressee]:
    there = _told(thread.said)
    for report in reports:
        if report.place in there:
            _take(there[report.place], report)
    for answer in thread.answers:
        if answer.origin in there:
            at = answer.admitted_at or answer.issued_at
            there[answer.origin].answers.append(Answered(answer.message_id, answer.answer_kind, at))
    for call in calls:
        if (place := call.facts.get("place", "")) in there:
            there[place].by_phone = Fact(call.at, call.facts["other"])
    closed, cancelled = _ended(thread.said)
    for addressee in there.values():
        addressee.closed_at, addressee.cancelled_at = closed, cancelled
    return [there[code] for code in sorted(there)]


def _told(said: Sequence[Message]) -> dict[str, Addressee]:
    """Whoever was addressed by the alert or an update of it, with the deadlines stated last.

    A test ends with its delivery: it reaches no officer, so nobody owes anything.
    """
    telling = [row for row in said if row.type in (MessageType.ALERT, MessageType.UPDATE)]
    due = [row for row in telling if row.sign_by is not None and row.status != Status.TEST]
    stating = due[-1] if due else None
    terms = (stating.sign_by, stating.first_feedback_by, stating.result_by) if stating else (None, None, None)
    return {code: Addressee(code, *terms) for row in telling for code in row.audience_codes}


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


def _ended(said: Sequence[Message]) -> tuple[datetime | None, datetime | None]:
    """When the thread was closed, unless it was reopened since, and when it was cancelled."""
    closed = cancelled = None
    for row in said:
        if row.type == MessageType.CANCEL:
            cancelled = cancelled or row.issued_at
        else:
            closed = row.issued_at if row.type == MessageType.CLOSURE else None
    return closed, cancelled
