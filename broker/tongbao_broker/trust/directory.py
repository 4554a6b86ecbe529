"""Root and directory: whose keys count, who has agreed with whom, and how both documents come to be trusted.

Rules:
1. A root is trusted because it was pinned by hand, or because enough keys of the root before it signed it;
   in both cases enough of its own root keys signed it as well.
2. A directory is trusted because enough directory keys of the trusted root signed it.
3. "Enough" counts distinct public keys. A key is named by its hash, and it is not of small order.
4. Signatures are judged before the payload is parsed wherever the keys are already known.
5. Both belong to the reader's network. A version below the highest one seen is a rollback. A document past
   its `expires_at` is refused, unless the reader holds its stream until a newer one comes.
6. Of the roots in a file those not newer than the trusted one are passed over: they have no say any more.
7. Keys and agreements hold in [valid_from, valid_until); a key is void from `compromised_since` on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tongbao_broker.trust.dsse import check_payload_type, signers
from tongbao_broker.trust.keys import check_public_key, keyid_of
from tongbao_broker.trust.sealing import Recipient
from tongbao_schemas.codes import EXCHANGE, Category, Handling, KeyUse, MessageType, ParticipantStatus
from tongbao_schemas.documents import (
    DOCUMENT_LIMIT,
    Agreement,
    DirectoryDocument,
    Floor,
    KeyRecord,
    KeySet,
    NamedKey,
    Participant,
    Period,
    RootDocument,
)
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.envelope import DIRECTORY_TYPE, ROOT_TYPE, Envelope
from tongbao_schemas.errors import Refused
from tongbao_schemas.gate import parse_object
from tongbao_schemas.record import IN_LIMIT
from tongbao_schemas.refusals import Code

__all__ = [
    "Directory",
    "Trust",
    "TrustFile",
    "in_force",
    "load_trust",
    "parse_root_file",
    "parse_trust_file",
    "usable",
    "verify_directory",
    "verify_root",
]


def in_force(period: Period, at: datetime) -> bool:
    """Whether a key, agreement, floor or posting holds at a time."""
    return period.valid_from <= at < period.valid_until


def usable(key: KeyRecord, at: datetime) -> bool:
    """Whether a key is in its time and not yet known to be compromised."""
    return in_force(key, at) and not (key.compromised_since and key.compromised_since <= at)


class Directory:
    """A verified directory, indexed for the questions that the checks ask.

    `digest` is its payload's; `expires_at` the end of the document or of the root it was verified under,
    whichever comes first.
    """

    def __init__(self, document: DirectoryDocument, digest: str, expires_at: datetime | None = None) -> None:
        self.document = document
        self.digest = digest
        self.expires_at = expires_at or document.expires_at
        self._participants = {participant.code: participant for participant in document.participants}
        self._keys = {key.kid: key for key in document.keys}

    @property
    def version(self) -> int:
        return self.document.version

    def expired(self, at: datetime) -> bool:
        """Whether nothing may be decided by it any more."""
        return at >= self.expires_at

    def participant(self, code: str) -> Participant | None:
        """The participant's record, whatever its status."""
        return self._participants.get(code)

    def is_active(self, code: str) -> bool:
        """Whether the code is listed and neither suspended nor gone."""
        participant = self._participants.get(code)
        return participant is not None and participant.status is ParticipantStatus.ACTIVE

    def active_codes(self) -> tuple[str, ...]:
        """All active participants with the exchange, sorted."""
        return tuple(sorted(filter(self.is_active, self._participants)))

    def key(self, kid: str) -> KeyRecord | None:
        """The key of this name, whatever its use and time."""
        return self._keys.get(kid)

    def message_key(self, keyid: str) -> KeyRecord:
        """The key that signs messages under this name; raises `Refused`: KEY_UNKNOWN, KEY_USE."""
        key = self._keys.get(keyid)
        if key is None:
            raise Refused(Code.KEY_UNKNOWN, "message.signatures")
        if key.use is not KeyUse.MESSAGE:
            raise Refused(Code.KEY_USE, "message.signatures")
        return key

    def seal_recipient(self, code: str, at: datetime) -> Recipient:
        """The participant with its newest usable seal key; without one `Refused(SEAL_KEY_NOT_VALID)`."""
        keys = [key for key in self._seal_keys.get(code, ()) if usable(key, at)]
        if not keys:
            raise Refused(Code.SEAL_KEY_NOT_VALID, "sealed.to")
        newest = max(keys, key=lambda key: (key.valid_from, key.kid))
        return Recipient(code, newest.kid, bytes.fromhex(newest.public))

    def checkpoint_keys(self, at: datetime) -> tuple[bytes, ...]:
        """The raw public keys by which the exchange may sign checkpoints at a time."""
        return tuple(bytes.fromhex(key.public) for key in self._checkpoint_keys if usable(key, at))

    def agreement(
        self,
        origin: str,
        addressee: str,
        category: Category | None,
        type: MessageType,
        handling: Handling | None,
        at: datetime,
    ) -> Agreement | Floor | None:
        """What allows such a message between the two at a time: an agreement, the statutory floor, or None.

        A receipt has neither category nor handling; None there means that any will do.
        """
        agreements = self._agreements.get(frozenset((origin, addressee)), ())
        floor = self.document.floor
        grounds: Iterable[Agreement | Floor] = (*agreements, floor) if floor else agreements
        fits = (ground for ground in grounds if in_force(ground, at) and type in ground.types)
        return next(
            (
                ground
                for ground in fits
                if (category is None or category in ground.categories)
                and (handling is None or handling in ground.handling)
            ),
            None,
        )

    @cached_property
    def _seal_keys(self) -> Mapping[str, Sequence[KeyRecord]]:
        keys: dict[str, list[KeyRecord]] = {}
        for key in self.document.keys:
            if key.use is KeyUse.SEAL:
                keys.setdefault(key.owner, []).append(key)
        return keys

    @cached_property
    def _checkpoint_keys(self) -> Sequence[KeyRecord]:
        keys = (key for key in self.document.keys if key.use is KeyUse.CHECKPOINT)
        return [key for key in keys if key.owner == EXCHANGE]

    @cached_property
    def _agreements(self) -> Mapping[frozenset[str], Sequence[Agreement]]:
        agreements: dict[frozenset[str], list[Agreement]] = {}
        for agreement in self.document.agreements:
            for pair in _pairs(agreement.parties):
                agreements.setdefault(pair, []).append(agreement)
        return agreements


