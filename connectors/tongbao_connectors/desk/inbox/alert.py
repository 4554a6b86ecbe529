"""An opened body as a page shows it: pure.

1. The answer before the document: what is asked, whether the person may notice, who and what, vehicles, when
   and where, danger, papers, source, the 24 h telephone, in this order. An empty answer is said.
2. Facts and assessment are apart; the assessment says that it is inference, with its grading in words.
3. Each paper stands with the requests that it supports.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tongbao_connectors import body_words
from tongbao_connectors.body_words import Car, Papers, Thing
from tongbao_connectors.wording import Wording
from tongbao_schemas.bodies import alert, codes
from tongbao_schemas.bodies.alert import AlertBody
from tongbao_schemas.bodies.codes import ContactRule

CONTACT_ICONS = {ContactRule.COVERT: "eye-off", ContactRule.OPEN: "eye", ContactRule.WARRANT: "key"}


@dataclass(frozen=True, slots=True)
class Contact:
    """可否惊动: the rule in a few words, what it means, how it is drawn."""

    rule: ContactRule
    said: str
    means: str
    icon: str

    @property
    def covert(self) -> bool:
        return self.rule is ContactRule.COVERT


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A legal paper: what it is, its number, what it supports, the beginning and end of its digest."""

    kind: str
    number: str
    supports: str
    digest: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page shows of an alert's body."""

    title: str
    asked: str
    details: tuple[str, ...]
    contact: Contact
    things: tuple[Thing, ...]
    cars: tuple[Car, ...]
    when: str
    where: tuple[str, ...]
    dangers: tuple[str, ...]
    dangerous: bool
    papers: Papers
    papers_said: str
    phone: str
    phone_unit: str
    lead: str
    facts: str
    assessment: str
    grading: str
    basis: tuple[PaperLine, ...]
    case: str
    case_unit: str
    prepared_by: str
    approved_by: str
    secrecy: str
    kept_until: datetime | None

    @property
    def phone_digits(self) -> str:
        """For dialling."""
        return "".join(each for each in self.phone if each.isdigit() or each == "+")


def sheet_of(body: AlertBody, w: Wording) -> Sheet:
    """The sheet of a body."""
    papers = body_words.papers(body)
    return Sheet(
        title=body.title,
        asked=body_words.asked(body, w),
        details=tuple(body_words.asked_details(body, w)),
        contact=contact_of(body.contact_rule, w),
        things=tuple(body_words.things(body, w)),
        cars=tuple(body_words.cars(body, w)),
        when=body_words.when(body, w),
        where=body_words.where(body, w),
        dangers=tuple(body_words.dangers(body, w)),
        dangerous=body_words.known_danger(body),
        papers=papers,
        papers_said=body_words.papers_said(papers, w),
        phone=body.contact.duty_phone,
        phone_unit=body.contact.unit,
        lead=w.label(body.lead_source),
        facts=body.facts,
        assessment=body.assessment or "",
        grading=_grading(body.grading, w),
        basis=tuple(_basis(body, w)),
        case=body.case.number,
        case_unit=f"{body.case.unit.name}{w.note(w.label(body.case.unit.kind))}",
        prepared_by=body_words.by_whom(body.prepared_by),
        approved_by=body_words.by_whom(body.approved_by),
        secrecy=body_words.secrecy(body.secrecy_review, w),
        kept_until=body.retain_until,
    )


def contact_of(rule: ContactRule, w: Wording) -> Contact:
    """不得惊动 and 秘密核查, each by itself."""
    said, means = {
        ContactRule.COVERT: (w.of("不得惊动", "Do not alert"), w.of("秘密核查", "covert check")),
        ContactRule.OPEN: (w.of("可公开查证", "May be open"), w.of("可以接触当事人", "contact is allowed")),
        ContactRule.WARRANT: (w.of("凭证控制", "On warrant"), w.of("出示文书后控制", "control on papers")),
    }[rule]
    return Contact(rule, said, means, CONTACT_ICONS[rule])


def _grading(grading: alert.Grading, w: Wording) -> str:
    source = f"{w.of('来源', 'source')} {grading.source.value} {w.label(grading.source)}"
    information = f"{w.of('情报', 'information')} {grading.information.value} {w.label(grading.information)}"
    return f"{source} · {information}"


def _basis(body: AlertBody, w: Wording) -> Iterator[PaperLine]:
    found = body.legal_basis
    yield PaperLine(w.label(found.kind), found.number, w.of("全部", "everything"), _short(found.digest))
    for paper in body.request.papers:
        yield PaperLine(w.label(paper.kind), paper.number, _supports(paper, body, w), _short(paper.digest))


def _supports(paper: alert.Paper, body: AlertBody, w: Wording) -> str:
    actions = [
        action
        for action in body.request.actions
        if any(paper.kind in choice for choice in codes.PAPERS_NEEDED[action])
    ]
    return w.labels(actions) or w.of("—", "—")


def _short(digest: str) -> str:
    """The beginning and end of a digest: enough to compare by eye."""
    plain = digest.removeprefix("sha256:")
    return f"{plain[:4]}…{plain[-4:]}"
