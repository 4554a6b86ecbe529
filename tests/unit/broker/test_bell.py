"""A bell that ends a wait, rung by a thread or by another process."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from tongbao_broker.bell import Bell, ring

LONG = 30.0


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    bell = Bell(tmp_path / "bell")
    yield bell
    bell.close()


def test_a_wait_that_nobody_ends_takes_its_time(bell: Bell) -> None:
    """And says that nobody rang."""
    before = time.monotonic()

    assert not bell.wait(0.05)
    assert time.monotonic() - before >= 0.05


def test_a_thread_ends_a_wait(bell: Bell) -> None:
    """As the library's thread does when a fetch has come."""
    Timer(0.02, bell.ring).start()

    assert bell.wait(LONG)


def test_another_process_ends_a_wait(bell: Bell, tmp_path: Path) -> None:
    """As whoever submits a draft does."""
    code = (
        "import sys; from pathlib import Path; from tongbao_broker.bell import ring; ring(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "bell")], check=True)

    assert bell.wait(LONG)


def test_rings_before_a_wait_are_heard_as_one(bell: Bell, tmp_path: Path) -> None:
    """Nothing is lost between looking and waiting, and nothing is heard twice."""
    for _ in range(3):
        bell.ring()
        ring(tmp_path / "bell")

    assert bell.wait(LONG)
    assert not bell.wait(0)


def test_more_rings_than_a_socket_holds_stop_nobody(bell: Bell, tmp_path: Path) -> None:
    """Whoever rings never waits for whoever listens."""
    for _ in range(5000):
        bell.ring()
        ring(tmp_path / "bell")

    assert bell.wait(LONG)


def test_a_bell_without_a_listener_is_rung_in_vain(tmp_path: Path) -> None:
    """A stopped connector is no reason for a submitter to fail."""
    ring(tmp_path / "nobody")
    bell = Bell(tmp_path / "bell")
    bell.close()
    ring(tmp_path / "bell")

    assert not (tmp_path / "bell").exists()


def test_a_new_process_takes_the_place_of_a_stale_socket(tmp_path: Path) -> None:
    """A process that was killed leaves its socket behind."""
    stale = Bell(tmp_path / "bell")
    bell = Bell(tmp_path / "bell")
    ring(tmp_path / "bell")

    assert bell.wait(LONG)
    assert not stale.wait(0)
    bell.close()
    stale.close()


def test_a_path_too_long_for_a_socket_leaves_a_bell_for_threads(tmp_path: Path) -> None:
    """The loop looks again after a while in any case."""
    bell = Bell(tmp_path / ("x" * 200))
    ring(tmp_path / ("x" * 200))

    assert not bell.wait(0)
    bell.ring()
    assert bell.wait(LONG)
    bell.close()


def test_only_this_user_may_ring(bell: Bell, tmp_path: Path) -> None:
    """The socket is readable and writable for its owner alone."""
    assert (tmp_path / "bell").stat().st_mode & 0o777 == 0o600
