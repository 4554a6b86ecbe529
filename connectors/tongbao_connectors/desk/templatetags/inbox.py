"""What only the receiving pages say: `{{ why|reason }}`, `{{ line|codes }}`."""

import re
from typing import Final

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tongbao_broker.errors import Words
from tongbao_connectors import authorisation
from tongbao_connectors.case_rules import EventKind
from tongbao_connectors.desk.language import pick
from tongbao_connectors.desk.templatetags.desk import chinese

register = template.Library()

AUTOMATIC: Final = {
    authorisation.ON_DUTY_WHY: Words(authorisation.ON_DUTY_WHY, "on duty for it"),
    authorisation.HANDLING_WHY: Words(authorisation.HANDLING_WHY, "handles it"),
    authorisation.ASKED_WHY: Words(authorisation.ASKED_WHY, "escalated to"),
    authorisation.POSTED_WHY: Words(authorisation.POSTED_WHY, "posted officer"),
    authorisation.AUTHOR_WHY: Words(authorisation.AUTHOR_WHY, "wrote it"),
    authorisation.REVIEWER_WHY: Words(authorisation.REVIEWER_WHY, "reviewed it"),
    EventKind.REISSUED.zh: Words(EventKind.REISSUED.zh, "to re-issue it"),
    EventKind.SENT_AGAIN.zh: Words(EventKind.SENT_AGAIN.zh, "to correct it and send it again"),
}


CODE: Final = re.compile(r"（[1-9][0-9]{5}）| \([1-9][0-9]{5}\)")


@register.filter
def codes(line: str) -> SafeString:
    """A line whose region codes can be left out where there is no room."""
    said = CODE.sub(lambda code: f'<i class="code-of">{code[0]}</i>', escape(line))
    return mark_safe(said)  # noqa: S308 - escaped above


@register.filter
def reason(why: str) -> SafeString | str:
    """Why a body was opened: an automatic reason in the page's language, a typed one as it was typed."""
    return pick(AUTOMATIC[why]) if why in AUTOMATIC else chinese(why)
