"""The way out: drafts and stage reports become sealed, signed messages, published until settled.

1. Only the connector's process does this. Numbers are taken in the transaction that stores the exact bytes;
   if another process took them first, it fails (Fenced).
2. A draft that breaks a rule becomes `refused` with its code and keeps its text; it uses up no number.
3. Stage reports of one addressee and status travel in one receipt, at most 500 together. After a receipt
   was rejected, each of its reports is sent once more by itself.
4. Rows are published in the order of seq, and again with growing intervals until the exchange has settled
   them.
5. Deliveries that are missing are asked for in receipts to the exchange, when they are due.
6. While this province's own directory is out of date, nothing is sealed: that is our trouble, not the
   draft's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from django.db import IntegrityError, connections
from django.db.models import QuerySet

from tongbao_broker import logs
from tongbao_broker.clock import Clock
from tongbao_broker.database import atomic, current
from tongbao_broker.errors import Fenced, Held
from tongbao_broker.insertion import insert
from tongbao_broker.kafka.writer import Outgoing
from tongbao_broker.statements import aware, batched, places, select, update, written
from tongbao_broker.trust.directory import Directory, usable
from tongbao_connectors import attaching, deliveries, effects, ledger, meters, spans
from tongbao_connectors.composing import Composed, Office, Place, compose, compose_receipt
from tongbao_connectors.numbering import Numbers
from tongbao_connectors.store.models import ContentKey, Draft, Message, Outbox, Record, Reference, StageReport
from tongbao_connectors.store.records import add_messages, message_facts, reference_facts
from tongbao_schemas.codes import EXCHANGE, MessageType, Stage, Status
from tongbao_schemas.encoding import format_time, sha256_hex
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import parse_header
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.record import ce_headers, parse_out
from tongbao_schemas.refusals import Code
from tongbao_schemas.submission import check_submission, parse_submission

DRAFTS_AT_ONCE = 250
REPORTS_AT_ONCE = 2000
ITEMS_PER_RECEIPT = 500
MISSING_AT_ONCE = 1000
RECORDS_AT_ONCE = 500
BYTES_AT_ONCE = 8 * 1024 * 1024
FIRST_REPEAT = timedelta(seconds=20)
LONGEST_REPEAT = timedelta(minutes=15)

_MESSAGE = Message._meta.db_table
_REPORT_COLUMNS = (
    '"id", "of", "of_origin", "of_status", "digest", "stage", "unit", "officer_ref", "code", "alone", "at"'
)

log = logs.get(__name__)


class Sender(Protocol):
    """What publishing asks of the broker's writer: all in order, durably, or an error."""

    def send_all(self, items: Sequence[Outgoing]) -> list[int]: ...


class _Draft(NamedTuple):
    """What is read of a draft that waits."""

    key: int
    message_id: str
    thread: str
    client_ref: str
    submitted_at: datetime
    text: bytes


