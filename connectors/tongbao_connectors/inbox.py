"""The way in: what a batch brings about is stored in one transaction with the cursor's step.

Messages with their exact bytes and content keys, routing, stage reports to be sent, what notices and heads
say of own messages, refused records, missing delivery numbers, roots to compare: all of it, or, after a
crash, none of it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tongbao_broker.insertion import insert
from tongbao_broker.statements import batched, places, update
from tongbao_broker.streams import cursor
from tongbao_connectors import deliveries, effects, incidents, ledger, refusing, reports, settling
from tongbao_connectors.acceptance import Accept, Examined, HeadRead
from tongbao_connectors.intake import Intake
from tongbao_connectors.routing import Decision
from tongbao_connectors.store.models import (
    ContentKey,
    InboxItem,
    Notice,
    Record,
    Reference,
    StageReport,
)
from tongbao_connectors.store.records import add_messages, message_facts, reference_facts
from tongbao_schemas.bodies.answer import AnswerBody
from tongbao_schemas.codes import PEOPLES_TYPES
from tongbao_schemas.header import AdmittedNotice, AlertHeader, NoticeHeader, ReceiptHeader, RejectedNotice

Stored = tuple[int, Accept, Decision | None]
"""A message's key, and what it was made from."""


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
    keys = add_messages([_facts(accept, intake.at) for accept, _ in intake.accepted])
    stored = [(key, *accepted) for key, accepted in zip(keys, intake.accepted, strict=True)]
    _store_contents(stored)
    _store_items(stored, intake.at)
    _store_reports(stored, intake.at)
    _join_orphans([accept.examined for accept, _ in intake.accepted])
    effects.apply(stored, intake.at)


def _store_contents(stored: Sequence[Stored]) -> None:
    insert(Record, ({"message_id": key, "value": accept.examined.value} for key, accept, _ in stored))
    insert(ContentKey, ({"message_id": key, "cek": accept.cek} for key, accept, _ in stored if accept.cek))
    insert(Reference, (ref for key, accept, _ in stored for ref in _references(key, accept)))


def _store_items(stored: Sequence[Stored], at: datetime) -> None:
    insert(InboxItem, (_item(key, accept, decision, at) for key, accept, decision in stored if decision))
    insert(Notice, (notice for key, accept, _ in stored for notice in _notice(key, accept)))


def _store_reports(stored: Sequence[Stored], at: datetime) -> None:
    own = [
        report
        for _, accept, decision in stored
        for report in reports.of_arrival(accept.examined.header, accept.examined.digest, decision, at)
    ]
    headers = [(key, accept.examined.header) for key, accept, _ in stored]
    receipts = [(key, header) for key, header in headers if isinstance(header, ReceiptHeader)]
    insert(StageReport, [*own, *reports.from_receipts(receipts)])


def _facts(accept: Accept, at: datetime) -> dict[str, Any]:
    examined = accept.examined
    return message_facts(
        examined.header,
        examined.digest,
        stored_at=at,
        answer_kind=accept.body.kind if isinstance(accept.body, AnswerBody) else "",
        stamp=examined.stamp,
        tree_size=examined.checkpoint.size,
    )


def _references(key: int, accept: Accept) -> Iterator[dict[str, Any]]:
    for ref in accept.examined.header.refs:
        known = ref not in accept.orphans
        yield reference_facts(key, ref, known=known)


def _item(key: int, accept: Accept, decision: Decision, at: datetime) -> dict[str, Any]:
    header = accept.examined.header
    return {
        "message_id": key,
        "unit": decision.unit,
        "officer_ref": decision.officer_ref,
        "rule": decision.rule,
        "steps": [step.as_json() for step in decision.steps],
        "routed_at": at,
        "urgency": getattr(header, "urgency", ""),
        "due_at": header.deadlines.sign_by if isinstance(header, AlertHeader) else None,
    }


def _notice(key: int, accept: Accept) -> Iterator[dict[str, Any]]:
    header = accept.examined.header
    if isinstance(header, NoticeHeader):
        content = header.content
        yield {
            "message_id": key,
            "kind": content.kind,
            "of": content.of or "",
            "digest": content.digest or "",
            "at": content.at,
            "index": content.index if isinstance(content, AdmittedNotice) else None,
            "code": content.code if isinstance(content, RejectedNotice) else "",
        }


def _join_orphans(examined: Sequence[Examined]) -> None:
    """References that waited for one of these messages are known now."""
    arrived = [(one.header.id, one.digest) for one in examined if one.header.type in PEOPLES_TYPES]
    for some in batched(arrived):
        ids, digests = zip(*some, strict=True)
        named = f'"target" IN {places(ids)} AND "target_digest" IN {places(digests)}'
        update(Reference, '"known" = TRUE', f'NOT "known" AND {named}', (*ids, *digests))


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
