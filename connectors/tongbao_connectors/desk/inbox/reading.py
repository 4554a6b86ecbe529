"""Opening a message for a page: what of it may be shown, and why it was opened.

1. A body is opened by `casework.open_body`, which writes who, when and why first. Officers near to the alert
   need type no reason; everybody else types one, and for `REMEMBERED` it holds for the same message again.
   Each showing is an opening of its own.
2. Without a reason, or after a purge, the page shows what may be read without a body.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Q

from tongbao_broker.errors import NotFound
from tongbao_connectors import body_words, casework
from tongbao_connectors.authorisation import Thing, Verb, Who, decide
from tongbao_connectors.casework import OpenedBody
from tongbao_connectors.desk.inbox import alert, letter
from tongbao_connectors.desk.inbox.alert import Sheet
from tongbao_connectors.desk.inbox.file_lines import FileLine, lines_of
from tongbao_connectors.desk.inbox.letter import Letter
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem, Message, Opening
from tongbao_connectors.store.records import stored_record
from tongbao_connectors.wording import Wording
from tongbao_schemas.codes import MessageType
from tongbao_schemas.header import DeadlineHeader, parse_header

REMEMBERED: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a body: a sheet or a letter, its files, and the opening that allowed it."""

    opened: OpenedBody
    why: str
    automatic: bool
    kept_until: datetime
    files: tuple[FileLine, ...]
    sheet: Sheet | None = None
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """How often somebody opened a body, why, and when last."""

    officer_ref: str
    why: str
    count: int
    last: datetime


def reason_for(message: Message, thing: Thing, who: Who, at: datetime) -> tuple[str, bool]:
    """Why this person may open it without typing anything now, and whether that is automatic; else empty."""
    automatic = decide(who, Verb.OPEN_BODY, thing).automatic_why
    if automatic:
        return automatic, True
    recent = Opening.objects.filter(
        message=message, officer_ref=who.officer_ref, at__gt=at - REMEMBERED
    ).order_by("-at")
    return recent.values_list("why", flat=True).first() or "", False


def read(message: Message, why: str, automatic: bool, who: Who, roster: Roster, w: Wording) -> Shown | None:
    """Opens and reads a body; None where it has been purged. Raises NoRight."""
    try:
        opened = casework.open_body(
            message.message_id, officer_ref=who.officer_ref, why=why, roster=roster, at=w.now, unit=who.unit
        )
    except NotFound:
        return None
    files = lines_of(message, opened.body.get("attachments", ()), w)
    if message.type == MessageType.ALERT:
        body = body_words.read_alert(opened.body, message.category)
        sheet = alert.sheet_of(body, w)
        kept = sheet.kept_until or message.expires_at
        return Shown(opened, why, automatic, kept, files, sheet=sheet)
    said = letter.letter_of(message.type, opened.body, w)
    return Shown(opened, why, automatic, message.expires_at, files, letter=said)


def opened_here(message: Message) -> list[Opened]:
    """Who of this province opened it, the last one first."""
    rows = Opening.objects.filter(message=message).values("officer_ref", "why")
    counted = rows.annotate(count=Count("pk"), last=Max("at")).order_by("-last")
    return [Opened(**row) for row in counted]


def thread_of(message: Message) -> list[InboxItem]:
    """The other received messages of its thread, the newest first."""
    others = InboxItem.objects.select_related("message").filter(message__thread=message.thread)
    return list(others.filter(~Q(message=message)).order_by("-message"))


def basis_of(message: Message) -> str:
    """What the deadlines rest on, as the origin states it."""
    header = parse_header(stored_record(message).envelope.payload)
    deadlines = header.deadlines if isinstance(header, DeadlineHeader) else None
    return deadlines.basis if deadlines else ""
