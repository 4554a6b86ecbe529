"""The week of a unit as its page shows it: days, hours, whose they are, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from tongbao_broker.errors import Words
from tongbao_connectors.duty import week
from tongbao_connectors.duty.forms import local
from tongbao_connectors.duty.models import ShiftChange
from tongbao_connectors.duty.week import Day, Piece, Span
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import Change, Roster

SLOT = 15
"""Minutes of one row of the grid; the text states the exact times."""

LOW = 150
TINY = 110
"""Minutes below which an entry has room for two small lines, and for the name only."""

PIXELS_A_MINUTE = 0.3
DAY_NAMES = (
    Words("周一", "Mon"),
    Words("周二", "Tue"),
    Words("周三", "Wed"),
    Words("周四", "Thu"),
    Words("周五", "Fri"),
    Words("周六", "Sat"),
    Words("周日", "Sun"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a day shows of one span. `first` to `last` are rows of the grid; `sliver`: too short for one."""

    officer_ref: str
    hours: Words
    first: int
    last: int
    vacant: bool
    mine: bool
    low: bool
    tiny: bool
    sliver: bool
    change: Change | None
    asked: ShiftChange | None
    length: Words
    key: str
    query: str


@dataclass(frozen=True, slots=True)
class DayView:
    """One day of the week."""

    name: Words
    start: datetime
    today: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours that nobody has, with the place in the page where they are shown."""

    span: Span
    name: Words
    length: Words
    key: str


@dataclass(frozen=True, slots=True)
class Week:
    """All of it. `now_y` is the height of this moment in today's column, in pixels; None in other weeks."""

    start: datetime
    last: datetime
    number: int
    year: int
    days: tuple[DayView, ...]
    gaps: tuple[Gap, ...]
    missing: Words
    now_y: int | None
    label_y: int | None


def of(
    roster: Roster, unit: str, at: datetime, now: datetime, reader: str, asked: Sequence[ShiftChange]
) -> Week:
    """The week of `at`, for a reader whose own hours stand out; `asked` are swaps that wait for a word."""
    start = week.monday(at)
    spans = week.spans(roster, unit, start, start + week.WEEK)
    gaps = week.gaps(spans)
    shown = [
        _day(number, day, now, reader, unit, [one for one in asked if one.unit == unit])
        for number, day in enumerate(week.days(spans, start))
    ]
    year, number, _ = start.isocalendar()
    minute = int((now - start).total_seconds() // 60)
    y = int(minute % (24 * 60) * PIXELS_A_MINUTE) if 0 <= minute < 7 * 24 * 60 else None
    return Week(
        start,
        start + timedelta(days=6),
        number,
        year,
        tuple(shown),
        tuple(Gap(gap, _begins(gap), length_of(gap.length), _key(gap)) for gap in gaps),
        length_of(week.total(gaps)),
        y,
        None if y is None else max(0, y - 18),
    )


def length_of(span: timedelta) -> Words:
    """9 时 30 分."""
    minutes = int(span.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    zh = [f"{hours} 时"] * bool(hours) + [f"{rest} 分"] * bool(rest or not hours)
    en = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return Words(" ".join(zh), " ".join(en))


def _day(
    number: int, day: Day, now: datetime, reader: str, unit: str, asked: Sequence[ShiftChange]
) -> DayView:
    entries = tuple(_entry(piece, day, reader, unit, asked) for piece in day.pieces)
    today = day.start <= now < day.start + week.DAY
    return DayView(DAY_NAMES[number], day.start, today, entries)


def _entry(piece: Piece, day: Day, reader: str, unit: str, asked: Sequence[ShiftChange]) -> Entry:
    span = piece.span
    first, last = round(piece.top / SLOT), round(piece.bottom / SLOT)
    starts_here = day.start <= span.start
    return Entry(
        officer_ref=span.officer_ref,
        hours=_hours(piece, day),
        first=first,
        last=last,
        vacant=span.vacant,
        mine=span.officer_ref == reader and not span.vacant,
        low=piece.minutes < LOW,
        tiny=piece.minutes < TINY,
        sliver=first == last,
        change=span.change,
        asked=next((one for one in asked if _concerns(one, span)), None),
        length=length_of(span.length),
        key=_key(span) if starts_here or (piece.top == 0 and day.start.weekday() == 0) else "",
        query=urlencode({"unit": unit, "from": local(span.start), "until": local(span.until)}),
    )


def _hours(piece: Piece, day: Day) -> Words:
    """08:30–20:30; what goes on into the next day ends 次日."""
    end = piece.span.until.astimezone(BEIJING)
    start = f"{piece.top // 60:02}:{piece.top % 60:02}"
    whole = f"{piece.bottom // 60:02}:{piece.bottom % 60:02}"
    tomorrow = day.start + week.DAY
    if tomorrow < piece.span.until < tomorrow + week.DAY:
        return Words(f"{start}–次日 {end:%H:%M}", f"{start}–{end:%H:%M} next day")
    return Words(f"{start}–{whole}", f"{start}–{whole}")


def _begins(span: Span) -> Words:
    local_start = span.start.astimezone(BEIJING)
    name = DAY_NAMES[local_start.weekday()]
    return Words(f"{name.zh} {local_start:%H:%M}", f"{name.en} {local_start:%H:%M}")


def _key(span: Span) -> str:
    return f"gap-{span.start.astimezone(BEIJING):%m%d%H%M}" if span.vacant else ""


def _concerns(change: ShiftChange, span: Span) -> bool:
    return change.instead_of == span.officer_ref and change.start < span.until and span.start < change.until
