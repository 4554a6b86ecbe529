"""An officer is posted and recalled: the directory says so, with its dates."""

from datetime import timedelta

import pytest

from tests.unit.connectors.conftest import MADE_AT
from tongbao_broker.errors import BadConfiguration
from tongbao_connectors import issuing, secondment
from tongbao_connectors.workspace import DEMO_POSTINGS, NoSuchParticipant, Workspace
from tongbao_schemas.documents import Posting
from tongbao_schemas.encoding import format_time

NOW = MADE_AT + timedelta(days=1)
[DEMO] = DEMO_POSTINGS
OFFICER = "黔-0302"


def posting(host: str = "440000", *, start: int = 0, end: int = 30) -> Posting:
    since, until = (format_time(NOW + timedelta(days=each)) for each in (start, end))
    return secondment.posting(OFFICER, "520000", host, since, until, NOW)


def listed(place: Workspace, officer_ref: str = OFFICER) -> list[Posting]:
    named = issuing.current(place, NOW).directory.document.postings
    return [each for each in named if each.officer_ref == officer_ref]


def test_a_posting_is_in_the_next_directory(place: Workspace) -> None:
    """One version higher, beside those that were there."""
    directory = secondment.post(place, posting(), NOW)

    assert directory.version == 2
    assert listed(place) == [posting()]
    assert len(listed(place, DEMO.officer_ref)) == 1


def test_a_recall_ends_what_has_begun_and_removes_what_has_not(place: Workspace) -> None:
    """It says until when he was there; a posting that never began leaves no trace."""
    secondment.post(place, posting(), NOW - timedelta(days=1))
    secondment.post(place, posting("330000", start=5), NOW)
    later = NOW + timedelta(hours=2)
    secondment.recall(place, OFFICER, "", later)

    assert [(each.host, each.valid_until) for each in listed(place)] == [("440000", later)]


def test_a_recall_from_one_host_leaves_the_others(place: Workspace) -> None:
    """Only what is named ends; so do no other officer's postings."""
    secondment.post(place, posting(), NOW)
    secondment.post(place, posting("330000"), NOW)
    later = NOW + timedelta(hours=2)
    secondment.recall(place, OFFICER, "330000", later)

    assert {each.host: each.valid_until == later for each in listed(place)} == {
        "440000": False,
        "330000": True,
    }
    assert listed(place, DEMO.officer_ref)[0].valid_until > later


def test_nobody_is_posted_twice_to_one_host_at_a_time(place: Workspace) -> None:
    """Overlapping is refused; one after the other isn't."""
    secondment.post(place, posting(end=10), NOW)
    with pytest.raises(secondment.PostedAlready):
        secondment.post(place, posting(start=9), NOW)
    secondment.post(place, posting(start=10), NOW)

    assert len(listed(place)) == 2


def test_who_isnt_posted_cant_be_recalled(place: Workspace) -> None:
    """Unknown, posted elsewhere, or over already."""
    later = NOW + timedelta(days=400)
    cases = ((OFFICER, "", NOW), (DEMO.officer_ref, "330000", NOW), (DEMO.officer_ref, "", later))
    for officer_ref, host, at in cases:
        with pytest.raises(secondment.NotPosted):
            secondment.recall(place, officer_ref, host, at)


@pytest.mark.parametrize("host", ["100000", "650000"])
def test_a_host_is_a_province_of_the_network(place: Workspace, host: str) -> None:
    """Neither the exchange nor a province that doesn't take part."""
    with pytest.raises((NoSuchParticipant, BadConfiguration)):
        secondment.post(place, posting(host), NOW)


@pytest.mark.parametrize(
    ("officer_ref", "home", "since", "until"),
    [
        (OFFICER, "440000", None, "2036-01-01T00:00:00.000Z"),
        (OFFICER, "520000", None, "2020-01-01T00:00:00.000Z"),
        (OFFICER, "520000", "2037-01-01T00:00:00.000Z", "2036-01-01T00:00:00.000Z"),
        (OFFICER, "520000", None, "tomorrow"),
        ("x" * 40, "520000", None, "2036-01-01T00:00:00.000Z"),
        (OFFICER, "52", None, "2036-01-01T00:00:00.000Z"),
    ],
    ids=["own province", "over already", "ends before it begins", "no time", "no reference", "no province"],
)
def test_what_is_no_posting(officer_ref: str, home: str, since: str | None, until: str) -> None:
    """Refused before anything is signed."""
    with pytest.raises(BadConfiguration):
        secondment.posting(officer_ref, home, "440000", since, until, NOW)
