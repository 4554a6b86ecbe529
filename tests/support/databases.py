"""Databases for tests, migrated once per test run: SQLite files that are copied, or on PostgreSQL (see
`tests.support.postgresql`) one for each name, emptied whenever a test asks for it anew.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

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
    postgresql.create(f"{name}-{_worker()}-bare")
    return postgresql.url(f"{name}-{_worker()}-bare")


def address(name: str) -> str:
    """Where the database opened as `name` is, for another process."""
    known = connections.settings[name]["NAME"]
    return postgresql.url(known) if postgresql.is_chosen() else database.sqlite_url(Path(known))


def without_waiting_for_the_disk(name: str) -> None:
    """Commits as ever, but not against a power cut, which no test without a service has.

    PostgreSQL is told so as a whole.
    """
    if connections[name].vendor == "sqlite":
        with connections[name].cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")


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
