"""`tongbao quarantine list|show`: records that failed verification."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.quarantine import Entry

group = new_group(both("隔离区：未通过校验的记录", "Quarantine: records that failed verification"))


@entry("list", both("列出隔离的记录", "List quarantined records"))
def list_entries(call: Call) -> None:

    with call.province():
        from tongbao_connectors import quarantine

        entries = quarantine.entries()
    call.put([_as_json(each) for each in entries], lambda: _show(call, entries))


@entry("show", both("查看一条隔离的记录", "Show one quarantined record"))
def show(
    call: Call,
    number: Annotated[
        int, typer.Argument(metavar="ID", help=both("隔离区中的序号", "Its number in the list"))
    ],
) -> None:
    from tongbao_connectors.cli.printing import facts

    with call.province():
        from tongbao_connectors import quarantine

        found = quarantine.show(number)
    call.put(_as_json(found), lambda: facts([*_as_json(found).items(), *_advice(call, found.code)]))


def _as_json(found: "Entry") -> dict[str, Any]:
    from tongbao_schemas.encoding import format_time

    return {**asdict(found), "noted_at": format_time(found.noted_at)}


def _advice(call: Call, code: str) -> list[tuple[str, object]]:
    from tongbao_schemas.refusals import REFUSALS, Code

    refusal = REFUSALS[Code(code)]
    return [
        (call.words("原因", "reason"), refusal.sentence(call.lang)),
        (call.words("下一步", "next"), refusal.next_step(call.lang)),
    ]


def _show(call: Call, entries: "list[Entry]") -> None:
    from tongbao_connectors.cli.printing import beijing, table

    if not entries:
        call.say("隔离区是空的。", "The quarantine is empty.")
        return
    headings = [
        call.words("序号", "id"),
        call.words("代码", "code"),
        call.words("位置", "where"),
        call.words("主题", "topic"),
        call.words("偏移", "offset"),
        call.words("来自", "from"),
        call.words("时间", "time"),
    ]
    table(
        headings,
        [[e.id, e.code, e.where, e.topic, e.offset, e.origin, beijing(e.noted_at)] for e in entries],
    )


list_entries.add_to(group)
show.add_to(group)
