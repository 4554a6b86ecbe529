"""The desk that this process serves: its province's settings, its clock, its roster of the moment.

A desk is known by the name of its database, so that a test may hold several in one process.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tongbao_broker import database
from tongbao_broker.clock import Clock
from tongbao_broker.errors import BadConfiguration, Words
from tongbao_connectors.desk.configuration import DeskFile
from tongbao_connectors.roster import Roster
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.number import PROVINCES

_desks: dict[str, "Desk"] = {}


@dataclass
class Desk:
    """One province's desk."""

    settings: ConnectorSettings
    file: DeskFile
    clock: Clock
    _roster: tuple[tuple[int, ...], Roster] | None = field(default=None, init=False)

    @property
    def code(self) -> str:
        return self.settings.code

    @property
    def network(self) -> str:
        return self.settings.network

    @property
    def name(self) -> Words:
        """What the desk is called: 广东联络台, Guangdong desk."""
        province = PROVINCES[self.code]
        return Words(f"{province.zh}联络台", f"{province.en} desk")

    def now(self) -> datetime:
        return self.clock.now()

    def roster(self) -> Roster:
        """Units, officers and duty in force, as `refresh` last found them."""
        return self._roster[1] if self._roster else self.refresh()

    def refresh(self) -> Roster:
        """Looks whether the roster has changed, and reads it again if so; every request begins with it."""
        from tongbao_connectors.duty import current

        state = current.changed(self.settings)
        if self._roster is None or self._roster[0] != state:
            self._roster = (state, current.roster(self.settings))
        return self._roster[1]


def serve(name: str, desk: Desk) -> None:
    """Makes this the desk of the database opened as `name`."""
    _desks[name] = desk


def desk() -> Desk:
    """The desk whose database is the current one; raises BadConfiguration."""
    try:
        return _desks[database.current()]
    except KeyError:
        raise BadConfiguration("no desk serves this database") from None
