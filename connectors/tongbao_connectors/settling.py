"""What the exchange says of this province's own messages, in notices and heads.

1. `admitted` settles a row. `rejected` ends it with the code, however late it comes; the alert that it
   belongs to is told (`effects`).
2. A head settles every row whose seq it counts as used: up to `settled_seq`, and beyond it what lies
   between holes. One that is older than the newest, or says less, changes nothing: it comes from a
   process that was held up while another took over.
3. The seq of a rejected row stays open until a head, which comes after its notice, tells: used up (then it
   is gone), or not (then it is released for the next message).
4. Reports that travelled in a rejected receipt together are sent once more, each by itself.

Everything here runs inside the caller's transaction.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from django.db.models import Q, QuerySet

from tongbao_broker.statements import batched, places, update, written
from tongbao_connectors import effects, incidents
from tongbao_connectors.store.models import ExchangeHead, Message, Outbox, ReleasedSeq, StageReport
from tongbao_schemas.codes import MessageType
from tongbao_schemas.header import HeadContent, RejectedNotice

UNLISTED = 2**53 - 1
"""The end of the last hole where there were too many to list: beyond its beginning nothing is known."""

UNSETTLED = (Outbox.State.SEALED.value, Outbox.State.PUBLISHED.value)
FORKS = frozenset({"TB-305", "TB-306"})
"""Somebody else writes in this province's name, or its database is an old copy."""


def settle(message_ids: Collection[str], at: datetime) -> int:
    """Settles the messages that were admitted; how many that were open."""
    return sum(_settle(some, at) for some in batched(message_ids))


def _settle(message_ids: Sequence[str], at: datetime) -> int:
    table = Message._meta.db_table
    named = f'SELECT "id" FROM "{table}" WHERE "message_id" IN {places(message_ids)}'  # noqa: S608 - names of ours
    return update(
        Outbox,
        '"state" = %s, "settled_at" = %s',
        f'"state" IN {places(UNSETTLED)} AND "message_id" IN ({named})',
        (Outbox.State.SETTLED.value, written(at), *UNSETTLED, *message_ids),
    )


def reject(notice: RejectedNotice, at: datetime) -> bool:
    """Ends the row of a rejected message, found by its id or by its record's hash.

    False if it had ended before.
    """
    named = Q(message__message_id=notice.of) if notice.of else Q(record_sha256=notice.record.sha256)
    ended = Q(state=Outbox.State.REJECTED) & ~Q(code="")  # one recovered from the log has no code yet
    row = Outbox.objects.filter(named).exclude(ended).select_related("message").first()
    if row is None:
        return False
    row.state, row.code, row.settled_at, row.seq_open = Outbox.State.REJECTED, notice.code, at, True
    row.save(update_fields=["state", "code", "settled_at", "seq_open"])
    if row.message.type == MessageType.RECEIPT:
        _send_alone(row)
    effects.not_sent(row.message.message_id, row.message.thread, row.message.type, notice.code, at)
    if notice.code in FORKS:
        incidents.note("rejected", row.message.message_id, at, code=notice.code, seq=row.seq)
    return True


def apply_head(head: HeadContent, at: datetime) -> int:
    """Takes a head into account.

    How many rows it settled.
    """
    newest = ExchangeHead.objects.filter(pk=1).first()
    if newest is not None and _is_out_of_date(head, newest):
        return 0
    _remember(head)
    used = Q(seq__lte=head.settled_seq)
    for first, last in _used_between_holes(head):
        used |= Q(seq__gte=first, seq__lte=last)
    settled = _unsettled().filter(used).update(state=Outbox.State.SETTLED, settled_at=at)
    for row in Outbox.objects.filter(seq_open=True):
        _close_seq(row, head)
    return settled


def _is_out_of_date(head: HeadContent, newest: ExchangeHead) -> bool:
    says_less = head.settled_seq < newest.settled_seq or head.delivery_seq < newest.delivery_seq
    return says_less or head.at <= newest.at


def _unsettled() -> QuerySet[Outbox]:
    return Outbox.objects.filter(state__in=UNSETTLED)


def _used_between_holes(head: HeadContent) -> Iterator[tuple[int, int]]:
    for (_, end), (start, _) in pairwise(head.holes):
        if end + 1 < start:
            yield end + 1, start - 1


def _close_seq(row: Outbox, head: HeadContent) -> None:
    unused = _unused(row.seq, head)
    if unused:
        ReleasedSeq.objects.get_or_create(seq=row.seq)
    if unused or row.seq <= head.settled_seq:
        Outbox.objects.filter(pk=row.pk).update(seq_open=False)


def _unused(seq: int, head: HeadContent) -> bool:
    """Whether the head says for certain that the seq isn't used up."""
    if not head.holes:
        return seq > head.settled_seq
    return any(first <= seq <= last and last != UNLISTED for first, last in head.holes)


def _remember(head: HeadContent) -> None:
    ExchangeHead.objects.update_or_create(
        pk=1,
        defaults={
            "at": head.at,
            "settled_seq": head.settled_seq,
            "holes": [list(hole) for hole in head.holes],
            "out_next_offset": head.out_next_offset,
            "delivery_seq": head.delivery_seq,
            "directory_version": head.directory.version,
        },
    )


def _send_alone(row: Outbox) -> None:
    reports = StageReport.objects.filter(receipt=row.message, alone=False)
    if reports.count() > 1:
        reports.update(pending=True, alone=True, receipt=None)
