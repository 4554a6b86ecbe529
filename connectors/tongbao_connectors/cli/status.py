"""`tongbao status`: processes, broker, and what each province has in hand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.services import Status
    from tongbao_connectors.workspace import Workspace


@dataclass(frozen=True)
class Counts:
    """What a province has in hand. `oldest_unsettled`: when the oldest message not yet settled was issued."""

    province: str
    sent: int
    unsettled: int
    waiting: int
    claimed: int
    quarantined: int
    incidents: int
    oldest_unsettled: datetime | None


@entry("status", both("进程、Kafka、各单位收发情况", "Processes, broker, and what each province has in hand"))
def status(call: Call) -> None:
    from tongbao_schemas.encoding import format_time

    counts = [_counts(call, code) for code in call.provinces()]
    rows = [
        {**asdict(each), "oldest_unsettled": each.oldest_unsettled and format_time(each.oldest_unsettled)}
        for each in counts
    ]
    if call.is_one_province():
        _one_province(call, counts, rows)
    else:
        _workspace(call, counts, rows)


def _one_province(call: Call, counts: list[Counts], rows: list[dict[str, Any]]) -> None:
    from tongbao_connectors.cli.printing import facts

    settings, up = call.settings(), call.runs()
    bootstrap = settings.kafka.bootstrap
    data: dict[str, Any] = {
        "folder": str(settings.folder),
        "running": up,
        "broker": {"bootstrap": bootstrap, "answers": any(map(_answers, bootstrap.split(",")))},
        "provinces": rows,
    }

    def show() -> None:
        facts([(call.words("文件夹", "folder"), settings.folder), ("Kafka", _broker(call, data["broker"]))])
        _table(call, counts)

    call.put(data, show)
    if not up:
        call.say("接入端没有运行。", "The connector doesn't run.")


def _workspace(call: Call, counts: list[Counts], rows: list[dict[str, Any]]) -> None:
    from tongbao_connectors import services

    workspace = call.workspace()
    running = services.running(workspace)
    data = {
        "folder": str(workspace.folder),
        "running": None if running is None else running.as_json(),
        "broker": {"bootstrap": workspace.bootstrap, "answers": _answers(workspace.bootstrap)},
        "external": list(workspace.external),
        "provinces": rows,
    }
    call.put(data, lambda: _print(call, workspace, running, counts, data))
    if running is None:
        call.say("服务没有运行；启动：tongbao up", "Nothing runs; start it: tongbao up")


def _counts(call: Call, code: str) -> Counts:
    with call.province(code):
        from tongbao_connectors.case_rules import HELD
        from tongbao_connectors.store.models import Draft, InboxItem, Incident, Outbox, Quarantine

        alerts = InboxItem.objects.filter(message__type="alert")
        unsettled = Outbox.objects.filter(state__in=("sealed", "published"))
        oldest = unsettled.order_by("message__issued_at").values_list("message__issued_at", flat=True).first()
        return Counts(
            province=code,
            sent=Outbox.objects.filter(message__type="alert").count(),
            unsettled=unsettled.count() + Draft.objects.filter(state="drafted").count(),
            waiting=alerts.filter(state="waiting").count(),
            claimed=alerts.filter(state__in=sorted(HELD)).count(),
            quarantined=Quarantine.objects.count(),
            incidents=Incident.objects.count(),
            oldest_unsettled=oldest,
        )


def _answers(address: str) -> bool:
    """Whether somebody listens at `host:port`."""
    import socket

    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except (OSError, ValueError):
        return False
    return True


def _broker(call: Call, broker: Mapping[str, Any]) -> str:
    answers = call.words("可连接", "answers") if broker["answers"] else call.words("无应答", "no answer")
    return f"{broker['bootstrap']} {answers}"


def _print(
    call: Call, workspace: "Workspace", running: "Status | None", counts: list[Counts], data: dict[str, Any]
) -> None:
    from tongbao_connectors.cli.printing import facts, table
    from tongbao_connectors.words import state

    facts(
        [
            (call.words("工作区", "workspace"), workspace.folder),
            ("Kafka", _broker(call, data["broker"])),
            (call.words("自有系统接入", "own systems"), " ".join(workspace.external)),
        ]
    )
    if running is not None:
        table(
            [
                call.words("进程", "process"),
                call.words("状态", "state"),
                "pid",
                call.words("重启", "restarts"),
            ],
            [
                [_name(each.name, call), state(each.state, call.lang), each.pid, each.restarts]
                for each in running.processes
            ],
        )
    _table(call, counts)


def _table(call: Call, counts: list[Counts]) -> None:
    from tongbao_connectors.cli.printing import beijing, table
    from tongbao_connectors.words import place

    headings = [
        call.words("单位", "province"),
        call.words("已发通报", "alerts sent"),
        call.words("未登记", "unsettled"),
        call.words("最早未登记", "oldest unsettled"),
        call.words("待签收", "to sign for"),
        call.words("已签收", "signed for"),
        call.words("隔离", "quarantined"),
        call.words("异常", "incidents"),
    ]
    rows = [
        [
            f"{each.province} {place(each.province, call.lang)}",
            each.sent,
            each.unsettled,
            beijing(each.oldest_unsettled),
            each.waiting,
            each.claimed,
            each.quarantined,
            each.incidents,
        ]
        for each in counts
    ]
    table(headings, rows)


def _name(process: str, call: Call) -> str:
    from tongbao_connectors.words import place

    kind, _, code = process.rpartition("-")
    if not code.isdigit():
        return process
    named = {"desk": call.words("联络台", "desk"), "watch": call.words("值守", "watch")}.get(kind, "")
    return f"{process} {place(code, call.lang)} {named}".rstrip()
