"""A worker's readiness file, its end by signal, and its end with its supervisor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tongbao_broker import process


def test_ready_file_counts_for_its_own_process_only(tmp_path: Path) -> None:
    """A file left by a former process doesn't make a new one ready."""
    assert not process.is_ready(tmp_path, os.getpid())
    process.mark_ready(tmp_path)

    assert process.is_ready(tmp_path, os.getpid())
    assert not process.is_ready(tmp_path, os.getpid() + 1)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_broken_ready_file_is_not_ready(tmp_path: Path, content: bytes) -> None:
    """A torn or foreign file is the same as none."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "ready.json").write_bytes(content)

    assert not process.is_ready(tmp_path, os.getpid())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_set_the_event(number: signal.Signals) -> None:
    """SIGTERM and SIGINT ask the loop to end instead of ending it."""
    former = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        ended = process.on_sigterm()
        os.kill(os.getpid(), number)

        assert ended.wait(1)
    finally:
        signal.signal(signal.SIGTERM, former[0])
        signal.signal(signal.SIGINT, former[1])


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux")
def test_worker_dies_with_its_supervisor() -> None:
    """When a supervisor is killed outright, the kernel kills its workers."""
    worker = "from tongbao_broker import process; process.die_with_parent(); print(1, flush=True); input()"
    supervisor = (
        "import os, subprocess, sys; from tongbao_broker import process;"
        f"c = subprocess.Popen([sys.executable, '-c', {worker!r}], env=process.supervised(dict(os.environ)),"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE);"
        "c.stdout.readline(); print(c.pid, flush=True); input()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", supervisor], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()

    assert _ends(child)


def test_worker_of_a_gone_supervisor_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose supervisor ended before it could ask the kernel ends by itself."""
    program = "from tongbao_broker import process; process.die_with_parent()"
    result = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {process.SUPERVISOR: "1"}, check=False
    )

    assert result.returncode != 0


def _ends(pid: int) -> bool:
    for _ in range(200):
        if not _runs(pid):
            return True
        time.sleep(0.01)
    return False


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
