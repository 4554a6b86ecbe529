"""What a watch counts while it works, and what is looked up on request: what waits, and what is late."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db.models import Count, Min, QuerySet
from prometheus_client import Counter
from prometheus_client.metrics_core import Metric

from tongbao_broker.clock import Clock
from tongbao_broker.metering.registry import REGISTRY, gauge
from tongbao_connectors.case_rules import HELD
from tongbao_connectors.duty.models import ChannelState, Escalation, Notification, Watch
from tongbao_connectors.store.models import InboxItem
from tongbao_schemas.codes import Status, Urgency

SENT = "sent"
UNFINISHED = (Notification.State.WAITING, Notification.State.SENDING)

ESCALATED = Counter(
    "tongbao_watch_escalations", "Steps of escalation taken", ["step", "urgency"], registry=REGISTRY
)
NOTIFIED = Counter(
    "tongbao_watch_notifications",
    "Tries to bring a word to somebody, by channel; the result is sent, or why not",
    ["channel", "result"],
    registry=REGISTRY,
)


def look(clock: Clock) -> Callable[[], Iterator[Metric]]:
    """What looks up the rest."""

    def looked_up() -> Iterator[Metric]:
        now = clock.now()
        yield from _items(now)
        yield from _steps(now)
        yield from _words(now)
        yield from _watch(now)

    return looked_up


def held() -> str:
    """Why nothing is judged; empty while the watch works."""
    watch = Watch.objects.filter(pk=1).values_list("caught_up", flat=True).first()
    return "" if watch else "behind"


def _items(now: datetime) -> Iterator[Metric]:
    """Alerts have a time by which they are to be signed for, what is only read has none."""
    waiting = InboxItem.objects.filter(state=InboxItem.State.WAITING, due_at__isnull=False)
    found = {str(urgency): 0 for urgency in Urgency}
    found |= dict(waiting.values_list("urgency").annotate(Count("pk")))
    yield gauge("tongbao_watch_to_sign", "Alerts that nobody has signed for, by urgency", found, ["urgency"])
    yield _late(
        "tongbao_watch_to_sign_late",
        "Alerts that nobody has signed for in time",
        waiting.filter(due_at__lt=now),
    )
    oldest = waiting.filter(message__status=Status.ACTUAL).aggregate(at=Min("due_at"))["at"]
    late = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    text = "For how long the oldest alert (status actual) is overdue to be signed for; 0: none is"
    yield gauge("tongbao_watch_to_sign_oldest_seconds", text, late)
    yield _late(
        "tongbao_watch_feedback_late",
        "Alerts signed for whose feedback or result is overdue",
        InboxItem.objects.filter(state__in=sorted(HELD), due_at__lt=now),
    )


def _late(name: str, text: str, items: QuerySet[InboxItem]) -> Metric:
    """By urgency and status, so that an exercise alarms nobody."""
    found = {(str(urgency), str(status)): 0 for urgency in Urgency for status in Status}
    for urgency, status, count in items.values_list("urgency", "message__status").annotate(Count("pk")):
        found[urgency, status] = count
    return gauge(name, text, found, ["urgency", "status"])


def _steps(now: datetime) -> Iterator[Metric]:
    due = Escalation.objects.filter(due_at__lte=now, done_at=None, stopped_at=None)
    found = due.aggregate(Count("pk"), Min("due_at"))
    text = "Steps of escalation that are due and not taken"
    yield gauge("tongbao_watch_escalations_due", text, found["pk__count"])
    text = "For how long the oldest step of escalation that isn't taken has been due"
    yield gauge("tongbao_watch_escalations_oldest_seconds", text, _age(found["due_at__min"], now))


def _words(now: datetime) -> Iterator[Metric]:
    waiting = Notification.objects.filter(state__in=UNFINISHED)
    found = list(waiting.values_list("channel").annotate(Count("pk"), Min("due_at")))
    text = "Words on their way, by channel"
    yield gauge("tongbao_watch_words_waiting", text, {name: n for name, n, _ in found}, ["channel"])
    text = "For how long the oldest word on its way has been due, by channel"
    ages = {name: _age(at, now) for name, _, at in found}
    yield gauge("tongbao_watch_words_oldest_seconds", text, ages, ["channel"])
    works = ChannelState.objects.exclude(works=None).values_list("name", "works")
    text = "1 where the last try over the channel succeeded, else 0"
    yield gauge(
        "tongbao_watch_channel_works", text, {name: float(bool(well)) for name, well in works}, ["channel"]
    )


def _watch(now: datetime) -> Iterator[Metric]:
    row = Watch.objects.filter(pk=1).values_list("caught_up", "behind_since").first()
    caught_up, behind = row or (False, None)
    text = "1 while what the watch sees is up to date; else nothing new is judged"
    yield gauge("tongbao_watch_caught_up", text, float(caught_up))
    yield gauge(
        "tongbao_watch_behind_seconds",
        "For how long what the watch sees has been out of date",
        _age(behind, now),
    )


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
