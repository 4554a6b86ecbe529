"""Checkpoints of the trail: C2SP signed notes over a tree's size and root (c2sp.org/tlog-checkpoint).

Rules:
1. The signed text is exactly three lines: `tongbao/<network>`, the size in decimal, the root in base64.
   After it an empty line, then signature lines `— <name> <base64(4 bytes of key hash ‖ signature)>`, every
   line ended by a newline.
2. The key hash is SHA-256(name ‖ newline ‖ 01 ‖ public key), cut to 4 bytes: it says which key to try, no
   more.
3. One good signature of a key that the verifier brought is needed. Lines under other names or key hashes
   are witnesses' and are passed over; a line that names a brought key and doesn't verify refuses the whole
   note.
4. One note serves a whole batch of stamps, so a verified one is remembered; text, network and keys decide
   alone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from tongbao_broker.trust.keys import SigningKey, verify_signature
from tongbao_schemas.encoding import b64decode, b64encode
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

__all__ = [
    "Checkpoint",
    "NoteSignature",
    "key_hash",
    "parse_checkpoint",
    "sign_checkpoint",
    "verify_checkpoint",
]

MAX_NOTE = 16_384
MAX_SIGNATURES = 16
REMEMBERED = 256
_ED25519 = b"\x01"
_MAX_SIZE = 2**53 - 1
_ORIGIN = "tongbao/"
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name, the 4 bytes of its hash, the signature."""

    name: str
    key_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says (`root` is 32 raw bytes) and the lines that vouch for it."""

    network: str
    size: int
    root: bytes
    signatures: tuple[NoteSignature, ...]

    @property
    def text(self) -> str:
        """The three signed lines."""
        return _text(self.network, self.size, self.root)


def key_hash(name: str, public: bytes) -> bytes:
    """The 4 bytes by which a note names an Ed25519 key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def sign_checkpoint(network: str, size: int, root: bytes, key: SigningKey) -> str:
    """The note over a tree of `size` leaves and this root, signed by the exchange's checkpoint key."""
    name, text = _ORIGIN + network, _text(network, size, root)
    blob = key_hash(name, key.public) + key.sign(text.encode())
    return f"{text}\n— {name} {b64encode(blob)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a note without believing it; raises `Refused(CHECKPOINT_FORM)`."""
    body, separator, lines = text.partition("\n\n")
    if not separator or len(text) > MAX_NOTE:
        raise _malformed()
    network, size, root = _signed_lines(body)
    return Checkpoint(network, size, root, _signature_lines(lines))


def verify_checkpoint(text: str, network: str, keys: Iterable[bytes]) -> Checkpoint:
    """Read a note and believe it: it is this network's, and one of `keys` (raw public Ed25519) signed it.

    Raises `Refused`: CHECKPOINT_FORM, CHECKPOINT_NETWORK, CHECKPOINT_SIGNATURE.
    """
    return _verified(text, network, tuple(keys))


@lru_cache(maxsize=REMEMBERED)
def _verified(text: str, network: str, keys: tuple[bytes, ...]) -> Checkpoint:
    checkpoint = parse_checkpoint(text)
    if checkpoint.network != network:
        raise Refused(Code.CHECKPOINT_NETWORK, "stamp.checkpoint")
    if not _vouched(checkpoint, {key_hash(_ORIGIN + network, key): key for key in keys}):
        raise Refused(Code.CHECKPOINT_SIGNATURE, "stamp.checkpoint")
    return checkpoint


def _vouched(checkpoint: Checkpoint, keys: dict[bytes, bytes]) -> bool:
    """Whether any line is by a brought key; a bad line by one raises."""
    name, signed = _ORIGIN + checkpoint.network, checkpoint.text.encode()
    ours = [line for line in checkpoint.signatures if line.name == name and line.key_hash in keys]
    for line in ours:
        _verify_line(keys[line.key_hash], line.signature, signed)
    return bool(ours)


def _verify_line(public: bytes, signature: bytes, signed: bytes) -> None:
    try:
        verify_signature(public, signature, signed)
    except Refused:
        raise Refused(Code.CHECKPOINT_SIGNATURE, "stamp.checkpoint") from None


def _text(network: str, size: int, root: bytes) -> str:
    return f"{_ORIGIN}{network}\n{size}\n{b64encode(root)}\n"


def _signed_lines(body: str) -> tuple[str, int, bytes]:
    lines = body.split("\n")
    if len(lines) != 3 or not lines[0].startswith(_ORIGIN) or not _SIZE.fullmatch(lines[1]):
        raise _malformed()
    size, root = int(lines[1]), _decoded(lines[2])
    if size > _MAX_SIZE or len(root) != 32:
        raise _malformed()
    return lines[0].removeprefix(_ORIGIN), size, root


def _signature_lines(lines: str) -> tuple[NoteSignature, ...]:
    *complete, rest = lines.split("\n")
    if rest or not 1 <= len(complete) <= MAX_SIGNATURES:
        raise _malformed()
    return tuple(_signature_line(line) for line in complete)


def _signature_line(line: str) -> NoteSignature:
    if (match := _SIGNATURE_LINE.fullmatch(line)) is None:
        raise _malformed()
    blob = _decoded(match[2])
    if len(blob) < 5:
        raise _malformed()
    return NoteSignature(match[1], blob[:4], blob[4:])


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text)
    except Refused:
        raise _malformed() from None


def _malformed() -> Refused:
    return Refused(Code.CHECKPOINT_FORM, "stamp.checkpoint")
