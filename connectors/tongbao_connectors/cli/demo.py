"""`tongbao demo`: the whole network on this machine, with the sample alerts on their way."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tongbao_connectors.cli.frame import INTERRUPTED, Call, entry
from tongbao_connectors.cli.language import both


@entry(
    "demo",
    both(
        "一键演示：Kafka、交换中心、五省，示例通报全程",
        "Try it: Kafka, the exchange, five provinces, sample alerts",
    ),
)
def demo(
    call: Call,
    once: Annotated[
        bool, typer.Option("--once", help=both("走完全部示例即结束", "End when all samples are through"))
    ] = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help=both(
                "与 --once 合用、未指定 --dir 时：保留临时工作区",
                "With --once and no --dir: keep the temporary workspace",
            ),
        ),
    ] = False,
) -> None:
    call.say(
        "通报演示：在本机启动真实的 Kafka、交换中心和五省的接入端。",
        "Tongbao: a real Kafka, the exchange and five provinces on this machine.",
    )
    from tongbao_broker.errors import TongbaoError
    from tongbao_connectors.demo.run import Demo, Outcome

    temporary = once and call.default_folder
    folder = Path(tempfile.mkdtemp(prefix="tongbao-demo-")) if temporary else call.folder

    def put(outcome: Outcome) -> None:
        call.put(outcome.as_json(), lambda: None)

    run = Demo(folder, once=once, lang=call.lang, default_folder=call.default_folder and not once, told=put)
    try:
        outcome = run.run()
    except TongbaoError:
        if temporary:
            call.say(f"工作区和日志留在 {folder}", f"The workspace with its logs stays in {folder}")
        raise
    if temporary and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    if not outcome.ok:
        raise typer.Exit(INTERRUPTED)
