"""A bell that wakes a process's loop: rung by another thread, or by another process of the same machine.

1. It only ends a wait. What there is to do is found by looking, so that a ring too many or too few does no
   harm: whoever waits looks again after a while in any case.
2. Where it has a path, it is a datagram socket there, for this user alone. A stale socket of a former process
   is replaced; a bell nobody listens to is rung in vain, and so is one whose path is too long for a socket.
3. Rings that nobody heard yet are heard as one.
4. It can have an ear as well: a socket that somebody else looks after (see `notifying`).
"""

import contextlib
import os
import select
import socket
from pathlib import Path
from typing import Protocol

__all__ = ["Bell", "ring"]

HEARD_AT_ONCE = 4096


class Ear(Protocol):
    """Hears what comes from elsewhere."""

    def socket(self) -> int:
        """The number of what becomes readable then; -1 while it can't hear."""

    def take_in(self) -> None:
        """Reads what has come, or notices that it hears no more."""

    def close(self) -> None:
        """Hears no more."""


class Bell:
    """A bell of this process; with a path, `ring(path)` rings it from anywhere."""

    def __init__(self, path: Path | None = None, ear: Ear | None = None) -> None:
        self._path = path
        self._ear = ear
        self._listener, self._ringer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sockets = [self._listener, self._ringer]
        with contextlib.suppress(OSError):
            self._sockets += [_bound(path)] if path else []
        self._poll = select.poll()
        for each in self._sockets:
            each.setblocking(False)
            if each is not self._ringer:
                self._poll.register(each, select.POLLIN)

    def ring(self) -> None:
        """Ends a wait, now or the next; from any thread."""
        with contextlib.suppress(OSError):
            self._ringer.send(b"!")

    def wait(self, timeout_s: float) -> bool:
        """Waits to be rung; False when time is over."""
        heard = self._ear.socket() if self._ear else -1
        if heard >= 0:
            self._poll.register(heard, select.POLLIN)
        rung = self._poll.poll(max(timeout_s, 0) * 1000)
        if heard >= 0:
            self._poll.unregister(heard)
        for number, _ in rung:
            if self._ear is not None and number == heard:
                self._ear.take_in()
            else:
                _drain(number)
        return bool(rung)

    def close(self) -> None:
        for each in self._sockets:
            each.close()
        if self._ear is not None:
            self._ear.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def ring(path: Path) -> None:
    """Rings the bell at this path, if somebody listens there."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringer:
        ringer.setblocking(False)
        ringer.sendto(b"!", str(path))


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _drain(number: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while os.read(number, HEARD_AT_ONCE):
            continue
