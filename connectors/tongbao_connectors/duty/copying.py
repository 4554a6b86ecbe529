"""Copies (抄送): a posted officer hears of what goes between his home and his host.

1. Copied are an alert of either direction and an answer of the host: once each, to each officer whom the
   directory in force posts there. The desk's badge is there at once, other channels follow as for anybody;
   a room of a messenger gets none.
2. Nobody has to act on a copy: it isn't escalated, and it doesn't end when somebody signs.
3. What was stored before the posting began, or more than `DAY` ago, isn't told any more.
4. When the posting has ended, words that still wait aren't sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef

from tongbao_broker.database import atomic
from tongbao_connectors import postings
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.casework.between import provinces_of, rows_between
from tongbao_connectors.duty import lines, watching
from tongbao_connectors.duty.channels import WEB
from tongbao_connectors.duty.models import Notification
from tongbao_connectors.duty.notice import Why
from tongbao_connectors.duty.queueing import Queue
from tongbao_connectors.duty.rules import Rules
from tongbao_connectors.store.models import Event, Message
from tongbao_schemas.codes import MessageType
from tongbao_schemas.documents import Posting

DAY = timedelta(days=1)
COPIED = [MessageType.ALERT.value, MessageType.ANSWER.value]


@dataclass
class Copier:
    """What the watch remembers of copies from turn to turn; all of it can be found again from the tables."""

    epoch: int
    _postings: tuple[Posting, ...] = ()
    _seen: int = 0

    def turn(self, rules: Rules, now: datetime) -> int:
        """Queues the copies of what is new; how many. Raises Fenced."""
        posted = postings.from_home(rules.home, now)
        if posted != self._postings:
            self._postings, self._seen = posted, 0
        newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0 if posted else 0
        if newest <= self._seen:
            return 0
        new = {
            (each.officer_ref, message.pk): (each, message)
            for each in posted
            for message in _new(each, self._seen, now)
        }
        copies = list(new.values())
        if copies:
            with atomic():
                watching.hold(self.epoch, now)
                _queue(copies, rules, now)
        self._seen = newest
        return len(copies)


def is_wanted(row: Notification, rules: Rules, now: datetime) -> bool:
    """Whether its recipient is still posted to where the message is from or went (rule 4)."""
    hosts = {each.host for each in postings.of_officer(row.recipient, rules.home, now)}
    return row.message is not None and bool(hosts & provinces_of(row.message))


def _new(posting: Posting, after: int, now: datetime) -> list[Message]:
    """What this officer hasn't been told of."""
    since = max(posting.valid_from, now - DAY)
    rows = Message.objects.filter(pk__gt=after, type__in=COPIED, stored_at__gte=since, expires_at__gt=now)
    told = Notification.objects.filter(
        channel=WEB, recipient=posting.officer_ref, message=OuterRef("pk"), why=Why.COPY
    )
    return list(rows_between(rows, [posting.host]).exclude(Exists(told)).order_by("pk"))


def _queue(copies: list[tuple[Posting, Message]], rules: Rules, now: datetime) -> None:
    queue = Queue(rules.channels, rules.network, now)
    for posting, message in copies:
        queued = queue.put(message, rules.desk_unit, Why.COPY, [posting.officer_ref])
        facts = lines.copied(posting.officer_ref, posting.host, queued.over)
        Event.objects.create(message=message, at=now, kind=EventKind.NOTIFIED, facts=facts)
    queue.store()
