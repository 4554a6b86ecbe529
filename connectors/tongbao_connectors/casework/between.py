"""What is between this province and another one: said to the database for many messages, in Python for one.

1. Between the two are an alert that one sent the other, and what the other said in such a thread.
2. An own alert is between this province and all whom it or an update of it went to, unless the exchange
   rejected that. What a third province began is nobody else's, whoever speaks in it.
3. Only what lies at the desk counts: receipts, notices and what is sent as a test don't.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from tongbao_connectors.store.models import InboxItem, Message, Outbox
from tongbao_schemas.codes import MessageType

if TYPE_CHECKING:
    from django.db.models import QuerySet


def rows_between(rows: "QuerySet[Message]", others: Iterable[str]) -> "QuerySet[Message]":
    """Those of the rows that are between this province and one of the others."""
    provinces = list(others)
    told = Q(pk__in=[])
    for code in provinces:
        told |= Q(audience__contains=code)
    sent_there = _telling().filter(told, thread=OuterRef("thread"))
    root = Message.objects.filter(type=MessageType.ALERT.value, message_id=OuterRef("thread"))
    of_two = root.filter(Q(origin=OuterRef("origin")) | Q(outbox__isnull=False))
    alert = Q(type=MessageType.ALERT.value)
    own = alert & Q(outbox__isnull=False) & Exists(sent_there)
    received = Q(origin__in=provinces, inbox_item__isnull=False) & (alert | Exists(of_two))
    return rows.filter(own | received)


def provinces_of(message: Message) -> frozenset[str]:
    """The provinces between whom and this one a message is; none where it is between no two."""
    if Outbox.objects.filter(message=message).exists():
        return _addressed(message)
    return _from_there(message)


def _telling() -> "QuerySet[Message]":
    kinds = [MessageType.ALERT.value, MessageType.UPDATE.value]
    sent = Message.objects.filter(type__in=kinds, outbox__isnull=False)
    return sent.exclude(outbox__state=Outbox.State.REJECTED)


def _addressed(alert: Message) -> frozenset[str]:
    if alert.type != MessageType.ALERT:
        return frozenset()
    told = _telling().filter(thread=alert.thread)
    return frozenset(code for each in told for code in each.audience_codes)


def _from_there(message: Message) -> frozenset[str]:
    if not InboxItem.objects.filter(message=message).exists():
        return frozenset()
    if message.type != MessageType.ALERT:
        root = Message.objects.filter(type=MessageType.ALERT.value, message_id=message.thread)
        if not root.filter(Q(origin=message.origin) | Q(outbox__isnull=False)).exists():
            return frozenset()
    return frozenset({message.origin})
