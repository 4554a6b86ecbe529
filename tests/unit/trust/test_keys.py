"""Keys: made, stored, named, and the points that are no keys."""

from pathlib import Path

import pytest

from tests.support.world import seal_key, signing_key
from tongbao_broker.errors import BadConfiguration
from tongbao_broker.trust.keys import (
    SealKey,
    SigningKey,
    check_public_key,
    keyid_of,
    load_seal_key,
    load_signing_key,
    save_private,
    verify_signature,
    write_private,
)
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
TOP = 1 << 255

# The encodings of small-order points as published lists have them, without the top bit, little-endian.
ED25519_SMALL = [
    0,
    1,
    P - 1,
    P,
    P + 1,
    int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    ),
    int.from_bytes(
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
    ),
]
X25519_SMALL = [
    0,
    1,
    P - 1,
    P,
    P + 1,
    int.from_bytes(
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), "little"
    ),
    int.from_bytes(
        bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"), "little"
    ),
]
BOTH_SIGNS = (0, TOP)


def encoded(value: int) -> bytes:
    return value.to_bytes(32, "little")


@pytest.mark.parametrize("top", BOTH_SIGNS)
@pytest.mark.parametrize("value", ED25519_SMALL)
def test_small_order_signing_keys_are_refused(value: int, top: int) -> None:
    """None of the 14 encodings of a small-order Ed25519 point is taken as a key."""
    with pytest.raises(Refused) as refused:
        check_public_key("Ed25519", encoded(value | top))

    assert refused.value.code is Code.SMALL_ORDER_KEY


@pytest.mark.parametrize("top", BOTH_SIGNS)
@pytest.mark.parametrize("value", X25519_SMALL)
def test_small_order_seal_keys_are_refused(value: int, top: int) -> None:
    """None of the 14 encodings of a small-order X25519 point is taken as a key."""
    with pytest.raises(Refused) as refused:
        check_public_key("X25519", encoded(value | top))

    assert refused.value.code is Code.SMALL_ORDER_KEY


@pytest.mark.parametrize("value", ED25519_SMALL)
def test_the_listed_signing_points_have_small_order(value: int) -> None:
    """Eight times each listed point is the neutral element (own arithmetic on the curve of RFC 8032)."""
    y = value % P
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    doubled_y, doubled_x_squared = y, x_squared
    for _ in range(3):
        doubled_x_squared, doubled_y = double(doubled_x_squared, doubled_y)

    assert (doubled_x_squared, doubled_y) == (0, 1)


def double(x_squared: int, y: int) -> tuple[int, int]:
    """Twice a point of -x² + y² = 1 + d x² y², with x only as its square."""
    product = D * x_squared * y * y % P
    x_doubled_squared = 4 * x_squared * y * y * pow(1 + product, -2, P) % P
    y_doubled = (y * y + x_squared) * pow(1 - product, -1, P) % P
    return x_doubled_squared, y_doubled


@pytest.mark.parametrize("value", X25519_SMALL)
def test_the_listed_seal_points_agree_on_nothing(value: int) -> None:
    """With each listed point any private key agrees on all zeros, which the library refuses on its own."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    with pytest.raises(ValueError, match="shared key"):
        seal_key("any").private.exchange(X25519PublicKey.from_public_bytes(encoded(value)))


@pytest.mark.parametrize("alg", ["Ed25519", "X25519"])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_has_32_bytes(alg: str, length: int) -> None:
    """Anything but 32 bytes is no public key."""
    with pytest.raises(Refused):
        check_public_key(alg, b"\x05" * length)


def test_good_keys_pass() -> None:
    """Ordinary public keys of both kinds are taken."""
    check_public_key("Ed25519", signing_key("a").public)
    check_public_key("X25519", seal_key("a").public)


def test_a_signature_holds_for_its_key_and_bytes_only() -> None:
    """The signer's public half verifies the very bytes; other bytes, keys and signatures raise."""
    key, other = signing_key("a"), signing_key("b")
    signature = key.sign(b"text")
    verify_signature(key.public, signature, b"text")
    for public, made, data in [
        (key.public, signature, b"Text"),
        (other.public, signature, b"text"),
        (key.public, signature[:-1], b"text"),
        (key.public, bytes(64), b"text"),
        (key.public, b"", b"text"),
    ]:
        with pytest.raises(Refused) as refused:
            verify_signature(public, made, data)
        assert refused.value.code is Code.SIGNATURE_WRONG


def test_a_small_order_key_verifies_nothing() -> None:
    """The neutral element as a key would fit R = neutral, S = 0 to any text; it is refused before."""
    with pytest.raises(Refused) as refused:
        verify_signature(encoded(1), encoded(1) + bytes(32), b"any text")

    assert refused.value.code is Code.SMALL_ORDER_KEY


def test_private_keys_go_through_their_files(tmp_path: Path) -> None:
    """A key saved is the key loaded, and nobody but the owner may read the file."""
    signing, seal = SigningKey.generate(), SealKey.generate()
    save_private(tmp_path / "keys/message.pem", signing)
    save_private(tmp_path / "keys/seal.pem", seal)

    assert load_signing_key(tmp_path / "keys/message.pem").keyid == signing.keyid == keyid_of(signing.public)
    assert load_seal_key(tmp_path / "keys/seal.pem").kid == seal.kid == keyid_of(seal.public)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_key_of_the_other_use_is_not_loaded(tmp_path: Path) -> None:
    """A signing key is no seal key, nor the other way round: one key, one use."""
    save_private(tmp_path / "message.pem", signing_key("a"))
    save_private(tmp_path / "seal.pem", seal_key("a"))
    with pytest.raises(BadConfiguration, match=r"message\.pem"):
        load_seal_key(tmp_path / "message.pem")
    with pytest.raises(BadConfiguration, match=r"seal\.pem"):
        load_signing_key(tmp_path / "seal.pem")


@pytest.mark.parametrize(
    "content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_broken_key_file_is_named(tmp_path: Path, content: bytes) -> None:
    """What can't be read as a key is our own configuration's fault, and the file's name is said."""
    (tmp_path / "message.pem").write_bytes(content)
    with pytest.raises(BadConfiguration, match=r"message\.pem"):
        load_signing_key(tmp_path / "message.pem")


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    """So is a file that isn't there."""
    with pytest.raises(BadConfiguration, match=r"message\.pem"):
        load_signing_key(tmp_path / "message.pem")


def test_a_secret_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """A failure on the way leaves the former file whole and no half one beside it."""
    (tmp_path / "key.pem").write_bytes(b"old")
    with pytest.raises(TypeError):
        write_private(tmp_path / "key.pem", "no bytes")  # type: ignore[arg-type]

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_keys_do_not_show_their_secret() -> None:
    """What a log or traceback might print of a key is its name only."""
    assert repr(signing_key("a")) == f"SigningKey({signing_key('a').keyid})"
    assert repr(seal_key("a")) == f"SealKey({seal_key('a').kid})"
