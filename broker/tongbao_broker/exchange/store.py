"""The exchange's tables, read and written in whole batches.

1. `commit` writes an entry in one transaction. It names the trail's size it starts from and each cursor's
   place; where either is elsewhere, another process has been at work: Fenced, and nothing of the entry is
   written.
2. Questions are asked for a whole batch at once; none is asked per record. What every batch asks and writes
   is plain SQL: a batch of one record must be quick too.
3. What was published is marked per lane by its last number, since a lane is published in order.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.db.models import QuerySet

from tongbao_broker.database import atomic
from tongbao_broker.errors import Fenced
from tongbao_broker.exchange import admission
from tongbao_broker.exchange.admission import Known, Lookup, View
from tongbao_broker.exchange.dispatch import (
    Entry,
    IncidentKind,
    IncidentNote,
    LaneState,
    LoggedMessage,
    LoggedRefusal,
    Marks,
    Outbound,
    settle,
)
from tongbao_broker.exchange.models import (
    Delivery,
    DirectoryRecord,
    Incident,
    Lane,
    LeafRecord,
    Message,
    Refusal,
    Resend,
    Thread,
    TrailState,
)
from tongbao_broker.exchange.trail import TrailHead
from tongbao_broker.insertion import Row, insert, upsert
from tongbao_broker.statements import aware, places, select, update
from tongbao_broker.streams import cursor
from tongbao_broker.trust.merkle import Frontier
from tongbao_schemas.codes import MessageType, Status
from tongbao_schemas.refusals import Code

IN_LIST = 900
"""The most values in one IN list: SQLite's oldest limit for a statement's parameters is 999."""
SEQ_PAGE = 1000
MAX_HOLES = 100
MAX_SPREAD = 10_000
"""How far above the settled number holes are looked for."""
LAST_SEQ = 2**53 - 1
ROWS_AT_ONCE = 20
ONLY = 1

_Value = TypeVar("_Value")


# What a batch has to know.


def view(wanted: Lookup) -> View:
    """The stored messages, numbers and threads that a lookup names."""
    found: dict[int, Known] = {}
    for part in _parts(wanted.ids):
        found.update(_knowns("message_id", part))
    for part in _parts(wanted.digests):
        found.update(_knowns("digest", part))
    by_origin: dict[str, list[int]] = {}
    for origin, seq in wanted.seqs:
        by_origin.setdefault(origin, []).append(seq)
    result = View.of(found.values())
    for origin, seqs in by_origin.items():
        for numbers in _parts(seqs):
            result.seqs.update(((origin, seq), message_id) for seq, message_id in _taken(origin, numbers))
    result.threads = _threads({*wanted.threads, *(known.thread for known in found.values())})
    return result


def _knowns(column: str, values: Sequence[str]) -> Iterator[tuple[int, Known]]:
    rows = select(
        '"origin", "message_id", "seq", "thread", "digest", "type", "status", "audience", "code", "index"',
        Message,
        f'"{column}" IN {places(values)}',
        values,
    )
    for origin, message_id, seq, thread, digest, kind, status, audience, code, index in rows:
        parties = tuple(audience.split(","))
        of = (origin, message_id, seq, thread, digest, MessageType(kind), Status(status), parties)
        yield index, Known(*of, Code(code) if code else None)


def _taken(origin: str, seqs: Sequence[int]) -> list[tuple[Any, ...]]:
    """Those of an origin's numbers that are used, each with whose it is."""
    condition = f'"origin" = %s AND "seq" IN {places(seqs)}'
    return select('"seq", "message_id"', Message, condition, (origin, *seqs))


def _threads(ids: Collection[str]) -> dict[str, admission.Thread]:
    threads = {}
    for part in _parts(ids):
        columns = '"thread", "origin", "status", "parties", "opened_at", "closed"'
        for thread, origin, status, parties, opened_at, closed in select(
            columns, Thread, f'"thread" IN {places(part)}', part
        ):
            everybody = frozenset(parties.split(","))
            threads[thread] = admission.Thread(
                thread, origin, Status(status), everybody, aware(opened_at), bool(closed)
            )
    return threads


# What a process knows when it starts.


