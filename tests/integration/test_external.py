"""A province with a system of its own joins a network that runs, and speaks the wire protocol alone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.network import Network, until
from tongbao_broker import database
from tongbao_broker.kafka import jars
from tongbao_broker.kafka.topics import in_topic
from tongbao_connectors import services, workspace
from tongbao_connectors.store import models as store

pytestmark = pytest.mark.kafka

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ALERT = EXAMPLES / "7-520000-two-provinces.json"
ADDRESSEES = ["330000", "440000"]
NEW = "610000"


@dataclass(frozen=True)
class Joined:
    """A running network, the process ids before the province came, and what `init --external` said."""

    network: Network
    pids: dict[str, int | None]
    enrolled: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.network.workspace.folder / NEW


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    """One network for the whole module."""
    made = workspace.create(tmp_path_factory.mktemp("external") / "network", now=datetime.now(UTC))
    services.start_detached(made)
    try:
        network = Network(workspace.load(made.folder))
        pids = {name: network.pid(name) for name in made.participants}
        yield Joined(network, pids, network.answer_of("init", "--external", NEW))
    finally:
        database.close()
        services.stop(made)


@pytest.fixture(scope="module")
def alerts(joined: Joined) -> list[dict[str, Any]]:
    """Two alerts of the new province, sent by the example one after the other."""
    return [sent(joined, ALERT), sent(joined, ALERT)]


def run_example(joined: Joined, submission: Path) -> "subprocess.CompletedProcess[str]":
    """The example as the province's own system runs it."""
    program = [sys.executable, str(EXAMPLES / "external_client.py"), str(joined.folder), str(submission)]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def sent(joined: Joined, submission: Path) -> dict[str, Any]:
    """What the example says of an alert that arrived."""
    done = run_example(joined, submission)

    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


def written_to(path: Path, **changes: Any) -> Path:
    """The sample alert with changes, as a file."""
    path.write_text(json.dumps({**json.loads(ALERT.read_text("utf-8")), **changes}), encoding="utf-8")
    return path


def test_topics_and_rights_are_there_at_once(joined: Joined) -> None:
    """After `init --external` the broker has all that directory version 2 demands."""
    assert (joined.enrolled["directory"]["version"], joined.enrolled["topics_ready"]) == (2, True)
    assert joined.network.answer_of("topology", "plan")["empty"]


def test_every_connector_follows_the_new_directory(joined: Joined) -> None:
    """Without a restart, by the directory's topic."""

    def newest(code: str) -> int:
        with database.use(joined.network.open_province(code)):
            return (
                store.TrustDocument.objects.order_by("version").values_list("version", flat=True).last() or 0
            )

    provinces = joined.network.workspace.provinces
    until(lambda: {newest(code) for code in provinces} == {2}, 10, "all go by version 2")


def test_its_alerts_are_admitted_settled_and_delivered(alerts: list[dict[str, Any]]) -> None:
    """The example gets notice, head and both receipts; the next alert has the next number."""
    told = [(each["kind"], each["settled"], sorted(each["delivered"])) for each in alerts]

    assert told == [("admitted", True, ADDRESSEES)] * 2
    assert [each["number"][:12] for each in alerts] == [f"陕{year()}-00000{n}" for n in (1, 2)]


def year() -> int:
    return datetime.now(UTC).year


@pytest.mark.parametrize("code", ADDRESSEES)
def test_its_alerts_lie_with_an_officer(joined: Joined, alerts: list[dict[str, Any]], code: str) -> None:
    """The addressees' connectors took them as they take anybody's: routed, nothing in quarantine."""
    with database.use(joined.network.open_province(code)):
        items = store.InboxItem.objects.filter(message__origin=NEW)
        numbers = items.exclude(officer_ref="").values_list("message__number", flat=True)

        assert sorted(numbers) == sorted(each["number"] for each in alerts)
        assert not store.Quarantine.objects.exists()


def test_it_is_sent_to_like_anybody(joined: Joined, tmp_path: Path) -> None:
    """Another province's alert to it is admitted, under the agreement of the new directory."""
    submission = written_to(tmp_path / "to-the-new.json", audience=[NEW])
    number = joined.network.answer_of("--as", "520000", "send", str(submission))["number"]

    until(lambda: settled(joined, number), 10, "it is admitted")


