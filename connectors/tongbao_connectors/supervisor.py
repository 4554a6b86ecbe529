"""Starts child processes in stages, keeps them running, and stops them in reverse order.

Rules:
1. A stage starts when every child of the stage before it is ready. Ready is what a probe says, never a
   delay.
2. A child that ends is started again after 0.25 s, doubling up to 5 s; a minute of life resets the wait.
3. During the first start a child that ends three times before it was ready, or is not ready in time, ends
   the start: everything is stopped and StartFailed says which child and which log.
4. Stopping goes stage by stage from the last to the first: TERM to all of a stage, then KILL to the process
   groups of those still there when the stage's grace is over.
5. Every child leads its own session, so a Ctrl-C at the terminal reaches the supervisor only.
6. A killed supervisor leaves nothing behind: children ask the kernel to end them with their parent
   (PR_SET_PDEATHSIG, Linux). The kernel means the parent *thread*; `run` belongs in the main thread.
"""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 5.0
LONG_LIFE_S = 60.0
PROBE_EVERY_S = 0.05
TRIES_BEFORE_READY = 3


class State(StrEnum):
    """Where a child stands. Pending: its turn hasn't come, or it waits to be started again."""

    PENDING = "pending"
    STARTING = "starting"
    READY = "ready"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Child:
    """A process to keep running.

    `ready` gets the process id and says whether that very process serves by now; it is asked again and again
    in a thread and may block for some seconds. `log` takes standard output and standard error.
    """

    name: str
    command: Sequence[str]
    log: Path
    ready: Callable[[int], bool]
    environment: Mapping[str, str] | None = None
    start_s: float = 60.0


@dataclass(frozen=True)
class Stage:
    """Children that may start side by side, once `prepare` (called in a thread) is done."""

    children: Sequence[Child]
    prepare: Callable[[], None] | None = None
    grace_s: float = 3.0


class StartFailed(Exception):
    """A child never became ready. `name` says which, `log` where its own words are."""

    def __init__(self, name: str, log: Path) -> None:
        super().__init__(f"{name} did not become ready; see {log}")
        self.name = name
        self.log = log


@dataclass
class _Kept:
    """One child and what the supervisor knows about it."""

    child: Child
    state: State = State.PENDING
    pid: int | None = None
    starts: int = 0
    was_ready: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True)
class ChildStatus:
    """What a reader of the status file sees of a child."""

    name: str
    state: State
    pid: int | None
    restarts: int


class Supervisor:
    """Runs the stages until it is told to stop. `changed` is called after every change of a child's state."""

    def __init__(self, stages: Sequence[Stage], changed: Callable[[], None] = lambda: None) -> None:
        self._stages = [(stage, [_Kept(child) for child in stage.children]) for stage in stages]
        self._changed = changed
        self._stopping = False

    def statuses(self) -> list[ChildStatus]:
        """All children in the order of their stages."""
        return [
            ChildStatus(kept.child.name, kept.state, kept.pid, max(0, kept.starts - 1))
            for _, children in self._stages
            for kept in children
        ]

    async def run(self, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
        """Starts everything, calls `started`, waits for `stop`, then stops everything. Raises StartFailed."""
        stop_asked = asyncio.create_task(stop.wait())
        start = asyncio.create_task(self._start())
        try:
            await asyncio.wait({start, stop_asked}, return_when=asyncio.FIRST_COMPLETED)
            if start.done():
                start.result()
                started()
            await stop_asked
        finally:
            await _cancel(start, stop_asked)
            await self._stop()

    async def _start(self) -> None:
        for stage, children in self._stages:
            if stage.prepare is not None:
                await _in_thread(stage.prepare)
            for kept in children:
                kept.task = asyncio.create_task(self._keep(kept))
            await asyncio.gather(*(self._first_ready(kept) for kept in children))

    async def _first_ready(self, kept: _Kept) -> None:
        ready = asyncio.create_task(kept.was_ready.wait())
        given_up = asyncio.create_task(kept.ended.wait())
        await asyncio.wait({ready, given_up}, timeout=kept.child.start_s, return_when=asyncio.FIRST_COMPLETED)
        await _cancel(ready, given_up)
        if not kept.was_ready.is_set():
            raise StartFailed(kept.child.name, kept.child.log)

    async def _keep(self, kept: _Kept) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping:
            began = time.monotonic()
            await self._one_life(kept)
            if not kept.was_ready.is_set() and kept.starts >= TRIES_BEFORE_READY:
                break
            if time.monotonic() - began > LONG_LIFE_S:
                wait_s = FIRST_WAIT_S
            if not self._stopping:
                self._set(kept, State.PENDING)
                await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        kept.ended.set()

    async def _one_life(self, kept: _Kept) -> None:
        process = await _spawn(kept.child)
        kept.pid = process.pid
        kept.starts += 1
        self._set(kept, State.STARTING)
        over = threading.Event()
        probe = asyncio.create_task(self._watch_ready(kept, process.pid, over))
        try:
            await process.wait()
        finally:
            over.set()
            probe.cancel()
        kept.pid = None
        self._set(kept, State.STOPPED)

    async def _watch_ready(self, kept: _Kept, pid: int, over: threading.Event) -> None:
        await _in_thread(lambda: _ask_until_ready(kept.child.ready, pid, over))
        if kept.pid == pid:
            kept.was_ready.set()
            self._set(kept, State.READY)

    def _set(self, kept: _Kept, state: State) -> None:
        kept.state = state
        self._changed()

    async def _stop(self) -> None:
        self._stopping = True
        for stage, children in reversed(self._stages):
            await self._stop_stage(children, stage.grace_s)

    async def _stop_stage(self, children: Sequence[_Kept], grace_s: float) -> None:
        tasks = [kept.task for kept in children if kept.task is not None]
        _signal(children, signal.SIGTERM)
        for kept in children:
            if kept.pid is None and kept.task is not None:
                kept.task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
            _signal(children, signal.SIGKILL)
            await asyncio.wait(tasks)


def _ask_until_ready(ready: Callable[[int], bool], pid: int, over: threading.Event) -> None:
    while not over.is_set() and not ready(pid):
        over.wait(PROBE_EVERY_S)


async def _in_thread(function: Callable[[], None]) -> None:
    """Awaits `function` in a daemon thread: one that hangs delays neither the stop nor the process's end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def work() -> None:
        error: BaseException | None = None
        try:
            function()
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=work, daemon=True).start()
    await done


async def _spawn(child: Child) -> asyncio.subprocess.Process:
    child.log.parent.mkdir(parents=True, exist_ok=True)
    with child.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *child.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(child.environment or {})},
            start_new_session=True,
        )


def _signal(children: Sequence[_Kept], number: signal.Signals) -> None:
    """Signals the whole process group of every child that is still there."""
    for kept in children:
        if kept.pid is not None:
            try:
                os.killpg(kept.pid, number)
            except ProcessLookupError:
                continue


async def _cancel(*tasks: "asyncio.Task[object]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
