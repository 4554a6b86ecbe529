"""`tongbao init DIR`: a new workspace; `tongbao init --external CODE`: one more province in a workspace."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_broker.trust.directory import Directory
    from tongbao_connectors.workspace import Workspace


@entry(
    "init",
    both(
        "新建工作区：密钥、证书、根文件、目录、各单位设置；或为工作区登记一个自有系统的省",
        "Make a workspace: keys, certificates, root, directory, settings; or enrol a province in one",
    ),
)
def init(
    call: Call,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help=both("文件夹", "The folder"))] = None,
    external: Annotated[
        str | None,
        typer.Option(
            "--external",
            metavar="CODE",
            help=both(
                "在已有工作区中登记一个使用自有系统的省，如 610000",
                "In an existing workspace, enrol a province with a system of its own, such as 610000",
            ),
        ),
    ] = None,
) -> None:
    if external is None:
        _create(call, folder or call.folder)
    else:
        _enrol(call, folder or call.folder, external)


def _create(call: Call, folder: Path) -> None:
    from tongbao_connectors import workspace
    from tongbao_connectors.cli.printing import facts, now

    made = workspace.create(folder, now())
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


def _enrol(call: Call, folder: Path, code: str) -> None:
    from tongbao_broker.kafka.topics import in_topic, out_topic
    from tongbao_connectors import enrolment, services, workspace
    from tongbao_connectors.cli.printing import facts, now
    from tongbao_connectors.words import place

    found = workspace.load(folder)
    runs = services.running(found) is not None
    done = enrolment.enrol(found, code, now(), open_topics=lambda wanted: _open_topics(found, wanted, runs))
    data = {
        "code": code,
        "folder": str(done.folder),
        "bootstrap": found.bootstrap,
        "out": out_topic(code),
        "in": in_topic(code),
        "directory": {"version": done.directory.version, "digest": done.directory.digest},
        "topics_ready": runs,
    }
    call.put(
        data,
        lambda: facts(
            [
                (call.words("单位", "province"), f"{code} {place(code, call.lang)}"),
                (call.words("文件夹", "folder"), done.folder),
                (call.words("Kafka 地址", "Kafka address"), found.bootstrap),
                (call.words("主题", "topics"), f"{out_topic(code)} {in_topic(code)}"),
                (call.words("目录版本", "directory version"), done.directory.version),
            ]
        ),
    )
    call.say(
        f"把该文件夹交给该省；接入方法见 {done.folder / 'README.md'} 和 docs/integrate.md",
        f"Hand the folder over; {done.folder / 'README.md'} and docs/integrate.md say what comes next",
    )


def _open_topics(workspace: "Workspace", wanted: "Directory", runs: bool) -> None:
    """Where no broker runs, the next start makes the topics."""
    from tongbao_connectors import services

    if runs:
        services.apply_topology(workspace, wanted)
