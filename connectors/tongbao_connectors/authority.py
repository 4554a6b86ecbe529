"""Makes the trust documents of a network: a root signed by 3 of 5 keys, a directory signed by 2 of 3.

Rules:
1. The root document names the directory keys and the root keys with their thresholds; the directory
   document names the participants, their keys and their agreements.
2. A document is signed by as many distinct keys as its threshold demands, never by one key twice.
3. Every pair of provinces has one agreement, over all categories, handling codes and types of a province.
4. The time is given; keys, agreements and documents are valid from it on.
5. A later directory is the one before it with something added and a version higher by one: whatever was in
   it stays, old keys and agreements too, since they judge what was signed under them.
6. All private keys of a workspace lie in its one folder, since one person tries the whole network there. In
   service root and directory keys are held by different persons, off line.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from tongbao_broker.trust import dsse
from tongbao_broker.trust.keys import SealKey, SigningKey, keyid_of
from tongbao_schemas import documents
from tongbao_schemas.codes import (
    EXCHANGE,
    EXCHANGE_TYPES,
    PEOPLES_TYPES,
    Category,
    Handling,
    KeyUse,
    MessageType,
    ParticipantStatus,
)
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import DIRECTORY_TYPE, ROOT_TYPE, Envelope
from tongbao_schemas.number import PROVINCES
from tongbao_schemas.submission import CONNECTORS_OWN

ROOT_KEYS, ROOT_THRESHOLD = 5, 3
DIRECTORY_KEYS, DIRECTORY_THRESHOLD = 3, 2
ROOT_LIFE = timedelta(days=5 * 365)
DIRECTORY_LIFE = timedelta(days=365)
OVERLAP = timedelta(days=7)
"""How long a key that has a successor still holds: for what is under way, and for who was away."""

PROVINCE_SCHEMAS = tuple(sorted(f"{kind}/1.0" for kind in {*PEOPLES_TYPES, *CONNECTORS_OWN}))
EXCHANGE_SCHEMAS = ("receipt/1.0",)
EXCHANGE_SIGNS = tuple(sorted(EXCHANGE_TYPES))
PROVINCE_SIGNS = tuple(kind for kind in MessageType if kind not in EXCHANGE_SIGNS)
HOUR = 3600
DEADLINES_S = {
    "flash": {"sign_s": HOUR // 2, "first_feedback_s": 4 * HOUR, "result_s": 24 * HOUR},
    "urgent": {"sign_s": 2 * HOUR, "first_feedback_s": 24 * HOUR, "result_s": 3 * 24 * HOUR},
    "routine": {"sign_s": 24 * HOUR, "first_feedback_s": 5 * 24 * HOUR, "result_s": 15 * 24 * HOUR},
}


@dataclass(frozen=True)
class ParticipantKeys:
    """The private keys of one participant: a province has a seal key, the exchange a checkpoint key."""

    message: SigningKey
    seal: SealKey | None = None
    checkpoint: SigningKey | None = None

    @classmethod
    def generate(cls, code: str) -> "ParticipantKeys":
        message = SigningKey.generate()
        if code == EXCHANGE:
            return cls(message, checkpoint=SigningKey.generate())
        return cls(message, seal=SealKey.generate())

    @property
    def public(self) -> dict[KeyUse, bytes]:
        """The raw public halves by use."""
        keys = {
            KeyUse.MESSAGE: self.message,
            KeyUse.SEAL: self.seal,
            KeyUse.CHECKPOINT: self.checkpoint,
        }
        return {use: key.public for use, key in keys.items() if key is not None}


@dataclass(frozen=True)
class Posting:
    """A liaison officer of one province who is stationed in another."""

    officer_ref: str
    home: str
    host: str


def generate_keys(count: int) -> list[SigningKey]:
    """New signing keys for a key set."""
    return [SigningKey.generate() for _ in range(count)]


def root_document(
    network: str, root_keys: Sequence[SigningKey], directory_keys: Sequence[SigningKey], now: datetime
) -> Envelope:
    """Version 1 of the root, signed by the first three root keys."""
    document = {
        **_head(network, now, ROOT_LIFE),
        "directory_keys": _key_set(directory_keys, DIRECTORY_THRESHOLD),
        "root_keys": _key_set(root_keys, ROOT_THRESHOLD),
    }
    return dsse.sign(compact_json(document), ROOT_TYPE, root_keys[:ROOT_THRESHOLD])


def directory_document(
    network: str,
    participants: Mapping[str, ParticipantKeys],
    postings: Sequence[Posting],
    directory_keys: Sequence[SigningKey],
    now: datetime,
) -> Envelope:
    """Version 1 of the directory, signed by the first two directory keys. `participants` is by code."""
    until = now + DIRECTORY_LIFE
    provinces = sorted(code for code in participants if code != EXCHANGE)
    document = {
        **_head(network, now, DIRECTORY_LIFE),
        "participants": [
            _participant(code, EXCHANGE_SCHEMAS if code == EXCHANGE else PROVINCE_SCHEMAS)
            for code in sorted(participants)
        ],
        "keys": [
            record
            for code in sorted(participants)
            for record in _keys(code, participants[code].public, now, until)
        ],
        "agreements": [
            _agreement(index, pair, now, until)
            for index, pair in enumerate(combinations(provinces, 2), start=1)
        ],
        "postings": [_posting(posting, now, until) for posting in postings],
    }
    return dsse.sign(compact_json(document), DIRECTORY_TYPE, directory_keys[:DIRECTORY_THRESHOLD])


def with_province(
    directory: Envelope,
    code: str,
    keys: Mapping[KeyUse, bytes],
    directory_keys: Sequence[SigningKey],
    now: datetime,
    *,
    status: ParticipantStatus = ParticipantStatus.ACTIVE,
    schemas: Sequence[str] = PROVINCE_SCHEMAS,
) -> Envelope:
    """The next version of a directory, with one more province, which has an agreement with every other.

    `keys` are its public halves by use.
    """
    document, until = json.loads(directory.payload), now + DIRECTORY_LIFE
    others = [
        each["code"]
        for each in document["participants"]
        if each["code"] != EXCHANGE and each["status"] != ParticipantStatus.LEFT
    ]
    pairs = [(min(code, other), max(code, other)) for other in others]
    agreements = [
        _agreement(index, pair, now, until)
        for index, pair in enumerate(pairs, start=len(document["agreements"]) + 1)
    ]
    changes = {
        "participants": sorted(
            [*document["participants"], {**_participant(code, schemas), "status": str(status)}],
            key=lambda each: str(each["code"]),
        ),
        "keys": [*document["keys"], *_keys(code, keys, now, until)],
        "agreements": [*document["agreements"], *agreements],
    }
    return _signed_successor(document, changes, directory_keys, now)


def with_status(
    directory: Envelope,
    code: str,
    status: ParticipantStatus,
    directory_keys: Sequence[SigningKey],
    now: datetime,
) -> Envelope:
    """The next version of a directory, in which a participant has another standing."""
    document = json.loads(directory.payload)
    participants = [
        {**each, "status": str(status)} if each["code"] == code else each for each in document["participants"]
    ]
    return _signed_successor(document, {"participants": participants}, directory_keys, now)


def with_successors(
    directory: Envelope,
    code: str,
    keys: Mapping[KeyUse, bytes],
    directory_keys: Sequence[SigningKey],
    now: datetime,
) -> Envelope:
    """The next version of a directory, in which a participant's keys of some uses have successors.

    `keys` are the new public halves by use. The keys before them, of the same use, end after `OVERLAP` at the
    latest.
    """
    document, until = json.loads(directory.payload), now + DIRECTORY_LIFE
    known = {each["public"] for each in document["keys"]}
    records = [
        _key(code, use, public, now, until) for use, public in keys.items() if public.hex() not in known
    ]
    last, uses = format_time(now + OVERLAP), {record["use"] for record in records}
    before = [
        {**each, "valid_until": min(each["valid_until"], last)}
        if each["owner"] == code and each["use"] in uses and each["valid_from"] < last
        else each
        for each in document["keys"]
    ]
    return _signed_successor(document, {"keys": [*before, *records]}, directory_keys, now)


def with_compromised(
    directory: Envelope, kid: str, since: datetime, directory_keys: Sequence[SigningKey], now: datetime
) -> Envelope:
    """The next version of a directory, in which a key counts for nothing from `since` on."""
    document = json.loads(directory.payload)
    keys = [
        {**each, "compromised_since": format_time(since)} if each["kid"] == kid else each
        for each in document["keys"]
    ]
    return _signed_successor(document, {"keys": keys}, directory_keys, now)


def with_postings(
    directory: Envelope,
    postings: Sequence[documents.Posting],
    directory_keys: Sequence[SigningKey],
    now: datetime,
) -> Envelope:
    """The next version of a directory, in which these are the postings of liaison officers."""
    listed = [json.loads(each.model_dump_json(by_alias=True)) for each in postings]
    return _signed_successor(json.loads(directory.payload), {"postings": listed}, directory_keys, now)


def _signed_successor(
    document: Mapping[str, Any],
    changes: Mapping[str, Any],
    directory_keys: Sequence[SigningKey],
    now: datetime,
) -> Envelope:
    head = {**_head(document["network"], now, DIRECTORY_LIFE), "version": document["version"] + 1}
    payload = compact_json({**document, **head, **changes})
    return dsse.sign(payload, DIRECTORY_TYPE, directory_keys[:DIRECTORY_THRESHOLD])


def _head(network: str, now: datetime, life: timedelta) -> dict[str, Any]:
    return {
        "network": network,
        "version": 1,
        "issued_at": format_time(now),
        "expires_at": format_time(now + life),
    }


def _key_set(keys: Sequence[SigningKey], threshold: int) -> dict[str, Any]:
    return {"threshold": threshold, "keys": [{"kid": key.keyid, "public": key.public.hex()} for key in keys]}


def _participant(code: str, schemas: Sequence[str]) -> dict[str, Any]:
    province = PROVINCES[code]
    return {
        "code": code,
        "name_zh": province.zh,
        "name_en": province.en,
        "status": "active",
        "schemas": list(schemas),
    }


def _keys(code: str, keys: Mapping[KeyUse, bytes], now: datetime, until: datetime) -> list[dict[str, Any]]:
    return [_key(code, use, public, now, until) for use, public in keys.items()]


def _key(owner: str, use: KeyUse, public: bytes, now: datetime, until: datetime) -> dict[str, Any]:
    record: dict[str, Any] = {
        "kid": keyid_of(public),
        "owner": owner,
        "use": str(use),
        "alg": "X25519" if use is KeyUse.SEAL else "Ed25519",
        "public": public.hex(),
        "valid_from": format_time(now),
        "valid_until": format_time(until),
    }
    if use is KeyUse.MESSAGE:
        signs = EXCHANGE_SIGNS if owner == EXCHANGE else PROVINCE_SIGNS
        record["may_sign"] = [str(kind) for kind in signs]
    return record


def _agreement(index: int, pair: tuple[str, str], now: datetime, until: datetime) -> dict[str, Any]:
    first, second = (PROVINCES[code].short for code in pair)
    return {
        "id": f"{pair[0]}-{pair[1]}",
        "doc_number": f"{first}{second}禁毒协（演练）〔{now.year}〕{index}号",
        "parties": list(pair),
        "categories": [str(category) for category in Category],
        "types": [str(kind) for kind in PROVINCE_SIGNS],
        "handling": [str(code) for code in Handling],
        "deadlines": DEADLINES_S,
        "valid_from": format_time(now),
        "valid_until": format_time(until),
    }


def _posting(posting: Posting, now: datetime, until: datetime) -> dict[str, Any]:
    return {
        "officer_ref": posting.officer_ref,
        "home": posting.home,
        "host": posting.host,
        "valid_from": format_time(now),
        "valid_until": format_time(until),
    }
