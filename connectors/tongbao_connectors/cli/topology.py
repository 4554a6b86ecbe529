"""`tongbao topology plan|apply|export`: topics and permissions, as the directory demands, the broker has."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_broker.kafka.topology import Plan

group = new_group(both("主题与权限：按目录核对", "Topics and permissions, as the directory demands"))


@entry("plan", both("列出与目录的差别", "List what differs from the directory"))
def plan(call: Call) -> None:
    _put(call, _plan(call))


@entry("apply", both("按目录建立主题与权限", "Make topics and permissions as the directory demands"))
def apply(call: Call) -> None:
    from tongbao_broker.kafka import topology

    changes = _plan(call)
    topology.apply(changes)
    _put(call, changes)
    call.say("已完成。", "Done.")


class Format(StrEnum):
    """What the directory's topics and permissions can be written as."""

    STRIMZI = "strimzi"


class Listener(StrEnum):
    """How clients reach a cluster of Strimzi's."""

    INTERNAL = "internal"
    LOADBALANCER = "loadbalancer"
    NODEPORT = "nodeport"


@entry("export", both("把目录要求的主题与权限写成部署文件", "Write what the directory demands as manifests"))
def export(
    call: Call,
    _form: Annotated[
        Format,
        typer.Option("--format", help=both("Strimzi 的自定义资源（YAML）", "Strimzi's resources, YAML")),
    ] = Format.STRIMZI,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="NAME", help=both("集群名", "The cluster's name"))
    ] = "tongbao",
    namespace: Annotated[
        str, typer.Option("--namespace", metavar="NAME", help=both("命名空间", "The namespace"))
    ] = "tongbao",
    replicas: Annotated[
        int, typer.Option("--replicas", min=1, max=9, help=both("服务器与副本数", "Servers, and replicas"))
    ] = 3,
    listener: Annotated[
        Listener, typer.Option("--listener", help=both("客户端如何到达", "How clients reach it"))
    ] = Listener.INTERNAL,
) -> None:
    from tongbao_broker.kafka import strimzi
    from tongbao_connectors import services

    shape = strimzi.Shape(cluster=cluster, namespace=namespace, replicas=replicas, listener=listener.value)
    made = strimzi.resources(services.directory(call.workspace()).document.participants, shape)
    call.put(made, lambda: print(strimzi.as_yaml(made), end=""))


def _plan(call: Call) -> "Plan":
    from tongbao_broker.kafka import topology
    from tongbao_connectors import services

    workspace = call.workspace()
    if not workspace.brokers and services.running(workspace) is None:
        raise services.NotRunning(str(workspace.folder))
    brokers = len(workspace.brokers) or 1
    return topology.plan(services.broker_connection(workspace), services.directory(workspace), brokers)


def _put(call: Call, changes: "Plan") -> None:
    call.put(
        changes.as_json(),
        lambda: print("\n".join(_lines(changes)) or call.words("没有差别", "no difference")),
    )


def _lines(changes: "Plan") -> Iterator[str]:
    """One line for each difference: + to make, ~ to alter, - to take away, ! a denial (only shown)."""
    yield from (f"+ topic {topic}" for topic in changes.create)
    yield from (f"~ topic {a.topic} {a.setting}: {a.found or '-'} → {a.wanted}" for a in changes.alter)
    for sign, rules in (("+", changes.allow), ("-", changes.remove), ("!", changes.denials)):
        yield from (f"{sign} {r.principal} {r.operation} {r.resource} {r.name}" for r in rules)


plan.add_to(group)
apply.add_to(group)
export.add_to(group)
