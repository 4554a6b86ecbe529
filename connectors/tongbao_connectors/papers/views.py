"""The pages of drafts: beginning, writing, reviewing, issuing.

1. Every button of the form posts the whole form. What is typed is saved first, then the button does its
   part, and the browser is sent back to where it was; so a page may be loaded again at any time.
2. Faults are told once the author has asked for review, and from then on as long as they last.
3. If the draft was saved elsewhere meanwhile, that is told; what was just typed stays on the page until it
   is saved.
4. Only the author sees the form. Who may review or issue it reads the draft as it will be sent; nobody else
   does.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NoRight, NotFound, Words
from tongbao_connectors.authorisation import APPROVERS, Role, Verb
from tongbao_connectors.desk.access import check as demand
from tongbao_connectors.desk.access import may, needs, who_asks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.inbox.file_lines import size_of
from tongbao_connectors.desk.inbox.file_views import download
from tongbao_connectors.desk.language import pick
from tongbao_connectors.desk.models import Account
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.papers import (
    agreements,
    attaching,
    clearing,
    drafting,
    importing,
    lists,
    networks,
    page,
    places,
    redrafting,
    states,
)
from tongbao_connectors.papers.agreements import Terms
from tongbao_connectors.papers.checking import Fault, anchors, check, fields_of
from tongbao_connectors.papers.drafting import Faulty, Hand
from tongbao_connectors.papers.fields import Kind
from tongbao_connectors.papers.form import BLOCKS, CATEGORY_NEEDS
from tongbao_connectors.papers.mapping import to_values, with_needed_papers
from tongbao_connectors.papers.models import Paper
from tongbao_connectors.papers.sent import refused_by, thing_of
from tongbao_connectors.papers.states import Act, State
from tongbao_connectors.papers.uploads import ATTACH, Digested, DigestHandler, Given, handlers
from tongbao_connectors.papers.values import Values, added, count, many, of_form, one, removed
from tongbao_connectors.store.models import Draft
from tongbao_schemas.bodies.attachment import ENDINGS
from tongbao_schemas.codes import Category, Urgency
from tongbao_schemas.errors import Refused
from tongbao_schemas.number import PROVINCES

FILE: Final = "file:"
OWN_FIELDS: Final = frozenset({"csrfmiddlewaretoken", "act", "revision", "checked"})
SUMMARY: Final = "#summary"
KEPT: Final = 204
TITLE: Final = "body.title"

SAVE_VERBS: Final = {
    Act.PASS: Verb.REVIEW,
    Act.SEND_BACK: Verb.REVIEW,
    Act.ISSUE: Verb.ISSUE,
    Act.TAKE_BACK: Verb.DRAFT,
    Act.DISCARD: Verb.DRAFT,
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may review, for the box beside the form."""

    officer_ref: str
    role: Role
    on_duty: bool


@require_http_methods(["GET", "POST"])
@needs(Verb.DRAFT)
def new(request: HttpRequest) -> HttpResponse:
    """拟稿: choose the category."""
    chosen = request.POST.get("category", "")
    if request.method == "POST" and chosen in frozenset(Category):
        paper = drafting.begin(Category(chosen), _hand(request))
        return redirect("draft", paper.pk)
    return render(request, "papers/new.html", {"categories": list(CATEGORY_NEEDS.items())})


@require_POST
@needs(Verb.DRAFT)
def import_one(request: HttpRequest) -> HttpResponse:
    """One alert as JSON becomes a draft; anything else is refused with a sentence and nothing is kept."""
    uploaded = request.FILES.get("file")
    text = request.POST.get("text", "")
    data = uploaded.read() if uploaded else text.encode()
    try:
        category, plain = importing.read(data)
    except Conflict as error:
        return _not_imported(request, pick(Words(error.detail_in("zh"), error.detail_in("en"))), text)
    except Refused as error:
        where = f"{error.where}: " if error.where else ""
        words = Words(
            f"{where}{error.sentence('zh')}{error.next_step('zh')}（{error.code}）",
            f"{where}{error.sentence('en')} {error.next_step('en')} ({error.code})",
        )
        return _not_imported(request, pick(words), text)
    values = to_values(plain, category, today=desk().now().astimezone(BEIJING).date())
    if one(values, "status") not in networks.statuses(desk().network):
        values.pop("status", None)
    paper = drafting.begin(category, _hand(request), values)
    return redirect(f"{reverse('draft', args=[paper.pk])}?checked=1{SUMMARY}")


