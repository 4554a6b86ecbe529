"""The pages of what was sent: the lists, one alert with where it stands, what its originator does with it.

1. Each addressee's four facts stand side by side and are never merged: 已送达 by his connector, 已签收 by a
   person, 已反馈 with a result, 已办结 by ourselves.
2. One's own alert is a body like any other: it is opened with a reason, which for author and issuer is
   automatic, and every opening is written down.
3. A list opens no body: a draft shows its own title, a sent alert the fixed extract.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from tongbao_broker.errors import Conflict, NoRight, NotFound, OperationError, Refused, Words
from tongbao_connectors import casework
from tongbao_connectors.authorisation import APPROVERS, Thing, Verb, Who
from tongbao_connectors.case_rules import ThreadState
from tongbao_connectors.casework.originating import own_states
from tongbao_connectors.casework.standing import Addressee, opened_by, standings
from tongbao_connectors.casework.timeline import timeline
from tongbao_connectors.desk.access import check as demand
from tongbao_connectors.desk.access import may, needs, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox import file_views, printing, reading
from tongbao_connectors.desk.language import current, pick
from tongbao_connectors.desk.paging import page_number
from tongbao_connectors.papers import clearing, following, lists, redrafting
from tongbao_connectors.papers.drafting import Hand
from tongbao_connectors.papers.following import Follow
from tongbao_connectors.papers.models import Paper
from tongbao_connectors.papers.redrafting import Successor
from tongbao_connectors.papers.standing import Due, due_of, stands
from tongbao_connectors.papers.values import one
from tongbao_connectors.store.models import Draft, InboxItem, Message, Outbox
from tongbao_connectors.wording import Wording
from tongbao_schemas.bodies.followups import FOLLOW_UPS
from tongbao_schemas.codes import Category, MessageType, Urgency
from tongbao_schemas.refusals import REFUSALS, Code

PAGE: Final = 20
"""How many alerts a page of the list has."""
TITLE: Final = "body.title"
TOLD: Final = timedelta(days=30)
"""How long the list names what was cleared."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sent alert in the list. `rejected` is the code with which the exchange rejected it."""

    message: Message
    card: casework.Card
    addressees: tuple[Addressee, ...]
    state: ThreadState
    due: Due | None
    questions: int
    rejected: str


@dataclass(frozen=True, slots=True)
class Written:
    """A draft in the list; `cleared_at` says when it will be, once that is near."""

    paper: Paper
    title: str
    urgency: str
    status: str
    audience: tuple[str, ...]
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the lists, with how much is in it."""

    name: str
    words: Words
    href: str
    count: int
    current: bool


@require_GET
@needs(Verb.SEE_SENT)
def sent(request: HttpRequest) -> HttpResponse:
    """已发: this province's own alerts."""
    who, number = who_asks(request), page_number(request.GET)
    rows = _own_alerts()
    total = rows.count()
    messages = list(rows[(number - 1) * PAGE : number * PAGE])
    facts = {
        "tabs": _tabs(who, "sent", total),
        "lines": _lines(messages),
        "unsealed": list(_unsealed()),
        "total": total,
        "number": number,
        "before": number - 1 if number > 1 else 0,
        "after": number + 1 if number * PAGE < total else 0,
        "may_draft": bool(may(request, Verb.DRAFT)),
    }
    return render(request, "papers/sent.html", facts)


@require_GET
@needs(Verb.SEE_SENT)
def drafts(request: HttpRequest) -> HttpResponse:
    """What is being written: one's own, to be reviewed, to be issued."""
    who = who_asks(request)
    tab = request.GET.get("tab", "mine")
    rows = _drafts_of(who).get(tab)
    if rows is None:
        raise NotFound(tab)
    shown = clearing.with_touched(rows).order_by("-saved_at")[: 4 * PAGE]
    facts = {
        "tabs": _tabs(who, tab, _own_alerts().count()),
        "tab": tab,
        "written": [_written(paper) for paper in shown],
        "cleared": lists.cleared(who, desk().now() - TOLD) if tab == "mine" else (),
        "may_draft": bool(may(request, Verb.DRAFT)),
    }
    return render(request, "papers/drafts.html", facts)


