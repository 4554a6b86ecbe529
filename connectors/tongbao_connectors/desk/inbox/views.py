"""The pages of the inbox and of one message. Every act is a form that is posted; then the browser is sent on.

1. A list never opens a body; its cards are the fixed extract.
2. One press signs for a message; whoever comes second sees by whom and when it was signed for.
3. What goes wrong with an act is a part of the page: what happened, what is safe, what to do, the code last.
   What the officer typed is still there.
4. Print and export ask for a reason, record it, and bear who, when and number over every page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NoRight, NotFound, OperationError, Refused
from tongbao_connectors import casework, finding
from tongbao_connectors.authorisation import Thing, Verb, Who, decide
from tongbao_connectors.case_rules import EventKind, State
from tongbao_connectors.casework import events
from tongbao_connectors.desk.access import check, may, needs, thing_of, visible, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import acts, known, lists, reading, rows
from tongbao_connectors.desk.inbox.lists import Filter, Span, Tab
from tongbao_connectors.desk.inbox.reading import Shown
from tongbao_connectors.desk.inbox.rows import Row
from tongbao_connectors.desk.language import current
from tongbao_connectors.desk.marks import CHEVRONS
from tongbao_connectors.desk.middleware import in_background
from tongbao_connectors.search import index
from tongbao_connectors.search.index import Index
from tongbao_connectors.store.models import InboxItem, Message, Outbox
from tongbao_connectors.wording import Wording
from tongbao_schemas.codes import MessageType, Status, Urgency
from tongbao_schemas.number import PROVINCES

MANY: Final = 50
SIGNED: Final = "signed"
TAKEN: Final = "taken"
CHANGING: Final = frozenset({MessageType.UPDATE, MessageType.CANCEL})
STATUS_OF: Final = ((NotFound, 404), (NoRight, 403), (Conflict, 409), (Refused, 422))


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with an act, as a part of the page."""

    sentence: str
    detail: str
    next_step: str
    code: str
    status: int
    conflict: bool


@require_GET
@needs(Verb.SEE_INBOX)
def inbox(request: HttpRequest, tab: str = Tab.WAITING.value) -> HttpResponse:
    """One tab of the inbox."""
    if tab not in list(Tab):
        raise NotFound(tab)
    who, narrowed = who_asks(request), Filter.of(request.GET)
    page = lists.page_of(Tab(tab), who, narrowed, _number(request), Index.of(desk().settings.folder))
    cards = _rows(page.items, who)
    context = {
        "tab": Tab(tab),
        "tabs": [(each, count) for each, count in lists.counts(who).items()],
        "groups": list(_groups(cards, Tab(tab))),
        "page": page,
        "narrowed": narrowed,
        "levels": [(each, page.levels[each.value], narrowed.with_level(each.value)) for each in Urgency],
        "all_levels": narrowed.with_level(""),
        "before": narrowed.with_page(page.number - 1),
        "after": narrowed.with_page(page.number + 1),
        "statuses": list(Status),
        "origins": sorted(set(PROVINCES) - {desk().code, "100000"}),
        "many": sum(card.signable for card in cards) > 1,
        "signed": _signed(request),
        "taken": _taken(request),
        "side": known.side(who, desk().roster(), desk().now()),
    }
    return render(request, "desk/inbox/list.html", context)


@require_GET
@in_background
@needs(Verb.SEE_INBOX)
def badge(request: HttpRequest) -> HttpResponse:
    """How many wait, for a page that is open."""
    return render(request, "desk/inbox/badge.html", {"count": lists.waiting(who_asks(request))})


@require_http_methods(["GET", "POST"])
@needs(Verb.SEE_INBOX)
def sign_many(request: HttpRequest) -> HttpResponse:
    """Several to be signed for: listed once more with how each stands; signing comes back here."""
    given = request.POST if request.method == "POST" else request.GET
    asked = list(dict.fromkeys(given.getlist("item")))
    if len(asked) > MANY:
        return _too_many(request, len(asked))
    who = who_asks(request)
    items = list(_asked(asked, who))
    if request.method == "POST":
        _sign_all(request, items)
        return redirect(f"{reverse('sign-many')}?{_query(asked)}")
    cards = _rows(items, who)
    context = {"rows": cards, "count": sum(card.signable for card in cards), "asked": asked}
    return render(request, "desk/inbox/sign_many.html", context)


