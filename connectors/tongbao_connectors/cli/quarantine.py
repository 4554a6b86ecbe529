"""`tongbao quarantine list|show|replay`: records that failed verification."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.quarantine import Entry
    from tongbao_connectors.replaying import Replayed

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


@entry(
    "replay",
    both(
        "用当前版本的程序重新校验隔离的记录，通过的照常投递",
        "Judge quarantined records again with today's program; good ones are delivered",
    ),
)
def replay(
    call: Call,
    number: Annotated[
        int | None, typer.Argument(metavar="[ID]", help=both("隔离区中的序号", "Its number in the list"))
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help=both("所有保存了原文且尚未通过的记录", "All that were kept and aren't good")
        ),
    ] = False,
) -> None:
    from tongbao_connectors.cli.errors import Usage
    from tongbao_connectors.cli.printing import now

    if (number is None) is not every:
        raise Usage(call.words("给出序号，或加 --all", "give a number of the list, or --all"))
    with call.province() as settings:
        from tongbao_connectors import replaying

        replayed = (
            list(replaying.replay_all(settings, now()))
            if number is None
            else [replaying.replay(number, settings, now())]
        )
        all_good = all(one.outcome in replaying.GOOD for one in replayed)
    call.put([asdict(one) for one in replayed], lambda: _tell(call, replayed))
    raise typer.Exit(0 if all_good else 1)


def _tell(call: Call, replayed: "list[Replayed]") -> None:
    from tongbao_connectors.cli.printing import table

    if not replayed:
        call.say("没有可以重新校验的记录。", "There is nothing to be judged again.")
        return
    headings = [
        call.words("序号", "id"),
        call.words("结果", "outcome"),
        call.words("代码", "code"),
        call.words("说明", "why"),
        call.words("消息", "message"),
    ]
    rows = [
        [one.id, call.words(*OUTCOMES[one.outcome]), one.code, one.reason, one.message_id] for one in replayed
    ]
    table(headings, rows)


OUTCOMES = {
    "delivered": ("已投递", "delivered"),
    "known": ("早已收到", "had arrived already"),
    "replayed_before": ("此前已通过", "was found good before"),
    "refused": ("仍未通过", "still refused"),
    "held": ("本系统自身有问题，未作判断", "not judged: trouble of our own"),
    "not_kept": (
        "未保存原文（签名无效），无法重新校验",
        "bytes not kept (no good signature): can't be judged again",
    ),
}
"""What became of an entry, in Chinese and English."""


def _as_json(found: "Entry") -> dict[str, Any]:
    from tongbao_schemas.encoding import format_time

    replayed_at = format_time(found.replayed_at) if found.replayed_at else None
    return {**asdict(found), "noted_at": format_time(found.noted_at), "replayed_at": replayed_at}


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
replay.add_to(group)
