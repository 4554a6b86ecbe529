"""The commands in a province's own folder, as a province in service has it: no workspace around it."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tongbao_broker import process
from tongbao_broker.clock import SystemClock
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_connectors import workspace as workspaces
from tongbao_connectors.cli.main import app
from tongbao_connectors.demo import samples
from tongbao_connectors.settings import ConnectorSettings

REMOTE = "kafka-1.invalid:9093"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Guizhou's folder, carried away from its workspace."""
    place = workspaces.create(tmp_path_factory.mktemp("workspaces") / "demo", SystemClock().now())
    ConnectorSettings.load(place.folder / "520000").open_database(migrate=True)
    return Path(shutil.copytree(place.folder / "520000", tmp_path_factory.mktemp("homes") / "tongbao"))


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "tongbao"))


def tongbao(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--dir", str(home), "--lang", "en", *arguments])


def sample(home: Path) -> Path:
    """A sample of Guizhou's whose dates lie around now."""
    path = home / "alert.json"
    path.write_bytes(samples.load()[0].fresh("test", SystemClock().now()))
    return path


def test_the_folder_says_who_acts(home: Path) -> None:
    """Nobody has to name the province: an alert is kept as a draft, and the inbox is its own."""
    sent = tongbao(home, "send", str(sample(home)), "--json")
    listed = tongbao(home, "inbox", "--json")
    status = json.loads(tongbao(home, "status", "--json").stdout)

    assert (sent.exit_code, json.loads(sent.stdout)["state"]) == (0, "drafted")
    assert (listed.exit_code, json.loads(listed.stdout)) == (0, [])
    assert status["running"] is False
    assert [(each["province"], each["unsettled"]) for each in status["provinces"]] == [("520000", 1)]


@pytest.mark.parametrize(
    "command",
    [["inbox"], ["claim", "黔2026-000017-D", "--officer", "黔-0002"], ["quarantine", "list"]],
    ids=lambda command: command[0],
)
def test_no_other_province_acts_here(home: Path, command: list[str]) -> None:
    """Another province's code is not found."""
    ended = tongbao(home, "--as", "440000", *command)

    assert (ended.exit_code, "OP-23" in ended.stderr) == (4, True)


@pytest.mark.parametrize(
    "command", [["topology", "plan"], ["rotate", "certificate", "520000"], ["up"]], ids=lambda c: c[0]
)
def test_what_needs_the_whole_network_says_that_this_is_no_workspace(home: Path, command: list[str]) -> None:
    """Topics, certificates and the supervisor aren't a single province's."""
    ended = tongbao(home, *command)

    assert (ended.exit_code, "OP-21" in ended.stderr) == (4, True)


def test_a_running_connector_is_seen(home: Path) -> None:
    """Its ready file names a living process: status says that it runs."""
    process.mark_ready(home)

    assert json.loads(tongbao(home, "status", "--json").stdout)["running"] is True


def test_the_doctor_judges_what_one_province_has(home: Path) -> None:
    """Certificate, documents, keys, database are good; that nothing runs or answers is bad, with a fix."""
    settings = (home / "connector.toml").read_text("utf-8")
    lines = [f'bootstrap = "{REMOTE}"' if "bootstrap" in line else line for line in settings.splitlines()]
    (home / "connector.toml").write_text("\n".join(lines), "utf-8")
    ended = tongbao(home, "doctor", "--json")
    found = {each["check"]: each for each in json.loads(ended.stdout)["findings"]}

    assert ended.exit_code == 1
    assert {name for name, each in found.items() if each["state"] == "bad"} == {"processes", "kafka"}
    assert {"certificates", "documents", "keys", "databases", "disk"} <= found.keys()
    assert REMOTE in found["kafka"]["what"]
    assert all(each["fix"] for each in found.values() if each["state"] == "bad")


def test_the_doctor_sees_another_provinces_certificate(home: Path) -> None:
    """A certificate with another subject is named."""
    folder = home / "other"
    folder.mkdir()
    other = CertificateAuthority.create(folder, now=SystemClock().now())
    other.issue_to(home / "tls.pem", "440000", now=SystemClock().now(), days=9)
    found = json.loads(tongbao(home, "doctor", "--json").stdout)["findings"]

    assert any(each["check"] == "certificates" and "CN=440000" in each["what"] for each in found)
