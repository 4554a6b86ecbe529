"""Vectors that an independent program made: all of it opens, verifies, and is made again where it can be."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tongbao_broker.trust import dsse, policy
from tongbao_broker.trust.checkpoint import sign_checkpoint, verify_checkpoint
from tongbao_broker.trust.directory import Directory, Trust, TrustFile, load_trust, parse_trust_file
from tongbao_broker.trust.keys import SealKey, SigningKey
from tongbao_broker.trust.merkle import leaf_hash, verify_inclusion
from tongbao_broker.trust.sealing import Recipient, SealContext, open_sealed, open_with_cek, seal
from tongbao_broker.trust.verify import Verified, verify_message
from tongbao_schemas.encoding import b64decode, compact_json
from tongbao_schemas.envelope import DIRECTORY_TYPE, MESSAGE_TYPE, ROOT_TYPE, Envelope
from tongbao_schemas.header import AlertHeader, Sealed
from tongbao_schemas.record import parse_in, parse_out
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind, leaf_bytes

FOLDER = Path(__file__).resolve().parents[2] / "schemas/vectors/independent"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
NETWORK = "vectors"
SEAL_1: Any = json.loads((FOLDER / "seal-1.json").read_bytes())
WORLD_1: Any = json.loads((FOLDER / "world-1.json").read_bytes())
RECORD_1 = (FOLDER / "record-1.json").read_bytes()
DELIVERY_1 = (FOLDER / "delivery-1.json").read_bytes()


@dataclass(frozen=True)
class SealHeader:
    """The part of a header that `seal-1.json` has."""

    network: str
    id: str
    thread: str
    type: str
    status: str
    origin: str
    audience: tuple[str, ...]
    schema_name: str
    sealed: Sealed


def secret(name: str) -> bytes:
    return bytes.fromhex(WORLD_1["secrets"][name])


def seal_header() -> SealHeader:
    header = SEAL_1["header"]
    return SealHeader(
        **{name: header[name] for name in ("network", "id", "thread", "type", "status", "origin")},
        audience=tuple(header["audience"]),
        schema_name=header["schema"],
        sealed=Sealed.read(compact_json(header["sealed"]), refuse_as=Code.HEADER_SHAPE),
    )


@pytest.fixture(scope="module")
def trust() -> Trust:
    value = compact_json({"roots": [WORLD_1["root"]], "directory": WORLD_1["directory"]})
    return load_trust(parse_trust_file(value), Envelope.parse(WORLD_1["root"]), network=NETWORK, now=NOW)


@pytest.fixture(scope="module")
def directory(trust: Trust) -> Directory:
    return trust.directory


@pytest.fixture(scope="module")
def verified(directory: Directory) -> Verified:
    return verify_message(parse_out(RECORD_1), directory=directory, network=NETWORK, owner="520000", at=NOW)


@pytest.mark.parametrize("code", ["330000", "440000", "520000"])
def test_every_recipient_opens_the_sealed_body(code: str) -> None:
    """Each addressee, and the origin, opens seal-1 with its own key: the same body, the same cek."""
    key = SealKey.from_private(bytes.fromhex(SEAL_1["secret_keys"][code]))
    opened = open_sealed(seal_header(), bytes.fromhex(SEAL_1["ciphertext"]), code=code, key=key)

    assert opened.body.hex() == SEAL_1["body"]
    assert opened.cek.hex() == SEAL_1["cek"]


def test_the_content_key_alone_opens_the_sealed_body() -> None:
    """A kept content key opens seal-1 without any seal key."""
    body = open_with_cek(seal_header(), bytes.fromhex(SEAL_1["ciphertext"]), bytes.fromhex(SEAL_1["cek"]))

    assert body.hex() == SEAL_1["body"]


def test_sealing_again_gives_the_same_bytes() -> None:
    """With seal-1's content key and salt, ciphertext, commitment and digest come out byte for byte."""
    header = SEAL_1["header"]
    recipients = [
        Recipient(wrap["code"], wrap["kid"], SealKey.from_private(bytes.fromhex(raw)).public)
        for wrap in header["sealed"]["to"]
        for raw in [SEAL_1["secret_keys"][wrap["code"]]]
    ]
    sealing = seal(
        bytes.fromhex(SEAL_1["body"]),
        SealContext.of(header),
        recipients,
        cek=bytes.fromhex(SEAL_1["cek"]),
        salt=bytes.fromhex(SEAL_1["salt"]),
    )

    assert sealing.ciphertext.hex() == SEAL_1["ciphertext"]
    assert without_wraps(sealing.sealed) == without_wraps(header["sealed"])


