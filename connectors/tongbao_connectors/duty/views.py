"""值班: who has which hours, what is missing, and changes of shifts."""

from datetime import date, datetime, time
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tongbao_broker.errors import Conflict, NoRight, NotFound, Words
from tongbao_connectors.authorisation import Thing, Verb
from tongbao_connectors.desk import access
from tongbao_connectors.desk.here import desk
from tongbao_connectors.duty import board, changing, current, timetable, week
from tongbao_connectors.duty.changing import Hours
from tongbao_connectors.duty.forms import HoursForm, OverrideForm, SubstituteForm, SwapForm, local
from tongbao_connectors.duty.models import ShiftChange
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import ChangeKind, Roster
from tongbao_connectors.store.models import InboxItem

KINDS = tuple(ChangeKind)
RECENT = 12
State = ShiftChange.State


@require_GET
@access.needs(Verb.SEE_DUTY)
def duty(request: HttpRequest) -> HttpResponse:
    """A unit's week: who is on duty now, gaps, changes, what waits for a word."""
    roster, now, who = roster_now(), desk().now(), access.who_asks(request)
    unit = unit_of(request, roster)
    asked = changing.open_swaps(now)
    shown = timetable.of(roster, unit, _day(request, now), now, who.officer_ref, asked)
    box = board.on_duty_box(roster, unit, now)
    owner = box.now.officer_ref
    facts = {
        "unit": roster.units[unit],
        "units": _units(roster, shown.start),
        "week": shown,
        "box": box,
        "now": now,
        "open_count": board.open_items(owner).count(),
        "signed_today": _signed_today(owner, now),
        "asked": [_asked(rows, who.officer_ref) for rows in _together(asked)],
        "changes": _changes(unit, shown.start, who.officer_ref, roster, now),
        "week_day": shown.start.date().isoformat(),
        "previous": (shown.start - week.WEEK).date().isoformat(),
        "following": (shown.start + week.WEEK).date().isoformat(),
        "is_now": shown.now_y is not None,
        "may_arrange": changing.leads(who.officer_ref, unit, roster) and _may_change(request, unit, roster),
        "may_swap": who.officer_ref in roster.officers
        and _may_change(request, unit, roster, who.officer_ref),
        "hours": range(0, 24, 4),
    }
    return render(request, "duty/duty.html", facts)


@require_http_methods(["GET", "POST"])
@access.needs(Verb.CHANGE_DUTY)
def change(request: HttpRequest, kind: Literal["override", "substitute", "swap"]) -> HttpResponse:
    """安排, 代班 or 调班: the form, and what it does."""
    roster, who = roster_now(), access.who_asks(request)
    unit = unit_of(request, roster)
    form = _form(request, ChangeKind(kind), roster, unit, who.officer_ref)
    trouble: Conflict | NoRight | None = None
    if request.method == "POST" and form.is_valid():
        try:
            _apply(request, ChangeKind(kind), form.cleaned_data, roster, unit, who.officer_ref)
        except (Conflict, NoRight) as error:
            trouble = error
        else:
            return redirect(week_of(unit, form.cleaned_data["start"]))
    facts = {"form": form, "kind": ChangeKind(kind), "kinds": KINDS, "unit": roster.units[unit]}
    facts |= {"trouble": _words(trouble) if trouble else None, "query": _kept(request)}
    status = 200 if trouble is None else 403 if isinstance(trouble, NoRight) else 409
    return render(request, "duty/change.html", facts, status=status)


@require_POST
@access.needs(Verb.CHANGE_DUTY)
def swap(request: HttpRequest, swap: UUID) -> HttpResponse:
    """What the officer who was asked says to a swap."""
    who, now = access.who_asks(request), desk().now()
    rows = list(ShiftChange.objects.filter(swap=str(swap)))
    if not rows:
        raise NotFound(Words("调班申请", "the request"))
    access.check(request, Verb.CHANGE_DUTY, Thing("shift", rows[0].unit, rows[0].asked_of))
    if request.POST.get("act") == "agree":
        changing.agree(str(swap), by=who.officer_ref, roster=roster_now(), at=now)
    else:
        changing.decline(str(swap), by=who.officer_ref, at=now)
    return redirect(week_of(rows[0].unit, rows[0].start))


@require_POST
@access.needs(Verb.CHANGE_DUTY)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a change back."""
    who = access.who_asks(request)
    row = ShiftChange.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound(str(pk))
    access.check(request, Verb.CHANGE_DUTY, Thing("shift", row.unit, row.by))
    changing.withdraw(pk, by=who.officer_ref, roster=roster_now(), at=desk().now())
    return redirect(week_of(row.unit, row.start))


def roster_now() -> Roster:
    """The roster with its changes, as it is at this moment."""
    return current.roster(desk().settings)


def unit_of(request: HttpRequest, roster: Roster) -> str:
    """The unit that the address names, else the reader's, else the first."""
    named = request.GET.get("unit") or request.POST.get("unit") or ""
    if named and named not in roster.units:
        raise NotFound(named)
    own = access.who_asks(request).unit
    return named or (own if own in roster.units else next(iter(roster.units)))


def week_of(unit: str, at: datetime) -> str:
    """The address of a unit's week."""
    return f"{reverse('duty')}?unit={unit}&week={at.astimezone(BEIJING):%Y-%m-%d}"


