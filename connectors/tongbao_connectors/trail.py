"""Everything that this province knows of a message: what happened when, where, by whom, and what proves it.

1. Events come from the way out (drafted, sealed, published, refused, rejected), the exchange's notices
   (admitted), stage reports of addressees or of this province itself, and answers that arrived or were
   sent.
2. A stage is given per addressee, never merged: delivered, signed for and answered are three facts.
3. The entry is proved from this province's own copy of the log. For a received message the leaf's facts
   come with its stamp; for an own one from the `admitted` notice, and the directory version is the one
   under which the leaf is found.
4. Nothing of a body is shown, but for the kind of an answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tongbao_broker.trust.merkle import leaf_hash
from tongbao_connectors import finding, ledger
from tongbao_connectors.store.models import Draft, Message, Notice, Outbox, StageReport, TrustDocument
from tongbao_schemas.codes import EXCHANGE, MessageType, NoticeKind
from tongbao_schemas.errors import Refused
from tongbao_schemas.stamp import LeafKind, leaf_bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `by` is an officer's reference or a system, `detail` a unit, a number or a place.
    """

    at: datetime
    stage: str
    place: str
    by: str = ""
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The entry, proved under a root (hex) that was rebuilt here from `exchange.leaves.v1`."""

    index: int
    size: int
    root: str
    admitted_at: datetime
    directory: int


@dataclass(frozen=True, slots=True)
class Trail:
    """A message's story as far as it is known here; `events` in the order of time."""

    number: str
    message_id: str
    thread: str
    origin: str
    type: str
    status: str
    category: str
    audience: tuple[str, ...]
    digest: str
    state: str
    events: tuple[Event, ...]
    proof: Proof | None


def find(reference: str, *, code: str, network: str) -> Trail:
    """The trail of a message by readable number or id, as the province `code` knows it; raises NotFound."""
    message = finding.message(reference)
    draft, outbox = _draft(message), _outbox(message)
    events = [*_own_way(draft, outbox, code), *_entry(message), *_stages(message, code), *_answers(message)]
    return Trail(
        number=message.number,
        message_id=message.message_id,
        thread=message.thread,
        origin=message.origin,
        type=message.type,
        status=message.status,
        category=message.category,
        audience=message.audience_codes,
        digest=message.digest,
        state=outbox.state if outbox else "received",
        events=tuple(sorted(events, key=lambda event: event.at)),
        proof=_proof(message, network),
    )


def stages(reference: str, *, code: str) -> dict[str, list[str]]:
    """Addressee → what has happened there, in order, each stage once, as the province `code` knows it.

    The origin sees every addressee, an addressee itself. Begins with `admitted` once the exchange has
    admitted the message. Raises NotFound.
    """
    message = finding.message(reference)
    reports = list(
        StageReport.objects.filter(of=message.message_id, digest=message.digest).order_by("at", "pk")
    )
    answers = list(_answering(message))
    admitted = [event.stage for event in _entry(message)]
    return {
        place: _once(
            [
                *admitted,
                *(report.stage for report in reports if (report.place or code) == place),
                *(answer.answer_kind for answer in answers if answer.origin == place),
            ]
        )
        for place in (message.audience_codes if message.origin == code else (code,))
    }


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _draft(message: Message) -> Draft | None:
    return Draft.objects.filter(message_id=message.message_id).first()


def _outbox(message: Message) -> Outbox | None:
    return Outbox.objects.filter(message=message).first()


def _own_way(draft: Draft | None, outbox: Outbox | None, code: str) -> Iterator[Event]:
    if draft is not None:
        yield Event(draft.submitted_at, "drafted", code, by=draft.submitted_by)
    if outbox is None:
        return
    yield Event(outbox.message.stored_at, "sealed", code, detail=f"seq {outbox.seq}")
    if outbox.published_at is not None:
        yield Event(outbox.published_at, "published", code)
    if outbox.state == Outbox.State.REJECTED and outbox.settled_at is not None:
        yield Event(outbox.settled_at, "rejected", EXCHANGE, code=outbox.code)


def _entry(message: Message) -> Iterator[Event]:
    """The exchange's entry: by the stamp of a received message, by the notice of an own one."""
    notice = _admitted(message)
    if notice is not None:
        yield Event(notice.at, NoticeKind.ADMITTED, EXCHANGE, detail=f"leaf {notice.index}")
    elif message.admitted_at is not None:
        yield Event(message.admitted_at, NoticeKind.ADMITTED, EXCHANGE, detail=f"leaf {message.leaf_index}")


def _stages(message: Message, code: str) -> Iterator[Event]:
    for report in StageReport.objects.filter(of=message.message_id, digest=message.digest):
        yield Event(
            report.at,
            report.stage,
            report.place or code,
            by=report.officer_ref,
            code=report.code,
            detail=report.unit,
        )


def _answers(message: Message) -> Iterator[Event]:
    for answer in _answering(message):
        at = answer.admitted_at or answer.issued_at
        yield Event(at, answer.answer_kind, answer.origin, detail=answer.message_id)


def _answering(message: Message) -> Iterable[Message]:
    """The answers to exactly this message."""
    answers = Message.objects.filter(thread=message.thread, type=MessageType.ANSWER)
    return answers.filter(
        references__target=message.message_id, references__target_digest=message.digest
    ).order_by("issued_at", "pk")


def _admitted(message: Message) -> Notice | None:
    named = Notice.objects.filter(of=message.message_id, digest=message.digest, kind=NoticeKind.ADMITTED)
    return named.first() if message.delivery_seq is None else None


def _proof(message: Message, network: str) -> Proof | None:
    """The proof of entry if the copy of the log holds it; None as long as it doesn't."""
    for index, at, directory in _candidates(message):
        leaf = leaf_hash(leaf_bytes(network, LeafKind.ADMITTED, index, message.digest, at, directory))
        if ledger.holds(index, leaf):
            try:
                proof = ledger.prove(index, leaf)
            except Refused:
                return None
            return Proof(index, proof.size, proof.root, at, directory)
    return None


def _candidates(message: Message) -> Iterator[tuple[int, datetime, int]]:
    """The facts of the leaf; of an own message under each directory version known here, the newest first."""
    if message.leaf_index is not None and message.admitted_at is not None:
        yield message.leaf_index, message.admitted_at, message.directory_version or 0
        return
    notice = _admitted(message)
    if notice is not None and notice.index is not None:
        newest = TrustDocument.objects.order_by("version").values_list("version", flat=True).last() or 0
        yield from ((notice.index, notice.at, version) for version in range(newest, 0, -1))