def without_wraps(sealed: dict[str, Any]) -> dict[str, Any]:
    """`sealed` without what is random."""
    return {**sealed, "to": [(wrap["code"], wrap["kid"]) for wrap in sealed["to"]]}


def test_the_trust_file_round_trips(trust: Trust) -> None:
    """Root and directory verify from the pinned root, and a trust file written from them reads the same."""
    envelopes = TrustFile((Envelope.parse(WORLD_1["root"]),), Envelope.parse(WORLD_1["directory"]))

    assert parse_trust_file(envelopes.encode()) == envelopes
    assert (trust.root.version, trust.directory.version) == (1, 1)
    assert trust.directory.active_codes() == ("100000", "330000", "440000", "450000", "520000")


@pytest.mark.parametrize(
    ("document", "payload_type", "signers"),
    [
        ("root", ROOT_TYPE, ["root.0", "root.1", "root.2"]),
        ("directory", DIRECTORY_TYPE, ["directory.0", "directory.2"]),
    ],
)
def test_documents_are_signed_to_the_same_bytes(document: str, payload_type: str, signers: list[str]) -> None:
    """Signing the documents' payloads with the same seeds gives the same envelopes."""
    expected = Envelope.parse(WORLD_1[document])
    keys = [SigningKey.from_seed(secret(name)) for name in signers]

    assert expected == dsse.sign(expected.payload, payload_type, keys)


def test_the_record_passes_steps_2_to_7(verified: Verified) -> None:
    """record-1 is an exercise alert of 520000, and its signer may say so."""
    header = verified.header

    assert (header.type, header.status, header.origin) == ("alert", "exercise", "520000")
    assert header.audience == ("330000", "440000")


def test_the_record_passes_the_policy(verified: Verified, directory: Directory) -> None:
    """record-1 is in time, and agreement and seal allow it (steps 10, 11, 13, 14)."""
    policy.check_times(verified.header, NOW)
    policy.check_audience(verified.header, directory)
    policy.check_agreement(verified.header, directory, NOW)
    policy.check_sealed(verified.header, verified.record.body, directory, NOW)


def test_the_record_is_signed_to_the_same_bytes(verified: Verified) -> None:
    """The province's seed over the record's payload gives the record's envelope."""
    payload = verified.record.envelope.payload
    key = SigningKey.from_seed(secret("520000.message"))

    assert verified.record.envelope == dsse.sign(payload, MESSAGE_TYPE, [key])


@pytest.mark.parametrize("code", ["330000", "440000", "520000"])
def test_the_record_opens_and_seals_again(verified: Verified, code: str) -> None:
    """All three open record-1 to the same body; its content key opens it again."""
    header, body = verified.header, verified.record.body
    assert isinstance(header, AlertHeader)
    assert body is not None
    opened = open_sealed(header, body, code=code, key=SealKey.from_private(secret(f"{code}.seal")))

    assert json.loads(opened.body)
    assert opened.body == open_with_cek(header, body, opened.cek)


def test_the_delivery_proves_its_entry(verified: Verified, directory: Directory) -> None:
    """delivery-1 is record-1's message; its leaf stands in the tree of the checkpoint the exchange signed."""
    record = parse_in(DELIVERY_1)
    assert record.stamp is not None
    leaf = record.stamp.leaf
    checkpoint = verify_checkpoint(
        record.stamp.checkpoint, NETWORK, directory.checkpoint_keys(leaf.admitted_at)
    )
    proven = leaf_bytes(NETWORK, LeafKind.ADMITTED, leaf.index, leaf.digest, leaf.admitted_at, leaf.directory)
    proof = [bytes.fromhex(node) for node in record.stamp.proof]
    verify_inclusion(leaf_hash(proven), leaf.index, checkpoint.size, proof, checkpoint.root)

    assert record.out == verified.record
    assert (leaf.digest, leaf.index, checkpoint.size) == (verified.payload_digest, 5, 9)


def test_the_checkpoint_is_signed_to_the_same_text() -> None:
    """The exchange's checkpoint seed over delivery-1's size and root gives the same note."""
    expected = json.loads(DELIVERY_1)["stamp"]["checkpoint"]
    root = b64decode(expected.split("\n")[2])

    assert expected == sign_checkpoint(NETWORK, 9, root, SigningKey.from_seed(secret("100000.checkpoint")))
