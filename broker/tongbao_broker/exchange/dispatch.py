"""One batch put together: from decisions to rows, leaves, notices and the exact values that will be
published.

1. What each decision costs is fixed in the order of deciding: its leaf, its notice's leaf right behind it,
   and one delivery with the next number of each addressee's lane.
2. Only when all leaves are there is the tree signed, and only then can values be made, since a stamp proves
   a leaf under the whole batch's checkpoint.
3. Nothing here touches the database: the result is an `Entry`, which the store commits whole or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from tongbao_broker.exchange.admission import Admit, Decision, Duplicate, Reject, Thread
from tongbao_broker.exchange.notices import NOTICED_WHEN_ADMITTED, Announcement, Announcer, Place
from tongbao_broker.exchange.trail import Growth, Seedling, TrailHead
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.keys import SigningKey
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.envelope import Envelope
from tongbao_schemas.header import Header, ProvinceHeader
from tongbao_schemas.record import OutRecord, ce_headers, encode_stamped
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind

__all__ = [
    "Arrival",
    "Dispatch",
    "Entry",
    "IncidentKind",
    "IncidentNote",
    "LaneState",
    "LoggedMessage",
    "LoggedRefusal",
    "Marks",
    "Outbound",
    "Step",
]


class IncidentKind(StrEnum):
    """What an admin must look at."""

    HELD = "held"
    EQUIVOCATION = "equivocation"
    FORK = "fork"
    POISON = "poison"
    TOPIC_REPLACED = "topic_replaced"
    RECORDS_LOST = "records_lost"
    DIRECTORY_REFUSED = "directory_refused"
    TOPIC_CLOSED = "topic_closed"


_INCIDENTS: Mapping[Code, IncidentKind] = {
    Code.EQUIVOCATION: IncidentKind.EQUIVOCATION,
    Code.SEQ_TAKEN: IncidentKind.FORK,
    Code.RECORD_UNREADABLE: IncidentKind.POISON,
}


@dataclass(frozen=True, slots=True)
class Step:
    """How far a stream is moved by a batch, and of which topic."""

    stream: str
    start: int
    next: int
    cluster_id: str
    topic_id: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record as read: whose topic, where, and its value (None for a null value and for an unreadable
    record).
    """

    owner: str
    topic: str
    topic_id: str
    cluster_id: str
    offset: int
    next: int
    """Where the stream goes on once this record is dealt with."""
    value: bytes | None
    error: str = ""
    """What the reader could not decode; empty for a record that could be read."""

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the value; of no bytes where there is none."""
        return sha256(self.value or b"").hexdigest()


@dataclass(frozen=True, slots=True)
class LaneState:
    """An addressee's lane: last number given out, last published, and what is used up of its own numbers."""

    delivery_seq: int = 0
    published_seq: int = 0
    settled_seq: int = 0
    holes: tuple[tuple[int, int], ...] = ()

    @property
    def clear(self) -> bool:
        """Everything given out has been published."""
        return self.published_seq == self.delivery_seq


