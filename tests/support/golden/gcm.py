"""An AES-GCM ciphertext that is authentic under two keys (both with the nonce of twelve zero bytes).

GCM's tag commits to no key: it is linear in the ciphertext's blocks, so one free block is enough to make both
keys compute the same tag (Dodis, Grubbs, Ristenpart, Woodage: Fast Message Franking, 2018, section 3).
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

_FIELD = 0xE1 << 120
_ONE = 1 << 127
BLOCK = 16


def for_two_keys(one: bytes, other: bytes, ciphertext: bytes) -> bytes:
    """`ciphertext` (whole blocks, without a tag) with its last block replaced, and the tag of both keys."""
    blocks = [int.from_bytes(ciphertext[at : at + BLOCK], "big") for at in range(0, len(ciphertext), BLOCK)]
    blocks[-1] = 0
    blocks.append(len(ciphertext) * 8)
    hashes = [_encrypt(key, bytes(BLOCK)) for key in (one, other)]
    masks = [_encrypt(key, bytes(11) + b"\x00\x00\x00\x00\x01") for key in (one, other)]
    squares = [_times(each, each) for each in hashes]
    differ = _ghash(hashes[0], blocks) ^ _ghash(hashes[1], blocks) ^ masks[0] ^ masks[1]
    blocks[-2] = _times(differ, _inverse(squares[0] ^ squares[1]))
    tag = _ghash(hashes[0], blocks) ^ masks[0]
    return b"".join(block.to_bytes(BLOCK, "big") for block in (*blocks[:-1], tag))


def _encrypt(key: bytes, block: bytes) -> int:
    return int.from_bytes(Cipher(AES(key), ECB()).encryptor().update(block), "big")  # noqa: S305


def _ghash(key: int, blocks: list[int]) -> int:
    state = 0
    for block in blocks:
        state = _times(state ^ block, key)
    return state


def _times(one: int, other: int) -> int:
    """The product in GCM's field, where the leftmost bit is the lowest power."""
    product = 0
    for place in range(127, -1, -1):
        if other >> place & 1:
            product ^= one
        one = one >> 1 ^ (_FIELD if one & 1 else 0)
    return product


def _inverse(element: int) -> int:
    """Fermat: the power 2^128 − 2."""
    result, power = _ONE, element
    for _ in range(127):
        power = _times(power, power)
        result = _times(result, power)
    return result
