"""Levels, clocks, labels and form errors as values that templates draw; no request, no database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Final, Literal

from django.forms import BoundField, Form

from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.language import Language
from tongbao_schemas.codes import Labelled, Urgency

Stand = Literal["calm", "soon", "red", "over", "met"]

SOON: Final = timedelta(minutes=60)
RED: Final = timedelta(minutes=15)
DAY: Final = timedelta(days=1)
BAR: Final = 100
LABELLED_IN: Final = (
    "tongbao_schemas.codes",
    "tongbao_schemas.bodies.codes",
    "tongbao_connectors.authorisation",
    "tongbao_connectors.store.models",
    "tongbao_connectors.case_rules",
    "tongbao_connectors.desk.inbox.lists",
    "tongbao_connectors.desk.posted.lists",
    "tongbao_connectors.search.terms",
    "tongbao_connectors.roster",
    "tongbao_connectors.duty.delivering",
    "tongbao_connectors.duty.notice",
    "tongbao_connectors.papers.states",
)
NOTE_ICONS: Final = {"plain": "info", "ok": "tick", "partial": "info", "refused": "cross", "undo": "undo"}
CHEVRONS: Final = {Urgency.FLASH: "up3", Urgency.URGENT: "up2", Urgency.ROUTINE: "up1"}


@dataclass(frozen=True)
class Level:
    """How a level is drawn."""

    urgency: Urgency
    icon: str

    @classmethod
    def of(cls, urgency: str) -> "Level":
        known = Urgency(urgency)
        return cls(known, CHEVRONS[known])


@dataclass(frozen=True)
class Clock:
    """A due time as of a moment. `left` is never negative: how long there is, or how long it is over."""

    due: datetime
    stand: Stand
    left: timedelta
    share: int
    met_at: datetime | None = None

    @property
    def days(self) -> int:
        return self.left // DAY

    @property
    def hours(self) -> int:
        return self.left % DAY // timedelta(hours=1)

    @property
    def minutes(self) -> int:
        return self.left % timedelta(hours=1) // timedelta(minutes=1)

    @property
    def late(self) -> bool:
        """It was met, but after its time."""
        return self.met_at is not None and self.met_at > self.due


def clock_of(
    due: datetime | None, allowed_from: datetime | None, met_at: datetime | None, now: datetime
) -> Clock | None:
    """The clock of a due time; None where nothing is due."""
    if due is None:
        return None
    if met_at is not None:
        return Clock(due, "met", abs(due - met_at), 0, met_at)
    left = due - now
    if left <= timedelta(0):
        return Clock(due, "over", -left, BAR)
    stand: Stand = "red" if left <= RED else "soon" if left <= SOON else "calm"
    return Clock(due, stand, left, _share(left, due, allowed_from))


def _share(left: timedelta, due: datetime, allowed_from: datetime | None) -> int:
    allowed = due - allowed_from if allowed_from is not None and allowed_from < due else max(left, DAY)
    return max(2, min(BAR, round(BAR * left / allowed)))


def moment(at: datetime, now: datetime, lang: Language) -> str:
    """A time as people say it: today without a date."""
    there, here = at.astimezone(BEIJING), now.astimezone(BEIJING)
    days = (there.date() - here.date()).days
    names = {0: ("", ""), 1: ("明日 ", "tomorrow "), -1: ("昨日 ", "yesterday ")}
    if days in names:
        return f"{names[days][0 if lang == 'zh' else 1]}{there:%H:%M}"
    form = "%m-%d %H:%M" if there.year == here.year else "%Y-%m-%d %H:%M"
    return there.strftime(form)


def labels(kind: str, value: str, lang: Language) -> str:
    """The word of a coded value, by the name of its enumeration; the value where it has none."""
    for enumeration in _enumerations(kind):
        for member in enumeration:
            if member == value:
                return member.label(lang)
    return value


def _enumerations(kind: str) -> Iterator[type[Labelled]]:
    for name in LABELLED_IN:
        try:
            found = getattr(import_module(name), kind, None)
        except ModuleNotFoundError:
            continue
        if isinstance(found, type) and issubclass(found, Labelled):
            yield found


def errors_of(form: Form) -> list[tuple[str, str]]:
    """Every error of a form as (id of its field, sentence); the form's own errors have no id."""
    found = [("", str(error)) for error in form.non_field_errors()]
    for bound in form:
        found += [(bound.id_for_label or bound.auto_id or "", str(error)) for error in bound.errors]
    return found


def kind_of(bound: BoundField) -> str:
    """Which part draws a field: `check`, `radios`, `checks`, `hidden` or `control`."""
    widget = type(bound.field.widget).__name__
    known = {
        "CheckboxInput": "check",
        "RadioSelect": "radios",
        "CheckboxSelectMultiple": "checks",
        "HiddenInput": "hidden",
    }
    return known.get(widget, "control")
