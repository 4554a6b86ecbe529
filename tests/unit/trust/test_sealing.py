"""Bodies sealed and opened, and every way in which opening fails."""

from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import seal_key
from tongbao_broker.trust import sealing
from tongbao_broker.trust.sealing import (
    MAX_BODY,
    Recipient,
    SealContext,
    Sealing,
    open_sealed,
    open_with_cek,
    seal,
)
from tongbao_schemas.encoding import b64decode, b64encode, compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import Sealed
from tongbao_schemas.refusals import Code

KEYS = {code: seal_key(code) for code in ("330000", "440000", "520000")}
CONTEXT = SealContext(
    network="test",
    id="019ab0b0-0000-7000-8000-000000000001",
    thread="019ab0b0-0000-7000-8000-000000000001",
    type="alert",
    status="exercise",
    origin="520000",
    audience=("330000", "440000"),
    schema="alert/1.0",
)
RECIPIENTS = [Recipient(code, KEYS[code].kid, KEYS[code].public) for code in CONTEXT.recipients]
BODY = b'{"facts":"text"}'


@dataclass(frozen=True)
class Header:
    """What opening reads of a header."""

    network: str
    id: str
    thread: str
    type: str
    status: str
    origin: str
    audience: tuple[str, ...]
    schema_name: str
    sealed: Sealed


def header_of(sealed: dict[str, object], context: SealContext = CONTEXT) -> Header:
    return Header(
        context.network,
        context.id,
        context.thread,
        context.type,
        context.status,
        context.origin,
        context.audience,
        context.schema,
        Sealed.read(compact_json(sealed), refuse_as=Code.HEADER_SHAPE),
    )


@pytest.fixture(scope="module")
def good() -> Sealing:
    return seal(BODY, CONTEXT, RECIPIENTS)


@pytest.fixture(scope="module")
def header(good: Sealing) -> Header:
    return header_of(good.sealed)


@given(body=st.binary(max_size=9000))
@settings(max_examples=40, deadline=None)
def test_what_is_sealed_opens(body: bytes) -> None:
    """Whatever the body, each recipient gets it back, and its content key opens it again."""
    made = seal(body, CONTEXT, RECIPIENTS)
    header = header_of(made.sealed)
    for code, key in KEYS.items():
        opened = open_sealed(header, made.ciphertext, code=code, key=key)
        assert (opened.body, opened.cek) == (body, made.cek)
    assert open_with_cek(header, made.ciphertext, made.cek) == body


@pytest.mark.parametrize(
    ("length", "blocks"),
    [(0, 1), (4096 - 36, 1), (4096 - 35, 2), (2 * 4096 - 36, 2), (MAX_BODY, 88)],
)
def test_the_ciphertext_shows_the_length_in_blocks_only(length: int, blocks: int) -> None:
    """A body is padded to whole blocks of 4,096 bytes together with its salt and length."""
    made = seal(b"x" * length, CONTEXT, RECIPIENTS)

    assert len(made.ciphertext) == made.sealed["ct_size"] == blocks * 4096 + 16
    assert len(open_with_cek(header_of(made.sealed), made.ciphertext, made.cek)) == length


def test_a_body_too_large_is_not_sealed() -> None:
    """One byte over the limit is refused before anything is encrypted."""
    with pytest.raises(Refused) as refused:
        seal(b"x" * (MAX_BODY + 1), CONTEXT, RECIPIENTS)

    assert refused.value.code is Code.RECORD_TOO_LARGE


@pytest.mark.parametrize(
    "recipients",
    [
        pytest.param(RECIPIENTS[:-1], id="origin missing"),
        pytest.param(RECIPIENTS[1:], id="addressee missing"),
        pytest.param([*RECIPIENTS, Recipient("450000", "", b"")], id="one too many"),
        pytest.param([RECIPIENTS[1], RECIPIENTS[0], RECIPIENTS[2]], id="another order"),
        pytest.param([], id="nobody"),
    ],
)
def test_sealing_takes_exactly_the_audience_and_the_origin(recipients: list[Recipient]) -> None:
    """A body isn't sealed to anybody more or less than its header says."""
    with pytest.raises(Refused) as refused:
        seal(BODY, CONTEXT, recipients)

    assert refused.value.code is Code.SEALED_TO_WRONG_PARTIES


