"""The trail's Merkle tree (RFC 6962 section 2), by hashes alone.

Rules:
1. A leaf hashes as SHA-256(00 ‖ leaf), an inner node as SHA-256(01 ‖ left ‖ right); the empty tree as
   SHA-256 of nothing.
2. A tree of any size is remembered by its frontier: the roots of its largest complete subtrees, left to
   right. There is one for each bit set in the size, and no leaf is needed any more to let the tree grow.
3. Proofs for leaves just added need the frontier from before and the new leaves, nothing else: a batch
   costs the same in a trail of a thousand leaves and of a million.
4. Verification (RFC 9162 section 2.1.3.2) raises; it answers nothing else.

Hashes are 32 raw bytes here; the hex that travels is made and read at the edge of this module.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

__all__ = ["EMPTY_ROOT", "Batch", "Frontier", "leaf_hash", "node_hash", "root_of", "verify_inclusion"]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf's bytes (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of the tree over exactly these leaves, given by their hashes."""
    return Frontier().extend(leaf_hashes).root


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree's size and the roots of its largest complete subtrees, left (largest) to right."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has not {len(self.nodes)} complete subtrees")

    @classmethod
    def from_hex(cls, size: int, nodes: Iterable[str]) -> "Frontier":
        """A frontier as `hex_nodes` wrote it."""
        return cls(size, tuple(bytes.fromhex(node) for node in nodes))

    @property
    def hex_nodes(self) -> list[str]:
        """The nodes for a JSON column or a page."""
        return [node.hex() for node in self.nodes]

    @property
    def root(self) -> bytes:
        """The root of the whole tree: the complete subtrees joined from the right."""
        if not self.nodes:
            return EMPTY_ROOT
        *rest, root = self.nodes
        for left in reversed(rest):
            root = node_hash(left, root)
        return root

    def append(self, leaf_hash: bytes) -> "Frontier":
        """The frontier after one more leaf."""
        return self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """The frontier after more leaves: equal neighbours join, as a carry runs through a sum."""
        size, nodes = self.size, list(self.nodes)
        for node in leaf_hashes:
            carry = size
            while carry & 1:
                node = node_hash(nodes.pop(), node)
                carry >>= 1
            nodes.append(node)
            size += 1
        return Frontier(size, tuple(nodes))


@dataclass(frozen=True, slots=True)
class _Level:
    """The nodes known at one height: `nodes[0]` stands at position `start`, which is even."""

    start: int
    nodes: list[bytes]

    def at(self, position: int) -> bytes | None:
        """The node at a position, or None to the right of the tree's edge."""
        offset = position - self.start
        return self.nodes[offset] if offset < len(self.nodes) else None


class Batch:
    """Leaves added to a tree, and the inclusion proof of each in the tree that they make.

    `frontier` is the new one. `proofs[i]` belongs to `leaf_hashes[i]`; its nodes run from leaf to root.
    """

    def __init__(self, before: Frontier, leaf_hashes: Sequence[bytes]) -> None:
        self.frontier = before.extend(leaf_hashes)
        self._levels = _levels(before, leaf_hashes) if leaf_hashes else []
        self.proofs = [self._proof(before.size + offset) for offset in range(len(leaf_hashes))]

    def _proof(self, position: int) -> list[bytes]:
        proof = []
        for level in self._levels:
            if (sibling := level.at(position ^ 1)) is not None:
                proof.append(sibling)
            position >>= 1
        return proof


def _levels(before: Frontier, leaf_hashes: Sequence[bytes]) -> list[_Level]:
    """The changed nodes of every height, with the frontier's node to their left where a pair wants it."""
    complete = list(before.nodes)
    start, nodes = before.size, list(leaf_hashes)
    levels = []
    while start > 0 or len(nodes) > 1:
        if start & 1:
            nodes.insert(0, complete.pop())
            start -= 1
        levels.append(_Level(start, nodes))
        start, nodes = start >> 1, _parents(nodes)
    return levels


def _parents(nodes: Sequence[bytes]) -> list[bytes]:
    """One height up: pairs are hashed; a last node without a partner rises as it is."""
    parents = [node_hash(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
    return [*parents, nodes[-1]] if len(nodes) & 1 else parents


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `Refused(PROOF_WRONG)` unless the leaf is at `index` of the tree of `size` leaves and this root.

    RFC 9162 section 2.1.3.2; the single letters there are `position` (fn), `last` (sn) and `node` (r) here.
    """
    if not 0 <= index < size:
        raise Refused(Code.PROOF_WRONG, "stamp.leaf.index")
    position, last, node = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise Refused(Code.PROOF_WRONG, "stamp.proof")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last or node != root:
        raise Refused(Code.PROOF_WRONG, "stamp.proof")
