"""`tongbao up`: starts Kafka, the exchange and the provinces in the background, until all are ready."""

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both


@entry("up", both("在后台启动工作区的全部服务", "Start all processes of the workspace in the background"))
def up(call: Call) -> None:
    from tongbao_connectors import services
    from tongbao_connectors.cli.progress import fetch_jars

    workspace = call.workspace()
    if services.running(workspace) is None:
        fetch_jars(call.lang)
        call.say("正在启动 …", "Starting …")
        status = services.start_detached(workspace)
    else:
        status = services.wait_started(workspace)
    call.put(status.as_json(), lambda: None)
    call.say(
        f"全部就绪（{len(status.processes)} 个进程）。查看：tongbao status；停止：tongbao down",
        f"All {len(status.processes)} processes are ready. Look: tongbao status; stop: tongbao down",
    )
