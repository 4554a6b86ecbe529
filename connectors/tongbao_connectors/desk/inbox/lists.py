"""Which messages lie under which tab, filtered, ordered and counted, in few queries however many there are.

1. Everything goes through `access.visible`; a tab is a set of states, 我的 also says whose.
2. What is open is ordered by what is due next, what has no due time last; what is done by when it came.
3. Filters and a search narrow a tab; its count in the tab's head is of everything in it.
4. An open page asks what has changed since `Mark`: the cards it shows, and how many others came.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from django.db.models import Count, F, Max, Q, QuerySet

from tongbao_connectors import case_rules
from tongbao_connectors.authorisation import Who
from tongbao_connectors.case_rules import EventKind, State
from tongbao_connectors.desk.access import visible
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.search.index import AT_MOST_FOUND, Index
from tongbao_connectors.store.models import Event, InboxItem, Message
from tongbao_schemas.codes import Labelled, Status, Urgency
from tongbao_schemas.number import PROVINCES

PAGE: Final = 50
LONGEST_QUERY: Final = 80
_MOVES: Final = [kind.value for kind in (*case_rules.MOVES, EventKind.ROUTED)]
LAST: Final = "\U0010ffff"
"""Behind everything that begins with the same characters."""


class Tab(Labelled):
    """The four heaps of the inbox."""

    WAITING = "waiting", "待签收", "To sign"
    MINE = "mine", "我的", "Mine"
    GROUP = "group", "本组", "Group"
    DONE = "done", "已办结", "Closed"


class Span(Labelled):
    """A group of a list by when something is due."""

    OVER = "over", "已超时", "Overdue"
    HOUR = "hour", "60 分钟内", "Within 60 minutes"
    TODAY = "today", "今日", "Today"
    LATER = "later", "以后", "Later"
    NONE = "none", "无时限", "No deadline"


STATES: Final[Mapping[Tab, frozenset[State]]] = {
    Tab.WAITING: frozenset({State.WAITING}),
    Tab.MINE: case_rules.HELD,
    Tab.GROUP: case_rules.HELD,
    Tab.DONE: case_rules.DONE,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; empty is everything.

    What is searched for is typed and posted: it never stands in an address, where logs would keep it.
    """

    level: str = ""
    status: str = ""
    origin: str = ""
    query: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str], query: str = "") -> "Filter":
        """From an address's query or a form; what isn't a known value is left out."""
        return cls(
            level=_known(given.get("level", ""), list(Urgency)),
            status=_known(given.get("status", ""), list(Status)),
            origin=_known(given.get("from", ""), PROVINCES),
            query=query.strip()[:LONGEST_QUERY],
        )

    def __bool__(self) -> bool:
        return any((self.level, self.status, self.origin, self.query))

    @property
    def narrows(self) -> bool:
        """Whether anything but a search narrows the list."""
        return any((self.level, self.status, self.origin))

    def with_page(self, number: int) -> str:
        """The address's query for another page of the same list, without what is searched for."""
        given = {"level": self.level, "status": self.status, "from": self.origin}
        page = {"page": str(number)} if number > 1 else {}
        return urlencode({name: value for name, value in given.items() if value} | page)

    @property
    def here(self) -> str:
        """The page's query for the first page of this list."""
        return self.with_page(1)

    def with_level(self, level: str) -> str:
        """The address's query for the same list of another level."""
        return Filter(level, self.status, self.origin).with_page(1)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its rows in order, and how many there are."""

    items: Sequence[InboxItem]
    number: int
    total: int
    levels: Mapping[str, int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where somebody has seen: the newest message of the inbox, the newest line of any timeline."""

    item: int
    line: int


def mark() -> Mark:
    """Up to where a page that is made now shows everything."""
    return Mark(_newest(InboxItem.objects.all()), _newest(Event.objects.all()))


def changed(message_ids: Collection[str], who: Who, since: int) -> list[InboxItem]:
    """Those of a page's messages about which a line was added after the line `since`."""
    lines = Event.objects.filter(pk__gt=since).values("message")
    rows = InboxItem.objects.filter(pk__in=lines, message__message_id__in=message_ids)
    return list(visible(rows, who).select_related("message").prefetch_related("asked_also"))