def trail() -> TrailHead | None:
    """The trail as last committed; None before the first batch."""
    row = TrailState.objects.filter(pk=ONLY).first()
    return None if row is None else TrailHead(Frontier.from_hex(row.size, row.nodes), row.checkpoint)


def begin_trail(head: TrailHead) -> None:
    """Writes the row of an empty trail."""
    with atomic():
        TrailState.objects.create(
            pk=ONLY, size=head.size, nodes=head.frontier.hex_nodes, checkpoint=head.checkpoint
        )


def lanes() -> dict[str, LaneState]:
    """Every addressee's lane."""
    return {
        row.addressee: _with_holes(
            row.addressee, LaneState(row.delivery_seq, row.published_seq, row.settled_seq)
        )
        for row in Lane.objects.all()
    }


def add_lanes(addressees: Iterable[str]) -> None:
    """Makes the lanes of new participants."""
    with atomic():
        Lane.objects.bulk_create([Lane(addressee=code) for code in addressees], ignore_conflicts=True)


# One batch.


def commit(entry: Entry, before: Mapping[str, LaneState], marks: Marks) -> dict[str, LaneState]:
    """Writes everything that a batch brings about, all or nothing; the lanes that changed, as they are then.

    `marks` is what has been published since it was last marked. Raises Fenced or TopicReplaced where another
    process or another topic has come in between, Held for trouble with the database.
    """
    with atomic():
        _mark(marks)
        _grow(entry)
        for step in entry.steps:
            cursor.advance(step.stream, step.start, step.next, step.cluster_id, step.topic_id)
        insert(Message, (_message(message, entry) for message in entry.messages))
        insert(Refusal, (_refusal(refusal, entry) for refusal in entry.refusals))
        insert(Delivery, (_delivery(outbound) for outbound in entry.outbound))
        if entry.resends:
            rows = [Resend(addressee=code, delivery_seq=number) for code, number in entry.resends]
            Resend.objects.bulk_create(rows, ignore_conflicts=True)
        insert(Incident, (_incident(note, entry.at) for note in entry.incidents))
        _save_threads(entry.threads)
        changed = _changed_lanes(entry, before)
        _save_lanes(changed)
    return changed


def _grow(entry: Entry) -> None:
    """The trail's step, from the size this batch was put together on."""
    if (growth := entry.growth) is None:
        return
    head = growth.head
    moved = update(
        TrailState,
        '"size" = %s, "nodes" = %s, "checkpoint" = %s',
        '"id" = %s AND "size" = %s',
        (head.size, json.dumps(head.frontier.hex_nodes), head.checkpoint, ONLY, entry.before.size),
    )
    if moved == 0:
        raise Fenced(f"the trail has not {entry.before.size} leaves any more")
    insert(LeafRecord, [{"first": growth.first, "end": head.size, "value": growth.record}])
    if new := entry.new_directory:
        DirectoryRecord.objects.create(
            version=entry.directory.version,
            digest=entry.directory.digest,
            index=new.index,
            admitted_at=entry.at,
            value=new.value,
        )


def _message(message: LoggedMessage, entry: Entry) -> Row:
    header, signature = message.header, message.envelope.signatures[0]
    return {
        "index": message.index,
        "origin": header.origin,
        "message_id": header.id,
        "seq": message.seq,
        "thread": header.thread,
        "digest": message.digest,
        "type": header.type,
        "status": header.status,
        "audience": ",".join(header.audience),
        "code": message.code or "",
        "admitted_at": entry.at,
        "directory": entry.directory.version,
        "payload": message.envelope.payload,
        "keyid": signature.keyid,
        "signature": signature.sig,
    }


def _refusal(refusal: LoggedRefusal, entry: Entry) -> Row:
    arrival = refusal.arrival
    return {
        "index": refusal.index,
        "topic": arrival.topic,
        "topic_id": arrival.topic_id,
        "offset": arrival.offset,
        "sha256": arrival.sha256,
        "size": len(arrival.value or b""),
        "digest": refusal.digest,
        "code": refusal.code,
        "where": refusal.where[:200],
        "refused_at": entry.at,
        "directory": entry.directory.version,
    }


