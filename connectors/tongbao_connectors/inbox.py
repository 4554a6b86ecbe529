"""The way in: what a batch brings about is stored in one transaction with the cursor's step.

Messages with their exact bytes and content keys, routing, stage reports to be sent, what notices and heads
say of own messages, refused records, missing delivery numbers, roots to compare: all of it, or, after a
crash, none of it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tongbao_broker.insertion import insert
from tongbao_broker.streams import cursor
from tongbao_connectors import deliveries, incidents, ledger, refusing, reports, settling
from tongbao_connectors.acceptance import Accept, HeadRead
from tongbao_connectors.intake import Intake
from tongbao_connectors.routing import Decision
from tongbao_connectors.store.models import (
    ContentKey,
    InboxItem,
    Message,
    Notice,
    Record,
    Reference,
    StageReport,
)
from tongbao_connectors.store.records import add_messages, message_row
from tongbao_schemas.bodies.answer import AnswerBody
from tongbao_schemas.codes import PEOPLES_TYPES
from tongbao_schemas.header import AdmittedNotice, NoticeHeader, ReceiptHeader, RejectedNotice

Stored = tuple[Message, Accept, Decision | None]


def store(intake: Intake) -> int:
    """Stores an intake inside the caller's transaction; how many own messages it settled. Raises Fenced."""
    batch, at = intake.batch, intake.at
    cursor.advance(batch.topic, batch.start, intake.next, batch.cluster_id, batch.topic_id)
    incidents.note_lost(batch, at)
    refusing.put(intake.refused, batch, at)
    return take_in(intake)


def take_in(intake: Intake) -> int:
    """Stores what an intake's good records bring about, inside the caller's transaction.

    How many own messages it settled. Where the records came from doesn't matter.
    """
    at = intake.at
    _store_messages(intake)
    deliveries.note(intake.arrived, _promised(intake), at)
    ledger.remember_seen(intake.checkpoints)
    ledger.compare(intake.claims, at)
    _note_ahead(intake)
    return _listen(intake)


def _store_messages(intake: Intake) -> None:
    if not intake.accepted:
        return
    rows = [_row(accept, intake.at) for accept, _ in intake.accepted]
    add_messages(rows)
    stored = [(row, *accepted) for row, accepted in zip(rows, intake.accepted, strict=True)]
    _store_contents(stored)
    _store_items(stored, intake.at)
    _store_reports(stored, intake.at)
    _join_orphans([row for row in rows if row.type in PEOPLES_TYPES])


def _store_contents(stored: Sequence[Stored]) -> None:
    insert(Record, ({"message_id": row.pk, "value": accept.examined.value} for row, accept, _ in stored))
    insert(ContentKey, ({"message_id": row.pk, "cek": accept.cek} for row, accept, _ in stored if accept.cek))
    insert(Reference, (ref for row, accept, _ in stored for ref in _references(row, accept)))


def _store_items(stored: Sequence[Stored], at: datetime) -> None:
    insert(InboxItem, (_item(row, decision, at) for row, _, decision in stored if decision))
    insert(Notice, (notice for row, accept, _ in stored for notice in _notice(row, accept)))


def _store_reports(stored: Sequence[Stored], at: datetime) -> None:
    own = [report for row, _, decision in stored for report in reports.of_arrival(row, decision, at)]
    headers = [(row, accept.examined.header) for row, accept, _ in stored]
    receipts = [(row, header) for row, header in headers if isinstance(header, ReceiptHeader)]
    insert(StageReport, [*own, *reports.from_receipts(receipts)])


def _row(accept: Accept, at: datetime) -> Message:
    examined = accept.examined
    return message_row(
        examined.header,
        examined.digest,
        stored_at=at,
        answer_kind=accept.body.kind if isinstance(accept.body, AnswerBody) else "",
        stamp=examined.stamp,
        tree_size=examined.checkpoint.size,
    )


def _references(row: Message, accept: Accept) -> Iterator[Reference]:
    for ref in accept.examined.header.refs:
        known = ref not in accept.orphans
        yield Reference(
            message=row, relation=ref.relation, target=ref.id, target_digest=ref.digest, known=known
        )


def _item(row: Message, decision: Decision, at: datetime) -> InboxItem:
    return InboxItem(
        message=row,
        unit=decision.unit,
        officer_ref=decision.officer_ref,
        rule=decision.rule,
        steps=[step.as_json() for step in decision.steps],
        routed_at=at,
    )


def _notice(row: Message, accept: Accept) -> Iterator[Notice]:
    header = accept.examined.header
    if isinstance(header, NoticeHeader):
        content = header.content
        yield Notice(
            message=row,
            kind=content.kind,
            of=content.of or "",
            digest=content.digest or "",
            at=content.at,
            index=content.index if isinstance(content, AdmittedNotice) else None,
            code=content.code if isinstance(content, RejectedNotice) else "",
        )


def _join_orphans(rows: Sequence[Message]) -> None:
    """References that waited for one of these messages are known now."""
    if rows:
        digests = [row.digest for row in rows]
        waiting = Reference.objects.filter(target__in=[row.message_id for row in rows], known=False)
        waiting.filter(target_digest__in=digests).update(known=True)


def _note_ahead(intake: Intake) -> None:
    """Nobody has seen a checkpoint that was signed after his own message was logged."""
    for header in intake.ahead:
        subject = f"{header.origin}:{header.id}"
        incidents.note("seen_ahead", subject, intake.at, origin=header.origin, size=header.seen.size)


def _promised(intake: Intake) -> int:
    """The highest delivery number that a head in the batch speaks of.

    Every delivery up to it has been written.
    """
    heads = [said.header.content.delivery_seq for said in intake.said if isinstance(said, HeadRead)]
    return max(heads, default=0)


def _listen(intake: Intake) -> int:
    """Applies what notices and heads say, in their order; how many own messages are settled by it."""
    settled, admitted = 0, []
    for said in intake.said:
        if isinstance(said, AdmittedNotice):
            admitted.append(said.of)
            continue
        settled += settling.settle(admitted, intake.at)
        admitted = []
        if isinstance(said, RejectedNotice):
            settling.reject(said, intake.at)
        else:
            settled += settling.apply_head(said.header.content, intake.at)
    return settled + settling.settle(admitted, intake.at)
