"""Databases for tests, migrated once per test run: SQLite files that are copied, or on PostgreSQL (see
`tests.support.postgresql`) one for each name, emptied whenever a test asks for it anew.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import pytest
from django.db import connections

from tests.support import postgresql
from tests.support.django_settings import INSTALLED_APPS, WEB
from tongbao_broker import database
from tongbao_connectors.desk import web

STREAMS = ("tongbao_broker.streams",)
EXCHANGE = ("tongbao_broker.streams", "tongbao_broker.exchange")
CONNECTOR = (
    "tongbao_broker.streams",
    "tongbao_connectors.store",
    "tongbao_connectors.search",
    "tongbao_connectors.duty",
)
DESK = (*CONNECTOR, *web.APPS)
CHEAP = {"PASSWORD_HASHERS": ["tests.support.hashing.CheapArgon2"]}

_numbers = count(1)
_templates = TemporaryDirectory(prefix="tongbao-templates-")  # removed when the test run ends

database.install(INSTALLED_APPS, {**WEB, **CHEAP})  # lets test modules import models at their top


def new_database(folder: Path, name: str, apps: Sequence[str]) -> str:
    """Makes a migrated database, opens it under `name` and returns that name.

    On SQLite it is the file `<name>.db` in `folder`. On PostgreSQL one made before under this name is gone.
    """
    database.open_database(name, _migrated(folder, name, tuple(apps)), apps)
    return name


def empty_database(folder: Path, name: str) -> str:
    """The address of a database without tables, on SQLite the file `<name>.db` in `folder`."""
    if not postgresql.is_chosen():
        return database.sqlite_url(folder / f"{name}.db")
    known = f"{name}-{_worker()}-{next(_numbers)}"
    postgresql.create(known)
    return postgresql.url(known)


def address(name: str) -> str:
    """Where the database opened as `name` is, for another process."""
    known = connections.settings[name]["NAME"]
    return postgresql.url(known) if postgresql.is_chosen() else database.sqlite_url(Path(known))


def place(settings: Path) -> None:
    """Gives the participant of this settings file an empty database of the kind this run is for."""
    if postgresql.is_chosen():
        url = empty_database(settings.parent, settings.parent.name)
        settings.write_text(f'database_url = "{url}"\n{settings.read_text("utf-8")}', "utf-8")


def content(url: str) -> list[str]:
    """Everything in a database, as SQL."""
    if postgresql.is_chosen():
        return postgresql.content(_name(url))
    with closing(sqlite3.connect(f"file:{_file(url)}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def keep(url: str, copy: Path) -> None:
    """Makes a backup of the database at an address, as docs/operations.md says, while it is worked on."""
    copy.unlink(missing_ok=True)
    if not postgresql.is_chosen():
        with closing(sqlite3.connect(_file(url))) as live:
            live.execute("VACUUM INTO ?", [str(copy)])
    else:
        postgresql.dump(_name(url), copy)


def put_back(url: str, copy: Path) -> None:
    """Puts a backup in a database's place; whoever works on it on PostgreSQL is cut off."""
    database.close()
    if not postgresql.is_chosen():
        shutil.copyfile(copy, copy.with_suffix(".put"))
        copy.with_suffix(".put").replace(_file(url))
    else:
        postgresql.restore(_name(url), copy)


def without_waiting_for_the_disk(name: str) -> None:
    """Commits as ever, but not against a power cut, which no test without a service has.

    PostgreSQL is told so as a whole.
    """
    if connections[name].vendor == "sqlite":
        with connections[name].cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")


def _file(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.strip("/"))


def _migrated(folder: Path, name: str, apps: tuple[str, ...]) -> str:
    if not postgresql.is_chosen():
        path = folder / f"{name}.db"
        shutil.copyfile(_template(apps), path)
        return database.sqlite_url(path)
    known = _copy(name, apps)
    postgresql.empty(known)
    return postgresql.url(known)


@cache
def _template(apps: tuple[str, ...]) -> str:
    """A migrated database to be copied: a file's path, or a name."""
    name = f"template-{len(apps)}-{apps[-1]}-{_worker()}"
    path = Path(_templates.name) / f"{name}.db"
    if postgresql.is_chosen():
        postgresql.create(name)
    database.open_database(
        name, postgresql.url(name) if postgresql.is_chosen() else database.sqlite_url(path), apps
    )
    database.migrate(name)
    database.close()
    return name if postgresql.is_chosen() else str(path)


@cache
def _copy(name: str, apps: tuple[str, ...]) -> str:
    """The database of this name with these apps, on PostgreSQL."""
    copy = f"{name}-{len(apps)}-{apps[-1].rpartition('.')[2]}-{_worker()}"
    postgresql.create(copy, like=_template(apps))
    return copy


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture
def streams_database(tmp_path: Path) -> Iterator[str]:
    """A database that has only the cursor's table, made the current one."""
    with database.use(new_database(tmp_path, "streams", STREAMS)):
        yield "streams"
    database.close()


@pytest.fixture
def exchange_database(tmp_path: Path) -> Iterator[str]:
    """An exchange's database, made the current one."""
    with database.use(new_database(tmp_path, "100000", EXCHANGE)):
        yield "100000"
    database.close()


@pytest.fixture
def connector_database(tmp_path: Path) -> Iterator[str]:
    """A province's database, made the current one."""
    with database.use(new_database(tmp_path, "520000", CONNECTOR)):
        yield "520000"
    database.close()
