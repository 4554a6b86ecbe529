"""The small forms of acts. What an officer typed stays in a form whatever went wrong."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms

from tongbao_connectors.desk.language import words
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import Roster
from tongbao_schemas.bodies.codes import Outcome, ReturnGround
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.number import PROVINCES

LONGEST_TEXT: Final = 4000
LONGEST_WHY: Final = 200
NEXT_MORNING: Final = (8, 30)
NAMES: Final = {"lang": "zh"}
"""Of a choice of people: names stay as they are written."""


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
        widget=forms.Select(NAMES),
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
        widget=forms.Select(NAMES),
        help_text=words("代录人是你，两人都会记录。", "You record it; both are noted."),
        error_messages={"required": words("选择签收人", "Choose who signed")},
    )

    def __init__(self, *args: Any, roster: Roster, signers: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(ref, f"{roster.officers[ref].name}  {ref}") for ref in signers if ref in roster.officers]
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
