"""The own copy of the exchange's log."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.world import NOW, World
from tongbao_broker.trust.checkpoint import sign_checkpoint
from tongbao_broker.trust.merkle import Frontier, leaf_hash, root_of, verify_inclusion
from tongbao_connectors import ledger
from tongbao_connectors.ledger import Claim
from tongbao_connectors.store.models import CheckpointClaim, Incident, LeafBatch, SeenCheckpoint
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

pytestmark = pytest.mark.usefixtures("connector_database")

WORLD = World.create()
DIRECTORY = WORLD.directory
LEAVES = [leaf_hash(bytes([number])) for number in range(40)]


def record(start: int, end: int, leaves: list[bytes] = LEAVES, **over: object) -> bytes:
    """A batch of the log as published, with leaves `start` to `end`."""
    note = WORLD.checkpoint(Frontier().extend(leaves[:end]))
    hashes = [leaf.hex() for leaf in leaves[start:end]]
    return compact_json({"from": start, "hashes": hashes, "checkpoint": note, **over})


def append(start: int, end: int, leaves: list[bytes] = LEAVES) -> bool:
    value = record(start, end, leaves)
    published = ledger.read_published(value, network=WORLD.network, directory=DIRECTORY)
    return ledger.append(published, NOW)


def kinds() -> list[str]:
    return list(Incident.objects.values_list("kind", flat=True))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.data())
def test_every_leaf_is_proved_under_the_rebuilt_root(sizes: list[int], data: st.DataObject) -> None:
    """However the log was cut into batches."""
    LeafBatch.objects.all().delete()
    size = 0
    for more in sizes:
        assert append(size, size + more)
        size += more
    index = data.draw(st.integers(0, size - 1))
    proof = ledger.prove(index, LEAVES[index])

    assert proof.root == root_of(LEAVES[:size]).hex()
    nodes = [bytes.fromhex(node) for node in proof.nodes]
    verify_inclusion(LEAVES[index], index, size, nodes, bytes.fromhex(proof.root))


def test_another_leaf_is_not_proved() -> None:
    """Neither in its place nor beyond the end."""
    append(0, 5)

    assert not ledger.holds(2, LEAVES[3])
    for index, leaf in ((2, LEAVES[3]), (5, LEAVES[5])):
        with pytest.raises(Refused):
            ledger.prove(index, leaf)


def test_a_batch_published_again_changes_nothing() -> None:
    """An exchange that was restarted may repeat itself, also in other portions."""
    append(0, 5)
    append(0, 5)
    append(2, 4)

    assert LeafBatch.objects.count() == 1
    assert kinds() == []


def test_a_log_that_says_something_else_later_is_an_incident() -> None:
    """History doesn't change."""
    append(0, 5)
    append(2, 4, [*LEAVES[:2], *LEAVES[20:22]])

    assert kinds() == ["leaves_changed"]


def test_a_root_that_does_not_fit_its_leaves_is_an_incident() -> None:
    """The batch isn't taken over."""
    append(0, 5)
    append(5, 8, [LEAVES[30], *LEAVES[1:]])

    assert kinds() == ["leaves_mismatch"]
    assert LeafBatch.objects.count() == 1


def test_missing_leaves_are_one_incident() -> None:
    """Until they come, whatever follows is the same gap."""
    append(0, 5)
    append(7, 9)
    append(9, 10)

    assert kinds() == ["leaves_missing"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(record(0, 2, hashes=["00"]), Code.RECORD_SHAPE, id="a hash that is none"),
        pytest.param(record(0, 2, hashes=[]), Code.RECORD_SHAPE, id="no hashes"),
        pytest.param(record(0, 2, **{"from": 1}), Code.RECORD_SHAPE, id="a size that doesn't fit"),
        pytest.param(record(0, 2, more=1), Code.RECORD_SHAPE, id="an unknown field"),
        pytest.param(
            record(0, 2, checkpoint=sign_checkpoint("test", 2, b"0" * 32, WORLD.keys["520000"].message)),
            Code.CHECKPOINT_SIGNATURE,
            id="a checkpoint that a province signed",
        ),
        pytest.param(
            record(0, 2, checkpoint=sign_checkpoint("cn", 2, b"0" * 32, WORLD.keys[EXCHANGE].checkpoint)),
            Code.CHECKPOINT_NETWORK,
            id="a checkpoint of another network",
        ),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused(value: bytes, expected: Code) -> None:
    """Shape first, then the exchange's signature over the root."""
    with pytest.raises(Refused) as refused:
        ledger.read_published(value, network=WORLD.network, directory=DIRECTORY)

    assert refused.value.code == expected


def root(size: int) -> str:
    return root_of(LEAVES[:size]).hex()


@pytest.mark.parametrize(
    ("claim", "incidents"),
    [
        pytest.param(Claim(5, root(5), "520000"), 0, id="the end of a batch"),
        pytest.param(Claim(3, root(3), "520000"), 0, id="within a batch"),
        pytest.param(Claim(0, root(0), "520000"), 0, id="nothing seen yet"),
        pytest.param(Claim(5, root(4), "520000"), 1, id="another root"),
        pytest.param(Claim(3, root(4), "520000"), 1, id="another root within a batch"),
        pytest.param(Claim(0, root(1), "520000"), 1, id="another empty tree"),
    ],
)
def test_stated_roots_are_compared_with_the_copy(claim: Claim, incidents: int) -> None:
    """Whatever size somebody says he has seen, the copy knows the root."""
    append(0, 5)
    append(5, 9)
    ledger.compare([claim, claim], NOW)

    assert kinds() == ["split_view"] * incidents


@pytest.mark.parametrize(("stated", "incidents"), [(root(9), 0), (root(8), 1)])
def test_a_root_beyond_the_copy_is_compared_when_it_gets_there(stated: str, incidents: int) -> None:
    """It is kept until then, once."""
    append(0, 5)
    for _ in range(2):
        ledger.compare([Claim(9, stated, EXCHANGE)], NOW)
    assert CheckpointClaim.objects.count() == 1
    append(5, 9)
    ledger.compare_kept(NOW)

    assert CheckpointClaim.objects.count() == 0
    assert len(kinds()) == incidents


def test_the_largest_checkpoint_is_remembered() -> None:
    """A smaller one that comes later doesn't take its place."""
    assert ledger.seen() == (0, root(0))
    for start, end in ((0, 7), (0, 3)):
        value = record(start, end)
        published = ledger.read_published(value, network=WORLD.network, directory=DIRECTORY)
        ledger.remember_seen([published.checkpoint])

    assert ledger.seen() == (7, root(7))
    assert SeenCheckpoint.objects.count() == 1
