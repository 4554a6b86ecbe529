"""One supervisor for a workspace, and what it says of itself (no process is started)."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tongbao_connectors import services
from tongbao_connectors import workspace as workspaces
from tongbao_connectors.services import AlreadyRunning, CouldNotStart, OutOfDate, Status
from tongbao_connectors.supervisor import Child, ChildStatus, Stage, State
from tongbao_connectors.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace by name only, with no process to run."""
    monkeypatch.setattr(services.workspaces, "settle_ports", lambda workspace: workspace)
    monkeypatch.setattr(services, "directory", lambda workspace: None)
    return Workspace(tmp_path, "demo", 1, 2, ("520000",))


@contextmanager
def another_supervisor(workspace: Workspace, status: Status) -> Iterator[None]:
    with services._lock(workspace):
        services._write_status(workspace, status)
        yield


def test_status_of_a_dead_supervisor_deceives_nobody(workspace: Workspace) -> None:
    """The status file counts only as long as the lock is held."""
    said = Status(1, "ready", "127.0.0.1:1", (ChildStatus("kafka", State.READY, 2, 0),))
    with another_supervisor(workspace, said):
        assert services.running(workspace) == said

    assert services.running(workspace) is None


def test_second_supervisor_is_refused(workspace: Workspace) -> None:
    """Whoever comes second doesn't start anything."""
    with another_supervisor(workspace, Status(1, "ready", "", ())), pytest.raises(AlreadyRunning):
        asyncio.run(services.serve(workspace, asyncio.Event()))


def test_every_state_is_written_for_others_to_read(workspace: Workspace) -> None:
    """From ready to stopped, with this process's id."""
    said: list[str] = []

    async def serve() -> None:
        stop = asyncio.Event()
        await services.serve(
            workspace,
            stop,
            started=stop.set,
            changed=lambda status: said.append(status.state),
            processes=lambda workspace: [],
        )

    asyncio.run(serve())
    written = json.loads((workspace.folder / "run" / "supervisor.json").read_text())

    assert (said, written["state"]) == (["ready", "stopped"], "stopped")


def test_failed_start_names_process_and_log(workspace: Workspace) -> None:
    """What `up` reads in the status file says where to look."""
    child = Child("100000", ("false",), workspace.folder / "log" / "x.log", ready=lambda pid: False)
    failing = services.serve(workspace, asyncio.Event(), processes=lambda workspace: [Stage([child])])

    with pytest.raises(CouldNotStart, match=r"100000: .*x\.log"):
        asyncio.run(failing)
    with pytest.raises(CouldNotStart, match="100000"):
        services.wait_started(workspace, lives=lambda: False)


def test_nothing_to_stop(workspace: Workspace) -> None:
    """`stop` without a supervisor does nothing and says so."""
    assert services.stop(workspace) is False


def test_expired_workspace_says_so_before_anything_starts(tmp_path: Path) -> None:
    """A year later the directory has expired: the start ends with what to do, not with silent streams."""
    made = workspaces.create(tmp_path / "old", datetime(2020, 1, 1, tzinfo=UTC))

    with pytest.raises(OutOfDate):
        asyncio.run(
            services.serve(made, asyncio.Event(), processes=lambda workspace: pytest.fail("must not start"))
        )


def test_end_of_a_process_is_seen_before_anybody_collects_it() -> None:
    """A child that has ended but wasn't waited for counts as ended; so does a process id that is nobody's."""
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    with services._watched(child.pid) as ended:
        assert not ended()
        child.stdin.close()  # type: ignore[union-attr]
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert ended()
    child.wait()
    with services._watched(child.pid) as ended:
        assert ended()


def test_desk_and_watch_run_beside_the_connector(tmp_path: Path) -> None:
    """A province with a desk has two processes more, each with a log of its own."""
    made = workspaces.create(tmp_path / "demo", datetime.now(UTC))
    children = {child.name: child for stage in services.stages(made) for child in stage.children}

    assert {name for name in children if name.endswith(("440000", "330000"))} == {
        "330000",
        "440000",
        "desk-440000",
        "watch-440000",
    }
    logs = {children[name].log for name in ("440000", "desk-440000", "watch-440000")}
    assert len(logs) == 3
