"""One turn of the watch over the inbox: rounds begun and stopped, steps taken, items given back.

1. Every turn: rounds for what has arrived, the end of rounds of what was moved on, steps that are due, items
   whose owner was silent, reminders. It costs what is due and what has changed, not what lies there. At the
   start, when somebody else has come on duty, and every `SWEEP` everything is looked through.
2. What waits belongs to whoever is accountable for its unit now: with the shift the item moves on, its clocks
   unchanged. What belongs to an alert stays with the officer who sent or holds that.
3. An alert is escalated. What is only read is brought to the officer it lies with, once.
4. The steps of one item are marked as taken in the transaction that queues their words.
5. An item that our own code stumbles over is left for a minute and logged; the others go on.
6. While the connector is behind, only what had arrived before that is judged, and officers' own reminders;
   the rest waits, and what it has missed is taken as one step afterwards.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from tongbao_broker import logs
from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, OperationError
from tongbao_connectors import case_rules, casework
from tongbao_connectors.case_rules import OPEN, EventKind
from tongbao_connectors.duty import escalation, lines, meters, watching
from tongbao_connectors.duty.escalation import Facts, Row, Step, Stop, Take
from tongbao_connectors.duty.models import Escalation
from tongbao_connectors.duty.notice import Why
from tongbao_connectors.duty.queueing import Queue
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.routing import HOLDER, SENDER
from tongbao_connectors.store.models import Event, InboxItem, OwnReminder
from tongbao_schemas.codes import MessageType, Urgency

SWEEP = timedelta(minutes=10)
LEFT = timedelta(minutes=1)
AT_ONCE = 200
WAITING = InboxItem.State.WAITING
log = logs.get(__name__)

GIVEN_BACK = (InboxItem.State.CLAIMED, InboxItem.State.ASSIGNED)
MOVES = [kind.value for kind in (*case_rules.MOVES, EventKind.READ)]


@dataclass
class Judge:
    """What the watch remembers from turn to turn; all of it can be found again from the tables."""

    epoch: int
    _seen: int = 0
    _line: int = 0
    _until: datetime | None = None
    _swept_at: datetime | None = None
    _on_duty: dict[str, str] = field(default_factory=dict)
    _left: dict[int, datetime] = field(default_factory=dict)

    def turn(self, rules: Rules, now: datetime, until: datetime | None = None) -> int:
        """Judges everything once; how many items were brought to somebody. Raises Fenced.

        `until`: since then the connector is behind, and only what was routed before is judged.
        """
        on_duty = {unit: rules.roster.accountable(unit, now).officer_ref for unit in rules.roster.units}
        sweeping = self._is_to_sweep(on_duty, until, now)
        line = _newest_line()
        changed: set[int] = set() if sweeping else _changed(self._line, line)
        new = Q() if sweeping else Q(pk__gt=self._seen) | Q(pk__in=changed)
        arrived = list(_before(_unwatched(now).filter(new), until)[:AT_ONCE])
        moved: list[InboxItem] = []
        if sweeping or changed or arrived:
            moved = list(_before(_elsewhere(on_duty).filter(new), until)[:AT_ONCE])
        if not (sweeping or changed or arrived or _anything_due(rules, now, until)):
            self._line = line
            return 0
        with atomic():
            watching.hold(self.epoch, now)
            _stop_what_ended(now, None if sweeping else changed)
            for item in arrived:
                _begin_round(item, rules, now)
            turn = _Turn(rules, now, until, self._left)
            for item in moved:
                turn.move(item, on_duty[item.unit])
            taken = turn.run()
        self._seen, self._line = max([self._seen, *(item.pk for item in arrived)]), line
        if sweeping and len(arrived) < AT_ONCE and len(moved) < AT_ONCE:
            self._swept_at, self._on_duty, self._until = now, on_duty, until
        return taken

    def _is_to_sweep(self, on_duty: dict[str, str], until: datetime | None, now: datetime) -> bool:
        overdue = self._swept_at is None or now - self._swept_at >= SWEEP
        return overdue or on_duty != self._on_duty or until != self._until


class _Turn:
    """What is due at one moment."""

    def __init__(
        self, rules: Rules, now: datetime, until: datetime | None, left: dict[int, datetime]
    ) -> None:
        self._rules = rules
        self._until = until
        self._left = left
        self._now = now
        self._queue = Queue(rules.channels, rules.network, now)

    def move(self, item: InboxItem, officer_ref: str) -> None:
        """Gives a waiting item to who has come on duty; he hears of it if the other one had."""
        mine = InboxItem.objects.filter(pk=item.pk, state=WAITING, officer_ref=item.officer_ref)
        if not mine.update(officer_ref=officer_ref):
            return
        facts = lines.moved(officer_ref, item.officer_ref)
        _note(item, EventKind.ROUTED, facts, self._now)
        live = Escalation.objects.filter(message=item.message, stopped_at=None, done_at__isnull=False)
        if live.exists():
            self._queue.put(item.message, item.unit, _why(item), [officer_ref])

    def run(self) -> int:
        """Gives back, escalates, reminds; how many items."""
        self._give_back()
        left = [key for key, until in self._left.items() if until > self._now]
        steps = _due(self._now, self._until).exclude(message__in=left)
        due = list(steps.values_list("message_id", flat=True).distinct()[:AT_ONCE])
        items = InboxItem.objects.filter(message__in=due).select_related("message")
        taken = [self._guarded(item) for item in items]
        reminded = self._remind()
        self._queue.store()
        return sum(taken) + reminded

    def _guarded(self, item: InboxItem) -> bool:
        """Judges one item by itself; what is wrong with the database or the watch stops all."""
        queued = self._queue.length
        try:
            with atomic():
                return self._judge(item)
        except (OperationError, DatabaseError):
            raise
        except Exception:
            log.exception("an item can't be judged", message_id=item.message.message_id)
            self._queue.cut(queued)
            self._left[item.pk] = self._now + LEFT
            return False

    def _judge(self, item: InboxItem) -> bool:
        live = Escalation.objects.filter(message=item.message, done_at=None, stopped_at=None)
        facts = Facts(item.state == WAITING, item.message.expires_at)
        match escalation.judge(facts, [_row(row) for row in live], self._now):
            case Stop():
                _stop(Escalation.objects.filter(message=item.message), self._now)
            case Take() as take:
                self._take(item, take)
                return True
        return False

    def _take(self, item: InboxItem, take: Take) -> None:
        rules, message = self._rules, item.message
        unit = rules.unit_of(item.unit)
        for row in take.rows:
            mine = Escalation.objects.filter(
                message=message, round=row.round, step=row.step, nth=row.nth, done_at=None
            )
            mine.update(done_at=self._now)
            meters.ESCALATED.labels(row.step, item.urgency).inc()
        asked = escalation.asked(take.rows, rules.roster, unit, item.officer_ref, rules.desk_unit, self._now)
        if take.furthest.step is not Step.ON_DUTY:
            casework.ask_also(message, asked, self._now)
        queued = self._queue.put(message, unit, _why(item, take.furthest.round), asked)
        facts = lines.escalated(take.rows, asked, queued.over, queued.withheld)
        _note(item, EventKind.ESCALATED, facts, self._now)
        if queued.unreachable:
            _note(item, EventKind.CHANNEL_FAILED, lines.none_worked(), self._now)

    def _give_back(self) -> None:
        silent = _silent(self._rules, self._now, self._until)
        for item in silent.select_related("message")[:AT_ONCE]:
            with suppress(Conflict):  # somebody began a moment ago
                until = self._now - self._rules.plan.silence(item.urgency)
                if casework.come_back(item.message, self._now, silent_until=until, roster=self._rules.roster):
                    item.refresh_from_db()
                    _begin_round(item, self._rules, self._now)

    def _remind(self) -> int:
        due = OwnReminder.objects.filter(due_at__lte=self._now, done_at=None)
        reminders = list(due.select_related("message")[:AT_ONCE])
        for reminder in reminders:
            item = InboxItem.objects.filter(message=reminder.message).first()
            if item is None or item.state in OPEN:
                unit = self._rules.unit_of(item.unit if item else "")
                self._queue.put(reminder.message, unit, Why.REMINDER, [reminder.officer_ref])
                facts = lines.reminded(reminder.officer_ref)
                Event.objects.create(
                    message=reminder.message, at=self._now, kind=EventKind.NOTIFIED, facts=facts
                )
        due.filter(pk__in=[reminder.pk for reminder in reminders]).update(done_at=self._now)
        return len(reminders)


def _newest_line() -> int:
    return int(Event.objects.aggregate(newest=Max("pk"))["newest"] or 0)


def _changed(after: int, until: int) -> set[int]:
    """The messages that were moved on by lines after one and up to another."""
    lines = Event.objects.filter(pk__gt=after, pk__lte=until, kind__in=MOVES)
    return set(lines.values_list("message_id", flat=True))


def _unwatched(now: datetime) -> QuerySet[InboxItem]:
    """Waiting items that are of use and have no live round."""
    live = Escalation.objects.filter(message=OuterRef("pk"), stopped_at=None)
    waiting = InboxItem.objects.filter(state=WAITING, message__expires_at__gt=now)
    return waiting.exclude(Exists(live)).select_related("message").order_by("pk")


def _elsewhere(on_duty: dict[str, str]) -> QuerySet[InboxItem]:
    """Waiting items that lie with somebody who isn't accountable any more."""
    others = Q(pk__in=[])
    for unit, officer_ref in on_duty.items():
        others |= Q(unit=unit) & ~Q(officer_ref=officer_ref)
    waiting = InboxItem.objects.filter(others, state=WAITING).exclude(rule__in=(SENDER, HOLDER))
    return waiting.select_related("message")


