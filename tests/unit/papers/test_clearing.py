"""Drafts that nobody goes on with."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections

from tests.unit.papers.conftest import NOW, hand
from tongbao_broker import database
from tongbao_connectors.papers import clearing, drafting
from tongbao_connectors.papers.models import Paper, Step
from tongbao_connectors.papers.states import State
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.codes import Category

AUTHOR, REVIEWER = "黔-0002", "黔-0003"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def draft(text: str = "MARK-OF-A-DRAFT") -> Paper:
    """A draft with a text that a file can be searched for."""
    return drafting.begin(Category.ONLINE, hand(AUTHOR), {"body.title": [text]})


@pytest.mark.parametrize(
    ("untouched", "said"),
    [(0 * DAY, False), (23 * DAY - SECOND, False), (23 * DAY, True), (30 * DAY, True), (31 * DAY, True)],
)
def test_it_is_said_for_the_last_seven_days(untouched: timedelta, said: bool) -> None:
    """30 days are kept: from the 23rd on the page says when; not before."""
    at = clearing.soon(NOW - untouched, 30, NOW)

    assert at == (NOW - untouched + 30 * DAY if said else None)


@pytest.mark.usefixtures("papers_database")
def test_what_is_cleared_keeps_its_history_and_no_text() -> None:
    """On the day, not before; the row stays, its remarks go with the text, a line of nobody says so."""
    paper = draft()
    assert clearing.clear(30, NOW + 30 * DAY - SECOND) == 0

    assert clearing.clear(30, NOW + 30 * DAY) == 1

    cleared = Paper.objects.get(pk=paper.pk)
    assert (cleared.stage, cleared.form) == (State.DISCARDED, {})
    assert list(cleared.steps.order_by("pk").values_list("act", "officer_ref")) == [
        ("save", AUTHOR),
        ("clear", ""),
    ]
    assert clearing.clear(30, NOW + 60 * DAY) == 0


@pytest.mark.usefixtures("papers_database")
def test_every_step_counts_and_looking_does_not() -> None:
    """Saved again, it is kept from then on; in review it is cleared all the same."""
    paper = drafting.save(draft(), {"body.title": ["b"]}, hand(AUTHOR))
    Step.objects.filter(paper=paper).update(at=NOW + 10 * DAY)
    assert clearing.clear(30, NOW + 39 * DAY) == 0
    Paper.objects.filter(pk=paper.pk).update(state=State.REVIEWING.value)

    assert clearing.clear(30, NOW + 40 * DAY) == 1


@pytest.mark.usefixtures("papers_database")
def test_who_was_quicker() -> None:
    """A draft that was saved in the same instant stays."""
    seen = draft()
    drafting.save(seen, {"body.title": ["b"]}, hand(AUTHOR))

    assert not drafting.clear(seen, NOW)
    assert Paper.objects.get().form == {"body.title": ["b"]}


@pytest.mark.usefixtures("papers_database")
@pytest.mark.parametrize("how", ["cleared", "discarded"])
def test_the_text_is_overwritten(tmp_path: Path, how: str) -> None:
    """Neither SQLite's file nor its journal holds what stood in the draft."""
    if connections[database.current()].vendor != "sqlite":
        pytest.skip("PostgreSQL's files are not ours to read")
    paper = draft()
    assert _found(tmp_path)

    if how == "cleared":
        clearing.clear(30, NOW + 30 * DAY)
    else:
        drafting.discard(paper, hand(AUTHOR))

    assert not _found(tmp_path)


def _found(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in files if b"MARK-OF-A-DRAFT" in path.read_bytes()]


@pytest.mark.usefixtures("papers_database")
def test_the_watch_looks_once_an_hour_and_goes_by_the_file(tmp_path: Path) -> None:
    """The province's own number of days; a mistake in the file clears nothing."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "connector.toml").write_text(
        'code = "520000"\nnetwork = "demo"\n[kafka]\nbootstrap = "127.0.0.1:9093"\n'
    )
    file = folder / "desk.toml"
    turn = clearing.Clearing(ConnectorSettings.load(folder)).turn
    draft()
    file.write_text("drafts_kept_days = 0\n")
    turn(NOW + 90 * DAY)
    file.write_text("drafts_kept_days = 90\n")
    turn(NOW + 90 * DAY + 59 * timedelta(minutes=1))
    assert Paper.objects.get().stage is State.DRAFTING

    turn(NOW + 90 * DAY + timedelta(hours=1))

    assert Paper.objects.get().stage is State.DISCARDED
