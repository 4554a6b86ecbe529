"""Good wire values as plain JSON for tables of faults to bend: headers of every type, root and directory."""

import json
from copy import deepcopy
from typing import Any

from tongbao_schemas.encoding import b64encode
from tongbao_schemas.number import readable_number

NOTHING_YET = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ID = "01a209b0-2527-790d-a892-a369db747c08"
OTHER_ID = "01a209b0-2528-7b0d-9892-a369db747c09"
DIGEST = "sha256:" + "ab" * 32
KID = "cd" * 32
ISSUED = "2026-11-23T18:34:28.519Z"
LATER = "2026-11-24T18:34:28.519Z"
EXPIRES = "2026-12-23T18:34:28.519Z"

_RELATION = {
    "update": "corrects",
    "cancel": "retracts",
    "answer": "answers",
    "reply": "answers",
    "reminder": "supplements",
    "closure": "closes",
    "attachment": "supplements",
}
PEOPLES = ("alert", *_RELATION)
ALL_TYPES = (*PEOPLES, "receipt", "notice", "head")
DESK_STAGES = ("routed", "read", "claimed", "assigned", "working")
STAGES = ("delivered", "lifted", "purged", *DESK_STAGES, "refused", "missing")
NOTICES = ("admitted", "rejected", "overdue", "suspect")


def header(kind: str) -> dict[str, Any]:
    """A good header of a type: from 520000 to 440000, or from the exchange to 520000."""
    if kind in ("notice", "head"):
        return _common(kind, origin="100000", audience=["520000"]) | {"content": deepcopy(_CONTENT[kind])}
    province = _common(kind, origin="520000", audience=["440000"]) | {
        "seq": 1,
        "seen": {"size": 0, "root": NOTHING_YET},
    }
    if kind == "receipt":
        return province | {"content": deepcopy(_CONTENT[kind])}
    people = province | {
        "number": readable_number("520000", 2026, 17),
        "urgency": "flash",
        "handling": "H1",
        "category": "outbound_trafficking",
        "sealed": _sealed(["440000", "520000"]),
    }
    if kind == "alert":
        return people | {"deadlines": deadlines()}
    ref = {"id": OTHER_ID, "digest": DIGEST, "relation": _RELATION[kind]}
    return people | {"thread": OTHER_ID, "refs": [ref]}


def deadlines() -> dict[str, str]:
    """Deadlines in order for a message issued at `ISSUED`."""
    return {"sign_by": LATER, "first_feedback_by": LATER, "result_by": EXPIRES, "basis": "演禁协〔2026〕1号"}


def item(stage: str) -> dict[str, Any]:
    """A good receipt item of a stage."""
    if stage == "missing":
        return {"stage": stage, "at": ISSUED, "delivery_seq": 7}
    base = {"of": ID, "digest": DIGEST, "stage": stage, "at": ISSUED}
    if stage == "refused":
        return base | {"code": "TB-206"}
    if stage in ("delivered", "lifted", "purged"):
        return base
    return base | {"by": {"unit": "演练支队", "officer_ref": "粤-0117"}}


def notice(kind: str) -> dict[str, Any]:
    """A good notice content of a kind."""
    base = {"kind": kind, "of": ID, "digest": DIGEST, "at": ISSUED}
    own: dict[str, dict[str, Any]] = {
        "admitted": {"index": 0},
        "rejected": {"code": "TB-308", "record": {"offset": 0, "sha256": KID}},
        "overdue": {"due": ISSUED, "by": "440000"},
        "suspect": {"key": KID, "since": ISSUED},
    }
    return base | own[kind]


def bent(kind: str, path: str, value: Any) -> dict[str, Any]:
    """The good header of a type with one value at a dotted path replaced, or removed by `...`."""
    bent_header = header(kind)
    target: Any = bent_header
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return bent_header


def text(value: Any) -> bytes:
    """Plain JSON as another team's program would write it: escaped, with spaces."""
    return json.dumps(value).encode()


def _common(kind: str, *, origin: str, audience: list[str]) -> dict[str, Any]:
    return {
        "network": "demo",
        "id": ID,
        "thread": ID,
        "type": kind,
        "status": "actual",
        "origin": origin,
        "audience": audience,
        "issued_at": ISSUED,
        "expires_at": EXPIRES,
        "refs": [],
        "schema": f"{kind}/1.0",
    }


def _sealed(codes: list[str]) -> dict[str, Any]:
    return {
        "suite": "X25519-SHA256-A256GCM",
        "to": [{"code": code, "kid": KID, "wrap": b64encode(bytes(80))} for code in codes],
        "commit": KID,
        "ct_size": 4112,
        "ct_sha256": KID,
        "content_digest": DIGEST,
    }


_CONTENT: dict[str, dict[str, Any]] = {
    "receipt": {"items": [item("delivered")]},
    "notice": notice("admitted"),
    "head": {
        "at": ISSUED,
        "settled_seq": 3,
        "holes": [[4, 4], [9, 12]],
        "out_next_offset": 0,
        "delivery_seq": 0,
        "directory": {"version": 1, "digest": DIGEST},
        "checkpoint": "tongbao/demo\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    },
}

PERIOD = {"valid_from": ISSUED, "valid_until": EXPIRES}
HEAD = {"network": "demo", "version": 1, "issued_at": ISSUED, "expires_at": EXPIRES}
TERMS = {"sign_s": 1800, "first_feedback_s": 7200, "result_s": 86400}
DIRECTORY: dict[str, Any] = HEAD | {
    "participants": [
        {"code": "100000", "name_zh": "交换中心", "name_en": "Exchange", "status": "active", "schemas": []},
        {
            "code": "520000",
            "name_zh": "贵州",
            "name_en": "Guizhou",
            "status": "active",
            "schemas": ["alert/1.0"],
        },
    ],
    "keys": [
        {
            "kid": "0a" * 32,
            "owner": "520000",
            "use": "message",
            "alg": "Ed25519",
            "public": "0b" * 32,
            "may_sign": ["alert"],
        }
        | PERIOD,
        {"kid": "1a" * 32, "owner": "520000", "use": "seal", "alg": "X25519", "public": "1b" * 32} | PERIOD,
        {
            "kid": "2a" * 32,
            "owner": "100000",
            "use": "checkpoint",
            "alg": "Ed25519",
            "public": "2b" * 32,
            "compromised_since": LATER,
        }
        | PERIOD,
    ],
    "agreements": [
        {
            "id": "qian-yue",
            "doc_number": "演禁协〔2026〕1号",
            "parties": ["440000", "520000"],
            "categories": ["online"],
            "types": ["alert"],
            "handling": ["H0"],
            "deadlines": {"flash": TERMS, "urgent": TERMS, "routine": TERMS},
        }
        | PERIOD
    ],
    "floor": {"categories": ["online"], "types": ["alert"], "handling": ["H0"]} | PERIOD,
    "postings": [{"officer_ref": "黔-0042", "home": "520000", "host": "440000"} | PERIOD],
}
ROOT: dict[str, Any] = HEAD | {
    "directory_keys": {"threshold": 1, "keys": [{"kid": "0a" * 32, "public": "0b" * 32}]},
    "root_keys": {
        "threshold": 2,
        "keys": [{"kid": "1a" * 32, "public": "1b" * 32}, {"kid": "2a" * 32, "public": "2b" * 32}],
    },
}
