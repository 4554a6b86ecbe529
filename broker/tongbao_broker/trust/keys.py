"""Private and public keys: one key, one use.

Rules:
1. Ed25519 (RFC 8032) signs, X25519 (RFC 7748) receives sealed bodies. A key is named by the hex SHA-256 of
   its raw 32-byte public half: `keyid` in a signature, `kid` in a directory.
2. A public key of small order is refused wherever it comes from: under such an Ed25519 key one signature
   can fit any message, and every secret agreed with such an X25519 key is known to all. Both curves have
   such points in fourteen encodings of the field element and the top bit.
3. Verification raises.
4. A private key lies in a PKCS#8 PEM file that only its owner may read; the file is complete or absent,
   never half.
"""

import os
import tempfile
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tongbao_broker.errors import BadConfiguration, Words
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

__all__ = [
    "SealKey",
    "SigningKey",
    "check_public_key",
    "ed25519_public",
    "keyid_of",
    "load_seal_key",
    "load_signing_key",
    "save_private",
    "verify_signature",
    "write_private",
    "x25519_public",
]

KEY_BYTES = 32
SIGNATURE_BYTES = 64
CACHED_KEYS = 1024

_FIELD = 2**255 - 19
_SIGN_BIT = 1 << 255

# y of the eight points of small order; 0 and 1 also in their encodings above the field's size.
_ED25519_SMALL_ORDER = frozenset(
    {
        0,
        1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
        _FIELD - 1,
        _FIELD,
        _FIELD + 1,
    }
)

# u of the points of small order on the curve and its twist, likewise.
_X25519_SMALL_ORDER = frozenset(
    {
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        _FIELD - 1,
        _FIELD,
        _FIELD + 1,
    }
)

_SMALL_ORDER = {"Ed25519": _ED25519_SMALL_ORDER, "X25519": _X25519_SMALL_ORDER}


def keyid_of(public: bytes) -> str:
    """The name of a key: hex SHA-256 of its raw public half."""
    return sha256(public).hexdigest()


def check_public_key(alg: str, raw: bytes) -> None:
    """Raise `Refused(SMALL_ORDER_KEY)` unless `raw` is a usable public key of `alg` (Ed25519 or X25519)."""
    if len(raw) != KEY_BYTES or (int.from_bytes(raw, "little") & ~_SIGN_BIT) in _SMALL_ORDER[alg]:
        raise Refused(Code.SMALL_ORDER_KEY)


@lru_cache(maxsize=CACHED_KEYS)
def ed25519_public(raw: bytes) -> Ed25519PublicKey:
    """The checked and loaded signing key of these 32 bytes; kept, since keys are few and messages many."""
    check_public_key("Ed25519", raw)
    return Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(maxsize=CACHED_KEYS)
def x25519_public(raw: bytes) -> X25519PublicKey:
    """The checked and loaded seal key of these 32 bytes."""
    check_public_key("X25519", raw)
    return X25519PublicKey.from_public_bytes(raw)


def verify_signature(public: bytes, signature: bytes, data: bytes) -> None:
    """Raise `Refused(SIGNATURE_WRONG)` unless `signature` is this Ed25519 key's over exactly `data`."""
    try:
        ed25519_public(public).verify(signature, data)
    except InvalidSignature:
        raise Refused(Code.SIGNATURE_WRONG) from None


class SigningKey:
    """The private half of an Ed25519 key, for messages, checkpoints, directories or roots."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.private = private
        self.public = private.public_key().public_bytes_raw()
        self.keyid = keyid_of(self.public)

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """The key of a 32-byte seed (RFC 8032 section 5.1.5)."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, data: bytes) -> bytes:
        """64 bytes, the same for the same data."""
        return self.private.sign(data)

    def __repr__(self) -> str:
        return f"SigningKey({self.keyid})"


class SealKey:
    """The private half of an X25519 key, which opens what was sealed to its public half."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self.private = private
        self.public = private.public_key().public_bytes_raw()
        self.kid = keyid_of(self.public)

    @classmethod
    def generate(cls) -> "SealKey":
        return cls(X25519PrivateKey.generate())

    @classmethod
    def from_private(cls, raw: bytes) -> "SealKey":
        """The key of 32 raw private bytes."""
        return cls(X25519PrivateKey.from_private_bytes(raw))

    def __repr__(self) -> str:
        return f"SealKey({self.kid})"


def save_private(path: Path, key: SigningKey | SealKey) -> None:
    """Write the private half as PKCS#8 PEM, readable by its owner only."""
    write_private(path, key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_private(path: Path, content: bytes) -> None:
    """Put a secret into a file of mode 0600, whole and on disk, or leave what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_signing_key(path: Path) -> SigningKey:
    """The Ed25519 key in a PKCS#8 PEM file; raises `BadConfiguration`."""
    private = _load_private(path)
    if not isinstance(private, Ed25519PrivateKey):
        raise BadConfiguration(Words(f"{path.name} 不是 Ed25519 私钥", f"{path.name} holds no Ed25519 key"))
    return SigningKey(private)


def load_seal_key(path: Path) -> SealKey:
    """The X25519 key in a PKCS#8 PEM file; raises `BadConfiguration`."""
    private = _load_private(path)
    if not isinstance(private, X25519PrivateKey):
        raise BadConfiguration(Words(f"{path.name} 不是 X25519 私钥", f"{path.name} holds no X25519 key"))
    return SealKey(private)


def _load_private(path: Path) -> object:
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise BadConfiguration(f"{path.name}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise BadConfiguration(
            Words(f"{path.name} 不是未加密的 PEM 私钥", f"{path.name} is no unencrypted PEM private key")
        ) from None
