"""Several processes write into one database at the same moment; run on SQLite and on PostgreSQL."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.support.databases import CONNECTOR, DESK, STREAMS, address, empty_database, new_database
from tests.support.postgresql import is_chosen
from tests.support.province import Network, alert
from tests.support.racing import attempt, attempts, race
from tests.unit.papers.conftest import APPS as PAPERS
from tests.unit.papers.conftest import hand
from tests.unit.papers.test_drafting import AUTHOR, LEADER, REVIEWER, approved, drafted
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_broker.database import atomic
from tongbao_broker.streams import cursor
from tongbao_connectors import casework, drafts
from tongbao_connectors.duty import watching
from tongbao_connectors.papers import drafting
from tongbao_connectors.papers.models import Paper, Step
from tongbao_connectors.roster import Roster
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store import counters
from tongbao_connectors.store.models import Draft, Event, InboxItem, StageReport

pytestmark = pytest.mark.kafka  # starts real processes

RACERS, TIMES = 4, 25


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    database.close()


def take_numbers(name: str) -> list[int]:
    """Reads a counter and moves it, many times."""
    taken = []
    for _ in range(TIMES):
        with atomic():
            read = counters.value(name)
            assert counters.move(name, read, read + 1)
        taken.append(read + 1)
    return taken


def test_no_number_is_given_out_twice(tmp_path: Path) -> None:
    """What a transaction has read stays true until its end; also for a number's very first time."""
    with database.use(new_database(tmp_path, "520000", CONNECTOR)):
        taken = race(address("520000"), CONNECTOR, take_numbers, *[["seq"]] * RACERS)

        assert sorted(chain(*taken)) == list(range(1, RACERS * TIMES + 1))
        assert counters.value("seq") == RACERS * TIMES


def step_on(start: int) -> list[int]:
    """Advances the cursor from wherever it stands; where its own steps began."""
    own = []
    while (state := cursor.load("s")) is not None and state.next < start + TIMES:
        here = state.next

        def step(here: int = here) -> bool:
            with atomic():
                cursor.advance("s", here, here + 1, "c", "t")
            return True

        own += [here] if attempt(step) is True else []
    return own


def test_each_step_of_a_cursor_is_one_process_s(tmp_path: Path) -> None:
    """Of two processes at the same offset one goes on, and the other one is fenced."""
    with database.use(new_database(tmp_path, "streams", STREAMS)):
        cursor.begin("s", "c", "t")
        steps = race(address("streams"), STREAMS, step_on, *[[0]] * RACERS)

        assert sorted(chain(*steps)) == list(range(TIMES))


def submit_all(facts: str, now: str) -> list[Any]:
    """The same references as everybody else; what became of each."""

    def one(number: int) -> str:
        data = alert(f"ref-{number}", urgency=facts)
        return drafts.submit(data, origin="520000", by="A-0120", now=datetime.fromisoformat(now)).message_id

    return attempts(range(TIMES), one)


