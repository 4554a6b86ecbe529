"""Who is posted where: by the newest directory in the province's own store, at the moment of the question."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.posting import HOME, HOST, OFFICER, OTHER, post, posting
from tests.support.province import Network, Province
from tongbao_broker import database
from tongbao_connectors import postings


@pytest.fixture
def gz(tmp_path: Path) -> Iterator[Province]:
    """贵州, with two other provinces in its directory."""
    net = Network(tmp_path)
    yield net.province(HOME)
    database.close()


def hosts(gz: Province, officer_ref: str = OFFICER) -> list[str]:
    with gz.here():
        return [each.host for each in postings.of_officer(officer_ref, HOME, gz.net.clock.now())]


def why_none(gz: Province) -> str:
    with gz.here():
        return postings.why_none(OFFICER, HOME, gz.net.clock.now()).zh


CASES: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "in force": ({}, [HOST], ""),
    "ended": ({"days": (-30, -1)}, [], "派驻广东已于 2026-"),
    "ends at this moment": ({"days": (-30, 0)}, [], "已于"),
    "begins at this moment": ({"days": (0, 30)}, [HOST], ""),
    "not begun": ({"days": (1, 30)}, [], "派驻广东自 2026-"),
    "of another home": ({"home": OTHER}, [], "目录中没有这名联络员的派驻"),
    "of another officer": ({"officer_ref": "A-0302"}, [], "目录中没有这名联络员的派驻"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_posting_holds_for_its_officer_home_and_time(gz: Province, name: str) -> None:
    """What doesn't hold gives no host, and is said in a sentence."""
    changed, expected, why = CASES[name]
    at = gz.net.clock.now()
    gz.net.change(postings=[posting(at, **changed)])
    gz.turn()
    with gz.here():
        found = [each.host for each in postings.of_officer(OFFICER, HOME, at)]
        said = postings.why_none(OFFICER, HOME, at).zh

    assert found == expected
    assert why in said


def test_a_newer_directory_counts_at_once(gz: Province) -> None:
    """A posting that a later version no longer has is over with it, and one that it brings holds."""
    post(gz.net)
    assert hosts(gz) == [HOST]

    post(gz.net, posting(gz.net.clock.now(), host=OTHER))

    assert hosts(gz) == [OTHER]


def test_a_posting_ends_by_the_clock_alone(gz: Province) -> None:
    """No new directory is needed for its end."""
    post(gz.net)
    gz.net.clock.forward(days=31)

    assert hosts(gz) == []
    assert "结束" in why_none(gz)


def test_an_expired_directory_posts_nobody(gz: Province) -> None:
    """Nobody knows whether its postings still hold."""
    post(gz.net, posting(gz.net.clock.now(), days=(-1, 3650)))
    expires = gz.net.world.directory.expires_at
    gz.net.clock.forward(seconds=(expires - gz.net.clock.now()) / timedelta(seconds=1))

    assert hosts(gz) == []
    assert "过期" in why_none(gz)
