"""The two small forms of a posted officer. What he typed stays in a form whatever went wrong."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from tongbao_connectors.casework import commenting
from tongbao_connectors.desk.language import words
from tongbao_connectors.papers.page import province

LONGEST_TEXT: Final = 4000


class Urge(forms.Form):
    """催办: what the hosts are told. Whom is asked only where he is posted to several of the addressees."""

    use_required_attribute = False

    to = forms.MultipleChoiceField(
        label=words("催办对象", "Whom to remind"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": words("至少选择一个收件省", "Choose at least one province")},
    )
    text = forms.CharField(
        label=words("正文", "Text"),
        max_length=LONGEST_TEXT,
        help_text=words("驻地省会看到这段文字。", "The host reads this text."),
        widget=forms.Textarea(attrs={"rows": 5, "lang": "zh"}),
        error_messages={"required": words("写明内容", "Write the text")},
    )

    def __init__(self, data: Any, *, hosts: Sequence[str]) -> None:
        super().__init__(data, auto_id="%s")
        self._hosts = list(hosts)
        if len(hosts) == 1:
            del self.fields["to"]
            return
        field = self.fields["to"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - tells the type
        field.choices = [(code, province(code)) for code in hosts]
        self.initial["to"] = self._hosts

    @property
    def chosen(self) -> list[str]:
        """Who is reminded."""
        return list(self.cleaned_data.get("to", self._hosts))


class Remark(forms.Form):
    """备注: a line for his own province."""

    use_required_attribute = False

    text = forms.CharField(
        label=words("备注", "Comment"),
        max_length=commenting.LONGEST,
        help_text=words(
            "本省在经过中可见，不外发；不随正文销毁，不写案情和姓名。",
            "Shown in this province's history, sent to nobody, and not purged: no case details, no names.",
        ),
        widget=forms.Textarea(attrs={"rows": 3, "lang": "zh"}),
        error_messages={"required": words("写明备注", "Write the comment")},
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="%s")
