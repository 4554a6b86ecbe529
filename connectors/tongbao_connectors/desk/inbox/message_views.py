"""One received message: its page, and its paper for print and export."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from tongbao_broker.errors import NotFound
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Thing, Verb, Who, decide
from tongbao_connectors.desk.access import check, may, needs, thing_of, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import acts, forms, known, printing, reading, rows
from tongbao_connectors.desk.inbox.pages import form_page, item_of, signed, taken, wording
from tongbao_connectors.desk.inbox.reading import Shown
from tongbao_connectors.search import index
from tongbao_connectors.store.models import InboxItem
from tongbao_schemas.codes import MessageType

CHANGING: Final = frozenset({MessageType.UPDATE, MessageType.CANCEL})


@require_GET
@needs(Verb.SEE_MESSAGE)
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """One received message; its body where the reader is near to it or gave his reason."""
    item = item_of(message_id)
    if item is None:
        return redirect("sent-one", message_id)
    thing = thing_of(item, desk().roster())
    check(request, Verb.SEE_MESSAGE, thing)
    why, automatic = reading.reason_for(item.message, thing, who_asks(request), desk().now())
    return show(request, item, thing, why, automatic)


@require_http_methods(["GET", "POST"])
@needs(Verb.PRINT)
def print_view(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The paper for A4, after its reason is given and recorded."""
    return _paper(request, message_id, "print")


@require_http_methods(["GET", "POST"])
@needs(Verb.EXPORT)
def export(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The same paper as a file of its own."""
    return _paper(request, message_id, "export")


def show(
    request: HttpRequest, item: InboxItem, thing: Thing, why: str, automatic: bool, form: Any = None
) -> HttpResponse:
    who, roster, w = who_asks(request), desk().roster(), wording(item.message)
    asked = may(request, Verb.OPEN_BODY, thing)
    shown = reading.read(item.message, why, automatic, who, roster, w) if why and asked else None
    item = item_of(UUID(item.message.message_id)) or item
    context = _about(item, thing, who, shown) | {
        "purged": bool(why and asked) and shown is None,
        "form": form or forms.Why(),
        "may_open": bool(asked),
        "may_paper": bool(shown),
        "reason": asked.reason,
        "signed": signed(request),
        "taken": taken(request),
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
        "may_print": bool(decide(who, Verb.PRINT, thing)),
        "may_export": bool(decide(who, Verb.EXPORT, thing)),
    }


def _paper(request: HttpRequest, message_id: UUID, name: str) -> HttpResponse:
    item = item_of(message_id)
    if item is None:
        raise NotFound(str(message_id))
    thing = thing_of(item, desk().roster())
    return printing.paper(
        request,
        item.message,
        thing,
        name,
        ask=lambda form: form_page(request, item, name, form),
        about=lambda shown: _about(item, thing, who_asks(request), shown),
    )
