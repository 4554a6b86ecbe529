"""Reading a batch of this province's `in` topic: everything is judged and decided, nothing is changed.

1. On `Hold` the batch ends before that record; what came before it counts.
2. A record that our own code stumbles over is our trouble: it is refused as unreadable, and nobody is told
   that he is at fault.
3. `actual` and `exercise` messages of people are routed to exactly one accountable officer: what belongs to
   an own alert to the officer who sent that, what follows a received one to the officer who holds that, and
   anything else by the rules. `test` reaches nobody, and an attachment is found at what it belongs to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tongbao_broker import logs
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.kafka.reader import Record as KafkaRecord
from tongbao_broker.statements import aware, batched, places, select
from tongbao_broker.trust.checkpoint import Checkpoint
from tongbao_broker.trust.keys import SealKey
from tongbao_connectors import ledger
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
from tongbao_connectors.duty import current
from tongbao_connectors.refusing import RefusedRecord
from tongbao_connectors.roster import Roster, Step
from tongbao_connectors.routing import HOLDER, SENDER, Decision, Facts, RoutingTable
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import Draft, InboxItem, Message
from tongbao_connectors.trusting import Trusting
from tongbao_schemas.bodies.alert import AlertBody
from tongbao_schemas.codes import EXCHANGE, PEOPLES_TYPES, MessageType, Status
from tongbao_schemas.header import AdmittedNotice, NoticeHeader, PeopleHeader, ProvinceHeader, RejectedNotice
from tongbao_schemas.refusals import Code

_KNOWN_COLUMNS = (
    '"origin", "message_id", "thread", "type", "status", "digest", "audience", "admitted_at", "issued_at"'
)

log = logs.get(__name__)


@dataclass(slots=True)
class Intake:
    """What one batch brings about. `next` is where the cursor goes; `held` says why it goes no further."""

    batch: Batch
    at: datetime
    next: int
    accepted: list[tuple[Accept, Decision | None]] = field(default_factory=list)
    said: list[AdmittedNotice | RejectedNotice | HeadRead] = field(default_factory=list)
    refused: list[RefusedRecord] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    claims: list[ledger.Claim] = field(default_factory=list)
    ahead: list[ProvinceHeader] = field(default_factory=list)
    held: str = ""


@dataclass(frozen=True, slots=True)
class Reception:
    """What one province judges and routes by."""

    code: str
    network: str
    seal_keys: Mapping[str, SealKey]
    routing: RoutingTable
    roster: Roster

    @classmethod
    def of(cls, settings: ConnectorSettings) -> "Reception":
        """By what a province's folder and the changes of shifts say now; raises BadConfiguration."""
        return cls(
            settings.code,
            settings.network,
            settings.seal_keys(),
            settings.routing(),
            current.roster(settings),
        )

    def read(self, batch: Batch, trusting: Trusting, now: datetime) -> Intake:
        """Judges a batch: everything that costs time, nothing that changes anything."""
        view = View(self.code, self.network, trusting.directory, trusting.directory_at, self.seal_keys, now)
        examined = [(record, _guarded(record, view)) for record in batch.records]
        known = _known([outcome for _, outcome in examined if isinstance(outcome, Examined)])
        intake = Intake(batch, now, batch.next)
        near = _Near.of([outcome for _, outcome in examined if isinstance(outcome, Examined)])
        for record, found in examined:
            outcome = _decided(record, found, known, view) if isinstance(found, Examined) else found
            if isinstance(outcome, Hold):
                intake.held, intake.next = outcome.reason, record.offset
                break
            self._note(intake, record, outcome, known, near)
        return intake

    def _note(
        self,
        intake: Intake,
        record: KafkaRecord,
        outcome: Accept | Duplicate | Reject | HeadRead | Passed,
        known: Known,
        near: "_Near",
    ) -> None:
        match outcome:
            case Accept(examined=examined):
                known.add(_fact(examined))
                decision = self._route(outcome, near, intake.at)
                near.note(outcome, decision)
                intake.accepted.append((outcome, decision))
                intake.arrived.append(examined.stamp.delivery_seq)
                _note_roots(intake, examined)
                _note_word(intake, examined)
            case Duplicate(examined=examined):
                intake.arrived.append(examined.stamp.delivery_seq)
            case HeadRead(header=header, checkpoint=checkpoint):
                intake.said.append(outcome)
                intake.checkpoints.append(checkpoint)
                intake.claims.append(_root_of(checkpoint, header.id))
            case Reject(stamp=stamp):
                intake.refused.append(RefusedRecord(record, outcome))
                if stamp is not None:
                    intake.arrived.append(stamp.delivery_seq)
            case Passed():
                pass

    def _route(self, accept: Accept, near: "_Near", at: datetime) -> Decision | None:
        """Where a person's message goes; None for what no officer handles."""
        header = accept.examined.header
        if not isinstance(header, PeopleHeader) or header.status is Status.TEST:
            return None
        if header.type is MessageType.ATTACHMENT:
            return None
        sender = self.roster.officers.get(near.senders.get(header.thread, ""))
        if sender is not None:
            return self._to_sender(sender.officer_ref, sender.unit, at)
        unit, holder = near.holders.get(header.thread, ("", ""))
        if unit in self.roster.units and holder in self.roster.officers:
            return self._to_holder(holder, unit, at)
        destinations = accept.body.destinations if isinstance(accept.body, AlertBody) else ()
        return self.routing.decide(Facts(header.category, header.urgency, destinations, at), self.roster)

    def _to_sender(self, officer_ref: str, unit: str, at: datetime) -> Decision:
        accountable = self.roster.present(unit, officer_ref, at)
        step = Step(
            f"送交签发本省原通报的 {officer_ref}", f"goes to {officer_ref}, who sent the alert it belongs to"
        )
        return Decision(
            unit, accountable.unit_name, accountable.officer_ref, SENDER, (step, *accountable.steps)
        )

    def _to_holder(self, officer_ref: str, unit: str, at: datetime) -> Decision:
        accountable = self.roster.present(unit, officer_ref, at)
        step = Step(
            f"送交承办原通报的 {officer_ref}",
            f"goes to {officer_ref}, with whom the alert it belongs to lies",
        )
        return Decision(
            unit, accountable.unit_name, accountable.officer_ref, HOLDER, (step, *accountable.steps)
        )


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
    known = Known()
    for some in batched(mentioned(examined)):
        for row in select(_KNOWN_COLUMNS, Message, f'"message_id" IN {places(some)}', some):
            known.add(_known_message(*row))
    return known


