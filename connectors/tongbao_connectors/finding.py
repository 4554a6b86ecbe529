"""A message by what people call it: its readable number or its id."""

from django.db.models import Q

from tongbao_broker.errors import NotFound
from tongbao_connectors.store.models import Message


def message(reference: str) -> Message:
    """The message of this id, or the first that bore this readable number.

    The alert itself; raises NotFound.
    """
    named = Q(message_id=reference) | Q(number=reference)
    found = Message.objects.filter(named).order_by("pk").first() if reference else None
    if found is None:
        raise NotFound(reference)
    return found
