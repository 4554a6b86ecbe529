"""`tongbao doctor`: what of a workspace or a province's folder is in order, what isn't, and what to do."""

from typing import TYPE_CHECKING

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.doctor import Finding

NAMES = {
    "java": ("Java", "Java"),
    "ports": ("端口", "ports"),
    "broker": ("服务", "services"),
    "clock": ("时钟", "clock"),
    "disk": ("磁盘", "disk"),
    "certificates": ("证书", "certificates"),
    "keys": ("密钥", "keys"),
    "documents": ("信任文件", "documents"),
    "rights": ("权限", "rights"),
    "databases": ("数据库", "databases"),
    "processes": ("进程", "processes"),
    "kafka": ("Kafka", "Kafka"),
}
MARKS = {"good": "✓", "warning": "△", "bad": "✗"}


@entry(
    "doctor",
    both(
        "检查本机与工作区（或一个省的接入端），逐项给出改法",
        "Check a workspace or a province's own folder, with a fix for each fault",
    ),
)
def doctor(call: Call) -> None:
    from tongbao_connectors.cli.printing import now
    from tongbao_connectors.doctor import State, examine, examine_province

    if call.is_one_province():
        findings = list(examine_province(call.settings(), now()))
    else:
        findings = list(examine(call.workspace(), now()))
    bad = sum(each.state is State.BAD for each in findings)
    call.put(
        {"ok": not bad, "findings": [_data(each, call) for each in findings]},
        lambda: _print(call, findings),
    )
    if bad:
        call.say(f"{bad} 项须处理。", f"{bad} to be put right.")
        raise typer.Exit(1)
    call.say("没有须处理的问题。", "Nothing has to be put right.")


def _data(finding: "Finding", call: Call) -> dict[str, str]:
    return {
        "check": finding.check,
        "state": finding.state,
        "what": call.words(*finding.what),
        "fix": call.words(*finding.fix),
    }


def _print(call: Call, findings: list["Finding"]) -> None:
    from rich.table import Table
    from rich.text import Text

    from tongbao_connectors.cli.printing import console

    grid = Table.grid(padding=(0, 2))
    for each in findings:
        grid.add_row(MARKS[each.state], call.words(*NAMES[each.check]), Text(call.words(*each.what)))
        if each.fix.en:
            grid.add_row("", "", Text(f"→ {call.words(*each.fix)}"))
    console().print(grid)
