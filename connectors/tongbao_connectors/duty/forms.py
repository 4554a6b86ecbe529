"""The forms of 值班 and 交接. Times are Beijing's."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from tongbao_connectors.desk.asking import AskingForm
from tongbao_connectors.desk.language import say, words
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.roster import Officer, Roster

LOCAL = "%Y-%m-%dT%H:%M"


class BeijingTime(forms.DateTimeField):
    """A moment as `<input type="datetime-local">` gives it."""

    def __init__(self, label: Any, required: bool = True) -> None:
        super().__init__(
            label=label,
            required=required,
            input_formats=[LOCAL],
            widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}, format=LOCAL),
            error_messages={
                "required": words("填写日期和时间", "Give a date and a time"),
                "invalid": words("填写日期和时间，如 2026-11-23 20:30", "Give a date and a time"),
            },
        )


class HoursForm(AskingForm):
    """Hours of a unit, from and until."""

    start = BeijingTime(words("从", "From"))
    until = BeijingTime(words("至", "Until"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        start, until = given.get("start"), given.get("until")
        if start and until and not start < until:
            self.add_error("until", say("结束时间须晚于开始时间", "The end must come after the beginning"))
        return given


class OverrideForm(HoursForm):
    """安排: who gets the hours."""

    to = forms.ChoiceField(label=words("由谁值班", "Who takes them"), widget=forms.Select({"lang": "zh"}))

    def __init__(self, roster: Roster, unit: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        _offer(self.fields["to"], _officers(roster, unit))


class SubstituteForm(HoursForm):
    """代班: whose hours go to his substitute."""

    of = forms.ChoiceField(label=words("谁的班", "Whose hours"), widget=forms.Select({"lang": "zh"}))

    def __init__(self, roster: Roster, unit: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        having = [one for one in _officers(roster, unit) if one.substitute]
        choices = [
            (one.officer_ref, f"{_name(one)} → {_name(roster.officers[one.substitute])}")
            for one in having
            if one.substitute
        ]
        self.fields["of"].choices = choices  # type: ignore[attr-defined]


class SwapForm(HoursForm):
    """调班: with whom, and which hours come in return."""

    to = forms.ChoiceField(label=words("与谁调班", "With whom"), widget=forms.Select({"lang": "zh"}))
    back_start = BeijingTime(words("换回：从", "In return: from"), required=False)
    back_until = BeijingTime(words("换回：至", "In return: until"), required=False)

    def __init__(self, roster: Roster, unit: str, asker: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        others = [one for one in _officers(roster, unit) if one.officer_ref != asker]
        _offer(self.fields["to"], others)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        start, until = given.get("back_start"), given.get("back_until")
        if bool(start) != bool(until) and not self.errors.keys() & {"back_start", "back_until"}:
            missing = "back_until" if start else "back_start"
            self.add_error(missing, say("两个时间都填，或都不填", "Give both times or neither"))
        if start and until and not start < until:
            self.add_error(
                "back_until", say("结束时间须晚于开始时间", "The end must come after the beginning")
            )
        return given


class HandoverForm(AskingForm):
    """交班: to whom, and that he has been told."""

    taker = forms.ChoiceField(label=words("接班人", "Who takes over"), widget=forms.Select({"lang": "zh"}))
    briefed = forms.BooleanField(
        label=words(
            "已当面或电话向接班人说明未结事项", "I have told him of the open items, in person or by phone"
        ),
        required=False,
    )

    def __init__(self, roster: Roster, unit: str, giver: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        others = [one for one in _officers(roster, unit) if one.officer_ref != giver]
        _offer(self.fields["taker"], others)


def local(at: Any) -> str:
    """A moment as such a field shows it."""
    return str(at.astimezone(BEIJING).strftime(LOCAL))


def _officers(roster: Roster, unit: str) -> list[Officer]:
    """The unit's officers first, then everybody else."""
    return sorted(roster.officers.values(), key=lambda one: one.unit != unit)


def _offer(field: Any, officers: Iterable[Officer]) -> None:
    choices: Sequence[tuple[str, str]] = [(one.officer_ref, _name(one)) for one in officers]
    field.choices = choices


def _name(officer: Officer) -> str:
    return f"{officer.name} {officer.officer_ref}"
