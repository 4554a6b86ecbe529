"""The demo as a user runs it: one command, a real Kafka, real processes. Slow: about half a minute each."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.network import TONGBAO, until

pytestmark = pytest.mark.kafka

ALL = ["admitted", "delivered", "routed", "claimed", "result"]
CATEGORIES = {1: "outbound_trafficking", 2: "manufacturing", 3: "interdiction", 6: "precursor"}


def processes_of(folder: Path) -> list[int]:
    """Process ids of everything whose command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(int(entry.name))
    return found


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    """The demo as a child that leads its own process group, as a shell would start it."""
    return subprocess.Popen(
        [*TONGBAO, "demo", "--dir", str(folder), "--lang", "en", *options],
        stdout=subprocess.PIPE,
        stderr=(folder.parent / "talk.txt").open("w"),
        text=True,
        start_new_session=True,
    )


def talk(folder: Path) -> str:
    return (folder.parent / "talk.txt").read_text(encoding="utf-8")


def run_once(folder: Path) -> dict[str, Any]:
    demo = start(folder, "--once", "--json")
    output, _ = demo.communicate(timeout=180)

    assert demo.returncode == 0, talk(folder)
    facts: dict[str, Any] = json.loads(output)
    return facts


def test_once_brings_every_sample_to_its_end_twice(tmp_path: Path) -> None:
    """All eight samples reach their last stage at the origin, also in a folder that was used before.

    The first run makes the workspace, the second one takes it over and adds eight new alerts to its trail.
    """
    folder = tmp_path / "demo"
    first = run_once(folder)

    assert first["ok"] is True
    assert [len(alert["audience"]) for alert in first["alerts"]] == [1, 1, 1, 1, 1, 1, 2, 1]
    for alert in first["alerts"]:
        expected = ALL[:2] if alert["status"] == "test" else ALL
        assert alert["stages"] == dict.fromkeys(alert["audience"], expected)
        assert alert["number"]
    assert {n: first["alerts"][n - 1]["category"] for n in CATEGORIES} == CATEGORIES
    assert [desk["province"] for desk in first["desks"]] == ["520000", "440000"]
    assert first["trail"]["size"] > len(first["alerts"])
    assert len(first["trail"]["root"]) == 64
    assert processes_of(folder) == []

    second = run_once(folder)

    assert second["trail"]["size"] > first["trail"]["size"]
    assert not {alert["number"] for alert in first["alerts"]} & {
        alert["number"] for alert in second["alerts"]
    }


def test_stays_up_until_interrupted(tmp_path: Path) -> None:
    """Samples 1 and 3 to 5 wait for the person; the named commands work; Ctrl-C ends all within 10 s."""
    folder = tmp_path / "demo"
    demo = start(folder)
    until(lambda: "Ctrl-C" in talk(folder) or demo.poll() is not None, 120, "the demo is up")

    waiting = [item for item in command(folder, "inbox") if item["type"] == "alert"]
    assert sorted((item["origin"], item["province"]) for item in waiting) == [
        ("520000", "320000"),
        ("520000", "330000"),
        ("520000", "440000"),
        ("530000", "520000"),
    ]

    item = next(item for item in waiting if item["province"] == "330000")
    acting = ("--as", "330000", "--officer", item["officer_ref"])
    shown = command(folder, "show", item["number"], *acting)
    claimed = command(folder, "claim", item["number"], *acting)
    command(folder, "answer", item["number"], *acting, "--outcome", "confirmed", "--text", "演练")
    until(lambda: "result" in stages_at_origin(folder, item["number"]), 30, "the result is back")

    exchange = command(folder, "trail", item["number"], "--as", "100000")

    assert shown["body"]["title"]
    assert claimed["claimed_by"] == item["officer_ref"]
    assert exchange["proof"]["published"] is True
    assert command(folder, "status")["running"]["state"] == "ready"

    told = talk(folder)
    addresses = re.findall(r"http://127\.0\.0\.1:[0-9]+/", told)
    assert len(addresses) == 2
    for address in addresses:
        assert "<h1>Log in</h1>" in page(f"{address}login/")

    began = time.monotonic()
    os.killpg(demo.pid, signal.SIGINT)
    demo.wait(timeout=10)

    assert time.monotonic() - began < 10
    assert demo.returncode == 0, talk(folder)
    assert processes_of(folder) == []


def test_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    """SIGKILL gives the supervisor no chance to tidy up; the kernel ends its children."""
    folder = tmp_path / "demo"
    demo = start(folder)
    until(lambda: len(processes_of(folder)) >= 12 or demo.poll() is not None, 120, "all processes run")

    demo.kill()
    demo.wait()

    until(lambda: processes_of(folder) == [], 10, "no process is left")


def test_up_status_down(tmp_path: Path) -> None:
    """`init`, `up` (twice at once: the second waits for the first), `down`: the network in the background."""
    folder = tmp_path / "net"
    command(folder, "init", str(folder))
    with ThreadPoolExecutor() as at_once:
        up, again = at_once.map(lambda _: command(folder, "up"), range(2))

    assert [process["state"] for process in up["processes"]] == ["ready"] * 11
    assert again["pid"] == up["pid"]
    refused = subprocess.run(
        [*TONGBAO, "demo", "--dir", str(folder), "--json"], capture_output=True, text=True, check=False
    )
    assert '"OP-25"' in refused.stderr
    assert command(folder, "topology", "plan") == command(folder, "topology", "apply")

    assert command(folder, "down") == {"stopped": True}
    assert processes_of(folder) == []
    assert command(folder, "down") == {"stopped": False}


def page(address: str) -> str:
    """What a browser that asks for English gets."""
    request = urllib.request.Request(address, headers={"Accept-Language": "en"})  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        return str(response.read(), "utf-8")


def command(folder: Path, *arguments: str) -> Any:
    """The JSON value that a command prints."""
    done = subprocess.run(
        [*TONGBAO, *arguments, "--dir", str(folder), "--json"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def stages_at_origin(folder: Path, number: str) -> list[str]:
    return [event["stage"] for event in command(folder, "trail", number)["events"]]
