"""Remarks (备注) on an alert: a line in this province's own timeline, sent to nobody.

A remark stands in plain and outlives the body: it says what was done or agreed, not what the case is about.
"""

from datetime import datetime
from typing import Final

from tongbao_broker.errors import NotFound, Words
from tongbao_connectors import finding
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.casework import events
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Event
from tongbao_schemas.codes import MessageType

LONGEST: Final = 500


def comment(
    reference: str,
    *,
    text: str,
    officer_ref: str,
    roster: Roster,
    at: datetime,
    unit: str = "",
    hosts: frozenset[str] = frozenset(),
) -> Event:
    """Adds an officer's remark to an alert, own or received.

    `unit` is that of somebody whom the roster doesn't list; `hosts` are the provinces that a posted officer
    writes about. Raises NotFound, also for what isn't an alert.
    """
    alert = finding.message(reference)
    if alert.type != MessageType.ALERT:
        raise NotFound(Words(f"{reference} 不是协查通报", f"{reference} is no alert"))
    return events.note(
        alert,
        EventKind.COMMENTED,
        at,
        officer_ref=officer_ref,
        unit=events.unit_of(officer_ref, roster, unit),
        text=text.strip()[:LONGEST],
        host=sorted(hosts),
    )