def _known_message(
    origin: str,
    message_id: str,
    thread: str,
    type: str,
    status: str,
    digest: str,
    audience: str,
    admitted_at: datetime | None,
    issued_at: datetime,
) -> KnownMessage:
    entered_at, addressees = aware(admitted_at or issued_at), tuple(audience.split(","))
    return KnownMessage(origin, message_id, thread, type, status, digest, addressees, entered_at)


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


@dataclass(slots=True)
class _Near:
    """Who is near to the threads of a batch.

    `senders`: who submitted the own alert that opened it. `holders`: unit and officer with whom the received
    alert lies.
    """

    senders: Mapping[str, str]
    holders: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, examined: Sequence[Examined]) -> "_Near":
        """As it is stored."""
        threads = {
            one.header.thread
            for one in examined
            if one.header.type in PEOPLES_TYPES and one.header.thread != one.header.id
        }
        return cls(_senders(threads), _holders(threads)) if threads else cls({}, {})

    def note(self, accept: Accept, decision: Decision | None) -> None:
        """An alert of this batch counts for what follows it in the batch."""
        header = accept.examined.header
        if decision is not None and header.type is MessageType.ALERT:
            self.holders[header.thread] = decision.unit, decision.officer_ref


def _senders(threads: Collection[str]) -> Mapping[str, str]:
    rows = Draft.objects.filter(message_id__in=threads, type=MessageType.ALERT)
    return dict(rows.values_list("message_id", "submitted_by"))


def _holders(threads: Collection[str]) -> dict[str, tuple[str, str]]:
    items = InboxItem.objects.filter(message__message_id__in=threads, message__type=MessageType.ALERT)
    rows = items.values_list("message__message_id", "unit", "officer_ref", "claimed_by", "assigned_to")
    return {
        thread: (unit, assigned or claimed or accountable)
        for thread, unit, accountable, claimed, assigned in rows
    }


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


def _note_word(intake: Intake, examined: Examined) -> None:
    """What a notice says of an own message."""
    header = examined.header
    if isinstance(header, NoticeHeader) and isinstance(header.content, AdmittedNotice | RejectedNotice):
        intake.said.append(header.content)
