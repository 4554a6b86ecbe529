"""The tables: what a view finds, how numbers settle, what a purge takes."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import NOW
from tongbao_broker.exchange import store
from tongbao_broker.exchange.admission import Lookup
from tongbao_broker.exchange.dispatch import LaneState, Marks, settle
from tongbao_broker.exchange.models import Delivery, Lane, Message, Thread
from tongbao_broker.exchange.trail import TrailHead

GZ, GD = "520000", "440000"
pytestmark = pytest.mark.usefixtures("exchange_database")


def message(index: int, *, origin: str = GZ, seq: int | None = None, code: str = "") -> Message:
    return Message(
        index=index,
        origin=origin,
        message_id=f"id-{index}",
        seq=seq,
        thread=f"thread-{index}",
        digest=f"sha256:{index}",
        type="alert",
        status="test",
        audience=f"330000,{GD}",
        code=code,
        admitted_at=NOW,
        directory=1,
        payload=b"",
        keyid="",
        signature=b"",
    )


def lookup(ids: set[str] | None = None, digests: set[str] | None = None, **over: frozenset[object]) -> Lookup:
    facts = {"seqs": frozenset(), "threads": frozenset(), **over}
    return Lookup(frozenset(ids or ()), frozenset(digests or ()), **facts)  # type: ignore[arg-type]


def test_a_view_holds_what_was_asked_for_and_no_more() -> None:
    """By id, by digest, by number; with the audience as it was."""
    Message.objects.bulk_create([message(index, seq=index + 1) for index in range(5)])

    view = store.view(lookup({"id-1"}, {"sha256:2"}, seqs=frozenset({(GZ, 4), (GZ, 99), (GD, 1)})))

    assert set(view.by_id) == {"id-1", "id-2"}
    assert view.by_digest["sha256:2"].audience == ("330000", GD)
    assert (GZ, 4) in view.seqs
    assert (GZ, 99) not in view.seqs
    assert (GD, 1) not in view.seqs


def test_a_view_brings_the_threads_of_what_it_found() -> None:
    """A receipt's items name messages; the threads they stand in come along."""
    Message.objects.bulk_create([message(1)])
    Thread.objects.create(thread="thread-1", origin=GZ, status="test", parties=f"{GD},{GZ}", opened_at=NOW)

    view = store.view(lookup({"id-1"}))

    assert view.threads["thread-1"].parties == {GZ, GD}


def test_a_rejected_message_keeps_its_code_in_the_view() -> None:
    """It is known, and it is not an admitted one."""
    Message.objects.bulk_create([message(1, code="TB-401")])

    view = store.view(lookup({"id-1"}))

    assert view.admitted("id-1") == []
    assert view.by_id["id-1"][0].code == "TB-401"


def test_thousands_of_ids_are_looked_up_in_few_statements() -> None:
    """More values than one statement may have are asked for in parts."""
    Message.objects.bulk_create([message(index) for index in range(3)])

    view = store.view(lookup({f"id-{index}" for index in range(5000)}))

    assert len(view.by_id) == 3


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(1, 12), max_size=12))
def test_settled_and_holes_are_what_counting_gives(used: set[int]) -> None:
    """Largest n with 1..n used; the runs of unused numbers above it and below the highest used one."""
    Message.objects.all().delete()
    Lane.objects.update_or_create(addressee=GZ)
    Message.objects.bulk_create([message(seq, seq=seq) for seq in used])

    lane = store.lanes()[GZ]

    settled = next(n for n in range(13) if n + 1 not in used)
    holes = {n for first, last in lane.holes for n in range(first, last + 1)}
    assert lane.settled_seq == settled
    assert holes == {n for n in range(settled + 1, max(used, default=0)) if n not in used}


RUNS: dict[str, tuple[LaneState, tuple[int, ...], int | None]] = {
    "the next": (LaneState(settled_seq=4), (5,), 5),
    "the next three": (LaneState(settled_seq=4), (5, 6, 7), 7),
    "one is missing": (LaneState(settled_seq=4), (5, 7), None),
    "a late one": (LaneState(settled_seq=4, holes=((5, 5),)), (5,), None),
    "none at all": (LaneState(settled_seq=4), (), 4),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_numbers_settles_without_asking_the_table(name: str) -> None:
    """Only where holes were or come about has the table to be read."""
    lane, seqs, expected = RUNS[name]

    after = settle(lane, seqs)

    assert (after.settled_seq if after else None) == expected


def test_a_mark_never_goes_back() -> None:
    """What lies below it may have been purged; a process that was frozen marks what it sent long ago."""
    store.add_lanes([GD])
    store.begin_trail(TrailHead())
    store.mark_published(Marks({GD: 7}, 9))
    store.mark_published(Marks({GD: 3}, 5))

    assert store.lanes()[GD].published_seq == 7
    assert store.published_leaves() == 9


def test_a_purge_takes_expired_bodies_that_were_published() -> None:
    """Not one that has yet to be sent, and none twice."""
    Lane.objects.create(addressee=GD, delivery_seq=3, published_seq=2)
    Delivery.objects.bulk_create(
        [
            Delivery(addressee=GD, delivery_seq=1, index=1, value=b"x", expires_at=NOW),
            Delivery(
                addressee=GD, delivery_seq=2, index=2, value=b"x", expires_at=NOW + timedelta(seconds=1)
            ),
            Delivery(addressee=GD, delivery_seq=3, index=3, value=b"x", expires_at=NOW),
        ]
    )

    counts = [store.purge_expired(NOW, 100), store.purge_expired(NOW, 100)]

    kept = [
        bytes(value) for value in Delivery.objects.order_by("delivery_seq").values_list("value", flat=True)
    ]
    assert (counts, kept) == ([1, 0], [b"", b"x", b"x"])
