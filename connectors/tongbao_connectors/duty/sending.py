"""Words on their way: taken from the table, carried by threads, their fate written down.

1. A word is marked `sending` under this watch's epoch before it leaves; one that another watch marked is
   never sent again. The threads only carry (`delivering`); the watch's own thread writes every row.
2. Whoever has signed meanwhile spares the others the word: it is `dropped`. So is a copy for an officer who
   isn't posted any more.
3. What fails is tried again after 10 s, 30 s, 1 min and 2 min, then given up; a channel that fails three
   times in a row rests for half a minute. What can't succeed isn't tried again.
4. Each result is a line in the alert's timeline. When the last word of a step has failed and none was taken,
   another line says that no channel worked.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from tongbao_broker import logs, tracing
from tongbao_broker.database import atomic
from tongbao_broker.tracing import Step
from tongbao_connectors.case_rules import OPEN, EventKind
from tongbao_connectors.duty import copying, lines, meters, watching
from tongbao_connectors.duty.channels import WEB, Channel, Channels
from tongbao_connectors.duty.delivering import Reason, Word, deliver
from tongbao_connectors.duty.models import ChannelState, Notification
from tongbao_connectors.duty.notice import Notice, Why
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.store.models import Event, InboxItem

AGAIN_AFTER_S = (10, 30, 60, 120)
FOR_GOOD = frozenset({Reason.SETTINGS, Reason.NO_ADDRESS})
REST_AFTER = 3
REST = timedelta(seconds=30)
THREADS = 4
PER_CHANNEL = 2
AT_ONCE = 50

State = Notification.State
Carry = Callable[[Word, Channels, datetime], Reason | None]

log = logs.get(__name__)


class Outbound:
    """The words of one watch."""

    def __init__(self, epoch: int, carry: Carry = deliver) -> None:
        self._epoch = epoch
        self._carry = carry
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="channel")
        self._under_way: dict[Future[Reason | None], Notification] = {}

    def turn(self, rules: Rules, now: datetime) -> int:
        """Writes down what has come back, sends what is due; how many are under way. Raises Fenced."""
        self.collect(rules, now)
        resting = _resting(now)
        due = Notification.objects.filter(state=State.WAITING, due_at__lte=now).exclude(channel__in=resting)
        for row in due.select_related("message").order_by("due_at", "pk")[:AT_ONCE]:
            if self._busy(row.channel) < PER_CHANNEL:
                self._start(row, rules, now)
        return len(self._under_way)

    def collect(self, rules: Rules, now: datetime) -> None:
        """Writes down what has come back."""
        ended = [future for future in self._under_way if future.done()]
        if ended:
            with atomic():
                watching.hold(self._epoch, now)
                for future in ended:
                    _record(self._under_way[future], _outcome(future), rules, now)
        for future in ended:
            del self._under_way[future]

    @property
    def is_idle(self) -> bool:
        """Whether no word is under way."""
        return not self._under_way

    def close(self) -> None:
        """Starts nothing any more; what is under way goes on by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _busy(self, channel: str) -> int:
        return sum(row.channel == channel for row in self._under_way.values())

    def _start(self, row: Notification, rules: Rules, now: datetime) -> None:
        channel = rules.channels.all.get(row.channel)
        address = rules.channels.address(channel, row.recipient) if channel else None
        with atomic():
            watching.hold(self._epoch, now)
            if not _is_wanted(row, rules, now):
                _end(row, State.DROPPED, Reason.OVER, now)
                return
            if channel is None or address is None:
                _record(row, Reason.SETTINGS if channel is None else Reason.NO_ADDRESS, rules, now)
                return
            waiting = Notification.objects.filter(pk=row.pk, state=State.WAITING)
            row.attempts += 1
            if not waiting.update(state=State.SENDING, epoch=self._epoch, attempts=row.attempts):
                return
        self._send(row, channel, address, rules, now)

    def _send(self, row: Notification, channel: Channel, address: str, rules: Rules, now: datetime) -> None:
        word = Word(channel, address, notice_of(row, rules.desk_url))
        self._under_way[self._pool.submit(self._carry, word, rules.channels, now)] = row