@require_POST
@needs(Verb.DRAFT)
def again(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """A draft out of an issued alert that was rejected or could not be sent, to be corrected and reviewed.

    It is for those who wrote, reviewed or issued it, and for a leader.
    """
    rejected = redrafting.rejected(str(message_id))
    refused = Draft.objects.filter(message_id=str(message_id)).first()
    if rejected is not None:
        demand(request, Verb.SUPPLEMENT, thing_of(rejected))
        paper = redrafting.send_again(rejected, agreements.directory(desk()), _hand(request))
    elif refused is not None:
        demand(request, Verb.SUPPLEMENT, refused_by(refused, who_asks(request)))
        paper = redrafting.draft_again(refused, _hand(request))
    else:
        raise NotFound(str(message_id))
    return redirect(f"{reverse('draft', args=[paper.pk])}?checked=1")


def _not_imported(request: HttpRequest, sentence: str, text: str) -> HttpResponse:
    facts = {"categories": list(CATEGORY_NEEDS.items()), "refused": sentence, "text": text}
    return render(request, "papers/new.html", facts, status=422)


@csrf_exempt
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """A draft: the form for its author, the paper for everybody else."""
    request.upload_handlers = handlers(request)
    return _draft(request, number)


def keep(request: HttpRequest, account: Account, number: int) -> bool:
    """Saves what the author of a draft posts after his login has ended by waiting; whether it was saved.

    Nothing else can be done with such a login, and nothing is shown.
    """
    request.upload_handlers = [DigestHandler(request)]
    return _keep(request, account, number).status_code == KEPT


@csrf_protect
def _keep(request: HttpRequest, account: Account, number: int) -> HttpResponse:
    here, paper = desk(), Paper.objects.filter(pk=number, author=account.officer_ref).first()
    if paper is None or not account.is_active:
        return HttpResponse(status=403)
    values = _put_aside(paper, _typed(request))
    hand = Hand(account.officer_ref, here.roster(), here.code, here.network, here.now())
    try:
        drafting.save(paper, values, hand)
    except Conflict:
        return HttpResponse(status=409)
    return HttpResponse(status=KEPT)


draft.needs = (Verb.SEE_SENT,)  # type: ignore[attr-defined]
draft.keeps = keep  # type: ignore[attr-defined]


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Verb.SEE_SENT)
def _draft(request: HttpRequest, number: int) -> HttpResponse:
    paper = drafting.find(number)
    if request.method == "POST":
        demand(request, Verb.DRAFT, lists.thing_of(paper))
        return _posted(request, paper)
    if _writes(request, paper):
        faults = _faults(request, paper) if "checked" in request.GET else ()
        return _form(request, paper, paper.values, faults)
    _check_reader(request, paper)
    return _read(request, paper)


def _check_reader(request: HttpRequest, paper: Paper) -> None:
    decision = lists.reads(who_asks(request), paper)
    if not decision:
        raise NoRight(next_step=decision.reason)


def _posted(request: HttpRequest, paper: Paper) -> HttpResponse:
    values = _put_aside(paper, _typed(request))
    pressed = request.POST.get("act", "save")
    conflict = _conflict(request, paper, values)
    if conflict:
        faults = _faults(request, paper) if request.POST.get("checked") else ()
        return _form(request, paper, values, faults, conflict=conflict, status=409)
    values, place = _pressed(values, pressed, paper)
    with atomic():
        paper = drafting.save(paper, values, _hand(request))
        wrong = _attached(request, paper, pressed)
    if wrong:
        known = _faults(request, paper) if request.POST.get("checked") else ()
        return _form(request, paper, paper.values, (*wrong, *known), status=422)
    if request.headers.get("HX-Request"):
        return render(request, "papers/saved.html", {"paper": paper})
    if pressed == Act.SUBMIT:
        return _submitted(request, paper)
    if pressed == Act.CATEGORY:
        return redirect("draft-category", paper.pk)
    checked = "?checked=1" if request.POST.get("checked") else ""
    return redirect(f"{reverse('draft', args=[paper.pk])}{checked}{place}")


