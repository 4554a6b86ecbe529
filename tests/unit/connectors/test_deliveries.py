"""Delivery numbers: gaps open and close."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.world import NOW
from tongbao_connectors import deliveries
from tongbao_connectors.store.models import Counter, DeliveryGap, Incident

pytestmark = pytest.mark.usefixtures("connector_database")


def gaps() -> list[tuple[int, int]]:
    return list(DeliveryGap.objects.order_by("first").values_list("first", "last"))


@pytest.mark.parametrize(
    ("batches", "promised", "expected"),
    [
        pytest.param([[1, 2], [3]], 3, [], id="in order"),
        pytest.param([[2, 1], [3]], 0, [], id="out of order within a batch"),
        pytest.param([[1], [4]], 0, [(2, 3)], id="skipped"),
        pytest.param([[1]], 3, [(2, 3)], id="promised by a head"),
        pytest.param([[1], [5], [3]], 0, [(2, 2), (4, 4)], id="one late, in the middle"),
        pytest.param([[1], [4], [2, 3]], 0, [], id="all late"),
        pytest.param([[1, 2], [1, 2]], 2, [], id="twice"),
    ],
)
def test_what_is_missing_is_known(
    batches: list[list[int]], promised: int, expected: list[tuple[int, int]]
) -> None:
    """Gaps hold exactly the numbers that haven't arrived."""
    for batch in batches:
        deliveries.note(batch, 0, NOW)
    deliveries.note([], promised, NOW)

    assert gaps() == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.integers(1, 30), min_size=1), min_size=1, max_size=6), st.integers(0, 35))
def test_gaps_are_what_has_not_arrived(batches: list[set[int]], promised: int) -> None:
    """In whatever order and however often: arrived and missing numbers together are all up to the highest."""
    for model in (DeliveryGap, Counter, Incident):
        model.objects.all().delete()
    for batch in batches:
        deliveries.note(batch, 0, NOW)
    deliveries.note([], promised, NOW)
    arrived = set().union(*batches)
    missing = {number for first, last in gaps() for number in range(first, last + 1)}

    assert missing == set(range(1, max(*arrived, promised) + 1)) - arrived