def notice_of(row: Notification, desk_url: str) -> Notice:
    """What a row says to its recipient."""
    return Notice(Why(row.why), row.status, row.urgency, row.number, f"{desk_url}{row.path}", row.covers)


def _outcome(future: "Future[Reason | None]") -> Reason | None:
    error = future.exception()
    if error is not None:
        log.error("a channel stumbled", error=type(error).__name__)
        return Reason.SETTINGS
    return future.result()


def _is_wanted(row: Notification, rules: Rules, now: datetime) -> bool:
    """Whether anybody still has to hear of it."""
    if row.message is None:
        return True
    if row.why == Why.COPY:
        return copying.is_wanted(row, rules, now)
    item = InboxItem.objects.filter(message=row.message).first()
    if item is None:
        return True
    return item.state in OPEN if row.why == Why.REMINDER else item.state == InboxItem.State.WAITING


def _record(row: Notification, reason: Reason | None, rules: Rules, now: datetime) -> None:
    _note_channel(row, reason, now)
    meters.NOTIFIED.labels(row.channel, reason or meters.SENT).inc()
    _trace(row, reason, rules.home, now)
    label = rules.channels.label(row.channel)
    if reason is None:
        _end(row, State.SENT, None, now)
        _line(row, EventKind.NOTIFIED, lines.sent(label, row.recipient), now)
        return
    again = reason not in FOR_GOOD and row.attempts <= len(AGAIN_AFTER_S) and row.why != Why.TEST
    if again:
        due = now + timedelta(seconds=AGAIN_AFTER_S[max(0, row.attempts - 1)])
        Notification.objects.filter(pk=row.pk).update(state=State.WAITING, due_at=due, reason=reason)
    else:
        _end(row, State.FAILED, reason, now)
    if not again or row.attempts == 1:
        _line(row, EventKind.CHANNEL_FAILED, lines.failed(label, row.recipient, reason, again), now)
    if not again and _none_worked(row):
        _line(row, EventKind.CHANNEL_FAILED, lines.none_worked(), now)


def _trace(row: Notification, reason: Reason | None, home: str, now: datetime) -> None:
    """A step in the message's trace; that of an own message is another province's to tell."""
    if tracing.is_on() and row.message is not None:
        message, result = row.message, reason or meters.SENT
        tracing.span(
            Step.NOTIFY,
            message.message_id,
            origin=message.origin,
            place=home,
            began=row.queued_at,
            ended=now,
            nth=f"{row.pk}:{row.attempts}",
            channel=row.channel,
            result=result,
        )


def _none_worked(row: Notification) -> bool:
    """Whether every word of the same step has failed, the desk's badge apart."""
    states = Notification.objects.filter(batch=row.batch).exclude(channel=WEB).values_list("state", flat=True)
    return all(state == State.FAILED for state in states)


def _end(row: Notification, state: State, reason: Reason | None, now: datetime) -> None:
    fate = {"state": state, "reason": reason or "", "ended_at": now, "attempts": row.attempts}
    Notification.objects.filter(pk=row.pk).update(**fate)


def _line(row: Notification, kind: EventKind, facts: lines.Facts, now: datetime) -> None:
    if row.message is not None:
        Event.objects.create(message=row.message, at=now, kind=kind, facts=facts)


def _note_channel(row: Notification, reason: Reason | None, now: datetime) -> None:
    """How the channel does; an officer without an address says nothing about it."""
    if reason is Reason.NO_ADDRESS:
        return
    state, _ = ChannelState.objects.get_or_create(name=row.channel)
    works = reason is None
    if state.works is not works:
        state.works, state.since = works, now
    state.reason = reason or ""
    state.failures = 0 if works else state.failures + 1
    state.rest_until = now + REST if state.failures >= REST_AFTER else None
    if works:
        state.worked_at = now
    if row.why == Why.TEST:
        state.tested_at, state.tested_by, state.test_reason = now, row.recipient, reason or ""
    state.save()


def _resting(now: datetime) -> list[str]:
    return list(ChannelState.objects.filter(rest_until__gt=now).values_list("name", flat=True))