def _attached(request: HttpRequest, paper: Paper, pressed: str) -> tuple[Fault, ...]:
    """Files that came with the form are kept, or one is taken away; what is wrong with them."""
    verb, _, key = pressed.partition(":")
    if verb == "detach":
        attaching.detach(paper, key)
    given = [file for file in request.FILES.getlist(ATTACH) if isinstance(file, Given)]
    return attaching.attach(paper, ((file.name or "", file.content) for file in given))


@require_GET
@needs(Verb.SEE_SENT)
def file(request: HttpRequest, number: int, key: int) -> HttpResponse:
    """A file of a draft, for its author and for those who review or issue it."""
    paper = drafting.find(number)
    _check_reader(request, paper)
    row = paper.files.filter(pk=key).first()
    if row is None:
        raise NotFound(Words("没有这份附件", "there is no such file"))
    return download(row.name, row.kind, bytes(row.content))


def _submitted(request: HttpRequest, paper: Paper) -> HttpResponse:
    try:
        drafting.submit(paper, _hand(request), _lacking(paper))
    except Faulty:
        return redirect(f"{reverse('draft', args=[paper.pk])}?checked=1{SUMMARY}")
    return redirect("draft", paper.pk)


@require_http_methods(["GET", "POST"])
@needs(Verb.DRAFT)
def category(request: HttpRequest, number: int) -> HttpResponse:
    """改类别: what each other category would drop is said first."""
    paper = drafting.find(number)
    demand(request, Verb.DRAFT, lists.thing_of(paper))
    if not _writes(request, paper):
        return redirect("draft", paper.pk)
    chosen = request.POST.get("category", "")
    if request.method == "POST" and chosen in _others(paper):
        if request.POST.get("revision") == str(paper.revision):
            drafting.change_category(paper, Category(chosen), _hand(request))
            return redirect("draft", paper.pk)
        return redirect("draft-category", paper.pk)
    setting, old = _setting(_terms(paper, paper.values)), Category(paper.category)
    offered = [
        (each, CATEGORY_NEEDS[each], page.dropped(paper.values, old, each, setting))
        for each in _others(paper)
    ]
    lost = {part.id: part for _, _, parts in offered for part in parts}
    facts = _about(request, paper) | {"offered": offered, "lost": lost.values()}
    return render(request, "papers/category.html", facts)


def _others(paper: Paper) -> list[Category]:
    return [each for each in Category if each.value != paper.category]


@require_POST
@needs(Verb.SEE_SENT)
def act(request: HttpRequest, number: int) -> HttpResponse:
    """Passing, sending back, issuing, taking back, discarding."""
    paper = drafting.find(number)
    wanted = request.POST.get("act", "")
    if wanted not in frozenset(SAVE_VERBS):
        raise Conflict(Words("没有这个操作", "there is no such act"))
    demand(request, SAVE_VERBS[Act(wanted)], lists.thing_of(paper))
    remark = request.POST.get("remark", "")
    if wanted == Act.SEND_BACK and not remark.strip():
        return _read(request, paper, unsaid=True, status=422)
    try:
        _do(Act(wanted), paper, _hand(request), remark)
    except Faulty as error:
        return _read(request, paper, faults=error.faults, remark=remark, status=422)
    except Conflict as error:
        return _read(request, drafting.find(number), conflict=error, remark=remark, status=409)
    if wanted == Act.ISSUE:
        return redirect("sent-one", drafting.find(number).message_id)
    return redirect("drafts") if wanted == Act.DISCARD else redirect("draft", paper.pk)


def _do(wanted: Act, paper: Paper, hand: Hand, remark: str) -> None:
    match wanted:
        case Act.PASS:
            drafting.pass_on(paper, hand, remark)
        case Act.SEND_BACK:
            drafting.send_back(paper, hand, remark)
        case Act.TAKE_BACK:
            drafting.take_back(paper, hand)
        case Act.DISCARD:
            drafting.discard(paper, hand)
        case _:
            drafting.issue(paper, hand, _lacking(paper))


def _typed(request: HttpRequest) -> Values:
    """What the form holds, with the digests of the files chosen."""
    lists = {name: texts for name, texts in request.POST.lists() if not name.startswith(FILE)}
    values = {name: texts for name, texts in lists.items() if name not in OWN_FIELDS}
    for name, file in request.FILES.items():
        if name.startswith(FILE) and isinstance(file, Digested) and file.digest:
            values[name.removeprefix(FILE)] = [file.digest]
    return of_form(values.items())


