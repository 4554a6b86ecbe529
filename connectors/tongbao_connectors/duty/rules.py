"""What the watch of a province goes by: roster, escalation, channels, and where links lead."""

from dataclasses import dataclass
from pathlib import Path

from tongbao_broker import logs
from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.desk import configuration
from tongbao_connectors.duty import channels, current, plan
from tongbao_connectors.duty.channels import Channels
from tongbao_connectors.duty.plan import Plan
from tongbao_connectors.roster import Roster
from tongbao_connectors.settings import ConnectorSettings

FILES = (channels.FILE, plan.FILE, configuration.FILE)

log = logs.get(__name__)


@dataclass(frozen=True)
class Rules:
    """All of it at one moment. `desk_unit` is the duty desk of the province `home`, `desk_url` its page."""

    home: str
    network: str
    roster: Roster
    plan: Plan
    channels: Channels
    desk_unit: str
    desk_url: str

    @classmethod
    def of(cls, settings: ConnectorSettings) -> "Rules":
        """By what the province's folder and database say now; raises BadConfiguration."""
        own = Channels.load(settings.folder)
        return cls(
            settings.code,
            settings.network,
            current.roster(settings),
            plan.load(settings.folder),
            own,
            settings.routing().duty_desk,
            own.desk_url or _address(settings),
        )

    def unit_of(self, unit: str) -> str:
        """The unit, or the provincial duty desk where the roster no longer has it."""
        return unit if unit in self.roster.units else self.desk_unit


class Reread:
    """The rules, read again when a file or a shift has changed; a file with a mistake changes nothing."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self._settings = settings
        self._stamp = self._look()
        self._rules = Rules.of(settings)

    def now(self) -> Rules:
        """The rules in force."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._rules = Rules.of(self._settings)
            except BadConfiguration as mistake:
                log.error("roster, escalation and channels stay as they were", detail=mistake.detail)
        return self._rules

    def _look(self) -> tuple[int, ...]:
        return (*current.changed(self._settings), *(_written(self._settings.folder / name) for name in FILES))


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _address(settings: ConnectorSettings) -> str:
    file = configuration.load(settings.folder, settings.network)
    return f"{'https' if file.https else 'http'}://{file.hosts[0] if file.https else file.host}" + (
        "" if file.https else f":{file.port}"
    )
