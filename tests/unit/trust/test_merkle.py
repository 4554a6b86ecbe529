"""The trail's tree, held against a naive one."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_broker.trust.merkle import (
    EMPTY_ROOT,
    Batch,
    Frontier,
    leaf_hash,
    node_hash,
    root_of,
    verify_inclusion,
)
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

# The test tree of Certificate Transparency: seven leaves and the root over them (RFC 6962 reference code).
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
CT_ROOT = "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"

LEAVES = [leaf_hash(str(index).encode()) for index in range(300)]
sizes = st.integers(min_value=0, max_value=130)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = split_of(len(leaves))
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def naive_proof(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, word for word."""
    if len(leaves) <= 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return [*naive_proof(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_proof(index - split, leaves[split:]), naive_root(leaves[:split])]


def split_of(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def test_the_empty_tree_hashes_as_nothing() -> None:
    """No leaf: the root is SHA-256 of the empty string, as the first `seen` says."""
    assert Frontier().root == EMPTY_ROOT
    assert EMPTY_ROOT.hex().startswith("e3b0c442")


def test_the_reference_tree_has_the_known_root() -> None:
    """The seven leaves of the Certificate Transparency test tree give its published root."""
    assert root_of(leaf_hash(bytes.fromhex(leaf)) for leaf in CT_LEAVES).hex() == CT_ROOT


@pytest.mark.parametrize("size", range(34))
def test_roots_equal_the_naive_trees(size: int) -> None:
    """Appending gives the root that the definition gives, at every small size."""
    assert root_of(LEAVES[:size]) == naive_root(LEAVES[:size])


@pytest.mark.parametrize("before", range(18))
@pytest.mark.parametrize("added", range(1, 18))
def test_proofs_of_a_batch_equal_the_naive_trees(before: int, added: int) -> None:
    """From the old frontier and the batch alone come the very proofs of the whole tree."""
    leaves = LEAVES[: before + added]
    batch = Batch(Frontier().extend(leaves[:before]), leaves[before:])

    assert batch.frontier == Frontier().extend(leaves)
    assert batch.proofs == [naive_proof(index, leaves) for index in range(before, before + added)]


@given(before=sizes, added=sizes)
@settings(max_examples=60, deadline=None)
def test_every_proof_of_a_batch_verifies(before: int, added: int) -> None:
    """Whatever the sizes, each new leaf is proven under the new root."""
    leaves = LEAVES[: before + added]
    root, batch = naive_root(leaves), Batch(Frontier().extend(leaves[:before]), leaves[before:])
    for offset, proof in enumerate(batch.proofs):
        verify_inclusion(leaves[before + offset], before + offset, len(leaves), proof, root)


@given(before=sizes, added=sizes)
@settings(max_examples=60)
def test_a_tree_grown_in_parts_is_the_tree_grown_at_once(before: int, added: int) -> None:
    """Consistency: who follows the published hashes batch by batch arrives at the same roots."""
    parts = Frontier().extend(LEAVES[:before]).extend(LEAVES[before : before + added])

    assert parts == Frontier().extend(LEAVES[: before + added])


@given(size=st.integers(2, 130), data=st.data())
@settings(max_examples=100)
def test_a_bent_proof_is_refused(size: int, data: st.DataObject) -> None:
    """Any change of leaf, place, size, node or root, and any node more or less, is refused."""
    leaves = LEAVES[:size]
    index = data.draw(st.integers(0, size - 1))
    proof, root = naive_proof(index, leaves), naive_root(leaves)
    at = data.draw(st.integers(0, len(proof) - 1))
    other = LEAVES[-1]
    bent = data.draw(
        st.sampled_from(
            [
                (other, index, size, proof, root),
                (leaves[index], index ^ 1, size, proof, root),
                (leaves[index], size, size, proof, root),
                (leaves[index], -1, size, proof, root),
                (leaves[index], index, size, [*proof[:at], other, *proof[at + 1 :]], root),
                (leaves[index], index, size, proof[:-1], root),
                (leaves[index], index, size, [*proof, other], root),
                (leaves[index], index, size, proof, other),
                (leaves[index], index, size << 8, proof, root),
                (leaves[index], index, 0, proof, root),
            ]
        )
    )
    with pytest.raises(Refused) as refused:
        verify_inclusion(*bent)

    assert refused.value.code is Code.PROOF_WRONG


def test_one_leaf_more_is_a_batch_of_one() -> None:
    """Appending a leaf is extending by it."""
    assert Frontier().append(LEAVES[0]).append(LEAVES[1]) == Frontier().extend(LEAVES[:2])


def test_a_frontier_goes_through_hex() -> None:
    """A stored frontier is read back as it was."""
    frontier = Frontier().extend(LEAVES[:11])

    assert Frontier.from_hex(frontier.size, frontier.hex_nodes) == frontier
    assert len(frontier.nodes) == 3


@pytest.mark.parametrize(("size", "nodes"), [(1, ()), (3, (b"",)), (4, (b"", b"")), (-1, (b"",))])
def test_a_frontier_has_one_node_for_each_bit_of_its_size(size: int, nodes: tuple[bytes, ...]) -> None:
    """A frontier that can't be one of its size is not made."""
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(size, nodes)


def test_a_batch_costs_the_same_in_a_large_trail() -> None:
    """A trail of a million leaves is its frontier of at most 20 nodes; no leaf of it is asked for."""
    nodes = tuple(LEAVES[: (10**6).bit_count()])
    batch = Batch(Frontier(10**6, nodes), LEAVES[:3])

    assert max(len(proof) for proof in batch.proofs) <= 20
    for offset, proof in enumerate(batch.proofs):
        verify_inclusion(LEAVES[offset], 10**6 + offset, 10**6 + 3, proof, batch.frontier.root)
