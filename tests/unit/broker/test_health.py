"""Whether a worker lives, asked from outside by files and process ids."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tongbao_broker import health, process
from tongbao_broker.health import Trouble


def test_alive_while_its_process_runs_and_turns(tmp_path: Path) -> None:
    """A worker that has said that it is ready, runs and turned lately is alive."""
    process.Pulse(tmp_path).beat()

    assert health.trouble(tmp_path) is None


def test_each_name_has_its_own_file(tmp_path: Path) -> None:
    """Connector, desk and watch share a folder; one doesn't speak for another."""
    process.Pulse(tmp_path, "watch")

    assert health.trouble(tmp_path, "watch") is None
    assert health.trouble(tmp_path, "ready") is Trouble.NOT_READY


def test_an_ended_process_is_not_alive(tmp_path: Path) -> None:
    """The file of a process that has gone counts for nothing."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    process.mark_ready(tmp_path, pid=child.pid)

    assert health.trouble(tmp_path) is Trouble.ENDED


def test_a_later_process_with_the_same_id_is_another(tmp_path: Path) -> None:
    """In a container a successor has its predecessor's process id; the time of its begin tells them apart."""
    (tmp_path / "run").mkdir()
    former = {"pid": os.getpid(), "began": (process.began(os.getpid()) or 0) - 1}
    (tmp_path / "run" / "ready.json").write_text(json.dumps(former), encoding="ascii")

    assert health.trouble(tmp_path) is Trouble.ENDED


def test_a_loop_that_hangs_is_not_alive(tmp_path: Path) -> None:
    """A process that runs, but whose loop no longer turns, is told from one that works."""
    process.Pulse(tmp_path)
    before = time.time() - health.SILENT_S - 10
    os.utime(tmp_path / "run" / "ready.json", (before, before))

    assert health.trouble(tmp_path) is Trouble.STUCK


def test_a_beat_renews_the_time_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many beats only one in five seconds touches the file."""
    pulse, file = process.Pulse(tmp_path), tmp_path / "run" / "ready.json"
    os.utime(file, (1, 1))
    pulse.beat()
    untouched = file.stat().st_mtime
    monkeypatch.setattr(time, "monotonic", lambda: time.perf_counter() + 10**9)
    pulse.beat()

    assert untouched == 1
    assert file.stat().st_mtime > 1


def test_systemd_hears_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where systemd started the process it is told that it is ready, and that it lives; else nobody is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(tmp_path / "notify"))
        there.settimeout(5)
        process.Pulse(tmp_path)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        pulse = process.Pulse(tmp_path)
        monkeypatch.setattr(time, "monotonic", lambda: time.perf_counter() + 10**9)
        pulse.beat()
        heard = [there.recv(100), there.recv(100)]

    assert heard == [b"READY=1", b"WATCHDOG=1"]


@pytest.mark.parametrize(
    ("alive", "code", "line"), [(True, 0, "ready: alive\n"), (False, 1, "ready: has not")]
)
def test_command(tmp_path: Path, alive: bool, code: int, line: str) -> None:
    """Its exit code is what a health check goes by; the line says why."""
    if alive:
        process.Pulse(tmp_path)
    command = [sys.executable, "-m", "tongbao_broker.health", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)

    assert found.returncode == code
    assert found.stdout.startswith(line)
