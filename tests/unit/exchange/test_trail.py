"""The trail: leaves, one signature a batch, and stamps that prove their leaf."""

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import NETWORK, NOW, signing_key
from tongbao_broker.exchange.trail import Growth, Seedling, TrailHead
from tongbao_broker.trust.checkpoint import verify_checkpoint
from tongbao_broker.trust.merkle import EMPTY_ROOT, leaf_hash, root_of, verify_inclusion
from tongbao_schemas.encoding import compact_json, digest
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind, Stamp, leaf_bytes

KEY = signing_key("checkpoint")


def grown(head: TrailHead, count: int, at: datetime = NOW) -> Growth:
    """The trail with so many more leaves."""
    seedling = Seedling(NETWORK, head, at, directory=3)
    for number in range(count):
        seedling.add(LeafKind.ADMITTED, digest(f"{head.size} {number}".encode()))
    return seedling.grow(KEY)


def stamp_of(growth: Growth, index: int, delivery_seq: int) -> Stamp:
    """A stamp as its reader has it."""
    return Stamp.model_validate(json.loads(growth.stamp(index, delivery_seq)))


def test_an_empty_trail_is_signed_too() -> None:
    """A head can be sent before the first leaf."""
    head = TrailHead.empty(NETWORK, KEY)

    note = verify_checkpoint(head.checkpoint, NETWORK, [KEY.public])

    assert (note.size, note.root) == (0, EMPTY_ROOT)


def test_a_leaf_knows_its_index_when_it_is_added() -> None:
    """So a notice in the same batch can name it."""
    head = grown(TrailHead(), 4).head

    seedling = Seedling(NETWORK, head, NOW, 1)

    assert [seedling.add(LeafKind.ADMITTED, digest(b"")) for _ in range(2)] == [4, 5]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_every_stamp_of_a_batch_proves_its_leaf(sizes: list[int]) -> None:
    """Whatever the batches, every new leaf is in the tree that the batch's checkpoint signs."""
    head, hashes = TrailHead(), []
    for size in sizes:
        growth = grown(head, size)
        head = growth.head
        hashes += growth.hashes
        note = verify_checkpoint(growth.head.checkpoint, NETWORK, [KEY.public])
        assert (note.size, note.root) == (len(hashes), root_of(hashes))
        for index in range(growth.first, head.size):
            proof = [bytes.fromhex(node) for node in stamp_of(growth, index, 1).proof]
            verify_inclusion(hashes[index], index, note.size, proof, note.root)


def test_a_stamp_repeats_the_facts_of_its_leaf() -> None:
    """Index, digest, time and directory version, beside the addressee's number."""
    growth = grown(TrailHead(), 3)

    stamp = stamp_of(growth, 2, 17)

    facts = (stamp.leaf.index, stamp.leaf.digest, stamp.leaf.admitted_at, stamp.leaf.directory)
    assert facts == (2, digest(b"0 2"), NOW, 3)
    assert (stamp.delivery_seq, stamp.checkpoint) == (17, growth.head.checkpoint)


@given(st.integers(1, 6), st.integers(1, 6))
def test_a_stamp_is_written_like_all_our_json(before: int, count: int) -> None:
    """Put together by hand, it is what the model gives: sorted keys, no spaces."""
    growth = grown(grown(TrailHead(), before).head, count)

    for index in range(before, before + count):
        expected = stamp_of(growth, index, 9).model_dump(mode="json")
        assert growth.stamp(index, 9) == compact_json(expected)


def test_a_rejected_leaf_holds_its_code() -> None:
    """The code is part of what is hashed."""
    seedling = Seedling(NETWORK, TrailHead(), NOW, 1)
    seedling.add(LeafKind.REJECTED, digest(b""), Code.EXPIRED)

    [hashed] = seedling.grow(KEY).hashes

    leaf = leaf_bytes(NETWORK, LeafKind.REJECTED, 0, digest(b""), NOW, 1, Code.EXPIRED)
    assert hashed == leaf_hash(leaf)


def test_a_batch_is_published_as_one_record() -> None:
    """Where it begins, the hashes, the checkpoint."""
    head = grown(TrailHead(), 5).head
    growth = grown(head, 2, datetime(2027, 1, 1, tzinfo=UTC))

    record = json.loads(growth.record)

    assert record == {
        "from": 5,
        "hashes": [node.hex() for node in growth.hashes],
        "checkpoint": growth.head.checkpoint,
    }
