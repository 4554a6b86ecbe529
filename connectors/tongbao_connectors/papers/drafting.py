"""The acts on a draft, each in one transaction: its state, what stands in it, and a line of its history.

1. Who may do what in which state says `states`; the condition of the update decides between two at once.
2. A draft is saved as it is typed, whatever is wrong with it. What is wrong stops 送审 and 签发 only.
3. Issuing hands the submission to `drafts.submit` in the same transaction that closes the draft. From there
   the connector numbers, seals and signs it. The text is then kept here no longer. The alert out of which it
   was drafted gets a line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NotFound, Words
from tongbao_connectors import drafts
from tongbao_connectors.authorisation import Who
from tongbao_connectors.casework import originating
from tongbao_connectors.desk.here import Desk
from tongbao_connectors.papers import attaching, form, networks, states
from tongbao_connectors.papers.checking import Fault, Question, check, of_refused
from tongbao_connectors.papers.mapping import Officer, Signatures, blank, with_needed_papers
from tongbao_connectors.papers.models import REMARK, Paper, Step
from tongbao_connectors.papers.states import Act, State
from tongbao_connectors.papers.values import Values, without
from tongbao_connectors.roster import Roster
from tongbao_schemas.codes import Category
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused

AWAITED = "—"
"""Stands for the officer who will review or issue it, while a draft is only being checked."""


class Faulty(Exception):
    """The draft can't go on like this."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} faults")


@dataclass(frozen=True, slots=True)
class Hand:
    """Who acts, when, and for which province."""

    officer_ref: str
    roster: Roster
    origin: str
    network: str
    at: datetime

    @classmethod
    def of(cls, who: Who, here: Desk) -> "Hand":
        """Whoever asks for a page, now."""
        return cls(who.officer_ref, here.roster(), here.code, here.network, here.now())

    @property
    def unit(self) -> str:
        """The unit's code; empty for an account that is in no roster."""
        officer = self.roster.officers.get(self.officer_ref)
        return officer.unit if officer else ""

    def named(self) -> dict[str, Any]:
        """As `casework` takes them."""
        return {
            "officer_ref": self.officer_ref,
            "roster": self.roster,
            "origin": self.origin,
            "at": self.at,
        }

    def officer(self, officer_ref: str) -> Officer:
        """How a body names an officer."""
        if officer_ref == AWAITED:
            return Officer(AWAITED, AWAITED)
        return Officer(self.roster.unit_name_of(officer_ref), officer_ref)


def begin(category: Category, hand: Hand, values: Values | None = None, source: str = "") -> Paper:
    """A new draft of this officer, empty or with what was imported; `source` is the alert it was made of."""
    typed = values if values is not None else _started(category, hand)
    with atomic():
        paper = Paper.objects.create(
            category=category.value,
            form=with_needed_papers(typed),
            author=hand.officer_ref,
            unit=hand.unit,
            created_at=hand.at,
            saved_at=hand.at,
            source=source,
        )
        _note(paper, Act.SAVE, hand)
    return paper


def _started(category: Category, hand: Hand) -> Values:
    """A new form: the author's unit is the one that works on the case and that is called, unless changed."""
    unit = hand.roster.unit_name_of(hand.officer_ref)
    own = {"body.case.unit.name": [unit], "body.contact.unit": [unit]}
    return blank(category, networks.statuses(hand.network)) | own


def find(number: int) -> Paper:
    """The draft of this number; raises NotFound."""
    paper = Paper.objects.filter(pk=number).first()
    if paper is None:
        raise NotFound(Words(f"草稿 {number}", f"draft {number}"))
    return paper


def save(paper: Paper, values: Values, hand: Hand) -> Paper:
    """Keeps what is typed. Raises Conflict where the draft is locked, or isn't this officer's."""
    _check(paper, Act.SAVE, hand)
    with atomic():
        changed = _open(paper, Act.SAVE).update(
            form=with_needed_papers(values), saved_at=hand.at, revision=paper.revision + 1
        )
        if not changed:
            raise _changed(paper)
        last = Step.objects.filter(paper=paper).order_by("-pk").first()
        if last is None or last.done is not Act.SAVE or last.officer_ref != hand.officer_ref:
            _note(paper, Act.SAVE, hand)
        else:
            Step.objects.filter(pk=last.pk).update(at=hand.at)
    return find(paper.pk)


def change_category(paper: Paper, category: Category, hand: Hand) -> Paper:
    """Another category: what only the old one asks for goes, all else stays. Raises Conflict."""
    old = Category(paper.category)
    gone = [part.name for part in form.only_in(old, category)]
    return _step(
        paper,
        Act.CATEGORY,
        hand,
        f"{old.zh} → {category.zh}",
        category=category.value,
        form=without(paper.values, gone),
        saved_at=hand.at,
        revision=paper.revision + 1,
    )


