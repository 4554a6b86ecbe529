"""HPKE base mode with an ephemeral key that is given, for vectors that come out the same each time.

RFC 9180 with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, one message, no associated data. The
library that the project seals with draws the ephemeral key itself; it opens what is made here.
"""

from hashlib import sha256
from hmac import digest

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM = b"KEM\x00\x20"
_SUITE = b"HPKE\x00\x20\x00\x01\x00\x02"


def encrypt(plaintext: bytes, public: bytes, info: bytes, ephemeral: bytes) -> bytes:
    """`enc ‖ ct` for the holder of `public`; `ephemeral` is the raw private key, never used twice."""
    secret = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = secret.public_key().public_bytes_raw()
    shared = _extract_and_expand(secret.exchange(X25519PublicKey.from_public_bytes(public)), enc + public)
    hashes = _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    schedule = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(_SUITE, schedule, b"key", b"\x00" + hashes, 32)
    nonce = _expand(_SUITE, schedule, b"base_nonce", b"\x00" + hashes, 12)
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


def _extract_and_expand(exchanged: bytes, context: bytes) -> bytes:
    return _expand(_KEM, _extract(_KEM, b"", b"eae_prk", exchanged), b"shared_secret", context, 32)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, sha256)


def _expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """At most 32 bytes, so one block of HKDF-Expand is enough."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return digest(secret, labelled + b"\x01", sha256)[:length]
