"""Databases for tests: SQLite files that are migrated once per test run and then copied."""

import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

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
    """Makes a migrated SQLite file `<name>.db` in `folder`, opens it under `name` and returns that name."""
    path = folder / f"{name}.db"
    shutil.copyfile(_template(tuple(apps)), path)
    database.open_database(name, database.sqlite_url(path), apps)
    return name


@cache
def _template(apps: tuple[str, ...]) -> Path:
    path = Path(_templates.name) / f"{len(apps)}-{apps[-1]}.db"
    name = f"template-{len(apps)}-{apps[-1]}"
    database.open_database(name, database.sqlite_url(path), apps)
    database.migrate(name)
    database.close()
    return path


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
