"""Files on their way out: what lies beside a draft becomes attachments once its message is sealed.

1. A file waits for its message's id and digest, which are known when that is sealed. Then its parts become
   drafts in their order, a few in each turn, so that alerts which are drafted meanwhile needn't wait.
2. Each part goes to whom its message went, as urgent, as restricted and as long as that. Its `client_ref`
   names message, file and part, so that nothing is queued twice.
3. The drafts of parts and the step to the next part are one transaction; with the last part the file in plain
   is deleted.
4. What can't be sent any more, since its message has expired meanwhile, is dropped and told.
"""

from datetime import datetime
from typing import Final

from django.db.models import BinaryField, Exists, OuterRef
from django.db.models.functions import Substr

from tongbao_broker import logs
from tongbao_connectors import drafts, effects
from tongbao_connectors.store.models import Draft, HeldFile, Message, Outbox
from tongbao_schemas.bodies.attachment import PART_BYTES, part, parts_of
from tongbao_schemas.codes import MessageType, Relation
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.errors import Refused

PARTS_AT_ONCE: Final = 8
_SEALED: Final = (
    f'SELECT 1 FROM "{Message._meta.db_table}" m WHERE m."message_id" = f."message_id" AND EXISTS'  # noqa: S608
    f' (SELECT 1 FROM "{Outbox._meta.db_table}" o WHERE o."message_id" = m."id")'
)
READY: Final = f'SELECT 1 FROM "{HeldFile._meta.db_table}" f WHERE EXISTS ({_SEALED})'  # noqa: S608
"""Finds a row where a file's message has been sealed here; it looks at files first, mostly there are none."""

log = logs.get(__name__)


def queue(origin: str, at: datetime) -> None:
    """Makes drafts of the next parts of the oldest file that can go, inside the caller's transaction."""
    sealed = Message.objects.filter(message_id=OuterRef("message_id"), outbox__isnull=False)
    held = HeldFile.objects.defer("content").filter(Exists(sealed)).order_by("pk").first()
    if held is None:
        return
    message = Message.objects.get(message_id=held.message_id, outbox__isnull=False)
    try:
        for number in range(held.next_part, held.next_part + PARTS_AT_ONCE):
            if number <= parts_of(held.size):
                _queue_part(held, number, message, origin, at)
    except Refused as refused:
        log.error("a file can't be sent", code=str(refused.code), where=refused.where)
        effects.not_sent(held.message_id, message.thread, MessageType.ATTACHMENT, refused.code, at)
        held.delete()
        return
    held.next_part += PARTS_AT_ONCE
    if held.next_part > parts_of(held.size):
        held.delete()
    else:
        held.save(update_fields=["next_part"])


def _queue_part(held: HeldFile, number: int, message: Message, origin: str, at: datetime) -> None:
    first = (number - 1) * PART_BYTES + 1
    piece = HeldFile.objects.values_list(
        Substr("content", first, PART_BYTES, output_field=BinaryField()), flat=True
    ).get(pk=held.pk)
    content = {
        "client_ref": f"file-{held.message_id}-{held.number}-{number}",
        "type": MessageType.ATTACHMENT,
        "status": message.status,
        "audience": list(message.audience_codes),
        "urgency": message.urgency,
        "handling": message.handling,
        "category": message.category,
        "expires_at": format_time(message.expires_at),
        "refs": [{"id": message.message_id, "digest": message.digest, "relation": Relation.SUPPLEMENTS}],
        "body": part(held.name, held.digest, number, parts_of(held.size), bytes(piece)),
    }
    by = Draft.objects.filter(message_id=held.message_id).values_list("submitted_by", flat=True).first()
    drafts.submit(compact_json(content), origin=origin, by=by or "", now=at)