@require_GET
@needs(Verb.SEE_MESSAGE)
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """One received message; its body where the reader is near to it or gave his reason."""
    item = _item(message_id)
    if item is None:
        return redirect("sent-one", message_id)
    thing = thing_of(item, desk().roster())
    check(request, Verb.SEE_MESSAGE, thing)
    why, automatic = reading.reason_for(item.message, thing, who_asks(request), desk().now())
    return _show(request, item, thing, why, automatic)


@require_http_methods(["GET", "POST"])
@needs(Verb.SEE_MESSAGE)
def act(request: HttpRequest, message_id: UUID, name: str) -> HttpResponse:
    """The small form of an act, and doing it."""
    item = _item(message_id)
    if item is None or name not in {*acts.WHICH, "undo", "open", "reply"}:
        raise NotFound(name)
    thing = thing_of(item, desk().roster())
    check(request, Verb.SEE_MESSAGE, thing)
    if name == "open":
        return _open(request, item, thing)
    if name in acts.AT_ONCE:
        return _at_once(request, item, thing, name) if request.method == "POST" else _back(item)
    if name == "reply" and not acts.may_reply(item, thing, who_asks(request)):
        raise NotFound(name)
    check(request, *_right(name, item, thing))
    form = _form(name, item, thing, request)
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, item, name, form)
    try:
        _do(name, item, who_asks(request), form.given())
    except (NotFound, NoRight, Conflict, Refused) as error:
        return _form_page(request, item, name, form, _trouble(error))
    return _back(item)


