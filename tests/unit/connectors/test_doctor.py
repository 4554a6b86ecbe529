"""What the doctor sees in a workspace that isn't running, and how it judges a clock."""

import json
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from wsgiref.simple_server import make_server

import pytest
from typer.testing import CliRunner

from tests.unit.connectors.conftest import MADE_AT
from tongbao_broker.database import SAFE_WAL
from tongbao_broker.errors import BadConfiguration
from tongbao_broker.metering.endpoint import Endpoint
from tongbao_broker.process import Pulse, mark_ready
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_connectors import doctor
from tongbao_connectors.cli.doctor import MARKS, NAMES
from tongbao_connectors.cli.main import app
from tongbao_connectors.doctor import GIB, Check, State
from tongbao_connectors.workspace import Workspace, free_ports

NOW = MADE_AT


def found(place: Workspace, check: Check, now: datetime = NOW) -> set[State]:
    """The states of all findings of one check."""
    return {each.state for each in doctor.examine(place, now) if each.check is check}


def test_a_fresh_workspace_has_nothing_bad(place: Workspace) -> None:
    """Everything holds; that nothing runs is a warning, and what needs the broker isn't judged."""
    states = {each.check: each.state for each in doctor.examine(place, NOW)}

    assert State.BAD not in states.values()
    assert states[Check.BROKER] is State.WARNING
    assert not {Check.CLOCK, Check.RIGHTS, Check.KAFKA} & states.keys()


def another_provinces_certificate(place: Workspace) -> None:
    shutil.copy(place.folder / "440000" / "tls.pem", place.folder / "520000" / "tls.pem")


def another_authoritys_certificate(place: Workspace) -> None:
    folder = place.folder / "other"
    folder.mkdir()
    other = CertificateAuthority.create(folder, now=NOW)
    (place.folder / "520000" / "tls.pem").write_bytes(other.issue("520000", now=NOW, days=9))


def no_certificate(place: Workspace) -> None:
    (place.broker / "tls.pem").unlink()


def no_message_key(place: Workspace) -> None:
    (place.folder / "520000" / "keys" / "message.pem").unlink()


def another_message_key(place: Workspace) -> None:
    shutil.copy(place.folder / "440000/keys/message.pem", place.folder / "520000/keys/message.pem")


def no_seal_key(place: Workspace) -> None:
    shutil.rmtree(place.folder / "440000" / "keys" / "seal")


def no_checkpoint_key(place: Workspace) -> None:
    (place.exchange / "keys" / "checkpoint.pem").unlink()


def a_bent_directory(place: Workspace) -> None:
    trust = json.loads((place.exchange / "trust.json").read_bytes())
    trust["directory"]["signatures"].pop()
    (place.exchange / "trust.json").write_text(json.dumps(trust), encoding="ascii")


def no_directory(place: Workspace) -> None:
    (place.exchange / "trust.json").unlink()


def a_database_that_is_none(place: Workspace) -> None:
    (place.folder / "440000" / "connector.db").write_bytes(b"no database at all" * 100)


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (another_provinces_certificate, Check.CERTIFICATES),
        (another_authoritys_certificate, Check.CERTIFICATES),
        (no_certificate, Check.CERTIFICATES),
        (no_message_key, Check.KEYS),
        (another_message_key, Check.KEYS),
        (no_seal_key, Check.KEYS),
        (no_checkpoint_key, Check.KEYS),
        (a_bent_directory, Check.DOCUMENTS),
        (no_directory, Check.DOCUMENTS),
        (a_database_that_is_none, Check.DATABASES),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_a_fault_is_found(place: Workspace, fault: Callable[[Workspace], None], check: Check) -> None:
    """Each fault is bad under its own check, and only there."""
    fault(place)

    assert {each.check for each in doctor.examine(place, NOW) if each.state is State.BAD} == {check}


@pytest.mark.parametrize(("code", "use"), [("520000", "message"), ("100000", "checkpoint")])
def test_an_interrupted_change_of_a_key_is_a_warning(place: Workspace, code: str, use: str) -> None:
    """The old key still signs; the same command again finishes the change."""
    keys = place.folder / code / "keys"
    shutil.copy(keys / f"{use}.pem", keys / f"{use}.next.pem")
    about_keys = [each for each in doctor.examine(place, NOW) if each.check is Check.KEYS]
    [warning] = [each for each in about_keys if each.state is State.WARNING]

    assert warning.fix.en == f"again: tongbao rotate {use}-key {code}"