def _delivery(outbound: Outbound) -> Row:
    return {
        "addressee": outbound.addressee,
        "delivery_seq": outbound.delivery_seq,
        "index": outbound.index,
        "value": outbound.value,
        "expires_at": outbound.expires_at,
    }


def _incident(note: IncidentNote, at: datetime) -> Incident:
    return Incident(
        kind=note.kind, stream=note.stream, offset=note.offset, detail=note.detail[:200], noted_at=at
    )


def _save_threads(threads: Sequence[admission.Thread]) -> None:
    rows = (
        {
            "thread": thread.id,
            "origin": thread.origin,
            "status": thread.status,
            "parties": ",".join(sorted(thread.parties)),
            "opened_at": thread.opened_at,
            "closed": thread.closed,
        }
        for thread in threads
    )
    upsert(Thread, rows, key="thread", changing=("parties", "closed"))


def _changed_lanes(entry: Entry, before: Mapping[str, LaneState]) -> dict[str, LaneState]:
    changed: dict[str, LaneState] = {}
    for outbound in entry.outbound:
        lane = changed.get(outbound.addressee) or before.get(outbound.addressee, LaneState())
        changed[outbound.addressee] = replace(lane, delivery_seq=outbound.delivery_seq)
    for origin, seqs in entry.used.items():
        lane = changed.get(origin) or before.get(origin, LaneState())
        changed[origin] = settle(lane, seqs) or _with_holes(origin, lane)
    return changed


def _save_lanes(changed: Mapping[str, LaneState]) -> None:
    rows = (
        {"addressee": code, "delivery_seq": lane.delivery_seq, "settled_seq": lane.settled_seq}
        for code, lane in changed.items()
    )
    upsert(Lane, rows, key="addressee", changing=("delivery_seq", "settled_seq"))


def _with_holes(origin: str, lane: LaneState) -> LaneState:
    """The lane with its settled number moved on as far as the table allows, and the holes above it.

    Holes are listed as far as they can be looked for; what lies beyond then counts as one more hole.
    """
    settled = top = lane.settled_seq
    holes: list[tuple[int, int]] = []
    for seq in _used_above(origin, settled):
        if seq == settled + 1:
            settled = top = seq
            continue
        if seq > top + 1:
            holes.append((top + 1, seq - 1))
        top = seq
        if len(holes) == MAX_HOLES or top - settled > MAX_SPREAD:
            holes.extend([(top + 1, LAST_SEQ)] if top < LAST_SEQ else [])
            break
    return replace(lane, settled_seq=settled, holes=tuple(holes))


def _used_above(origin: str, seq: int) -> Iterator[int]:
    """The numbers of this origin above `seq`, ascending, read by pages."""
    while True:
        rows = Message.objects.filter(origin=origin, seq__gt=seq).order_by("seq")
        page = [used for used in rows.values_list("seq", flat=True)[:SEQ_PAGE] if used is not None]
        yield from page
        if len(page) < SEQ_PAGE:
            return
        seq = page[-1]


# Publishing.


def unpublished(addressee: str, after: int, limit: int) -> list[tuple[int, bytes]]:
    """The next deliveries of a lane behind number `after`, about `limit` bytes of them: number and exact
    value.
    """
    rows = Delivery.objects.filter(addressee=addressee, delivery_seq__gt=after).order_by("delivery_seq")
    return list(_up_to(rows.values_list("delivery_seq", "value"), limit))


def resends(limit: int) -> list[tuple[str, int, bytes]]:
    """Deliveries asked for again: addressee, number, value (empty where it has expired)."""
    asked = list(Resend.objects.order_by("pk").values_list("addressee", "delivery_seq")[:limit])
    values: dict[tuple[str, int], bytes] = {}
    by_addressee: dict[str, list[int]] = {}
    for addressee, number in asked:
        by_addressee.setdefault(addressee, []).append(number)
    for addressee, numbers in by_addressee.items():
        for part in _parts(numbers):
            rows = Delivery.objects.filter(addressee=addressee, delivery_seq__in=part)
            values.update(
                ((addressee, number), bytes(value))
                for number, value in rows.values_list("delivery_seq", "value")
            )
    return [(*key, values.get(key, b"")) for key in asked]


