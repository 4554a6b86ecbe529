"""Desk and watch at work without the keys that sign and open messages, as deploy/systemd hides them."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.desk_process import CODE, running
from tests.support.network import ROOT, until
from tongbao_broker import process
from tongbao_connectors import workspace
from tongbao_connectors.workspace import Workspace

pytestmark = pytest.mark.kafka


@pytest.fixture
def without_keys(tmp_path: Path) -> Workspace:
    """广东's folder without the signing key and the seal keys."""
    made = workspace.create(tmp_path / "network", datetime.now(UTC))
    keys = made.participant(CODE) / "keys"
    (keys / "message.pem").unlink()
    shutil.rmtree(keys / "seal")
    return made


def test_the_desk_serves_its_pages(without_keys: Workspace) -> None:
    """It starts and shows the login."""
    with running(without_keys.participant(CODE), without_keys.desks[CODE]) as desk:
        status, page = desk.get("/login/")

    assert status == 200
    assert "联络台" in page


def test_the_watch_gets_ready(without_keys: Workspace) -> None:
    """It starts and turns."""
    folder = without_keys.participant(CODE)
    watch = subprocess.Popen([sys.executable, "-m", "tongbao_connectors.duty.worker", str(folder)], cwd=ROOT)
    try:
        until(lambda: process.is_ready(folder, watch.pid, "watch"), 60, "the watch is ready")
        until(lambda: watch.poll() is None, 1, "it lives")
    finally:
        watch.terminate()
        watch.wait(timeout=20)
