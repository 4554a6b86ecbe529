"""How a worker process lives and ends under its supervisor.

1. The supervisor passes its own process id in the environment; a worker that is started so is killed by the
   kernel as soon as its supervisor is gone. Work is safe against that by design: whatever is not committed is
   done again.
2. A worker says that it is ready by a file that holds its process id and when that process began, so that a
   stale file of a former one doesn't count, not even in a container, where process ids repeat.
3. It renews the file's time while its loop turns: a process that hangs is one whose file has grown old
   (`health` asks for both). Where systemd started it, systemd is told the same (sd_notify(3)).
4. SIGTERM and SIGINT set an event that the worker's loop looks at.
"""

import contextlib
import ctypes
import json
import math
import os
import signal
import socket
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

SUPERVISOR = "TONGBAO_SUPERVISOR_PID"
PR_SET_PDEATHSIG = 1
READY = "ready"
SOCKET = "NOTIFY_SOCKET"
BEAT_EVERY_S = 5.0
STARTED = 19
"""Which field behind the command's name in /proc/PID/stat says when the process began (proc(5): field 22)."""


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
    pid = pid or os.getpid()
    draft.write_text(json.dumps({"pid": pid, "began": began(pid)}), encoding="ascii")
    draft.replace(target)


def is_ready(folder: Path, pid: int, name: str = READY) -> bool:
    """True when the worker with this process id has said that it is ready."""
    return said(folder, name).get("pid") == pid


def said(folder: Path, name: str = READY) -> dict[str, Any]:
    """What a worker's ready file says: {"pid": …, "began": …}; empty where there is none or it is broken."""
    try:
        state = json.loads(_ready_file(folder, name).read_bytes())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def began(pid: int) -> int | None:
    """When the process began, in the kernel's ticks since the machine's start; None where none runs."""
    try:
        facts = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return None
    return None if facts[0] == "Z" else int(facts[STARTED])


class Pulse:
    """A worker's sign of life. Made when it is ready; `beat` is called in every turn of its loop."""

    def __init__(self, folder: Path, name: str = READY, pid: int | None = None) -> None:
        mark_ready(folder, name, pid)
        _tell_systemd("READY=1")
        self._file = _ready_file(folder, name)
        self._next_s = time.monotonic() + BEAT_EVERY_S

    @property
    def due(self) -> bool:
        """Whether the next beat would renew it."""
        return time.monotonic() >= self._next_s

    def beat(self) -> None:
        """Renews the ready file's time, now and then."""
        if self.due:
            self._next_s = time.monotonic() + BEAT_EVERY_S
            os.utime(self._file)
            _tell_systemd("WATCHDOG=1")


def _tell_systemd(word: str) -> None:
    """One word to the socket that systemd names; nothing where it isn't systemd that started this process."""
    address = os.environ.get(SOCKET, "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.sendto(word.encode("ascii"), address.replace("@", "\0", 1) if address[0] == "@" else address)


def silent_s(folder: Path, name: str = READY) -> float:
    """Seconds since the worker last showed life; infinite where it never did."""
    try:
        return time.time() - _ready_file(folder, name).stat().st_mtime
    except OSError:
        return math.inf


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