@pytest.mark.skipif(sqlite3.sqlite_version_info >= SAFE_WAL, reason="this SQLite is safe in WAL mode")
def test_a_write_ahead_log_under_an_old_sqlite_is_found(place: Workspace) -> None:
    """A database in WAL mode can be corrupted by the SQLite that is linked here."""
    with closing(sqlite3.connect(place.exchange / "exchange.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE any_table (any_column)")

    assert State.BAD in found(place, Check.DATABASES)


@pytest.mark.parametrize(
    ("days", "state"), [(334, State.GOOD), (336, State.WARNING), (364, State.WARNING), (366, State.BAD)]
)
@pytest.mark.parametrize("check", [Check.CERTIFICATES, Check.KEYS, Check.DOCUMENTS])
def test_what_ends_is_announced_thirty_days_before(
    network: Workspace, check: Check, days: int, state: State
) -> None:
    """All made for a year: good, then a warning for each, then bad."""
    states = found(network, check, NOW + timedelta(days=days))

    assert states - {State.GOOD} == {state} - {State.GOOD}


@pytest.mark.parametrize(
    ("free", "state"), [(GIB - 1, State.BAD), (5 * GIB - 1, State.WARNING), (5 * GIB, State.GOOD)]
)
def test_little_disk(network: Workspace, monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    """Under 5 GiB is a warning, under 1 GiB is bad."""

    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(free))

    assert found(network, Check.DISK) == {state}


def test_no_java(network: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Java that is new enough nothing will start."""

    def fails() -> str:
        raise BadConfiguration("none")

    monkeypatch.setattr(doctor, "find_java", fails)

    assert found(network, Check.JAVA) == {State.BAD}


def test_a_taken_port(network: Workspace) -> None:
    """Somebody else at our port is a warning: the next start takes another one."""
    with socket.create_server(("127.0.0.1", network.broker_port)):
        assert found(network, Check.PORTS) == {State.WARNING, State.GOOD}


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(-301, State.WARNING), (-59, State.GOOD), (0, State.GOOD), (60, State.GOOD), (61, State.BAD)],
)
def test_the_clock(seconds: int, state: State) -> None:
    """A record from more than 60 s ahead shows a slow clock; only old records show nothing at all."""
    assert doctor.judge_clock(NOW, NOW + timedelta(seconds=seconds)).state is state


def test_a_clock_without_any_record() -> None:
    """Nothing to compare with is said, not guessed."""
    assert doctor.judge_clock(NOW, None).state is State.WARNING


def test_every_fault_has_a_fix_in_both_languages(place: Workspace) -> None:
    """Sentence and fix are there in Chinese and in English."""
    no_message_key(place)
    a_database_that_is_none(place)
    findings = list(doctor.examine(place, NOW + timedelta(days=340)))
    faults = [each for each in findings if each.state is not State.GOOD]

    assert {State.BAD, State.WARNING} == {each.state for each in faults}
    assert all(each.fix.zh and each.fix.en for each in faults)
    assert all(each.what.zh != each.what.en for each in findings)


def test_the_command_knows_every_check() -> None:
    """Each check has a name, each state a mark."""
    assert NAMES.keys() == set(Check)
    assert MARKS.keys() == set(State)


@pytest.mark.parametrize(("faulty", "code"), [(False, 0), (True, 1)])
def test_the_exit_code(place: Workspace, faulty: bool, code: int) -> None:
    """0 where nothing is bad, else 1; `--json` gives the same findings."""
    if faulty:
        shutil.rmtree(place.folder / "440000" / "keys" / "seal")
    result = CliRunner().invoke(app, ["doctor", "--dir", str(place.folder), "--json", "--lang", "en"])
    said = json.loads(result.stdout)

    bad = [each["check"] for each in said["findings"] if each["state"] == "bad"]

    assert (result.exit_code, said["ok"]) == (code, not faulty)
    assert bad == (["keys"] if faulty else [])


def lives(folder: Path, name: str = "ready") -> None:
    """A process that has just shown life."""
    Pulse(folder, name)


def is_gone(folder: Path, name: str = "ready") -> None:
    """One that ended a while ago."""
    mark_ready(folder, name, pid=2**22 + 1)
    os.utime(folder / "run" / f"{name}.json", (1, 1))


def hangs(folder: Path, name: str = "ready") -> None:
    """One that runs and doesn't turn."""
    Pulse(folder, name)
    os.utime(folder / "run" / f"{name}.json", (1, 1))


@pytest.mark.parametrize(
    ("condition", "state", "said"),
    [
        (lives, State.GOOD, "the connector of 440000 runs"),
        (is_gone, State.BAD, "the connector of 440000 has ended"),
        (hangs, State.BAD, "the connector of 440000 runs, but hangs"),
        (lambda _: None, State.BAD, "the connector of 440000 has not been started, or isn't ready"),
    ],
)
def test_each_process_of_a_province_is_looked_at(
    place: Workspace, condition: Callable[[Path], None], state: State, said: str
) -> None:
    """Runs, has ended, hangs, was never started; the desk and the watch by themselves."""
    folder = place.participant("440000")
    condition(folder)
    lives(folder, "desk")
    is_gone(folder, "watch")
    found = [(each.state, each.what.en) for each in doctor._processes_of(folder)]

    assert found == [
        (state, said),
        (State.GOOD, "the desk of 440000 runs"),
        (State.BAD, "the watch of 440000 has ended"),
    ]


def test_a_process_that_waits_says_for_what(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alive, but a stream is held: a warning with the word that the process itself gives."""
    folder = place.participant("440000")
    lives(folder)
    port = free_ports(1)[0]
    with (folder / "connector.toml").open("a", encoding="utf-8") as file:
        file.write(f"[metrics]\nconnector = {port}\n")
    waiting = Endpoint(folder, "ready", lambda: "held:in")
    server = make_server("127.0.0.1", port, waiting)
    thread = Thread(target=server.handle_request)
    thread.start()
    first = next(iter(doctor._processes_of(folder)))
    thread.join()
    server.server_close()

    assert (first.state, first.what.en) == (State.WARNING, "the connector of 440000 runs, but waits: held:in")
