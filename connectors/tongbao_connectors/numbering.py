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
from tongbao_broker.statements import select
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.store import counters
from tongbao_connectors.store.models import ReleasedSeq
from tongbao_schemas.number import readable_number

SEQ = "seq"
SERIALS = "serial"


class Numbers:
    """The numbers for one batch of messages of the province `code`, composed at the time `at`."""

    def __init__(self, code: str, at: datetime, most: int) -> None:
        self._code = code
        self._year = at.astimezone(BEIJING).year
        self._serials = f"{SERIALS}-{self._year}"
        self._released = deque(
            seq for (seq,) in select('"seq"', ReleasedSeq, 'TRUE ORDER BY "seq" LIMIT %s', (most,))
        )
        self._reused: list[int] = []
        self._read = counters.values((SEQ, self._serials))
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
            if not counters.move(name, read, self._last[name]):
                raise Fenced(f"the counter {name} was moved by another process")
        if self._reused and ReleasedSeq.objects.filter(seq__in=self._reused).delete()[0] != len(self._reused):
            raise Fenced("a released number was taken by another process")


def last_seq() -> int:
    """The highest seq that was given out; 0 before the first."""
    return counters.value(SEQ)


def catch_up(seqs: Iterable[int], numbers: Iterable[str]) -> None:
    """Moves the counters up to what was given out before, as far as these own seqs and numbers show it."""
    highest = {SEQ: max(seqs, default=0)}
    for number in numbers:
        year, serial, _ = number[1:].split("-")
        highest[f"{SERIALS}-{year}"] = max(int(serial), highest.get(f"{SERIALS}-{year}", 0))
    for name, value in highest.items():
        counters.raise_to(name, value)
