"""The processes of a workspace and their supervisor: Kafka, the exchange, connectors, desks and watches.

Rules:
1. One supervisor runs a workspace. It holds a lock on run/supervisor.lock as long as it lives, so that a
   status file which a killed one left behind deceives nobody.
2. Kafka comes first; topics and permissions are applied as soon as it answers; then all workers start
   together.
3. run/supervisor.json says at any time which process is in which state.
4. A worker is ready when it has written its process id to run/ready.json in its folder; Kafka when it
   answers.
5. `python -m tongbao_connectors.services DIR` is the supervisor as a process of its own, for `tongbao up`.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tongbao_broker import process
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import (
    BadConfiguration,
    Conflict,
    OperationError,
    Refused,
    TongbaoError,
    Unreachable,
    exit_code,
)
from tongbao_connectors import workspace as workspaces
from tongbao_connectors.supervisor import Child, ChildStatus, Stage, StartFailed, Supervisor
from tongbao_connectors.workspace import Workspace
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.refusals import Code

MODULE = "tongbao_connectors.services"
if TYPE_CHECKING:
    from tongbao_broker.kafka.client import Connection
    from tongbao_broker.trust.directory import Directory

KAFKA = "kafka"
DESK = "desk"
WATCH = "watch"
KAFKA_GRACE_S = 5.0
WORKER_GRACE_S = 3.0
START_S = 120.0
STOP_S = 12.0
LOOK_EVERY_S = 0.05
LOCK_TRIES = 20


class NotRunning(Unreachable):
    """The workspace's processes are not up."""

    code = "OP-24"
    zh = "本工作区的服务没有运行。"
    en = "The processes of this workspace are not running."
    next_zh = "用 tongbao up 启动。"
    next_en = "Start them with: tongbao up"


class AlreadyRunning(Conflict):
    """Two supervisors can't run one workspace."""

    code = "OP-25"
    zh = "本工作区的服务已在运行。"
    en = "The processes of this workspace are running already."
    next_zh = "用 tongbao down 停止后再试，或用 --dir 另选工作区。"
    next_en = "Stop them with: tongbao down, or choose another workspace with --dir."


class CouldNotStart(OperationError):
    """A process did not get ready."""

    code = "OP-26"
    exit_code = 69
    zh = "服务未能启动。"
    en = "A process did not start."
    next_zh = "查看括号中的日志文件，排除原因后重试。"
    next_en = "Look into the log file named here, remove the cause and try again."


class CouldNotStop(OperationError):
    """The supervisor is still there."""

    code = "OP-27"
    zh = "服务未能停止。"
    en = "The processes did not stop."
    next_zh = "按 tongbao status 显示的进程号自行结束。"
    next_en = "End them by the process ids that tongbao status shows."


class OutOfDate(BadConfiguration):
    """The directory's year is over, and with it that of keys and certificates."""

    code = "OP-31"
    zh = "工作区的目录、密钥和证书已过有效期。"
    en = "The workspace's directory, keys and certificates have expired."
    next_zh = "用 tongbao init 在另一个文件夹新建工作区。"
    next_en = "Make a new workspace in another folder with: tongbao init DIR"


class RunsElsewhere(Conflict):
    """The workspace's servers run in containers; nothing of it is started here."""

    code = "OP-36"
    zh = "本工作区的服务在容器中运行。"
    en = "The processes of this workspace run in containers."
    next_zh = "用 docker compose 启动和停止。"
    next_en = "Start and stop them with: docker compose"


@dataclass(frozen=True)
class Status:
    """What the supervisor last said. `state` is starting, ready, stopping or failed."""

    pid: int
    state: str
    bootstrap: str
    processes: tuple[ChildStatus, ...]
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "processes": [asdict(each) for each in self.processes]}


def stages(workspace: Workspace) -> list[Stage]:
    """Which processes run, in which order."""
    from tongbao_broker.kafka.server import EmbeddedKafka

    server = EmbeddedKafka(
        workspace.broker,
        certificate=workspace.broker / "tls.pem",
        ca=workspace.broker / "ca.pem",
        ports=(workspace.broker_port, workspace.controller_port),
    )
    kafka = Child(
        name=KAFKA,
        command=server.command(),
        log=server.log_file,
        ready=lambda pid: server.answers(),
    )
    workers = [_exchange(workspace), *(_connector(workspace, code) for code in workspace.provinces)]
    officers = [make(workspace, code) for code in workspace.desks for make in (_desk, _watch)]
    return [
        Stage([kafka], prepare=server.prepare, grace_s=KAFKA_GRACE_S),
        Stage([*workers, *officers], prepare=lambda: apply_topology(workspace), grace_s=WORKER_GRACE_S),
    ]


