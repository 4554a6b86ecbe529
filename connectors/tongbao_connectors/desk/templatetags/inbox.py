"""What only the receiving pages say: `{{ why|reason }}`, `{{ line|codes }}`."""

import re
from typing import Final

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tongbao_connectors.authorisation import AUTOMATIC
from tongbao_connectors.desk.language import pick
from tongbao_connectors.desk.templatetags.desk import chinese

register = template.Library()

CODE: Final = re.compile(r"（[1-9][0-9]{5}）| \([1-9][0-9]{5}\)")


@register.filter
def codes(line: str) -> SafeString:
    """A line whose region codes can be left out where there is no room."""
    said = CODE.sub(lambda code: f'<i class="code-of">{code[0]}</i>', escape(line))
    return mark_safe(said)  # noqa: S308 - escaped above


@register.filter
def reason(why: str) -> SafeString | str:
    """Why a body was opened: an automatic reason in the page's language, a typed one as it was typed."""
    said = AUTOMATIC.get(why)
    return pick(said) if said else chinese(why)
