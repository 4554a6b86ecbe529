"""Drafts that nobody goes on with: their text is cleared after a time that the province sets.

1. A draft holds its text in plain until it is issued. `desk.toml` says how many days after its last step it
   is kept (`drafts_kept_days`); saving is a step, looking at it is not.
2. Its page and the lists say when, for the last `WARNED` of that time.
3. The watch clears: the text is overwritten, the history stays and says so. It looks at its first turn and
   then every `EVERY`.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, QuerySet

from tongbao_broker import logs
from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.desk import configuration
from tongbao_connectors.papers import drafting, states
from tongbao_connectors.papers.models import Paper
from tongbao_connectors.settings import ConnectorSettings

WARNED: Final = timedelta(days=7)
EVERY: Final = timedelta(hours=1)

log = logs.get(__name__)


def with_touched(papers: "QuerySet[Paper]") -> Any:
    """The drafts, each with the time of its last step as `touched`."""
    return papers.annotate(touched=Max("steps__at"))


def soon(touched: datetime, kept_days: int, now: datetime) -> datetime | None:
    """When a draft that was last touched then is cleared, if that is to be said already."""
    at = touched + timedelta(days=kept_days)
    return at if at - WARNED <= now else None


def clear(kept_days: int, now: datetime) -> int:
    """Clears what was left untouched for so many days; how many drafts."""
    going_on = Paper.objects.filter(state__in=[state.value for state in states.OPEN])
    left = with_touched(going_on).filter(touched__lte=now - timedelta(days=kept_days))
    return sum(drafting.clear(paper, now) for paper in left)


class Clearing:
    """The watch's turn at it."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self._settings = settings
        self._next: datetime | None = None

    def turn(self, now: datetime) -> None:
        """Clears what is due, once an hour."""
        if self._next is not None and now < self._next:
            return
        self._next = now + EVERY
        try:
            file = configuration.load(self._settings.folder, self._settings.network)
        except BadConfiguration as mistake:
            log.error("no draft is cleared", detail=mistake.detail)
            return
        cleared = clear(file.drafts_kept_days, now)
        if cleared:
            log.info("untouched drafts were cleared", count=cleared)
