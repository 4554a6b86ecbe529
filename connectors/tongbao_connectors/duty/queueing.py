"""From a step to words on their way: who hears of what over which channel. Runs in the caller's transaction.

1. The desk's badge is a row by itself and is there at once. On every other channel a recipient gets one word,
   a room one for all.
2. A recipient who heard of the same item on the same channel within the window isn't told again: the row
   says `duplicate`, and so does the timeline.
3. More than `MANY` words to one recipient on one channel at once, as after an outage, become one that counts
   them and leads to the inbox.
4. A copy for a posted officer leads to his own pages, and goes to no room.
5. A word knows level, number and path. It is made from the header; the body isn't opened for it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.duty import lines
from tongbao_connectors.duty.channels import WEB, Channel, Channels, Webhook
from tongbao_connectors.duty.delivering import Reason
from tongbao_connectors.duty.models import Notification
from tongbao_connectors.duty.notice import Why, counts_as
from tongbao_connectors.store.models import Event, Message
from tongbao_schemas.codes import Urgency
from tongbao_schemas.identifiers import new_id

INBOX = "/inbox/waiting/"
POSTED = "/posted/"
MANY = 3
State = Notification.State
TOLD = (State.WAITING, State.SENDING, State.SENT, State.UNCLEAR)


@dataclass(slots=True)
class Queued:
    """The words of one step: by which channels they go, and which don't take such a message."""

    over: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    rows: list[Notification] = field(default_factory=list)

    @property
    def unreachable(self) -> bool:
        """Channels there are, but none of them knows any of these officers."""
        outward = [row for row in self.rows if row.channel != WEB]
        return bool(outward) and all(row.state == State.FAILED for row in outward)


class Queue:
    """The words of one turn of the watch."""

    def __init__(self, channels: Channels, network: str, at: datetime) -> None:
        self._channels = channels
        self._network = network
        self._at = at
        self._rows: list[Notification] = []

    def put(self, message: Message, unit: str, why: Why, recipients: Collection[str]) -> Queued:
        """Words about a message to these officers; the channels' answers come later."""
        queued = Queued()
        batch = new_id(self._at)
        for officer_ref in recipients:
            row = self._row(message, why, batch, WEB, officer_ref)
            row.state, row.ended_at = State.SENT, self._at
            queued.rows.append(row)
        status = counts_as(message.status, self._network)
        for channel in self._channels.all.values():
            if why is Why.COPY and isinstance(channel, Webhook):
                continue
            if channel.takes(status, unit):
                self._over(channel, message, why, batch, recipients, queued)
            elif not channel.units or unit in channel.units:
                queued.withheld.append(channel.label)
        self._rows += queued.rows
        return queued

    @property
    def length(self) -> int:
        """How many words there are."""
        return len(self._rows)

    def cut(self, length: int) -> None:
        """Forgets all words but the first so many."""
        del self._rows[length:]

    def store(self) -> None:
        """Writes the turn's words, many to one recipient as one."""
        lanes: dict[tuple[str, str], list[Notification]] = defaultdict(list)
        for row in self._rows:
            if row.state == State.WAITING:
                lanes[row.channel, row.recipient].append(row)
        for lane in lanes.values():
            if len(lane) > MANY:
                self._join(lane)
        Notification.objects.bulk_create(self._rows)
        self._rows = []

    def _over(
        self,
        channel: Channel,
        message: Message,
        why: Why,
        batch: str,
        recipients: Iterable[str],
        queued: Queued,
    ) -> None:
        rows = [
            self._word(channel, message, why, batch, recipient)
            for recipient in ([""] if isinstance(channel, Webhook) else recipients)
        ]
        queued.rows += rows
        if any(row.state == State.WAITING for row in rows):
            queued.over.append(channel.label)

    def _word(self, channel: Channel, message: Message, why: Why, batch: str, recipient: str) -> Notification:
        row = self._row(message, why, batch, channel.name, recipient)
        row.due_at = channel.held_until(message.urgency, self._at)
        if self._channels.address(channel, recipient) is None:
            self._end(row, State.FAILED, Reason.NO_ADDRESS)
        elif self._told(row):
            self._end(row, State.SUPPRESSED, Reason.DUPLICATE)
            self._repeat(row, Reason.DUPLICATE)
        return row

    def _told(self, row: Notification) -> bool:
        """Whether this recipient heard of it on this channel a moment ago."""
        again = Notification.objects.filter(
            channel=row.channel,
            recipient=row.recipient,
            message=row.message,
            state__in=TOLD,
            queued_at__gt=self._at - self._channels.window,
        )
        return row.why != Why.REMINDER and again.exists()

    def _row(self, message: Message, why: Why, batch: str, channel: str, recipient: str) -> Notification:
        return Notification(
            message=message,
            batch=batch,
            why=why,
            channel=channel,
            recipient=recipient,
            status=message.status,
            urgency=message.urgency,
            number=message.number,
            path=f"{POSTED if why is Why.COPY else '/'}m/{message.message_id}/",
            queued_at=self._at,
            due_at=self._at,
        )

    def _join(self, lane: Sequence[Notification]) -> None:
        first, *others = sorted(lane, key=_rank)
        first.covers, first.path = len(lane), POSTED if first.why == Why.COPY else INBOX
        for row in others:
            self._end(row, State.SUPPRESSED, Reason.COVERED)
            self._repeat(row, Reason.COVERED)

    def _repeat(self, row: Notification, reason: Reason) -> None:
        """A word that would only repeat another is a line in the timeline."""
        if row.message is not None:
            facts = lines.suppressed(self._channels.label(row.channel), row.recipient, reason)
            Event.objects.create(message=row.message, at=self._at, kind=EventKind.SUPPRESSED, facts=facts)

    def _end(self, row: Notification, state: State, reason: Reason) -> None:
        row.state, row.reason, row.ended_at = state, str(reason), self._at


def _rank(row: Notification) -> tuple[int, datetime]:
    order = [str(urgency) for urgency in Urgency]
    return order.index(row.urgency) if row.urgency in order else len(order), row.due_at