def test_sealing_to_a_small_order_key_is_refused() -> None:
    """Nobody is sealed to under a key whose every secret is known."""
    weak = [replace(RECIPIENTS[0], public=bytes(32)), *RECIPIENTS[1:]]
    with pytest.raises(Refused) as refused:
        seal(BODY, CONTEXT, weak)

    assert refused.value.code is Code.SMALL_ORDER_KEY


def test_the_same_body_never_looks_the_same(good: Sealing) -> None:
    """Content key and salt are new each time, so equal bodies can't be told."""
    again = seal(BODY, CONTEXT, RECIPIENTS)

    assert again.cek != good.cek
    assert again.ciphertext != good.ciphertext
    assert again.sealed["content_digest"] != good.sealed["content_digest"]


@pytest.mark.parametrize(
    "change",
    [
        {"network": "cn"},
        {"id": "019ab0b0-0000-7000-8000-000000000002"},
        {"thread": "019ab0b0-0000-7000-8000-000000000002"},
        {"type": "update"},
        {"status": "actual"},
        {"schema_name": "alert/1.1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_sealed_body_opens_in_its_own_message_only(
    good: Sealing, header: Header, change: dict[str, str]
) -> None:
    """Moved under another header the wrap doesn't open, nor does the known content key help."""
    moved = replace(header, **change)  # type: ignore[arg-type]
    for attempt in (
        lambda: open_sealed(moved, good.ciphertext, code="440000", key=KEYS["440000"]),
        lambda: open_with_cek(moved, good.ciphertext, good.cek),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code is Code.CANNOT_OPEN


def test_another_provinces_copy_does_not_open(good: Sealing) -> None:
    """A copied `sealed`, re-signed by another province, names other parties and is refused."""
    copied = header_of(good.sealed, replace(CONTEXT, origin="530000"))
    with pytest.raises(Refused) as refused:
        open_sealed(copied, good.ciphertext, code="440000", key=KEYS["440000"])

    assert refused.value.code is Code.SEALED_TO_WRONG_PARTIES


def bent(sealed: dict[str, object], **over: object) -> Header:
    return header_of({**sealed, **over})


def flipped(text: str) -> str:
    """The same hex text but for its last digit."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("field", ["commit", "ct_sha256", "content_digest"])
def test_a_changed_hash_is_refused(good: Sealing, field: str) -> None:
    """Commitment, ciphertext hash and content digest each have to be right."""
    header = bent(good.sealed, **{field: flipped(good.sealed[field])})
    with pytest.raises(Refused) as refused:
        open_sealed(header, good.ciphertext, code="440000", key=KEYS["440000"])

    assert refused.value.code is Code.CANNOT_OPEN


def test_a_changed_size_is_refused(good: Sealing) -> None:
    """The size is checked though the hash would do."""
    with pytest.raises(Refused) as refused:
        open_with_cek(bent(good.sealed, ct_size=2 * 4096 + 16), good.ciphertext, good.cek)

    assert refused.value.code is Code.CANNOT_OPEN


@pytest.mark.parametrize("at", [0, 40, 4095, 4111])
def test_a_flipped_bit_is_refused(good: Sealing, at: int) -> None:
    """One bit of the ciphertext or its tag, with the header's hash made to fit, and it doesn't open."""
    changed = bytes(byte ^ (index == at) for index, byte in enumerate(good.ciphertext))
    header = bent(good.sealed, ct_sha256=sha256(changed).hexdigest())
    with pytest.raises(Refused) as refused:
        open_with_cek(header, changed, good.cek)

    assert refused.value.code is Code.CANNOT_OPEN


@pytest.mark.parametrize(
    "bend",
    [
        pytest.param(lambda wrap: bytes(80), id="zeros"),
        pytest.param(lambda wrap: wrap[:-1] + bytes([wrap[-1] ^ 1]), id="one bit"),
        pytest.param(lambda wrap: bytes(32) + wrap[32:], id="small-order encapsulation"),
    ],
)
def test_a_broken_wrap_is_refused(good: Sealing, bend: object) -> None:
    """A wrap that HPKE doesn't open is refused with the one code."""
    assert callable(bend)
    to = [
        {**wrap, "wrap": b64encode(bend(b64decode(wrap["wrap"])))} if wrap["code"] == "440000" else wrap
        for wrap in good.sealed["to"]
    ]
    with pytest.raises(Refused) as refused:
        open_sealed(bent(good.sealed, to=to), good.ciphertext, code="440000", key=KEYS["440000"])

    assert refused.value.code is Code.CANNOT_OPEN


def test_a_foreign_key_does_not_open(good: Sealing, header: Header) -> None:
    """Neither a stranger's key nor another addressee's, whatever code its holder claims."""
    for code, key in [("440000", KEYS["330000"]), ("330000", seal_key("stranger"))]:
        with pytest.raises(Refused) as refused:
            open_sealed(header, good.ciphertext, code=code, key=key)
        assert refused.value.code is Code.CANNOT_OPEN


def test_a_wrong_content_key_is_refused(good: Sealing, header: Header) -> None:
    """The commitment tells a wrong content key before anything is decrypted."""
    with pytest.raises(Refused) as refused:
        open_with_cek(header, good.ciphertext, bytes(32))

    assert refused.value.code is Code.CANNOT_OPEN


def forged(plaintext: bytes, content_digest: str) -> tuple[Header, bytes, bytes]:
    """A message whose sender put any plaintext under a good key, commitment and hash."""
    cek = bytes(32)
    key, commit = sealing._derive(cek, CONTEXT.bound(content_digest))
    ciphertext = AESGCM(key).encrypt(bytes(12), plaintext, None)
    made = {
        **seal(BODY, CONTEXT, RECIPIENTS).sealed,
        "commit": commit,
        "ct_size": len(ciphertext),
        "ct_sha256": sha256(ciphertext).hexdigest(),
        "content_digest": content_digest,
    }
    return header_of(made), ciphertext, cek


SALT = bytes(32)
FRAME = SALT + len(BODY).to_bytes(4, "big") + BODY
RIGHT_DIGEST = sealing._content_digest(SALT, BODY)
BLOCK = FRAME + bytes(4096 - len(FRAME))


@pytest.mark.parametrize(
    ("plaintext", "content_digest"),
    [
        pytest.param(BLOCK[:-1] + b"\x01", RIGHT_DIGEST, id="a byte hidden in the padding"),
        pytest.param(BLOCK + bytes(4096), RIGHT_DIGEST, id="a block too many"),
        pytest.param(
            SALT + (5000).to_bytes(4, "big") + bytes(4060), RIGHT_DIGEST, id="length beyond the end"
        ),
        pytest.param(SALT + b"\xff" * 4 + bytes(4060), RIGHT_DIGEST, id="enormous length"),
        pytest.param(BLOCK, sealing._content_digest(SALT, b"another text"), id="digest of another text"),
        pytest.param(BLOCK, sealing._content_digest(b"\x01" * 32, BODY), id="digest with another salt"),
    ],
)
def test_a_sender_cannot_bend_the_plaintext(plaintext: bytes, content_digest: str) -> None:
    """Even who holds the content key can't hide bytes, or give two addressees two texts under one digest."""
    header, ciphertext, cek = forged(plaintext, content_digest)
    with pytest.raises(Refused) as refused:
        open_with_cek(header, ciphertext, cek)

    assert refused.value.code is Code.CANNOT_OPEN


def test_the_forger_of_these_tests_can_forge() -> None:
    """With nothing bent the same forgery opens, so the refusals above come from what was bent."""
    header, ciphertext, cek = forged(BLOCK, RIGHT_DIGEST)

    assert open_with_cek(header, ciphertext, cek) == BODY


def test_a_second_content_key_is_not_committed_to(good: Sealing) -> None:
    """A wrap that gives one addressee another content key fails at the commitment."""
    other = seal(b'{"facts":"other"}', CONTEXT, RECIPIENTS)
    to = [other.sealed["to"][0], *good.sealed["to"][1:]]
    with pytest.raises(Refused) as refused:
        open_sealed(bent(good.sealed, to=to), good.ciphertext, code="330000", key=KEYS["330000"])

    assert refused.value.code is Code.CANNOT_OPEN


def test_the_refusal_says_nothing_about_the_body(good: Sealing, header: Header) -> None:
    """The error's text is the table's sentence: no place, no value."""
    with pytest.raises(Refused) as refused:
        open_with_cek(header, good.ciphertext, bytes(32))

    assert refused.value.where == ""
