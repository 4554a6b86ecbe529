"""The list 往来协查, one message of it, and what a posted officer does: 催办 and 备注.

1. A page of one message opens its body, as everywhere with who, when and why first; why is 外派联络.
2. Who isn't posted, or not any more, gets a page that says so; one message is refused him.
"""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from tongbao_broker.errors import Conflict, NoRight, NotFound, Refused, Words
from tongbao_connectors import casework, finding, postings
from tongbao_connectors.authorisation import Thing, Verb, Who
from tongbao_connectors.case_rules import OWN_FROM, OwnAct
from tongbao_connectors.desk.access import check, followed, may, needs, thing_between, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import known, reading
from tongbao_connectors.desk.inbox.lists import Filter
from tongbao_connectors.desk.inbox.pages import trouble_of, wording
from tongbao_connectors.desk.middleware import in_background
from tongbao_connectors.desk.paging import page_number
from tongbao_connectors.desk.posted import forms, lists
from tongbao_connectors.desk.posted.lists import Way
from tongbao_connectors.papers.standing import due_of, stands
from tongbao_connectors.search.index import Index
from tongbao_connectors.store.models import InboxItem, Message
from tongbao_schemas.codes import MessageType, Status, Urgency

URGE: Final = Words("催办", "Remind")
REMARK: Final = Words("备注", "Comment")


@require_http_methods(["GET", "POST"])
@needs(Verb.FOLLOW)
def posted(request: HttpRequest, way: str = Way.OUT.value) -> HttpResponse:
    """One direction of what is between home and hosts; posted: what was found in it."""
    if way not in list(Way):
        raise NotFound(way)
    given = request.POST if request.method == "POST" else request.GET
    who, here = who_asks(request), desk()
    narrowed = Filter.of(given, request.POST.get("q", "") if may(request, Verb.SEARCH) else "")
    page = lists.page_of(Way(way), who, narrowed, page_number(given), Index.of(here.settings.folder))
    facts = {
        "way": Way(way),
        "tabs": list(lists.counts(who).items()),
        "page": page,
        "narrowed": narrowed,
        "levels": [(each, page.levels[each.value], narrowed.with_level(each.value)) for each in Urgency],
        "all_levels": narrowed.with_level(""),
        "before": narrowed.with_page(page.number - 1),
        "after": narrowed.with_page(page.number + 1),
        "statuses": list(Status),
        "posting": postings.said(who.officer_ref, here.code, here.now()),
        "posted_now": bool(who.hosts),
    }
    return render(request, "desk/posted/list.html", facts)


@require_GET
@in_background
@needs(Verb.FOLLOW)
def badge(request: HttpRequest) -> HttpResponse:
    """How much is new, for a page that is open."""
    return render(request, "desk/inbox/badge.html", {"count": lists.count_unseen(who_asks(request))})


