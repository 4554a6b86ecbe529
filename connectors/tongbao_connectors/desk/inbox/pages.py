"""What the pages of the receiving side share: the reader's words, cards, one message, the form of an act.

What goes wrong with an act is a part of the page: what happened, what is safe, what to do, the code last.
What the officer typed is still there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tongbao_broker.errors import Conflict, NoRight, NotFound, OperationError, Refused
from tongbao_connectors import finding
from tongbao_connectors.authorisation import Who
from tongbao_connectors.desk.access import thing_of, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import acts, forms, known, rows
from tongbao_connectors.desk.inbox.rows import Row
from tongbao_connectors.desk.language import current
from tongbao_connectors.store.models import InboxItem, Message, Outbox
from tongbao_connectors.wording import Wording

SIGNED: Final = "signed"
TAKEN: Final = "taken"
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


def wording(of: Message | None = None, *, lasting: bool = False) -> Wording:
    """The words of this page's reader at this moment, or of whoever reads it on another day."""
    now = desk().now()
    return Wording(current(), now, of.issued_at if of else now, lasting)


def item_of(message_id: UUID) -> InboxItem | None:
    """The row of a received message, None for an own one; raises NotFound."""
    found = finding.message(str(message_id))
    item = InboxItem.objects.select_related("message").filter(message=found).first()
    if item is None and not Outbox.objects.filter(message=found).exists():
        raise NotFound(str(message_id))
    return item


def cards_of(items: Sequence[InboxItem], who: Who) -> list[Row]:
    found, roster, w = known.known_of(items), desk().roster(), wording()
    return [rows.row_of(item, thing_of(item, roster), who, found, roster, w) for item in items]


def form_page(
    request: HttpRequest, item: InboxItem, name: str, form: forms.Form | None, trouble: Trouble | None = None
) -> HttpResponse:
    who = who_asks(request)
    card = cards_of([item], who)[0]
    context = {"row": card, "item": item, "form": form, "trouble": trouble, "name": name}
    context |= {"said": acts.name_of(name), "back": reverse("message", args=[item.message.message_id])}
    failed = form is not None and form.is_bound and not form.is_valid()
    status = trouble.status if trouble else 422 if failed else 200
    return render(request, "desk/inbox/act.html", context, status=status)


def trouble_of(error: OperationError | Refused) -> Trouble:
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


def signed(request: HttpRequest) -> Any:
    """What he has just signed for from the list and can still take back."""
    return known.just_signed(request.GET.get(SIGNED, ""), who_asks(request), desk().now())


def taken(request: HttpRequest) -> Any:
    """What somebody else had signed for when he pressed."""
    return known.taken(request.GET.get(TAKEN, ""), who_asks(request), desk().roster(), wording())


def back_to(item: InboxItem) -> HttpResponse:
    return redirect("message", item.message.message_id)
