"""When a province is due its next head: within a second of a change, and once a minute in any case. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["HeadSchedule", "Standing"]

AFTER_CHANGE = timedelta(seconds=1)
WITHOUT_CHANGE = timedelta(seconds=50)
"""Less than the 60 s that are promised, since a turn of the relay takes its time."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a head reports that a province waits for; another one is a change."""

    settled_seq: int
    holes: tuple[tuple[int, int], ...]
    delivery_seq: int
    directory: int


@dataclass(slots=True)
class HeadSchedule:
    """What each province was told last, and when."""

    _told: dict[str, tuple[Standing, datetime]] = field(default_factory=dict)

    def due(self, code: str, standing: Standing, now: datetime) -> bool:
        """Whether a head is to be sent now. A clock that was put back makes one due."""
        if code not in self._told:
            return True
        told, at = self._told[code]
        wait = WITHOUT_CHANGE if told == standing else AFTER_CHANGE
        return not timedelta() <= now - at < wait

    def times(self) -> dict[str, datetime]:
        """When each province was last told."""
        return {code: at for code, (_, at) in list(self._told.items())}

    def told(self, code: str, standing: Standing, now: datetime) -> None:
        """Notes that a head was sent."""
        self._told[code] = (standing, now)
