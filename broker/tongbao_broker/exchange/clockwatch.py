"""Whether our clock can be believed, judged by the broker's: the two may differ by 60 s at the tail of a
topic.

Records carry the broker's time of writing (`LogAppendTime`). Pure: times and offsets in, a judgement out.

1. A record can't have been written in our future. If it was, by more than the tolerance, one clock is
   wrong.
2. An anchor is a moment of our clock at which we knew where a topic ended. A record beyond that end was
   written later; if its time is earlier by more than the tolerance, one clock is wrong. Without an anchor
   an old time proves nothing: the record may just have lain there.
3. An anchor of our future was taken before our clock was put back: it is forgotten.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["TOLERANCE", "ClockWatch"]

TOLERANCE = timedelta(seconds=60)


@dataclass(slots=True)
class ClockWatch:
    """The last anchor of each topic: its end, and when (milliseconds since 1970) we knew it."""

    anchors: dict[str, tuple[int, int]] = field(default_factory=dict)

    def anchor(self, topic: str, end: int, at: datetime) -> None:
        """Notes that the topic ended at offset `end` at our time `at`."""
        self.anchors[topic] = (end, _milliseconds(at))

    def agrees(self, topic: str, offset: int, written_ms: int, now: datetime) -> bool:
        """Whether the time a record was written (milliseconds since 1970) can be squared with our clock."""
        now_ms, tolerance = _milliseconds(now), TOLERANCE // timedelta(milliseconds=1)
        end, known_ms = self.anchors.get(topic, (offset + 1, now_ms))
        if known_ms - now_ms > tolerance:
            del self.anchors[topic]
            end = offset + 1
        late = offset >= end and known_ms - written_ms > tolerance
        return not late and written_ms - now_ms <= tolerance


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
