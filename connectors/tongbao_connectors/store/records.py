"""Rows from messages, and exact bytes back from rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tongbao_broker.insertion import insert
from tongbao_broker.statements import select
from tongbao_connectors.store.models import Message, Record
from tongbao_schemas.header import DeadlineHeader, Header, PeopleHeader, Ref
from tongbao_schemas.record import InRecord, OutRecord, parse_in, parse_out
from tongbao_schemas.stamp import Stamp


def message_facts(
    header: Header,
    digest: str,
    *,
    stored_at: datetime,
    answer_kind: str = "",
    stamp: Stamp | None = None,
    tree_size: int | None = None,
) -> dict[str, Any]:
    """The columns of a message's row.

    A received one has its stamp and the size of the tree that proves it.
    """
    facts: dict[str, Any] = {
        "origin": header.origin,
        "message_id": header.id,
        "thread": header.thread,
        "type": header.type,
        "status": header.status,
        "digest": digest,
        "audience": ",".join(header.audience),
        "schema": header.schema_name,
        "issued_at": header.issued_at,
        "expires_at": header.expires_at,
        "answer_kind": answer_kind,
        "stored_at": stored_at,
        "tree_size": tree_size,
    }
    if isinstance(header, PeopleHeader):
        facts |= {name: getattr(header, name) for name in ("number", "urgency", "handling", "category")}
    if isinstance(header, DeadlineHeader) and header.deadlines is not None:
        due = header.deadlines
        facts |= {name: getattr(due, name) for name in ("sign_by", "first_feedback_by", "result_by")}
    if stamp is not None:
        leaf = stamp.leaf
        facts |= {"leaf_index": leaf.index, "admitted_at": leaf.admitted_at}
        facts |= {"directory_version": leaf.directory, "delivery_seq": stamp.delivery_seq}
    return facts


def add_messages(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Inserts messages, given by their facts, in the caller's transaction; their keys.

    Raises IntegrityError.
    """
    if not rows:
        return []
    [(before,)] = select('COALESCE(MAX("id"), 0)', Message, "TRUE", ())
    insert(Message, rows)
    added = select('"origin", "message_id", "id"', Message, '"id" > %s', (before,))
    keys = {(origin, message_id): key for origin, message_id, key in added}
    return [keys[row["origin"], row["message_id"]] for row in rows]


def reference_facts(key: int, ref: Ref, *, known: bool) -> dict[str, Any]:
    """The columns of a reference of the message with this key."""
    return {
        "message_id": key,
        "relation": ref.relation,
        "target": ref.id,
        "target_digest": ref.digest,
        "known": known,
    }


def stored_record(message: Message) -> InRecord | OutRecord:
    """The record of a message as it was delivered, or as it was sent where it is this province's own."""
    value = bytes(Record.objects.values_list("value", flat=True).get(message=message))
    return parse_in(value) if message.delivery_seq is not None else parse_out(value)
