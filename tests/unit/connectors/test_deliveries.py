"""Delivery numbers: gaps open, are asked for, and close."""

from datetime import timedelta

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


def asked_at(second: float, most: int = 100) -> list[int]:
    return deliveries.ask(NOW + timedelta(seconds=second), most)


def test_what_is_missing_is_asked_for_after_a_moment_and_then_at_growing_intervals() -> None:
    """After 2 s, and again 30, 60, 120 … seconds later; never more often than once an hour at last."""
    deliveries.note([3], 0, NOW)
    seconds = [second for second in range(0, 400, 2) if asked_at(second)]

    assert seconds == [2, 32, 92, 212]
    assert deliveries.repeat_after(50) == timedelta(hours=1)


def test_a_long_gap_is_asked_for_piece_by_piece() -> None:
    """The lowest numbers first; what was asked for isn't due again at once."""
    deliveries.note([8], 0, NOW)
    pieces = [asked_at(3, most=3) for _ in range(4)]

    assert pieces == [[1, 2, 3], [4, 5, 6], [7], []]
    assert gaps() == [(1, 3), (4, 6), (7, 7)]


def test_what_is_left_of_a_gap_remembers_that_it_was_asked_for() -> None:
    """A number that arrives doesn't bring the question about its neighbours forward."""
    deliveries.note([6], 0, NOW)
    asked_at(3)
    deliveries.note([3], 0, NOW)

    assert gaps() == [(1, 2), (4, 5)]
    assert (asked_at(10), asked_at(40)) == ([], [1, 2, 4, 5])
