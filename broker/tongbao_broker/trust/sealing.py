"""Bodies sealed to their addressees and opened again: suite X25519-SHA256-A256GCM.

Rules:
1. One content key (cek) per body encrypts it once; the cek is wrapped for each addressee in the audience's
   order and then for the origin, with HPKE base mode (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM).
2. Everything is bound to its context: network, id, thread, type, status, origin, audience, schema and the
   content's digest go into the key derivation and into each wrap, so a sealed body moved into another
   message doesn't open.
3. The commitment, derived beside the encryption key, says which cek fits: a ciphertext made to open under
   two keys is refused. `content_digest`, over a salt and the body, binds all addressees to one text.
4. The body is padded to a multiple of 4096 bytes together with its salt and length; any other padding is
   refused.
5. Whatever goes wrong from the wrap to the digest has one code, CANNOT_OPEN: a stranger learns nothing from
   it.
6. The cek opens the stored body again without the seal key, which may be gone by then.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tongbao_broker.trust.keys import SealKey, x25519_public
from tongbao_schemas.encoding import b64decode, b64encode, digest, sha256_hex
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import MAX_CIPHERTEXT, SUITE, Sealed, Wrap
from tongbao_schemas.refusals import Code

__all__ = [
    "MAX_BODY",
    "Opened",
    "Recipient",
    "SealContext",
    "SealedHeader",
    "Sealing",
    "open_sealed",
    "open_with_cek",
    "seal",
]

PADDING = 4096
CEK_BYTES = 32
SALT_BYTES = 32
FRAME_BYTES = SALT_BYTES + 4
TAG_BYTES = 16
MAX_BODY = MAX_CIPHERTEXT - TAG_BYTES - FRAME_BYTES
"""The most bytes a body may have."""

_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE = bytes(12)


class SealedHeader(Protocol):
    """What opening reads of a header; every header of people's types has it."""

    @property
    def network(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def thread(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def audience(self) -> Sequence[str]: ...
    @property
    def schema_name(self) -> str: ...
    @property
    def sealed(self) -> Sealed: ...


@dataclass(frozen=True, slots=True)
class Recipient:
    """One who shall be able to open: participant code, the key's name, its 32 raw public bytes."""

    code: str
    kid: str
    public: bytes


@dataclass(frozen=True, slots=True)
class SealContext:
    """The header facts that a sealed body is bound to."""

    network: str
    id: str
    thread: str
    type: str
    status: str
    origin: str
    audience: tuple[str, ...]
    schema: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "SealContext":
        """The context out of a header that is being built (its JSON field names)."""
        return cls(
            fields["network"],
            fields["id"],
            fields["thread"],
            fields["type"],
            fields["status"],
            fields["origin"],
            tuple(fields["audience"]),
            fields["schema"],
        )

    @classmethod
    def of_header(cls, header: SealedHeader) -> "SealContext":
        """The context out of a parsed header."""
        return cls(
            header.network,
            header.id,
            header.thread,
            header.type,
            header.status,
            header.origin,
            tuple(header.audience),
            header.schema_name,
        )

    @property
    def recipients(self) -> tuple[str, ...]:
        """The codes to seal to, in order: the audience, then the origin."""
        return (*self.audience, self.origin)

    def bound(self, content_digest: str) -> bytes:
        """The context's bytes: one ASCII line a fact."""
        lines = (
            "tongbao/seal/v1",
            SUITE,
            self.network,
            self.id,
            self.thread,
            self.type,
            self.status,
            self.origin,
            ",".join(self.audience),
            self.schema,
            content_digest,
            "",
        )
        return "\n".join(lines).encode("ascii")


@dataclass(frozen=True, slots=True)
class Sealing:
    """A sealed body: the header's `sealed` (JSON shape), the ciphertext to send, the content key to keep."""

    sealed: dict[str, Any]
    ciphertext: bytes
    cek: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened body, not yet through the parse gate, and its content key."""

    body: bytes
    cek: bytes


def seal(
    body: bytes,
    context: SealContext,
    recipients: Sequence[Recipient],
    *,
    cek: bytes | None = None,
    salt: bytes | None = None,
) -> Sealing:
    """Seal `body` to exactly the context's recipients, in their order.

    `cek` and `salt` (32 bytes each) are random unless given; a cek is never used for two bodies. Raises
    `Refused`: SEALED_TO_WRONG_PARTIES, SMALL_ORDER_KEY, RECORD_TOO_LARGE (body over `MAX_BODY` bytes).
    """
    if tuple(recipient.code for recipient in recipients) != context.recipients:
        raise Refused(Code.SEALED_TO_WRONG_PARTIES, "sealed.to")
    if len(body) > MAX_BODY:
        raise Refused(Code.RECORD_TOO_LARGE, "body")
    cek, salt = cek or os.urandom(CEK_BYTES), salt or os.urandom(SALT_BYTES)
    content_digest = _content_digest(salt, body)
    bound = context.bound(content_digest)
    key, commit = _derive(cek, bound)
    ciphertext = AESGCM(key).encrypt(_NONCE, _pad(salt, body), None)
    sealed = {
        "suite": SUITE,
        "to": [_wrap(cek, recipient, bound) for recipient in recipients],
        "commit": commit,
        "ct_size": len(ciphertext),
        "ct_sha256": sha256_hex(ciphertext),
        "content_digest": content_digest,
    }
    return Sealing(sealed, ciphertext, cek)


def open_sealed(header: SealedHeader, ciphertext: bytes, *, code: str, key: SealKey) -> Opened:
    """Open a body as the participant `code` with the seal key that its wrap names.

    Raises `Refused`: SEALED_TO_WRONG_PARTIES where `to` is not the audience and the origin, else CANNOT_OPEN.
    """
    context = SealContext.of_header(header)
    _check_parties(context, header.sealed)
    bound = context.bound(header.sealed.content_digest)
    cek = _unwrap(_own_wrap(header.sealed, code, key), key, bound)
    return Opened(_open(header.sealed, ciphertext, cek, bound), cek)


def open_with_cek(header: SealedHeader, ciphertext: bytes, cek: bytes) -> bytes:
    """Open a stored body with its kept content key; raises `Refused(CANNOT_OPEN)`."""
    bound = SealContext.of_header(header).bound(header.sealed.content_digest)
    return _open(header.sealed, ciphertext, cek, bound)


def _check_parties(context: SealContext, sealed: Sealed) -> None:
    if tuple(wrap.code for wrap in sealed.to) != context.recipients:
        raise Refused(Code.SEALED_TO_WRONG_PARTIES, "sealed.to")


def _own_wrap(sealed: Sealed, code: str, key: SealKey) -> Wrap:
    for wrap in sealed.to:
        if wrap.code == code and wrap.kid == key.kid:
            return wrap
    raise Refused(Code.CANNOT_OPEN)


def _info(bound: bytes, code: str, kid: str) -> bytes:
    return bound + f"{code}\n{kid}\n".encode("ascii")


def _wrap(cek: bytes, recipient: Recipient, bound: bytes) -> dict[str, str]:
    info = _info(bound, recipient.code, recipient.kid)
    wrapped = _HPKE.encrypt(cek, x25519_public(recipient.public), info)
    return {"code": recipient.code, "kid": recipient.kid, "wrap": b64encode(wrapped)}


def _unwrap(wrap: Wrap, key: SealKey, bound: bytes) -> bytes:
    try:
        return _HPKE.decrypt(b64decode(wrap.wrap), key.private, _info(bound, wrap.code, wrap.kid))
    except (InvalidTag, ValueError, Refused):
        raise Refused(Code.CANNOT_OPEN) from None


def _open(sealed: Sealed, ciphertext: bytes, cek: bytes, bound: bytes) -> bytes:
    """From the content key on: commitment, size and hash, decryption, padding, digest."""
    key, commit = _derive(cek, bound)
    fits = compare_digest(commit, sealed.commit) and len(ciphertext) == sealed.ct_size
    if not fits or sha256_hex(ciphertext) != sealed.ct_sha256:
        raise Refused(Code.CANNOT_OPEN)
    try:
        salt, body = _unpad(AESGCM(key).decrypt(_NONCE, ciphertext, None))
    except (InvalidTag, ValueError):
        raise Refused(Code.CANNOT_OPEN) from None
    if _content_digest(salt, body) != sealed.content_digest:
        raise Refused(Code.CANNOT_OPEN)
    return body


def _content_digest(salt: bytes, body: bytes) -> str:
    return digest(b"tongbao/content/v1\n" + salt + body)


def _derive(cek: bytes, bound: bytes) -> tuple[bytes, str]:
    """The AES-256 key and the commitment (hex) of a content key in its context (RFC 5869, no salt)."""
    okm = HKDF(SHA256(), 64, None, b"tongbao/body/v1\n" + bound).derive(cek)
    return okm[:32], okm[32:].hex()


def _pad(salt: bytes, body: bytes) -> bytes:
    frame = salt + len(body).to_bytes(4, "big") + body
    return frame + bytes(-len(frame) % PADDING)


def _unpad(padded: bytes) -> tuple[bytes, bytes]:
    """Salt and body; raises ValueError unless the padding is the one that `_pad` would make."""
    end = FRAME_BYTES + int.from_bytes(padded[SALT_BYTES:FRAME_BYTES], "big")
    salt, body = padded[:SALT_BYTES], padded[FRAME_BYTES:end]
    if _pad(salt, body) != padded:
        raise ValueError("not the exact padding")
    return salt, body
