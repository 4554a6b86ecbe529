"""A province with a machine of its own enrols while the network runs: request, approval, first alerts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.network import ROOT, TONGBAO, Network, until
from tongbao_broker import database, health, process
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store import models as store

pytestmark = pytest.mark.kafka

NEW = "610000"
ALERT = ROOT / "examples" / "7-520000-two-provinces.json"


def tongbao(*arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    """A command on the province's machine."""
    done = subprocess.run([*TONGBAO, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def answer_of(*arguments: str, code: int = 0) -> Any:
    return json.loads(tongbao(*arguments, "--json", code=code).stdout)


@contextmanager
def connector(home: Path) -> Iterator[None]:
    """The province's connector, started as its service manager starts it."""
    with (home / "output.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tongbao_connectors.worker", str(home)],
            stdout=log,
            stderr=log,
            env=process.supervised({}),
        )
    try:
        until(lambda: not health.trouble(home), 20, (home / "output.log").read_text("utf-8"))
        yield
    finally:
        worker.terminate()
        worker.wait(20)


def written_to(path: Path, **changes: Any) -> str:
    """The sample alert with changes, as a file."""
    path.write_text(json.dumps({**json.loads(ALERT.read_text("utf-8")), **changes}), encoding="utf-8")
    return str(path)


def states(home: Path) -> dict[str, str]:
    """What the doctor says of the province's own folder, whatever its exit code."""
    done = subprocess.run(
        [*TONGBAO, "--dir", str(home), "doctor", "--json"], capture_output=True, text=True, check=False
    )
    return {each["check"]: each["state"] for each in json.loads(done.stdout)["findings"]}


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    return str(json.loads(done.stderr)["error"]["code"])


def is_admitted(home: Path, path: str) -> bool:
    """Sends an alert from there; true once the exchange has it."""
    number = answer_of("--dir", str(home), "send", path)["number"]
    with database.use(ConnectorSettings.load(home).open_database()):
        sent = store.Outbox.objects.filter(message__number=number, state="settled")
        until(sent.exists, 20, f"{number} is admitted")
    return True


def newest_directory(home: Path) -> int:
    with database.use(ConnectorSettings.load(home).open_database()):
        return store.TrustDocument.objects.order_by("version").values_list("version", flat=True).last() or 0


def lies_there(home: Path, number: str) -> bool:
    with database.use(ConnectorSettings.load(home).open_database()):
        return store.InboxItem.objects.filter(message__number=number).exists()


def test_from_the_first_key_to_the_first_alerts_and_out_again(network: Network, tmp_path: Path) -> None:
    """Approved it connects but can't send; active it sends and is sent to; suspended neither."""
    home, request, answer = tmp_path / "shaanxi", str(tmp_path / "request"), str(tmp_path / "answer")
    mine = ("--dir", str(home), "--json", "send")
    tongbao("enrol", "prepare", NEW, str(home), "--network", network.workspace.network)
    told = answer_of("enrol", "request", str(home), "--to", request)["fingerprint"]
    assert network.answer_of("enrol", "receive", request)[0]["fingerprint"] == told
    root = network.answer_of("enrol", "approve", NEW, "--fingerprint", told, "--to", answer)["root"]
    assert network.answer_of("topology", "plan")["empty"]
    tongbao("enrol", "install", str(home), answer, "--root", root)

    with connector(home):
        until(lambda: set(states(home).values()) == {"good"}, 20, "the doctor is content")
        assert refused(tongbao(*mine, written_to(tmp_path / "1.json"), code=65)) == "TB-405"

    network.tongbao("enrol", "activate", NEW)
    with connector(home):
        until(lambda: newest_directory(home) == 3, 20, "it has the directory in which it is active")
        assert is_admitted(home, written_to(tmp_path / "2.json", client_ref="two"))
        to_it = written_to(tmp_path / "3.json", client_ref="three", audience=[NEW])
        number = network.answer_of("--as", "520000", "send", to_it)["number"]
        until(lambda: lies_there(home, number), 20, "an alert lies at the new province's desk")

        network.tongbao("enrol", "suspend", NEW)
        until(lambda: newest_directory(home) == 4, 20, "it has the directory in which it is suspended")
        fourth = written_to(tmp_path / "4.json", client_ref="four")
        assert refused(tongbao(*mine, fourth, code=65)) == "TB-405"
        fifth = written_to(tmp_path / "5.json", client_ref="five", audience=[NEW])
        assert refused(network.tongbao("--as", "520000", "send", fifth, "--json", code=65)) == "TB-402"