@pytest.mark.parametrize("same", [True, False], ids=["the same content", "other content"])
def test_a_reference_is_one_draft(tmp_path: Path, same: bool) -> None:
    """The same submission from several processes has one id; of different ones the first has it."""
    now = SystemClock().now().isoformat()
    urgencies = ["routine"] * RACERS if same else ["routine", "priority"] * (RACERS // 2)
    with database.use(new_database(tmp_path, "520000", CONNECTOR)):
        found = race(address("520000"), CONNECTOR, submit_all, *[[each, now] for each in urgencies])

        assert Draft.objects.count() == TIMES
        for answers in zip(*found, strict=True):
            ids = set(answers) - {"Refused"}
            assert len(ids) == 1
            assert same == ("Refused" not in answers)


def claim_all(officer_ref: str, roster: str, now: str) -> list[Any]:
    """Signs for every alert that waits; what became of each."""
    known, at = Roster.load(Path(roster)), datetime.fromisoformat(now)

    def claim(message_id: str) -> str:
        return casework.claim(message_id, officer_ref=officer_ref, roster=known, at=at).state

    waiting = InboxItem.objects.order_by("pk").values_list("message__message_id", flat=True)
    return attempts(list(waiting), claim)


def test_one_officer_signs(tmp_path: Path) -> None:
    """Two officers sign for the same alerts at once: each is one's, with one line and one receipt."""
    net = Network(tmp_path)
    gz, gd = net.province("520000"), net.province("440000")
    for number in range(TIMES):
        gz.submit(alert(f"a-{number}"))
    net.settle()
    told = [str(gd.settings.folder / "roster.toml"), net.clock.now().isoformat()]
    with gd.here():
        racers = [[officer, *told] for officer in ("A-0117", "A-0118")] * 2
        found = race(address("440000"), CONNECTOR, claim_all, *racers)

        assert InboxItem.objects.filter(state="claimed").count() == TIMES
        assert StageReport.objects.filter(of__isnull=False, stage="claimed").count() == TIMES
        lines = Counter(Event.objects.filter(kind="claimed").values_list("message", flat=True))
        assert set(lines.values()) == {1}
        assert {each for answers in found for each in answers} <= {"claimed", "Conflict"}


def issue(numbers: list[int]) -> list[Any]:
    """Issues drafts that were passed; what became of each."""
    return attempts(
        numbers, lambda number: drafting.issue(drafting.find(number), hand(LEADER), {}).message_id
    )


def test_a_paper_is_issued_once(tmp_path: Path) -> None:
    """Two browsers of the leader at once: one draft for the connector, one line in the paper's story."""
    with database.use(new_database(tmp_path, "520000", PAPERS)):
        numbers = [approved().pk for _ in range(8)]
        found = race(address("520000"), PAPERS, issue, [numbers], [numbers])

        assert Draft.objects.count() == len(numbers)
        assert Step.objects.filter(act="issue").count() == len(numbers)
        for answers in zip(*found, strict=True):
            assert "Conflict" in answers


def review(numbers: list[int], remark: str) -> list[Any]:
    """Passes drafts, or sends them back with a remark; what became of each."""
    judge = drafting.send_back if remark else drafting.pass_on
    return attempts(numbers, lambda number: judge(drafting.find(number), hand(REVIEWER), remark).state)


def test_a_paper_is_reviewed_once(tmp_path: Path) -> None:
    """One reviewer passes while the other one sends back: each paper has one of the two."""
    with database.use(new_database(tmp_path, "520000", PAPERS)):
        papers = [drafting.submit(drafted(), hand(AUTHOR), {}) for _ in range(8)]
        numbers = [paper.pk for paper in papers]
        found = race(address("520000"), PAPERS, review, [numbers, ""], [numbers, "补正"])

        for number, answers in zip(numbers, zip(*found, strict=True), strict=True):
            assert "Conflict" in answers
            assert Paper.objects.get(pk=number).state in answers


def begin_a_watch() -> int:
    """Takes over as the watch."""
    with atomic():
        return watching.begin(SystemClock().now())


def test_watches_on_several_machines_know_who_is_the_last(tmp_path: Path) -> None:
    """Each has a number of its own, so that only the last one goes on."""
    with database.use(new_database(tmp_path, "520000", CONNECTOR)):
        epochs = race(address("520000"), CONNECTOR, begin_a_watch, *[[]] * RACERS)

        assert sorted(epochs) == [1, 2, 3, 4]


def begin_work(folder: str) -> bool:
    """What every process of a province does first."""
    ConnectorSettings.load(Path(folder)).open_database(migrate=True, apps=DESK)
    return True


def test_processes_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    """Connector, desk and watch begin on an empty database; on PostgreSQL each on a machine of its own."""
    url = empty_database(tmp_path, "520000")
    folders = [tmp_path / (str(number) if is_chosen() else "one") for number in range(3)]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        told = 'code = "520000"\nnetwork = "test"\ndatabase_url = "{}"\n[kafka]\nbootstrap = "127.0.0.1:1"\n'
        (folder / "connector.toml").write_text(told.format(url), encoding="utf-8")

    begun = race(url, DESK, begin_work, *[[str(folder)] for folder in folders])

    database.open_database("520000", url, DESK)
    with connections["520000"].cursor() as sql:
        sql.execute("SELECT app, name FROM django_migrations")
        steps = sql.fetchall()
    assert begun == [True] * 3
    assert len(steps) == len(set(steps)) > len(DESK)
