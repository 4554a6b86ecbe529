"""What the exchange itself says: notices about single messages, and heads about a province's whole account.

1. A notice is a message of the exchange: signed, logged with a leaf of its own, stamped and numbered like
   any delivery. A head is signed only: it is repeated at least every minute, and a lost one does no harm.
2. `admitted` goes to the origin of an alert, update, cancel or answer: what a person waits for. The rest is
   settled by the head's numbers.
3. `rejected` goes to the owner of the topic for every rejected record, whatever its type, since the access
   list proves the writer: his outbox row ends. It names the message only if the signature proved it, the
   record always by its place and hash. A rejected receipt is no exception: a notice is never answered, so
   no loop can come of it.
4. What is put together here from values that were checked is not parsed again.
5. A notice's time is its subject's `admitted_at`, so that the addressee can rebuild its own leaf.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tongbao_broker.trust.dsse import sign
from tongbao_broker.trust.keys import SigningKey
from tongbao_schemas.codes import EXCHANGE, MessageType, NoticeKind, Status
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import MESSAGE_TYPE, Envelope
from tongbao_schemas.header import Header
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.refusals import Code

__all__ = ["NOTICED_WHEN_ADMITTED", "Account", "Announcement", "Announcer", "Place"]

NOTICE_LIFE = timedelta(days=30)
HEAD_LIFE = timedelta(minutes=10)
NOTICED_WHEN_ADMITTED = frozenset(
    {MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL, MessageType.ANSWER}
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record was read: its offset in the province's topic and the hex SHA-256 of its value."""

    offset: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Account:
    """How a province stands with the exchange: what of its numbers is used, what was read, what was
    delivered to it.
    """

    settled_seq: int
    holes: tuple[tuple[int, int], ...]
    out_next_offset: int
    delivery_seq: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """A signed message of the exchange, and what its header says beside its content."""

    header: Header
    envelope: Envelope


class Announcer:
    """Speaks for the exchange on one network with its message key."""

    def __init__(self, network: str, key: SigningKey) -> None:
        self._network = network
        self._key = key

    @property
    def keyid(self) -> str:
        return self._key.keyid

    def admitted(self, subject: Header, digest: str, index: int, at: datetime) -> Announcement:
        """To the origin: your message is leaf `index` of the trail."""
        content = {"kind": NoticeKind.ADMITTED, "of": subject.id, "digest": digest, "index": index}
        return self._notice(subject.origin, subject.status, content, at)

    def rejected(
        self,
        owner: str,
        place: Place,
        code: Code,
        at: datetime,
        *,
        of: str | None = None,
        digest: str | None = None,
        status: Status = Status.ACTUAL,
    ) -> Announcement:
        """To the topic's owner: this record was not admitted, for this code; `of` and `digest` where they
        are proven.
        """
        content: dict[str, Any] = {"kind": NoticeKind.REJECTED, "code": code}
        content["record"] = {"offset": place.offset, "sha256": place.sha256}
        content |= {"of": of, "digest": digest} if of else {}
        return self._notice(owner, status, content, at)

    def head(
        self, addressee: str, account: Account, directory: tuple[int, str], checkpoint: str, at: datetime
    ) -> Announcement:
        """To one province: how we stand. `directory` is the version and digest in force."""
        version, digest = directory
        content = {
            "at": format_time(at),
            "settled_seq": account.settled_seq,
            "holes": [list(hole) for hole in account.holes],
            "out_next_offset": account.out_next_offset,
            "delivery_seq": account.delivery_seq,
            "directory": {"version": version, "digest": digest},
            "checkpoint": checkpoint,
        }
        return self._say(MessageType.HEAD, (addressee,), Status.ACTUAL, content, at, HEAD_LIFE)

    def _notice(self, to: str, status: Status, content: dict[str, Any], at: datetime) -> Announcement:
        timed = content | {"at": format_time(at)}
        return self._say(MessageType.NOTICE, (to,), status, timed, at, NOTICE_LIFE)

    def _say(
        self,
        kind: MessageType,
        audience: Sequence[str],
        status: Status,
        content: dict[str, Any],
        at: datetime,
        life: timedelta,
    ) -> Announcement:
        message_id, expires_at, schema = new_id(at), at + life, f"{kind}/1.0"
        payload = compact_json(
            {
                "network": self._network,
                "id": message_id,
                "thread": message_id,
                "type": kind,
                "status": status,
                "origin": EXCHANGE,
                "audience": list(audience),
                "issued_at": format_time(at),
                "expires_at": format_time(expires_at),
                "refs": [],
                "schema": schema,
                "content": content,
            }
        )
        header = Header.model_construct(
            network=self._network,
            id=message_id,
            thread=message_id,
            type=kind,
            status=status,
            origin=EXCHANGE,
            audience=tuple(audience),
            issued_at=at,
            expires_at=expires_at,
            refs=(),
            schema_name=schema,
        )
        return Announcement(header, sign(payload, MESSAGE_TYPE, (self._key,)))