@require_http_methods(["GET", "POST"])
@needs(Verb.SEE_SENT)
def sent_one(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """One sent alert. A reason typed to open it is posted here."""
    message = _own(message_id)
    if message is None:
        return _on_its_way(request, message_id)
    thing = thing_of(message)
    demand(request, Verb.SEE_MESSAGE, thing)
    why, automatic = reading.reason_for(message, thing, who_asks(request), desk().now())
    typed = request.POST.get("why", "").strip() if request.method == "POST" else ""
    if typed:
        why, automatic = typed, False
    return show(request, message, thing, why, automatic, asked=request.method == "POST" and not typed)


@require_http_methods(["GET", "POST"])
@needs(Verb.SEE_SENT)
def sent_act(request: HttpRequest, message_id: UUID, name: str) -> HttpResponse:
    """办结, 撤销, 补充/更正, 催办, 回复: the small form of each, and doing it."""
    message = _own(message_id)
    if message is None or name not in following.FOLLOWS:
        raise NotFound(str(message_id))
    follow, thing = following.FOLLOWS[name], thing_of(message)
    demand(request, follow.verb, thing)
    form = follow.form(request.POST if request.method == "POST" else None, message=message, asked=request.GET)
    if request.method == "GET" or not form.is_valid():
        return _act_page(request, message, name, follow, form)
    try:
        onwards = follow.do(message, form.cleaned_data, Hand.of(who_asks(request), desk()))
    except (NotFound, NoRight, Conflict, Refused) as error:
        return _act_page(request, message, name, follow, form, error)
    return redirect(onwards or f"{reverse('sent-one', args=[message_id])}?done={name}")


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


@require_http_methods(["GET", "POST"])
@needs(Verb.SEE_SENT)
def sent_file(request: HttpRequest, message_id: UUID, digest: str) -> HttpResponse:
    """A file that this province sent, with an alert or with what followed one."""
    message = Message.objects.filter(message_id=str(message_id), outbox__isnull=False).first()
    alert = Message.objects.filter(message_id=message.thread).first() if message else None
    if message is None or alert is None:
        raise NotFound(str(message_id))
    return file_views.hand_out(
        request,
        message,
        thing_of(alert if alert.delivery_seq is None else message),
        digest,
        ask=lambda form: _form_page(request, alert, "file", _OPEN_FILE, _OPENING_RECORDED, form),
    )


def _paper(request: HttpRequest, message_id: UUID, name: str) -> HttpResponse:
    message = _own(message_id)
    if message is None:
        raise NotFound(str(message_id))
    line, said = _lines([message])[0], printing.SAID[name]
    category = Category(message.category).label(current())
    facts = {"row": {"title": line.card.title, "category": category}, "stands": stands(line.addressees)}
    return printing.paper(
        request,
        message,
        thing_of(message),
        name,
        ask=lambda form: _form_page(request, message, name, said, _RECORDED, form),
        about=lambda _: facts,
    )


def show(
    request: HttpRequest, message: Message, thing: Thing, why: str, automatic: bool, *, asked: bool
) -> HttpResponse:
    """The page of one sent alert."""
    who, roster, now = who_asks(request), desk().roster(), desk().now()
    w = Wording(current(), now, message.issued_at)
    shown = reading.read(message, why, automatic, who, roster, w) if why else None
    line = _lines([message])[0]
    paper = Paper.objects.filter(message_id=message.message_id).first()
    received, unsent = _received(message), list(_unsent(message))
    possible = following.possible(line.state, who, thing, received=bool(received), owing=line.due is not None)
    acts = () if line.rejected else possible
    facts = {
        "message": message,
        "line": line,
        "card": line.card,
        "stands": stands(line.addressees),
        "state": line.state,
        "due": line.due,
        "shown": shown,
        "sheet": shown.sheet if shown else None,
        "purged": bool(why) and shown is None,
        "unsaid": asked,
        "paper": paper,
        "steps": list(paper.steps.order_by("pk")) if paper else [],
        "may_print": bool(shown and may(request, Verb.PRINT, thing)),
        "may_export": bool(shown and may(request, Verb.EXPORT, thing)),
        "rejected": _sentence(line.rejected) if line.rejected else None,
        "may_draft": bool(may(request, Verb.SUPPLEMENT, thing)),
        "source": redrafting.source_of(paper),
        "successors": _successors(message.message_id, who),
        "basis": reading.basis_of(message),
        "lines": timeline(message.message_id),
        "opened": opened_by(message.message_id),
        "openings": reading.opened_here(message),
        "received": received,
        "acts": acts,
        "names": [each.name for each in acts],
        "unsent": unsent,
        "done": request.GET.get("done", "") in following.FOLLOWS and not unsent,
    }
    return render(request, "papers/sent_one.html", facts, status=422 if asked else 200)


def thing_of(message: Message) -> Thing:
    """An own alert as `authorisation` sees it: who drafted it and who issued it."""
    paper = Paper.objects.filter(message_id=message.message_id).first()
    draft = Draft.objects.filter(message_id=message.message_id).first()
    by = draft.submitted_by if draft else ""
    known = desk().roster().officers.get(paper.author if paper else by)
    return Thing(
        kind=message.type,
        unit=paper.unit if paper else known.unit if known else "",
        direction="out",
        submitted_by=paper.author if paper else by,
        reviewed_by=paper.issuer if paper else "",
        handling=message.handling,
    )


def refused_by(draft: Draft, who: Who) -> Thing:
    """An alert that couldn't be sent, for whoever wants to draft it again: who wrote, reviewed, issued it."""
    paper = Paper.objects.filter(message_id=draft.message_id).first()
    hands = {draft.submitted_by, *((paper.reviewer, paper.issuer) if paper else ())}
    return Thing(
        kind=draft.type,
        direction="out",
        submitted_by=paper.author if paper else draft.submitted_by,
        reviewed_by=who.officer_ref if who.officer_ref in hands else "",
    )


def _own_alerts() -> Any:
    own = Message.objects.filter(outbox__isnull=False, type=MessageType.ALERT.value)
    return own.select_related("outbox").order_by("-pk")


def _own(message_id: UUID) -> Message | None:
    """The own alert; None while the connector hasn't sealed it yet. Raises NotFound."""
    found = _own_alerts().filter(message_id=str(message_id)).first()
    if found is None and not Draft.objects.filter(message_id=str(message_id)).exists():
        raise NotFound(str(message_id))
    return found if isinstance(found, Message) else None


def _on_its_way(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """What the connector has still to seal, or had to refuse."""
    draft, who = Draft.objects.get(message_id=str(message_id)), who_asks(request)
    paper = Paper.objects.filter(message_id=str(message_id)).first()
    facts = {
        "draft": draft,
        "steps": list(paper.steps.order_by("pk")) if paper else [],
        "refused": _refused(draft),
        "successors": _successors(draft.message_id, who),
        "may_draft": bool(may(request, Verb.DRAFT))
        and bool(may(request, Verb.SUPPLEMENT, refused_by(draft, who))),
    }
    return render(request, "papers/on_its_way.html", facts)


def _successors(message_id: str, who: Who) -> list[tuple[Successor, bool]]:
    """The drafts that were made out of an alert, each with whether this reader may read it."""
    return [(each, bool(lists.reads(who, each.paper))) for each in redrafting.successors(message_id)]


def _refused(draft: Draft) -> Words | None:
    return _sentence(draft.code) if draft.code else None


def _sentence(code: str) -> Words:
    row = REFUSALS[Code(code)]
    return Words(f"{row.zh}{row.next_zh}（{code}）", f"{row.en} {row.next_en} ({code})")


def _unsent(message: Message) -> Iterator[Words]:
    """What the originator did last, of each kind, and could not be sent: what it was, and why."""
    kinds = [kind.value for kind in FOLLOW_UPS]
    tried = Draft.objects.filter(thread=message.thread, type__in=kinds).order_by("pk")
    for draft in {draft.type: draft for draft in tried}.values():
        code = draft.code or _rejected(draft)
        if code:
            kind, why = MessageType(draft.type), _sentence(code)
            yield Words(f"{kind.zh}未能发出：{why.zh}", f"Not sent: {kind.en.lower()}. {why.en}")


def _rejected(draft: Draft) -> str:
    """The code with which the exchange rejected it."""
    found = Outbox.objects.filter(message__message_id=draft.message_id, state=Outbox.State.REJECTED)
    return found.values_list("code", flat=True).first() or ""


def _unsealed() -> Any:
    """Alerts that the connector hasn't sealed yet, or had to refuse."""
    waiting = Draft.objects.filter(type=MessageType.ALERT.value).exclude(state=Draft.State.SEALED)
    return waiting.order_by("-pk")[:PAGE]


def _lines(messages: list[Message]) -> list[Line]:
    cards, asked = casework.cards(messages), _questions(messages)
    there, states = standings(messages), own_states(messages)
    return [_line(each, cards[each.pk], there[each.pk], states[each.pk], asked) for each in messages]


def _line(
    message: Message,
    card: casework.Card,
    there: Sequence[Addressee],
    state: ThreadState,
    asked: Mapping[str, int],
) -> Line:
    outbox = message.outbox
    rejected = outbox.code if outbox.state == Outbox.State.REJECTED else ""
    due = None if rejected else due_of(there, state)
    return Line(message, card, tuple(there), state, due, asked.get(message.thread, 0), rejected)


def _questions(messages: list[Message]) -> dict[str, int]:
    """How many questions and answers nobody here has read yet, by thread."""
    threads = [message.thread for message in messages]
    waiting = InboxItem.objects.filter(message__thread__in=threads, state=InboxItem.State.WAITING).order_by()
    return dict(waiting.values_list("message__thread").annotate(Count("pk")))


def _received(message: Message) -> list[InboxItem]:
    """What came back in the thread, the newest first."""
    rows = InboxItem.objects.select_related("message").filter(message__thread=message.thread)
    return list(rows.order_by("-message"))


def _drafts_of(who: Who) -> dict[str, Any]:
    """The lists of drafts, by tab."""
    return {"mine": lists.mine(who), "review": lists.to_review(who), "issue": lists.to_issue(who)}


def _tabs(who: Who, current_tab: str, total: int) -> list[Tab]:
    rows = _drafts_of(who)
    names = {
        "mine": Words("我的草稿", "My drafts"),
        "review": Words("待审核", "To review"),
        "issue": Words("待签发", "To issue"),
    }
    shown = [name for name in names if name == "mine" or who.role in APPROVERS]
    found = [Tab("sent", Words("已发", "Sent"), reverse("sent"), total, current_tab == "sent")]
    for name in shown:
        href = f"{reverse('drafts')}?tab={name}"
        found.append(Tab(name, names[name], href, rows[name].count(), current_tab == name))
    return found


def _written(paper: Any) -> Written:
    values = paper.values
    urgency = one(values, "urgency")
    known = urgency if urgency in frozenset(Urgency) else ""
    title = one(values, TITLE)
    audience, kept = tuple(values.get("audience", ())), desk().file.drafts_kept_days
    return Written(
        paper,
        title,
        known,
        one(values, "status"),
        audience,
        clearing.soon(paper.touched, kept, desk().now()),
    )


def _act_page(
    request: HttpRequest,
    message: Message,
    name: str,
    follow: Follow,
    form: Any,
    error: OperationError | Refused | None = None,
) -> HttpResponse:
    lang, trouble = current(), ""
    if error is not None:
        detail = error.detail_in(lang) if isinstance(error, OperationError) else ""
        told = f"{error.sentence(lang)} {detail}".strip()
        trouble = f"{told} {error.next_step(lang)} {error.code}"
    return _form_page(request, message, name, follow.said, follow.means, form, trouble)


def _form_page(
    request: HttpRequest, message: Message, name: str, said: Words, means: Words, form: Any, trouble: str = ""
) -> HttpResponse:
    wrong = form.is_bound and not form.is_valid()
    facts = {
        "message": message,
        "name": name,
        "said": pick(said),
        "means": pick(means),
        "form": form,
        "trouble": trouble,
        "wrong": wrong,
    }
    return render(request, "papers/act.html", facts, status=409 if trouble else 422 if wrong else 200)


_OPEN_FILE: Final = Words("打开附件", "Open the file")
_OPENING_RECORDED: Final = Words("打开人、时间和事由会记录。", "Who, when and why are recorded.")
_RECORDED: Final = Words("打印和导出会记入经过。", "Printing and exporting stand in the history.")