async def serve(
    workspace: Workspace,
    stop: asyncio.Event,
    *,
    started: Callable[[], None] = lambda: None,
    changed: Callable[[Status], None] = lambda status: None,
    processes: Callable[[Workspace], list[Stage]] = stages,
) -> None:
    """Runs the workspace's processes until `stop` is set.

    Raises RunsElsewhere, AlreadyRunning, CouldNotStart.

    `changed` is called with every new status; `processes` says what runs. To be awaited in the main thread.
    """
    if workspace.brokers:
        raise RunsElsewhere(str(workspace.folder))
    with _lock(workspace):
        workspace = workspaces.settle_ports(workspace)
        state, detail = "starting", ""

        def publish() -> None:
            status = Status(os.getpid(), state, workspace.bootstrap, tuple(kept.statuses()), detail)
            _write_status(workspace, status)
            changed(status)

        def be_ready() -> None:
            nonlocal state
            state = "ready"
            publish()
            started()

        directory(workspace)  # one that has expired would let nothing through
        kept = Supervisor(processes(workspace), publish)
        try:
            await kept.run(stop, be_ready)
            state = "stopped"
        except StartFailed as failed:
            state, detail = "failed", f"{failed.name}: {failed.log}"
            raise CouldNotStart(detail) from failed
        except TongbaoError as error:
            state, detail = "failed", str(error)
            raise
        finally:
            publish()


def broker_connection(workspace: Workspace) -> "Connection":
    """The way to the broker with the broker's own certificate (CN=000000), which may do everything."""
    from tongbao_broker.kafka.client import Connection

    broker = workspace.broker
    return Connection(workspace.bootstrap, broker / "tls.pem", broker / "ca.pem", "tongbao-topology")


def directory(workspace: Workspace) -> "Directory":
    """The directory in force, verified from the pinned root. Raises OutOfDate, Refused."""
    from tongbao_broker.trust.directory import load_trust, parse_root_file, parse_trust_file

    file = parse_trust_file((workspace.exchange / "trust.json").read_bytes())
    pinned = parse_root_file((workspace.exchange / "pinned-root.json").read_bytes())
    try:
        return load_trust(file, pinned, network=workspace.network, now=SystemClock().now()).directory
    except Refused as refused:
        if refused.code is Code.DOCUMENT_EXPIRED:
            raise OutOfDate(str(workspace.folder)) from refused
        raise


def apply_topology(workspace: Workspace, wanted: "Directory | None" = None) -> None:
    """Makes the topics and permissions that a directory demands: the one in force unless another is given."""
    from tongbao_broker.kafka import topology

    topology.apply(topology.plan(broker_connection(workspace), wanted or directory(workspace)))


def reload_broker_certificate(workspace: Workspace) -> bool:
    """Whether every broker goes by the certificate that lies in its folder now; False where none runs.

    Raises Unreachable.
    """
    from tongbao_broker.kafka.listener import reload_certificate

    connection = broker_connection(workspace)
    if workspace.brokers:
        servers = zip(workspace.brokers, connection.bootstrap.split(","), strict=True)
        return all(
            reload_certificate(replace(connection, bootstrap=server), workspace.folder / host / "tls.pem")
            for host, server in servers
        )
    return running(workspace) is not None and reload_certificate(connection, workspace.broker / "tls.pem")


def _exchange(workspace: Workspace) -> Child:
    return _worker(workspace.exchange, EXCHANGE, "tongbao_broker.exchange.worker")


def _connector(workspace: Workspace, code: str) -> Child:
    return _worker(workspace.participant(code), code, "tongbao_connectors.worker")


def _desk(workspace: Workspace, code: str) -> Child:
    return _worker(workspace.participant(code), f"{DESK}-{code}", "tongbao_connectors.desk.worker", DESK)


def _watch(workspace: Workspace, code: str) -> Child:
    return _worker(workspace.participant(code), f"{WATCH}-{code}", "tongbao_connectors.duty.worker", WATCH)


def _worker(folder: Path, name: str, module: str, says: str = process.READY) -> Child:
    return Child(
        name=name,
        command=(sys.executable, "-m", module, str(folder)),
        log=folder / "log" / ("output.log" if says == process.READY else f"{says}-output.log"),
        ready=lambda pid: process.is_ready(folder, pid, says),
        environment=process.supervised({}),
    )


def running(workspace: Workspace) -> Status | None:
    """What the supervisor says that runs now; None if none runs."""
    if not _is_locked(workspace):
        return None
    return _read_status(workspace)