def _pairs(parties: Iterable[str]) -> set[frozenset[str]]:
    return {frozenset((one, other)) for one in parties for other in parties if one != other}


@dataclass(frozen=True, slots=True)
class TrustFile:
    """What `trust.json` and a record of `exchange.directory.v1` hold: roots, oldest first; a directory."""

    roots: tuple[Envelope, ...]
    directory: Envelope

    def encode(self) -> bytes:
        """The JSON text of the file and of the record's value."""
        roots = [root.as_json() for root in self.roots]
        return compact_json({"roots": roots, "directory": self.directory.as_json()})


@dataclass(frozen=True, slots=True)
class Trust:
    """What a reader goes by: the newest root and the directory under it, both verified."""

    root: RootDocument
    directory: Directory


def parse_trust_file(data: bytes) -> TrustFile:
    """Read `{"roots": [envelope…], "directory": envelope}` without believing it; raises `Refused`."""
    fields = parse_object(data, limit=IN_LIMIT)
    if fields.keys() != {"roots", "directory"} or not isinstance(fields["roots"], list):
        raise Refused(Code.DOCUMENT_SHAPE)
    roots = tuple(Envelope.parse(root) for root in fields["roots"])
    return TrustFile(roots, Envelope.parse(fields["directory"]))


def parse_root_file(data: bytes) -> Envelope:
    """Read a root's envelope, such as `pinned-root.json` holds, without believing it; raises `Refused`."""
    return Envelope.parse(parse_object(data, limit=IN_LIMIT))


