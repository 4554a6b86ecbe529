"""The way in: a batch of this province's `in` topic is judged outside any transaction and stored inside one.

1. Whatever a batch brings about is committed with the cursor's step: messages, content keys, routing, stage
   reports to be sent, what notices and heads say of own messages, refused records, gaps.
2. On `Hold` the batch ends before that record; what came before it is stored.
3. A refused record goes into quarantine. Its origin is told by a `refused` report if the signature was
   good, the entry was proved, and the record isn't itself a receipt, notice or head: nothing is ever sent
   in reply to those.
4. A record that our own code stumbles over is our trouble: quarantined with its bytes, and nobody is told
   that he is at fault.
5. `actual` and `exercise` messages are routed to exactly one accountable officer; `test` ends at `delivered`.
6. Delivery numbers that are skipped are kept as gaps and are an incident; a late one closes its gap.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from tongbao_broker import logs
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.kafka.reader import Record as KafkaRecord
from tongbao_broker.streams import cursor
from tongbao_broker.trust.checkpoint import Checkpoint
from tongbao_broker.trust.keys import SealKey
from tongbao_connectors import deliveries, incidents, ledger, settling
from tongbao_connectors.acceptance import (
    Accept,
    Duplicate,
    Examined,
    HeadRead,
    Hold,
    Known,
    KnownMessage,
    Passed,
    Reject,
    View,
    decide,
    examine,
    mentioned,
    vouched,
)
from tongbao_connectors.roster import Roster, Step
from tongbao_connectors.routing import Decision, Facts, RoutingTable
from tongbao_connectors.store.models import (
    ContentKey,
    Draft,
    InboxItem,
    Message,
    Notice,
    Quarantine,
    Record,
    Reference,
    StageReport,
)
from tongbao_connectors.store.records import message_row
from tongbao_connectors.trusting import Trusting
from tongbao_schemas.bodies.alert import AlertBody
from tongbao_schemas.bodies.answer import AnswerBody
from tongbao_schemas.codes import EXCHANGE, PEOPLES_TYPES, MessageType, Stage, Status
from tongbao_schemas.header import (
    AdmittedNotice,
    ConnectorItem,
    DeskItem,
    NoticeHeader,
    PeopleHeader,
    ProvinceHeader,
    ReceiptHeader,
    RefusedItem,
    RejectedNotice,
)
from tongbao_schemas.refusals import Code

SENDER = "sender"
"""The name of the rule by which what belongs to an own alert goes to the officer who sent it."""

STAMP_FAULTS = frozenset(
    {
        Code.STAMP_SHAPE,
        Code.CHECKPOINT_FORM,
        Code.CHECKPOINT_SIGNATURE,
        Code.CHECKPOINT_NETWORK,
        Code.PROOF_WRONG,
        Code.STAMP_OF_ANOTHER_MESSAGE,
    }
)
"""Refusals that only the exchange, or somebody in its place, can be the cause of."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that goes into quarantine."""

    record: KafkaRecord
    reject: Reject


@dataclass(slots=True)
class Intake:
    """What one batch brings about. `next` is where the cursor goes; `held` says why it goes no further."""

    batch: Batch
    at: datetime
    next: int
    accepted: list[tuple[Accept, Decision | None]] = field(default_factory=list)
    said: list[AdmittedNotice | RejectedNotice | HeadRead] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    claims: list[ledger.Claim] = field(default_factory=list)
    ahead: list[ProvinceHeader] = field(default_factory=list)
    held: str = ""


