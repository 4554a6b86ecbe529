"""The cursor: how far a stream is processed, kept in the same database as what the processing produced.

1. A batch's results and the cursor's step are committed in one transaction: both or neither.
2. The step names the offset it starts from. If the row is elsewhere, another process has been at work: the
   caller's transaction rolls back and the process ends. This fences a process that was frozen, without leases
   or clocks.
3. The row names cluster and topic by their ids, so a topic that was deleted and made anew is noticed, not
   skipped into.
4. After a rollback the reader has run ahead: load the cursor again and seek.
"""

from dataclasses import dataclass

from django.db import IntegrityError

from tongbao_broker.database import atomic, in_transaction
from tongbao_broker.errors import Fenced, NotFound, TopicReplaced
from tongbao_broker.statements import update
from tongbao_broker.streams.models import Cursor


@dataclass(frozen=True)
class CursorState:
    """A stored cursor; `next` is the first offset not yet processed."""

    stream: str
    cluster_id: str
    topic_id: str
    next: int

    def check(self, cluster_id: str, topic_id: str) -> None:
        """Raises TopicReplaced unless the topic at the broker is the one this cursor was made for."""
        if (self.cluster_id, self.topic_id) != (cluster_id, topic_id):
            raise TopicReplaced(f"stream {self.stream}: topic {self.topic_id} expected, {topic_id} found")


def load(stream: str) -> CursorState | None:
    """The stored cursor, or None for a stream that was never begun."""
    row = Cursor.objects.filter(stream=stream).first()
    return None if row is None else CursorState(row.stream, row.cluster_id, row.topic_id, row.next)


def begin(stream: str, cluster_id: str, topic_id: str, start: int = 0) -> CursorState:
    """Creates the cursor of a new stream. Raises Fenced when another process was quicker."""
    try:
        with atomic():
            Cursor.objects.create(stream=stream, cluster_id=cluster_id, topic_id=topic_id, next=start)
    except IntegrityError as error:
        raise Fenced(f"stream {stream} was begun by another process") from error
    return CursorState(stream, cluster_id, topic_id, start)


def advance(stream: str, start: int, new: int, cluster_id: str, topic_id: str) -> None:
    """Moves the cursor from `start` to `new` inside the caller's transaction.

    Raises Fenced or TopicReplaced; the transaction must then be rolled back.
    """
    if not in_transaction():
        raise RuntimeError("a cursor moves only together with what was read")
    if new < start:
        raise ValueError(f"a cursor can't go from {start} back to {new}")
    place = '"stream" = %s AND "next" = %s AND "cluster_id" = %s AND "topic_id" = %s'
    if update(Cursor, '"next" = %s', place, (new, stream, start, cluster_id, topic_id)) == 0:
        raise _elsewhere(stream, start, cluster_id, topic_id)


def rewind(stream: str, cluster_id: str, topic_id: str) -> CursorState:
    """Points the cursor at the start of the topic that now bears the name; deduplication makes it safe."""
    if Cursor.objects.filter(stream=stream).update(cluster_id=cluster_id, topic_id=topic_id, next=0) == 0:
        raise NotFound(f"stream {stream} was never begun")
    return CursorState(stream, cluster_id, topic_id, 0)


def _elsewhere(stream: str, start: int, cluster_id: str, topic_id: str) -> Fenced | TopicReplaced:
    state = load(stream)
    if state is None:
        return Fenced(f"stream {stream} has no cursor")
    try:
        state.check(cluster_id, topic_id)
    except TopicReplaced as error:
        return error
    return Fenced(f"stream {stream}: offset {start} expected, {state.next} found")
