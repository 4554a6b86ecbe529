"""Acceptance: what a province does with one delivered record.

Pure: bytes, keys, directory, time and facts in, outcome out.

The steps, in this order; the first that fails decides:
    1  stamp: present exactly where it belongs, the checkpoint signed by the exchange for this network, the
       proof holds
    2  own directory at least the stamp's and in date, own clock not behind the entry by more than 120 s;
       else hold
    3  message, everything judged at the time of its entry: envelope, key, signature, header (steps 2 to 7
       of admission), its digest the leaf's, this province in the audience, times, audience, seal and policy
       (10, 11, 14, 13)
    4  (origin, id) known: the same digest is a duplicate, another one an equivocation
    5  references: those known here must fit; an unknown one is kept as an orphan
    6  the body opens with this province's seal key
    7  the body's gate, model and rules, judged at the time of issue

Outcomes: `Accept`, `Duplicate`, `Reject` with a code, `Hold` as long as the trouble is our own. A head has
no stamp and is no message to keep: it is signed by the exchange (step 3) and read as `HeadRead`, or passed
over once it has expired.

Steps 1 to 3 (`examine`) need nothing stored, apart from the policy's thread. Their results say what must be
known for the rest (`decide`), so that a batch is looked up at once; what a batch accepts is known to its
next record.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tongbao_broker.errors import Held
from tongbao_broker.trust import dsse, policy
from tongbao_broker.trust.checkpoint import Checkpoint, verify_checkpoint
from tongbao_broker.trust.directory import Directory, usable
from tongbao_broker.trust.keys import SealKey
from tongbao_broker.trust.merkle import leaf_hash, verify_inclusion
from tongbao_broker.trust.sealing import Opened, open_sealed
from tongbao_broker.trust.verify import verify_message
from tongbao_schemas.bodies.parse import Body, parse_body
from tongbao_schemas.codes import EXCHANGE, PEOPLES_TYPES, MessageType, Status
from tongbao_schemas.envelope import MESSAGE_TYPE
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import UUID7_PATTERN
from tongbao_schemas.gate import parse_object
from tongbao_schemas.header import HEADER_LIMIT, AnyHeader, HeadHeader, PeopleHeader, Ref, parse_header
from tongbao_schemas.record import InRecord, parse_in
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind, Stamp, leaf_bytes

AHEAD = timedelta(seconds=120)
"""By how much an entry's time may lie ahead of our clock before the clock is held to be wrong."""

_MESSAGE_ID = re.compile(UUID7_PATTERN)
_STATUS = re.compile("|".join(Status))
_PEOPLES_TYPE = re.compile("|".join(PEOPLES_TYPES))

ORIGINS_OWN = frozenset({MessageType.UPDATE, MessageType.CANCEL, MessageType.CLOSURE})


@dataclass(frozen=True, slots=True)
class View:
    """What a whole batch is judged under. `seal_keys` are this province's, by kid.

    `directory` is the newest. `directory_at` gives the one of an entry's time, where it is still known: who
    took part then isn't written in the newest one.
    """

    code: str
    network: str
    directory: Directory
    directory_at: Callable[[int], Directory]
    seal_keys: Mapping[str, SealKey]
    now: datetime


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """A message that is stored here, or was accepted earlier in the batch.

    `entered_at` opens its thread if an alert.
    """

    origin: str
    id: str
    thread: str
    type: str
    status: str
    digest: str
    audience: tuple[str, ...]
    entered_at: datetime


@dataclass(slots=True)
class Known:
    """What is known of the ids and threads that a batch mentions."""

    by_id: dict[str, list[KnownMessage]] = field(default_factory=dict)

    @classmethod
    def of(cls, messages: Iterable[KnownMessage]) -> "Known":
        known = cls()
        for message in messages:
            known.add(message)
        return known

    def add(self, message: KnownMessage) -> None:
        self.by_id.setdefault(message.id, []).append(message)

    def own(self, origin: str, message_id: str) -> KnownMessage | None:
        """The message of this origin and id."""
        return next((known for known in self.by_id.get(message_id, ()) if known.origin == origin), None)

    def alert(self, thread: str) -> KnownMessage | None:
        """The alert that opened a thread."""
        alerts = (known for known in self.by_id.get(thread, ()) if known.type == MessageType.ALERT)
        return next(alerts, None)


@dataclass(frozen=True, slots=True)
class Examined:
    """A record that passed steps 1 to 3, the policy apart; `value` is exactly what was delivered."""

    value: bytes
    record: InRecord
    header: AnyHeader
    digest: str
    stamp: Stamp
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class HeadRead:
    """A head of the exchange that is in date."""

    header: HeadHeader
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Passed:
    """A head that has expired; it says nothing any more."""


@dataclass(frozen=True, slots=True)
class Accept:
    """To be stored.

    `body` and `cek` are there for people's messages; `orphans` are references to what isn't here.
    """

    examined: Examined
    body: Body | None
    cek: bytes | None
    orphans: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same message again; nothing changes."""

    examined: Examined


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a good signature vouches for, though the record is refused.

    `answerable`: its origin may be told.
    """

    origin: str
    digest: str
    message_id: str
    status: str
    answerable: bool