@dataclass(frozen=True, slots=True)
class Inbox:
    """The way in of one province."""

    code: str
    network: str
    seal_keys: Mapping[str, SealKey]
    routing: RoutingTable
    roster: Roster

    def read(self, batch: Batch, trusting: Trusting, now: datetime) -> Intake:
        """Judges a batch: everything that costs time, nothing that changes anything."""
        view = View(self.code, self.network, trusting.directory, trusting.directory_at, self.seal_keys, now)
        examined = [(record, _guarded(record, view)) for record in batch.records]
        known = _known([outcome for _, outcome in examined if isinstance(outcome, Examined)])
        intake = Intake(batch, now, batch.next)
        senders = _senders([outcome for _, outcome in examined if isinstance(outcome, Examined)])
        for record, found in examined:
            outcome = _decided(record, found, known, view) if isinstance(found, Examined) else found
            if isinstance(outcome, Hold):
                intake.held, intake.next = outcome.reason, record.offset
                break
            self._note(intake, record, outcome, known, senders)
        return intake

    def store(self, intake: Intake) -> int:
        """Stores an intake inside the caller's transaction.

        How many own messages it settled. Raises Fenced.
        """
        batch = intake.batch
        cursor.advance(batch.topic, batch.start, intake.next, batch.cluster_id, batch.topic_id)
        incidents.note_lost(batch, intake.at)
        self._store_messages(intake)
        _quarantine(intake)
        deliveries.note(intake.arrived, _promised(intake), intake.at)
        ledger.remember_seen(intake.checkpoints)
        ledger.compare(intake.claims, intake.at)
        for header in intake.ahead:
            incidents.note(
                "seen_ahead",
                f"{header.origin}:{header.id}",
                intake.at,
                origin=header.origin,
                size=header.seen.size,
            )
        return _listen(intake)

    def _note(
        self,
        intake: Intake,
        record: KafkaRecord,
        outcome: Accept | Duplicate | Reject | HeadRead | Passed,
        known: Known,
        senders: Mapping[str, str],
    ) -> None:
        match outcome:
            case Accept(examined=examined):
                known.add(_fact(examined))
                intake.accepted.append((outcome, self._route(outcome, senders, intake.at)))
                intake.arrived.append(examined.stamp.delivery_seq)
                _note_roots(intake, examined)
                if isinstance(examined.header, NoticeHeader):
                    content = examined.header.content
                    if isinstance(content, AdmittedNotice | RejectedNotice):
                        intake.said.append(content)
            case Duplicate(examined=examined):
                intake.arrived.append(examined.stamp.delivery_seq)
            case HeadRead(header=header, checkpoint=checkpoint):
                intake.said.append(outcome)
                intake.checkpoints.append(checkpoint)
                intake.claims.append(_root_of(checkpoint, header.id))
            case Reject(stamp=stamp):
                intake.refused.append(Refused(record, outcome))
                if stamp is not None:
                    intake.arrived.append(stamp.delivery_seq)
            case Passed():
                pass

    def _route(self, accept: Accept, senders: Mapping[str, str], at: datetime) -> Decision | None:
        """Where a person's message goes; None for what no officer handles."""
        header = accept.examined.header
        if not isinstance(header, PeopleHeader) or header.status is Status.TEST:
            return None
        sender = self.roster.officers.get(senders.get(header.thread, ""))
        if sender is not None:
            return self._to_sender(sender.officer_ref, sender.unit, at)
        destinations = accept.body.destinations if isinstance(accept.body, AlertBody) else ()
        return self.routing.decide(Facts(header.category, header.urgency, destinations, at), self.roster)

    def _to_sender(self, officer_ref: str, unit: str, at: datetime) -> Decision:
        accountable = self.roster.present(unit, officer_ref, at)
        step = Step(
            f"送交签发本省原通报的 {officer_ref}", f"goes to {officer_ref}, who sent the alert it belongs to"
        )
        return Decision(unit, accountable.officer_ref, SENDER, (step, *accountable.steps))

    def _store_messages(self, intake: Intake) -> None:
        if not intake.accepted:
            return
        rows = Message.objects.bulk_create([_row(accept, intake.at) for accept, _ in intake.accepted])
        stored = [
            (row, accept, decision) for row, (accept, decision) in zip(rows, intake.accepted, strict=True)
        ]
        Record.objects.bulk_create(
            [Record(message=row, value=accept.examined.value) for row, accept, _ in stored]
        )
        ContentKey.objects.bulk_create(
            [ContentKey(message=row, cek=accept.cek) for row, accept, _ in stored if accept.cek]
        )
        Reference.objects.bulk_create([ref for row, accept, _ in stored for ref in _references(row, accept)])
        InboxItem.objects.bulk_create(
            [_item(row, decision, intake.at) for row, _, decision in stored if decision]
        )
        Notice.objects.bulk_create([notice for row, accept, _ in stored for notice in _notice(row, accept)])
        own = [
            report for row, _, decision in stored for report in self._own_reports(row, decision, intake.at)
        ]
        StageReport.objects.bulk_create([*own, *self._reported(stored)])
        _join_orphans([row for row, _, _ in stored if row.type in PEOPLES_TYPES])

    def _own_reports(self, row: Message, decision: Decision | None, at: datetime) -> Iterator[StageReport]:
        """`delivered`, and `routed` with who is accountable; nothing for receipts and notices."""
        if row.type not in PEOPLES_TYPES:
            return
        facts = {
            "of": row.message_id,
            "of_origin": row.origin,
            "of_status": row.status,
            "digest": row.digest,
            "at": at,
            "pending": True,
        }
        yield StageReport(stage=Stage.DELIVERED, **facts)
        if decision is not None:
            unit = self.roster.units[decision.unit].name
            yield StageReport(stage=Stage.ROUTED, unit=unit, officer_ref=decision.officer_ref, **facts)

    def _reported(self, stored: Sequence[tuple[Message, Accept, Any]]) -> Iterator[StageReport]:
        """What receipts say of this province's own messages. Who wasn't addressed has nothing to report."""
        receipts = [
            (row, accept.examined.header)
            for row, accept, _ in stored
            if isinstance(accept.examined.header, ReceiptHeader)
        ]
        own = _own_messages(self.code, [header for _, header in receipts])
        for row, header in receipts:
            for item in header.content.items:
                if isinstance(item, ConnectorItem | DeskItem | RefusedItem):
                    message = own.get(item.digest)
                    if message is not None and header.origin in message.audience_codes:
                        yield _reported_stage(row, header, item, message)


