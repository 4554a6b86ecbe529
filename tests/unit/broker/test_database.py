"""Several databases in one process, each query in the right one, each commit safe."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, connections

from tests.support.databases import STREAMS, new_database
from tests.support.postgresql import only_sqlite
from tongbao_broker import database
from tongbao_broker.errors import BadConfiguration, Held
from tongbao_broker.streams import cursor
from tongbao_broker.streams.models import Cursor


def test_queries_go_to_the_database_in_use(tmp_path: Path) -> None:
    """Two provinces in one process never see each other's rows."""
    for name in ("guizhou", "guangdong"):
        new_database(tmp_path, name, STREAMS)
    with database.use("guizhou"):
        cursor.begin("s", "c", "t")

    with database.use("guangdong"):
        assert cursor.load("s") is None
    with database.use("guizhou"):
        assert cursor.load("s") is not None


def test_transaction_is_on_the_database_in_use(streams_database: str) -> None:
    """An exception inside `atomic` takes back what was written."""
    with suppress(ZeroDivisionError), database.atomic():
        cursor.begin("s", "c", "t")
        raise ZeroDivisionError

    assert cursor.load("s") is None


def test_default_connection_is_of_no_use(streams_database: str) -> None:
    """A query that passes the router by fails instead of going to some database."""
    with pytest.raises(ImproperlyConfigured):
        connection.cursor()


def test_threads_see_the_first_database() -> None:
    """The choice made by `use` belongs to its thread."""
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(database.current()))
    thread.start()
    thread.join()

    assert seen == [next(iter(database._labels))]


def test_only_own_apps_have_tables(streams_database: str) -> None:
    """A database has the tables of its own apps and no others."""
    tables = connections[streams_database].introspection.table_names()

    assert sorted(tables) == ["django_migrations", "streams_cursor"]


@only_sqlite
def test_sqlite_is_opened_for_durability(streams_database: str) -> None:
    """Every connection syncs fully, overwrites what is deleted and keeps the journal that is safe here."""
    with connections[streams_database].cursor() as sql:
        found = [
            sql.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "secure_delete", "journal_mode", "foreign_keys")
        ]

    assert found[:2] == [2, 1]
    assert found[2] in ("truncate", "wal")
    assert found[3] == 1


@pytest.mark.parametrize(
    ("version", "journal"),
    [((3, 40, 1), "TRUNCATE"), ((3, 51, 2), "TRUNCATE"), ((3, 51, 3), "WAL"), ((4, 0, 0), "WAL")],
)
def test_write_ahead_log_only_where_it_is_safe(version: tuple[int, int, int], journal: str) -> None:
    """Versions that can corrupt a write-ahead log get a rollback journal."""
    assert database.journal_mode(version) == journal


def test_file_is_private(streams_database: str, tmp_path: Path) -> None:
    """A new database file is readable by its owner only."""
    database.open_database("fresh", database.sqlite_url(tmp_path / "fresh.db"), STREAMS)

    assert (tmp_path / "fresh.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "url",
    [
        "mysql://h/x",
        "sqlite:relative.db",
        "sqlite:///no/such/folder/x.db",
        "postgresql://h",
        "postgresql://u:secret@h/x",
        "postgresql://h/x?password=secret",
    ],
)
def test_bad_address_is_refused(url: str) -> None:
    """An address that can't work is refused when it is opened, not at the first query."""
    with pytest.raises(BadConfiguration):
        database.open_database("bad", url, STREAMS)


def test_unknown_name_is_refused() -> None:
    """Using a database that was never opened is a mistake in the set-up, said at once."""
    with pytest.raises(BadConfiguration), database.use("nobody"):
        pass


@pytest.mark.parametrize("block", [database.atomic, database.reading])
def test_database_trouble_holds_and_heals(
    streams_database: str, block: Callable[[], AbstractContextManager[None]]
) -> None:
    """Trouble with the database becomes Held, the connection is closed, and the next transaction works."""
    with pytest.raises(Held), block():
        raise OperationalError("disk I/O error")

    assert connections[streams_database].connection is None
    with database.atomic():
        assert not Cursor.objects.exists()


def test_a_question_waits_for_nobody_s_transaction(streams_database: str) -> None:
    """It takes no lock, while a transaction takes the database's at its beginning."""
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        with database.use(streams_database), database.atomic():
            begun.set()
            ended.wait(10)
        database.close()

    other = threading.Thread(target=work)
    other.start()
    try:
        assert begun.wait(10)
        with database.reading():
            assert not Cursor.objects.exists()
            assert not database.in_transaction()
    finally:
        ended.set()
        other.join()


def test_address_of_a_file_with_unusual_name(tmp_path: Path) -> None:
    """Spaces, percent signs and Chinese in a path survive the address."""
    path = tmp_path / "贵州 50%" / "x?.db"
    path.parent.mkdir()
    database.open_database("unusual", database.sqlite_url(path), STREAMS)

    assert connections.settings["unusual"]["NAME"] == str(path)
    assert path.exists()