@dataclass(frozen=True, slots=True)
class Reject:
    """Refused with a code.

    `vouched` is there only if the signature was good, `stamp` only if step 1 was passed.
    """

    code: Code
    where: str = ""
    vouched: Vouched | None = None
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Our own trouble: nothing is decided about this record or any after it."""

    reason: str


def examine(value: bytes, view: View) -> Examined | HeadRead | Passed | Reject | Hold:
    """Steps 1 to 3, without the policy."""
    try:
        record = parse_in(value)
        return _head(record, view) if record.stamp is None else _stamped(value, record, record.stamp, view)
    except Held as trouble:
        return Hold(trouble.detail)
    except Refused as refused:
        return Reject(refused.code, refused.where, vouched(value, view), _proven(value, view))


def decide(examined: Examined, known: Known, view: View) -> Accept | Duplicate | Reject | Hold:
    """The policy of step 3, and steps 4 to 7."""
    header = examined.header
    try:
        alert = known.alert(header.thread)
        opened_at = alert.entered_at if alert else None
        policy.check_agreement(header, view.directory, examined.stamp.leaf.admitted_at, opened_at)  # 3 (13)
        earlier = known.own(header.origin, header.id)  # 4
        if earlier is not None and earlier.digest == examined.digest:
            return Duplicate(examined)
        if earlier is not None:
            raise Refused(Code.EQUIVOCATION, "id")
        orphans = _references(header, known)  # 5
        opened = _open(examined, view)  # 6
        body = _body(header, opened)  # 7
    except Held as trouble:
        return Hold(trouble.detail)
    except Refused as refused:
        return Reject(refused.code, refused.where, _vouched_for(examined), examined.stamp)
    return Accept(examined, body, opened.cek if opened else None, orphans)


def mentioned(examined: Iterable[Examined]) -> frozenset[str]:
    """The ids that `decide` will ask about."""
    headers = [one.header for one in examined]
    return frozenset(
        name for header in headers for name in (header.id, header.thread, *(ref.id for ref in header.refs))
    )


def vouched(value: bytes, view: View) -> Vouched | None:
    """Whose good signature a refused record bears, and what its header says of itself where that can be read.

    A key that isn't usable now vouches for nothing.
    """
    try:
        envelope = parse_in(value).envelope
        signature = dsse.only_signature(envelope)
        key = view.directory.message_key(signature.keyid)
        if not usable(key, view.now):
            return None
        dsse.verify_one(envelope, MESSAGE_TYPE, bytes.fromhex(key.public))
    except Refused:
        return None
    facts = _facts(envelope.payload)
    own = facts.get("origin") == key.owner and facts.get("network") == view.network
    addressed = isinstance(facts.get("audience"), list) and view.code in facts["audience"]
    status = _text(facts, "status", _STATUS) if own else ""
    return Vouched(
        origin=key.owner,
        digest=envelope.digest,
        message_id=_text(facts, "id", _MESSAGE_ID) if own else "",
        status=status,
        answerable=bool(status) and addressed and _text(facts, "type", _PEOPLES_TYPE) != "",
    )


def _stamped(value: bytes, record: InRecord, stamp: Stamp, view: View) -> Examined:
    checkpoint = _entry(record, stamp, view)  # 1
    _own_trouble(stamp, view)  # 2
    at = stamp.leaf.admitted_at
    verified = verify_message(  # 3
        record.out, directory=view.directory, network=view.network, owner=None, at=at
    )
    header = verified.header
    if isinstance(header, HeadHeader):
        raise Refused(Code.STAMP_SHAPE, "stamp")
    if verified.payload_digest != stamp.leaf.digest:
        raise Refused(Code.STAMP_OF_ANOTHER_MESSAGE, "stamp.leaf.digest")
    if view.code not in header.audience:
        raise Refused(Code.NOT_IN_AUDIENCE, "audience")
    policy.check_times(header, at)  # 10
    policy.check_audience(header, view.directory_at(stamp.leaf.directory))  # 11
    policy.check_sealed(header, record.body, view.directory, at)  # 14
    return Examined(value, record, header, verified.payload_digest, stamp, checkpoint)


def _entry(record: InRecord, stamp: Stamp, view: View) -> Checkpoint:
    """Step 1.

    The leaf that the stamp describes stands in the tree of a checkpoint that the exchange signed.
    """
    leaf = stamp.leaf
    checkpoint = _checkpoint(stamp.checkpoint, leaf.admitted_at, leaf.directory, view)
    content = leaf_bytes(
        view.network, LeafKind.ADMITTED, leaf.index, leaf.digest, leaf.admitted_at, leaf.directory
    )
    nodes = [bytes.fromhex(node) for node in stamp.proof]
    verify_inclusion(leaf_hash(content), leaf.index, checkpoint.size, nodes, checkpoint.root)
    return checkpoint


def _checkpoint(note: str, at: datetime, directory: int, view: View) -> Checkpoint:
    """A checkpoint signed by a key we know."""
    with _newer_keys(Code.CHECKPOINT_SIGNATURE, directory, view):
        return verify_checkpoint(note, view.network, view.directory.checkpoint_keys(at))


@contextmanager
def _newer_keys(unknown: Code, directory: int, view: View) -> Iterator[None]:
    """A key of the exchange that we can't know yet, since a newer directory lists it, is our own trouble."""
    try:
        yield
    except Refused as refused:
        if refused.code == unknown and directory > view.directory.version:
            raise Held(f"directory {directory} is needed, {view.directory.version} is here") from None
        raise