def start_detached(workspace: Workspace) -> Status:
    """Starts the supervisor as a process of its own, which outlives this one, and waits until all are ready.

    If another one starts the workspace at the same time, waits for that one. Raises RunsElsewhere,
    CouldNotStart.
    """
    if workspace.brokers:
        raise RunsElsewhere(str(workspace.folder))
    log = _supervisor_log(workspace)
    log.parent.mkdir(exist_ok=True)
    if not _is_locked(workspace):
        _status_file(workspace).unlink(missing_ok=True)
    with log.open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", MODULE, str(workspace.folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return wait_started(workspace, lambda: started.poll() is None or _is_locked(workspace))


def wait_started(workspace: Workspace, lives: Callable[[], bool] = lambda: True) -> Status:
    """Waits until a supervisor that is starting says that all is ready. Raises CouldNotStart."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and lives():
        status = _read_status(workspace)
        if status is not None and status.state == "ready":
            return status
        time.sleep(LOOK_EVERY_S)
    status = _read_status(workspace)
    raise CouldNotStart(status.detail if status and status.detail else str(_supervisor_log(workspace)))


def stop(workspace: Workspace) -> bool:
    """Stops the supervisor and with it all processes. True if it ran. Raises CouldNotStop."""
    status = running(workspace)
    if status is None:
        return False
    until = time.monotonic() + STOP_S
    with _watched(status.pid) as ended, contextlib.suppress(ProcessLookupError):
        os.kill(status.pid, signal.SIGTERM)
        while _is_locked(workspace) or not ended():
            if time.monotonic() > until:
                raise CouldNotStop(f"pid {status.pid}")
            time.sleep(LOOK_EVERY_S)
    return True


@contextmanager
def _watched(pid: int) -> Iterator[Callable[[], bool]]:
    """A question whether this very process has ended, true also while nobody has collected its exit code."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield lambda: True
        return
    try:
        yield lambda: bool(select.select([handle], [], [], 0)[0])
    finally:
        os.close(handle)


def restart(workspace: Workspace, name: str) -> bool:
    """Ends a service in peace and waits until its successor is ready; False where it doesn't run.

    Raises CouldNotStart.
    """
    before = _pid(workspace, name)
    if before is None:
        return False
    os.kill(before, signal.SIGTERM)
    until = time.monotonic() + START_S
    while _pid(workspace, name) in (None, before):
        if time.monotonic() > until:
            raise CouldNotStart(name)
        time.sleep(LOOK_EVERY_S)
    return True


def _pid(workspace: Workspace, name: str) -> int | None:
    """The process id of a service while it is ready."""
    status = running(workspace)
    children = status.processes if status else ()
    return next((each.pid for each in children if each.name == name and each.state == "ready"), None)


def _supervisor_log(workspace: Workspace) -> Path:
    return workspace.folder / "log" / "supervisor.log"


def _lock_file(workspace: Workspace) -> Path:
    return _made(workspace.folder / "run") / "supervisor.lock"


def _status_file(workspace: Workspace) -> Path:
    return _made(workspace.folder / "run") / "supervisor.json"


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def _lock(workspace: Workspace) -> Iterator[None]:
    """Holds the supervisor's lock; tries for a second, since a look at it takes it for an instant."""
    with _lock_file(workspace).open("a") as file:
        for attempt in range(LOCK_TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == LOCK_TRIES - 1:
                    raise AlreadyRunning(str(workspace.folder)) from None
                time.sleep(LOOK_EVERY_S)
        yield


def _is_locked(workspace: Workspace) -> bool:
    with _lock_file(workspace).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _write_status(workspace: Workspace, status: Status) -> None:
    draft = _status_file(workspace).with_suffix(".new")
    draft.write_text(json.dumps(status.as_json()), encoding="utf-8")
    draft.replace(_status_file(workspace))


def _read_status(workspace: Workspace) -> Status | None:
    try:
        facts = json.loads(_status_file(workspace).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    processes = tuple(ChildStatus(**each) for each in facts.pop("processes"))
    return Status(**facts, processes=processes)


def main() -> int:
    """The supervisor as a process: ends with 0 when it was told to stop, else with the error's exit code."""
    workspace = workspaces.load(Path(sys.argv[1]))
    try:
        asyncio.run(_serve_until_signalled(workspace))
    except TongbaoError as error:
        print(error, file=sys.stderr)
        return exit_code(error)
    return 0


async def _serve_until_signalled(workspace: Workspace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(workspace, stop)


if __name__ == "__main__":
    sys.exit(main())