def _put_aside(paper: Paper, typed: Values) -> Values:
    """With what was typed earlier in blocks that aren't on the page now, since nobody asks for them."""
    aside = {
        path: texts
        for path, texts in paper.values.items()
        for block in BLOCKS
        if path.startswith(f"{block}.") and not any(name.startswith(f"{block}.") for name in typed)
    }
    return aside | typed


def _pressed(values: Values, pressed: str, paper: Paper) -> tuple[Values, str]:
    """What a button of the form does to it, and where the page goes on."""
    verb, _, rest = pressed.partition(":")
    if verb == "add":
        group, _, kind = rest.partition(":")
        if group not in anchors(values, Category(paper.category)):
            return values, ""
        place = f"#{page.anchor(f'{group}[{count(values, group)}]')}"
        return (added(values, group, kind=kind) if kind else added(values, group)), place
    if verb == "remove":
        group, _, index = rest.rpartition(":")
        return (removed(values, group, int(index)) if index.isdigit() else values), f"#{page.anchor(group)}"
    if verb == "use":
        path, _, text = rest.partition("=")
        fields = fields_of(values, Category(paper.category))
        if path in fields and fields[path].kind is Kind.REGION:
            return values | {path: [text]}, f"#{page.anchor(path)}"
    if verb == "papers":
        return values, "#section-request"
    if verb in ("attach", "detach"):
        return values, f"#{page.anchor(attaching.FIELD)}"
    return values, ""


def _conflict(request: HttpRequest, paper: Paper, values: Values) -> Words | None:
    """Why what was typed isn't saved just like that; nothing where it stands there already."""
    if not _writes(request, paper):
        return Words(
            f"稿件现在是“{paper.stage.zh}”，下面刚输入的内容没有保存。",
            f"The draft's state is: {paper.stage.en}. What was just typed below is not saved.",
        )
    if request.POST.get("revision", "") == str(paper.revision) or with_needed_papers(values) == paper.values:
        return None
    saved = paper.saved_at.astimezone(BEIJING)
    return Words(
        f"这份草稿在别处 {saved:%H:%M} 又保存过。下面是刚输入的内容，再按一次即以此为准。",
        f"This draft was saved elsewhere at {saved:%H:%M}. "
        "Below is what was just typed; press once more to keep it.",
    )


def _form(
    request: HttpRequest,
    paper: Paper,
    values: Values,
    faults: tuple[Fault, ...],
    *,
    conflict: Words | None = None,
    status: int = 200,
) -> HttpResponse:
    terms = _terms(paper, values)
    shown = page.sections(values, Category(paper.category), faults, _setting(terms))
    today = desk().now().astimezone(BEIJING).date()
    near = dict.fromkeys((desk().code, *many(values, "audience")))
    facts = _about(request, paper) | {
        "sections": shown,
        "summary": [
            (page.anchor(fault.path) or "summary", pick(fault.words), fault.code) for fault in faults
        ],
        "checked": bool(faults) or "checked" in request.GET or bool(request.POST.get("checked")),
        "conflict": conflict,
        "terms": [(each, _signing(each, values)) for each in terms if each.code in many(values, "audience")],
        "places": places.listed((code for code in near if code in PROVINCES), today),
        "readers": _readers(paper),
        "may_write": _writes(request, paper),
        "needs": CATEGORY_NEEDS[Category(paper.category)],
        "files_wrong": [pick(fault.words) for fault in faults if fault.path == attaching.FIELD],
        "endings": ",".join(ending for endings in ENDINGS.values() for ending in endings),
    }
    return render(request, "papers/form.html", facts, status=status)


