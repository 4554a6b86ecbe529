"""A small network for tests: keys, directory, root, and signed messages of every type.

    world = World.create()
    alert = world.message("alert", "520000", ["440000"])
    answer = world.message("answer", "440000", ["520000"], about=alert)
    [delivery] = world.deliver([alert])

All keys come from fixed seeds, so that making a world costs a few signatures. Whatever a maker is told in
`over` goes into the header as it is, right or wrong; None takes a field out. Nothing here validates.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from tongbao_broker.trust import dsse
from tongbao_broker.trust.checkpoint import sign_checkpoint
from tongbao_broker.trust.directory import Directory, TrustFile
from tongbao_broker.trust.keys import SealKey, SigningKey
from tongbao_broker.trust.merkle import EMPTY_ROOT, Batch, Frontier, leaf_hash
from tongbao_broker.trust.sealing import Recipient, SealContext, seal
from tongbao_schemas.codes import EXCHANGE, EXCHANGE_TYPES, PEOPLES_TYPES, Category, Handling, MessageType
from tongbao_schemas.documents import DirectoryDocument
from tongbao_schemas.encoding import compact_json, digest, format_time
from tongbao_schemas.envelope import DIRECTORY_TYPE, MESSAGE_TYPE, ROOT_TYPE, Envelope
from tongbao_schemas.gate import parse_object
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.number import readable_number
from tongbao_schemas.record import InRecord, OutRecord, encode_in, encode_out
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import Leaf, LeafKind, Stamp, leaf_bytes

NETWORK = "test"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PROVINCES = ("330000", "440000", "520000")
BODY = '{"facts":"演练"}'.encode()
RELATION = {
    MessageType.UPDATE: "supplements",
    MessageType.CANCEL: "retracts",
    MessageType.ANSWER: "answers",
    MessageType.REPLY: "answers",
    MessageType.REMINDER: "supplements",
    MessageType.CLOSURE: "closes",
    MessageType.ATTACHMENT: "supplements",
}
ADDRESSEES_OWN = {MessageType.ANSWER, MessageType.REPLY, MessageType.RECEIPT}
LIFE = {MessageType.HEAD: timedelta(minutes=10)}
PROVINCE_TYPES = [str(kind) for kind in MessageType if kind not in EXCHANGE_TYPES]

Json = dict[str, Any]


def signing_key(name: str) -> SigningKey:
    """The signing key of a name, always the same."""
    return SigningKey.from_seed(sha256(f"signing {name}".encode()).digest())


def seal_key(name: str) -> SealKey:
    """The seal key of a name, always the same."""
    return SealKey.from_private(sha256(f"seal {name}".encode()).digest())


@dataclass(frozen=True)
class Keys:
    """The private keys of a participant; the exchange seals nothing, provinces sign no checkpoints."""

    message: SigningKey
    seal: SealKey
    checkpoint: SigningKey

    @classmethod
    def of(cls, code: str) -> "Keys":
        return cls(
            signing_key(f"{code} message"), seal_key(f"{code} seal"), signing_key(f"{code} checkpoint")
        )


@dataclass
class World:
    """A network at a time `now`: `document` is the directory as JSON values, `directory` the same, read."""

    network: str
    now: datetime
    keys: Mapping[str, Keys]
    root_keys: Sequence[SigningKey]
    directory_keys: Sequence[SigningKey]
    document: Json
    _seqs: dict[str, int] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        codes: Iterable[str] = PROVINCES,
        *,
        network: str = NETWORK,
        now: datetime = NOW,
        **over: Any,
    ) -> "World":
        """Provinces that have one agreement, and the exchange; `over` replaces parts of the directory."""
        keys = {code: Keys.of(code) for code in (EXCHANGE, *codes)}
        return cls(
            network=network,
            now=now,
            keys=keys,
            root_keys=[signing_key(f"root {index}") for index in range(5)],
            directory_keys=[signing_key(f"directory {index}") for index in range(3)],
            document={**directory_json(network, now, keys), **over},
        )

    def changed(self, **over: Any) -> "World":
        """The same network with another directory: its next version, with these parts replaced."""
        version = self.document["version"] + 1
        return replace(self, document={**self.document, "version": version, **over})

    @property
    def directory(self) -> Directory:
        """The directory as a reader has it who verified it."""
        payload = compact_json(self.document)
        document = DirectoryDocument.read(payload, refuse_as=Code.DOCUMENT_SHAPE)
        return Directory(document, digest(payload))

    @property
    def root(self) -> Envelope:
        """The root, version 1, signed by three of five."""
        return dsse.sign(compact_json(root_json(self)), ROOT_TYPE, self.root_keys[:3])

    @property
    def trust_file(self) -> TrustFile:
        """Root and directory as they are published, the directory signed by two of three."""
        directory = dsse.sign(compact_json(self.document), DIRECTORY_TYPE, self.directory_keys[:2])
        return TrustFile((self.root,), directory)

    def recipients(self, codes: Iterable[str]) -> list[Recipient]:
        """The seal keys of participants, whether the directory lists them or not."""
        held = [(code, self.keys[code] if code in self.keys else Keys.of(code)) for code in codes]
        return [Recipient(code, keys.seal.kid, keys.seal.public) for code, keys in held]

    def sample(self, type: str) -> OutRecord:
        """A good message of the type: an alert of 520000 to 440000, or about one."""
        kind, alert = MessageType(type), self.message("alert", "520000", ["440000"])
        if kind is MessageType.ALERT:
            return alert
        if kind in EXCHANGE_TYPES:
            return self.message(kind, EXCHANGE, ["520000"], about=alert)
        if kind in ADDRESSEES_OWN:
            return self.message(kind, "440000", ["520000"], about=alert)
        return self.message(kind, "520000", ["440000"], about=alert)

    def message(
        self,
        type: str,
        origin: str,
        audience: Sequence[str],
        *,
        about: OutRecord | None = None,
        body: bytes = BODY,
        at: datetime | None = None,
        key: SigningKey | None = None,
        **over: Any,
    ) -> OutRecord:
        """A signed message of any type; `about` is the message that it refers to or acknowledges."""
        kind, fields = MessageType(type), self.header(type, origin, audience, about=about, at=at)
        fields = _without_none({**fields, **over})
        ciphertext = None
        if kind in PEOPLES_TYPES and "sealed" not in over:
            context = SealContext.of(fields)
            sealing = seal(body, context, self.recipients(context.recipients))
            fields, ciphertext = {**fields, "sealed": sealing.sealed}, sealing.ciphertext
        return self.signed(fields, ciphertext, key or self.keys[origin].message)

    def signed(self, fields: Json, ciphertext: bytes | None, key: SigningKey) -> OutRecord:
        """Any header, signed by any key."""
        return OutRecord(dsse.sign(compact_json(fields), MESSAGE_TYPE, [key]), ciphertext)

    def header(
        self,
        type: str,
        origin: str,
        audience: Sequence[str],
        *,
        about: OutRecord | None = None,
        at: datetime | None = None,
    ) -> Json:
        """A good header of the type, without its `sealed`; takes the origin's next `seq`."""
        kind, at = MessageType(type), at or self.now
        message_id, referred = new_id(at), fields_of(about) if about else None
        fields: Json = {
            "network": self.network,
            "id": message_id,
            "thread": message_id,
            "type": kind.value,
            "status": _status(kind, referred),
            "origin": origin,
            "audience": sorted(audience),
            "issued_at": format_time(at),
            "expires_at": format_time(at + LIFE.get(kind, timedelta(days=30))),
            "refs": [],
            "schema": f"{kind.value}/1.0",
        }
        if kind in EXCHANGE_TYPES:
            return fields | {"content": self._content(kind, about, at)}
        seq = self._seqs[origin] = self._seqs.get(origin, 0) + 1
        fields |= {"seq": seq, "seen": {"size": 0, "root": EMPTY_ROOT.hex()}}
        if kind is MessageType.RECEIPT:
            return fields | {"content": self._content(kind, about, at)}
        fields |= {
            "number": readable_number(origin, at.year, seq),
            "urgency": "urgent",
            "handling": "H0",
            "category": "outbound_trafficking",
        }
        if kind is MessageType.ALERT:
            fields["deadlines"] = deadlines(at)
        if about and referred:
            ref = {"id": referred["id"], "digest": about.envelope.digest, "relation": RELATION[kind]}
            fields |= {"thread": referred["thread"], "refs": [ref]}
        return fields

    def deliver(
        self,
        records: Sequence[OutRecord],
        *,
        at: datetime | None = None,
        before: Frontier | None = None,
        delivery_seq: int = 1,
    ) -> list[InRecord]:
        """The records as the exchange delivers them: one batch under one checkpoint, after `before`."""
        before, at, version = before or Frontier(), at or self.now, self.document["version"]
        leaves = [
            Leaf(index=before.size + offset, digest=record.envelope.digest, admitted_at=at, directory=version)
            for offset, record in enumerate(records)
        ]
        hashes = [
            leaf_hash(leaf_bytes(self.network, LeafKind.ADMITTED, leaf.index, leaf.digest, at, version))
            for leaf in leaves
        ]
        batch = Batch(before, hashes)
        checkpoint = self.checkpoint(batch.frontier)
        return [
            InRecord(
                record.envelope,
                record.body,
                Stamp(
                    leaf=leaf,
                    proof=tuple(node.hex() for node in proof),
                    checkpoint=checkpoint,
                    delivery_seq=delivery_seq + offset,
                ),
            )
            for offset, (record, leaf, proof) in enumerate(zip(records, leaves, batch.proofs, strict=True))
        ]

    def checkpoint(self, frontier: Frontier) -> str:
        """The exchange's signed note over a tree."""
        key = self.keys[EXCHANGE].checkpoint
        return sign_checkpoint(self.network, frontier.size, frontier.root, key)

    @staticmethod
    def record_bytes(record: OutRecord | InRecord) -> bytes:
        """The value that goes into a topic."""
        return encode_in(record) if isinstance(record, InRecord) else encode_out(record)

    def _content(self, kind: MessageType, about: OutRecord | None, at: datetime) -> Json:
        moment = format_time(at)
        named = {"of": fields_of(about)["id"], "digest": about.envelope.digest} if about else {}
        if kind is MessageType.NOTICE:
            return {"kind": "admitted", "index": 0, "at": moment, **named}
        if kind is MessageType.RECEIPT:
            return {"items": [{"stage": "delivered", "at": moment, **named}]}
        directory = self.directory
        return {
            "at": moment,
            "settled_seq": 0,
            "holes": [],
            "out_next_offset": 0,
            "delivery_seq": 0,
            "directory": {"version": directory.version, "digest": directory.digest},
            "checkpoint": self.checkpoint(Frontier()),
        }


