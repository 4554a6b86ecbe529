"""Opening bodies: the one way in which an officer reads one.

1. A body is opened through `open_body` and a file through `open_file`, nowhere else; who, when and why are
   written first, in the same transaction. The originator of a received message is told who opened it, once
   per officer and message in `TOLD_ONCE_IN`; every opening stays on record here.
2. An answer or another follow-up isn't signed for: it counts as read when the officer it lies with opens it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tongbao_broker.database import atomic
from tongbao_broker.errors import NoRight, NotFound, Words
from tongbao_connectors import finding
from tongbao_connectors.case_rules import EventKind, State
from tongbao_connectors.casework import bodies, events, files, rights
from tongbao_connectors.casework.files import Attached
from tongbao_connectors.casework.reporting import report
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem, Message, Opening, StageReport
from tongbao_schemas.codes import MessageType, Stage

TOLD_ONCE_IN: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """A body for the eyes of the officer who asked.

    `openings` counts how often it has been opened, this time included.
    """

    message_id: str
    number: str
    body: dict[str, Any]
    openings: int


def open_body(
    reference: str, *, officer_ref: str, why: str, roster: Roster, at: datetime, unit: str = ""
) -> OpenedBody:
    """Opens the body of a message, received or sent, for an officer of this province.

    `why` is kept with his reference and the time. `unit` is that of somebody whom the roster doesn't list: a
    supervisor. Raises NotFound, also where the body has been purged, and NoRight.
    """
    with atomic():
        message, unit = _record(reference, officer_ref, why, roster, at, unit)
        body = bodies.plain_body(message)
        _report(message, officer_ref, unit, roster, at)
        openings = Opening.objects.filter(message=message).count()
    return OpenedBody(message.message_id, message.number, body, openings)


def open_file(
    reference: str,
    digest: str,
    *,
    officer_ref: str,
    why: str,
    roster: Roster,
    at: datetime,
    unit: str = "",
) -> Attached:
    """Opens a file that belongs to a message, by its digest: an opening of that message like any other.

    The timeline of the thread says which file. Raises NotFound where it isn't complete, differs from what the
    alert lists, or has been purged; else like `open_body`.
    """
    with atomic():
        message, unit = _record(reference, officer_ref, why, roster, at, unit)
        rights.check_may_copy(message)
        file = files.one(message, digest)
        if file is None:
            raise NotFound(Words("没有这份附件，或未到齐", "there is no such file, or not all of it"))
        _report(message, officer_ref, unit, roster, at)
        known = digest.removeprefix("sha256:")[:8]
        facts = {"officer_ref": officer_ref, "unit": unit, "file": known}
        events.note(finding.message(message.thread), EventKind.FILE_OPENED, at, **facts)
    return file


def _record(
    reference: str, officer_ref: str, why: str, roster: Roster, at: datetime, unit: str
) -> tuple[Message, str]:
    """Writes down who opens what and why, inside the caller's transaction; the message and his unit."""
    unit = roster.officers[officer_ref].unit if officer_ref in roster.officers else unit
    if unit not in roster.units or not why.strip():
        raise NoRight(
            Words(
                "正文由本省联络员说明理由后打开",
                "a body is opened by an officer of this province who says why",
            )
        )
    message = finding.message(reference)
    facts = {"officer_ref": officer_ref, "unit": unit, "why": why.strip()[:200], "at": at}
    Opening.objects.create(message=message, **facts)
    return message, unit


def _report(message: Message, officer_ref: str, unit: str, roster: Roster, at: datetime) -> None:
    """The originator is told, and what isn't signed for is read once the officer it lies with opened it."""
    if message.delivery_seq is None:
        return
    if not _told(message, officer_ref, at):
        report(message, Stage.READ, at, unit=roster.units[unit].name, officer_ref=officer_ref)
    if message.type == MessageType.ALERT:
        return
    waiting = InboxItem.objects.filter(message=message, state=State.WAITING.value).first()
    if waiting and roster.may_claim(officer_ref, waiting.officer_ref):
        InboxItem.objects.filter(pk=waiting.pk, state=State.WAITING.value).update(state=State.READ.value)
        events.by_officer(message, EventKind.READ, at, officer_ref, roster)


def _told(message: Message, officer_ref: str, at: datetime) -> bool:
    """Whether the originator was told of an opening by this officer a moment ago."""
    told = StageReport.objects.filter(
        of=message.message_id, of_origin=message.origin, place="", stage=str(Stage.READ)
    )
    return told.filter(officer_ref=officer_ref, at__gt=at - TOLD_ONCE_IN).exists()