def _read(
    request: HttpRequest,
    paper: Paper,
    *,
    faults: tuple[Fault, ...] = (),
    conflict: Conflict | None = None,
    remark: str = "",
    unsaid: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The draft as it will be sent, with what this officer can do."""
    values = paper.values
    shown = page.sections(values, Category(paper.category), faults, _setting(_terms(paper, values)))
    facts = _about(request, paper) | {
        "sections": shown if values else (),
        "faults": [(page.anchor(fault.path), pick(fault.words), fault.code) for fault in faults],
        "conflict": conflict and Words(conflict.detail_in("zh"), conflict.detail_in("en")),
        "remark": remark,
        "unsaid": unsaid,
        "acts": _possible(request, paper),
        "why_not": _why_not(request, paper),
        "readers": _readers(paper),
        "urgency": one(values, "urgency"),
        "status": one(values, "status"),
        "audience": many(values, "audience"),
    }
    return render(request, "papers/read.html", facts, status=status)


def _about(request: HttpRequest, paper: Paper) -> dict[str, Any]:
    steps = list(paper.steps.order_by("-pk"))
    back = next((step for step in steps if step.done is Act.SEND_BACK), None)
    kept, going_on = desk().file.drafts_kept_days, paper.stage in states.OPEN
    touched = max(step.at for step in steps)
    return {
        "cleared_at": clearing.soon(touched, kept, desk().now()) if going_on else None,
        "paper": paper,
        "files": [(each, size_of(each.size)) for each in attaching.listed(paper)],
        "files_id": page.anchor(attaching.FIELD),
        "source": redrafting.source_of(paper),
        "category": Category(paper.category),
        "title": one(paper.values, TITLE),
        "steps": steps,
        "sent_back": back if paper.stage is State.SENT_BACK else None,
        "stage": ("drafting" if paper.stage in (State.DRAFTING, State.SENT_BACK) else paper.stage.value),
    }


def _hand(request: HttpRequest) -> Hand:
    return Hand.of(who_asks(request), desk())


def _writes(request: HttpRequest, paper: Paper) -> bool:
    who = who_asks(request)
    mine = states.part(who.officer_ref, author=paper.author, reviewer=paper.reviewer)
    return (
        bool(may(request, Verb.DRAFT, lists.thing_of(paper)))
        and states.obstacle(Act.SAVE, paper.stage, mine) is None
    )


def _possible(request: HttpRequest, paper: Paper) -> tuple[Act, ...]:
    """What the reader can do with the draft besides writing."""
    who = who_asks(request)
    mine = states.part(who.officer_ref, author=paper.author, reviewer=paper.reviewer)
    allowed = states.possible(paper.stage, mine)
    return tuple(
        act for act in allowed if act in SAVE_VERBS and may(request, SAVE_VERBS[act], lists.thing_of(paper))
    )


def _why_not(request: HttpRequest, paper: Paper) -> Words | None:
    """Why this officer doesn't review or issue it, where somebody has to."""
    if paper.stage not in (State.REVIEWING, State.APPROVED) or who_asks(request).officer_ref == paper.author:
        return states.NOT_ONES_OWN if paper.stage in (State.REVIEWING, State.APPROVED) else None
    verb = Verb.REVIEW if paper.stage is State.REVIEWING else Verb.ISSUE
    decision = may(request, verb, lists.thing_of(paper))
    return None if decision else decision.reason


def _faults(request: HttpRequest, paper: Paper) -> tuple[Fault, ...]:
    return check(drafting.question(paper, _hand(request), _lacking(paper)))


def _lacking(paper: Paper) -> dict[str, Words]:
    return agreements.lacking(_terms(paper, paper.values))


def _terms(paper: Paper, values: Values) -> tuple[Terms, ...]:
    """What holds with each addressee chosen."""
    here, now, directory = desk(), desk().now(), agreements.directory(desk())
    category, handling = Category(paper.category), one(values, "handling")
    chosen = [code for code in many(values, "audience") if code in PROVINCES]
    return tuple(agreements.terms(directory, here.code, code, category, handling, now) for code in chosen)


def _setting(terms: tuple[Terms, ...]) -> page.Setting:
    here = desk()
    return page.Setting(
        statuses=networks.statuses(here.network),
        addressees=agreements.addressees(agreements.directory(here), here.code),
        origin=here.code,
        terms=terms,
    )


def _signing(terms: Terms, values: Values) -> str:
    """Within what time an addressee signs at the chosen level."""
    urgency = one(values, "urgency")
    if terms.seconds is None or urgency not in frozenset(Urgency):
        return ""
    return page.duration(terms.seconds[Urgency(urgency)][0])


def _readers(paper: Paper) -> list[Reader]:
    """Who may review or issue this draft."""
    here = desk()
    roster, now = here.roster(), here.now()
    on_duty = {roster.accountable(unit, now).officer_ref for unit in roster.units}
    accounts = Account.objects.filter(is_active=True, role__in=[role.value for role in APPROVERS])
    return [
        Reader(account.officer_ref, Role(account.role), account.officer_ref in on_duty)
        for account in accounts.exclude(officer_ref=paper.author).order_by("officer_ref")
        if account.officer_ref in roster.officers
    ]