class _Report(NamedTuple):
    """What is read of a stage report that waits."""

    key: int
    of: str
    of_origin: str
    of_status: str
    digest: str
    stage: str
    unit: str
    officer_ref: str
    code: str
    alone: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A draft that breaks a rule."""

    draft: int
    code: Code
    where: str


@dataclass(frozen=True, slots=True)
class Made:
    """A composed message, and the draft or the stage reports that it was made from."""

    composed: Composed
    kind: str = ""
    draft: int | None = None
    reports: tuple[int, ...] = ()


class Publisher:
    """Seals and publishes for one province."""

    def __init__(
        self, *, office: Office, topic: str, writer: Sender, clock: Clock, reached: Callable[[str], None]
    ) -> None:
        self._office = office
        self._topic = topic
        self._writer = writer
        self._clock = clock
        self._reached = reached
        self._ready: dict[int, Outgoing] = {}
        self._published_all = False

    @property
    def keyid(self) -> str:
        """The key that signs."""
        return self._office.key.keyid

    def seal(self, directory: Directory) -> int:
        """Turns waiting drafts and stage reports into messages; how many. Raises Held and Fenced."""
        drafts_wait, reports_wait, files_wait = _waiting()
        if files_wait:
            with atomic():
                attaching.queue(self._office.code, self._clock.now())
        if not (drafts_wait or reports_wait or files_wait):
            return 0
        drafts = _drafts() if drafts_wait or files_wait else []
        reports = _reports() if reports_wait else []
        now = self._clock.now()
        _require_standing(self._office, directory, now)
        self._reached("drafted")
        batch = _Batch(self._office, directory, now)
        batch.add_drafts(drafts)
        batch.add_reports(reports)
        with _fencing(), atomic():
            stored = batch.store()
        ended = self._clock.now()
        submitted = {draft.key: draft.submitted_at for draft in drafts}
        spans.sealed(((made.composed.header, made.draft) for made in batch.made), submitted, now, ended)
        spans.reported(reports, self._office.code, ended)
        return self._sealed(stored, batch)

    def ask(self, directory: Directory) -> int:
        """Seals receipts that ask for missing deliveries, if any are due; how many.

        Raises Held and Fenced.
        """
        now = self._clock.now()
        if not deliveries.any_due(now):
            return 0
        _require_standing(self._office, directory, now)
        with _fencing(), atomic():
            batch = _Batch(self._office, directory, now)
            batch.add_missing(deliveries.ask(now, MISSING_AT_ONCE))
            stored = batch.store()
        return self._sealed(stored, batch)

    def _sealed(self, keys: Sequence[int], batch: "_Batch") -> int:
        """Keeps at hand what was committed; how many messages."""
        for key, made in zip(keys, batch.made, strict=True):
            self._ready[key] = self._outgoing(made.composed)
        self._published_all = False
        meters.sealed([made.composed.header.type for made in batch.made], batch.refused)
        self._reached("sealed")
        return len(keys)

    def publish(self) -> int:
        """Publishes what is sealed, in the order of seq; how many."""
        if self._published_all:
            return 0
        waiting = _outbox_keys('"state" = %s', (Outbox.State.SEALED.value,))
        sent = self._send(waiting)
        if sent:
            with atomic():
                _mark_published(sent, self._clock.now())
            meters.PUBLISHED.inc(len(sent))
        self._published_all = len(sent) == len(waiting) < RECORDS_AT_ONCE
        return len(sent)

    def publish_again(self) -> int:
        """Publishes once more what is due and still unsettled; how many."""
        self._published_all = False  # whoever sealed them: what waits is looked for at least as often as this
        now = self._clock.now()
        due = (Outbox.State.PUBLISHED.value, written(now))
        sent = self._send(_outbox_keys('"state" = %s AND "publish_again_at" <= %s', due))
        if sent:
            log.warning("published again", count=len(sent), topic=self._topic)
            meters.AGAIN.inc(len(sent))
            with atomic():
                _postpone(Outbox.objects.filter(state=Outbox.State.PUBLISHED, pk__in=sent), now)
        return len(sent)

    def _send(self, keys: Sequence[int]) -> Sequence[int]:
        """Sends as many of these as fit into one go; which."""
        outgoing: list[Outgoing] = []
        size = 0
        for key in keys:
            item = self._ready.pop(key, None) or self._from_store(key)
            outgoing.append(item)
            size += len(item.value)
            if size >= BYTES_AT_ONCE:
                break
        if outgoing:
            began = self._clock.now()
            self._writer.send_all(outgoing)
            spans.published(outgoing, self._office.code, began, self._clock.now())
            self._reached("published")
        return keys[: len(outgoing)]

    def _from_store(self, pk: int) -> Outgoing:
        value = bytes(Record.objects.values_list("value", flat=True).get(pk=pk))
        header = parse_header(parse_out(value).envelope.payload)
        return Outgoing(self._topic, header.thread.encode(), value, ce_headers(header))

    def _outgoing(self, composed: Composed) -> Outgoing:
        header = composed.header
        return Outgoing(self._topic, header.thread.encode(), composed.value, ce_headers(header))


def _waiting() -> tuple[bool, bool, bool]:
    """Whether drafts and stage reports wait to be sealed, and files to become drafts.

    One statement, asked in every turn.
    """
    draft, report = Draft._meta.db_table, StageReport._meta.db_table
    statement = (
        f'SELECT EXISTS (SELECT 1 FROM "{draft}" WHERE "state" = %s),'  # noqa: S608 - names of ours
        f' EXISTS (SELECT 1 FROM "{report}" WHERE "pending"), EXISTS ({attaching.READY})'
    )
    with connections[current()].cursor() as cursor:
        cursor.execute(statement, [Draft.State.DRAFTED.value])
        drafts, reports, files = cursor.fetchone()
    return bool(drafts), bool(reports), bool(files)


def _drafts() -> list[_Draft]:
    """The oldest drafts that wait, as many as are held in memory together."""
    columns = '"id", "message_id", "thread", "client_ref", "submitted_at", "text"'
    drafted = Draft.State.DRAFTED.value
    sizes = select(
        '"id", LENGTH("text")', Draft, '"state" = %s ORDER BY "id" LIMIT %s', (drafted, DRAFTS_AT_ONCE)
    )
    last = _last_within(sizes, BYTES_AT_ONCE)
    found = select(columns, Draft, '"state" = %s AND "id" <= %s ORDER BY "id"', (drafted, last))
    return [_Draft._make((*facts, aware(at), bytes(text or b""))) for *facts, at, text in found]


def _last_within(sizes: Iterable[tuple[int, int | None]], most: int) -> int:
    """The last key up to which rows, given with their sizes, have so many bytes; the first one at least."""
    last = total = 0
    for key, size in sizes:
        total += size or 0
        if last and total > most:
            break
        last = key
    return last


def _reports() -> list[_Report]:
    """The oldest stage reports that wait."""
    found = select(_REPORT_COLUMNS, StageReport, '"pending" ORDER BY "id" LIMIT %s', (REPORTS_AT_ONCE,))
    return [_Report._make((*facts, aware(at))) for *facts, at in found]


def _outbox_keys(condition: str, values: Sequence[Any]) -> list[int]:
    """The rows for which it holds, in the order of seq, as many as are sent in one go."""
    found = select('"message_id"', Outbox, f'{condition} ORDER BY "seq" LIMIT %s', (*values, RECORDS_AT_ONCE))
    return [key for (key,) in found]


def _mark_published(keys: Sequence[int], now: datetime) -> None:
    change = '"state" = %s, "published_at" = %s, "attempts" = 1, "publish_again_at" = %s'
    stated = (Outbox.State.PUBLISHED.value, written(now), written(now + FIRST_REPEAT))
    for some in batched(keys):
        sealed = f'"state" = %s AND "message_id" IN {places(some)}'
        update(Outbox, change, sealed, (*stated, Outbox.State.SEALED.value, *some))


def _postpone(rows: QuerySet[Outbox], now: datetime) -> None:
    for attempts in set(rows.values_list("attempts", flat=True)):
        due = rows.filter(attempts=attempts, publish_again_at__lte=now)
        due.update(attempts=attempts + 1, publish_again_at=now + repeat_after(attempts + 1))


def repeat_after(attempts: int) -> timedelta:
    """How long to wait for the exchange after the n-th time before publishing again."""
    return min(FIRST_REPEAT * (1 << min(attempts - 1, 16)), LONGEST_REPEAT)


def _require_standing(office: Office, directory: Directory, now: datetime) -> None:
    """What the exchange would reject for a reason of our own is not sent."""
    if directory.expired(now):
        raise Held("the directory has expired", "Publish a directory with a later expiry.")
    key = directory.key(office.key.keyid)
    if key is None or not usable(key, now):
        raise Held("our message key is not in force", "Change it with: tongbao rotate message-key.")


@contextmanager
def _fencing() -> Iterator[None]:
    """Turns a broken constraint on numbers and ids into Fenced: somebody else has stored them."""
    try:
        yield
    except IntegrityError as error:
        raise Fenced("another process has numbered or sealed the same") from error


class _Batch:
    """Messages being made of one reading of the tables, under one time and one directory."""

    def __init__(self, office: Office, directory: Directory, at: datetime) -> None:
        self._office = office
        self._directory = directory
        self._at = at
        self._seen = ledger.seen()
        self._numbers = Numbers(office.code, at, DRAFTS_AT_ONCE + REPORTS_AT_ONCE)
        self.made: list[Made] = []
        self._refusals: list[Refusal] = []
        self._unsendable: list[int] = []

    def add_drafts(self, drafts: Sequence[_Draft]) -> None:
        """Composes a message of each draft, or notes why not."""
        threads = _threads([draft.thread for draft in drafts if draft.thread != draft.message_id])
        for draft in drafts:
            try:
                self._add_draft(draft, threads.get(draft.thread))
            except Refused as refused:
                self._refusals.append(Refusal(draft.key, refused.code, refused.where[:120]))
            except Exception:  # a fault of ours in one draft must not keep the others
                log.exception("a draft can't be sealed", client_ref=draft.client_ref)
                self._refusals.append(Refusal(draft.key, Code.RECORD_UNREADABLE, ""))

    def add_reports(self, reports: Sequence[_Report]) -> None:
        """Composes a receipt for each addressee and status."""
        for together in _receipts(reports):
            keys = tuple(report.key for report in together)
            try:
                self._take(Made(self._receipt(together), reports=keys))
            except Refused as refused:
                log.error(
                    "a receipt can't be sent", code=str(refused.code), where=refused.where, count=len(keys)
                )
                self._unsendable.extend(keys)

    def add_missing(self, numbers: Sequence[int]) -> None:
        """Composes receipts that ask the exchange for these deliveries."""
        at = format_time(self._at)
        for first in range(0, len(numbers), ITEMS_PER_RECEIPT):
            asked = numbers[first : first + ITEMS_PER_RECEIPT]
            items = [{"stage": Stage.MISSING, "at": at, "delivery_seq": number} for number in asked]
            try:
                self._take(Made(self._addressed(items, Status.ACTUAL, EXCHANGE, None)))
            except Refused as refused:
                log.error("missing deliveries can't be asked for", code=str(refused.code), count=len(asked))

    @property
    def refused(self) -> list[Code]:
        """Why drafts can't be sent."""
        return [refusal.code for refusal in self._refusals]

    def store(self) -> list[int]:
        """Stores everything, inside the caller's transaction.

        The messages' keys in the order of `made`. Raises Fenced.
        """
        self._numbers.store()
        keys = add_messages([self._facts(made) for made in self.made])
        pairs = list(zip(keys, self.made, strict=True))
        insert(Record, ({"message_id": key, "value": made.composed.value} for key, made in pairs))
        insert(
            ContentKey,
            ({"message_id": key, "cek": made.composed.cek} for key, made in pairs if made.composed.cek),
        )
        insert(Reference, (ref for key, made in pairs for ref in _references(key, made)))
        insert(Outbox, (_outbox(key, made) for key, made in pairs))
        self._close_drafts()
        self._close_reports(pairs)
        return keys

    def _add_draft(self, draft: _Draft, alert: Message | None) -> None:
        submission = parse_submission(draft.text)
        check_submission(submission, now=self._at, origin=self._office.code)
        new = submission.type == MessageType.ALERT
        composed = compose(
            submission,
            office=self._office,
            directory=self._directory,
            place=self._place(),
            message_id=draft.message_id,
            thread=draft.thread,
            number=self._numbers.number if new or alert is None else alert.number,
            thread_opened_at=_opened_at(alert) if alert else None,
        )
        if new:
            self._numbers.take_number()
        kind = submission.body.get("kind", "") if submission.type == MessageType.ANSWER else ""
        self._take(Made(composed, kind=kind, draft=draft.key))

    def _receipt(self, reports: Sequence[_Report]) -> Composed:
        items, first = [_item(report) for report in reports], reports[0]
        return self._addressed(items, Status(first.of_status), first.of_origin, _last_opened(reports))

    def _addressed(
        self,
        items: Sequence[Mapping[str, Any]],
        status: Status,
        addressee: str,
        thread_opened_at: datetime | None,
    ) -> Composed:
        return compose_receipt(
            items,
            office=self._office,
            directory=self._directory,
            place=self._place(),
            message_id=new_id(self._at),
            status=status,
            addressee=addressee,
            thread_opened_at=thread_opened_at,
        )

    def _place(self) -> Place:
        return Place(self._numbers.seq, self._seen, self._at)

    def _take(self, made: Made) -> None:
        self._numbers.take_seq()
        self.made.append(made)

    def _facts(self, made: Made) -> dict[str, Any]:
        return message_facts(
            made.composed.header, made.composed.digest, stored_at=self._at, answer_kind=made.kind
        )

    def _close_drafts(self) -> None:
        waiting = '"state" = %s AND "id" IN '
        sealed = [made.draft for made in self.made if made.draft is not None]
        change, done = '"state" = %s, "text" = NULL', 0
        for some in batched(sealed):
            states = (Draft.State.SEALED.value, Draft.State.DRAFTED.value)
            done += update(Draft, change, waiting + places(some), (*states, *some))
        if done != len(sealed):
            raise Fenced("a draft was sealed by another process")
        for refusal in self._refusals:
            Draft.objects.filter(pk=refusal.draft, state=Draft.State.DRAFTED).update(
                state=Draft.State.REFUSED, code=refusal.code, where=refusal.where
            )
            effects.refused(refusal.draft, refusal.code, self._at)

    def _close_reports(self, pairs: Iterable[tuple[int, Made]]) -> None:
        for key, made in pairs:
            _close(made.reports, key)
        _close(self._unsendable, None)


