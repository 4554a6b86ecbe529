"""The shapes of root and directory."""

from copy import deepcopy
from typing import Any

import pytest

from tests.unit.schemas import wire
from tests.unit.schemas.wire import DIRECTORY, ROOT, TERMS
from tongbao_schemas.documents import DirectoryDocument, RootDocument
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code


def bent(document: dict[str, Any], path: str, value: Any) -> bytes:
    """A document with one value at a dotted path replaced, or removed by `...`."""
    changed = deepcopy(document)
    target: Any = changed
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return wire.text(changed)


def test_good_documents_are_read_whole() -> None:
    """Every field of a full directory and root comes back as it was written."""
    for model, document in ((DirectoryDocument, DIRECTORY), (RootDocument, ROOT)):
        read = model.read(wire.text(document), refuse_as=Code.DOCUMENT_SHAPE)
        assert read.model_dump(mode="json", exclude_none=True) == document


def test_a_directory_may_have_no_statutory_floor() -> None:
    """Without `floor` nothing is allowed but what an agreement allows."""
    read = DirectoryDocument.read(bent(DIRECTORY, "floor", ...), refuse_as=Code.DOCUMENT_SHAPE)

    assert read.floor is None


BENT = {
    "version 0": ("version", 0, "version"),
    "no keys": ("keys", ..., "keys"),
    "one more field": ("owner", "x", "(unknown field)"),
    "participant with a county's code": ("participants.1.code", "520102", "participants[1].code"),
    "participant twice": ("participants.1.code", "100000", ""),
    "participant of unknown standing": ("participants.1.status", "banned", "participants[1].status"),
    "participant with a bad schema": ("participants.1.schemas", ["alert"], "participants[1].schemas[0]"),
    "key twice": ("keys.1.kid", "0a" * 32, ""),
    "key of unknown use": ("keys.0.use", "tls", "keys[0].use"),
    "key of unknown algorithm": ("keys.0.alg", "SM2", "keys[0].alg"),
    "seal key for signing": ("keys.1.alg", "Ed25519", "keys[1]"),
    "message key for sealing": ("keys.0.alg", "X25519", "keys[0]"),
    "message key that may sign nothing said": ("keys.0.may_sign", ..., "keys[0]"),
    "seal key that may sign": ("keys.1.may_sign", ["alert"], "keys[1]"),
    "key with an empty period": ("keys.0.valid_until", wire.ISSUED, "keys[0]"),
    "public key in capitals": ("keys.0.public", "0B" * 32, "keys[0].public"),
    "agreement of one": ("agreements.0.parties", ["520000"], "agreements[0].parties"),
    "agreement without terms for flash": (
        "agreements.0.deadlines.flash",
        ...,
        "agreements[0].deadlines.flash",
    ),
    "agreement with terms of no time": (
        "agreements.0.deadlines.flash",
        TERMS | {"sign_s": 0},
        "agreements[0].deadlines.flash.sign_s",
    ),
    "terms out of order": (
        "agreements.0.deadlines.flash",
        TERMS | {"sign_s": 7201},
        "agreements[0].deadlines.flash",
    ),
    "a party twice": ("agreements.0.parties", ["520000", "520000"], "agreements[0].parties"),
    "one public key under two names": ("keys.1.public", "0b" * 32, ""),
    "expired when issued": ("expires_at", wire.ISSUED, ""),
    "posting at the exchange": ("postings.0.host", "100000", "postings[0].host"),
}


@pytest.mark.parametrize(("path", "value", "where"), BENT.values(), ids=BENT)
def test_a_bent_directory_is_refused(path: str, value: Any, where: str) -> None:
    """Each wrong value refuses the document and is named."""
    with pytest.raises(Refused) as caught:
        DirectoryDocument.read(bent(DIRECTORY, path, value), refuse_as=Code.DOCUMENT_SHAPE)
    assert (caught.value.code, caught.value.where) == (Code.DOCUMENT_SHAPE, where)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("root_keys.threshold", 0),
        ("root_keys.threshold", 3),
        ("root_keys.keys", []),
        ("root_keys.keys.1.kid", "1a" * 32),
        ("root_keys.keys.1.public", "1b" * 32),
        ("directory_keys", ...),
        ("expires_at", wire.ISSUED),
    ],
)
def test_a_bent_root_is_refused(path: str, value: Any) -> None:
    """A root names two sets of distinct keys, each with a threshold that can be met."""
    with pytest.raises(Refused) as caught:
        RootDocument.read(bent(ROOT, path, value), refuse_as=Code.DOCUMENT_SHAPE)
    assert caught.value.code is Code.DOCUMENT_SHAPE
