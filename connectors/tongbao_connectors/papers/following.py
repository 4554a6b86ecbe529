"""What the originator does with an own alert: the form of each act, who may do it when, and doing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.urls import reverse

from tongbao_broker.errors import Words
from tongbao_connectors.authorisation import Thing, Verb, Who, decide
from tongbao_connectors.case_rules import OWN_FROM, OwnAct, ThreadState
from tongbao_connectors.casework import originating
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.language import current, words
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.papers import agreements, redrafting
from tongbao_connectors.papers.drafting import Hand
from tongbao_connectors.papers.page import province
from tongbao_connectors.store.models import InboxItem, Message
from tongbao_schemas.bodies.codes import AnswerKind, CancelGround, ChangedPart, ClosureOutcome
from tongbao_schemas.codes import Labelled, MessageType, Relation

LONGEST_TEXT: Final = 4000
LONGEST_CHANGE: Final = 500
CHANGES: Final = 3
"""How many changed parts the form has room for; more go into the text or into another update."""


class FollowForm(forms.Form):
    """A text, in the words of who acts."""

    text = forms.CharField(
        label=words("正文", "Text"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": words("写明内容", "Write the text")},
    )

    def __init__(self, data: Any, *, message: Message, asked: Mapping[str, Any]) -> None:
        super().__init__(data, auto_id="%s")
        self.prepare(message, asked)

    def prepare(self, message: Message, asked: Mapping[str, Any]) -> None:
        """What depends on the alert."""

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """Fields that stand beside each other."""
        return []

    @property
    def plain(self) -> list[forms.BoundField]:
        """The others, one below the other."""
        beside = {bound.name for row in self.rows for bound in row}
        return [bound for bound in self if bound.name not in beside]


class CloseForm(FollowForm):
    """办结."""

    outcome = forms.ChoiceField(
        label=words("办结结论", "Outcome"),
        error_messages={"required": words("选择办结结论", "Choose the outcome")},
    )
    field_order = ("outcome", "text")

    def prepare(self, message: Message, asked: Mapping[str, Any]) -> None:
        _choice(self, "outcome").choices = _choices(ClosureOutcome)


class CancelForm(FollowForm):
    """撤销."""

    ground = forms.ChoiceField(
        label=words("撤销理由", "Ground"),
        error_messages={"required": words("选择撤销理由", "Choose the ground")},
    )
    text = forms.CharField(
        label=words("须撤回的措施", "What is to be undone"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=words(
            "写明对方须停止或撤回什么，例如撤控", "What the others stop or take back, a watch for example"
        ),
        error_messages={"required": words("写明须撤回的措施", "Say what is to be undone")},
    )
    field_order = ("ground", "text")

    def prepare(self, message: Message, asked: Mapping[str, Any]) -> None:
        _choice(self, "ground").choices = _choices(CancelGround)


class SupplementForm(FollowForm):
    """补充 or 更正, part by part where it can be said so."""

    relation = forms.ChoiceField(
        label=words("性质", "Kind"),
        widget=forms.RadioSelect,
        error_messages={"required": words("选择补充或更正", "Choose: a supplement or a correction")},
    )
    field_order = ("relation", "text")

    def prepare(self, message: Message, asked: Mapping[str, Any]) -> None:
        relations = (Relation.SUPPLEMENTS, Relation.CORRECTS)
        _choice(self, "relation").choices = [(each.value, each.label(current())) for each in relations]
        for index in range(CHANGES):
            self.fields[f"part{index}"] = forms.ChoiceField(
                label=words("改动的部分", "Changed part"), required=False, choices=_choices(ChangedPart)
            )
            for name, label in (("was", words("原为", "Was")), ("now", words("现为", "Now"))):
                self.fields[f"{name}{index}"] = forms.CharField(
                    label=label, required=False, max_length=LONGEST_CHANGE
                )

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        return [[self[f"{name}{index}"] for name in ("part", "was", "now")] for index in range(CHANGES)]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for index in range(CHANGES):
            if bool(data.get(f"part{index}")) != bool(data.get(f"now{index}")):
                name = "now" if data.get(f"part{index}") else "part"
                said = words("改动的部分和“现为”要一起填", "A changed part and what it is now go together")
                self.add_error(f"{name}{index}", said)
        return data


class RemindForm(FollowForm):
    """催办, of some addressees."""

    to = forms.MultipleChoiceField(
        label=words("催办对象", "Whom to remind"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": words("至少选择一个收件省", "Choose at least one province")},
    )
    field_order = ("to", "text")

    def prepare(self, message: Message, asked: Mapping[str, Any]) -> None:
        field = self.fields["to"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - tells the type
        field.choices = [(code, province(code)) for code in message.audience_codes]
        self.initial["to"] = [asked["to"]] if "to" in asked else list(message.audience_codes)


class ReplyForm(FollowForm):
    """回复 to a question or an answer."""

    to = forms.ChoiceField(
        label=words("回复哪一件", "Which message"),
        error_messages={"required": words("选择回复哪一件", "Choose what to reply to")},
    )
    field_order = ("to", "text")

    def prepare(self, message: Message, asked: Mapping[str, Any]) -> None:
        rows = InboxItem.objects.select_related("message").filter(message__thread=message.thread)
        found = [(row.message.message_id, _named(row.message)) for row in rows.order_by("-message")]
        _choice(self, "to").choices = found
        self.initial["to"] = asked.get("to", found[0][0] if found else "")


class ReissueForm(FollowForm):
    """改发: whom else to notify, chosen here or as an addressee suggested."""

    text = None  # type: ignore[assignment]
    suggestion = forms.ChoiceField(
        label=words("按收件省的建议", "As an addressee suggested"),
        required=False,
        widget=forms.RadioSelect,
        help_text=words(
            "建议的省写在对方的反馈里，打开并带入；这次打开会记录。",
            "The province is named in its answer, which is opened for it; that is recorded.",
        ),
    )
    to = forms.MultipleChoiceField(
        label=words("改发给", "Notify"), required=False, widget=forms.CheckboxSelectMultiple
    )
    field_order = ("suggestion", "to")

    def prepare(self, message: Message, asked: Mapping[str, Any]) -> None:
        here, answers = desk(), redrafting.suggestions(message)
        others = agreements.addressees(agreements.directory(here), here.code)
        offered = [(code, province(code)) for code in others if code not in message.audience_codes]
        suggested = [(each.message_id, _named(each)) for each in answers]
        if offered or not suggested:
            field = self.fields["to"]
            assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - tells the type
            field.choices = offered
            suggested += [("", words("不按建议，自行选择", "Choose below instead"))] if suggested else []
        else:
            del self.fields["to"]
        if suggested:
            _choice(self, "suggestion").choices = suggested
            self.initial["suggestion"] = asked.get("answer", "")
        else:
            del self.fields["suggestion"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("to") and not data.get("suggestion"):
            self.add_error(
                "to" if "to" in self.fields else "suggestion",
                words("至少选择一个省", "Choose at least one province"),
            )
        return data


@dataclass(frozen=True, slots=True)
class Follow:
    """One act: its rule, its right, its words, its form and how it is done.

    `do` gives the address of the page on which it goes on, nothing for that of the alert.
    """

    act: OwnAct
    verb: Verb
    said: Words
    means: Words
    form: type[FollowForm]
    do: Callable[[Message, dict[str, Any], Hand], str | None]


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that can be done now."""

    name: str
    said: Words


