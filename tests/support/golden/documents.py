"""Trust files: roots and directories as they are published."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.golden.case import Case, Family
from tests.support.golden.network import GD, GZ, NETWORK
from tests.support.world import NOW, Json, World, agreement_json, key_set_json, root_json, signing_key
from tongbao_broker.trust import dsse
from tongbao_broker.trust.directory import TrustFile
from tongbao_broker.trust.keys import SigningKey
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import DIRECTORY_TYPE, ROOT_TYPE, Envelope

PARTIES = (GD, GZ)
TERMS = {"types": ["alert", "answer", "receipt"]}
WORLD = World.create(PARTIES, network=NETWORK, agreements=[agreement_json(PARTIES, NOW, **TERMS)])
DIRECTORY_KEYS, ROOT_KEYS = WORLD.directory_keys, WORLD.root_keys
NEW_ROOT_KEYS = [signing_key(f"new root {place}") for place in range(5)]
NEW_DIRECTORY_KEYS = [signing_key(f"new directory {place}") for place in range(3)]


def family() -> Family:
    cases: list[Case] = []

    def case(name: str, says: str, file: TrustFile | bytes, expected: str, **facts: Any) -> None:
        value = file if isinstance(file, bytes) else file.encode()
        cases.append(Case(name, says, "trust", "", value, expected, **facts))

    two = DIRECTORY_KEYS[:2]
    case("good-directory", "Signed by two of three directory keys.", _file(_directory()), "trusted")
    case(
        "another-pair",
        "Any two of the three will do.",
        _file(_directory(signers=DIRECTORY_KEYS[1:])),
        "trusted",
    )
    case(
        "foreign-signature-beside",
        "A signature by a key that doesn't count is passed over.",
        _file(_directory(signers=[*two, signing_key("nobody")])),
        "trusted",
    )
    case("one-directory-key", "Signed by one directory key.", _file(_directory(signers=two[:1])), "TB-220")
    case(
        "directory-key-twice",
        "Signed by one directory key, twice.",
        _file(_directory(signers=[two[0], two[0]])),
        "TB-220",
    )
    case(
        "signed-by-root-keys", "Signed by root keys instead.", _file(_directory(signers=ROOT_KEYS)), "TB-220"
    )
    case("renamed-signature", "One key's signature under the names of two.", _file(_renamed()), "TB-220")
    case("bent-directory", "A word was changed after signing.", _file(_bent()), "TB-220")
    case(
        "directory-rolled-back",
        "Version 1, after version 2 was seen.",
        _file(_directory()),
        "TB-222",
        seen=(1, 2),
    )
    case(
        "same-version-again",
        "Version 1, after version 1 was seen.",
        _file(_directory()),
        "trusted",
        seen=(1, 1),
    )
    end = NOW + timedelta(days=365)
    case("directory-expired", "At the moment of its expiry.", _file(_directory()), "TB-223", at=end)
    case(
        "directory-not-yet-expired",
        "A millisecond earlier.",
        _file(_directory()),
        "trusted",
        at=end - timedelta(milliseconds=1),
    )
    case(
        "directory-of-another-network",
        "Signed by the right keys for golden-2.",
        _file(_directory(network="golden-2")),
        "TB-224",
    )
    case(
        "directory-unknown-field",
        "A directory with a further field.",
        _file(_directory(note="演练")),
        "TB-221",
    )
    case(
        "directory-key-misnamed",
        "A key whose `kid` isn't the hash of its public half.",
        _file(_directory(keys=_misnamed())),
        "TB-221",
    )
    case(
        "key-of-small-order",
        "A seal key that is a point of small order.",
        _file(_directory(keys=_weak())),
        "TB-225",
    )
    case("one-public-key-twice", "A public key with two uses.", _file(_directory(keys=_twice())), "TB-221")
    case(
        "threshold-out-of-reach",
        "A root that asks for more keys than it names.",
        _file(_directory(), _root(2, threshold=6)),
        "TB-221",
    )
    case(
        "wrong-payload-type",
        "A directory under a root's payload type.",
        _file(dsse.sign(compact_json(WORLD.document), ROOT_TYPE, two)),
        "TB-113",
    )
    case("no-trust-file", "Something else.", b'{"directory":{}}', "TB-221")
    case("key-twice", "JSON with a key twice.", b'{"roots":[],"roots":[],"directory":{}}', "TB-104")
    rotated = [*ROOT_KEYS[:3], *NEW_ROOT_KEYS[:3]]
    fresh = _directory(signers=NEW_DIRECTORY_KEYS[:2])
    case(
        "root-rotated",
        "Root 2 is signed by three keys of root 1 and by three of its own.",
        _file(fresh, _root(2, rotated)),
        "trusted",
    )
    case(
        "root-rotated-old-directory",
        "After the rotation the old directory keys don't count.",
        _file(_directory(), _root(2, rotated)),
        "TB-220",
    )
    case(
        "root-without-the-old",
        "Root 2 is signed by its own keys only.",
        _file(fresh, _root(2, NEW_ROOT_KEYS[:3])),
        "TB-220",
    )
    case(
        "root-without-the-new",
        "Root 2 is signed by keys of root 1 only.",
        _file(fresh, _root(2, ROOT_KEYS[:3])),
        "TB-220",
    )
    case(
        "root-key-twice",
        "Root 2 is signed by two keys of root 1, one of them twice.",
        _file(fresh, _root(2, [*ROOT_KEYS[:2], ROOT_KEYS[1], *NEW_ROOT_KEYS[:3]])),
        "TB-220",
    )
    case(
        "root-of-another-network",
        "Root 2 belongs to golden-2.",
        _file(fresh, _root(2, rotated, network="golden-2")),
        "TB-224",
    )
    case("root-rolled-back", "Root 1, after root 2 was seen.", _file(_directory()), "TB-222", seen=(2, 1))
    case(
        "root-expired",
        "Root 2 has expired.",
        _file(fresh, _root(2, rotated, expires_at=format_time(NOW - timedelta(hours=1)))),
        "TB-223",
    )
    case(
        "roots-skip-a-version",
        "Root 3 after root 1, signed by both sets: versions may be skipped, not go back.",
        _file(fresh, _root(3, rotated)),
        "trusted",
    )
    return Family("documents", "Trust files, read from the pinned root (section 8).", cases)


def _file(directory: Envelope, *roots: Envelope) -> TrustFile:
    return TrustFile((WORLD.root, *roots), directory)


def _directory(*, signers: Sequence[SigningKey] = DIRECTORY_KEYS[:2], **over: Any) -> Envelope:
    return dsse.sign(compact_json({**WORLD.document, **over}), DIRECTORY_TYPE, signers)


def _root(version: int, signers: Sequence[SigningKey] = (), *, threshold: int = 3, **over: Any) -> Envelope:
    document: Json = {
        **root_json(WORLD),
        "version": version,
        "directory_keys": key_set_json(NEW_DIRECTORY_KEYS, 2),
        "root_keys": key_set_json(NEW_ROOT_KEYS, threshold),
        **over,
    }
    return dsse.sign(compact_json(document), ROOT_TYPE, signers or [*ROOT_KEYS[:3], *NEW_ROOT_KEYS])


def _renamed() -> Envelope:
    signed = _directory(signers=DIRECTORY_KEYS[:1])
    [first] = signed.signatures
    return replace(signed, signatures=(first, replace(first, keyid=DIRECTORY_KEYS[1].keyid)))


def _bent() -> Envelope:
    signed = _directory()
    return replace(signed, payload=signed.payload.replace(b'"version":1', b'"version":2'))


def _keys() -> list[Json]:
    return [dict(key) for key in WORLD.document["keys"]]


def _misnamed() -> list[Json]:
    keys = _keys()
    keys[0]["kid"] = "0" * 64
    return keys


def _weak() -> list[Json]:
    keys = _keys()
    seal = next(key for key in keys if key["use"] == "seal")
    seal.update(public="0" * 64, kid=ZERO_KID)
    return keys


ZERO_KID = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
"""The hash of 32 zero bytes."""


def _twice() -> list[Json]:
    keys = _keys()
    message = next(key for key in keys if key["use"] == "message" and key["owner"] == "520000")
    twin = {name: value for name, value in message.items() if name != "may_sign"}
    return [*keys, {**twin, "use": "checkpoint"}]
