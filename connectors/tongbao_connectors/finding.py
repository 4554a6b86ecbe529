"""A message by what people call it: its readable number or its id."""

from django.db.models import Q

from tongbao_broker.errors import NotFound
from tongbao_connectors.store.models import Message
from tongbao_schemas.codes import MessageType


def message(reference: str) -> Message:
    """The message of this id, or the alert that bears this readable number; raises NotFound.

    As long as the alert hasn't arrived, the first of those that follow it.
    """
    named = Q(message_id=reference) | Q(number=reference)
    rows = list(Message.objects.filter(named).order_by("pk")) if reference else []
    found = next((row for row in rows if row.type == MessageType.ALERT), rows[0] if rows else None)
    if found is None:
        raise NotFound(reference)
    return found
