"""Who commits what is to be sent wakes the connector."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.province import Network, Province, alert
from tongbao_broker.bell import Bell
from tongbao_broker.database import atomic
from tongbao_connectors.waking import bell as bell_of_the_connector

WHILE_S = 10.0


@pytest.fixture
def gz() -> Iterator[Province]:
    """In a folder with a short name: a socket's path has at most 107 bytes."""
    with TemporaryDirectory() as folder:
        yield Network(Path(folder)).province("520000")


@pytest.fixture
def bell(gz: Province) -> Iterator[Bell]:
    with gz.here():
        listening = bell_of_the_connector()
        listening.wait(0)  # on PostgreSQL it listens from the first wait on
    yield listening
    listening.close()


def test_a_submission_wakes_the_connector(gz: Province, bell: Bell) -> None:
    """A draft doesn't wait for the next look."""
    gz.submit(alert("a-1"))

    assert bell.wait(WHILE_S)


def test_nobody_is_woken_before_the_commit(gz: Province, bell: Bell) -> None:
    """Inside a transaction there is nothing to be seen yet."""
    with gz.here(), atomic():
        gz.submit(alert("a-1"))
        woken = bell.wait(0)

    assert not woken
    assert bell.wait(WHILE_S)


def test_where_nobody_listens_submitting_goes_on(gz: Province) -> None:
    """Drafts are written with or without a running connector."""
    assert gz.submit(alert("a-1")).created