def _guarded(record: KafkaRecord, view: View) -> Examined | HeadRead | Passed | Reject | Hold:
    """Steps 1 to 3; a record that can't be read, or that our code stumbles over, is refused as unreadable."""
    if record.value is None:
        return Reject(Code.RECORD_UNREADABLE)
    try:
        return examine(record.value, view)
    except Exception:
        return _stumbled(record, view)


def _decided(
    record: KafkaRecord, examined: Examined, known: Known, view: View
) -> Accept | Duplicate | Reject | Hold:
    try:
        return decide(examined, known, view)
    except Exception:
        return replace(_stumbled(record, view), stamp=examined.stamp)


def _stumbled(record: KafkaRecord, view: View) -> Reject:
    log.exception("a record can't be judged", offset=record.offset)
    signed = vouched(record.value or b"", view)
    return Reject(Code.RECORD_UNREADABLE, "", replace(signed, answerable=False) if signed else None)


def _known(examined: Sequence[Examined]) -> Known:
    """What is stored of the messages that a batch mentions."""
    ids = mentioned(examined)
    rows = Message.objects.filter(message_id__in=ids) if ids else ()
    return Known.of(
        KnownMessage(
            row.origin,
            row.message_id,
            row.thread,
            row.type,
            row.status,
            row.digest,
            row.audience_codes,
            row.admitted_at or row.issued_at,
        )
        for row in rows
    )


def _fact(examined: Examined) -> KnownMessage:
    header = examined.header
    return KnownMessage(
        header.origin,
        header.id,
        header.thread,
        header.type,
        header.status,
        examined.digest,
        header.audience,
        examined.stamp.leaf.admitted_at,
    )


def _senders(examined: Sequence[Examined]) -> Mapping[str, str]:
    """Thread → who submitted the alert of this province that opened it."""
    threads = {
        one.header.thread
        for one in examined
        if one.header.type in PEOPLES_TYPES and one.header.thread != one.header.id
    }
    rows = Draft.objects.filter(message_id__in=threads, type=MessageType.ALERT) if threads else None
    return dict(rows.values_list("message_id", "submitted_by")) if rows is not None else {}


def _note_roots(intake: Intake, examined: Examined) -> None:
    """The checkpoint that proves the entry, and the one that the sender says he saw before."""
    intake.checkpoints.append(examined.checkpoint)
    intake.claims.append(_root_of(examined.checkpoint, examined.header.id))
    header = examined.header
    if not isinstance(header, ProvinceHeader):
        return
    if header.seen.size > examined.stamp.leaf.index:
        intake.ahead.append(header)
    else:
        intake.claims.append(ledger.Claim(header.seen.size, header.seen.root, header.origin, header.id))


