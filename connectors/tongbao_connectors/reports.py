"""Stage reports: what this province has to say of others' messages, and what others say of its own.

Every report is a row. One's own wait to be sent in a receipt; others' came in one. Nothing is reported of
receipts, notices and heads, so that no receipt ever answers a receipt.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tongbao_broker.statements import batched, places, select
from tongbao_connectors.store.models import Message, Outbox, StageReport
from tongbao_schemas.codes import PEOPLES_TYPES, Stage
from tongbao_schemas.header import ConnectorItem, DeskItem, Header, ReceiptHeader, RefusedItem

if TYPE_CHECKING:
    from tongbao_connectors.acceptance import Vouched
    from tongbao_connectors.routing import Decision

Item = ConnectorItem | DeskItem | RefusedItem
_OUTBOX = Outbox._meta.db_table


def of_message(message: Message, stage: Stage, at: datetime, **by: str) -> StageReport:
    """A report on a received message, to be sent.

    `by` is `unit` (its name) and `officer_ref` where a person acted.
    """
    subject = _subject(message.message_id, message.origin, message.status, message.digest)
    return StageReport(**subject, stage=stage, at=at, pending=True, **by)


def of_arrival(
    header: Header, digest: str, decision: "Decision | None", at: datetime
) -> Iterator[dict[str, Any]]:
    """`delivered`, and `routed` with who is accountable where it was routed, as rows."""
    if header.type not in PEOPLES_TYPES:
        return
    report = _subject(header.id, header.origin, header.status, digest) | {"at": at, "pending": True}
    yield {**report, "stage": Stage.DELIVERED}
    if decision is not None:
        by = {"unit": decision.unit_name, "officer_ref": decision.officer_ref}
        yield {**report, "stage": Stage.ROUTED, **by}


def _subject(message_id: str, origin: str, status: str, digest: str) -> dict[str, Any]:
    return {"of": message_id, "of_origin": origin, "of_status": status, "digest": digest}


def of_refusal(signed: "Vouched", code: str, at: datetime) -> StageReport:
    """`refused` with its code, to the origin that the record's signature vouches for."""
    return StageReport(
        of=signed.message_id,
        of_origin=signed.origin,
        of_status=signed.status,
        digest=signed.digest,
        stage=Stage.REFUSED,
        at=at,
        code=code,
        pending=True,
    )


def from_receipts(received: Sequence[tuple[int, ReceiptHeader]]) -> Iterator[dict[str, Any]]:
    """What receipts (by their messages' keys) say of this province's own messages, as rows.

    Who wasn't addressed has nothing to report.
    """
    own = _own_messages(header for _, header in received)
    for key, header in received:
        for item in _items(header):
            message = own.get(item.digest)
            if message is not None and header.origin in message.audience:
                yield _reported(key, header, item, message)


class _Own(NamedTuple):
    """What is looked at of an own message that is reported on."""

    message_id: str
    origin: str
    status: str
    digest: str
    audience: tuple[str, ...]


def _items(header: ReceiptHeader) -> list[Item]:
    return [item for item in header.content.items if isinstance(item, Item)]


def _own_messages(receipts: Iterable[ReceiptHeader]) -> dict[str, _Own]:
    """This province's own messages that receipts report on, by digest."""
    items = [item for header in receipts for item in _items(header)]
    named = {item.of for item in items if item.of}
    nameless = {item.digest for item in items if not item.of}
    return {own.digest: own for own in (*_sent("message_id", named), *_sent("digest", nameless))}


def _sent(column: str, values: Iterable[str]) -> Iterator[_Own]:
    for some in batched(values):
        own = f'"id" IN (SELECT "message_id" FROM "{_OUTBOX}")'  # noqa: S608 - names of ours
        condition = f'"{column}" IN {places(some)} AND {own}'
        found = select('"message_id", "origin", "status", "digest", "audience"', Message, condition, some)
        yield from (_Own._make((*facts, tuple(audience.split(",")))) for *facts, audience in found)


def _reported(key: int, header: ReceiptHeader, item: Item, message: _Own) -> dict[str, Any]:
    report = _subject(message.message_id, message.origin, message.status, message.digest)
    report |= {"place": header.origin, "stage": item.stage, "at": item.at, "receipt_id": key}
    if isinstance(item, DeskItem):
        report |= {"unit": item.by.unit, "officer_ref": item.by.officer_ref}
    elif isinstance(item, RefusedItem):
        report["code"] = item.code
    return report
