"""The one watch of a province, and whether what it sees is up to date.

1. `begin` starts a new epoch and ends all older ones: whoever writes under an older epoch raises Fenced and
   must end. What an older epoch was about to send is not sent again, since it may have arrived: it becomes
   `unclear`, and the next step of the escalation follows.
2. Caught up: the newest head of the exchange is fresh, and every delivery that it counts is here. A gap that
   has been open for `PATIENCE` is left out of account: it may never close.
3. What had arrived before the connector fell behind is judged all the same (ADR 0009). `behind_since` is that
   border; it stays where it is until the connector has caught up, whichever watch is at work. A watch that
   wasn't looking when it happened goes by the last head: what is read from a backlog is routed after it.
"""

from datetime import datetime, timedelta

from django.db.models import F

from tongbao_broker.errors import Fenced
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.deliveries import ARRIVED
from tongbao_connectors.duty import lines
from tongbao_connectors.duty.delivering import Reason
from tongbao_connectors.duty.models import Notification, Watch
from tongbao_connectors.store.models import Counter, DeliveryGap, Event, ExchangeHead

FRESH = timedelta(seconds=150)
PATIENCE = timedelta(minutes=10)
BEAT = timedelta(seconds=10)
LOOKING = timedelta(seconds=30)


def begin(at: datetime) -> int:
    """Starts a new epoch inside the caller's transaction, and returns it."""
    _, new = Watch.objects.get_or_create(pk=1, defaults={"epoch": 1, "begun_at": at, "turned_at": at})
    if not new:
        anew = {"begun_at": at, "turned_at": at, "caught_up": False}
        Watch.objects.filter(pk=1).update(epoch=F("epoch") + 1, **anew)
    epoch = Watch.objects.get(pk=1).epoch
    _give_up_what_was_under_way(epoch, at)
    return epoch


def hold(epoch: int, at: datetime) -> None:
    """Makes sure, inside the caller's transaction, that no newer watch is at work; raises Fenced."""
    if Watch.objects.filter(pk=1, epoch=epoch).update(turned_at=at) != 1:
        raise Fenced("watch")


def note_turn(epoch: int, caught_up: bool, at: datetime) -> datetime | None:
    """Leaves word for the desk that the watch is alive; since when the connector is behind. Raises Fenced."""
    row = Watch.objects.get(pk=1)
    if row.epoch != epoch:
        raise Fenced("watch")
    behind = None if caught_up else row.behind_since or _fell_behind(row, at)
    if behind != row.behind_since or row.caught_up != caught_up or at - row.turned_at >= BEAT:
        mine = Watch.objects.filter(pk=1, epoch=epoch)
        mine.update(turned_at=at, caught_up=caught_up, behind_since=behind)
    return behind


def is_caught_up(at: datetime) -> bool:
    """Whether everything that the exchange has for this province is here."""
    head = ExchangeHead.objects.filter(pk=1).first()
    if head is None or at - head.at > FRESH:
        return False
    arrived = Counter.objects.filter(name=ARRIVED).values_list("value", flat=True).first() or 0
    missing = DeliveryGap.objects.filter(noted_at__gt=at - PATIENCE).exists()
    return arrived >= head.delivery_seq and not missing


def _fell_behind(row: Watch, at: datetime) -> datetime:
    """From when on nothing new is judged: now, if this watch was looking until now, else the last head."""
    if row.caught_up and at - row.turned_at <= LOOKING:
        return at
    head = ExchangeHead.objects.filter(pk=1).first()
    return min(at, head.at) if head else at


def _give_up_what_was_under_way(epoch: int, at: datetime) -> None:
    rows = Notification.objects.filter(state=Notification.State.SENDING, epoch__lt=epoch)
    for row in rows.select_related("message"):
        if row.message is not None:
            facts = lines.unclear(row.channel, row.recipient)
            Event.objects.create(message=row.message, at=at, kind=EventKind.CHANNEL_FAILED, facts=facts)
    rows.update(state=Notification.State.UNCLEAR, reason=Reason.INTERRUPTED, ended_at=at)