def _root_of(checkpoint: Checkpoint, message_id: str) -> ledger.Claim:
    return ledger.Claim(checkpoint.size, checkpoint.root.hex(), EXCHANGE, message_id)


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


def _own_messages(code: str, receipts: Iterable[ReceiptHeader]) -> dict[str, Message]:
    """This province's own messages that receipts report on, by digest."""
    items = [item for header in receipts for item in header.content.items]
    ids = {item.of for item in items if isinstance(item, ConnectorItem | DeskItem | RefusedItem) and item.of}
    nameless = {item.digest for item in items if isinstance(item, RefusedItem) and not item.of}
    rows = list(Message.objects.filter(origin=code, message_id__in=ids)) if ids else []
    if nameless:
        rows.extend(Message.objects.filter(origin=code, digest__in=nameless))
    return {row.digest: row for row in rows}


def _reported_stage(
    receipt: Message, header: ReceiptHeader, item: ConnectorItem | DeskItem | RefusedItem, message: Message
) -> StageReport:
    return StageReport(
        place=header.origin,
        of=message.message_id,
        of_origin=message.origin,
        of_status=message.status,
        digest=message.digest,
        stage=item.stage,
        at=item.at,
        unit=item.by.unit if isinstance(item, DeskItem) else "",
        officer_ref=item.by.officer_ref if isinstance(item, DeskItem) else "",
        code=item.code if isinstance(item, RefusedItem) else "",
        receipt=receipt,
    )


def _join_orphans(rows: Sequence[Message]) -> None:
    """References that waited for one of these messages are known now."""
    if rows:
        digests = [row.digest for row in rows]
        waiting = Reference.objects.filter(target__in=[row.message_id for row in rows], known=False)
        waiting.filter(target_digest__in=digests).update(known=True)


def _quarantine(intake: Intake) -> None:
    if not intake.refused:
        return
    Quarantine.objects.bulk_create(
        [_quarantined(refused, intake) for refused in intake.refused], ignore_conflicts=True
    )
    StageReport.objects.bulk_create(
        [report for refused in intake.refused for report in _refused_report(refused.reject, intake.at)]
    )
    for refused in intake.refused:
        _alarm(refused, intake)


def _quarantined(refused: Refused, intake: Intake) -> Quarantine:
    value, signed = refused.record.value, refused.reject.vouched
    return Quarantine(
        topic=intake.batch.topic,
        topic_id=intake.batch.topic_id,
        partition=0,
        offset=refused.record.offset,
        sha256=sha256(value or b"").hexdigest(),
        size=len(value or b""),
        code=refused.reject.code,
        where=refused.reject.where[:120],
        origin=signed.origin if signed else "",
        message_id=signed.message_id if signed else "",
        digest=signed.digest if signed else "",
        noted_at=intake.at,
        value=value if signed else None,
    )


def _refused_report(reject: Reject, at: datetime) -> Iterator[StageReport]:
    signed = reject.vouched
    if signed is not None and signed.answerable and reject.stamp is not None:
        yield StageReport(
            of=signed.message_id,
            of_origin=signed.origin,
            of_status=signed.status,
            digest=signed.digest,
            stage=Stage.REFUSED,
            at=at,
            code=reject.code,
            pending=True,
        )


def _alarm(refused: Refused, intake: Intake) -> None:
    code, offset = refused.reject.code, refused.record.offset
    log.warning(
        "record refused", topic=intake.batch.topic, offset=offset, code=str(code), where=refused.reject.where
    )
    if code in STAMP_FAULTS:
        subject = f"{intake.batch.topic_id}:{offset}"
        incidents.note("stamp", subject, intake.at, topic=intake.batch.topic, offset=offset, code=str(code))
    if code == Code.EQUIVOCATION and refused.reject.vouched is not None:
        signed = refused.reject.vouched
        subject = f"{signed.origin}:{signed.message_id}:{signed.digest}"
        incidents.note("equivocation", subject, intake.at, origin=signed.origin, id=signed.message_id)


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
