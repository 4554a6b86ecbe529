"""This province's own copy of the exchange's log, so that nobody is shown two versions of it.

1. Leaf hashes are appended in their order and the root is rebuilt after each published batch. It must be
   the root that the batch's signed checkpoint states; otherwise the batch isn't taken over and the mismatch
   is an incident.
2. A batch that was published again must say the same again; leaves that are missing in between are an
   incident.
3. Every root that the exchange signs in stamps and heads, and that other provinces state as `seen`, is
   compared with the copy: at once where the copy reaches that size, otherwise as soon as it does.
4. The largest checkpoint that the exchange signed is remembered; it goes into this province's own headers.
5. An entry is proved from the copy alone: the hashes from its batch on, and the frontier from before that
   batch.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tongbao_broker.insertion import insert
from tongbao_broker.statements import batched, places, select, update
from tongbao_broker.trust.checkpoint import Checkpoint, verify_checkpoint
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.merkle import EMPTY_ROOT, Batch, Frontier, verify_inclusion
from tongbao_connectors import incidents
from tongbao_connectors.store.models import CheckpointClaim, LeafBatch, SeenCheckpoint
from tongbao_schemas.codes import EXCHANGE, KeyUse
from tongbao_schemas.errors import Refused
from tongbao_schemas.gate import parse_object
from tongbao_schemas.record import IN_LIMIT
from tongbao_schemas.refusals import Code

HASH_BYTES = 32
CHUNK = 500
"""Rows asked for in one query."""


@dataclass(frozen=True, slots=True)
class Published:
    """A verified record of `exchange.leaves.v1`; hashes are raw."""

    start: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A root stated for a size: by the exchange in a stamp or head, or by a province in `seen`."""

    size: int
    root: str
    origin: str
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """That a leaf stands at `index` of the tree of `size` leaves with this root (hex), rebuilt here."""

    index: int
    size: int
    root: str
    nodes: tuple[str, ...]


def read_published(value: bytes, *, network: str, directory: Directory) -> Published:
    """Reads a record `{from, hashes, checkpoint}` and verifies its checkpoint; raises Refused.

    Any checkpoint key that the exchange ever had will do: the log is read from its beginning.
    """
    fields = parse_object(value, limit=IN_LIMIT)
    start, hashes, note = (fields.pop(name, None) for name in ("from", "hashes", "checkpoint"))
    if fields or not isinstance(start, int) or not isinstance(note, str) or not isinstance(hashes, list):
        raise Refused(Code.RECORD_SHAPE)
    checkpoint = verify_checkpoint(note, network, _checkpoint_keys(directory))
    raw = tuple(_raw_hash(text) for text in hashes)
    if start < 0 or not raw or checkpoint.size != start + len(raw):
        raise Refused(Code.RECORD_SHAPE)
    return Published(start, raw, checkpoint, note)


def append(published: Published, at: datetime) -> bool:
    """Adds a published batch to the copy, inside the caller's transaction.

    False where an incident was noted instead.
    """
    newest = _newest()
    if published.start < newest.size:
        return _same_again(published, at)
    if published.start > newest.size:
        return incidents.note("leaves_missing", f"{newest.size}", at, size=newest.size, start=published.start)
    tree = newest.extend(published.hashes)
    if tree.root != published.checkpoint.root:
        return incidents.note("leaves_mismatch", f"{tree.size}", at, size=tree.size, root=tree.root.hex())
    batch = {
        "start": published.start,
        "size": tree.size,
        "hashes": b"".join(published.hashes),
        "root": tree.root.hex(),
        "frontier": tree.hex_nodes,
        "checkpoint": published.note,
    }
    insert(LeafBatch, [batch])
    return True


def remember_seen(checkpoints: Iterable[Checkpoint]) -> None:
    """Keeps the largest of these checkpoints of the exchange if it is larger than what was seen so far."""
    largest = max(checkpoints, key=lambda checkpoint: checkpoint.size, default=None)
    if largest is None:
        return
    said = (largest.size, largest.root.hex())
    if update(SeenCheckpoint, '"size" = %s, "root" = %s', '"id" = 1 AND "size" < %s', (*said, largest.size)):
        return
    if largest.size > seen()[0]:
        SeenCheckpoint.objects.create(pk=1, size=largest.size, root=largest.root.hex())


def seen() -> tuple[int, str]:
    """Size and root (hex) of the largest checkpoint seen; (0, the empty tree's) before the first."""
    found = select('"size", "root"', SeenCheckpoint, '"id" = 1', ())
    return (found[0][0], found[0][1]) if found else (0, EMPTY_ROOT.hex())


def compare(claims: Iterable[Claim], at: datetime) -> None:
    """Compares stated roots with the copy, inside the caller's transaction.

    Those beyond its end are kept for later.
    """
    size = _size()
    distinct = {(claim.size, claim.root, claim.origin): claim for claim in claims}
    reached = [claim for claim in distinct.values() if claim.size <= size]
    _judge(reached, at)
    beyond = [
        CheckpointClaim(size=claim.size, root=claim.root, origin=claim.origin, message_id=claim.message_id)
        for claim in distinct.values()
        if claim.size > size
    ]
    CheckpointClaim.objects.bulk_create(beyond, ignore_conflicts=True)


