"""The real workers, with a blow at a named commit point: at themselves, or at another process.

    python -m tests.support.striking worker MODULE FOLDER      a worker that a test may strike
    python -m tests.support.striking network DIR               the supervisor of a workspace with such workers

1. A test plans strikes for the worker of a folder (`plan`), also while it runs. They are taken in order.
2. A strike happens the n-th time its point is reached after the strike before it. It is recorded first,
   durably, so that none is taken twice and a test can see that all were (`taken`).
3. A worker that was killed is started again by its supervisor and goes on with the next strike; without one
   it does what the ordinary worker does.
"""

import asyncio
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tongbao_connectors import services, workspace
from tongbao_connectors.supervisor import Child, Stage
from tongbao_connectors.workspace import Workspace

MODULE = "tests.support.striking"
STRUCK = ("tongbao_broker.exchange.worker", "tongbao_connectors.worker")
PLANNED, TAKEN = "strikes.json", "struck.jsonl"


@dataclass(frozen=True)
class Strike:
    """A signal for a process (without `pid`: the worker itself), the `count`-th time `point` is reached."""

    point: str
    count: int = 1
    number: int = signal.SIGKILL
    pid: int | None = None


def plan(folder: Path, strikes: Sequence[Strike]) -> None:
    """Says which strikes the worker of this folder takes, from the first to the last."""
    draft = folder / f"{PLANNED}.new"
    draft.write_text(json.dumps([asdict(strike) for strike in strikes]), encoding="ascii")
    draft.replace(folder / PLANNED)


def planned(folder: Path) -> list[Strike]:
    """All strikes for the worker of this folder, those it has taken first."""
    try:
        return [Strike(**each) for each in json.loads((folder / PLANNED).read_bytes())]
    except FileNotFoundError:
        return []


def taken(folder: Path) -> list[str]:
    """The points at which the worker of this folder was struck so far."""
    try:
        return [json.loads(line)["point"] for line in (folder / TAKEN).read_text("ascii").splitlines()]
    except FileNotFoundError:
        return []


@dataclass
class Target:
    """What a worker of this folder is told as `reached`."""

    folder: Path
    _met: list[str] = field(default_factory=list)

    def reached(self, point: str) -> None:
        """Takes the next strike if this is its point and its turn."""
        waiting = planned(self.folder)[len(taken(self.folder)) :]
        if not waiting or waiting[0].point != point:
            return
        self._met.append(point)
        if len(self._met) >= waiting[0].count:
            self._met.clear()
            self._take(waiting[0])

    def _take(self, strike: Strike) -> None:
        with (self.folder / TAKEN).open("a", encoding="ascii") as file:
            file.write(json.dumps(asdict(strike)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.kill(strike.pid or os.getpid(), strike.number)


def command(module: str, folder: Path) -> list[str]:
    """How a worker that may be struck is started, from the project's root."""
    return [sys.executable, "-m", MODULE, "worker", module, str(folder)]


def stages(of: Workspace) -> list[Stage]:
    """The processes of a workspace, each worker as one that may be struck."""
    kafka, workers = services.stages(of)
    return [kafka, replace(workers, children=[_target(child) for child in workers.children])]


def _target(child: Child) -> Child:
    """A worker with commit points as one that may be struck; any other process as it is."""
    _, _, module, folder = child.command
    return replace(child, command=command(module, Path(folder))) if module in STRUCK else child


def run_worker(module: str, folder: Path) -> None:
    """Runs a worker in this process until it ends."""
    importlib.import_module(module).run(folder, reached=Target(folder).reached)


async def run_network(folder: Path) -> None:
    """Supervises the workspace in `folder` until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await services.serve(workspace.load(folder), stop, processes=stages)


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        run_worker(sys.argv[2], Path(sys.argv[3]))
    else:
        asyncio.run(run_network(Path(sys.argv[2])))
