"""The time table of a unit: who has which hours, and which hours nobody has. Pure.

1. A stretch of time is cut wherever anything can change: at the ends of changes, dated shifts and absences,
   at the hours of weekly shifts and at midnight in Beijing. Between two cuts the roster's answer is the same.
2. Neighbouring pieces with the same answer are one span. Spans follow each other without a hole, so that at
   any moment exactly one officer is accountable; where that is the leader for want of anybody else, the span
   is `vacant` (无人值班).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from tongbao_connectors.duty_time import BEIJING, DAY_MINUTES, Hours
from tongbao_connectors.roster import Change, Duty, Roster

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Span:
    """[start, until) with one accountable officer; `shift` says by which shift, None where vacant."""

    start: datetime
    until: datetime
    officer_ref: str
    shift: Change | Duty | None
    vacant: bool

    @property
    def length(self) -> timedelta:
        return self.until - self.start

    @property
    def change(self) -> Change | None:
        """The change of the plan that it rests on, if any."""
        return self.shift if isinstance(self.shift, Change) else None


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a span that lies in one day, in minutes after midnight."""

    span: Span
    top: int
    bottom: int

    @property
    def minutes(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Day:
    """One day in Beijing with the pieces of its 24 hours."""

    start: datetime
    pieces: tuple[Piece, ...]


def monday(at: datetime) -> datetime:
    """The midnight in Beijing at which the week of `at` begins."""
    midnight = datetime.combine(at.astimezone(BEIJING), time(), BEIJING)
    return midnight - timedelta(days=midnight.weekday())


def spans(roster: Roster, unit: str, start: datetime, until: datetime) -> list[Span]:
    """Everybody's hours in [start, until), in order and without a hole."""
    merged: list[Span] = []
    for piece in (_piece(roster, unit, *ends) for ends in pairwise(_cuts(roster, unit, start, until))):
        if merged and _same(merged[-1], piece):
            merged[-1] = replace(merged[-1], until=piece.until)
        else:
            merged.append(piece)
    return merged


def gaps(all_spans: Iterable[Span]) -> list[Span]:
    """The hours that nobody has."""
    return [span for span in all_spans if span.vacant]


def days(all_spans: Sequence[Span], start: datetime, count: int = 7) -> list[Day]:
    """The spans cut at midnight, day by day from `start` (a midnight in Beijing)."""
    return [_day(all_spans, start + number * DAY) for number in range(count)]


def total(some: Iterable[Span]) -> timedelta:
    """How long they are together."""
    return sum((span.length for span in some), timedelta())


def _day(all_spans: Sequence[Span], start: datetime) -> Day:
    end = start + DAY
    pieces = (
        Piece(span, _minute(max(span.start, start) - start), _minute(min(span.until, end) - start))
        for span in all_spans
        if span.start < end and start < span.until
    )
    return Day(start, tuple(pieces))


def _minute(since_midnight: timedelta) -> int:
    return min(DAY_MINUTES, int(since_midnight.total_seconds() // 60))


def _piece(roster: Roster, unit: str, start: datetime, until: datetime) -> Span:
    accountable = roster.accountable(unit, start)
    shift = None if accountable.vacant else roster.shift(unit, start)
    return Span(start, until, accountable.officer_ref, shift, accountable.vacant)


def _same(one: Span, other: Span) -> bool:
    return (one.officer_ref, one.shift, one.vacant) == (other.officer_ref, other.shift, other.vacant)


def _cuts(roster: Roster, unit: str, start: datetime, until: datetime) -> list[datetime]:
    possible = {*_dated(roster, unit), *_daily(roster, unit, start, until)}
    return sorted({start, until, *(cut for cut in possible if start < cut < until)})


def _dated(roster: Roster, unit: str) -> Iterator[datetime]:
    for period in (*roster.shifts(unit), *roster.absences):
        yield from (end for end in (period.start, period.until) if end is not None)


def _daily(roster: Roster, unit: str, start: datetime, until: datetime) -> Iterator[datetime]:
    minutes = {0} | {
        minute
        for shift in roster.shifts(unit)
        if isinstance(shift, Duty)
        for minute in _ends(Hours.parse(shift.hours))
    }
    midnight = datetime.combine(start.astimezone(BEIJING), time(), BEIJING)
    while midnight < until:
        yield from (midnight + timedelta(minutes=minute) for minute in minutes)
        midnight += DAY


def _ends(hours: Hours) -> tuple[int, int]:
    return hours.start, hours.end
