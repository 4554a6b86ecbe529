"""`tongbao inbox`: what lies at the officers' desk."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.casework import Item

OPEN = ("waiting", "claimed", "assigned", "working")
ALL = (*OPEN, "answered", "returned", "redirected", "closed", "cancelled", "read")


@entry(
    "inbox",
    both(
        "收件箱：待签收、已签收的通报和待阅的反馈",
        "The inbox: alerts to sign for and signed for, answers to read",
    ),
)
def inbox(
    call: Call,
    everything: Annotated[
        bool, typer.Option("--all", help=both("也列出已反馈和已阅的", "Answered and read ones too"))
    ] = False,
) -> None:
    codes = [call.acting] if call.acting else list(call.provinces())
    items = [item for code in codes for item in _items(call, code, ALL if everything else OPEN)]
    call.put([as_json(code, item) for code, item in items], lambda: _show(call, items))


def as_json(code: str, item: "Item") -> dict[str, Any]:
    """An item with times as on the wire, and the province whose desk it lies at."""
    from tongbao_schemas.encoding import format_time

    facts = {name: format_time(v) if isinstance(v, datetime) else v for name, v in asdict(item).items()}
    return {"province": code, **facts}


def _items(call: Call, code: str, states: tuple[str, ...]) -> list[tuple[str, "Item"]]:
    with call.province(code) as settings:
        from tongbao_connectors import casework

        found = casework.list_inbox(call.officer, roster=settings.roster(), states=states)
    return [(code, item) for item in found]


def _show(call: Call, items: list[tuple[str, "Item"]]) -> None:
    from tongbao_connectors.cli.printing import table

    if not items:
        call.say("收件箱是空的。", "The inbox is empty.")
        return
    columns = _columns(call, items)
    whole = {call.words("等级", "urgency"), call.words("性质", "status")}
    table(list(columns), list(zip(*columns.values(), strict=True)), whole=whole)


def _columns(call: Call, items: list[tuple[str, "Item"]]) -> dict[str, list[object]]:
    """Heading → cells. Whose inbox it is is said only where several provinces' are listed."""
    from tongbao_connectors.cli.printing import now
    from tongbao_connectors.wording import left
    from tongbao_connectors.words import category, kind, place, state, status, urgency

    lang, at = call.lang, now()
    shown = [item for _, item in items]
    where: dict[str, list[object]] = (
        {} if call.acting else {call.words("单位", "at"): [place(code, lang) for code, _ in items]}
    )
    return {
        **where,
        call.words("编号", "number"): [item.number for item in shown],
        call.words("种类", "type"): [kind(item.type, lang, item.answer_kind) for item in shown],
        call.words("等级", "urgency"): [urgency(item.urgency, lang) for item in shown],
        call.words("性质", "status"): [status(item.status, lang) for item in shown],
        call.words("类别", "category"): [category(item.category, lang) for item in shown],
        call.words("来自", "from"): [place(item.origin, lang) for item in shown],
        call.words("状态", "state"): [state(item.state, lang, item.type) for item in shown],
        call.words("责任人", "officer"): [item.claimed_by or item.officer_ref for item in shown],
        call.words("签收剩余", "to sign"): [
            left(item.sign_by, at, lang) if item.state == "waiting" else "" for item in shown
        ],
    }