def test_what_breaks_a_rule_is_refused_before_it_is_written(joined: Joined, tmp_path: Path) -> None:
    """The example judges a submission like a connector does: a code, and exit 65."""
    done = run_example(joined, written_to(tmp_path / "own.json", audience=[NEW]))

    assert (done.returncode, done.stderr[:6], done.stdout) == (65, "TB-403", "")


def test_the_commands_say_that_it_has_no_connector_here(joined: Joined) -> None:
    """`--as` an external province is refused with the reason; `status` lists it."""
    refused = joined.network.tongbao("--as", NEW, "inbox", "--json", code=4)

    assert json.loads(refused.stderr)["error"]["code"] == "OP-28"
    assert joined.network.answer_of("status")["external"] == [NEW]


def test_java_reads_with_the_client_properties(joined: Joined, alerts: list[dict[str, Any]]) -> None:
    """Kafka's own Java client gets in with the folder's PEM files and reads what was delivered."""
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        pytest.skip("no Java compiler")
    class_path = jars.class_path(jars.default_cache())
    program = [java, "-cp", class_path, str(EXAMPLES / "ReadIn.java"), in_topic(NEW)]
    done = subprocess.run(program, cwd=joined.folder, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 2 * len(alerts)


def go(*arguments: str) -> None:
    """The Go tool over the example. Needs Go 1.26, and its modules from their proxy the first time."""
    done = subprocess.run(
        ["go", *arguments], cwd=EXAMPLES / "go", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_go_judges_the_golden_deliveries() -> None:
    """Signers, stamps, seals, texts: each outcome is the one that the vectors demand, by code."""
    go("vet", "./...")
    go("test", "./...")


@pytest.fixture(scope="module")
def go_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in Go as a program."""
    program = tmp_path_factory.mktemp("go") / "client"
    go("build", "-o", str(program), ".")
    return program


def go_says(client: Path, *arguments: str) -> dict[str, Any]:
    """What the example in Go prints."""
    done = subprocess.run([str(client), *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_go_reads_and_sends(
    joined: Joined, alerts: list[dict[str, Any]], go_client: Path, tmp_path: Path
) -> None:
    """Without our libraries: what was delivered verifies, a body opens, an alert arrives and is routed."""
    submission = written_to(tmp_path / "to-the-new.json", audience=[NEW], client_ref="for-go")
    number = joined.network.answer_of("--as", "520000", "send", str(submission))["number"]
    until(lambda: settled(joined, number), 10, "it is admitted")
    folder = str(joined.folder)
    read, sent = go_says(go_client, folder), go_says(go_client, folder, str(ALERT))

    assert read["passed_by"] == sent["passed_by"] == []
    assert read["read"] >= read["heads"] + 3 * len(alerts)
    assert read["opened"] >= 1
    assert (sent["kind"], sent["settled"], sorted(sent["delivered"])) == ("admitted", True, ADDRESSEES)
    for code in ADDRESSEES:
        with database.use(joined.network.open_province(code)):
            item = store.InboxItem.objects.get(message__number=sent["number"])
            assert (item.message.origin, item.officer_ref != "") == (NEW, True)


def settled(joined: Joined, number: str) -> bool:
    with database.use(joined.network.open_province("520000")):
        return store.Outbox.objects.filter(message__number=number, state="settled").exists()


def test_nobody_had_to_restart(joined: Joined, alerts: list[dict[str, Any]]) -> None:
    """Exchange and connectors are the processes that ran before the province came."""
    assert {name: joined.network.pid(name) for name in joined.pids} == joined.pids


def test_a_second_enrolment_is_refused(joined: Joined) -> None:
    """Whoever is in the directory can't be enrolled again."""
    refused = joined.network.tongbao("init", "--external", NEW, "--json", code=1)

    assert json.loads(refused.stderr)["error"]["code"] == "OP-29"


def test_enrolled_before_the_first_start(tmp_path: Path) -> None:
    """Where nothing runs, the next start makes topics and rights, and the exchange reads the directory."""
    made = workspace.create(tmp_path / "network", now=datetime.now(UTC))
    enrolled = Network(made).answer_of("init", "--external", NEW)
    place = workspace.load(made.folder)
    services.start_detached(place)
    try:
        assert not enrolled["topics_ready"]
        assert sent(Joined(Network(workspace.load(made.folder)), {}, enrolled), ALERT)["kind"] == "admitted"
    finally:
        services.stop(place)
