"""交接: what is open, to whom it goes, what was handed over before."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from tongbao_broker.errors import Conflict, NoRight, NotFound
from tongbao_connectors.authorisation import Role, Verb, Who
from tongbao_connectors.desk import access
from tongbao_connectors.desk.here import desk
from tongbao_connectors.duty import board
from tongbao_connectors.duty import handover as handing
from tongbao_connectors.duty.forms import HandoverForm
from tongbao_connectors.duty.models import Handover
from tongbao_connectors.duty.views import roster_now, unit_of
from tongbao_connectors.roster import Roster

LATELY = 10


@require_http_methods(["GET", "POST"])
@access.needs(Verb.HAND_OVER)
def handover(request: HttpRequest) -> HttpResponse:
    """The page, and giving, taking and withdrawing."""
    roster, reader = roster_now(), access.who_asks(request).officer_ref
    unit = unit_of(request, roster)
    box = board.on_duty_box(roster, unit, desk().now())
    suggested = box.then.officer_ref if box.then and not box.then.vacant else ""
    giving = request.method == "POST" and request.POST.get("act") == "offer"
    form = HandoverForm(roster, unit, reader, request.POST if giving else None, initial={"taker": suggested})
    if request.method == "POST":
        answer = _act(request, form, unit, roster, reader)
        if answer is not None:
            return answer
    facts = _facts(unit, access.who_asks(request), roster) | {"form": form, "box": box}
    return render(request, "duty/handover.html", facts)


def _act(
    request: HttpRequest, form: HandoverForm, unit: str, roster: Roster, reader: str
) -> HttpResponse | None:
    now = desk().now()
    match request.POST.get("act"):
        case "offer":
            if not form.is_valid():
                return None
            if reader not in roster.officers:
                raise NoRight()
            given = form.cleaned_data
            handing.offer(
                unit, giver=reader, taker=given["taker"], briefed=given["briefed"], roster=roster, at=now
            )
        case "take":
            unit = handing.take(_key(request), by=reader, roster=roster, at=now).unit
        case "withdraw":
            handing.withdraw(_key(request), by=reader, at=now)
        case _:
            raise Conflict()
    return redirect(f"{reverse('handover')}?unit={unit}")


def _key(request: HttpRequest) -> int:
    key = request.POST.get("handover", "")
    if not key.isdecimal() or len(key) > 12:
        raise NotFound(key[:12])
    return int(key)


def _facts(unit: str, who: Who, roster: Roster) -> dict[str, Any]:
    """What the page shows: what would go along, what is offered by the reader or to him, what was."""
    reader = who.officer_ref
    offered = Handover.objects.filter(state=Handover.State.OFFERED)
    to_me = [
        {"row": row, "items": handing.open_items(row.unit, row.giver)}
        for row in offered.filter(taker=reader).order_by("pk")
    ]
    ended = Handover.objects.filter(state=Handover.State.TAKEN).prefetch_related("items__message")
    if who.role is not Role.LEADER:
        near = Q(giver=reader) | Q(taker=reader) | Q(unit__in={who.unit, *who.on_duty})
        ended = ended.filter(near)
    return {
        "unit": roster.units[unit],
        "units": list(roster.units.values()),
        "items": handing.open_items(unit, reader),
        "to_me": to_me,
        "mine": offered.filter(giver=reader).first(),
        "past": ended.order_by("-pk")[:LATELY],
        "reader": reader,
        "known": reader in roster.officers,
        "now": desk().now(),
    }