@dataclass(slots=True)
class Marks:
    """What is published and not yet marked in the tables: how far each lane, and up to which leaf."""

    lanes: dict[str, int] = field(default_factory=dict)
    leaves: int | None = None

    def __bool__(self) -> bool:
        return bool(self.lanes) or self.leaves is not None


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message that used up its id (and seq, if a province's), with its leaf's index."""

    index: int
    header: Header
    seq: int | None
    envelope: Envelope
    digest: str
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class LoggedRefusal:
    """A rejected record with its leaf's index."""

    index: int
    arrival: Arrival
    digest: str
    code: Code
    where: str


@dataclass(frozen=True, slots=True)
class IncidentNote:
    """What an incident row will say."""

    kind: IncidentKind
    stream: str = ""
    offset: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One addressee's record as it goes to its `in` topic; `expires_at` is how long the bytes are kept."""

    addressee: str
    delivery_seq: int
    index: int
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewDirectory:
    """A directory's own leaf, and its value for `exchange.directory.v1`."""

    index: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything that one batch writes in one transaction."""

    at: datetime
    directory: Directory
    new_directory: NewDirectory | None
    steps: tuple[Step, ...]
    before: TrailHead
    growth: Growth | None
    messages: tuple[LoggedMessage, ...]
    refusals: tuple[LoggedRefusal, ...]
    threads: tuple[Thread, ...]
    incidents: tuple[IncidentNote, ...]
    resends: tuple[tuple[str, int], ...]
    outbound: tuple[Outbound, ...]
    used: Mapping[str, tuple[int, ...]]
    """Province → the seqs that its messages of this batch used up."""


@dataclass(slots=True)
class _Posting:
    addressee: str
    delivery_seq: int
    index: int
    header: Header
    envelope: Envelope
    body: bytes | None


@dataclass(slots=True)
class Dispatch:
    """A batch being put together, under one time and one directory."""

    network: str
    announcer: Announcer
    directory: Directory
    at: datetime
    before: TrailHead
    numbers: dict[str, int]
    """Addressee → the last delivery number given out, counted on here."""
    _seedling: Seedling = field(init=False)
    _new_directory: NewDirectory | None = None
    _messages: list[LoggedMessage] = field(default_factory=list)
    _refusals: list[LoggedRefusal] = field(default_factory=list)
    _threads: dict[str, Thread] = field(default_factory=dict)
    _incidents: list[IncidentNote] = field(default_factory=list)
    _resends: dict[tuple[str, int], None] = field(default_factory=dict)
    _postings: list[_Posting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seedling = Seedling(self.network, self.before, self.at, self.directory.version)

    def take(self, arrival: Arrival, decision: Decision) -> None:
        """Adds what one decision about one record brings about."""
        match decision:
            case Admit():
                self._admit(decision)
            case Reject():
                self._reject(arrival, decision)
            case Duplicate():
                self._repeat(arrival, decision)

    def take_directory(self, value: bytes) -> None:
        """Adds the leaf of the directory in force; `value` is what is published of it."""
        index = self._seedling.add(LeafKind.DIRECTORY, self.directory.digest)
        self._new_directory = NewDirectory(index, value)

    def take_incident(self, note: IncidentNote) -> None:
        """Adds an incident that no decision about a record brings about."""
        self._incidents.append(note)

    def finish(self, steps: Iterable[Step], key: SigningKey) -> Entry:
        """Signs the tree and makes the values."""
        growth = self._seedling.grow(key) if len(self._seedling) else None
        return Entry(
            at=self.at,
            directory=self.directory,
            new_directory=self._new_directory,
            steps=tuple(steps),
            before=self.before,
            growth=growth,
            messages=tuple(self._messages),
            refusals=tuple(self._refusals),
            threads=tuple(self._threads.values()),
            incidents=tuple(self._incidents),
            resends=tuple(self._resends),
            outbound=tuple(_outbound(posting, growth) for posting in self._postings) if growth else (),
            used=self._used(),
        )

    def _admit(self, decision: Admit) -> None:
        message, header = decision.message, decision.message.header
        digest = message.payload_digest
        index = self._seedling.add(LeafKind.ADMITTED, digest)
        self._log(index, header, message.record.envelope, digest)
        self._post(index, header, message.record.envelope, message.record.body)
        if decision.thread:
            self._threads[decision.thread.id] = decision.thread
        self._resends.update(dict.fromkeys((header.origin, number) for number in decision.missing))
        if header.type in NOTICED_WHEN_ADMITTED:
            self._announce(self.announcer.admitted(header, digest, index, self.at))

    def _reject(self, arrival: Arrival, decision: Reject) -> None:
        proven, code = decision.message, decision.code
        digest = proven.payload_digest if proven else f"sha256:{arrival.sha256}"
        index = self._seedling.add(LeafKind.REJECTED, digest, code)
        self._refusals.append(LoggedRefusal(index, arrival, digest, code, decision.where))
        if proven and decision.uses_seq:
            self._log(index, proven.header, proven.record.envelope, digest, code)
        if kind := _INCIDENTS.get(code):
            self._incidents.append(IncidentNote(kind, arrival.topic, arrival.offset, decision.where))
        place = Place(arrival.offset, arrival.sha256)
        if proven is None:
            self._announce(self.announcer.rejected(arrival.owner, place, code, self.at))
            return
        of, status = proven.header.id, proven.header.status
        self._announce(
            self.announcer.rejected(arrival.owner, place, code, self.at, of=of, digest=digest, status=status)
        )

    def _repeat(self, arrival: Arrival, decision: Duplicate) -> None:
        """A duplicate of a rejected message repeats its notice, which may have been lost; another one needs
        nothing.
        """
        known = decision.known
        if known.code is None:
            return
        place = Place(arrival.offset, arrival.sha256)
        self._announce(
            self.announcer.rejected(
                arrival.owner,
                place,
                known.code,
                self.at,
                of=known.id,
                digest=known.digest,
                status=known.status,
            )
        )

    def _announce(self, announcement: Announcement) -> None:
        header, envelope = announcement.header, announcement.envelope
        index = self._seedling.add(LeafKind.ADMITTED, envelope.digest)
        self._log(index, header, envelope, envelope.digest)
        self._post(index, header, envelope, None)

    def _post(self, index: int, header: Header, envelope: Envelope, body: bytes | None) -> None:
        for addressee in header.audience:
            if addressee != EXCHANGE:
                number = self.numbers.get(addressee, 0) + 1
                self.numbers[addressee] = number
                self._postings.append(_Posting(addressee, number, index, header, envelope, body))

    def _log(
        self, index: int, header: Header, envelope: Envelope, digest: str, code: Code | None = None
    ) -> None:
        seq = header.seq if isinstance(header, ProvinceHeader) else None
        self._messages.append(LoggedMessage(index, header, seq, envelope, digest, code))

    def _used(self) -> dict[str, tuple[int, ...]]:
        used: dict[str, list[int]] = {}
        for message in self._messages:
            if message.seq is not None:
                used.setdefault(message.header.origin, []).append(message.seq)
        return {origin: tuple(sorted(seqs)) for origin, seqs in used.items()}


def _outbound(posting: _Posting, growth: Growth) -> Outbound:
    header = posting.header
    stamp = growth.stamp(posting.index, posting.delivery_seq)
    return Outbound(
        addressee=posting.addressee,
        delivery_seq=posting.delivery_seq,
        index=posting.index,
        key=header.thread,
        value=encode_stamped(OutRecord(posting.envelope, posting.body), stamp),
        headers=tuple(ce_headers(header)),
        expires_at=header.expires_at,
    )


def settle(state: LaneState, seqs: tuple[int, ...]) -> LaneState | None:
    """The lane after its province used up `seqs` (ascending), or None where that leaves or met holes.

    Holes are rare: a table has to be asked then.
    """
    if state.holes or seqs != tuple(range(state.settled_seq + 1, state.settled_seq + 1 + len(seqs))):
        return None
    return replace(state, settled_seq=state.settled_seq + len(seqs))
