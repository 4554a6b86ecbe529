"""What the originator is told: a row that the connector sends, and is woken for."""

from datetime import datetime

from tongbao_connectors import reports
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Message
from tongbao_connectors.waking import wake_connector
from tongbao_schemas.codes import Stage


def report(message: Message, stage: Stage, at: datetime, **by: str) -> None:
    """Reports a stage, inside the caller's transaction; `by` is `unit` (its name) and `officer_ref`."""
    reports.of_message(message, stage, at, **by).save()
    wake_connector()


def report_of(message: Message, stage: Stage, at: datetime, officer_ref: str, roster: Roster) -> None:
    """Reports what an officer of the roster did."""
    report(message, stage, at, unit=roster.unit_name_of(officer_ref), officer_ref=officer_ref)
