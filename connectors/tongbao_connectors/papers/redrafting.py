"""A new draft out of an alert that was issued before, and what became of such drafts.

1. 改发: an own alert, as it was sent, is drafted for other provinces. Its deadlines and its term are left to
   be set anew. The suggestion of an addressee (建议改发) is opened for the province that it names.
2. 修改后重发: an alert that the exchange rejected, with everything that was typed, deadlines too.
3. 改后重拟: one that the connector itself had to refuse.
4. Bodies are opened through `casework.open_body`, with what is being done as the reason. The new draft goes
   over 审核 and 签发 like any other, becomes an alert of its own, and keeps the id of the old one.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tongbao_broker.database import atomic
from tongbao_broker.errors import NotFound, Words
from tongbao_broker.trust.directory import Directory
from tongbao_connectors import casework, composing
from tongbao_connectors.case_rules import EventKind, OwnAct
from tongbao_connectors.casework import originating
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.papers import agreements, attaching, drafting, states
from tongbao_connectors.papers.drafting import Hand
from tongbao_connectors.papers.mapping import to_values
from tongbao_connectors.papers.models import Paper
from tongbao_connectors.papers.values import many
from tongbao_connectors.store.models import Draft, Message, Outbox
from tongbao_connectors.store.records import stored_record
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import Category, MessageType
from tongbao_schemas.encoding import format_time
from tongbao_schemas.header import AlertHeader, parse_header
from tongbao_schemas.number import PROVINCES

REISSUE_WHY: Final = EventKind.REISSUED.zh
SEND_AGAIN_WHY: Final = EventKind.SENT_AGAIN.zh
NOTHING: Final = Words("没有可以重拟的稿件", "there is nothing to draft again")


@dataclass(frozen=True, slots=True)
class Successor:
    """A draft that was made out of an alert: how far it is, for whom, under which number it was sent."""

    paper: Paper
    stand: Words
    to: tuple[str, ...]
    number: str = ""


def suggestions(alert: Message) -> list[Message]:
    """The answers in which addressees suggested somebody else, the newest first."""
    answers = Message.objects.filter(
        thread=alert.thread, type=MessageType.ANSWER.value, answer_kind=AnswerKind.REDIRECT.value
    )
    return list(answers.filter(outbox__isnull=True).order_by("-pk"))


def reissue(alert: Message, to: Sequence[str], hand: Hand, suggestion: Message | None = None) -> Paper:
    """A draft with what an own alert says, for the provinces `to` and the one that was suggested.

    Raises NotFound, also where the body has been purged, Conflict, NoRight.
    """
    originating.check(alert, OwnAct.REISSUE)
    with atomic():
        named = [_opened(suggestion, hand, REISSUE_WHY)["to"]] if suggestion else []
        audience = sorted({*to, *named})
        return _begin(alert, _opened(alert, hand, REISSUE_WHY), hand, audience=audience)


def rejected(message_id: str) -> Message | None:
    """The own alert of this id, if the exchange rejected it."""
    own = Message.objects.filter(message_id=message_id, type=MessageType.ALERT.value)
    return own.filter(outbox__state=Outbox.State.REJECTED).first()


def send_again(alert: Message, directory: Directory, hand: Hand) -> Paper:
    """A draft with what a rejected alert says. Raises like `reissue`."""
    with atomic():
        opened = _opened(alert, hand, SEND_AGAIN_WHY)
        times = _typed_times(alert, directory)
        return _begin(alert, opened, hand, audience=list(alert.audience_codes), **times)


def draft_again(draft: Draft, hand: Hand) -> Paper:
    """A draft with what an issued alert said that the connector had to refuse. Raises NotFound."""
    if draft.state != Draft.State.REFUSED or draft.text is None or draft.type != MessageType.ALERT:
        raise NotFound(NOTHING)
    with atomic():
        paper = _drafted(json.loads(bytes(draft.text)), draft.message_id, hand)
        attaching.carry_held(paper, draft.message_id)
    return paper


def successors(message_id: str) -> list[Successor]:
    """What was drafted out of an alert and not discarded, the newest first."""
    papers = Paper.objects.filter(source=message_id).exclude(state=states.State.DISCARDED.value)
    return [_successor(paper) for paper in papers.order_by("-pk")]


def source_of(paper: Paper | None) -> Message | None:
    """The own alert out of which a draft was made; None where there is none, or none that was sealed."""
    if paper is None or not paper.source:
        return None
    return Message.objects.filter(message_id=paper.source, outbox__isnull=False).first()


def _opened(message: Message, hand: Hand, why: str) -> dict[str, Any]:
    opened = casework.open_body(
        message.message_id,
        officer_ref=hand.officer_ref,
        why=why,
        roster=hand.roster,
        at=hand.at,
        unit=hand.unit,
    )
    return opened.body


def _begin(alert: Message, body: dict[str, Any], hand: Hand, **header: Any) -> Paper:
    kept = {name: getattr(alert, name) for name in ("status", "urgency", "handling", "category")}
    paper = _drafted({**kept, **header, "body": body}, alert.message_id, hand)
    attaching.carry(paper, alert, body.get("attachments", ()))
    return paper


def _drafted(said: dict[str, Any], source: str, hand: Hand) -> Paper:
    category = Category(said["category"])
    values = to_values(said, category, today=hand.at.astimezone(BEIJING).date())
    return drafting.begin(category, hand, values, source=source)


def _typed_times(alert: Message, directory: Directory) -> dict[str, Any]:
    """Deadlines and term as far as they aren't those that the connector fills in."""
    header = parse_header(stored_record(alert).envelope.payload)
    if not isinstance(header, AlertHeader):
        raise NotFound(NOTHING)
    due, times = header.deadlines, dict[str, Any]()
    if due.basis != _agreed_basis(header, directory):
        named = {
            name: format_time(getattr(due, name)) for name in ("sign_by", "first_feedback_by", "result_by")
        }
        times["deadlines"] = {**named, "basis": due.basis}
    if header.expires_at != due.result_by + composing.LIFE:
        times["expires_at"] = format_time(header.expires_at)
    return times


def _agreed_basis(header: AlertHeader, directory: Directory) -> str:
    """What the connector writes as the basis where nobody gives one."""
    known = [code for code in header.audience if code in PROVINCES]
    found = (
        agreements.terms(directory, header.origin, code, header.category, header.handling, header.issued_at)
        for code in known
    )
    return composing.basis_of(each.agreement or composing.FLOOR_BASIS for each in found)


def _successor(paper: Paper) -> Successor:
    if paper.stage is not states.State.ISSUED:
        stand = Words(paper.stage.zh, paper.stage.en)
        return Successor(paper, stand, tuple(_provinces(many(paper.values, "audience"))))
    sent = Message.objects.select_related("outbox").filter(message_id=paper.message_id).first()
    if sent is None:
        failed = Draft.objects.filter(message_id=paper.message_id, state=Draft.State.REFUSED).exists()
        return Successor(paper, _NOT_SENT if failed else _WAITING, ())
    stand = _REJECTED if sent.outbox.state == Outbox.State.REJECTED else _SENT
    return Successor(paper, stand, sent.audience_codes, sent.number)


def _provinces(codes: Sequence[str]) -> Iterator[str]:
    return (code for code in codes if code in PROVINCES)


_SENT: Final = Words("已签发", "issued")
_WAITING: Final = Words("等待发出", "waiting to be sent")
_NOT_SENT: Final = Words("未能发出", "could not be sent")
_REJECTED: Final = Words("交换中心未予登记", "rejected by the exchange")
