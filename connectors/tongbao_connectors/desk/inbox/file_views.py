"""Handing out a file.

1. A file is opened by `casework.open_file`, which writes who, when and why first. What the handling code says
   of exporting holds for files: whoever has been handed one has a copy.
2. A browser gets it as a download and shows nothing of it: its type is what was checked, it isn't guessed
   anew, nothing is stored, and should it be shown all the same it runs nothing.
"""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods

from tongbao_broker.errors import NotFound
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Thing, Verb
from tongbao_connectors.desk.access import check, needs, thing_of, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import forms, reading
from tongbao_connectors.desk.inbox.pages import form_page, item_of
from tongbao_connectors.store.models import Message
from tongbao_schemas.bodies.codes import MediaType

UNSEEN = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
"""What a browser is told of any file."""


@require_http_methods(["GET", "POST"])
@needs(Verb.OPEN_BODY)
def file(request: HttpRequest, message_id: UUID, digest: str) -> HttpResponse:
    """A file of a received message."""
    item = item_of(message_id)
    if item is None:
        raise NotFound(str(message_id))
    thing = thing_of(item, desk().roster())
    return hand_out(
        request, item.message, thing, digest, ask=lambda form: form_page(request, item, "file", form)
    )


def hand_out(
    request: HttpRequest,
    message: Message,
    thing: Thing,
    digest: str,
    *,
    ask: Callable[[forms.Why], HttpResponse],
) -> HttpResponse:
    """The file, once there is a reason to open it; until then the form that asks for one. Raises NoRight."""
    check(request, Verb.OPEN_BODY, thing)
    check(request, Verb.EXPORT, thing)
    who, now = who_asks(request), desk().now()
    why, _automatic = reading.reason_for(message, thing, who, now)
    form = forms.Why(request.POST if request.method == "POST" else None)
    if form.is_valid():
        why = form.cleaned_data["why"]
    if not why or (form.is_bound and not form.is_valid()):
        return ask(form)
    opened = casework.open_file(
        message.message_id,
        f"sha256:{digest}",
        officer_ref=who.officer_ref,
        why=why,
        roster=desk().roster(),
        at=now,
        unit=who.unit,
    )
    return download(opened.name, opened.media_type, opened.content)


def download(name: str, kind: MediaType | None, content: bytes) -> HttpResponse:
    """A file's bytes as a browser may have them."""
    charset = "; charset=utf-8" if kind is MediaType.TEXT else ""
    response = HttpResponse(
        content, content_type=f"{kind or 'application/octet-stream'}{charset}", headers=UNSEEN
    )
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response