def lies_under(item: InboxItem, tab: Tab, who: Who) -> bool:
    """Whether a message belongs to a tab now."""
    return State(item.state) in STATES[tab] and (tab is not Tab.MINE or item.holder == who.officer_ref)


def news(tab: Tab, who: Who, narrowed: Filter, index: Index, since: Mark, shown: Collection[str]) -> int:
    """How many came under the tab since then that the page doesn't show: arrived, or moved there."""
    moved = Event.objects.filter(pk__gt=since.line, kind__in=_MOVES).values("message")
    new = _of_tab(tab, who).filter(Q(pk__gt=since.item) | Q(pk__in=moved))
    if narrowed.level:
        new = new.filter(urgency=narrowed.level)
    return _narrowed(new, narrowed, index).exclude(message__message_id__in=shown).count()


def counts(who: Who) -> dict[Tab, int]:
    """How many lie under each tab."""
    return {tab: _of_tab(tab, who).count() for tab in Tab}


def waiting(who: Who) -> int:
    """How many wait to be signed for."""
    return visible(InboxItem.objects.filter(state=State.WAITING.value), who).count()


def page_of(tab: Tab, who: Who, narrowed: Filter, number: int, index: Index) -> Page:
    """The page `number` (from 1; beyond the last one the last) of a tab."""
    rows = _narrowed(_of_tab(tab, who), narrowed, index)
    levels = _levels(rows)
    total = sum(count for level, count in levels.items() if narrowed.level in ("", level))
    number = max(1, min(number, -(-total // PAGE)))
    if narrowed.level:
        rows = rows.filter(urgency=narrowed.level)
    first = (number - 1) * PAGE
    return Page(list(_ordered(rows, tab)[first : first + PAGE]), number, total, levels)


def span_of(due: datetime | None, at: datetime) -> Span:
    """The group in which something due then stands."""
    if due is None:
        return Span.NONE
    if due < at:
        return Span.OVER
    if due <= at + timedelta(hours=1):
        return Span.HOUR
    midnight = datetime.combine(at.astimezone(BEIJING) + timedelta(days=1), time(), BEIJING)
    return Span.TODAY if due < midnight else Span.LATER


def _of_tab(tab: Tab, who: Who) -> QuerySet[InboxItem]:
    rows = visible(InboxItem.objects.filter(state__in=_values(STATES[tab])), who)
    return rows.filter(_his(who)) if tab is Tab.MINE else rows


def _his(who: Who) -> Q:
    """He works on it."""
    return Q(assigned_to=who.officer_ref) | Q(assigned_to="", claimed_by=who.officer_ref)


def _narrowed(rows: QuerySet[InboxItem], to: Filter, index: Index) -> QuerySet[InboxItem]:
    if to.status:
        rows = rows.filter(message__status=to.status)
    if to.origin:
        rows = rows.filter(message__origin=to.origin)
    return rows.filter(pk__in=found(to.query, index)) if to.query else rows


def found(query: str, index: Index) -> set[int]:
    """The keys of what a search names by its number or id, or finds by what its body says."""
    numbered = Message.objects.exclude(number="").filter(number__gte=query, number__lt=query + LAST)
    named = numbered | Message.objects.filter(message_id=query.lower())
    return set(named.order_by("-pk").values_list("pk", flat=True)[:AT_MOST_FOUND]) | index.find(query)


def _levels(rows: QuerySet[InboxItem]) -> dict[str, int]:
    counted = dict(rows.values_list("urgency").annotate(Count("pk")).order_by())
    return {level.value: counted.get(level.value, 0) for level in Urgency}


def _ordered(rows: QuerySet[InboxItem], tab: Tab) -> QuerySet[InboxItem]:
    rows = rows.select_related("message").prefetch_related("asked_also")
    if tab is Tab.DONE:
        return rows.order_by("-message")
    return rows.order_by(F("due_at").asc(nulls_last=True), "message")


def _newest(rows: "QuerySet[InboxItem] | QuerySet[Event]") -> int:
    return int(rows.aggregate(newest=Max("pk"))["newest"] or 0)


def _values(states: frozenset[State]) -> list[str]:
    return [state.value for state in states]


def _known(value: str, values: Collection[str]) -> str:
    return value if value in values else ""
