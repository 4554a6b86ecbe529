"""What an officer may do with a message now, and the small form of each: no act is shown that can't be done.

1. The primary act is the next normal step; beside it its sibling; then two groups, for who needs help or time
   and for what isn't the reader's to do.
2. The state decides by `case_rules`, the person by `authorisation`. Nothing is shown disabled.
3. What an officer typed stays in the form whatever went wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms

from tongbao_broker.errors import Words
from tongbao_connectors.authorisation import Thing, Verb, Who, decide
from tongbao_connectors.case_rules import Act, State, allowed
from tongbao_connectors.desk.language import words
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem
from tongbao_schemas.bodies.codes import Outcome, ReturnGround
from tongbao_schemas.codes import EXCHANGE, MessageType
from tongbao_schemas.number import PROVINCES

LONGEST_TEXT: Final = 4000
LONGEST_WHY: Final = 200
NEXT_MORNING: Final = (8, 30)

WHICH: Final = {
    "claim": (Act.CLAIM, Verb.SIGN, Words("签收", "Sign for")),
    "assign": (Act.ASSIGN, Verb.ASSIGN, Words("交办", "Assign")),
    "reassign": (Act.ASSIGN, Verb.ASSIGN, Words("改派", "Reassign")),
    "start": (Act.START, Verb.WORK, Words("开始核查", "Start")),
    "progress": (Act.PROGRESS, Verb.ANSWER, Words("阶段反馈", "Progress")),
    "result": (Act.RESULT, Verb.ANSWER, Words("反馈结果", "Result")),
    "return": (Act.RETURN, Verb.ANSWER, Words("退回补正", "Return")),
    "redirect": (Act.REDIRECT, Verb.ANSWER, Words("建议改发", "Redirect")),
    "more-time": (Act.MORE_TIME, Verb.ANSWER, Words("申请延期", "More time")),
    "ask": (Act.ASK, Verb.ANSWER, Words("请求补充", "Ask for more")),
    "remind-me": (Act.REMIND_ME, Verb.REMIND, Words("提醒我", "Remind me")),
    "lift": (Act.LIFT, Verb.SIGN, Words("确认撤控", "Confirm lifting")),
    "phone": (Act.CLAIM, Verb.SIGN, Words("电话签收代录", "Taken by phone")),
}
"""Each act by the word in its address: rule of the case, right of the person, its name."""

REPLY: Final = Words("回复", "Reply")
REPLIED_TO: Final = frozenset({MessageType.REPLY, MessageType.REMINDER, MessageType.ANSWER})
HELP: Final = ("ask", "more-time", "remind-me")
NOT_MINE: Final = ("reassign", "redirect", "return")
AT_ONCE: Final = frozenset({"claim", "start", "undo", "lift"})
"""Done by one press, without a form."""
SIGNS_TOO: Final = frozenset({"return", "redirect"})
"""Whoever may sign for a waiting alert can do this at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An act that can be done now."""

    name: str
    said: Words

    @property
    def at_once(self) -> bool:
        return self.name in AT_ONCE


@dataclass(frozen=True, slots=True)
class Choices:
    """The acts that can be done now, as a page groups them."""

    primary: Choice | None
    siblings: tuple[Choice, ...]
    help: tuple[Choice, ...]
    not_mine: tuple[Choice, ...]

    def __bool__(self) -> bool:
        return bool(self.primary or self.siblings or self.help or self.not_mine)


def choices(item: InboxItem, thing: Thing, who: Who, at: datetime) -> Choices:
    """What this person can do with a received message now."""
    if item.message.type != MessageType.ALERT:
        return _of_letter(item, thing, who)
    can = [name for name in WHICH if _can(name, item.state, thing, who)]
    if item.message.expires_at <= at:
        can = [name for name in can if name not in ("claim", "phone")]
    if item.closed_at is not None:
        can = [name for name in can if name != "lift"]
    order = [name for name in _normal(State(item.state)) if name in can]
    return Choices(
        primary=_choice(order[0]) if order else None,
        siblings=tuple(_choice(name) for name in order[1:]),
        help=tuple(_choice(name) for name in HELP if name in can),
        not_mine=tuple(_choice(name) for name in NOT_MINE if name in can and name not in order),
    )


def may_reply(item: InboxItem, thing: Thing, who: Who) -> bool:
    """Whether he can reply to a question, an answer or a reminder that lies with him."""
    open_yet = item.state in (State.WAITING.value, State.READ.value)
    return item.message.type in REPLIED_TO and open_yet and bool(decide(who, Verb.SIGN, thing))


def _of_letter(item: InboxItem, thing: Thing, who: Who) -> Choices:
    reply = Choice("reply", REPLY) if may_reply(item, thing, who) else None
    asked = item.message.type != MessageType.ANSWER
    return Choices(reply if asked else None, () if asked or reply is None else (reply,), (), ())


def _can(name: str, state: str, thing: Thing, who: Who) -> bool:
    act, verb, _ = WHICH[name]
    if not allowed(act, state):
        return False
    if name in SIGNS_TOO and state == State.WAITING.value:
        return bool(decide(who, Verb.SIGN, thing))
    return bool(decide(who, verb, thing))


def _normal(state: State) -> tuple[str, ...]:
    """The next steps in their order."""
    return {
        State.WAITING: ("claim", "phone"),
        State.CLAIMED: ("start", "assign"),
        State.ASSIGNED: ("start", "progress"),
        State.WORKING: ("progress", "result"),
        State.ANSWERED: ("progress", "result"),
        State.CANCELLED: ("lift",),
    }.get(state, ())


def _choice(name: str) -> Choice:
    return Choice(name, WHICH[name][2])


def _text(zh: str, en: str, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=words(zh, en),
        max_length=LONGEST_TEXT,
        help_text=hint,
        widget=forms.Textarea(attrs={"rows": 5, "lang": "zh"}),
        error_messages={"required": words("写明内容", "Say what you found")},
    )


def _coded(zh: str, en: str, values: Any, missing: tuple[str, str]) -> forms.ChoiceField:
    options = [(value.value, words(value.zh, value.en)) for value in values]
    return forms.ChoiceField(
        label=words(zh, en),
        choices=options,
        widget=forms.RadioSelect,
        error_messages={"required": words(*missing), "invalid_choice": words(*missing)},
    )


class Form(forms.Form):
    """An act's form: cleans to what the act takes."""

    use_required_attribute = False

    def given(self) -> Mapping[str, Any]:
        """The keyword arguments for the act."""
        return self.cleaned_data