def compare_kept(at: datetime) -> None:
    """Compares the claims that were kept and that the copy has now reached; to be called after `append`."""
    reached = f'"size" <= (SELECT MAX("size") FROM "{LeafBatch._meta.db_table}")'  # noqa: S608 - names of ours
    if not select("1", CheckpointClaim, f"{reached} LIMIT 1", ()):
        return
    kept = list(CheckpointClaim.objects.filter(size__lte=_size())[:CHUNK])
    _judge([Claim(row.size, row.root, row.origin, row.message_id) for row in kept], at)
    CheckpointClaim.objects.filter(pk__in=[row.pk for row in kept]).delete()


def holds(index: int, leaf: bytes) -> bool:
    """Whether the copy has this leaf hash at this index."""
    batch = _batch_of(index)
    return batch is not None and _hash_at(batch, index) == leaf


def prove(index: int, leaf: bytes) -> Proof:
    """Proves from the copy that the leaf hash stands at `index`.

    Raises Refused(PROOF_WRONG) where it doesn't.
    """
    batch = _batch_of(index)
    if batch is None:
        raise Refused(Code.PROOF_WRONG)
    later = (
        LeafBatch.objects.filter(start__gte=batch.start).order_by("start").values_list("hashes", flat=True)
    )
    hashes = [digest for blob in later for digest in _split(bytes(blob))]
    before = LeafBatch.objects.filter(size=batch.start).first()
    tree = Batch(_frontier(before), hashes)
    nodes = tree.proofs[index - batch.start]
    root = tree.frontier.root
    verify_inclusion(leaf, index, tree.frontier.size, nodes, root)
    return Proof(index, tree.frontier.size, root.hex(), tuple(node.hex() for node in nodes))


def _checkpoint_keys(directory: Directory) -> list[bytes]:
    keys = directory.document.keys
    return [
        bytes.fromhex(key.public) for key in keys if key.use is KeyUse.CHECKPOINT and key.owner == EXCHANGE
    ]


def _judge(claims: Sequence[Claim], at: datetime) -> None:
    roots = _roots({claim.size for claim in claims})
    for claim in claims:
        if roots[claim.size] != claim.root:
            incidents.note(
                "split_view",
                f"{claim.origin}:{claim.size}:{claim.root}",
                at,
                origin=claim.origin,
                size=claim.size,
                expected=roots[claim.size],
                found=claim.root,
                id=claim.message_id,
            )


def _roots(sizes: set[int]) -> dict[int, str]:
    """The copy's root at each of these sizes, which it has reached."""
    known = {0: EMPTY_ROOT.hex()}
    for some in batched(sorted(sizes)):
        known.update(select('"size", "root"', LeafBatch, f'"size" IN {places(some)}', some))
    return {size: known.get(size) or _root_within(size) for size in sizes}


def _root_within(size: int) -> str:
    """The root at a size that isn't the end of a published batch."""
    batch = _batch_of(size - 1)
    if batch is None:
        raise LookupError(f"the copy doesn't reach {size}")
    before = _frontier(LeafBatch.objects.filter(size=batch.start).first())
    return before.extend(_split(bytes(batch.hashes))[: size - batch.start]).root.hex()


def _same_again(published: Published, at: datetime) -> bool:
    for offset, digest in enumerate(published.hashes):
        index = published.start + offset
        if index < _size() and not holds(index, digest):
            return incidents.note(
                "leaves_changed", f"{index}:{digest.hex()}", at, index=index, found=digest.hex()
            )
    return False


def _batch_of(index: int) -> LeafBatch | None:
    batch = LeafBatch.objects.filter(start__lte=index).order_by("start").last()
    return batch if batch is not None and index < batch.size else None


def _hash_at(batch: LeafBatch, index: int) -> bytes:
    first = (index - batch.start) * HASH_BYTES
    return bytes(batch.hashes)[first : first + HASH_BYTES]


def _size() -> int:
    found = select('"size"', LeafBatch, 'TRUE ORDER BY "start" DESC LIMIT 1', ())
    return int(found[0][0]) if found else 0


def _newest() -> Frontier:
    """The tree of the whole copy."""
    found = select('"size", "frontier"', LeafBatch, 'TRUE ORDER BY "start" DESC LIMIT 1', ())
    return Frontier.from_hex(found[0][0], json.loads(found[0][1])) if found else Frontier()


def _frontier(batch: LeafBatch | None) -> Frontier:
    return Frontier.from_hex(batch.size, batch.frontier) if batch else Frontier()


def _split(blob: bytes) -> list[bytes]:
    return [blob[first : first + HASH_BYTES] for first in range(0, len(blob), HASH_BYTES)]


def _raw_hash(text: Any) -> bytes:
    if not isinstance(text, str) or len(text) != 2 * HASH_BYTES or not set(text) <= set("0123456789abcdef"):
        raise Refused(Code.RECORD_SHAPE)
    return bytes.fromhex(text)
