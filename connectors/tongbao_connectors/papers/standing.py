"""Where each addressee of an own alert stands, for a page: four facts, never merged, and what is owed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.html import format_html

from tongbao_broker.errors import Words
from tongbao_connectors.case_rules import ThreadState
from tongbao_connectors.casework.standing import Addressee
from tongbao_connectors.desk.inbox.known import Fact
from tongbao_connectors.desk.language import current, say
from tongbao_connectors.desk.templatetags.desk import chinese
from tongbao_schemas.bodies.codes import AnswerKind

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stand:
    """One addressee: where it stands, what it owes next, its four facts and `cancelled` for `{% facts %}`."""

    there: Addressee
    next: Words
    facts: Mapping[str, Fact | None]


@dataclass(frozen=True, slots=True)
class Due:
    """What is due next of the addressees together, and who owes it."""

    what: Words
    at: datetime
    owing: tuple[str, ...]


def stands(addressees: Iterable[Addressee]) -> list[Stand]:
    """All of them."""
    return [Stand(each, owed(each), four_facts(each)) for each in addressees]


def four_facts(there: Addressee) -> dict[str, Fact | None]:
    """已送达 by his connector, 已签收 by a person, 已反馈 with a result, 已办结 or 已撤销 by ourselves."""
    return {
        "delivered": _fact(there.delivered_at, say("接入端", "connector")),
        "signed": _signed(there),
        "answered": _answered(there),
        "closed": _fact(there.closed_at),
        "cancelled": _fact(there.cancelled_at),
    }


def owed(there: Addressee) -> Words:
    """What an addressee owes next."""
    if there.due_at == there.sign_by and not there.claimed:
        return Words("签收", "sign for")
    return Words("反馈结果", "result") if there.answers else Words("首次反馈", "first feedback")


def due_of(there: Sequence[Addressee], state: ThreadState) -> Due | None:
    """The first thing that somebody still owes, and who."""
    owing = [each for each in there if each.due_at is not None]
    if state is not ThreadState.OPEN or not owing:
        return None
    first = min(owing, key=lambda each: each.due_at or each.sign_by or _NEVER)
    late = tuple(each.code for each in owing if each.due_at == first.due_at)
    return Due(owed(first), first.due_at or _NEVER, late)


def _fact(at: datetime | None, by: str = "") -> Fact | None:
    return Fact(at, by) if at else None


def _signed(there: Addressee) -> Fact | None:
    if there.claimed:
        who: Any = format_html("{} {}", there.claimed.by, chinese(there.claimed.unit))
        return Fact(there.claimed.at, who)
    if there.by_phone:
        return Fact(there.by_phone.at, f"{say('电话代录', 'by telephone')} {there.by_phone.by}")
    return None


def _answered(there: Addressee) -> Fact | None:
    result = there.result
    return Fact(result.at, AnswerKind(result.kind).label(current())) if result else None
