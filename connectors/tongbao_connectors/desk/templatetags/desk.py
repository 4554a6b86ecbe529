"""Words, times and the small parts of pages. Every template has these tags; `{% load desk %}` is allowed.

{% say "签收" "Sign for" %}   {% say "剩 {n} 分" "{n} min left" n=minutes %}
{{ value|label:"Urgency" }}   {{ code|province }}   {{ text|pick }} (Words)   {{ ref|officer }}
{{ at|time }} 14:18   {{ at|date }} 11-23   {{ at|moment }} 今日 14:18   {{ at|full }} 2026-11-23 14:18
{% icon "eye-off" %}   {% level alert.urgency "tab" %}   {% clock due=… allowed_from=… met_at=… what=… %}
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField, Form
from django.template import Context
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from tongbao_broker.errors import Words
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import language, marks
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.icons import ICONS
from tongbao_connectors.desk.marks import Clock, Level, clock_of, labels
from tongbao_connectors.duty_time import BEIJING
from tongbao_schemas.number import PROVINCES

register = template.Library()

CHINESE_RUN = re.compile(r"[\u4e00-\u9fff][\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]*")


@register.simple_tag
def say(zh: str, en: str, **values: Any) -> str:
    """The sentence in the page's language, values escaped."""
    return language.say(zh, en, **values)


@register.filter
def pick(text: Words | str | None) -> str:
    """`Words` in the page's language."""
    return "" if text is None else language.pick(text)


@register.filter
def label(value: Any, kind: str) -> str:
    """A coded value's word: `{{ alert.urgency|label:"Urgency" }}`; an unknown value as it is."""
    return labels(kind, str(value), language.current())


@register.filter
def province(code: str) -> str:
    """A participant's name."""
    known = PROVINCES.get(code)
    return code if known is None else known.zh if language.current() == "zh" else known.en


@register.filter
def officer(officer_ref: str) -> SafeString | str:
    """An officer's name as the desk's own roster has it, else the reference."""
    known = desk().roster().officers.get(officer_ref)
    return chinese(known.name) if known else officer_ref


@register.filter
def unit(code: str) -> SafeString | str:
    """A unit's name."""
    known = desk().roster().units.get(code)
    return chinese(known.name) if known else code


@register.filter
def chinese(text: object) -> SafeString | str:
    """Text that was written in Chinese, marked so on an English page."""
    return str(text) if language.current() == "zh" else format_html('<span lang="zh">{}</span>', text)


@register.filter
def marked(text: object) -> SafeString | str:
    """A sentence of ours with names in it: on an English page each run of Chinese is marked.

    What is markup already is left as it is.
    """
    if isinstance(text, SafeString):
        return text
    if language.current() == "zh":
        return str(text)
    return mark_safe(CHINESE_RUN.sub(r'<span lang="zh">\g<0></span>', escape(text)))  # noqa: S308 - escaped


@register.filter
def time(at: datetime | None) -> str:
    """14:18, Beijing time."""
    return "" if at is None else f"{at.astimezone(BEIJING):%H:%M}"


@register.filter
def date(at: datetime | None) -> str:
    """11-23, Beijing time."""
    return "" if at is None else f"{at.astimezone(BEIJING):%m-%d}"


@register.filter
def day(at: datetime | None) -> str:
    """11-23, nothing for today, Beijing time."""
    today = desk().now().astimezone(BEIJING).date()
    return "" if at is None or at.astimezone(BEIJING).date() == today else date(at)


@register.filter
def full(at: datetime | None) -> str:
    """2026-11-23 14:18, Beijing time."""
    return "" if at is None else f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


@register.filter
def moment(at: datetime | None) -> str:
    """14:18 of today, 昨日/明日 14:18, else 11-23 14:18."""
    return "" if at is None else marks.moment(at, desk().now(), language.current())


@register.filter
def iso(at: datetime | None) -> str:
    """For `<time datetime>` and scripts."""
    return "" if at is None else at.isoformat()


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """A pictogram that a screen reader passes over; its word stands beside it."""
    return mark_safe(  # noqa: S308 - from our own table
        f'<svg class="icon" width="{int(size)}" height="{int(size)}" viewBox="0 0 24 24" aria-hidden="true" '
        f'focusable="false">{ICONS[name]}</svg>'
    )


