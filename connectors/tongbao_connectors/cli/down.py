"""`tongbao down`: stops the processes of a workspace."""

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both


@entry("down", both("停止工作区的全部服务", "Stop all processes of the workspace"))
def down(call: Call) -> None:
    from tongbao_connectors import services

    stopped = services.stop(call.workspace())
    call.put({"stopped": stopped}, lambda: None)
    if stopped:
        call.say("已停止。", "Stopped.")
    else:
        call.say("本来就没有运行。", "Nothing was running.")