def _own_trouble(stamp: Stamp, view: View) -> None:
    """Step 2."""
    if stamp.leaf.directory > view.directory.version:
        raise Held(f"directory {stamp.leaf.directory} is needed, {view.directory.version} is here")
    if view.directory.expired(view.now):
        raise Held("the directory has expired")
    if stamp.leaf.admitted_at > view.now + AHEAD:
        raise Held("our clock is behind the exchange's")


def _head(record: InRecord, view: View) -> HeadRead | Passed:
    """A head, judged by what the directory says now; only heads come without a stamp."""
    header = parse_header(record.envelope.payload)
    if not isinstance(header, HeadHeader):
        raise Refused(Code.STAMP_SHAPE, "stamp")
    if header.expires_at <= view.now:
        return Passed()
    state = header.content.directory
    with _newer_keys(Code.KEY_UNKNOWN, state.version, view):
        verify_message(
            record.out, directory=view.directory, network=view.network, owner=EXCHANGE, at=view.now
        )
    if view.code not in header.audience:
        raise Refused(Code.NOT_IN_AUDIENCE, "audience")
    policy.check_times(header, view.now)
    return HeadRead(header, _checkpoint(header.content.checkpoint, view.now, state.version, view))


def _references(header: AnyHeader, known: Known) -> tuple[Ref, ...]:
    """Step 5: the references to what isn't here; raises Refused where one to something known doesn't fit."""
    alert = known.alert(header.thread)
    if header.type in ORIGINS_OWN and alert is not None and alert.origin != header.origin:
        raise Refused(Code.NOT_THE_ORIGIN, "origin")
    return tuple(ref for ref in header.refs if not _fits(ref, header, known.by_id.get(ref.id, ())))


def _fits(ref: Ref, header: AnyHeader, candidates: Iterable[KnownMessage]) -> bool:
    """Whether the reference names something known; raises Refused where that is something else."""
    named = list(candidates)
    if not named:
        return False
    target = next((known for known in named if known.digest == ref.digest), None)
    if target is None:
        raise Refused(Code.REF_DIGEST, "refs")
    if target.thread != header.thread:
        raise Refused(Code.REF_THREAD, "refs")
    if target.status != header.status:
        raise Refused(Code.REF_STATUS, "refs")
    if header.type == MessageType.ANSWER and header.origin not in target.audience:
        raise Refused(Code.NOT_AN_ADDRESSEE, "refs")
    if header.type == MessageType.ATTACHMENT and header.origin != target.origin:
        raise Refused(Code.NOT_THE_ORIGIN, "refs")
    return True


def _open(examined: Examined, view: View) -> Opened | None:
    """Step 6."""
    header, body = examined.header, examined.record.body
    if not isinstance(header, PeopleHeader) or body is None:
        return None
    kid = next(wrap.kid for wrap in header.sealed.to if wrap.code == view.code)
    key = view.seal_keys.get(kid)
    if key is None:
        _missing_key(kid, view)
    else:
        return open_sealed(header, body, code=view.code, key=key)
    raise Refused(Code.CANNOT_OPEN)


def _missing_key(kid: str, view: View) -> None:
    """A key that senders may still use but isn't here is our trouble.

    One that is past its time was destroyed.
    """
    record = view.directory.key(kid)
    if record is not None and usable(record, view.now):
        raise Held(f"the seal key {kid} is in force, but isn't in keys/seal")


def _body(header: AnyHeader, opened: Opened | None) -> Body | None:
    """Step 7, judged at the time of issue: the origin judged its body then, and the way may take long."""
    if opened is None or not isinstance(header, PeopleHeader):
        return None
    return parse_body(
        header.schema_name, opened.body, category=header.category, status=header.status, at=header.issued_at
    )


def _vouched_for(examined: Examined) -> Vouched:
    header = examined.header
    return Vouched(
        origin=header.origin,
        digest=examined.digest,
        message_id=header.id,
        status=header.status,
        answerable=header.type in PEOPLES_TYPES,
    )


def _proven(value: bytes, view: View) -> Stamp | None:
    """The stamp of a refused record if it passes step 1 by itself: its delivery number counts as arrived."""
    try:
        record = parse_in(value)
        if record.stamp is not None:
            _entry(record, record.stamp, view)
        return record.stamp
    except (Refused, Held):
        return None


def _text(facts: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _facts(payload: bytes) -> dict[str, Any]:
    """The fields of a signed payload that may be no good header."""
    try:
        return parse_object(payload, limit=HEADER_LIMIT)
    except Refused:
        return {}