@require_GET
@needs(Verb.FOLLOW)
def one(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """An alert of either direction, or what the host said in its thread."""
    message, thing = _of(message_id)
    check(request, Verb.FOLLOW, thing)
    check(request, Verb.OPEN_BODY, thing)
    who, roster, w = who_asks(request), desk().roster(), wording(message)
    why, automatic = reading.reason_for(message, thing, who, w.now)
    shown = reading.read(message, why, automatic, who, roster, w)
    hosts = who.hosts if thing.direction == "out" else frozenset[str]()
    facts = {
        "message": message,
        "out": thing.direction == "out",
        "way": Way(thing.direction),
        "shown": shown,
        "sheet": shown.sheet if shown else None,
        "letter": shown.letter if shown else None,
        "card": casework.card(message),
        "root_id": "" if message.type == MessageType.ALERT else message.thread,
        "basis": reading.basis_of(message),
        "came": _came(message, who),
        "lines": known.named_lines(casework.timeline(message.message_id, only=hosts), roster, w),
        "kept_until": w.clock(shown.kept_until if shown else message.expires_at),
        "acts": list(_offered(request, message, thing)),
        "done": request.GET.get("done", ""),
    }
    facts |= _sent(message, who) if thing.direction == "out" else _received(message)
    return render(request, "desk/posted/one.html", facts)


@require_http_methods(["GET", "POST"])
@needs(Verb.URGE)
def urge(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """催办 to the hosts about what home sent there."""
    message, thing = _of(message_id)
    check(request, Verb.FOLLOW, thing)
    check(request, Verb.URGE, thing)
    who, here = who_asks(request), desk()
    form = forms.Urge(
        request.POST if request.method == "POST" else None, hosts=sorted(who.hosts & thing.between)
    )
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, message, URGE, form)
    try:
        casework.remind(
            message.message_id,
            text=form.cleaned_data["text"],
            to=form.chosen,
            origin=here.code,
            officer_ref=who.officer_ref,
            unit=who.unit,
            roster=here.roster(),
            at=here.now(),
        )
    except (NotFound, NoRight, Conflict, Refused) as error:
        return _form_page(request, message, URGE, form, error)
    return redirect(f"{reverse('posted-one', args=[message_id])}?done=remind")


@require_http_methods(["GET", "POST"])
@needs(Verb.COMMENT)
def remark(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """备注 on an alert of either direction."""
    message, thing = _of(message_id)
    check(request, Verb.COMMENT, thing)
    if message.type != MessageType.ALERT:
        raise NotFound(str(message_id))
    who, here = who_asks(request), desk()
    form = forms.Remark(request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, message, REMARK, form)
    casework.comment(
        message.message_id,
        text=form.cleaned_data["text"],
        hosts=who.hosts & thing.between,
        officer_ref=who.officer_ref,
        unit=who.unit,
        roster=here.roster(),
        at=here.now(),
    )
    return redirect(f"{reverse('posted-one', args=[message_id])}?done=comment")


def _of(message_id: UUID) -> tuple[Message, Thing]:
    message = finding.message(str(message_id))
    return message, thing_between(message)


def _sent(message: Message, who: Who) -> dict[str, Any]:
    """Where an own alert stands with the hosts."""
    there = lists.hosts_of(casework.standing(message.message_id), who)
    state = casework.own_state(message)
    return {"stands": stands(there), "state": state, "due": due_of(there, state)}


def _received(message: Message) -> dict[str, Any]:
    """Where a received message lies at home, and how far it is."""
    item = InboxItem.objects.select_related("message").get(message=message)
    facts = known.four_facts(item, desk().roster(), wording(message))
    return {"item": item, "facts": facts, "terms": known.terms(item), "due": lists.due_here(item)}


def _came(message: Message, who: Who) -> list[Message]:
    """What else the host said in the thread, the newest first."""
    others = Message.objects.filter(thread=message.thread, inbox_item__isnull=False)
    return list(followed(others.exclude(pk=message.pk), who).order_by("-pk"))


def _offered(request: HttpRequest, message: Message, thing: Thing) -> Any:
    """What he can do now: addresses and words."""
    if message.type != MessageType.ALERT:
        return
    if may(request, Verb.URGE, thing) and casework.own_state(message) in OWN_FROM[OwnAct.REMIND]:
        yield reverse("posted-urge", args=[message.message_id]), URGE
    if may(request, Verb.COMMENT, thing):
        yield reverse("posted-remark", args=[message.message_id]), REMARK


def _form_page(
    request: HttpRequest, message: Message, said: Words, form: Any, error: Any = None
) -> HttpResponse:
    wrong = form.is_bound and not form.is_valid()
    trouble = trouble_of(error) if error is not None else None
    facts = {"message": message, "said": said, "form": form, "wrong": wrong, "trouble": trouble}
    status = trouble.status if trouble else 422 if wrong else 200
    return render(request, "desk/posted/act.html", facts, status=status)
