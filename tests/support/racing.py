"""Several processes that work in one database at the same moment.

results = race(url, CONNECTOR, take_numbers, ["seq"], ["seq"])     # a process for each list of arguments

1. Each process opens the database, says that it is ready and waits for the start; all are started together.
2. What it does is a function at the top of a test's module. Arguments and results are JSON. An error of
   Tongbao ends it with the error's name as its result.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from tests.support import databases  # installs the apps
from tongbao_broker import database
from tongbao_broker.errors import TongbaoError

ROOT = Path(__file__).parents[2]
TIME_S = 120
T = TypeVar("T")


def race(url: str, apps: Sequence[str], task: Callable[..., Any], *arguments: Sequence[object]) -> list[Any]:
    """What `task` returns in each process."""
    call = [sys.executable, "-m", __name__, url, json.dumps(apps), f"{task.__module__}:{task.__qualname__}"]
    racers = [
        subprocess.Popen(
            [*call, json.dumps(each)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for each in arguments
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("start\n")
            racer.stdin.flush()
        return [json.loads(racer.communicate(timeout=TIME_S)[0]) for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
            racer.wait()


def attempt(action: Callable[[], Any]) -> Any:
    """What it returns, or the name of the error of Tongbao that it raised."""
    try:
        return action()
    except TongbaoError as error:
        return type(error).__name__


def attempts(things: Iterable[T], action: Callable[[T], Any]) -> list[Any]:
    """What an action on each of these returns, or the name of the error that it raised."""
    return [attempt(partial(action, thing)) for thing in things]


def main(url: str, apps: str, task: str, arguments: str) -> None:
    """One of the processes."""
    module, _, name = task.partition(":")
    function = getattr(import_module(module), name)
    database.open_database("race", url, json.loads(apps))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(attempt(lambda: function(*json.loads(arguments)))), flush=True)


if __name__ == "__main__":
    assert databases.STREAMS
    main(*sys.argv[1:])
