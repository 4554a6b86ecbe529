"""What the directory lets a draft count on: who may be notified of it, and within which time he answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tongbao_broker.errors import Words
from tongbao_broker.trust.directory import Directory
from tongbao_connectors import trusting
from tongbao_connectors.composing import FLOOR_DEADLINES
from tongbao_connectors.desk.here import Desk
from tongbao_connectors.trusting import Trusting
from tongbao_schemas.codes import EXCHANGE, Category, Handling, MessageType, Urgency
from tongbao_schemas.documents import Agreement
from tongbao_schemas.number import PROVINCES


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds with one addressee.

    `seconds` are those to sign, to the first feedback and to the result, by urgency; None where nothing
    allows the notification, and then `why_not` says so. `agreement` is its document number, empty under the
    floor.
    """

    code: str
    agreement: str
    seconds: dict[Urgency, tuple[int, int, int]] | None
    why_not: Words | None = None


def directory(here: Desk) -> Directory:
    """The directory that the connector goes by; where it has never run, the one in the folder."""
    return trusting.newest() or Trusting.of(here.settings, here.now()).directory


def addressees(directory: Directory, origin: str) -> tuple[str, ...]:
    """The provinces that take part, but one's own."""
    return tuple(code for code in directory.active_codes() if code not in (origin, EXCHANGE))


def terms(
    directory: Directory, origin: str, code: str, category: Category, handling: str, at: datetime
) -> Terms:
    """What holds with an addressee for alerts of this category and handling at this time."""
    province = PROVINCES[code]
    if not directory.is_active(code):
        return Terms(code, "", None, Words(f"{province.zh}当前未启用", f"{province.en} is not active"))
    limit = Handling(handling) if handling in frozenset(Handling) else None
    allowed = directory.agreement(origin, code, category, MessageType.ALERT, limit, at)
    if allowed is None:
        return Terms(code, "", None, _not_allowed(code, category, limit))
    if not isinstance(allowed, Agreement):
        return Terms(code, "", dict(FLOOR_DEADLINES))
    by_urgency = {urgency: getattr(allowed.deadlines, urgency) for urgency in Urgency}
    seconds = {
        urgency: (each.sign_s, each.first_feedback_s, each.result_s) for urgency, each in by_urgency.items()
    }
    return Terms(code, allowed.doc_number, seconds)


def lacking(found: Iterable[Terms]) -> dict[str, Words]:
    """Why some addressees may not be notified, by code."""
    return {each.code: each.why_not for each in found if each.why_not is not None}


def longest(found: Iterable[Terms], urgency: Urgency) -> tuple[int, int, int] | None:
    """The seconds that hold for all addressees together: of each deadline the longest."""
    columns = [each.seconds[urgency] for each in found if each.seconds]
    if not columns:
        return None
    sign, first, result = (max(column) for column in zip(*columns, strict=True))
    return sign, first, result


def _not_allowed(code: str, category: Category, limit: Handling | None) -> Words:
    province = PROVINCES[code]
    with_limit = f"、{limit.value}" if limit else ""
    and_limit = f" with {limit.value}" if limit else ""
    return Words(
        f"与{province.zh}没有允许“{category.zh}{with_limit}”的有效协议",
        f"No agreement in force with {province.en} allows “{category.en}”{and_limit}",
    )
