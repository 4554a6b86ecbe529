"""A worker with a fault seeded into our own model: `python -m tests.support.faulty MODULE FOLDER`.

In the exchange the model of a header stumbles over alerts of one category, in a connector the model of a body
over a word.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from tongbao_broker.trust import verify

WORD = "毒丸"
CATEGORY = "precursor"
EXCHANGE_WORKER = "tongbao_broker.exchange.worker"


def command(module: str, folder: Path) -> list[str]:
    """The command that starts a worker with the fault in it."""
    return [sys.executable, "-m", __name__, module, str(folder)]


def main(module: str, folder: Path) -> None:
    """Seeds the fault that belongs to the worker and runs it as it always runs."""
    worker = importlib.import_module(module)
    if module == EXCHANGE_WORKER:
        stumble(verify, "parse_header", f'"category":"{CATEGORY}"'.encode(), place=0)
    else:
        acceptance = importlib.import_module("tongbao_connectors.acceptance")
        stumble(acceptance, "parse_body", WORD.encode(), place=1)
    worker.run(folder)


def stumble(module: Any, name: str, over: bytes, *, place: int) -> None:
    """Makes a module's function raise where its argument at `place` holds these bytes."""
    good = getattr(module, name)

    def fault(*arguments: Any, **named: Any) -> Any:
        if over in arguments[place]:
            raise RuntimeError("seeded")
        return good(*arguments, **named)

    setattr(module, name, fault)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
