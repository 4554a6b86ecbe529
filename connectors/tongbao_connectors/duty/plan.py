"""Who is asked after how many minutes, as the province's `escalation.toml` says.

1. A table for each urgency. Minutes count from the alert's arrival at the unit; the officer on duty is asked
   at once, and a step that is left out is not taken.
2. The order is fixed: on duty, group, leader, provincial duty desk. A later step can't come before an
   earlier one.
3. The last of them is asked again every `repeat` minutes, at most `repeats` times.
4. `comes_back`: so many minutes without a sign of work after 签收, and the item lies in 待签收 again.
5. A province without the file goes by the defaults below.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from tongbao_connectors.roster import Setting, read_settings, read_text
from tongbao_schemas.codes import Urgency

FILE = "escalation.toml"

Minutes = Annotated[int, Field(ge=1, le=7 * 24 * 60, description="minutes", examples=[15])]


class Steps(Setting):
    """After how many minutes whom, for one urgency."""

    group: Minutes | None = None
    leader: Minutes | None = None
    desk: Minutes | None = None
    repeat: Minutes | None = None
    repeats: Annotated[int, Field(ge=0, le=48)] = 0
    comes_back: Minutes

    @model_validator(mode="after")
    def rises(self) -> "Steps":
        """The steps come in their order."""
        given = [minutes for minutes in (self.group, self.leader, self.desk) if minutes is not None]
        if given != sorted(set(given)):
            raise ValueError("group, leader and desk come one after the other")
        return self


class Plan(Setting):
    """The tables of `escalation.toml`."""

    flash: Steps = Steps(group=5, leader=10, desk=15, repeat=5, repeats=12, comes_back=60)
    urgent: Steps = Steps(group=30, leader=60, desk=90, repeat=30, repeats=4, comes_back=240)
    routine: Steps = Steps(group=240, leader=480, desk=1440, comes_back=1440)

    def steps(self, urgency: str) -> Steps:
        """The steps of an urgency; those of the lowest one where the message has none."""
        match urgency:
            case Urgency.FLASH:
                return self.flash
            case Urgency.URGENT:
                return self.urgent
            case _:
                return self.routine

    def silence(self, urgency: str) -> timedelta:
        """How long somebody may hold an alert of an urgency without having begun."""
        return timedelta(minutes=self.steps(urgency).comes_back)


def load(folder: Path) -> Plan:
    """The plan of a province's folder; raises BadConfiguration."""
    path = folder / FILE
    return read_settings(Plan, read_text(path), FILE) if path.exists() else Plan()
