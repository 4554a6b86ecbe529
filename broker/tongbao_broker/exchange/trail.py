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
from functools import lru_cache
from typing import NamedTuple

from tongbao_broker.trust.checkpoint import sign_checkpoint
from tongbao_broker.trust.keys import SigningKey
from tongbao_broker.trust.merkle import Batch, Frontier, leaf_hash
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind, leaf_bytes

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

    @property
    def quoted_checkpoint(self) -> str:
        """The checkpoint as JSON text."""
        return _as_json(self.checkpoint)


class Facts(NamedTuple):
    """What a stamp repeats of a leaf beside its index, as it is written there."""

    digest: str
    admitted_at: str
    directory: int


@dataclass(frozen=True, slots=True)
class Growth:
    """A batch in the tree: the new head, and for each new leaf its facts and proof."""

    first: int
    head: TrailHead
    leaves: tuple[Facts, ...]
    hashes: tuple[bytes, ...]
    proofs: tuple[str, ...]
    """Each as JSON text: quoted hex, with commas between."""

    def stamp(self, index: int, delivery_seq: int) -> bytes:
        """The proof of entry of leaf `index`, for the addressee's delivery of this number: JSON text."""
        offset = index - self.first
        leaf = self.leaves[offset]
        return (
            f'{{"checkpoint":{self.head.quoted_checkpoint},"delivery_seq":{delivery_seq},'
            f'"leaf":{{"admitted_at":"{leaf.admitted_at}","digest":"{leaf.digest}",'
            f'"directory":{leaf.directory},"index":{index}}},"proof":[{self.proofs[offset]}]}}'
        ).encode()

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
        self._admitted_at = format_time(at)
        self._directory = directory
        self._leaves: list[Facts] = []
        self._hashes: list[bytes] = []

    def __len__(self) -> int:
        return len(self._leaves)

    def add(self, kind: LeafKind, digest: str, code: Code | None = None) -> int:
        """Adds a leaf and returns its index."""
        index = self._head.size + len(self._leaves)
        leaf = leaf_bytes(self._network, kind, index, digest, self._at, self._directory, code)
        self._leaves.append(Facts(digest, self._admitted_at, self._directory))
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
            proofs=tuple(",".join(map(_quoted, proof)) for proof in batch.proofs),
        )


@lru_cache(maxsize=2)
def _as_json(checkpoint: str) -> str:
    return compact_json(checkpoint).decode()


@lru_cache(maxsize=4096)
def _quoted(node: bytes) -> str:
    """Neighbours share most of their proofs."""
    return f'"{node.hex()}"'
