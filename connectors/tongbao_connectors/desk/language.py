"""Two languages side by side: Chinese first, English complete.

1. A text stands in both languages where it is used; there is no catalogue, so none can be missing.
2. The language of a page is Django's current one: `zh-hans`, or `en` where the reader chose or asks for it.
3. What provinces wrote stays as they wrote it, marked as Chinese.
"""

from typing import Any

from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.translation import get_language

from tongbao_broker.errors import Words
from tongbao_connectors.language import Language

CHINESE = "zh-hans"
ENGLISH = "en"


def current() -> Language:
    """The language of the page that is being made."""
    return "en" if (get_language() or CHINESE).startswith(ENGLISH) else "zh"


def pick(text: Words | str) -> str:
    """The text in the page's language; a plain text reads the same in both."""
    if isinstance(text, Words):
        return text.zh if current() == "zh" else text.en
    return text


def say(zh: str, en: str, **values: Any) -> str:
    """The sentence in the page's language; values are escaped into its `{names}`."""
    text = pick(Words(zh, en))
    return format_html(text, **values) if values else text


def _words(zh: str, en: str) -> str:
    return pick(Words(zh, en))


words = lazy(_words, str)
"""A text that decides when it is shown: for labels and choices of forms."""