def _close(message: Message, data: dict[str, Any], hand: Hand) -> None:
    originating.close(message.message_id, text=data["text"], outcome=data["outcome"], **hand.named())


def _cancel(message: Message, data: dict[str, Any], hand: Hand) -> None:
    originating.cancel(message.message_id, text=data["text"], ground=data["ground"], **hand.named())


def _supplement(message: Message, data: dict[str, Any], hand: Hand) -> None:
    rows = (
        {"part": data[f"part{index}"], "now": data[f"now{index}"], "was": data[f"was{index}"]}
        for index in range(CHANGES)
        if data.get(f"part{index}")
    )
    changes = [{name: text for name, text in row.items() if text} for row in rows]
    originating.supplement(
        message.message_id, relation=data["relation"], text=data["text"], changes=changes, **hand.named()
    )


def _remind(message: Message, data: dict[str, Any], hand: Hand) -> None:
    originating.remind(message.message_id, text=data["text"], to=data["to"], **hand.named())


def _reply(message: Message, data: dict[str, Any], hand: Hand) -> None:
    originating.reply(data["to"], text=data["text"], **hand.named())


def _reissue(message: Message, data: dict[str, Any], hand: Hand) -> str:
    chosen = data.get("suggestion")
    answers = {each.message_id: each for each in redrafting.suggestions(message)}
    paper = redrafting.reissue(message, data.get("to", ()), hand, answers.get(chosen or ""))
    return reverse("draft", args=[paper.pk])


