"""A whole network for a test: real Kafka, the exchange and five connectors, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import striking
from tests.support.databases import EXCHANGE, place
from tongbao_broker import database
from tongbao_broker.exchange.settings import ExchangeSettings
from tongbao_connectors import services, workspace
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import Workspace

ROOT = Path(__file__).parents[2]
TONGBAO = (sys.executable, "-c", "from tongbao_connectors.cli.main import main; main()")


def until(condition: Callable[[], object], within_s: float, what: str) -> None:
    """Waits for a condition, looking often; says what never came true."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"within {within_s} s: {what}"
        time.sleep(0.05)


@dataclass(frozen=True)
class Network:
    """A running workspace, and the ways to look into it."""

    workspace: Workspace

    def open_province(self, code: str) -> str:
        """The province's database, opened: a name for `database.use`."""
        return ConnectorSettings.load(self.workspace.province(code)).open_database()

    def open_exchange(self) -> str:
        """The exchange's database, opened: a name for `database.use`."""
        url = ExchangeSettings.load(self.workspace.exchange).database_url
        database.open_database("exchange-of-network", url, EXCHANGE)
        return "exchange-of-network"

    def pid(self, name: str) -> int | None:
        """The process id of a service while it is ready."""
        status = services.running(self.workspace)
        assert status is not None
        ready = {child.name: child.pid for child in status.processes if child.state == "ready"}
        return ready.get(name)

    def kill(self, name: str) -> None:
        """SIGKILL for a service, as a power cut would end it."""
        pid = self.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.pid(name) != pid, 10, f"{name} is gone")

    def tongbao(self, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """A command as a person types it; its exit code must be `code`."""
        done = subprocess.run(
            [*TONGBAO, *arguments, "--dir", str(self.workspace.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    def answer_of(self, *arguments: str) -> Any:
        """The JSON value that a command prints."""
        return json.loads(self.tongbao(*arguments, "--json").stdout)


def created(folder: Path, made_at: datetime) -> Workspace:
    """A new workspace, as if set up at that time, with databases of the kind this run is for."""
    made = workspace.create(folder, now=made_at)
    place(made.exchange / "exchange.toml")
    for code in made.provinces:
        place(made.province(code) / "connector.toml")
    return made


@contextmanager
def running(folder: Path, made_at: datetime) -> Iterator[Network]:
    """A new network in `folder`, as if set up at that time: up, and down at the end, also after a failure."""
    made = created(folder, made_at)
    services.start_detached(made)
    try:
        yield Network(workspace.load(folder))
    finally:
        services.stop(made)
        database.close()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A fresh network, up."""
    with running(tmp_path / "network", datetime.now(UTC)) as fresh:
        yield fresh


@pytest.fixture
def struck_network(tmp_path: Path) -> Iterator[Network]:
    """A fresh network whose workers may be struck at their commit points (see `striking`)."""
    made = created(tmp_path / "network", datetime.now(UTC))
    with (tmp_path / "supervisor.log").open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", striking.MODULE, "network", str(made.folder)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        services.wait_started(made, lambda: supervisor.poll() is None)
        yield Network(workspace.load(made.folder))
    finally:
        services.stop(made)
        supervisor.wait()
        database.close()
