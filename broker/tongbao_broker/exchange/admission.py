"""Admission: what the exchange does with one record of a province. Pure: bytes, directory, time and a view
in, outcome out.

The steps, in this order; the first that fails decides:
     1  size, UTF-8, outer JSON, record shape
     2  envelope: exact keys, payload type, one signature
     3  key: known, for messages, its owner the topic's province, valid now
     4  signature
     5  parse gate
     6  header: model, network, schema, type among those the key may sign
     7  origin = the topic's owner
     8  (origin, id) seen before: same digest is a duplicate, another digest an equivocation
     9  seq not taken by another id (a late one closes its gap). From here on id and seq are used up
    10  issued at most 120 s ahead of now, not yet expired
    11  audience: known, active, none twice, not the origin, takes the schema; origin active
    12  references and authority, by type (the table at `_AUTHORITY`)
    13  policy: an agreement in force, or the statutory floor
    14  seal: wraps complete and for nobody else, keys valid, ciphertext as the header says

Outcomes: `Admit`, `Reject` (a code, and whether id and seq are used up), `Duplicate`, and `Hold`: as long
as our own directory is expired or our clock is unsound, nothing at all is decided.

Steps 1 to 7 (`examine`) need nothing stored. Their results say what the view must hold for steps 8 to 14
(`decide`), so a batch is looked up at once. A caller notes each outcome in the view, and the next record of
the batch is judged by it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from tongbao_broker.trust import policy
from tongbao_broker.trust.directory import Directory, in_force, usable
from tongbao_broker.trust.verify import Verified, verify_message
from tongbao_schemas.codes import MessageType, Status
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import (
    ConnectorItem,
    DeskItem,
    MissingItem,
    ProvinceHeader,
    ReceiptHeader,
    RefusedItem,
)
from tongbao_schemas.record import parse_out
from tongbao_schemas.refusals import Code

__all__ = [
    "Admit",
    "Circumstances",
    "Decision",
    "Duplicate",
    "Hold",
    "HoldReason",
    "Known",
    "Lookup",
    "Reject",
    "Thread",
    "View",
    "admit",
    "decide",
    "examine",
    "holding",
    "lookup",
]

NEVER_ANSWERED = frozenset({MessageType.RECEIPT, MessageType.NOTICE, MessageType.HEAD})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a whole batch is judged under: one directory, one reading of the clock."""

    network: str
    directory: Directory
    now: datetime
    clock_sound: bool = True
    own_keys: tuple[str, ...] = ()
    """The kids under which the exchange itself signs."""


class HoldReason(StrEnum):
    """Our own trouble, for which no province's message is rejected."""

    DIRECTORY_EXPIRED = "directory_expired"
    OWN_KEY = "own_key"
    CLOCK_UNSOUND = "clock_unsound"


@dataclass(frozen=True, slots=True)
class Known:
    """A message that used up its id and seq; `code` is None where it was admitted."""

    origin: str
    id: str
    seq: int | None
    thread: str
    digest: str
    type: MessageType
    status: Status
    audience: tuple[str, ...]
    code: Code | None

    @property
    def admitted(self) -> bool:
        return self.code is None


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation: `parties` are its origin and every code it was ever addressed to."""

    id: str
    origin: str
    status: Status
    parties: frozenset[str]
    opened_at: datetime
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Admit:
    """Goes into the trail and to its audience. `thread` as it stands afterwards, `missing` the deliveries
    asked for.
    """

    message: Verified
    thread: Thread | None = None
    missing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """Goes into the trail by its code. `message` is there only if steps 1 to 7 were passed, so if its
    origin is proven.
    """

    code: Code
    where: str = ""
    message: Verified | None = None
    uses_seq: bool = False


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same bytes again; nothing changes. If they were rejected then, the province is told once more."""

    known: Known


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing is decided; the stream waits."""

    reason: HoldReason


Decision = Admit | Reject | Duplicate


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a view must hold to judge certain messages."""

    ids: frozenset[str]
    digests: frozenset[str]
    seqs: frozenset[tuple[str, int]]
    threads: frozenset[str]


