"""Forms that name what is missing: 填写口令, not that some field is required."""

from typing import Any, Final

from django import forms

from tongbao_connectors.desk.language import say

_ANY_FIELD: Final = forms.Field.default_error_messages["required"]


class AskingForm(forms.Form):
    """A form whose empty fields are asked for by their labels, unless a field has its own sentence."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for field in self.fields.values():
            if field.error_messages["required"] is _ANY_FIELD:
                field.error_messages["required"] = _asks(field)


def _asks(field: forms.Field) -> str:
    if isinstance(field, forms.ChoiceField):
        return say("选择{what}", "Choose: {what}", what=field.label)
    return say("填写{what}", "Fill in: {what}", what=field.label)
