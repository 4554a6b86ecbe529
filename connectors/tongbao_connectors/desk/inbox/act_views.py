"""What an officer does with a received message.

Every act is a form that is posted; then the browser is sent on.

1. One press signs for a message; whoever comes second sees by whom and when it was signed for.
2. Whoever may not or can't do an act any more keeps what he typed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from tongbao_broker.errors import Conflict, NoRight, NotFound, Refused
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Thing, Verb, Who
from tongbao_connectors.case_rules import State
from tongbao_connectors.desk.access import check, needs, thing_of, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import acts, forms, message_views
from tongbao_connectors.desk.inbox.lists import Filter
from tongbao_connectors.desk.inbox.pages import SIGNED, TAKEN, back_to, form_page, item_of, trouble_of
from tongbao_connectors.store.models import InboxItem

BY_ONE_PRESS: Final[Mapping[str, tuple[Verb, Callable[..., object]]]] = {
    "claim": (Verb.SIGN, casework.claim),
    "start": (Verb.WORK, casework.start),
    "lift": (Verb.SIGN, casework.lift),
    "undo": (Verb.UNDO, casework.undo),
}


@require_http_methods(["GET", "POST"])
@needs(Verb.SEE_MESSAGE)
def act(request: HttpRequest, message_id: UUID, name: str) -> HttpResponse:
    """The small form of an act, and doing it."""
    item = item_of(message_id)
    if item is None or name not in {*acts.WHICH, "undo", "open", "reply"}:
        raise NotFound(name)
    thing = thing_of(item, desk().roster())
    check(request, Verb.SEE_MESSAGE, thing)
    if name == "open":
        return _open(request, item, thing)
    if name in acts.AT_ONCE:
        return _at_once(request, item, thing, name) if request.method == "POST" else back_to(item)
    if name == "reply" and not acts.may_reply(item, thing, who_asks(request)):
        raise NotFound(name)
    form = _form(name, item, thing, request)
    if request.method == "GET":
        check(request, *_right(name, item, thing))
        return form_page(request, item, name, form)
    return _posted(request, item, thing, name, form)


def _posted(request: HttpRequest, item: InboxItem, thing: Thing, name: str, form: forms.Form) -> HttpResponse:
    """Does the act, or shows the form again with what is wrong and everything that was typed."""
    try:
        check(request, *_right(name, item, thing))
        if not form.is_valid():
            return form_page(request, item, name, form)
        _do(name, item, who_asks(request), form.given())
    except (NotFound, NoRight, Conflict, Refused) as error:
        return form_page(request, item, name, form, trouble_of(error))
    return back_to(item)


def _open(request: HttpRequest, item: InboxItem, thing: Thing) -> HttpResponse:
    if request.method != "POST":
        return back_to(item)
    check(request, Verb.OPEN_BODY, thing)
    form = forms.Why(request.POST)
    if not form.is_valid():
        return message_views.show(request, item, thing, "", False, form)
    return message_views.show(request, item, thing, form.cleaned_data["why"], False)


def _at_once(request: HttpRequest, item: InboxItem, thing: Thing, name: str) -> HttpResponse:
    verb, do = BY_ONE_PRESS[name]
    who, reference = who_asks(request), item.message.message_id
    try:
        check(request, verb, thing)
        do(reference, officer_ref=who.officer_ref, roster=desk().roster(), at=desk().now())
    except Conflict as error:
        if name == "claim":
            return redirect(_onwards(request, reference, TAKEN))
        return form_page(request, item, name, None, trouble_of(error))
    except (NoRight, NotFound, Refused) as error:
        return form_page(request, item, name, None, trouble_of(error))
    return redirect(_onwards(request, reference, SIGNED if name == "claim" else ""))


def _onwards(request: HttpRequest, reference: str, said: str) -> str:
    """Back to the list as it was, or to the message, with what is to be said there."""
    if request.POST.get("back") == "list":
        where = _list_address(request.POST.get("list"))
        return f"{where}{'&' if '?' in where else '?'}{said}={reference}" if said else where
    where = reverse("message", args=[reference])
    return f"{where}?{said}={reference}" if said == TAKEN else where


def _do(name: str, item: InboxItem, who: Who, given: Any) -> None:
    """One act with what its form gave; raises what casework raises."""
    now, reference = desk().now(), item.message.message_id
    taken: dict[str, Any] = {"officer_ref": who.officer_ref, "roster": desk().roster(), "at": now}
    match name:
        case "assign" | "reassign":
            casework.assign(reference, to=given["to"], **taken)
        case "remind-me":
            casework.remind_me(reference, when=forms.when_of(given["when"], now), **taken)
        case "phone":
            casework.take_by_phone(reference, other_officer=given["other_officer"], **taken)
        case "reply":
            casework.reply(reference, text=given["text"], origin=desk().code, **taken)
        case "ask":
            casework.ask(reference, text=given["text"], origin=desk().code, **taken)
        case _:
            kind = {"return": "returned", "more-time": "more_time"}.get(name, name)
            casework.answer(reference, kind=kind, origin=desk().code, **given, **taken)


def _right(name: str, item: InboxItem, thing: Thing) -> tuple[Verb, Thing]:
    """What the act asks for; returning or redirecting what waits is signing for it."""
    verb = acts.WHICH[name][1] if name in acts.WHICH else Verb.SIGN
    signs = name in acts.SIGNS_TOO and item.state == State.WAITING.value
    return (Verb.SIGN if signs else verb), thing


def _form(name: str, item: InboxItem, thing: Thing, request: HttpRequest) -> forms.Form:
    data = request.POST if request.method == "POST" else None
    roster = desk().roster()
    match name:
        case "assign" | "reassign":
            return forms.Assign(data, roster=roster, unit=item.unit, now=item.holder)
        case "redirect":
            return forms.Redirect(data, own=desk().code, origin=item.message.origin)
        case "phone":
            signers = acts.other_signers(thing, who_asks(request))
            return forms.Phone(data, roster=roster, signers=signers)
        case _:
            return forms.FORMS[name](data)


def _list_address(query: str | None) -> str:
    """Back to the list as it was narrowed; only a query of our own making."""
    narrowed = Filter.of(dict(pair.split("=", 1) for pair in (query or "").split("&") if "=" in pair))
    asked = narrowed.with_page(1)
    return reverse("inbox") + (f"?{asked}" if asked else "")
