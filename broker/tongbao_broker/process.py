"""How a worker process lives and ends under its supervisor.

1. The supervisor passes its own process id in the environment; a worker that is started so is killed by the
   kernel as soon as its supervisor is gone. Work is safe against that by design: whatever is not committed is
   done again.
2. A worker says that it is ready by a file that holds its process id, so that a stale file of a former one
   doesn't count.
3. SIGTERM and SIGINT set an event that the worker's loop looks at.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from threading import Event

SUPERVISOR = "TONGBAO_SUPERVISOR_PID"
PR_SET_PDEATHSIG = 1
READY = "ready"


def supervised(environment: dict[str, str]) -> dict[str, str]:
    """The environment for a child that must not outlive this process."""
    return environment | {SUPERVISOR: str(os.getpid())}


def die_with_parent() -> None:
    """Asks the kernel to kill this process when its supervisor ends; does nothing when it was started
    otherwise.

    The kernel watches the thread that started the child, so a supervisor starts its children from its main
    thread.
    """
    supervisor = os.environ.get(SUPERVISOR)
    if not supervisor or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if str(os.getppid()) != supervisor:
        raise SystemExit("the supervisor has already gone")


def mark_ready(folder: Path, name: str = READY, pid: int | None = None) -> None:
    """Writes `run/<name>.json` in the worker's folder, whole or not at all; `pid` is this process's."""
    target = _ready_file(folder, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".tmp")
    draft.write_text(json.dumps({"pid": pid or os.getpid()}), encoding="ascii")
    draft.replace(target)


def is_ready(folder: Path, pid: int, name: str = READY) -> bool:
    """True when the worker with this process id has said that it is ready."""
    try:
        state = json.loads(_ready_file(folder, name).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and state.get("pid") == pid


def _ready_file(folder: Path, name: str) -> Path:
    return folder / "run" / f"{name}.json"


def on_sigterm() -> Event:
    """An event that SIGTERM or SIGINT sets; to be called from the main thread."""
    ended = Event()

    def end(_signal: int, _frame: object) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return ended