def leaf_records(after: int, limit: int) -> list[tuple[int, bytes]]:
    """Batches of leaves from the size `after` on, about `limit` bytes of them: the size each reaches, and
    its value.
    """
    rows = LeafRecord.objects.filter(first__gte=after).order_by("first")
    return list(_up_to(rows.values_list("end", "value"), limit))


def _up_to(rows: QuerySet[Any, tuple[int, Any]], limit: int) -> Iterator[tuple[int, bytes]]:
    """Rows until their values have `limit` bytes together; at least one."""
    size = 0
    for number, value in rows.iterator(chunk_size=ROWS_AT_ONCE):
        yield number, bytes(value)
        size += len(value)
        if size >= limit:
            return


def published_leaves() -> int:
    """The size of the trail up to which its leaves are published."""
    return TrailState.objects.filter(pk=ONLY).values_list("published_size", flat=True).first() or 0


def mark_published(marks: Marks) -> None:
    """Notes how far each lane, and the leaves, have been published."""
    with atomic():
        _mark(marks)


def _mark(marks: Marks) -> None:
    """A mark never goes back: a process that was overtaken may still have sent what it had in hand."""
    for addressee, number in marks.lanes.items():
        behind = '"addressee" = %s AND "published_seq" < %s'
        update(Lane, '"published_seq" = %s', behind, (number, addressee, number))
    if marks.leaves is not None:
        behind = '"id" = %s AND "published_size" < %s'
        update(TrailState, '"published_size" = %s', behind, (marks.leaves, ONLY, marks.leaves))


def mark_resent(done: Iterable[tuple[str, int]]) -> None:
    """Takes requests for a resend off the list."""
    with atomic():
        for addressee, number in done:
            Resend.objects.filter(addressee=addressee, delivery_seq=number).delete()


# Directories.


def last_directory() -> tuple[int, str] | None:
    """Version and digest of the newest directory that has a leaf."""
    return DirectoryRecord.objects.order_by("-version").values_list("version", "digest").first()


def unpublished_directories() -> list[tuple[int, bytes]]:
    """Directories not yet on their topic: version and value, oldest first."""
    rows = DirectoryRecord.objects.filter(published=False).order_by("version").values_list("version", "value")
    return [(version, bytes(value)) for version, value in rows]


def mark_directory(version: int) -> None:
    """Notes that a directory is on its topic."""
    DirectoryRecord.objects.filter(version=version).update(published=True)


# Incidents and expiry.


def note_incident(note: IncidentNote, at: datetime) -> None:
    """Writes an incident that doesn't come from a batch."""
    with atomic():
        _incident(note, at).save()


def is_open(kind: IncidentKind, stream: str = "") -> bool:
    """Whether an incident of this kind is open, for this stream if one is named."""
    of_stream = {"stream": stream} if stream else {}
    return Incident.objects.filter(kind=kind, closed_at=None, **of_stream).exists()


def close_incidents(kind: IncidentKind, at: datetime, streams: Iterable[str] | None = None) -> None:
    """Ends the incidents of a kind whose cause is gone; of these streams only, if any are named."""
    rows = Incident.objects.filter(kind=kind, closed_at=None)
    with atomic():
        (rows if streams is None else rows.filter(stream__in=list(streams))).update(closed_at=at)


def purge_expired(at: datetime, limit: int) -> int:
    """Empties published deliveries whose message has expired; how many."""
    with atomic():
        published = dict(Lane.objects.values_list("addressee", "published_seq"))
        rows = Delivery.objects.filter(expires_at__lte=at).order_by("expires_at")
        due = rows.values_list("pk", "addressee", "delivery_seq")[:limit]
        keys = [pk for pk, addressee, number in due if number <= published.get(addressee, 0)]
        for part in _parts(keys):
            Delivery.objects.filter(pk__in=part).update(value=b"", expires_at=None)
        return len(keys)


def _parts(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """The values in lists short enough for one statement."""
    rest = iter(values)
    while part := list(islice(rest, IN_LIST)):
        yield part
