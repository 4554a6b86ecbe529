"""Which drafts are whose: one's own, those to review, those to issue. Nobody is offered his own to decide."""

from datetime import datetime
from typing import Final

from django.db.models import F, QuerySet

from tongbao_connectors.authorisation import APPROVERS, Decision, Thing, Verb, Who, decide
from tongbao_connectors.papers.models import Paper
from tongbao_connectors.papers.states import Act, State

ENDED: Final = (State.ISSUED.value, State.DISCARDED.value)


def thing_of(paper: Paper) -> Thing:
    """A draft as `authorisation` sees it."""
    return Thing(
        kind="draft", unit=paper.unit, direction="out", submitted_by=paper.author, reviewed_by=paper.reviewer
    )


def reads(who: Who, paper: Paper) -> Decision:
    """A draft is read by its author and by those who may review or issue it."""
    own = who.officer_ref == paper.author
    return decide(who, Verb.DRAFT if own else Verb.REVIEW, thing_of(paper))


def mine(who: Who) -> "QuerySet[Paper]":
    """What this officer is writing, or has with others."""
    return Paper.objects.filter(author=who.officer_ref).exclude(state__in=ENDED)


def cleared(who: Who, since: datetime) -> "QuerySet[Paper]":
    """What of this officer's the desk cleared since then, because it was left untouched."""
    gone = Paper.objects.filter(author=who.officer_ref, steps__act=Act.CLEAR.value, steps__at__gte=since)
    return gone.annotate(cleared_at=F("steps__at")).order_by("-cleared_at")


def to_review(who: Who) -> "QuerySet[Paper]":
    """What this officer may pass."""
    return _of_others(who).filter(state=State.REVIEWING.value)


def to_issue(who: Who) -> "QuerySet[Paper]":
    """What this officer may issue."""
    return _of_others(who).filter(state=State.APPROVED.value)


def to_decide(who: Who) -> int:
    """How many drafts wait for this officer."""
    undecided = (State.REVIEWING.value, State.APPROVED.value)
    return _of_others(who).filter(state__in=undecided).count()


def _of_others(who: Who) -> "QuerySet[Paper]":
    others = Paper.objects.exclude(author=who.officer_ref)
    return others if who.role in APPROVERS and who.active else others.none()
