"""The cursor moves with the work, once, for one process, on one topic."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from tongbao_broker import database
from tongbao_broker.errors import Fenced, NotFound, TopicReplaced
from tongbao_broker.streams import cursor

STREAM, CLUSTER, TOPIC = "prov.520000.out.v1", "cluster-1", "topic-1"

pytestmark = pytest.mark.usefixtures("streams_database")


def step(start: int, new: int, topic: str = TOPIC) -> None:
    with database.atomic():
        cursor.advance(STREAM, start, new, CLUSTER, topic)


def test_cursor_begins_and_moves() -> None:
    """A stream is begun at an offset and moves to where its batch ended."""
    assert cursor.load(STREAM) is None
    cursor.begin(STREAM, CLUSTER, TOPIC)
    step(0, 7)

    assert cursor.load(STREAM) == cursor.CursorState(STREAM, CLUSTER, TOPIC, 7)


def test_an_empty_step_still_finds_out_a_rival() -> None:
    """A step from n to n succeeds only where the cursor is at n."""
    cursor.begin(STREAM, CLUSTER, TOPIC, start=3)
    step(3, 3)

    with pytest.raises(Fenced):
        step(2, 2)


def test_second_begin_is_fenced() -> None:
    """Of two processes that begin the same stream, the second must end."""
    cursor.begin(STREAM, CLUSTER, TOPIC)

    with pytest.raises(Fenced):
        cursor.begin(STREAM, CLUSTER, TOPIC)


def test_step_of_a_stream_never_begun_is_fenced() -> None:
    """A cursor that vanished is not made up on the way."""
    with pytest.raises(Fenced):
        step(0, 1)


def test_cursor_outside_a_transaction_is_a_mistake() -> None:
    """A cursor can't move apart from what was read."""
    cursor.begin(STREAM, CLUSTER, TOPIC)

    with pytest.raises(RuntimeError):
        cursor.advance(STREAM, 0, 1, CLUSTER, TOPIC)


def test_cursor_never_goes_back_by_a_step() -> None:
    """Only a rewind, asked for by name, goes back."""
    cursor.begin(STREAM, CLUSTER, TOPIC, start=5)

    with pytest.raises(ValueError, match="back"):
        step(5, 4)


@pytest.mark.parametrize(("cluster", "topic"), [(CLUSTER, "topic-2"), ("cluster-2", TOPIC)])
def test_other_topic_of_the_same_name_stops(cluster: str, topic: str) -> None:
    """A topic or cluster made anew is noticed at loading and again at the step."""
    state = cursor.begin(STREAM, CLUSTER, TOPIC, start=5)

    with pytest.raises(TopicReplaced):
        state.check(cluster, topic)
    with pytest.raises(TopicReplaced), database.atomic():
        cursor.advance(STREAM, 5, 6, cluster, topic)


def test_rewind_starts_the_new_topic_from_its_beginning() -> None:
    """After a rewind the cursor belongs to the new topic, at 0."""
    cursor.begin(STREAM, CLUSTER, TOPIC, start=5)
    cursor.rewind(STREAM, CLUSTER, "topic-2")

    assert cursor.load(STREAM) == cursor.CursorState(STREAM, CLUSTER, "topic-2", 0)


def test_rewind_of_nothing_is_not_found() -> None:
    """There is nothing to rewind in a stream never begun."""
    with pytest.raises(NotFound):
        cursor.rewind(STREAM, CLUSTER, TOPIC)


def test_failed_work_leaves_the_cursor() -> None:
    """When the work of a batch fails, the cursor stays where it was."""
    cursor.begin(STREAM, CLUSTER, TOPIC)
    with suppress(ZeroDivisionError), database.atomic():
        cursor.advance(STREAM, 0, 7, CLUSTER, TOPIC)
        raise ZeroDivisionError

    assert cursor.load(STREAM) == cursor.CursorState(STREAM, CLUSTER, TOPIC, 0)


def test_a_zombie_commits_nothing(streams_database: str) -> None:
    """A process that was frozen while another took over can't commit what it had read.

    The zombie has read offsets 0–9; over its own connection another process does 0–99; the zombie wakes up.
    """
    cursor.begin(STREAM, CLUSTER, TOPIC)
    _in_another_connection(streams_database, lambda: step(0, 100))

    with pytest.raises(Fenced):
        _work_and_step("work of the zombie", 0, 10)
    assert cursor.load("work of the zombie") is None
    assert cursor.load(STREAM) == cursor.CursorState(STREAM, CLUSTER, TOPIC, 100)


def test_of_many_rivals_one_wins(streams_database: str) -> None:
    """However many connections try the same step at once, exactly one makes it."""
    cursor.begin(STREAM, CLUSTER, TOPIC)
    outcomes: list[str] = []

    def rival() -> None:
        with database.use(streams_database):
            try:
                step(0, 1)
                outcomes.append("moved")
            except Fenced:
                outcomes.append("fenced")
            finally:
                database.close()

    threads = [threading.Thread(target=rival) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["fenced"] * 4 + ["moved"]


def _work_and_step(work: str, start: int, new: int) -> None:
    with database.atomic():
        cursor.begin(work, CLUSTER, TOPIC)
        cursor.advance(STREAM, start, new, CLUSTER, TOPIC)


def _in_another_connection(name: str, work: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        with database.use(name):
            try:
                work()
            except BaseException as error:
                failures.append(error)
            finally:
                database.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert failures == []
