"""Bringing a province's database up to date from the log, after an old copy of it was put back.

1. The log knows everything that was published: the province's `out` topic holds what it sent, its `in` topic
   what it was sent. Both are read from their first record to their end; what is known changes nothing.
2. An own message is believed by its signature alone. It counts as published, so that it is published again
   until the exchange says that it is settled.
3. No number is given out twice: the counters go up to the highest seq and serial met, and no number that the
   log knows to be used is free any more.
4. What own receipts and answers say was done (reported, signed for, answered) counts as done.
5. All of it is one transaction: a connector that is started meanwhile finds everything, or nothing and
   refuses to start. Doing it twice changes nothing.

What no topic holds is lost: drafts that weren't published, who opened which body, and the `client_ref` of
what was published since the copy was made. Whoever submits such a thing again makes a second message of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from tongbao_broker.database import atomic
from tongbao_broker.errors import Unreachable
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC
from tongbao_broker.streams import cursor
from tongbao_broker.trust.keys import SealKey
from tongbao_broker.trust.sealing import Opened, open_sealed
from tongbao_connectors import following, inbox, numbering
from tongbao_connectors.casework import restoring
from tongbao_connectors.connector import Source
from tongbao_connectors.intake import Reception
from tongbao_connectors.ownlog import Own, own_messages
from tongbao_connectors.publishing import FIRST_REPEAT
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.settling import UNLISTED
from tongbao_connectors.store.models import (
    ContentKey,
    Draft,
    ExchangeHead,
    Message,
    Outbox,
    Record,
    Reference,
    ReleasedSeq,
    StageReport,
)
from tongbao_connectors.store.records import message_facts
from tongbao_connectors.trusting import Trusting
from tongbao_schemas.bodies.answer import AnswerBody
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.bodies.parse import parse_body
from tongbao_schemas.codes import MessageType, Stage
from tongbao_schemas.encoding import sha256_hex
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import ConnectorItem, DeskItem, MissingItem, PeopleHeader, ReceiptHeader

OpenReader = Callable[[Sequence[str]], Source]

POLL_S = 1.0
RECORDS_AT_ONCE = 500
PATIENCE_POLLS = 30
"""So many polls in a row may bring nothing before the topic counts as silent."""


@dataclass(slots=True)
class Recovered:
    """How many messages the database didn't know.

    `held` says why the rest of `in` is left to the connector.
    """

    sent: int = 0
    received: int = 0
    held: str = ""


@dataclass(frozen=True, slots=True)
class _Recovery:
    settings: ConnectorSettings
    open_reader: OpenReader
    now: datetime
    trusting: Trusting
    seal_keys: Mapping[str, SealKey]
    done: list[tuple[Own, Message]] = field(default_factory=list)
    """Own messages that the database didn't know, with their rows."""


def recover(settings: ConnectorSettings, open_reader: OpenReader, now: datetime) -> Recovered:
    """Imports what the current database, that of a province, lacks.

    Raises Unreachable, and Refused or BadConfiguration for what is wrong in the province's folder.
    """
    with atomic():
        work = _Recovery(settings, open_reader, now, Trusting.of(settings, now), settings.seal_keys())
        _follow_directory(work)
        _import_sent(work)
        result = Recovered(sent=len(work.done))
        _receive(work, result)
        numbering.catch_up(_counted_by_the_exchange(), ())
        for own, row in sorted(work.done, key=_receipts_first):
            _count_as_done(own, row)
    return result


def _follow_directory(work: _Recovery) -> None:
    """The newest directory first: the rest is judged by it."""
    for batch in _batches(work, DIRECTORY_TOPIC, _begun(work, DIRECTORY_TOPIC)):
        followed = following.read_directories(batch, work.trusting, work.now)
        following.store(followed, work.trusting)
        for offered in followed.directories:
            work.trusting.take_over(offered)


def _import_sent(work: _Recovery) -> None:
    code, topic = work.settings.code, work.settings.out_topic
    for batch in _batches(work, topic, 0):
        for own in own_messages(batch, work.trusting.directory, code):
            if not Message.objects.filter(origin=code, message_id=own.header.id).exists():
                work.done.append((own, _import(own, work)))
    numbering.catch_up(Outbox.objects.values_list("seq", flat=True), _own_numbers(code))
    used = Outbox.objects.exclude(state=Outbox.State.REJECTED).values("seq")
    ReleasedSeq.objects.filter(seq__in=used).delete()


def _import(own: Own, work: _Recovery) -> Message:
    opened = _opened(own, work)
    header = own.header
    kind = _answer_kind(own, opened)
    row = Message.objects.create(**message_facts(header, own.digest, stored_at=work.now, answer_kind=kind))
    Record.objects.create(message=row, value=own.value)
    if opened is not None:
        ContentKey.objects.create(message=row, cek=opened.cek)
    for ref in header.refs:
        Reference.objects.create(
            message=row, relation=ref.relation, target=ref.id, target_digest=ref.digest, known=True
        )
    # A seq is given out again only after the exchange rejected the message that bore it.
    Outbox.objects.filter(seq=header.seq).update(state=Outbox.State.REJECTED, seq_open=False)
    Outbox.objects.create(
        message=row,
        seq=header.seq,
        record_sha256=sha256_hex(own.value),
        state=Outbox.State.PUBLISHED,
        published_at=header.issued_at,
        attempts=1,
        publish_again_at=work.now + FIRST_REPEAT,
    )
    Draft.objects.filter(message_id=header.id).update(state=Draft.State.SEALED, text=None)
    return row