class Progress(Form):
    """What was found so far."""

    text = _text("进展", "Progress", words("来源省会看到这段文字。", "The origin reads this text."))


class Result(Form):
    """What the checking came to."""

    outcome = _coded("结果", "Outcome", Outcome, ("选择结果", "Choose an outcome"))
    text = _text("说明", "Details", words("来源省会看到这段文字。", "The origin reads this text."))


class Return(Form):
    """Why it goes back."""

    ground = _coded("退回理由", "Ground", ReturnGround, ("选择退回理由", "Choose a ground"))
    text = _text("缺什么", "What is missing", words("写明补什么才能办理。", "Say what is needed to go on."))


class Redirect(Form):
    """Which province should have it."""

    to = forms.ChoiceField(
        label=words("建议改发到", "Redirect to"),
        error_messages={"required": words("选择省份", "Choose a province")},
    )
    text = _text("理由", "Reason")

    def __init__(self, *args: Any, own: str, origin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [code for code in PROVINCES if code not in (own, origin, EXCHANGE)]
        named = [(code, words(PROVINCES[code].zh, PROVINCES[code].en)) for code in others]
        self.fields["to"].choices = [("", words("请选择", "Choose")), *named]  # type: ignore[attr-defined]


class MoreTime(Form):
    """Until when, and why."""

    until = forms.DateTimeField(
        label=words("延至（北京时间）", "Until (Beijing time)"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": words("填写延至何时", "Say until when"),
            "invalid": words("按 年-月-日 时:分 填写", "Write year-month-day hour:minute"),
        },
    )
    text = _text("理由", "Reason")


class Ask(Form):
    """What is needed from the origin."""

    text = _text("需要补充什么", "What is needed", words("作为消息发给来源省。", "Goes to the origin."))


class Reply(Form):
    """What was asked for."""

    text = _text("回复", "Reply", words("发给来信的省。", "Goes to the province that wrote."))


class Assign(Form):
    """Who works on it."""

    to = forms.ChoiceField(
        label=words("承办人", "Officer"),
        error_messages={"required": words("选择承办人", "Choose an officer")},
    )

    def __init__(self, *args: Any, roster: Roster, unit: str, now: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = [each for each in roster.officers.values() if each.officer_ref != now]
        near = sorted(here, key=lambda officer: (officer.unit != unit, officer.unit, officer.officer_ref))
        named = [
            (officer.officer_ref, f"{officer.name}  {roster.units[officer.unit].name}") for officer in near
        ]
        self.fields["to"].choices = [("", words("请选择", "Choose")), *named]  # type: ignore[attr-defined]


class RemindMe(Form):
    """When."""

    when = forms.ChoiceField(
        label=words("何时提醒", "When"),
        choices=[
            ("1h", words("1 小时后", "In 1 hour")),
            ("4h", words("4 小时后", "In 4 hours")),
            ("tomorrow", words("明日 08:30", "Tomorrow 08:30")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": words("选择时间", "Choose a time")},
    )


class Phone(Form):
    """Who took it by phone; the reader records it."""

    other_officer = forms.ChoiceField(
        label=words("电话中签收的人", "Who signed for it by phone"),
        help_text=words("代录人是你，两人都会记录。", "You record it; both are noted."),
        error_messages={"required": words("选择签收人", "Choose who signed")},
    )

    def __init__(self, *args: Any, roster: Roster, signers: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(ref, f"{roster.officers[ref].name}  {ref}") for ref in signers]
        self.fields["other_officer"].choices = [  # type: ignore[attr-defined]
            ("", words("请选择", "Choose")),
            *named,
        ]


class Why(Form):
    """Why a body is opened, printed or exported."""

    why = forms.CharField(
        label=words("事由", "Reason"),
        max_length=LONGEST_WHY,
        help_text=words(
            "会记录在案，来源省可见次数和单位。", "Kept on record; the origin sees how often, by unit."
        ),
        error_messages={"required": words("写明事由", "Give a reason")},
    )


def when_of(choice: str, at: datetime) -> datetime:
    """The time that 提醒我 means."""
    if choice == "tomorrow":
        day = at.astimezone(BEIJING) + timedelta(days=1)
        return day.replace(hour=NEXT_MORNING[0], minute=NEXT_MORNING[1], second=0, microsecond=0)
    return at + {"1h": timedelta(hours=1), "4h": timedelta(hours=4)}[choice]


FORMS: Final[Mapping[str, type[Form]]] = {
    "progress": Progress,
    "result": Result,
    "return": Return,
    "more-time": MoreTime,
    "ask": Ask,
    "reply": Reply,
    "remind-me": RemindMe,
}
"""The forms that need nothing but what is typed."""

OTHER_NAMES: Final[Mapping[str, Words]] = {
    "undo": Words("撤回", "Undo"),
    "reply": REPLY,
    "print": Words("打印", "Print"),
    "export": Words("导出", "Export"),
}


def name_of(name: str) -> Words:
    """What an act is called."""
    return OTHER_NAMES[name] if name in OTHER_NAMES else WHICH[name][2]
