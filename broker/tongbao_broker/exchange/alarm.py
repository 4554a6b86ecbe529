"""The alarm: while something of our own is wrong the streams are held, and an admin must see it.

1. The log says so at once and then every minute, with the reason; it also says when it is over.
2. Trouble that a province feels for long (directory, clock, database) is an incident, one row from begin to
   end. While the database itself is away there is only the log.
3. A process that finds an open row of a former one closes it when its own first records have gone through.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from tongbao_broker import logs
from tongbao_broker.errors import Held
from tongbao_broker.exchange import store
from tongbao_broker.exchange.dispatch import IncidentKind, IncidentNote

__all__ = ["BROKER", "DATABASE", "Alarm"]

REPEAT = timedelta(seconds=60)
DATABASE = "database"
BROKER = "broker"
FORMER = "former process"

_log = logs.get(__name__)


@dataclass(slots=True)
class Alarm:
    """Why the streams are held; empty while they flow."""

    reason: str = ""
    _said_at: datetime | None = None

    def take_over(self) -> None:
        """Looks for what a former process left open."""
        self.reason = FORMER if store.is_open(IncidentKind.HELD) else ""

    def hold(self, reason: str, now: datetime, detail: str = "") -> None:
        """The streams are held for this reason; to be called in every turn in which they are."""
        if reason != self.reason:
            if reason != BROKER:
                with suppress(Held):
                    store.note_incident(IncidentNote(IncidentKind.HELD, detail=reason), now)
            self.reason, self._said_at = reason, None
        if self._said_at is None or not timedelta() <= now - self._said_at < REPEAT:
            self._said_at = now
            _log.error("the streams are held; nothing is rejected", reason=reason, detail=detail)

    def release(self, now: datetime) -> None:
        """The streams flow. Raises Held where the database can't be told."""
        if not self.reason:
            return
        store.close_incidents(IncidentKind.HELD, now)
        _log.info("the streams flow again", reason=self.reason)
        self.reason, self._said_at = "", None
