"""`tongbao init DIR`: a new workspace; `tongbao init --external CODE`: one more province in a workspace."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_broker.trust.directory import Directory
    from tongbao_connectors.workspace import Plan, Workspace


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
    network: Annotated[
        str | None,
        typer.Option(
            "--network", metavar="NAME", help=both("网络名（缺省 demo）", "The network (default demo)")
        ),
    ] = None,
    provinces: Annotated[
        str | None,
        typer.Option(
            "--provinces", metavar="CODE,…", help=both("哪些省（缺省五省）", "Which provinces (default five)")
        ),
    ] = None,
    brokers: Annotated[
        str | None,
        typer.Option(
            "--brokers",
            metavar="HOST,…",
            help=both(
                "Kafka 在容器中运行：各服务器的主机名",
                "Kafka runs in containers: the names of its servers",
            ),
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="HOST",
            help=both(
                "各单位使用该主机上 PostgreSQL 的各自数据库",
                "Each participant has a database of its own at this host's PostgreSQL",
            ),
        ),
    ] = None,
) -> None:
    if external is not None:
        _enrol(call, folder or call.folder, external)
        return
    from tongbao_connectors.workspace import DEMO, Plan

    plan = Plan(
        network=network or DEMO.network,
        provinces=_names(provinces) or DEMO.provinces,
        brokers=_names(brokers),
        database=database or DEMO.database,
    )
    _create(call, folder or call.folder, plan)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name for name in (text or "").split(",") if name)


def _create(call: Call, folder: Path, plan: "Plan") -> None:
    from tongbao_connectors import workspace
    from tongbao_connectors.cli.printing import facts, now

    made = workspace.create(folder, now(), plan)
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
    if not made.brokers:
        call.say(f"启动：tongbao up --dir {made.folder}", f"Start it: tongbao up --dir {made.folder}")


def _enrol(call: Call, folder: Path, code: str) -> None:
    from tongbao_broker.kafka.topics import in_topic, out_topic
    from tongbao_connectors import services, workspace
    from tongbao_connectors.cli.printing import facts, now
    from tongbao_connectors.enrolment import external
    from tongbao_connectors.words import place

    found = workspace.load(folder)
    runs = services.running(found) is not None
    done = external.enrol(found, code, now(), open_topics=lambda wanted: _open_topics(found, wanted, runs))
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