@dataclass(slots=True)
class View:
    """What is stored of the messages, numbers and threads that a batch mentions, and what the batch has
    added so far.
    """

    by_id: dict[str, list[Known]] = field(default_factory=dict)
    by_digest: dict[str, Known] = field(default_factory=dict)
    seqs: dict[tuple[str, int], str] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)

    @classmethod
    def of(cls, messages: Iterable[Known] = (), threads: Iterable[Thread] = ()) -> "View":
        view = cls()
        for known in messages:
            view.add(known)
        view.threads.update((thread.id, thread) for thread in threads)
        return view

    def add(self, known: Known) -> None:
        self.by_id.setdefault(known.id, []).append(known)
        self.by_digest[known.digest] = known
        if known.seq is not None:
            self.seqs[known.origin, known.seq] = known.id

    def note(self, decision: Decision) -> None:
        """Takes a decision into account for the next record of the batch."""
        if isinstance(decision, Admit):
            self.add(_known(decision.message, None))
            if decision.thread:
                self.threads[decision.thread.id] = decision.thread
        elif isinstance(decision, Reject) and decision.uses_seq and decision.message:
            self.add(_known(decision.message, decision.code))

    def own(self, origin: str, message_id: str) -> Known | None:
        """The message of this origin and id, admitted or rejected."""
        return next((known for known in self.by_id.get(message_id, ()) if known.origin == origin), None)

    def admitted(self, message_id: str) -> list[Known]:
        """The admitted messages of this id; ids are unique per origin only."""
        return [known for known in self.by_id.get(message_id, ()) if known.admitted]


def holding(circumstances: Circumstances) -> Hold | None:
    """Our own trouble, if there is any: it comes before every step."""
    if circumstances.directory.expired(circumstances.now):
        return Hold(HoldReason.DIRECTORY_EXPIRED)
    if not all(_is_in_force(kid, circumstances) for kid in circumstances.own_keys):
        return Hold(HoldReason.OWN_KEY)
    if not circumstances.clock_sound:
        return Hold(HoldReason.CLOCK_UNSOUND)
    return None


def _is_in_force(kid: str, circumstances: Circumstances) -> bool:
    """Whether anybody would believe what the exchange signs under this key now."""
    key = circumstances.directory.key(kid)
    return key is not None and usable(key, circumstances.now)


def admit(value: bytes | None, owner: str, circumstances: Circumstances, view: View) -> Decision | Hold:
    """The outcome for one record of `owner`'s topic, all steps at once."""
    if hold := holding(circumstances):
        return hold
    examined = examine(value, owner, circumstances)
    return examined if isinstance(examined, Reject) else decide(examined, circumstances, view)


def examine(value: bytes | None, owner: str, circumstances: Circumstances) -> Verified | Reject:
    """Steps 1 to 7."""
    try:
        record = parse_out(value or b"")
        return verify_message(
            record,
            directory=circumstances.directory,
            network=circumstances.network,
            owner=owner,
            at=circumstances.now,
        )
    except Refused as refused:
        return Reject(refused.code, refused.where)


def lookup(messages: Iterable[Verified]) -> Lookup:
    """What `decide` will ask the view about these messages."""
    ids: set[str] = set()
    digests: set[str] = set()
    seqs: set[tuple[str, int]] = set()
    threads: set[str] = set()
    for header in (message.header for message in messages):
        if isinstance(header, ProvinceHeader):
            items = tuple(_acknowledged(header))
            ids.update((header.id, *(ref.id for ref in header.refs), *(item.of for item in items if item.of)))
            digests.update(item.digest for item in items if not item.of)
            seqs.add((header.origin, header.seq))
            threads.add(header.thread)
    return Lookup(frozenset(ids), frozenset(digests), frozenset(seqs), frozenset(threads))


def decide(message: Verified, circumstances: Circumstances, view: View) -> Decision:
    """Steps 8 to 14 for a message that passed 1 to 7."""
    header = message.header
    if not isinstance(header, ProvinceHeader):
        return Reject(Code.TYPE_NOT_ALLOWED_FOR_KEY, "type", message)
    if known := view.own(header.origin, header.id):  # 8
        if known.digest == message.payload_digest:
            return Duplicate(known)
        return Reject(Code.EQUIVOCATION, "id", message)
    if (header.origin, header.seq) in view.seqs:  # 9
        return Reject(Code.SEQ_TAKEN, "seq", message)
    try:
        return _judge(message, header, circumstances, view)
    except Refused as refused:
        return Reject(refused.code, refused.where, message, uses_seq=True)


def _judge(message: Verified, header: ProvinceHeader, circumstances: Circumstances, view: View) -> Admit:
    """Steps 10 to 14; raises Refused."""
    directory, now = circumstances.directory, circumstances.now
    policy.check_times(header, now)  # 10
    policy.check_audience(header, directory)  # 11
    standing = _AUTHORITY[header.type](header, view, circumstances)  # 12
    policy.check_agreement(header, directory, now, standing.open_since)  # 13
    policy.check_sealed(header, message.record.body, directory, now)  # 14
    return Admit(message, _thread_after(header, standing.thread, now), _missing(header))


