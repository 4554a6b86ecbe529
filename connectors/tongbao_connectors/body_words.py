"""What bodies say, in words: coded values as labels, regions by name, times in Beijing time.

1. What is unknown is said to be unknown, never left out.
2. Plates, numbers and what a province wrote stand as they are. Digests of documents are left out.
3. Facts come as data where a page gives them a shape of their own (a plate, a missing paper), else as lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tongbao_connectors import words
from tongbao_connectors.wording import Wording
from tongbao_schemas.bodies import alert, answer, codes
from tongbao_schemas.bodies.alert import ALERT_BODIES, AlertBody, Place, Subject
from tongbao_schemas.bodies.answer import ANSWER, AnyAnswer
from tongbao_schemas.codes import Category
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.header import By
from tongbao_schemas.identity import id_number_ok
from tongbao_schemas.refusals import Code


@dataclass(frozen=True, slots=True)
class Thing:
    """A person or an object: what it is, and what is known of it; `minor` is what only belongs to it."""

    said: str
    notes: tuple[str, ...] = ()
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle; `note` says whose it is where that isn't clear."""

    plate: str
    description: str
    note: str


@dataclass(frozen=True, slots=True)
class Papers:
    """The papers that came with a request, and those that it lacks, each a choice of kinds."""

    held: tuple[codes.LegalBasisKind | codes.PaperKind, ...]
    missing: tuple[frozenset[codes.PaperKind], ...]

    @property
    def complete(self) -> bool:
        return not self.missing


def read_alert(plain: dict[str, Any], category: str) -> AlertBody:
    """The model of a stored body, which passed its rules when it came; raises Refused."""
    return ALERT_BODIES[Category(category)].read(compact_json(plain), refuse_as=Code.BODY_SHAPE)


def read_answer(plain: dict[str, Any]) -> AnyAnswer:
    """The same of an answer."""
    return ANSWER.validate_json(compact_json(plain))


def asked(body: AlertBody, w: Wording) -> str:
    """What is to be done."""
    return w.labels(body.request.actions)


def asked_details(body: AlertBody, w: Wording) -> Iterator[str]:
    """How it is to be done: the request's own words, watch, joint operation."""
    if body.request.detail:
        yield body.request.detail
    if body.watch:
        period = w.period(body.watch.start, body.watch.until)
        runs = body.watch.until > w.now and not w.lasting
        left = f"{w.of('，', ', ')}{w.remaining(body.watch.until)}" if runs else ""
        yield w.named("布控", "Watch", period + left)
        yield w.named("命中后", "On a hit:", w.label(body.watch.on_hit))
    if body.operation:
        yield from _operation(body.operation, w)


def _operation(operation: alert.Operation, w: Wording) -> Iterator[str]:
    lead = words.place(operation.lead, w.lang)
    others = w.listed(words.place(code, w.lang) for code in operation.participants)
    name = operation.code_name
    yield w.of(
        f"联合行动 {name}：{lead}牵头，{others}参战", f"Joint operation {name}: led by {lead}, with {others}"
    )
    yield w.of(f"{w.until(operation.not_before)} 之前不得先动", f"Not before {w.until(operation.not_before)}")


def things(body: AlertBody, w: Wording) -> Iterator[Thing]:
    """Who and what the alert is about, vehicles apart."""
    targets = [target for target in body.targets if not isinstance(target, alert.Vehicle)]
    if not body.subjects and not targets:
        yield Thing(w.of("未知", "unknown"))
    yield from (_subject(subject, w) for subject in body.subjects)
    yield from (Thing(_target(target, w)) for target in targets)
    yield from (Thing(line, minor=True) for line in _of_category(body, w))
    for substance in body.substances:
        yield Thing(w.named("物品", "Substance:", _substance(substance, w)), minor=True)


def _subject(subject: Subject, w: Wording) -> Thing:
    birth = (w.age(subject.birth_date),) if subject.birth_date else ()
    said = " · ".join((subject.name, w.label(subject.sex), *birth))
    return Thing(said, tuple(_notes(subject, w)))


