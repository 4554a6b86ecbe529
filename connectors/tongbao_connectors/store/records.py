"""Rows from messages, and exact bytes back from rows."""

from collections.abc import Sequence
from datetime import datetime

from tongbao_broker.insertion import insert
from tongbao_connectors.store.models import Message, Record
from tongbao_schemas.header import DeadlineHeader, Header, PeopleHeader
from tongbao_schemas.record import InRecord, OutRecord, parse_in, parse_out
from tongbao_schemas.stamp import Stamp

IDS_AT_ONCE = 500
"""How many ids stand in one query."""


def message_row(
    header: Header,
    digest: str,
    *,
    stored_at: datetime,
    answer_kind: str = "",
    stamp: Stamp | None = None,
    tree_size: int | None = None,
) -> Message:
    """The row of a message, not yet saved.

    A received one has its stamp and the size of the tree that proves it.
    """
    row = Message(
        origin=header.origin,
        message_id=header.id,
        thread=header.thread,
        type=header.type,
        status=header.status,
        digest=digest,
        audience=",".join(header.audience),
        schema=header.schema_name,
        issued_at=header.issued_at,
        expires_at=header.expires_at,
        answer_kind=answer_kind,
        stored_at=stored_at,
        tree_size=tree_size,
    )
    if isinstance(header, PeopleHeader):
        row.number, row.urgency = header.number, header.urgency
        row.handling, row.category = header.handling, header.category
    if isinstance(header, DeadlineHeader) and header.deadlines is not None:
        row.sign_by = header.deadlines.sign_by
        row.first_feedback_by = header.deadlines.first_feedback_by
        row.result_by = header.deadlines.result_by
    if stamp is not None:
        row.leaf_index, row.admitted_at = stamp.leaf.index, stamp.leaf.admitted_at
        row.directory_version, row.delivery_seq = stamp.leaf.directory, stamp.delivery_seq
    return row


def add_messages(rows: Sequence[Message]) -> None:
    """Inserts messages inside the caller's transaction and gives each its key; raises IntegrityError."""
    insert(Message, rows)
    keys: dict[tuple[str, str], int] = {}
    for first in range(0, len(rows), IDS_AT_ONCE):
        ids = [row.message_id for row in rows[first : first + IDS_AT_ONCE]]
        stored = Message.objects.filter(message_id__in=ids).values_list("origin", "message_id", "pk")
        keys.update({(origin, message_id): key for origin, message_id, key in stored})
    for row in rows:
        row.pk = keys[row.origin, row.message_id]


def stored_record(message: Message) -> InRecord | OutRecord:
    """The record of a message as it was delivered, or as it was sent where it is this province's own."""
    value = bytes(Record.objects.values_list("value", flat=True).get(message=message))
    return parse_in(value) if message.delivery_seq is not None else parse_out(value)
