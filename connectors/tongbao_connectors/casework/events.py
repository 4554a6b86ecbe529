"""The lines of what was done with a message in this province. They are added, never changed or deleted."""

from datetime import datetime
from typing import Any

from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Event, Message


def note(
    message: Message, kind: EventKind, at: datetime, *, officer_ref: str = "", unit: str = "", **facts: Any
) -> Event:
    """Adds a line, inside the caller's transaction; `facts` are codes, references and times."""
    return Event.objects.create(
        message=message, at=at, kind=str(kind), officer_ref=officer_ref, unit=unit, facts=facts
    )


def by_officer(
    message: Message, kind: EventKind, at: datetime, officer_ref: str, roster: Roster, **facts: Any
) -> Event:
    """Adds a line about what an officer of the roster did."""
    unit = roster.officer(officer_ref).unit
    return note(message, kind, at, officer_ref=officer_ref, unit=unit, **facts)


def unit_of(officer_ref: str, roster: Roster, unit: str = "") -> str:
    """An officer's unit as the roster has it, else the one given; raises NotFound where there is neither."""
    if officer_ref not in roster.officers and unit in roster.units:
        return unit
    return roster.officer(officer_ref).unit
