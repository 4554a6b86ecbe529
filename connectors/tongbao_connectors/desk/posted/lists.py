"""What a posted officer follows: the alerts his home sent to a host, and those that came from one.

1. Everything goes through `access.followed`; a tab is a direction. The newest stands on top.
2. Unseen is what came or was sent since his posting began, hasn't expired, and he hasn't opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from tongbao_connectors import casework, postings
from tongbao_connectors.authorisation import Who
from tongbao_connectors.case_rules import State, ThreadState
from tongbao_connectors.desk.access import followed
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox.lists import PAGE, Filter, found
from tongbao_connectors.desk.inbox.rows import due_for
from tongbao_connectors.papers.standing import Due, Stand, due_of, stands
from tongbao_connectors.search.index import Index
from tongbao_connectors.store.models import InboxItem, Message, Opening
from tongbao_schemas.codes import Labelled, MessageType, Urgency


class Way(Labelled):
    """The two directions."""

    OUT = "out", "发往驻地", "To the host"
    IN = "in", "来自驻地", "From the host"


@dataclass(frozen=True, slots=True)
class Line:
    """An alert in the list: `stands` are the hosts it went to, `item` where it lies at home if it came.

    `unseen` counts what he hasn't opened of its thread.
    """

    message: Message
    card: casework.Card
    stands: Sequence[Stand]
    state: ThreadState | State
    item: InboxItem | None
    due: Due | None
    unseen: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a tab, and how many there are of each level."""

    lines: Sequence[Line]
    number: int
    total: int
    levels: Mapping[str, int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def counts(who: Who) -> dict[Way, int]:
    """How many alerts lie under each tab."""
    return {way: _alerts(way, who).count() for way in Way}


def page_of(way: Way, who: Who, narrowed: Filter, number: int, index: Index) -> Page:
    """The page `number` (from 1; beyond the last one the last) of a tab."""
    rows = _alerts(way, who)
    if narrowed.status:
        rows = rows.filter(status=narrowed.status)
    if narrowed.query:
        rows = rows.filter(pk__in=found(narrowed.query, index))
    counted = dict(rows.values_list("urgency").annotate(Count("pk")).order_by())
    levels = {level.value: counted.get(level.value, 0) for level in Urgency}
    if narrowed.level:
        rows = rows.filter(urgency=narrowed.level)
    total = rows.count()
    number = max(1, min(number, -(-total // PAGE)))
    first = (number - 1) * PAGE
    return Page(_lines(list(rows.order_by("-pk")[first : first + PAGE]), who), number, total, levels)


def unseen(who: Who) -> QuerySet[Message]:
    """What is new to him (rule 2)."""
    now, new = desk().now(), Q(pk__in=[])
    for posting in postings.of_officer(who.officer_ref, desk().code, now):
        there = followed(Message.objects.all(), replace(who, hosts=frozenset({posting.host})))
        new |= Q(pk__in=there.filter(stored_at__gte=posting.valid_from).values("pk"))
    opened = Opening.objects.filter(message=OuterRef("pk"), officer_ref=who.officer_ref)
    return Message.objects.filter(new, expires_at__gt=now).exclude(Exists(opened))


def count_unseen(who: Who) -> int:
    """How much is new to him: the badge."""
    return unseen(who).count() if who.hosts else 0


def _alerts(way: Way, who: Who) -> QuerySet[Message]:
    rows = followed(Message.objects.filter(type=MessageType.ALERT.value), who)
    return rows.filter(outbox__isnull=way is Way.IN)


def _lines(messages: Sequence[Message], who: Who) -> list[Line]:
    cards, items = casework.cards(messages), _items(messages)
    own = [message for message in messages if message.pk not in items]
    there, states = casework.standings(own), casework.own_states(own)
    fresh = unseen(who).filter(thread__in=[each.thread for each in messages])
    new = dict(fresh.values_list("thread").annotate(Count("pk")).order_by())
    lines = []
    for message in messages:
        item, hosts = items.get(message.pk), hosts_of(there.get(message.pk, ()), who)
        state = State(item.state) if item else states[message.pk]
        due = due_here(item) if item else due_of(hosts, states[message.pk])
        seen = new.get(message.thread, 0)
        lines.append(Line(message, cards[message.pk], stands(hosts), state, item, due, seen))
    return lines


def hosts_of(addressees: Sequence[casework.Addressee], who: Who) -> tuple[casework.Addressee, ...]:
    """Those of the addressees to whom he is posted."""
    return tuple(each for each in addressees if each.code in who.hosts)


def due_here(item: InboxItem) -> Due | None:
    """What home owes next of what came."""
    return Due(due_for(item), item.due_at, ()) if item.due_at else None


def _items(messages: Sequence[Message]) -> dict[int, InboxItem]:
    return {item.pk: item for item in InboxItem.objects.filter(message__in=messages)}
