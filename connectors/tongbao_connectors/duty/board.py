"""What pages show of duty, escalation and channels: read from the tables, changed nowhere."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from tongbao_broker.errors import Words
from tongbao_connectors.case_rules import HELD
from tongbao_connectors.duty import escalation, week
from tongbao_connectors.duty.channels import WEB, Channels
from tongbao_connectors.duty.delivering import Reason
from tongbao_connectors.duty.escalation import Step
from tongbao_connectors.duty.models import ChannelState, Escalation, Notification, Watch
from tongbao_connectors.duty.notice import Why
from tongbao_connectors.duty.week import Span
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem

AHEAD = timedelta(days=8)
BACK = timedelta(days=2)
ALIVE = timedelta(seconds=30)
LATELY = 40
State = Notification.State


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who is accountable for a unit now and who comes next.

    `now.until` is None in `until` where nothing changes in the week ahead; so is `then`.
    """

    unit: str
    now: Span
    until: datetime | None
    then: Span | None
    substitute: str
    leader: str


@dataclass(frozen=True, slots=True)
class Escalating:
    """An alert that nobody has signed for: the steps taken, when the last one was, what comes next."""

    message_id: str
    number: str
    urgency: str
    status: str
    taken: tuple[Words, ...]
    last_at: datetime
    next_step: Words | None
    next_at: datetime | None
    next_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel and how it does. `works` is None before the first word, `rows` what was sent last."""

    name: str
    label: str
    kind: str
    exercise: bool
    test: bool
    quiet: str
    units: tuple[str, ...]
    works: bool | None
    since: datetime | None
    reason: Reason | None
    worked_at: datetime | None
    tested_at: datetime | None
    tested_by: str
    test_reason: Reason | None
    test_waits: bool


@dataclass(frozen=True, slots=True)
class SentWord:
    """One word that was sent, or wasn't."""

    row: Notification
    label: str
    why: Why
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class WatchState:
    """Whether the watch is at work, and since when the connector isn't caught up."""

    alive: bool
    last_turn: datetime | None
    behind_since: datetime | None


def on_duty_box(roster: Roster, unit: str, now: datetime) -> OnDuty:
    """Who is accountable for the unit now, until when, and who is next."""
    spans = week.spans(roster, unit, now - BACK, now + AHEAD)
    index = next(i for i, span in enumerate(spans) if span.start <= now < span.until)
    current = spans[index]
    then = spans[index + 1] if index + 1 < len(spans) else None
    substitute = roster.substitutes(current.officer_ref)
    return OnDuty(
        unit,
        current,
        current.until if then else None,
        then,
        substitute[0] if substitute else "",
        roster.units[unit].leader,
    )


def escalating(
    items: QuerySet[InboxItem], roster: Roster, desk_unit: str, now: datetime, limit: int = 5
) -> list[Escalating]:
    """Waiting alerts that have gone beyond the officer on duty, the latest step first.

    `items` is what the reader may see, `desk_unit` the provincial duty desk.
    """
    waiting = items.filter(state=InboxItem.State.WAITING)
    live = Escalation.objects.filter(stopped_at=None, message__inbox_item__in=waiting)
    beyond = live.exclude(step=Step.ON_DUTY).filter(done_at__isnull=False).order_by("-done_at")
    messages = list(dict.fromkeys(beyond.values_list("message_id", flat=True)))[:limit]
    rows: dict[int, list[Escalation]] = defaultdict(list)
    for row in (
        live.filter(message_id__in=messages).select_related("message__inbox_item").order_by("due_at", "nth")
    ):
        rows[row.message_id].append(row)
    return [_escalating(rows[message], roster, desk_unit, now) for message in messages]


def channels(own: Channels, now: datetime) -> list[ChannelView]:
    """The channels of `channels.toml` with their state."""
    states = {state.name: state for state in ChannelState.objects.filter(name__in=list(own.all))}
    waiting = Notification.objects.filter(why=Why.TEST, state__in=(State.WAITING, State.SENDING))
    tests = set(waiting.values_list("channel", flat=True))
    return [
        ChannelView(
            name=channel.name,
            label=channel.label,
            kind=channel.kind,
            exercise=channel.exercise,
            test=channel.test,
            quiet=channel.quiet or "",
            units=channel.units,
            works=state.works,
            since=state.since,
            reason=_reason(state.reason),
            worked_at=state.worked_at,
            tested_at=state.tested_at,
            tested_by=state.tested_by,
            test_reason=_reason(state.test_reason),
            test_waits=channel.name in tests,
        )
        for channel in own.all.values()
        for state in [states.get(channel.name, ChannelState(name=channel.name))]
    ]


def lately(own: Channels, officer_ref: str = "", limit: int = LATELY) -> list[SentWord]:
    """The newest words, the desk's badge apart; to one officer only (and to rooms), if he is named."""
    rows = Notification.objects.exclude(channel=WEB).order_by("-pk")
    if officer_ref:
        rows = rows.filter(Q(recipient=officer_ref) | Q(recipient=""))
    return [
        SentWord(row, own.label(row.channel), Why(row.why), _reason(row.reason))
        for row in rows.select_related("message")[:limit]
    ]


def badge(officer_ref: str) -> int:
    """How many waiting items an officer was told of at the desk."""
    told = Notification.objects.filter(channel=WEB, recipient=officer_ref)
    return (
        told.filter(message__inbox_item__state=InboxItem.State.WAITING).values("message").distinct().count()
    )


def watch(now: datetime) -> WatchState:
    """How the watch does."""
    row = Watch.objects.filter(pk=1).first()
    if row is None:
        return WatchState(False, None, None)
    return WatchState(now - row.turned_at <= ALIVE, row.turned_at, row.behind_since)


def open_items(officer_ref: str) -> QuerySet[InboxItem]:
    """What lies with an officer: waiting for his signature, or held by him."""
    waiting = Q(state=InboxItem.State.WAITING, officer_ref=officer_ref)
    assigned = Q(assigned_to=officer_ref)
    signed = Q(assigned_to="", claimed_by=officer_ref)
    held = Q(state__in=[str(state) for state in HELD]) & (assigned | signed)
    return InboxItem.objects.filter(waiting | held).select_related("message").order_by("due_at", "pk")


def _escalating(rows: list[Escalation], roster: Roster, desk_unit: str, now: datetime) -> Escalating:
    done = [row for row in rows if row.done_at is not None]
    ahead = [row for row in rows if row.done_at is None]
    message = rows[0].message
    taken = dict.fromkeys(Step(row.step) for row in done)
    return Escalating(
        message.message_id,
        message.number,
        message.urgency,
        message.status,
        tuple(Words(step.zh, step.en) for step in taken),
        max(row.done_at for row in done if row.done_at is not None),
        Words(Step(ahead[0].step).zh, Step(ahead[0].step).en) if ahead else None,
        ahead[0].due_at if ahead else None,
        _asked_next(message.inbox_item, Step(ahead[0].step), roster, desk_unit, now) if ahead else (),
    )


def _asked_next(
    item: InboxItem, step: Step, roster: Roster, desk_unit: str, now: datetime
) -> tuple[str, ...]:
    """The officers of the next step; none for the group, which has its own word."""
    if step is Step.GROUP:
        return ()
    unit = item.unit if item.unit in roster.units else desk_unit
    return tuple(escalation.asked_of(step, roster, unit, item.officer_ref, desk_unit, now))


def _reason(value: str) -> Reason | None:
    return Reason(value) if value else None
