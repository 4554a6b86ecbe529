"""Delivery numbers: which arrived, which are missing, and what is asked for again.

1. The exchange counts its deliveries to each addressee from 1 without a gap, and a head says how many it has
   written. What lies below and hasn't arrived is a gap; one that arrives late closes it. A gap refuses
   nothing.
2. What is still missing after a moment is asked for. The exchange answers by publishing the stored bytes once
   more; until they come it is asked again, at growing intervals.
3. A long gap is asked for piece by piece, from its beginning.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from tongbao_broker.statements import select, written
from tongbao_connectors import incidents
from tongbao_connectors.store import counters
from tongbao_connectors.store.models import DeliveryGap

ARRIVED = "delivery_seq"
GRACE = timedelta(seconds=2)
FIRST_REPEAT = timedelta(seconds=30)
LONGEST_REPEAT = timedelta(hours=1)


def note(arrived: Collection[int], promised: int, at: datetime) -> None:
    """Takes into account what arrived and what a head promised, inside the caller's transaction."""
    if not arrived and not promised:
        return
    known = highest = counters.value(ARRIVED)
    _fill({number for number in arrived if number <= known})
    for number in sorted(number for number in arrived if number > known):
        _open(highest + 1, number - 1, at)
        highest = number
    _open(highest + 1, promised, at)
    counters.raise_to(ARRIVED, max(highest, promised))


def any_due(at: datetime) -> bool:
    """Whether something missing is to be asked for."""
    return bool(select("1", DeliveryGap, '"ask_at" <= %s LIMIT 1', (written(at),)))


def ask(at: datetime, most: int) -> list[int]:
    """The missing numbers to be asked for now, the lowest `most` of them; inside the caller's transaction.

    They count as asked for, and are due again after a longer time.
    """
    numbers: list[int] = []
    for gap in DeliveryGap.objects.filter(ask_at__lte=at).order_by("first"):
        if len(numbers) == most:
            break
        piece = _cut(gap, most - len(numbers))
        numbers += range(piece.first, piece.last + 1)
        piece.asked += 1
        piece.ask_at = at + repeat_after(piece.asked)
        piece.save()
    return numbers


def repeat_after(asked: int) -> timedelta:
    """How long to wait for a delivery that was asked for so many times before asking again."""
    return min(FIRST_REPEAT * (1 << min(asked - 1, 16)), LONGEST_REPEAT)


def _cut(gap: DeliveryGap, most: int) -> DeliveryGap:
    """The gap, or its first `most` numbers where it is longer; the rest becomes a gap of its own."""
    last = min(gap.last, gap.first + most - 1)
    if last < gap.last:
        DeliveryGap.objects.create(
            first=last + 1, last=gap.last, noted_at=gap.noted_at, asked=gap.asked, ask_at=gap.ask_at
        )
        gap.last = last
    return gap


def _open(first: int, last: int, at: datetime) -> None:
    if first <= last:
        DeliveryGap.objects.create(first=first, last=last, noted_at=at, ask_at=at + GRACE)
        incidents.note("gap", f"{first}:{last}", at, expected=first, found=last + 1)


def _fill(late: Collection[int]) -> None:
    if not late:
        return
    for gap in DeliveryGap.objects.filter(first__lte=max(late), last__gte=min(late)):
        rest = [number for number in range(gap.first, gap.last + 1) if number not in late]
        if len(rest) <= gap.last - gap.first:
            gap.delete()
            DeliveryGap.objects.bulk_create([_rest(gap, first, last) for first, last in _runs(rest)])


def _rest(gap: DeliveryGap, first: int, last: int) -> DeliveryGap:
    return DeliveryGap(first=first, last=last, noted_at=gap.noted_at, asked=gap.asked, ask_at=gap.ask_at)


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours in ascending numbers."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        neighbours = [number for _, number in run]
        yield neighbours[0], neighbours[-1]
