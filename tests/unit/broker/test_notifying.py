"""PostgreSQL's NOTIFY as a bell."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connections

from tests.support import postgresql
from tests.support.databases import STREAMS
from tests.support.postgresql import only_postgresql
from tongbao_broker import database, notifying
from tongbao_broker.bell import Bell
from tongbao_broker.database import atomic
from tongbao_broker.notifying import Ear, notify

pytestmark = only_postgresql

LONG = 10.0


@pytest.fixture
def bell(streams_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bell]:
    """A bell that listens."""
    monkeypatch.setattr(notifying, "AGAIN_S", 0.0)
    bell = Bell(ear=Ear())
    bell.wait(0)
    yield bell
    bell.close()


def test_a_commit_rings(bell: Bell) -> None:
    """Not before it, and several rings of one transaction are heard as one."""
    with atomic():
        notify()
        notify()
        early = bell.wait(0.05)

    assert not early
    assert bell.wait(LONG)
    assert not bell.wait(0)


def test_a_transaction_taken_back_rings_nobody(bell: Bell) -> None:
    """Nothing happened."""
    with suppress(ZeroDivisionError), atomic():
        notify()
        raise ZeroDivisionError

    assert not bell.wait(0.05)


def test_threads_are_heard_beside_it(bell: Bell) -> None:
    """The ear is one way to ring of several."""
    bell.ring()

    assert bell.wait(LONG)


def test_a_lost_connection_is_opened_anew(bell: Bell, streams_database: str) -> None:
    """An ear that was cut off hears again."""
    postgresql.cut_off(connections[streams_database].settings_dict["NAME"], "LISTEN%")
    while bell.wait(0.1):  # that it was cut off is heard as well
        continue
    notify()

    assert bell.wait(LONG)


def test_an_ear_that_cannot_hear_stops_nobody(tmp_path: Path) -> None:
    """Without a server a wait takes its time, and threads still end it."""
    database.open_database("away", postgresql.url("away", str(tmp_path)), STREAMS)
    with database.use("away"):
        bell = Bell(ear=Ear())
    rung = bell.wait(0.01)
    bell.ring()

    assert not rung
    assert bell.wait(0)
    bell.close()