def _close(reports: Iterable[int], receipt: int | None) -> None:
    """Stage reports that a receipt carries, or that none can carry, wait no longer."""
    change = '"pending" = FALSE, "receipt_id" = %s'
    for some in batched(reports):
        update(StageReport, change, f'"pending" AND "id" IN {places(some)}', (receipt, *some))


def _receipts(reports: Sequence[_Report]) -> Iterator[list[_Report]]:
    """The reports of each receipt: one addressee and one status, at most 500, and some by themselves."""
    by_addressee = sorted(reports, key=lambda report: (report.of_origin, report.of_status, report.key))
    for _, group in groupby(by_addressee, key=lambda report: (report.of_origin, report.of_status)):
        together = []
        for report in group:
            if report.alone:
                yield [report]
            else:
                together.append(report)
        for first in range(0, len(together), ITEMS_PER_RECEIPT):
            yield together[first : first + ITEMS_PER_RECEIPT]


def _item(report: _Report) -> dict[str, Any]:
    item: dict[str, Any] = {"digest": report.digest, "stage": report.stage, "at": format_time(report.at)}
    if report.of:
        item["of"] = report.of
    if report.officer_ref:
        item["by"] = {"unit": report.unit, "officer_ref": report.officer_ref}
    if report.code:
        item["code"] = report.code
    return item


