"""`tongbao topology plan|apply`: topics and permissions, as the directory demands and the broker has."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

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
