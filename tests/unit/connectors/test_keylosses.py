"""A key in foreign hands: the directory says since when it counts for nothing."""

from datetime import datetime, timedelta

import pytest

from tests.unit.connectors.conftest import MADE_AT
from tongbao_broker.errors import BadConfiguration
from tongbao_connectors import issuing, keylosses
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.workspace import Workspace

NOW = MADE_AT + timedelta(days=1)
LOST = NOW - timedelta(hours=5)


def kid_of(place: Workspace) -> str:
    return ConnectorSettings.load(place.province("520000")).message_key().keyid


def since(place: Workspace, kid: str) -> datetime | None:
    [key] = [key for key in issuing.current(place, NOW).directory.document.keys if key.kid == kid]
    return key.compromised_since


@pytest.mark.parametrize("digits", [16, 64])
def test_the_directory_says_since_when(place: Workspace, digits: int) -> None:
    """One version higher, verified from the pinned root; the key stays listed."""
    kid = kid_of(place)
    key, directory = keylosses.close(place, kid[:digits], LOST, NOW)

    assert (key.kid, directory.version, since(place, kid)) == (kid, 2, LOST)


def test_the_time_only_moves_back(place: Workspace) -> None:
    """What was refused never becomes good again; what turns out to be older is."""
    kid = kid_of(place)
    keylosses.close(place, kid, LOST, NOW)
    for later in (LOST, LOST + timedelta(hours=1)):
        with pytest.raises(keylosses.SinceEarlier):
            keylosses.close(place, kid, later, NOW)
    keylosses.close(place, kid, LOST - timedelta(days=1), NOW)

    assert since(place, kid) == LOST - timedelta(days=1)


@pytest.mark.parametrize("kid", ["", "ab", "f" * 64, "0" * 15])
def test_no_other_key_is_meant(place: Workspace, kid: str) -> None:
    """Too short, or unknown."""
    with pytest.raises(keylosses.NoSuchKeyListed):
        keylosses.close(place, kid, LOST, NOW)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24", "2026-11-24T08:00:00+08:00"])
def test_a_time_is_written_as_on_the_wire(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(BadConfiguration):
        keylosses.time_of(text)