def _threads(threads: Sequence[str]) -> dict[str, Message]:
    """The alerts that opened these threads."""
    alerts = Message.objects.filter(thread__in=set(threads), type=MessageType.ALERT) if threads else ()
    return {alert.thread: alert for alert in alerts}


def _last_opened(reports: Sequence[_Report]) -> datetime | None:
    """When the youngest thread among the reported messages was opened."""
    opened: list[datetime] = []
    for some in batched({report.of for report in reports}):
        threads = f'SELECT "thread" FROM "{_MESSAGE}" WHERE "message_id" IN {places(some)}'  # noqa: S608
        alerts = f'"type" = %s AND "thread" IN ({threads})'
        found = select('"admitted_at", "issued_at"', Message, alerts, (MessageType.ALERT.value, *some))
        opened += [aware(admitted_at or issued_at) for admitted_at, issued_at in found]
    return max(opened, default=None)


def _opened_at(alert: Message) -> datetime:
    return alert.admitted_at or alert.issued_at


def _references(key: int, made: Made) -> Iterator[dict[str, Any]]:
    for ref in made.composed.header.refs:
        yield reference_facts(key, ref, known=True)


def _outbox(key: int, made: Made) -> dict[str, Any]:
    composed = made.composed
    return {"message_id": key, "seq": composed.seq, "record_sha256": sha256_hex(composed.value)}