FOLLOWS: Final[Mapping[str, Follow]] = {
    "close": Follow(
        OwnAct.CLOSE,
        Verb.CLOSE,
        Words("办结", "Close"),
        Words(
            "办结后各收件省的这件通报随之办结；补充会重新启动。",
            "It is then closed at every addressee; an update opens it again.",
        ),
        CloseForm,
        _close,
    ),
    "remind": Follow(
        OwnAct.REMIND,
        Verb.URGE,
        Words("催办", "Remind"),
        Words(
            "催办记入双方的经过，不改变时限。", "It is recorded on both sides; deadlines stay as they are."
        ),
        RemindForm,
        _remind,
    ),
    "supplement": Follow(
        OwnAct.SUPPLEMENT,
        Verb.SUPPLEMENT,
        Words("补充/更正", "Supplement or correct"),
        Words(
            "原通报不改动；补充或更正作为新的一件发给全部收件省。",
            "The alert stays as it was; this goes to every addressee as a message of its own.",
        ),
        SupplementForm,
        _supplement,
    ),
    "reply": Follow(
        OwnAct.REPLY,
        Verb.SUPPLEMENT,
        Words("回复", "Reply"),
        Words("只发给提问的省。", "It goes to the province that asked only."),
        ReplyForm,
        _reply,
    ),
    "reissue": Follow(
        OwnAct.REISSUE,
        Verb.SUPPLEMENT,
        Words("改发", "Re-issue"),
        Words(
            "另拟一份通报发给所选的省：带入原文，时限重新确定，须审核、签发。原通报不变。",
            "A new alert to the provinces chosen: its text comes along, its deadlines are set anew; it is "
            "reviewed and issued. This one stays as it is.",
        ),
        ReissueForm,
        _reissue,
    ),
    "cancel": Follow(
        OwnAct.CANCEL,
        Verb.CANCEL,
        Words("撤销", "Cancel"),
        Words(
            "撤销不能收回；收件省须停止措施并回执已撤控。",
            "It can't be taken back; the addressees stop their measures and confirm it.",
        ),
        CancelForm,
        _cancel,
    ),
}
"""Each act by the word in its address, in the order of the page."""


def possible(state: ThreadState, who: Who, thing: Thing, *, received: bool, owing: bool) -> tuple[Offer, ...]:
    """What this officer can do with an own alert in this state, the next normal step first.

    `received`: something came back; `owing`: an addressee still owes something, so it isn't closed yet.
    """
    offers = [
        Offer(name, follow.said)
        for name, follow in FOLLOWS.items()
        if state in OWN_FROM[follow.act]
        and decide(who, follow.verb, thing)
        and (follow.act is not OwnAct.REPLY or received)
    ]
    return tuple(sorted(offers, key=lambda offer: owing and offer.name != "remind"))


def _choice(form: forms.Form, name: str) -> forms.ChoiceField:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type
    return field


def _choices(kind: type[Labelled]) -> list[tuple[str, str]]:
    return [("", words("请选择", "Choose")), *((each.value, each.label(current())) for each in kind)]


def _named(message: Message) -> str:
    answer, lang = message.answer_kind, current()
    kind = AnswerKind(answer).label(lang) if answer else MessageType(message.type).label(lang)
    return f"{province(message.origin)} · {kind} · {message.issued_at.astimezone(BEIJING):%m-%d %H:%M}"
