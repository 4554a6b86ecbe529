"""A province's database with drafts, and the officers of 贵州."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.databases import CONNECTOR, new_database
from tongbao_broker import database
from tongbao_connectors.papers.drafting import Hand
from tongbao_connectors.roster import Roster
from tongbao_connectors.workspace import template

NOW = datetime(2026, 11, 23, 6, 18, tzinfo=UTC)
APPS = (*CONNECTOR, "tongbao_connectors.papers")


@pytest.fixture
def papers_database(tmp_path: Path) -> Iterator[str]:
    """A province's database with the tables of drafts, made the current one."""
    with database.use(new_database(tmp_path, "520000", APPS)):
        yield "520000"
    database.close()


def hand(officer_ref: str) -> Hand:
    """An officer of 贵州 who acts at 14:18."""
    return Hand(officer_ref, Roster.parse(template("520000", "roster.toml")), "520000", "demo", NOW)
