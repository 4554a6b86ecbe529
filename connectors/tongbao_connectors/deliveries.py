"""Delivery numbers: which arrived, which are missing.

The exchange counts its deliveries to each addressee from 1 without a gap, and a head says how many it has
written. What lies below and hasn't arrived is a gap; one that arrives late closes it. A gap refuses
nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import groupby

from tongbao_connectors import incidents
from tongbao_connectors.store.models import Counter, DeliveryGap

ARRIVED = "delivery_seq"


def note(arrived: Collection[int], promised: int, at: datetime) -> None:
    """Takes into account what arrived and what a head promised, inside the caller's transaction."""
    if not arrived and not promised:
        return
    counter, _ = Counter.objects.get_or_create(name=ARRIVED, defaults={"value": 0})
    highest = counter.value
    _fill([number for number in arrived if number <= highest])
    for number in sorted(number for number in arrived if number > counter.value):
        _open(highest + 1, number - 1, at)
        highest = number
    _open(highest + 1, promised, at)
    Counter.objects.filter(name=ARRIVED).update(value=max(highest, promised))


def _open(first: int, last: int, at: datetime) -> None:
    if first <= last:
        DeliveryGap.objects.create(first=first, last=last, noted_at=at)
        incidents.note("gap", f"{first}:{last}", at, expected=first, found=last + 1)


def _fill(late: Collection[int]) -> None:
    if not late:
        return
    for gap in DeliveryGap.objects.filter(first__lte=max(late), last__gte=min(late)):
        rest = [number for number in range(gap.first, gap.last + 1) if number not in late]
        if len(rest) <= gap.last - gap.first:
            gap.delete()
            DeliveryGap.objects.bulk_create(
                [DeliveryGap(first=first, last=last, noted_at=gap.noted_at) for first, last in _runs(rest)]
            )


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours in ascending numbers."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        neighbours = [number for _, number in run]
        yield neighbours[0], neighbours[-1]