@register.inclusion_tag("desk/parts/level.html")
def level(urgency: str, form: str = "badge") -> dict[str, Any]:
    """特急 加急 平急 as `tab`, `badge` or `band`."""
    return {"level": Level.of(urgency), "form": form, "urgency": urgency}


@register.inclusion_tag("desk/parts/status.html")
def status(value: str) -> dict[str, Any]:
    """正式 演练 测试."""
    return {"status": value}


@register.inclusion_tag("desk/parts/kind.html")
def kind(type: str, relation: str = "") -> dict[str, Any]:
    """补充 更正 撤销 反馈 …; nothing for an alert."""
    return {"type": type, "relation": relation}


@register.inclusion_tag("desk/parts/clock.html")
def clock(
    due: datetime | None,
    allowed_from: datetime | None = None,
    met_at: datetime | None = None,
    what: str = "",
    compact: bool = False,
) -> dict[str, Any]:
    """剩 N 分 until `due`, or 按时/超时.

    The bar is the time left of the time from `allowed_from` on; `what` is the word for what is due (签收).
    """
    found: Clock | None = clock_of(due, allowed_from, met_at, desk().now())
    return {"clock": found, "what": what, "compact": compact}


@register.inclusion_tag("desk/parts/trust.html")
def trust(verified: bool = True, by: str = "", at: datetime | None = None, code: str = "") -> dict[str, Any]:
    """来源可信, with who signed and when; 未通过校验 with the code."""
    return {"verified": verified, "by": by, "at": at, "code": code}


@register.inclusion_tag("desk/parts/facts.html")
def facts(
    delivered: Any = None, signed: Any = None, answered: Any = None, closed: Any = None, cancelled: Any = None
) -> dict[str, Any]:
    """已送达 已签收 已反馈 已办结, or 已撤销 in place of the last; each with `at` and `by`, or nothing."""
    ended = (Words("已撤销", "Cancelled"), cancelled) if cancelled else (Words("已办结", "Closed"), closed)
    return {
        "cells": (
            (Words("已送达", "Delivered"), delivered),
            (Words("已签收", "Signed for"), signed),
            (Words("已反馈", "Answered"), answered),
            ended,
        )
    }


@register.inclusion_tag("desk/parts/timeline.html", takes_context=True)
def timeline(context: Context, lines: Iterable[Any]) -> dict[str, Any]:
    """What happened, newest first: lines with `at`, `point` (system, person, entry, fault, failed, own),
    `words` and `by`.
    """
    return {"lines": lines}


@register.inclusion_tag("desk/parts/empty.html")
def empty(title: str, text: str = "", href: str = "", action: str = "") -> dict[str, Any]:
    """The quiet paper where a list would be."""
    return {"title": title, "text": text, "href": href, "action": action}


@register.inclusion_tag("desk/parts/errors.html")
def errors(form: Form) -> dict[str, Any]:
    """The summary at the top of a form that was not accepted."""
    return {"form": form, "found": marks.errors_of(form)}


@register.inclusion_tag("desk/parts/field.html")
def field(bound: BoundField, wide: bool = True) -> dict[str, Any]:
    """A field: label above, hint, error, control."""
    return {"field": bound, "wide": wide, "kind": marks.kind_of(bound)}


@register.inclusion_tag("desk/parts/held.html")
def held(words: Words | str, href: str = "", action: str = "") -> dict[str, Any]:
    """Our own trouble: what waits, why, what happens next."""
    return {"words": words, "href": href, "action": action}


@register.inclusion_tag("desk/parts/conflict.html")
def conflict(words: Words | str, href: str = "", action: str = "") -> dict[str, Any]:
    """Somebody else was first: nothing is lost."""
    return {"words": words, "href": href, "action": action}


@register.inclusion_tag("desk/parts/note.html")
def note(words: Words | str, form: str = "plain", href: str = "", action: str = "") -> dict[str, Any]:
    """A boxed line: `plain`, `ok`, `partial`, `refused` or `undo`."""
    return {"words": words, "form": form, "href": href, "action": action, "icon": marks.NOTE_ICONS[form]}


@register.filter
def role(value: str) -> str:
    """A role's word."""
    return Role(value).label(language.current())


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """What a mapping has under a key that is a variable."""
    return mapping.get(key)