def question(paper: Paper, hand: Hand, agreed: Mapping[str, Words]) -> Question:
    """What there is to judge about a draft now."""
    return Question(
        values=paper.values,
        category=Category(paper.category),
        signatures=Signatures(
            hand.officer(paper.author),
            hand.officer(paper.reviewer or AWAITED),
            hand.officer(paper.issuer or AWAITED),
        ),
        origin=hand.origin,
        client_ref=paper.client_ref,
        now=hand.at,
        agreed=agreed,
        files=attaching.notes(paper),
    )


def submit(paper: Paper, hand: Hand, agreed: Mapping[str, Words]) -> Paper:
    """送审. Raises Faulty."""
    _check(paper, Act.SUBMIT, hand)
    faults = check(question(paper, hand, agreed))
    if faults:
        raise Faulty(faults)
    return _step(paper, Act.SUBMIT, hand, reviewer="", issuer="")


def take_back(paper: Paper, hand: Hand) -> Paper:
    """The author goes on writing."""
    return _step(paper, Act.TAKE_BACK, hand)


def pass_on(paper: Paper, hand: Hand, remark: str = "") -> Paper:
    """审核通过: the reviewer also signs for the secrecy review."""
    return _step(paper, Act.PASS, hand, remark, reviewer=hand.officer_ref)


def send_back(paper: Paper, hand: Hand, remark: str) -> Paper:
    """退回修改, with what is to be put right."""
    return _step(paper, Act.SEND_BACK, hand, remark, reviewer="")


def discard(paper: Paper, hand: Hand) -> Paper:
    """作废: the text is gone, the history stays."""
    return _step(paper, Act.DISCARD, hand, form={})


def clear(paper: Paper, at: datetime) -> bool:
    """The desk itself discards what nobody goes on with; False where somebody just did something with it."""
    with atomic():
        if not _open(paper, Act.CLEAR).update(state=State.DISCARDED.value, form={}):
            return False
        Step.objects.create(paper=paper, at=at, act=Act.CLEAR.value, officer_ref="", unit="")
        _forget_words(paper)
    return True


def issue(paper: Paper, hand: Hand, agreed: Mapping[str, Words]) -> drafts.Draft:
    """签发: hands it to the connector. Raises Faulty where it isn't right any more."""
    _check(paper, Act.ISSUE, hand)
    paper.issuer = hand.officer_ref
    asked = question(paper, hand, agreed)
    faults = check(asked)
    if faults:
        raise Faulty(faults)
    try:
        with atomic():
            draft = drafts.submit(
                compact_json(asked.submission()),
                origin=hand.origin,
                by=hand.officer_ref,
                now=hand.at,
                files=attaching.files_of(paper),
            )
            _step(paper, Act.ISSUE, hand, issuer=hand.officer_ref, form={}, message_id=draft.message_id)
            _forget_words(paper)
            if paper.source:
                _tell_source(paper, asked.submission()["audience"], draft.message_id, hand)
    except Refused as refused:
        raise Faulty((of_refused(refused, asked),)) from None
    return draft


def _tell_source(paper: Paper, to: Sequence[str], message_id: str, hand: Hand) -> None:
    originating.note_successor(
        paper.source, to=to, message_id=message_id, officer_ref=hand.officer_ref, unit=hand.unit, at=hand.at
    )


def _step(paper: Paper, act: Act, hand: Hand, remark: str = "", **changes: Any) -> Paper:
    _check(paper, act, hand)
    to = states.after(act, paper.stage)
    with atomic():
        if not _open(paper, act).update(state=to.value, **changes):
            raise _changed(paper)
        _note(paper, act, hand, remark)
        if to is State.DISCARDED:
            _forget_words(paper)
    return find(paper.pk)


def _forget_words(paper: Paper) -> None:
    """What goes with a draft's text: its files and what was remarked on it."""
    attaching.forget(paper)
    Step.objects.filter(paper=paper).update(remark="")


def _check(paper: Paper, act: Act, hand: Hand) -> None:
    who = states.part(hand.officer_ref, author=paper.author, reviewer=paper.reviewer)
    why = states.obstacle(act, paper.stage, who)
    if why is not None:
        raise Conflict(why)


def _open(paper: Paper, act: Act) -> Any:
    """The row, if it is still as it was read."""
    return Paper.objects.filter(pk=paper.pk, state=paper.state, revision=paper.revision)


def _changed(paper: Paper) -> Conflict:
    now = find(paper.pk)
    last = Step.objects.filter(paper=paper).order_by("-pk").first()
    who = last.officer_ref if last else now.author
    return Conflict(
        Words(
            f"稿件已由 {who} 更新，现在是“{now.stage.zh}”",
            f"{who} has changed it; its state is: {now.stage.en}",
        )
    )


def _note(paper: Paper, act: Act, hand: Hand, remark: str = "") -> None:
    Step.objects.create(
        paper=paper,
        at=hand.at,
        act=act.value,
        officer_ref=hand.officer_ref,
        unit=hand.unit,
        remark=remark.strip()[:REMARK],
    )