def fields_of(record: OutRecord | InRecord) -> Json:
    """A message's header as JSON values."""
    return parse_object(record.envelope.payload, limit=1 << 20)


def deadlines(at: datetime) -> Json:
    """Deadlines that fit a message issued at this time."""
    return {
        "sign_by": format_time(at + timedelta(hours=2)),
        "first_feedback_by": format_time(at + timedelta(hours=24)),
        "result_by": format_time(at + timedelta(hours=72)),
        "basis": "演练协议第三条",
    }


def directory_json(network: str, now: datetime, keys: Mapping[str, Keys]) -> Json:
    """Version 1 of a directory: all active, all keys valid from a day before `now` for a year."""
    provinces = sorted(code for code in keys if code != EXCHANGE)
    return {
        **_head(network, now),
        "participants": [participant_json(code) for code in sorted(keys)],
        "keys": [record for code in sorted(keys) for record in _key_records(code, keys[code], now)],
        "agreements": [agreement_json(provinces, now)],
        "postings": [],
    }


def root_json(world: World) -> Json:
    """Version 1 of a root."""
    return {
        **_head(world.network, world.now),
        "directory_keys": key_set_json(world.directory_keys, 2),
        "root_keys": key_set_json(world.root_keys, 3),
    }


def key_set_json(keys: Iterable[SigningKey], threshold: int) -> Json:
    """Keys of which so many must sign."""
    return {"threshold": threshold, "keys": [{"kid": key.keyid, "public": key.public.hex()} for key in keys]}


