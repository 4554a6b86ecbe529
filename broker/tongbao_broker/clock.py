"""The time, asked for in one place.

Code that decides takes the time as an argument; code at the edge holds a `Clock`, so that a test can set it.
"""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present time: aware, UTC, whole milliseconds, as it goes on the wire."""
        ...


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        present = datetime.now(UTC)
        return present.replace(microsecond=present.microsecond // 1000 * 1000)
