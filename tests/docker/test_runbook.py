"""The runbook's commands, typed word by word against the stack, in the order in which they stand there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docker.conftest import FILES, PROJECT, ROOT, Stack
from tongbao_broker.trust.enrolment import parse_request
from tongbao_connectors.enrolment import fingerprint

pytestmark = pytest.mark.docker

RUNBOOK = (ROOT / "deploy" / "README.md").read_text("utf-8")
TRIED = re.compile(r"^## ([^\n]+)$|^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROOT_TOLD = re.compile(r"[:：] ?((?:[0-9a-f]{4} ?){8})$", re.MULTILINE)


def blocks() -> Iterator[tuple[str, str]]:
    """Each block of commands under the heading that it stands under."""
    heading = ""
    for found in TRIED.finditer(RUNBOOK):
        if found[1]:
            heading = found[1]
        else:
            yield heading, found[2]


@dataclass
class Operator:
    """Somebody at a terminal, in a folder of his own with the repository's examples."""

    folder: Path
    environment: dict[str, str]

    def types(self, commands: str) -> str:
        """Everything that these lines print; each must succeed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment,
            timeout=240,
        )
        assert done.returncode == 0, commands + done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout + done.stderr


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    compose = {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "COMPOSE_FILE": ":".join(map(str, FILES)),
        "LANG": "en",
    }
    return Operator(tmp_path, {**stack.environment, **compose, "PATH": path, "COMPOSE_PROGRESS": "quiet"})


def test_the_runbook_says_what_works(stack: Stack, operator: Operator) -> None:
    """From the installation to the upgrade no command fails, and all samples reach their ends after it."""
    said: dict[str, str] = {}
    for heading, commands in blocks():
        said[heading] = said.get(heading, "") + operator.types(commands)
        if (operator.folder / "request.json").exists():
            request = parse_request((operator.folder / "request.json").read_bytes())
            operator.environment["FINGERPRINT"] = fingerprint(request.digest)
        if told := ROOT_TOLD.search(said[heading]):
            operator.environment["ROOT"] = told[1]
    stack.await_healthy("exchange", "connector-520000", "desk-520000", "watch-520000")
    after = stack.play("samples")

    assert list(said) == [
        "Install",
        "Enrol a province",
        "Rotate keys and certificates",
        "Back up and restore",
        "Upgrade",
    ]
    assert "已批准" in said["Enrol a province"]
    assert (operator.folder / "shaanxi" / "connector.toml").exists()
    assert (after["missing"], after["refused"]) == ({}, {})
