"""`tongbao account`: each command in a process of its own, since a process opens a desk's database once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tongbao_broker.clock import SystemClock
from tongbao_connectors import workspace as workspaces
from tongbao_connectors.desk import first_accounts

COMMAND = [sys.executable, "-c", "from tongbao_connectors.cli.main import main; main()"]
OFFICER = ["--role", "receiver", "--officer", "粤-0002"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """广东's folder, whose desk has no account yet."""
    made = workspaces.create(tmp_path_factory.mktemp("accounts") / "demo", SystemClock().now())
    folder = Path(shutil.copytree(made.participant("440000"), tmp_path_factory.mktemp("homes") / "tongbao"))
    (folder / first_accounts.FILE).unlink()
    return folder


def tongbao(home: Path, *arguments: str, lang: str = "zh") -> "subprocess.CompletedProcess[str]":
    given = ["--dir", str(home), "--lang", lang, "account", *arguments]
    return subprocess.run([*COMMAND, *given], capture_output=True, text=True, timeout=60)


def test_an_account_from_making_to_resetting(home: Path) -> None:
    """A desk without accounts says how the first is made; passwords are shown once and never listed."""
    none = tongbao(home, "list")
    made = tongbao(home, "add", "0102", *OFFICER)
    listed = json.loads(tongbao(home, "list", "--json").stdout)
    again = json.loads(tongbao(home, "reset", "0102", "--json").stdout)
    second = tongbao(home, "add", "0105", *OFFICER)

    assert "还没有账号" in none.stderr
    assert "--role admin" in none.stderr
    assert "口令只显示这一次" in made.stderr
    assert [(each["username"], each["officer_ref"], each["role"]) for each in listed] == [
        ("0102", "粤-0002", "receiver")
    ]
    assert "password" not in listed[0]
    assert again["password"] not in made.stdout
    assert second.returncode == 1
    assert "警号或编号已有账号" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "lang", "code", "said"),
    [
        pytest.param(["add", "0103", "--role", "boss"], "en", 2, "--role is one of receiver,", id="role"),
        pytest.param(["add", "0103", *OFFICER[:2]], "zh", 2, "未说明由谁操作", id="no officer"),
        pytest.param(
            ["add", "0103", *OFFICER, "--unit", "nowhere"], "zh", 2, "名册中没有 nowhere", id="no such unit"
        ),
        pytest.param(["reset", "nobody"], "en", 4, "nobody", id="no such account"),
    ],
)
def test_what_is_wrong_is_said(home: Path, arguments: list[str], lang: str, code: int, said: str) -> None:
    """Which option, which values it takes, what isn't there; nothing is made."""
    answer = tongbao(home, *arguments, lang=lang)

    assert (answer.returncode, said in answer.stderr) == (code, True), answer.stderr
