"""The numbers that a connector gives out: seq without holes, readable numbers by the year.

1. The lowest released seq goes first, then the next new one. Nothing is taken before the message that bears
   it has been composed and found good.
2. What was taken is stored in the transaction that stores the messages. If the counters aren't as they were
   read, another process numbers too: Fenced.
3. Readable numbers count from 1 in each calendar year of Beijing.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from tongbao_broker.errors import Fenced
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.store.models import Counter, ReleasedSeq
from tongbao_schemas.number import readable_number

SEQ = "seq"
SERIALS = "serial"


class Numbers:
    """The numbers for one batch of messages of the province `code`, composed at the time `at`."""

    def __init__(self, code: str, at: datetime, most: int) -> None:
        self._code = code
        self._year = at.astimezone(BEIJING).year
        self._serials = f"{SERIALS}-{self._year}"
        self._released = deque(ReleasedSeq.objects.order_by("seq").values_list("seq", flat=True)[:most])
        self._reused: list[int] = []
        self._read = {name: _value(name) for name in (SEQ, self._serials)}
        self._last = dict(self._read)

    @property
    def seq(self) -> int:
        """The seq of the next message."""
        return self._released[0] if self._released else self._last[SEQ] + 1

    @property
    def number(self) -> str:
        """The readable number of the next thread."""
        return readable_number(self._code, self._year, self._last[self._serials] + 1)

    def take_seq(self) -> None:
        """Uses up `seq`."""
        if self._released:
            self._reused.append(self._released.popleft())
        else:
            self._last[SEQ] += 1

    def take_number(self) -> None:
        """Uses up `number`."""
        self._last[self._serials] += 1

    def store(self) -> None:
        """Stores what was taken, inside the caller's transaction; raises Fenced."""
        for name, read in self._read.items():
            if Counter.objects.filter(name=name, value=read).update(value=self._last[name]) != 1:
                raise Fenced(f"the counter {name} was moved by another process")
        if self._reused and ReleasedSeq.objects.filter(seq__in=self._reused).delete()[0] != len(self._reused):
            raise Fenced("a released number was taken by another process")


def last_seq() -> int:
    """The highest seq that was given out; 0 before the first."""
    return Counter.objects.filter(name=SEQ).values_list("value", flat=True).first() or 0


def catch_up(seqs: Iterable[int], numbers: Iterable[str]) -> None:
    """Moves the counters up to what was given out before, as far as these own seqs and numbers show it."""
    highest = {SEQ: max(seqs, default=0)}
    for number in numbers:
        year, serial, _ = number[1:].split("-")
        highest[f"{SERIALS}-{year}"] = max(int(serial), highest.get(f"{SERIALS}-{year}", 0))
    for name, value in highest.items():
        if _value(name) < value:
            Counter.objects.filter(name=name).update(value=value)


def _value(name: str) -> int:
    return Counter.objects.get_or_create(name=name, defaults={"value": 0})[0].value
