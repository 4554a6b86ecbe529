"""The systemd units: systemd itself takes them, they may do little, and they start what there is."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tools import needs
from tongbao_broker import health

ROOT = Path(__file__).parents[2] / "deploy" / "systemd"
CODE = "440000"
PROVINCE = ("connector", "watch", "desk")
SERVICES = ("tongbao-exchange.service", *(f"tongbao-{name}@{CODE}.service" for name in PROVINCE))
PYTHON = "/opt/tongbao/bin/python"
EXPOSURE = 20
"""The most that `systemd-analyze security` may find, of 100."""

needs_systemd = needs("systemd-analyze")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they lie on a machine whose Python is this one, with a province's instances."""
    folder = Path(shutil.copytree(ROOT, tmp_path / "system"))
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text("utf-8").replace(PYTHON, sys.executable), "utf-8")
    for name in PROVINCE:
        (folder / f"tongbao-{name}@{CODE}.service").symlink_to(f"tongbao-{name}@.service")
    return folder


def analyze(*arguments: str, at: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", *arguments], cwd=at, capture_output=True, text=True, check=False
    )


@needs_systemd
@pytest.mark.parametrize("unit", [*SERVICES, f"tongbao-province@{CODE}.target"])
def test_systemd_takes_each_unit(installed: Path, unit: str) -> None:
    """No unknown setting, no missing program, no warning."""
    if unit.endswith(".target"):
        (installed / unit).symlink_to("tongbao-province@.target")
    done = analyze("verify", "--man=no", unit, at=installed)

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES)
def test_each_service_may_do_little(installed: Path, unit: str) -> None:
    """What systemd counts as exposed is little, and no service runs as root."""
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", unit, at=installed)

    assert done.returncode == 0, done.stdout[-400:]
    assert "NoNewPrivileges" not in [line.split()[1] for line in done.stdout.splitlines() if line[:1] == "✗"]


@pytest.mark.parametrize("unit", sorted(path.name for path in ROOT.glob("*.service")))
def test_each_service_starts_a_worker_on_its_own_folder(unit: str) -> None:
    """The module exists, and the folder is the one that the unit may write."""
    text = (ROOT / unit).read_text("utf-8")
    [(module, folder)] = re.findall(rf"^ExecStart={PYTHON} -m (\S+) /var/lib/(\S+)$", text, re.MULTILINE)

    assert importlib.util.find_spec(module) is not None
    assert f"StateDirectory={folder}\n" in text


@pytest.mark.parametrize("name", ["desk", "watch"])
def test_only_the_connector_reaches_signing_and_sealing_keys(name: str) -> None:
    """A page that is broken into reads no key that signs or opens messages."""
    text = (ROOT / f"tongbao-{name}@.service").read_text("utf-8")
    [hidden] = re.findall(r"^InaccessiblePaths=(.+)$", text, re.MULTILINE)

    assert hidden.split() == [f"-/var/lib/tongbao/%i/keys/{what}" for what in ("message.pem", "seal")]


def test_the_password_is_a_credential() -> None:
    """systemd hands the database's password over; it stands in no unit and no environment."""
    text = (ROOT / "tongbao-.service.d" / "database.conf").read_text("utf-8")

    assert "LoadCredential=database.pass:/etc/tongbao/database.pass" in text
    assert "Environment=PGPASSFILE=%d/database.pass" in text


def test_the_watchdog_is_as_patient_as_the_health_check() -> None:
    """systemd and the health check of containers agree on how long a turn may take."""
    text = (ROOT / "tongbao-.service.d" / "hardening.conf").read_text("utf-8")
    [seconds] = re.findall(r"^WatchdogSec=(\d+)$", text, re.MULTILINE)

    assert float(seconds) == health.SILENT_S
