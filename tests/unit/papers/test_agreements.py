"""What the directory lets a draft count on."""

import pytest

from tests.support.world import World
from tongbao_connectors.papers.agreements import addressees, lacking, longest, terms
from tongbao_connectors.papers.networks import statuses
from tongbao_schemas.codes import Category, Status, Urgency


@pytest.fixture(scope="module")
def world() -> World:
    """Provinces with one agreement."""
    return World.create()


def test_addressees_are_the_provinces_that_take_part(world: World) -> None:
    """Neither the exchange nor one's own province."""
    found = addressees(world.directory, "520000")

    assert "440000" in found
    assert not {"100000", "520000"} & set(found)


def test_terms_of_an_agreement(world: World) -> None:
    """Its document number and the seconds of each level."""
    at = world.now

    found = terms(world.directory, "520000", "440000", Category.OUTBOUND_TRAFFICKING, "H1", at)

    assert found.why_not is None
    assert found.agreement
    assert longest([found], Urgency.FLASH) == found.seconds[Urgency.FLASH] if found.seconds else False


def test_where_nothing_allows_it(world: World) -> None:
    """Without agreement and floor it says so, in both languages; no deadlines follow from it."""
    bare = world.changed(agreements=[], floor=None)

    found = terms(bare.directory, "520000", "440000", Category.ONLINE, "H1", world.now)

    assert lacking([found]) == {"440000": found.why_not}
    assert "广东" in (found.why_not.zh if found.why_not else "")
    assert longest([found], Urgency.FLASH) is None


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("demo", (Status.EXERCISE, Status.TEST)),
        ("exercise-2026", (Status.EXERCISE,)),
        ("test-lab", (Status.TEST,)),
        ("cn", (Status.ACTUAL, Status.EXERCISE, Status.TEST)),
    ],
)
def test_the_network_decides_the_status(network: str, expected: tuple[Status, ...]) -> None:
    """Nothing actual leaves an exercise network, nor the demo."""
    assert statuses(network) == expected