def participant_json(code: str, status: str = "active", schemas: Sequence[str] | None = None) -> Json:
    """A participant that takes every schema."""
    listed = schemas if schemas is not None else [f"{kind}/1.0" for kind in MessageType]
    return {"code": code, "name_zh": code, "name_en": code, "status": status, "schemas": list(listed)}


def key_json(owner: str, use: str, key: SigningKey | SealKey, now: datetime, **over: Any) -> Json:
    """A key's record; `may_sign` of a message key is what its owner's kind signs."""
    types = ["notice", "head"] if owner == EXCHANGE else PROVINCE_TYPES
    return {
        "kid": key.kid if isinstance(key, SealKey) else key.keyid,
        "owner": owner,
        "use": use,
        "alg": "X25519" if use == "seal" else "Ed25519",
        "public": key.public.hex(),
        **_period(now),
        **({"may_sign": types} if use == "message" else {}),
        **over,
    }


def agreement_json(parties: Sequence[str], now: datetime, **over: Any) -> Json:
    """An agreement over everything."""
    allowance = {"sign_s": 7200, "first_feedback_s": 86400, "result_s": 259200}
    return {
        "id": "-".join(parties),
        "doc_number": "演练协〔2026〕1号",
        "parties": list(parties),
        "categories": [str(category) for category in Category],
        "types": PROVINCE_TYPES,
        "handling": [str(code) for code in Handling],
        "deadlines": {"flash": allowance, "urgent": allowance, "routine": allowance},
        **_period(now),
        **over,
    }


def _key_records(code: str, keys: Keys, now: datetime) -> list[Json]:
    message = key_json(code, "message", keys.message, now)
    if code == EXCHANGE:
        return [message, key_json(code, "checkpoint", keys.checkpoint, now)]
    return [message, key_json(code, "seal", keys.seal, now)]


def _head(network: str, now: datetime) -> Json:
    issued_at, expires_at = _period(now).values()
    return {"network": network, "version": 1, "issued_at": issued_at, "expires_at": expires_at}


def _period(now: datetime) -> Json:
    return {
        "valid_from": format_time(now - timedelta(days=1)),
        "valid_until": format_time(now + timedelta(days=365)),
    }


def _status(kind: MessageType, referred: Json | None) -> str:
    if kind is MessageType.HEAD:
        return "actual"
    return str(referred["status"]) if referred else "exercise"


def _without_none(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
