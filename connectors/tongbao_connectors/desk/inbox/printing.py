"""The paper of a message, received or sent, to print or as a file of its own.

It is made after a reason is given and recorded, and bears who, when and number over every page.
"""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from tongbao_broker.database import atomic
from tongbao_broker.errors import Words
from tongbao_connectors.authorisation import Thing, Verb
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.casework import events
from tongbao_connectors.desk.access import check, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import forms, known, reading
from tongbao_connectors.desk.inbox.pages import wording
from tongbao_connectors.desk.inbox.reading import Shown
from tongbao_connectors.desk.language import words
from tongbao_connectors.desk.marks import CHEVRONS
from tongbao_connectors.store.models import Message
from tongbao_schemas.codes import Urgency

VERBS: Final = {"print": Verb.PRINT, "export": Verb.EXPORT}
LINES: Final = {"print": EventKind.PRINTED, "export": EventKind.EXPORTED}
SAID: Final = {"print": Words("打印", "Print"), "export": Words("导出", "Export")}


def paper(
    request: HttpRequest,
    message: Message,
    thing: Thing,
    name: str,
    *,
    ask: Callable[[forms.Why], HttpResponse],
    about: Callable[[Shown | None], dict[str, Any]],
) -> HttpResponse:
    """What `print` or `export` answers: the form that asks for the reason, then the paper.

    `ask` shows that form, `about` is what the paper says of the message. Raises NoRight.
    """
    check(request, VERBS[name], thing)
    check(request, Verb.OPEN_BODY, thing)
    form = forms.Why(request.POST if request.method == "POST" else None)
    if thing.direction == "out":
        form.fields["why"].help_text = words("会记录在案。", "It is kept on record.")
    if request.method == "GET" or not form.is_valid():
        return ask(form)
    who, w, why = who_asks(request), wording(message, lasting=True), form.cleaned_data["why"]
    with atomic():
        shown = reading.read(message, why, False, who, desk().roster(), w)
        events.note(message, LINES[name], w.now, officer_ref=who.officer_ref, unit=who.unit)
    context = about(shown) | {
        "message": message,
        "sheet": shown.sheet if shown else None,
        "letter": shown.letter if shown else None,
        "files": shown.files if shown else (),
        "addressees": message.audience_codes,
        "level_icon": CHEVRONS[Urgency(message.urgency)],
        "kept_until": w.clock(shown.kept_until if shown else message.expires_at),
        "why": why,
        "file": name == "export",
    }
    return render(request, "desk/inbox/print.html", context) if name == "print" else _file(request, context)


def _file(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    content = render_to_string("desk/inbox/print.html", context | {"style": known.print_style()}, request)
    response = HttpResponse(content, content_type="text/html; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{context["message"].message_id}.html"'
    return response