def _opened(own: Own, work: _Recovery) -> Opened | None:
    """The body, opened with this province's own wrap; None where there is none or its key is gone."""
    header = own.header
    if not isinstance(header, PeopleHeader) or own.record.body is None:
        return None
    kid = next((wrap.kid for wrap in header.sealed.to if wrap.code == work.settings.code), "")
    key = work.seal_keys.get(kid)
    with suppress(Refused):
        return open_sealed(header, own.record.body, code=work.settings.code, key=key) if key else None
    return None


def _answer_kind(own: Own, opened: Opened | None) -> str:
    header = own.header
    if opened is None or not isinstance(header, PeopleHeader) or header.type != MessageType.ANSWER:
        return ""
    body = parse_body(
        header.schema_name, opened.body, category=header.category, status=header.status, at=header.issued_at
    )
    return body.kind if isinstance(body, AnswerBody) else ""


def _own_numbers(code: str) -> list[str]:
    own = Message.objects.filter(origin=code, type=MessageType.ALERT).exclude(number="")
    return list(own.values_list("number", flat=True))


def _receive(work: _Recovery, result: Recovered) -> None:
    """Takes `in` from its beginning; own trouble ends that early, and the connector goes on from there."""
    topic, before = work.settings.in_topic, Message.objects.count()
    reception = Reception.of(work.settings)
    _begun(work, topic)
    for batch in _batches(work, topic, 0):
        if batch.start == 0:
            cursor.rewind(topic, batch.cluster_id, batch.topic_id)
        intake = reception.read(replace(batch, lost=0), work.trusting, work.now)
        inbox.store(intake)
        if intake.held:
            result.held = intake.held
            break
    result.received = Message.objects.count() - before


def _counted_by_the_exchange() -> Iterator[int]:
    """The highest own seq that the newest head speaks of, for messages that retention has taken."""
    for head in ExchangeHead.objects.all():
        yield head.settled_seq
        yield from (last + 1 for _, last in head.holes if last != UNLISTED)


def _receipts_first(done: tuple[Own, Message]) -> bool:
    """An answer may be sealed before the receipt which says that its alert was signed for."""
    return done[1].type != MessageType.RECEIPT


def _count_as_done(own: Own, row: Message) -> None:
    header = own.header
    if isinstance(header, ReceiptHeader):
        for item in header.content.items:
            if not isinstance(item, MissingItem):
                _reported(item.digest, item.stage, row)
            if isinstance(item, DeskItem | ConnectorItem):
                _done_at_desk(item, row)
    elif row.answer_kind:
        for ref in header.refs:
            restoring.answered(ref.id, AnswerKind(row.answer_kind), header.issued_at)


def _reported(digest: str, stage: str, receipt: Message) -> None:
    """A stage that waits to be reported and was reported in this receipt."""
    waiting = StageReport.objects.filter(place="", digest=digest, stage=stage, pending=True)
    waiting.update(pending=False, receipt=receipt)


def _done_at_desk(item: DeskItem | ConnectorItem, receipt: Message) -> None:
    """What was done with a message, as the receipt said it; routing is done anew by today's rules."""
    known = Message.objects.filter(digest=item.digest).first()
    if known is None:
        return
    by = item.by if isinstance(item, DeskItem) else None
    restoring.reported(known, item.stage, by.officer_ref if by else "", item.at)
    if by is None or item.stage == Stage.ROUTED:
        return
    StageReport.objects.get_or_create(
        place="",
        digest=item.digest,
        stage=item.stage,
        at=item.at,
        defaults={
            "of": known.message_id,
            "of_origin": known.origin,
            "of_status": known.status,
            "unit": by.unit,
            "officer_ref": by.officer_ref,
            "receipt": receipt,
        },
    )


def _begun(work: _Recovery, topic: str) -> int:
    """Where the topic's cursor stands; it is made where there is none."""
    with closing(work.open_reader((topic,))) as reader:
        cluster_id, topic_id = reader.identity(topic)
    state = cursor.load(topic) or cursor.begin(topic, cluster_id, topic_id)
    if (state.cluster_id, state.topic_id) != (cluster_id, topic_id):
        state = cursor.rewind(topic, cluster_id, topic_id)
    return state.next


def _batches(work: _Recovery, topic: str, start: int) -> Iterator[Batch]:
    """What lies in the topic from an offset to its present end. Raises Unreachable when it doesn't come."""
    with closing(work.open_reader((topic,))) as reader:
        end, silent = reader.end_offset(topic), 0
        reader.seek(topic, start)
        while start < end:
            batches = reader.poll(POLL_S, RECORDS_AT_ONCE)
            silent = 0 if batches else silent + 1
            if silent > PATIENCE_POLLS:
                raise Unreachable(topic)
            for batch in batches:
                start = batch.next
                yield batch
