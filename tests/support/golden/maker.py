"""Makes messages that come out the same each time: ids, content keys, salts and ephemeral keys follow from
the name that a case gives its message.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from tests.support.golden import hpke
from tests.support.golden.case import Case, Earlier, Parts
from tests.support.golden.network import GD, GZ, network
from tests.support.world import NOW, Json, World, fields_of
from tests.unit.schemas import alerts
from tongbao_broker.trust import dsse
from tongbao_broker.trust.keys import SigningKey
from tongbao_broker.trust.merkle import Frontier, leaf_hash
from tongbao_broker.trust.sealing import Recipient, SealContext, Sealing, seal
from tongbao_schemas.codes import PEOPLES_TYPES, Category, MessageType
from tongbao_schemas.encoding import b64encode, compact_json
from tongbao_schemas.envelope import MESSAGE_TYPE
from tongbao_schemas.identifiers import EPOCH, MILLISECOND
from tongbao_schemas.record import InRecord, OutRecord

ALERT_BODY = compact_json(alerts.alert())
ANSWER_BODY = compact_json(alerts.answer("progress"))


def seed(purpose: str) -> bytes:
    """32 bytes that follow from what they are for."""
    return sha256(f"golden {purpose}".encode()).digest()


def message_id(name: str, at: datetime) -> str:
    """A UUIDv7 whose random part follows from the name."""
    chance = int.from_bytes(seed(f"id {name}"), "big")
    value = ((at - EPOCH) // MILLISECOND) << 80 | 0x7 << 76 | (chance & 0xFFF) << 64 | 0b10 << 62
    return str(UUID(int=value | chance >> 16 & (1 << 62) - 1))


def seal_as(name: str, body: bytes, context: SealContext, recipients: Sequence[Recipient]) -> Sealing:
    """The body sealed with keys that follow from the name."""
    cek = seed(f"cek {name}")
    sealing = seal(body, context, recipients, cek=cek, salt=seed(f"salt {name}"))
    bound = context.bound(sealing.sealed["content_digest"])
    to = [wrap(name, cek, recipient, bound) for recipient in recipients]
    return replace(sealing, sealed={**sealing.sealed, "to": to})


def wrap(name: str, cek: bytes, recipient: Recipient, bound: bytes) -> Json:
    """One element of `to`."""
    info = bound + f"{recipient.code}\n{recipient.kid}\n".encode("ascii")
    ephemeral = seed(f"ephemeral {name} {recipient.code} {recipient.kid}")
    wrapped = hpke.encrypt(cek, recipient.public, info, ephemeral)
    return {"code": recipient.code, "kid": recipient.kid, "wrap": b64encode(wrapped)}


@dataclass
class Maker:
    """Makes the messages and cases of one family. `seq` grows through the file."""

    family: str
    world: World = field(default_factory=network)
    cases: list[Case] = field(default_factory=list)
    tree: Frontier = field(init=False)

    def __post_init__(self) -> None:
        hashes = [leaf_hash(f"{self.family} {place}".encode()) for place in range(5)]
        self.tree = Frontier().extend(hashes)

    # Messages.

    def message(
        self,
        name: str,
        type: str,
        origin: str,
        audience: Sequence[str],
        *,
        about: OutRecord | None = None,
        body: bytes | None = None,
        at: datetime = NOW,
        key: SigningKey | None = None,
        **over: Any,
    ) -> OutRecord:
        """A message like `World.message`'s, made from its name."""
        name, world = f"{self.family} {name}", self.world
        fields = world.header(type, origin, audience, about=about, at=at)
        own = message_id(name, at)
        fields["thread"] = own if fields["thread"] == fields["id"] else fields["thread"]
        fields |= {"id": own, **over}
        fields = {field: value for field, value in fields.items() if value is not None}
        signer = key or world.keys[origin].message
        if MessageType(type) not in PEOPLES_TYPES or "sealed" in over:
            return self.signed(fields, None, signer)
        text = body if body is not None else ALERT_BODY if type == "alert" else ANSWER_BODY
        context = SealContext.of(fields)
        sealing = seal_as(name, text, context, world.recipients(context.recipients))
        return self.signed({**fields, "sealed": sealing.sealed}, sealing.ciphertext, signer)

    def alert(self, name: str, origin: str = GZ, audience: Sequence[str] = (GD,), **over: Any) -> OutRecord:
        """An alert of 520000 to 440000, unless said otherwise."""
        return self.message(name, "alert", origin, audience, **over)

    def alert_of(self, category: Category, name: str, audience: Sequence[str], **over: Any) -> OutRecord:
        """An alert of 520000 in another category, with a body that fits."""
        body = compact_json(alerts.alert(category))
        return self.alert(name, audience=audience, body=body, category=category.value, **over)

    def signed(self, fields: Json, body: bytes | None, key: SigningKey | None = None) -> OutRecord:
        """Any header, signed by 520000 unless said otherwise."""
        return self.world.signed(fields, body, key or self.world.keys[GZ].message)

    def changed(
        self, record: OutRecord, change: Callable[[Json], Any], key: SigningKey | None = None
    ) -> OutRecord:
        """The message with its header changed in place, and signed anew by 520000 unless said otherwise."""
        fields = fields_of(record)
        change(fields)
        return self.signed(fields, record.body, key)

    def rewritten(self, record: OutRecord, old: bytes, new: bytes, key: SigningKey) -> OutRecord:
        """The message with its payload's text changed in one place and signed anew."""
        payload = record.envelope.payload
        assert payload.count(old) == 1, old
        return OutRecord(dsse.sign(payload.replace(old, new), MESSAGE_TYPE, [key]), record.body)

    def delivery(self, *records: OutRecord, world: World | None = None, **how: Any) -> list[InRecord]:
        """The records in one batch, after the five leaves that the tree has already."""
        return (world or self.world).deliver(records, **{"before": self.tree, **how})

    # Cases.

    def admission(
        self,
        name: str,
        says: str,
        record: OutRecord | bytes | Parts,
        expected: str,
        *,
        by: str = GZ,
        **facts: Any,
    ) -> None:
        """A case for the exchange: a record in the topic of `by`."""
        value = self.world.record_bytes(record) if isinstance(record, OutRecord) else record
        self.cases.append(Case(name, says, "admission", by, value, expected, **facts))

    def acceptance(
        self,
        name: str,
        says: str,
        record: InRecord | OutRecord | bytes,
        expected: str,
        *,
        by: str = GD,
        **facts: Any,
    ) -> None:
        """A case for a province; a message that isn't delivered yet is, by a good exchange."""
        if isinstance(record, OutRecord):
            [record] = self.delivery(record)
        value = self.world.record_bytes(record) if isinstance(record, InRecord) else record
        self.cases.append(Case(name, says, "acceptance", by, value, expected, **facts))

    def earlier(
        self, name: str, record: OutRecord | InRecord, by: str = GZ, at: datetime | None = None
    ) -> Earlier:
        """What was judged before."""
        return Earlier(name, by, self.world.record_bytes(record), at)