# Step 12. Every check raises Refused or says in which thread the message stands.


_Acknowledged = ConnectorItem | DeskItem | RefusedItem


@dataclass(frozen=True, slots=True)
class _Standing:
    """The thread a message belongs to, and since when it (or what is acknowledged) has been open: None if
    it isn't.
    """

    thread: Thread | None = None
    open_since: datetime | None = None


_Check = Callable[[ProvinceHeader, View, Circumstances], _Standing]


def _alert(header: ProvinceHeader, view: View, _: Circumstances) -> _Standing:
    """An alert opens a thread of its own; the name of an existing one, even another province's, is taken."""
    if header.thread in view.threads:
        raise Refused(Code.REF_THREAD, "thread")
    return _Standing()


def _update(header: ProvinceHeader, view: View, _: Circumstances) -> _Standing:
    """Only the origin; it may bring in one new party (a re-issue) and reopens a closed thread."""
    thread, _referred = _referring(header, view)
    _require_origin(header, thread)
    if len(set(header.audience) - thread.parties) > 1:
        raise Refused(Code.AUDIENCE_NOT_PARTIES, "audience")
    return _standing(thread)


def _cancel(header: ProvinceHeader, view: View, circumstances: Circumstances) -> _Standing:
    """Only the origin, and to everybody active who was ever told."""
    thread, _referred = _referring(header, view)
    _require_origin(header, thread)
    _require_parties(header, thread)
    told = (thread.parties & set(circumstances.directory.active_codes())) - {thread.origin}
    if not told <= set(header.audience):
        raise Refused(Code.AUDIENCE_NOT_PARTIES, "audience")
    return _standing(thread)


def _answer(header: ProvinceHeader, view: View, _: Circumstances) -> _Standing:
    """An addressee of what is answered, to the origin of the thread at least."""
    thread, referred = _referring(header, view)
    _require_addressed(header, referred)
    _require_open(thread)
    _require_parties(header, thread)
    if thread.origin not in header.audience:
        raise Refused(Code.AUDIENCE_NOT_PARTIES, "audience")
    return _standing(thread)


def _reply(header: ProvinceHeader, view: View, _: Circumstances) -> _Standing:
    """Whoever was asked; a closed thread still takes it."""
    thread, referred = _referring(header, view)
    _require_addressed(header, referred)
    _require_parties(header, thread)
    return _standing(thread)


def _reminder(header: ProvinceHeader, view: View, circumstances: Circumstances) -> _Standing:
    """The origin, or the home province of a liaison officer posted with a party."""
    thread, _referred = _referring(header, view)
    if header.origin not in {thread.origin, *_homes(thread, circumstances)}:
        raise Refused(Code.NOT_THE_ORIGIN, "origin")
    _require_open(thread)
    _require_parties(header, thread)
    return _standing(thread)


def _closure(header: ProvinceHeader, view: View, _: Circumstances) -> _Standing:
    """Only the origin, once."""
    thread, _referred = _referring(header, view)
    _require_origin(header, thread)
    _require_open(thread)
    _require_parties(header, thread)
    return _standing(thread)


def _attachment(header: ProvinceHeader, view: View, _: Circumstances) -> _Standing:
    """Whoever sent the message it belongs to."""
    thread, referred = _referring(header, view)
    if any(known.origin != header.origin for known in referred):
        raise Refused(Code.NOT_THE_ORIGIN, "refs")
    _require_open(thread)
    _require_parties(header, thread)
    return _standing(thread)


def _receipt(header: ProvinceHeader, view: View, _: Circumstances) -> _Standing:
    """An addressee of everything it lists, to their one origin; or, for missing deliveries, a province to
    the exchange.
    """
    opened = [
        view.threads[known.thread].opened_at
        for known in (_listed(item, header, view) for item in _acknowledged(header))
        if known.thread in view.threads
    ]
    return _Standing(open_since=max(opened, default=None))


_AUTHORITY: Mapping[MessageType, _Check] = MappingProxyType(
    {
        MessageType.ALERT: _alert,
        MessageType.UPDATE: _update,
        MessageType.CANCEL: _cancel,
        MessageType.ANSWER: _answer,
        MessageType.REPLY: _reply,
        MessageType.REMINDER: _reminder,
        MessageType.CLOSURE: _closure,
        MessageType.ATTACHMENT: _attachment,
        MessageType.RECEIPT: _receipt,
    }
)


