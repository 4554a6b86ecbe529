"""Whether a worker lives, asked from outside: `python -m tongbao_broker.health FOLDER [NAME]`.

NAME is `ready` (the exchange or a connector; taken where none is given), `desk` or `watch`. For health checks
of containers and for probes; it needs no network, no database and no setting, and must run where the worker's
process ids mean the same.

1. Alive: the process that wrote the ready file still runs, and its loop has turned within `SILENT_S`.
2. Whether it gets anywhere is another question: a held stream is a matter for alerts, not for a restart.
3. Exit code 0: alive; 1: not. One line says why.
"""

import sys
from enum import StrEnum
from pathlib import Path

from tongbao_broker.process import READY, began, said, silent_s

SILENT_S = 150.0
"""Longer than anything that a turn may wait for: a writer gives up before, and its process ends."""


class Trouble(StrEnum):
    """Why a worker isn't alive."""

    NOT_READY = "has not said that it is ready"
    ENDED = "has ended"
    STUCK = "has not turned for long"


def trouble(folder: Path, name: str = READY) -> Trouble | None:
    """Why the worker isn't alive; None where it is."""
    state = said(folder, name)
    pid = state.get("pid")
    if not isinstance(pid, int):
        return Trouble.NOT_READY
    if began(pid) is None or began(pid) != state.get("began"):
        return Trouble.ENDED
    return Trouble.STUCK if silent_s(folder, name) > SILENT_S else None


def main(arguments: list[str]) -> int:
    """Prints one line and returns the exit code."""
    if len(arguments) not in (1, 2):
        print("usage: python -m tongbao_broker.health FOLDER [ready|desk|watch]", file=sys.stderr)
        return 2
    folder, name = Path(arguments[0]), arguments[1] if len(arguments) > 1 else READY
    reason = trouble(folder, name)
    print(f"{name}: {reason or 'alive'}")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
