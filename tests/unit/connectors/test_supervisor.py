"""The supervisor keeps children running and leaves none behind (tiny Python children, no service)."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tongbao_connectors import supervisor
from tongbao_connectors.supervisor import Child, Stage, StartFailed, State, Supervisor

SERVE = "import os,pathlib,sys,time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SERVE
LOSER = "print('no luck'); raise SystemExit(3)"


def child(folder: Path, name: str, code: str = SERVE) -> Child:
    """A child whose mark file holds its own process id once it serves."""
    mark = folder / f"{name}.pid"
    return Child(
        name=name,
        command=(sys.executable, "-S", "-E", "-c", code, str(mark)),
        log=folder / f"{name}.log",
        ready=lambda pid: mark.exists() and mark.read_text() == str(pid),
        start_s=20,
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("condition never came true")


def run_with(kept: Supervisor, story: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs the supervisor beside a story that ends by setting `stop`."""

    async def both() -> None:
        stop, started = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(kept.run(stop, started.set))
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if started.is_set():
            await story(stop)
        stop.set()
        await running

    asyncio.run(both())


def test_stages_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    """A stage is prepared and started only when the one before it is ready; the last one is stopped first."""
    events: list[str] = []

    def changed() -> None:
        for status in kept.statuses():
            line = f"{status.name} {status.state}"
            if line not in events:
                events.append(line)

    first, second = child(tmp_path, "broker"), child(tmp_path, "worker")
    kept = Supervisor([Stage([first]), Stage([second], prepare=lambda: events.append("prepared"))], changed)

    async def story(stop: asyncio.Event) -> None:
        events.append("started")

    run_with(kept, story)

    def at(event: str) -> int:
        return events.index(event)

    assert at("broker ready") < at("prepared") < at("worker ready") < at("started")
    assert at("worker stopped") < at("broker stopped")


def test_child_that_dies_is_started_again(tmp_path: Path) -> None:
    """A child killed from outside comes back under a new process id and is counted as a restart."""
    kept = Supervisor([Stage([child(tmp_path, "worker")])])

    async def story(stop: asyncio.Event) -> None:
        first = kept.statuses()[0].pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: kept.statuses()[0].pid not in (None, first))
        await until(lambda: kept.statuses()[0].state is State.READY)

    run_with(kept, story)

    assert kept.statuses()[0].restarts == 1


def test_child_that_never_gets_ready_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three early deaths end the start with the child's name and log, and stop what was already running."""
    monkeypatch.setattr(supervisor, "FIRST_WAIT_S", 0.01)
    broker = child(tmp_path, "broker")
    kept = Supervisor([Stage([broker]), Stage([child(tmp_path, "worker", LOSER)])])

    async def story(stop: asyncio.Event) -> None:
        raise AssertionError("must not start")

    with pytest.raises(StartFailed, match="worker") as failed:
        run_with(kept, story)

    assert failed.value.log.read_text().splitlines() == ["no luck"] * 3
    assert not alive(int((tmp_path / "broker.pid").read_text()))


def test_child_deaf_to_term_is_killed_after_the_grace(tmp_path: Path) -> None:
    """The grace bounds the stop, whatever a child does."""
    kept = Supervisor([Stage([child(tmp_path, "deaf", STUBBORN)], grace_s=0.2)])
    asked = 0.0

    async def story(stop: asyncio.Event) -> None:
        nonlocal asked
        asked = time.monotonic()

    run_with(kept, story)

    assert time.monotonic() - asked < 3
    assert not alive(int((tmp_path / "deaf.pid").read_text()))


def test_stop_during_start_does_not_wait_for_readiness(tmp_path: Path) -> None:
    """A stop asked for while a child is still starting ends at once and leaves no child."""
    slow = Child("slow", child(tmp_path, "slow").command, tmp_path / "log", ready=lambda pid: False)
    kept = Supervisor([Stage([slow], grace_s=2)])

    async def both() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(kept.run(stop))
        await until(lambda: (tmp_path / "slow.pid").exists())
        stop.set()
        await running

    asyncio.run(both())

    assert [status.state for status in kept.statuses()] == [State.STOPPED]


def test_hanging_preparation_does_not_delay_the_stop(tmp_path: Path) -> None:
    """Preparation runs in a daemon thread: a stop does not wait for it."""
    entered: list[int] = []

    def hang() -> None:
        entered.append(1)
        time.sleep(60)

    kept = Supervisor([Stage([child(tmp_path, "never")], prepare=hang)])

    async def both() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(kept.run(stop))
        await until(lambda: bool(entered))
        stop.set()
        await asyncio.wait_for(running, 5)

    asyncio.run(both())

    assert kept.statuses()[0].pid is None


def test_failing_preparation_is_reported(tmp_path: Path) -> None:
    """What preparation raises comes out of `run`, after everything was stopped."""

    def refuse() -> None:
        raise ValueError("no topics")

    kept = Supervisor([Stage([child(tmp_path, "broker")]), Stage([], prepare=refuse)])

    async def story(stop: asyncio.Event) -> None:
        raise AssertionError("must not start")

    with pytest.raises(ValueError, match="no topics"):
        run_with(kept, story)

    assert not alive(int((tmp_path / "broker.pid").read_text()))
