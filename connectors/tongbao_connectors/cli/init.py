"""`tongbao init DIR`: a new workspace with keys, certificates, root, directory and settings."""

from pathlib import Path
from typing import Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both


@entry(
    "init",
    both(
        "新建工作区：密钥、证书、根文件、目录、各单位设置",
        "Make a workspace: keys, certificates, root, directory, settings",
    ),
)
def init(
    call: Call,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help=both("文件夹", "The folder"))] = None,
) -> None:
    from tongbao_connectors import workspace
    from tongbao_connectors.cli.printing import facts, now

    made = workspace.create(folder or call.folder, now())
    data = {
        "folder": str(made.folder),
        "network": made.network,
        "bootstrap": made.bootstrap,
        "provinces": list(made.provinces),
    }
    call.put(
        data,
        lambda: facts(
            [
                (call.words("工作区", "workspace"), made.folder),
                (call.words("网络", "network"), made.network),
                (call.words("Kafka 地址", "Kafka address"), made.bootstrap),
                (call.words("单位", "provinces"), " ".join(made.provinces)),
            ]
        ),
    )
    call.say(f"启动：tongbao up --dir {made.folder}", f"Start it: tongbao up --dir {made.folder}")