def _notes(subject: Subject, w: Wording) -> Iterator[str]:
    measure = w.of(subject.measure.zh, f"measure: {subject.measure.en.lower()}")
    yield f"{_role(subject.role, w)} · {measure}"
    person = " · ".join(_person(subject, w))
    if person:
        yield person
    if subject.id_document:
        yield _document(subject.id_document, w)
    if subject.phones:
        yield w.named("电话", "phone", w.listed(subject.phones))


def _role(role: codes.Role, w: Wording) -> str:
    if role is codes.Role.UNKNOWN:
        return w.of("角色不详", "role unknown")
    return w.of(f"嫌疑角色 {role.zh}", f"suspected role: {role.en.lower()}")


def _person(subject: Subject, w: Wording) -> Iterator[str]:
    if subject.aliases:
        yield w.named("又名", "alias", w.listed(subject.aliases))
    if subject.birth_date:
        yield w.of(f"{subject.birth_date} 出生", f"born {subject.birth_date}")
    if subject.nationality:
        yield w.named("国籍", "nationality", subject.nationality)


def _document(document: alert.IdDocument, w: Wording) -> str:
    wrong = document.kind is codes.IdDocumentKind.ID_CARD and not id_number_ok(document.number)
    note = w.note(w.of("无效号", "no valid number")) if wrong else ""
    return f"{w.label(document.kind)} {document.number}{note}"


def _target(target: alert.Parcel | alert.Account | alert.Site | alert.Chemical, w: Wording) -> str:
    match target:
        case alert.Parcel():
            said = f"{target.carrier} {target.number}"
        case alert.Account():
            said = f"{target.platform} {target.account}"
        case alert.Site():
            said = target.description
        case alert.Chemical():
            said = f"{_substance(target, w)} · {target.description}"
    return f"{w.label(target.kind)}{w.of(' ', ': ')}{said}"


def _of_category(body: AlertBody, w: Wording) -> Iterator[str]:
    """Who and what a category names of its own."""
    if isinstance(body, alert.Precursor):
        if body.firm:
            yield w.named("企业", "Firm:", body.firm)
        if body.permit:
            yield w.named("许可证", "Permit:", body.permit)
    if isinstance(body, alert.StreetDealing):
        yield w.named("上线线索", "Lead upwards:", body.upstream_lead)
    if isinstance(body, alert.OutboundTrafficking) and body.suspected_role not in _roles(body):
        yield w.named("本案", "In this case:", _role(body.suspected_role, w))


def _roles(body: AlertBody) -> set[codes.Role]:
    """What need not be said again of the whole case."""
    return {codes.Role.UNKNOWN, *(subject.role for subject in body.subjects)}


def _substance(substance: alert.CodedSubstance, w: Wording) -> str:
    name = w.label(substance.substance)
    if substance.name:
        name += w.note(substance.name)
    quantity = substance.quantity
    return f"{name} {quantity.amount} {_unit(quantity, w)}" if quantity else name


def _unit(quantity: alert.Quantity, w: Wording) -> str:
    return w.label(quantity.unit) if w.lang == "zh" else quantity.unit.en.lower()


def cars(body: AlertBody, w: Wording) -> Iterator[Car]:
    """The vehicles, whoever drives them."""
    for subject in body.subjects:
        for car in subject.vehicles:
            yield Car(car.plate, car.description or "", subject.name if len(body.subjects) > 1 else "")
    for target in body.targets:
        if isinstance(target, alert.Vehicle):
            yield Car(target.plate, target.description or "", w.of("驾驶人不详", "driver unknown"))


def when(body: AlertBody, w: Wording) -> str:
    """The time of the movement."""
    window = body.movement.window if body.movement else None
    return w.period(window.start, window.until) if window else w.of("时间未知", "time unknown")


def where(body: AlertBody, w: Wording) -> tuple[str, ...]:
    """Way and places."""
    places = (*_movement(body, w), *_places(body, w), *_transport(body, w))
    return places or (w.of("地点未知", "place unknown"),)


def _movement(body: AlertBody, w: Wording) -> Iterator[str]:
    movement = body.movement
    if movement is None:
        return
    on = movement.window.start if movement.window else None
    origin = _place(movement.origin, w, on) if movement.origin else w.of("起点未知", "start unknown")
    via = w.of(f"，经{movement.via}", f", via {movement.via}") if movement.via else ""
    yield f"{origin} → {_place(movement.to, w, on)}{via}"


