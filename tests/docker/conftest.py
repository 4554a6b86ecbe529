"""The stack of docker-compose.yml, started once for all tests, taken away afterwards whatever happens.

Which Docker it is doesn't matter: the tests use the `docker` command as they find it.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_docker.plugin import Services

from tongbao_connectors.workspace import free_ports

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "docker-compose.yml", Path(__file__).parent / "compose.yml")
PROJECT = f"tongbao-test-{os.getpid()}"
ONCE = ("setup", "topology")
UP_S = 400
DOWN_S = 20.0
FIGURES = pytest.StashKey[list[str]]()


@dataclass
class Stack:
    """The running stack, and what the tests ask of it."""

    ports: dict[str, int]
    seconds: dict[str, float] = field(default_factory=dict)

    def compose(self, *arguments: str, check: bool = True, within_s: float = 120) -> str:
        """What a `docker compose` command says on standard output."""
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
            env=self.environment,
            cwd=ROOT,
        )
        assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def command(self, *arguments: str) -> list[str]:
        files = [word for file in FILES for word in ("-f", str(file))]
        return ["docker", "compose", "-p", PROJECT, "--progress", "quiet", *files, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Free ports, and all the samples' provinces in the directory."""
        ports = {f"DESK_{code}_PORT": str(port) for code, port in self.ports.items()}
        return {**os.environ, **ports, "TONGBAO_PROVINCES": "520000,440000,330000,530000,320000"}

    def play(self, *arguments: str) -> dict[str, Any]:
        """What tests/docker/playing.py finds, in a container of its own."""
        said = self.compose(*self.playing(*arguments), within_s=200)
        return dict(json.loads(said.splitlines()[-1]))

    @staticmethod
    def playing(*arguments: str) -> Sequence[str]:
        return ("run", "--rm", "--no-deps", "-T", "player", "python", "/playing.py", *arguments)

    def containers(self) -> list[dict[str, Any]]:
        """What `docker inspect` says of every container of the stack."""
        return list(json.loads(_docker("inspect", *self.compose("ps", "-aq").split())))

    def running(self) -> list[str]:
        """The services that go on running."""
        return sorted(set(self.compose("ps", "--services").split()) - set(ONCE))

    def timed(self, what: str, *arguments: str) -> float:
        """Runs a `docker compose` command and notes how long it took."""
        began = time.monotonic()
        self.compose(*arguments, within_s=UP_S)
        self.seconds[what] = round(time.monotonic() - began, 1)
        return self.seconds[what]

    def await_healthy(self, *services: str, within_s: float = 90) -> None:
        """Returns when these services are healthy."""
        until = time.monotonic() + within_s
        while not all('"healthy"' in self._health(service) for service in services):
            assert time.monotonic() < until, self.compose("ps", "-a")
            time.sleep(0.5)

    def _health(self, service: str) -> str:
        return self.compose("ps", "--format", "{{json .Health}}", service, check=False)

    def memory(self) -> dict[str, str]:
        """What every running container takes."""
        lines = _docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").splitlines()
        mine = [line.removeprefix(f"{PROJECT}-").split(" ", 1) for line in lines if line.startswith(PROJECT)]
        return {name.rsplit("-", 1)[0]: usage for name, usage in sorted(mine)}


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    return PROJECT


@pytest.fixture(scope="session")
def docker_compose_file() -> list[str]:
    return [str(file) for file in FILES]


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """Nothing: `stack` starts it, so that a start that fails is cleaned up too."""
    return []


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    return ["--profile player down -v --remove-orphans -t 5"]


@pytest.fixture(scope="session")
def stack(docker_services: Services, pytestconfig: pytest.Config) -> Iterator[Stack]:
    """The stack, all of it healthy. At the end it must stop in time."""
    made = Stack(dict(zip(("520000", "440000"), free_ports(2), strict=True)))
    try:
        made.timed("up", "up", "--wait", "--quiet-pull")
    except AssertionError:
        print(made.compose("logs", "--tail", "20", check=False))
        raise
    yield made
    memory = made.memory()
    made.timed("down", "down")
    pytestconfig.stash[FIGURES] = [
        *(f"{what}: {seconds} s" for what, seconds in made.seconds.items()),
        *(f"{name}: {usage}" for name, usage in memory.items()),
    ]
    assert made.seconds["down"] <= DOWN_S


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Shows how long the stack took to start and stop, and what each service takes."""
    if FIGURES in config.stash:
        terminalreporter.section("the stack")
        for line in config.stash[FIGURES]:
            terminalreporter.write_line(line)