def _referring(header: ProvinceHeader, view: View) -> tuple[Thread, list[Known]]:
    """The thread and the messages that the refs name; every ref must be exact and in this thread and status.

    That there are refs, and of the type's relations, is the header model's rule (step 6).
    """
    referred = [_same_bytes(ref.id, ref.digest, "refs", view) for ref in header.refs]
    thread = view.threads.get(header.thread)
    if thread is None or any(known.thread != thread.id for known in referred):
        raise Refused(Code.REF_THREAD, "refs")
    if header.status != thread.status or any(known.status != header.status for known in referred):
        raise Refused(Code.REF_STATUS, "status")
    return thread, referred


def _acknowledged(header: ProvinceHeader) -> Iterator[_Acknowledged]:
    """The items of a receipt that are about messages."""
    if isinstance(header, ReceiptHeader):
        for item in header.content.items:
            if not isinstance(item, MissingItem):
                yield item


def _listed(item: _Acknowledged, header: ProvinceHeader, view: View) -> Known:
    """The message that a receipt's item acknowledges; it must be one that is acknowledged at all."""
    if item.of:
        known = _same_bytes(item.of, item.digest, "content.items", view)
    else:
        known = _by_digest(item.digest, view)
    if known.type in NEVER_ANSWERED:
        raise Refused(Code.REF_UNKNOWN, "content.items")
    if known.status != header.status:
        raise Refused(Code.REF_STATUS, "status")
    if header.origin not in known.audience:
        raise Refused(Code.NOT_AN_ADDRESSEE, "content.items")
    if header.audience != (known.origin,):
        raise Refused(Code.AUDIENCE_NOT_PARTIES, "audience")
    return known


def _same_bytes(message_id: str, digest: str | None, where: str, view: View) -> Known:
    """The admitted message of this id and digest."""
    candidates = view.admitted(message_id)
    if not candidates:
        raise Refused(Code.REF_UNKNOWN, where)
    same = [known for known in candidates if known.digest == digest]
    if not same:
        raise Refused(Code.REF_DIGEST, where)
    return same[0]


def _by_digest(digest: str, view: View) -> Known:
    """What a `refused` item without an id means: a province that can't read a header still knows its
    digest.
    """
    known = view.by_digest.get(digest)
    if known is None or not known.admitted:
        raise Refused(Code.REF_UNKNOWN, "content.items")
    return known


def _require_origin(header: ProvinceHeader, thread: Thread) -> None:
    if header.origin != thread.origin:
        raise Refused(Code.NOT_THE_ORIGIN, "origin")


def _require_addressed(header: ProvinceHeader, referred: Iterable[Known]) -> None:
    if any(header.origin not in known.audience for known in referred):
        raise Refused(Code.NOT_AN_ADDRESSEE, "origin")


def _require_open(thread: Thread) -> None:
    if thread.closed:
        raise Refused(Code.THREAD_CLOSED, "thread")


def _require_parties(header: ProvinceHeader, thread: Thread) -> None:
    if not thread.parties.issuperset(header.audience):
        raise Refused(Code.AUDIENCE_NOT_PARTIES, "audience")


def _homes(thread: Thread, circumstances: Circumstances) -> set[str]:
    """The provinces that have an officer posted with one of the thread's parties at this time."""
    return {
        posting.home
        for posting in circumstances.directory.document.postings
        if posting.host in thread.parties and in_force(posting, circumstances.now)
    }


def _standing(thread: Thread) -> _Standing:
    return _Standing(thread, None if thread.closed else thread.opened_at)


# What an admitted message changes.


def _thread_after(header: ProvinceHeader, thread: Thread | None, now: datetime) -> Thread | None:
    """The thread with this message in it; None where nothing about it changes."""
    parties = frozenset((header.origin, *header.audience))
    if header.type is MessageType.ALERT:
        return Thread(header.thread, header.origin, header.status, parties, now)
    if thread is None or header.type not in {MessageType.UPDATE, MessageType.CLOSURE}:
        return None
    return replace(thread, parties=thread.parties | parties, closed=header.type is MessageType.CLOSURE)


def _missing(header: ProvinceHeader) -> tuple[int, ...]:
    """The delivery numbers that a receipt to the exchange asks for."""
    if not isinstance(header, ReceiptHeader):
        return ()
    return tuple(item.delivery_seq for item in header.content.items if isinstance(item, MissingItem))


def _known(message: Verified, code: Code | None) -> Known:
    header = message.header
    return Known(
        origin=header.origin,
        id=header.id,
        seq=header.seq if isinstance(header, ProvinceHeader) else None,
        thread=header.thread,
        digest=message.payload_digest,
        type=header.type,
        status=header.status,
        audience=header.audience,
        code=code,
    )