def _places(body: AlertBody, w: Wording) -> Iterator[str]:
    if isinstance(body, alert.OutboundTrafficking):
        yield from (w.named("流入地", "Destination:", _place(place, w)) for place in body.to_places)
    if isinstance(body, alert.StreetDealing):
        yield w.named("贩卖地点", "Dealt at:", _place(body.place, w))
    for _, place in body.site_places():
        yield w.named("场所", "Site:", _place(place, w))


def _transport(body: AlertBody, w: Wording) -> Iterator[str]:
    if not isinstance(body, alert.Interdiction):
        return
    yield w.named("方式", "By:", w.label(body.mode))
    if body.checkpoint:
        yield w.named("检查站", "Checkpoint:", body.checkpoint)
    if body.route:
        yield w.named("路线", "Route:", body.route)


def _place(place: Place, w: Wording, on: datetime | None = None) -> str:
    region = w.region(place.region, on)
    return f"{region}{w.of('', ' ')}{place.address}" if place.address else region


def dangers(body: AlertBody, w: Wording) -> Iterator[str]:
    """What officers must expect of each subject."""
    for subject in body.subjects:
        said = w.labels(subject.danger)
        yield f"{subject.name}{w.of('：', ': ')}{said}" if len(body.subjects) > 1 else said


def known_danger(body: AlertBody) -> bool:
    """Whether a danger is known of anybody."""
    return any(danger is not codes.Danger.UNKNOWN for subject in body.subjects for danger in subject.danger)


def papers(body: AlertBody) -> Papers:
    """Whether the request has what it needs."""
    kinds = {paper.kind for paper in body.request.papers}
    needed = [choice for action in body.request.actions for choice in codes.PAPERS_NEEDED[action]]
    missing = dict.fromkeys(choice for choice in needed if not kinds & choice)
    return Papers((body.legal_basis.kind, *(paper.kind for paper in body.request.papers)), tuple(missing))


def papers_said(found: Papers, w: Wording) -> str:
    """Complete with how many, or what is lacking."""
    if found.complete:
        return w.of(f"齐全，{len(found.held)} 份", f"complete, {len(found.held)}")
    either = (w.of("或", " or ").join(w.label(kind) for kind in sorted(choice)) for choice in found.missing)
    return w.of("不齐，缺 ", "incomplete, lacking ") + w.listed(either)


def paper(paper: alert.LegalBasis | alert.Paper, w: Wording) -> str:
    """A paper with its number."""
    return f"{w.label(paper.kind)} {paper.number}{marking(paper.marking, w)}"


def marking(mark: codes.Marking, w: Wording) -> str:
    """What is printed on a document, in brackets; nothing for none."""
    return "" if mark is codes.Marking.NONE else w.note(w.label(mark))


def secrecy(review: alert.SecrecyReview, w: Wording) -> str:
    """The secrecy review's result, and whose."""
    return f"{w.label(review.result)} · {review.officer}"


def attachments(body: AlertBody, w: Wording) -> Iterator[str]:
    """The files that travel by themselves."""
    for note in body.attachments:
        size = w.of(f"{note.size} 字节", f"{note.size} bytes")
        yield f"{note.name} · {size}{marking(note.marking, w)}"


def by_whom(by: By) -> str:
    """An officer by reference and unit."""
    return f"{by.officer_ref} {by.unit}"


def verdict(body: AnyAnswer, w: Wording) -> str:
    """What an answer comes to: 反馈：查证属实."""
    kind, colon = w.label(body.kind), w.of("：", ": ")
    match body:
        case answer.Result():
            return f"{kind}{colon}{w.label(body.outcome)}"
        case answer.Returned():
            return f"{kind}{colon}{w.label(body.ground)}"
        case answer.Redirect():
            return f"{kind}{colon}{words.place(body.to, w.lang)}"
        case answer.MoreTime():
            return f"{kind}{w.of('至 ', ' until ')}{w.until(body.until)}"
        case _:
            return kind