def load_trust(
    file: TrustFile,
    pinned_root: Envelope,
    *,
    network: str,
    now: datetime,
    minimum_root: int = 0,
    minimum_version: int = 0,
    allow_expired: bool = False,
) -> Trust:
    """Follow the roots from the pinned one to the newest, and verify the directory under it.

    `minimum_root` and `minimum_version` are the highest versions of root and directory seen before.
    `allow_expired` is for a reader that decides nothing until a newer directory has come. Raises `Refused`:
    PAYLOAD_TYPE, THRESHOLD_NOT_MET, DOCUMENT_SHAPE, DOCUMENT_NETWORK, DOCUMENT_ROLLED_BACK, DOCUMENT_EXPIRED,
    SMALL_ORDER_KEY, or a code of the parse gate.
    """
    root = verify_root(pinned_root, network=network)
    for envelope in file.roots:
        if _root(envelope).version > root.version:
            root = verify_root(envelope, network=network, trusted=root)
    if root.version < minimum_root:
        raise Refused(Code.DOCUMENT_ROLLED_BACK, "root.version")
    directory = verify_directory(file.directory, root, network=network, minimum_version=minimum_version)
    if not allow_expired and directory.expired(now):
        raise Refused(Code.DOCUMENT_EXPIRED, "root" if now >= root.expires_at else "directory")
    return Trust(root, directory)


def verify_root(envelope: Envelope, *, network: str, trusted: RootDocument | None = None) -> RootDocument:
    """The root in an envelope: pinned if `trusted` is None, else the successor of the trusted one.

    Its expiry is not judged here: only the last root of a chain must be fresh.
    """
    if trusted is not None:
        _check_threshold(envelope, ROOT_TYPE, trusted.root_keys, "root.signatures")
    root = _root(envelope)
    _check_threshold(envelope, ROOT_TYPE, root.root_keys, "root.signatures")
    if root.network != network:
        raise Refused(Code.DOCUMENT_NETWORK, "root.network")
    if trusted is not None and root.version <= trusted.version:
        raise Refused(Code.DOCUMENT_ROLLED_BACK, "root.version")
    return root


def verify_directory(
    envelope: Envelope, root: RootDocument, *, network: str, minimum_version: int = 0
) -> Directory:
    """The directory in an envelope, signed under a trusted root; its expiry is not judged here."""
    _check_threshold(envelope, DIRECTORY_TYPE, root.directory_keys, "directory.signatures")
    parse_object(envelope.payload, limit=DOCUMENT_LIMIT)
    document = DirectoryDocument.read(envelope.payload, refuse_as=Code.DOCUMENT_SHAPE)
    if document.network != network:
        raise Refused(Code.DOCUMENT_NETWORK, "directory.network")
    if document.version < minimum_version:
        raise Refused(Code.DOCUMENT_ROLLED_BACK, "directory.version")
    for key in document.keys:
        check_named(key, key.alg, "directory.keys")
    return Directory(document, envelope.digest, min(document.expires_at, root.expires_at))


def _root(envelope: Envelope) -> RootDocument:
    """The root's content, with its keys checked but not yet its signatures."""
    check_payload_type(envelope, ROOT_TYPE)
    parse_object(envelope.payload, limit=DOCUMENT_LIMIT)
    root = RootDocument.read(envelope.payload, refuse_as=Code.DOCUMENT_SHAPE)
    for key in (*root.root_keys.keys, *root.directory_keys.keys):
        check_named(key, "Ed25519", "root")
    return root


def check_named(key: KeyRecord | NamedKey, alg: str, where: str) -> None:
    """A key goes by the hash of its public half, and that isn't of small order."""
    public = bytes.fromhex(key.public)
    if keyid_of(public) != key.kid:
        raise Refused(Code.DOCUMENT_SHAPE, f"{where}.kid")
    try:
        check_public_key(alg, public)
    except Refused as refused:
        raise Refused(refused.code, where) from None


def _check_threshold(envelope: Envelope, payload_type: str, keys: KeySet, where: str) -> None:
    publics = {key.kid: bytes.fromhex(key.public) for key in keys.keys}
    if len(signers(envelope, payload_type, publics)) < keys.threshold:
        raise Refused(Code.THRESHOLD_NOT_MET, where)