@require_http_methods(["GET", "POST"])
@needs(Verb.PRINT)
def print_view(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The paper for A4, after its reason is given and recorded."""
    return _paper(request, message_id, Verb.PRINT, EventKind.PRINTED)


@require_http_methods(["GET", "POST"])
@needs(Verb.EXPORT)
def export(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The same paper as a file of its own."""
    return _paper(request, message_id, Verb.EXPORT, EventKind.EXPORTED)


@require_POST
@needs(Verb.SEE_INBOX)
def keys(request: HttpRequest) -> HttpResponse:
    """Switches the keys of the list on or off, for this account."""
    account: Any = request.user
    account.shortcuts = request.POST.get("on") == "1"
    account.save(update_fields=["shortcuts"])
    return redirect("inbox")


def wording(of: Message | None = None) -> Wording:
    """The words of this page's reader at this moment."""
    now = desk().now()
    return Wording(current(), now, of.issued_at if of else now)


def _show(
    request: HttpRequest, item: InboxItem, thing: Thing, why: str, automatic: bool, form: Any = None
) -> HttpResponse:
    who, roster, w = who_asks(request), desk().roster(), wording(item.message)
    asked = may(request, Verb.OPEN_BODY, thing)
    shown = reading.read(item.message, why, automatic, who, roster, w) if why and asked else None
    item = _item(UUID(item.message.message_id)) or item
    context = _about(item, thing, who, shown) | {
        "purged": bool(why and asked) and shown is None,
        "form": form or acts.Why(),
        "may_open": bool(asked),
        "may_paper": bool(shown),
        "reason": asked.reason,
        "signed": _signed(request),
        "taken": _taken(request),
    }
    return render(request, "desk/inbox/message.html", context)


def _about(item: InboxItem, thing: Thing, who: Who, shown: Shown | None) -> dict[str, Any]:
    """All that a page says of one message."""
    roster, w, message = desk().roster(), wording(item.message), item.message
    found, thread = known.known_of([item]), reading.thread_of(message)
    return {
        "item": item,
        "message": message,
        "row": rows.row_of(item, thing, who, found, roster, w),
        "root": found.roots.get(message.thread),
        "shown": shown,
        "sheet": shown.sheet if shown else None,
        "letter": shown.letter if shown else None,
        "choices": acts.choices(item, thing, who, w.now),
        "unsent": known.unsent_of(message),
        "undo": known.undo_of(message, who, w.now),
        "facts": known.four_facts(item, roster, w),
        "terms": known.terms(item),
        "basis": reading.basis_of(message),
        "lines": known.named_lines(casework.timeline(message.message_id), roster, w),
        "openings": reading.opened_here(message),
        "similar": known.similar(index.similar(message), who),
        "thread": thread,
        "addressees": message.audience_codes,
        "steps": [rows.named(step[w.lang], roster, w) for step in item.steps],
        "updates": [each for each in thread if each.message.type in CHANGING],
        "kept_until": w.clock(shown.kept_until if shown else message.expires_at),
        "level_icon": CHEVRONS[Urgency(message.urgency)],
        "may_print": bool(decide(who, Verb.PRINT, thing)),
        "may_export": bool(decide(who, Verb.EXPORT, thing)),
    }


def _open(request: HttpRequest, item: InboxItem, thing: Thing) -> HttpResponse:
    if request.method != "POST":
        return _back(item)
    check(request, Verb.OPEN_BODY, thing)
    form = acts.Why(request.POST)
    if not form.is_valid():
        return _show(request, item, thing, "", False, form)
    return _show(request, item, thing, form.cleaned_data["why"], False)


def _at_once(request: HttpRequest, item: InboxItem, thing: Thing, name: str) -> HttpResponse:
    who, to_list = who_asks(request), request.POST.get("back") == "list"
    taken: dict[str, Any] = {"officer_ref": who.officer_ref, "roster": desk().roster(), "at": desk().now()}
    reference, said = item.message.message_id, SIGNED
    try:
        if name == "claim":
            check(request, Verb.SIGN, thing)
            casework.claim(reference, **taken)
        elif name == "start":
            check(request, Verb.WORK, thing)
            casework.start(reference, **taken)
        elif name == "lift":
            check(request, Verb.SIGN, thing)
            casework.lift(reference, **taken)
        else:
            check(request, Verb.UNDO, thing)
            casework.undo(reference, **taken)
            said = ""
    except Conflict as error:
        if name != "claim":
            return _form_page(request, item, name, None, _trouble(error))
        said = TAKEN
    except (NoRight, NotFound, Refused) as error:
        return _form_page(request, item, name, None, _trouble(error))
    target = request.POST.get("list") if to_list else ""
    where = _list_address(target) if to_list else reverse("message", args=[reference])
    mark = f"{'&' if '?' in where else '?'}{said}={reference}" if said and (to_list or said == TAKEN) else ""
    return redirect(where + mark)


def _do(name: str, item: InboxItem, who: Who, given: Any) -> None:
    """One act with what its form gave; raises what casework raises."""
    now, reference = desk().now(), item.message.message_id
    taken: dict[str, Any] = {"officer_ref": who.officer_ref, "roster": desk().roster(), "at": now}
    match name:
        case "assign" | "reassign":
            casework.assign(reference, to=given["to"], **taken)
        case "remind-me":
            casework.remind_me(reference, when=acts.when_of(given["when"], now), **taken)
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


def _form(name: str, item: InboxItem, thing: Thing, request: HttpRequest) -> acts.Form:
    data = request.POST if request.method == "POST" else None
    roster = desk().roster()
    match name:
        case "assign" | "reassign":
            return acts.Assign(data, roster=roster, unit=item.unit, now=item.holder)
        case "redirect":
            return acts.Redirect(data, own=desk().code, origin=item.message.origin)
        case "phone":
            signers = sorted({thing.accountable, *thing.asked} & roster.officers.keys())
            others = tuple(ref for ref in signers if ref != who_asks(request).officer_ref)
            return acts.Phone(data, roster=roster, signers=others)
        case _:
            return acts.FORMS[name](data)


def _form_page(
    request: HttpRequest, item: InboxItem, name: str, form: acts.Form | None, trouble: Trouble | None = None
) -> HttpResponse:
    who = who_asks(request)
    card = _rows([item], who)[0]
    context = {"row": card, "item": item, "form": form, "trouble": trouble, "name": name}
    context |= {"said": acts.name_of(name), "back": reverse("message", args=[item.message.message_id])}
    failed = form is not None and form.is_bound and not form.is_valid()
    status = trouble.status if trouble else 422 if failed else 200
    return render(request, "desk/inbox/act.html", context, status=status)


def _paper(request: HttpRequest, message_id: UUID, verb: Verb, kind: EventKind) -> HttpResponse:
    item = _item(message_id)
    if item is None:
        raise NotFound(str(message_id))
    thing, roster = thing_of(item, desk().roster()), desk().roster()
    check(request, verb, thing)
    check(request, Verb.OPEN_BODY, thing)
    form = acts.Why(request.POST if request.method == "POST" else None)
    name = "print" if verb is Verb.PRINT else "export"
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, item, name, form)
    who, w = who_asks(request), wording(item.message)
    with atomic():
        shown = reading.read(item.message, form.cleaned_data["why"], False, who, roster, w)
        events.by_officer(item.message, kind, w.now, who.officer_ref, roster)
    context = _about(item, thing, who, shown) | {"why": form.cleaned_data["why"], "file": verb is Verb.EXPORT}
    if verb is Verb.PRINT:
        return render(request, "desk/inbox/print.html", context)
    content = render_to_string("desk/inbox/print.html", context | {"style": known.print_style()}, request)
    response = HttpResponse(content, content_type="text/html; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{item.message.message_id}.html"'
    return response


def _rows(items: Sequence[InboxItem], who: Who) -> list[Row]:
    found, roster, w = known.known_of(items), desk().roster(), wording()
    return [rows.row_of(item, thing_of(item, roster), who, found, roster, w) for item in items]


def _groups(cards: Iterable[Row], tab: Tab) -> Iterable[tuple[Span | None, list[Row]]]:
    if tab is Tab.DONE:
        yield from ((None, list(cards)),) if cards else ()
        return
    order = list(Span)
    placed = sorted(cards, key=lambda card: order.index(card.span))
    for span, group in groupby(placed, key=lambda card: card.span):
        yield span, list(group)


def _item(message_id: UUID) -> InboxItem | None:
    """The row of a received message, None for an own one; raises NotFound."""
    found = finding.message(str(message_id))
    item = InboxItem.objects.select_related("message").filter(message=found).first()
    if item is None and not Outbox.objects.filter(message=found).exists():
        raise NotFound(str(message_id))
    return item


def _asked(references: Iterable[str], who: Who) -> Iterable[InboxItem]:
    """The rows asked for that this person sees, in the order asked."""
    seen = visible(InboxItem.objects.select_related("message"), who)
    found = {item.message.message_id: item for item in seen.filter(message__message_id__in=list(references))}
    return [found[each] for each in references if each in found]


def _sign_all(request: HttpRequest, items: Iterable[InboxItem]) -> None:
    """Signs for those that he may sign for; what became of each shows when they are listed again."""
    roster, who = desk().roster(), who_asks(request)
    mine = [item for item in items if may(request, Verb.SIGN, thing_of(item, roster))]
    alerts = [item.message.message_id for item in mine if item.message.type == MessageType.ALERT]
    casework.claim_many(alerts, officer_ref=who.officer_ref, roster=roster, at=desk().now())


def _too_many(request: HttpRequest, count: int) -> HttpResponse:
    return render(request, "desk/inbox/sign_many.html", {"too_many": count, "most": MANY}, status=422)


def _trouble(error: OperationError | Refused) -> Trouble:
    lang = current()
    detail = error.detail_in(lang) if isinstance(error, OperationError) else error.where
    status = next(status for kind, status in STATUS_OF if isinstance(error, kind))
    return Trouble(
        error.sentence(lang),
        detail,
        error.next_step(lang),
        str(error.code),
        status,
        isinstance(error, Conflict),
    )


def _signed(request: HttpRequest) -> Any:
    """What he has just signed for from the list and can still take back."""
    return known.just_signed(request.GET.get(SIGNED, ""), who_asks(request), desk().now())


def _taken(request: HttpRequest) -> Any:
    """What somebody else had signed for when he pressed."""
    return known.taken(request.GET.get(TAKEN, ""), who_asks(request), desk().roster(), wording())


def _list_address(query: str | None) -> str:
    """Back to the list as it was narrowed; only a query of our own making."""
    narrowed = Filter.of(dict(pair.split("=", 1) for pair in (query or "").split("&") if "=" in pair))
    asked = narrowed.with_page(1)
    return reverse("inbox") + (f"?{asked}" if asked else "")


def _query(references: Iterable[str]) -> str:
    return "&".join(f"item={each}" for each in references)


def _number(request: HttpRequest) -> int:
    given = request.GET.get("page", "1")
    return int(given) if given.isdecimal() and len(given) < 8 else 1


def _back(item: InboxItem) -> HttpResponse:
    return redirect("message", item.message.message_id)
