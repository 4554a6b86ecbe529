"""Hours and weekdays of duty, in Beijing time (UTC+8 all year, without summer time since 1991).

1. A window is written `18:00-08:00`; [from, until), and it may pass midnight. `00:00-24:00` is the whole day.
2. A window that passes midnight belongs to the weekday on which it begins.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")


@dataclass(frozen=True, slots=True)
class Hours:
    """A daily window in minutes after midnight."""

    start: int = 0
    end: int = DAY_MINUTES

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """Reads `HH:MM-HH:MM`; raises ValueError, also where the window would be empty."""
        match = _WINDOW.fullmatch(text)
        if match is None:
            raise ValueError("hours are written HH:MM-HH:MM")
        end = int(match[3]) * 60 + int(match[4]) if match[3] else DAY_MINUTES
        hours = cls(int(match[1]) * 60 + int(match[2]), end)
        if hours.start == hours.end:
            raise ValueError("the window is empty")
        return hours

    def contain(self, at: datetime, days: Collection[str] = ()) -> bool:
        """Whether `at` lies in the window of one of these weekdays (none given: of any)."""
        local = at.astimezone(BEIJING)
        minute = local.hour * 60 + local.minute
        passes_midnight = self.end < self.start
        early = passes_midnight and minute < self.end
        within = early or (minute >= self.start and (passes_midnight or minute < self.end))
        begun = (local - timedelta(days=1)) if early else local
        return within and (not days or DAYS[begun.weekday()] in days)
