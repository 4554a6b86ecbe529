"""The pages of the inbox: its tabs, several to be signed for, and what an open page asks for by itself.

1. A list never opens a body; its cards are the fixed extract.
2. An open list changes the cards it shows where they stand, and says how many came; it moves nothing that is
   being read. Without a script it is as it was until it is asked for again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tongbao_broker.errors import NotFound
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Verb, Who
from tongbao_connectors.desk.access import may, needs, thing_of, visible, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import known, lists, rows
from tongbao_connectors.desk.inbox.lists import Filter, Mark, Span, Tab
from tongbao_connectors.desk.inbox.pages import cards_of, signed, taken, wording
from tongbao_connectors.desk.inbox.rows import Row
from tongbao_connectors.desk.middleware import in_background
from tongbao_connectors.desk.paging import page_number, whole_number
from tongbao_connectors.search.index import Index
from tongbao_connectors.store.models import InboxItem
from tongbao_schemas.codes import MessageType, Status, Urgency
from tongbao_schemas.number import PROVINCES

MANY: Final = 50


@dataclass(frozen=True, slots=True)
class Live:
    """What an open list tells of itself: since when it stands, up to which line its cards are told, how many
    it says came, which messages it shows.
    """

    since: Mark
    told: int
    news: int
    items: Sequence[str]


@require_http_methods(["GET", "POST"])
@needs(Verb.SEE_INBOX)
def inbox(request: HttpRequest, tab: str = Tab.WAITING.value) -> HttpResponse:
    """One tab of the inbox; posted: what was found in it."""
    if tab not in list(Tab):
        raise NotFound(tab)
    given = request.POST if request.method == "POST" else request.GET
    who, narrowed = who_asks(request), Filter.of(given, request.POST.get("q", ""))
    mark = lists.mark()
    page = lists.page_of(Tab(tab), who, narrowed, page_number(given), Index.of(desk().settings.folder))
    cards = cards_of(page.items, who)
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
        "live": Live(mark, mark.line, 0, [card.item_id for card in cards]),
        "signed": signed(request),
        "taken": taken(request),
        "side": known.side(who, desk()),
    }
    return render(request, "desk/inbox/list.html", context)


@require_POST
@in_background
@needs(Verb.SEE_INBOX)
def live(request: HttpRequest, tab: str) -> HttpResponse:
    """What has changed for an open list: cards that it shows, and how many came. Nothing: 204."""
    if tab not in list(Tab):
        raise NotFound(tab)
    who, narrowed, asked = (
        who_asks(request),
        Filter.of(request.POST, request.POST.get("q", "")),
        _live(request),
    )
    newest = lists.mark().line
    index = Index.of(desk().settings.folder)
    items = lists.changed(asked.items, who, asked.told)
    count = lists.news(Tab(tab), who, narrowed, index, asked.since, asked.items)
    if not items and count == asked.news:
        return HttpResponse(status=204)
    cards = [
        (card, _gone(item, Tab(tab), who)) for card, item in zip(cards_of(items, who), items, strict=True)
    ]
    context = {
        "tab": Tab(tab),
        "narrowed": narrowed,
        "many": request.POST.get("many") == "1",
        "changed": cards,
        "recount": count != asked.news,
        "live": Live(asked.since, newest, count, asked.items),
    }
    return render(request, "desk/inbox/live.html", context)


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
    cards = cards_of(items, who)
    context = {"rows": cards, "count": sum(card.signable for card in cards), "asked": asked}
    return render(request, "desk/inbox/sign_many.html", context)


@require_POST
@needs(Verb.SEE_INBOX)
def keys(request: HttpRequest) -> HttpResponse:
    """Switches the keys of the list on or off, for this account."""
    account: Any = request.user
    account.shortcuts = request.POST.get("on") == "1"
    account.save(update_fields=["shortcuts"])
    return redirect("inbox")


def _live(request: HttpRequest) -> Live:
    given = request.POST
    since = Mark(whole_number(given.get("item-mark")), whole_number(given.get("line-mark")))
    shown = given.getlist("shown")[: lists.PAGE]
    return Live(since, whole_number(given.get("told")), whole_number(given.get("news")), shown)


def _gone(item: InboxItem, tab: Tab, who: Who) -> str:
    """What became of a message that doesn't lie under the tab any more; empty while it does."""
    if lists.lies_under(item, tab, who):
        return ""
    return rows.became(item, who, desk().roster(), wording())


def _groups(cards: Iterable[Row], tab: Tab) -> Iterable[tuple[Span | None, list[Row]]]:
    if tab is Tab.DONE:
        yield from ((None, list(cards)),) if cards else ()
        return
    order = list(Span)
    placed = sorted(cards, key=lambda card: order.index(card.span))
    for span, group in groupby(placed, key=lambda card: card.span):
        yield span, list(group)


def _asked(references: Iterable[str], who: Who) -> Iterable[InboxItem]:
    """The rows asked for that this person sees, in the order asked."""
    seen = visible(InboxItem.objects.select_related("message").prefetch_related("asked_also"), who)
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


def _query(references: Iterable[str]) -> str:
    return "&".join(f"item={each}" for each in references)
