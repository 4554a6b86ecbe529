"""Stage reports: what this province has to say of others' messages, and what others say of its own.

Every report is a row. One's own wait to be sent in a receipt; others' came in one. Nothing is reported of
receipts, notices and heads, so that no receipt ever answers a receipt.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tongbao_connectors.store.models import Message, StageReport
from tongbao_schemas.codes import PEOPLES_TYPES, Stage
from tongbao_schemas.header import ConnectorItem, DeskItem, ReceiptHeader, RefusedItem

if TYPE_CHECKING:
    from tongbao_connectors.acceptance import Vouched
    from tongbao_connectors.routing import Decision

Item = ConnectorItem | DeskItem | RefusedItem


def of_message(message: Message, stage: Stage, at: datetime, **by: str) -> StageReport:
    """A report on a received message, to be sent.

    `by` is `unit` (its name) and `officer_ref` where a person acted.
    """
    return StageReport(
        of=message.message_id,
        of_origin=message.origin,
        of_status=message.status,
        digest=message.digest,
        stage=stage,
        at=at,
        pending=True,
        **by,
    )


def of_arrival(message: Message, decision: "Decision | None", at: datetime) -> Iterator[StageReport]:
    """`delivered`, and `routed` with who is accountable where it was routed."""
    if message.type not in PEOPLES_TYPES:
        return
    yield of_message(message, Stage.DELIVERED, at)
    if decision is not None:
        by = {"unit": decision.unit_name, "officer_ref": decision.officer_ref}
        yield of_message(message, Stage.ROUTED, at, **by)


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


def from_receipts(received: Sequence[tuple[Message, ReceiptHeader]]) -> Iterator[StageReport]:
    """What receipts say of this province's own messages. Who wasn't addressed has nothing to report."""
    own = _own_messages(header for _, header in received)
    for row, header in received:
        for item in _items(header):
            message = own.get(item.digest)
            if message is not None and header.origin in message.audience_codes:
                yield _reported(row, header, item, message)


def _items(header: ReceiptHeader) -> list[Item]:
    return [item for item in header.content.items if isinstance(item, Item)]


def _own_messages(receipts: Iterable[ReceiptHeader]) -> dict[str, Message]:
    """This province's own messages that receipts report on, by digest."""
    items = [item for header in receipts for item in _items(header)]
    if not items:
        return {}
    sent = Message.objects.filter(outbox__isnull=False)
    rows = list(sent.filter(message_id__in={item.of for item in items if item.of}))
    nameless = {item.digest for item in items if not item.of}
    if nameless:
        rows.extend(sent.filter(digest__in=nameless))
    return {row.digest: row for row in rows}


def _reported(receipt: Message, header: ReceiptHeader, item: Item, message: Message) -> StageReport:
    facts: dict[str, Any] = {}
    if isinstance(item, DeskItem):
        facts = {"unit": item.by.unit, "officer_ref": item.by.officer_ref}
    elif isinstance(item, RefusedItem):
        facts = {"code": item.code}
    return StageReport(
        place=header.origin,
        of=message.message_id,
        of_origin=message.origin,
        of_status=message.status,
        digest=message.digest,
        stage=item.stage,
        at=item.at,
        receipt=receipt,
        **facts,
    )