def _apply(
    request: HttpRequest, kind: ChangeKind, given: dict[str, Any], roster: Roster, unit: str, by: str
) -> None:
    now = desk().now()
    hours = Hours(unit, given["start"], given["until"])
    match kind:
        case ChangeKind.OVERRIDE:
            _check(request, unit, roster)
            changing.override(hours, to=given["to"], by=by, roster=roster, at=now)
        case ChangeKind.SUBSTITUTE:
            _check(request, unit, roster, given["of"])
            changing.substitute(hours, of=given["of"], by=by, roster=roster, at=now)
        case ChangeKind.SWAP:
            _check(request, unit, roster, by)
            start, until = given["back_start"], given["back_until"]
            back = Hours(unit, start, until) if start and until else None
            changing.ask_swap(hours, to=given["to"], back=back, by=by, roster=roster, at=now)


def _check(request: HttpRequest, unit: str, roster: Roster, owner: str = "") -> None:
    access.check(request, Verb.CHANGE_DUTY, _shift(request, unit, roster, owner))


def _may_change(request: HttpRequest, unit: str, roster: Roster, owner: str = "") -> bool:
    return bool(access.may(request, Verb.CHANGE_DUTY, _shift(request, unit, roster, owner)))


def _shift(request: HttpRequest, unit: str, roster: Roster, owner: str) -> Thing:
    """Hours of an officer; who leads the unit answers for all its hours."""
    who = access.who_asks(request).officer_ref
    leading = changing.leads(who, unit, roster)
    return Thing("shift", unit, who if leading else owner)


def _form(request: HttpRequest, kind: ChangeKind, roster: Roster, unit: str, officer_ref: str) -> HoursForm:
    data = request.POST if request.method == "POST" else None
    initial = _initial(request, kind, roster, unit, officer_ref)
    match kind:
        case ChangeKind.OVERRIDE:
            return OverrideForm(roster, unit, data, initial=initial)
        case ChangeKind.SUBSTITUTE:
            return SubstituteForm(roster, unit, data, initial=initial)
        case ChangeKind.SWAP:
            return SwapForm(roster, unit, officer_ref, data, initial=initial)


def _initial(
    request: HttpRequest, kind: ChangeKind, roster: Roster, unit: str, officer_ref: str
) -> dict[str, str]:
    """The hours in the address, else the reader's next ones, else the next gap's."""
    given = {"start": request.GET.get("from", ""), "until": request.GET.get("until", ""), "of": officer_ref}
    if given["start"]:
        return given
    now = desk().now()
    spans = week.spans(roster, unit, now, now + 4 * week.WEEK)
    wanted = [span for span in spans if span.vacant] if kind is ChangeKind.OVERRIDE else []
    wanted = wanted or [span for span in spans if span.officer_ref == officer_ref and not span.vacant]
    for span in wanted[:1]:
        given |= {"start": local(span.start), "until": local(min(span.until, span.start + week.DAY))}
    return given


def _day(request: HttpRequest, now: datetime) -> datetime:
    """The day that the address names, else today; what is no day counts as today."""
    try:
        return datetime.combine(date.fromisoformat(request.GET.get("week", "")), time(), BEIJING)
    except ValueError:
        return now


def _units(roster: Roster, start: datetime) -> list[dict[str, Any]]:
    """Every unit with what is missing in that week."""
    missing = {
        unit: week.total(week.gaps(week.spans(roster, unit, start, start + week.WEEK)))
        for unit in roster.units
    }
    return [
        {
            "code": code,
            "name": unit.name,
            "missing": timetable.length_of(missing[code]) if missing[code] else None,
        }
        for code, unit in roster.units.items()
    ]


def _signed_today(officer_ref: str, now: datetime) -> int:
    midnight = datetime.combine(now.astimezone(BEIJING), time(), BEIJING)
    return InboxItem.objects.filter(claimed_by=officer_ref, claimed_at__gte=midnight).count()


def _together(rows: list[ShiftChange]) -> list[list[ShiftChange]]:
    """The halves of each swap side by side, the asker's first."""
    swaps: dict[str, list[ShiftChange]] = {}
    for row in rows:
        swaps.setdefault(row.swap, []).append(row)
    return [sorted(halves, key=lambda row: row.instead_of != row.by) for halves in swaps.values()]


def _asked(rows: list[ShiftChange], reader: str) -> dict[str, Any]:
    given, back = rows[0], rows[1] if len(rows) > 1 else None
    return {"given": given, "back": back, "for_me": given.asked_of == reader, "mine": given.by == reader}


def _changes(unit: str, start: datetime, reader: str, roster: Roster, now: datetime) -> list[dict[str, Any]]:
    """What was changed in the week, with who may take it back."""
    rows = ShiftChange.objects.filter(unit=unit, start__lt=start + week.WEEK, until__gt=start)
    return [
        {
            "row": row,
            "kind": ChangeKind(row.kind),
            "may_withdraw": row.state == State.IN_FORCE
            and row.until > now
            and (row.by == reader or changing.leads(reader, unit, roster)),
        }
        for row in rows.exclude(state=State.ASKED).order_by("-pk")[:RECENT]
    ]


def _words(error: Conflict | NoRight) -> Words:
    return Words(
        f"{error.detail_in('zh')}。{error.next_step('zh')}",
        f"{error.detail_in('en')}. {error.next_step('en')}",
    )


def _kept(request: HttpRequest) -> str:
    return request.GET.urlencode()
