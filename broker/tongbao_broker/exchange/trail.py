"""The trail: how one batch's decisions become leaves, one signed checkpoint and the stamps of its deliveries.

1. Every decision is one leaf, in the order of deciding; a message of the exchange (a notice) gets its own
   leaf, right after the one it speaks of. A leaf's index is known as soon as it is added, so that a notice
   can name it.
2. A batch is signed once: all its stamps prove their leaf under the same checkpoint.
3. Proofs need the frontier from before and the batch's hashes, nothing stored besides.
4. What is published is one record per batch: the index of its first leaf, the hashes, the checkpoint.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tongbao_broker.trust.checkpoint import sign_checkpoint
from tongbao_broker.trust.keys import SigningKey
from tongbao_broker.trust.merkle import Batch, Frontier, leaf_hash
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import Leaf, LeafKind, Stamp, leaf_bytes

__all__ = ["Growth", "Seedling", "TrailHead"]


@dataclass(frozen=True, slots=True)
class TrailHead:
    """The tree as last committed, with its signed checkpoint."""

    frontier: Frontier = field(default_factory=Frontier)
    checkpoint: str = ""

    @classmethod
    def empty(cls, network: str, key: SigningKey) -> "TrailHead":
        """The head of a trail that has no leaf yet."""
        return cls().under(network, key)

    def under(self, network: str, key: SigningKey) -> "TrailHead":
        """The same tree under a checkpoint signed by `key`, the exchange's present one."""
        return TrailHead(self.frontier, sign_checkpoint(network, self.size, self.frontier.root, key))

    @property
    def size(self) -> int:
        return self.frontier.size


@dataclass(frozen=True, slots=True)
class Growth:
    """A batch in the tree: the new head, and for each new leaf its facts and proof."""

    first: int
    head: TrailHead
    leaves: tuple[Leaf, ...]
    hashes: tuple[bytes, ...]
    proofs: tuple[tuple[str, ...], ...]

    def stamp(self, index: int, delivery_seq: int) -> Stamp:
        """The proof of entry of leaf `index`, for the addressee's delivery of this number."""
        offset = index - self.first
        return Stamp(
            leaf=self.leaves[offset],
            proof=self.proofs[offset],
            checkpoint=self.head.checkpoint,
            delivery_seq=delivery_seq,
        )

    @property
    def record(self) -> bytes:
        """The value for `exchange.leaves.v1`."""
        hashes = [node.hex() for node in self.hashes]
        return compact_json({"from": self.first, "hashes": hashes, "checkpoint": self.head.checkpoint})


class Seedling:
    """The leaves of a batch while it is put together; all carry the batch's time and directory version."""

    def __init__(self, network: str, head: TrailHead, at: datetime, directory: int) -> None:
        self._network = network
        self._head = head
        self._at = at
        self._directory = directory
        self._leaves: list[Leaf] = []
        self._hashes: list[bytes] = []

    def __len__(self) -> int:
        return len(self._leaves)

    def add(self, kind: LeafKind, digest: str, code: Code | None = None) -> int:
        """Adds a leaf and returns its index."""
        index = self._head.size + len(self._leaves)
        leaf = leaf_bytes(self._network, kind, index, digest, self._at, self._directory, code)
        self._leaves.append(Leaf(index=index, digest=digest, admitted_at=self._at, directory=self._directory))
        self._hashes.append(leaf_hash(leaf))
        return index

    def grow(self, key: SigningKey) -> Growth:
        """The batch in the tree, under a checkpoint signed by `key`. There must be at least one leaf."""
        batch = Batch(self._head.frontier, self._hashes)
        checkpoint = sign_checkpoint(self._network, batch.frontier.size, batch.frontier.root, key)
        return Growth(
            first=self._head.size,
            head=TrailHead(batch.frontier, checkpoint),
            leaves=tuple(self._leaves),
            hashes=tuple(self._hashes),
            proofs=tuple(tuple(node.hex() for node in proof) for proof in batch.proofs),
        )