def _anything_due(rules: Rules, now: datetime, until: datetime | None) -> bool:
    return (
        _due(now, until).exists()
        or _silent(rules, now, until).exists()
        or OwnReminder.objects.filter(due_at__lte=now, done_at=None).exists()
    )


def _due(now: datetime, until: datetime | None) -> QuerySet[Escalation]:
    due = Escalation.objects.filter(due_at__lte=now, done_at=None, stopped_at=None)
    return due if until is None else due.filter(message__inbox_item__routed_at__lte=until)


def _silent(rules: Rules, now: datetime, until: datetime | None) -> QuerySet[InboxItem]:
    """Items whose owner did nothing for longer than the plan lets him."""
    too_long = Q()
    for urgency in Urgency:
        too_long |= Q(urgency=urgency.value, silent_since__lte=now - rules.plan.silence(urgency))
    return _before(InboxItem.objects.filter(too_long, state__in=GIVEN_BACK), until)


def _before(items: QuerySet[InboxItem], until: datetime | None) -> QuerySet[InboxItem]:
    return items if until is None else items.filter(routed_at__lte=until)


def _begin_round(item: InboxItem, rules: Rules, now: datetime) -> None:
    last = Escalation.objects.filter(message=item.message).order_by("-round").first()
    number, begun = (1, item.routed_at) if last is None else (last.round + 1, now)
    if item.message.type == MessageType.ALERT:
        rows: Sequence[Row] = escalation.rows(rules.plan.steps(item.message.urgency), number, begun)
    else:
        rows = escalation.only_on_duty(number, begun)
    Escalation.objects.bulk_create(
        [
            Escalation(message=item.message, round=row.round, step=row.step, nth=row.nth, due_at=row.due_at)
            for row in rows
        ]
    )


def _stop_what_ended(now: datetime, changed: Collection[int] | None) -> None:
    """Ends rounds of what was signed for, read, closed or cancelled, or has expired: all, or of these."""
    live = Escalation.objects.filter(stopped_at=None)
    if changed is not None:
        live = live.filter(message__in=changed)
    ended = live.exclude(message__inbox_item__state=WAITING) | live.filter(message__expires_at__lte=now)
    _stop(Escalation.objects.filter(pk__in=list(ended.values_list("pk", flat=True)[:1000])), now)


def _stop(rows: QuerySet[Escalation], now: datetime) -> None:
    rows.filter(stopped_at=None).update(stopped_at=now)


def _why(item: InboxItem, number: int = 1) -> Why:
    if item.message.type != MessageType.ALERT:
        return Why.READ
    return Why.BACK if number > 1 else Why.SIGN


def _note(item: InboxItem, kind: EventKind, facts: lines.Facts, now: datetime) -> None:
    Event.objects.create(message=item.message, at=now, kind=kind, unit=item.unit, facts=facts)


def _row(row: Escalation) -> Row:
    return Row(row.due_at, row.round, Step(row.step), row.nth)
