"""Databases: Django's ORM without a settings module, one database per participant.

1. A process opens each database it works on by name; the first one opened is the current one.
2. `use(name)` makes another one current for the code inside it (a context variable; a new thread starts with
   the first). There is no Django "default" database, so that a query that passes the router by fails instead
   of hitting the wrong one.
3. Every database has its own list of apps; migrations of other apps are not applied to it.
4. SQLite is opened so that a commit is durable, transactions take the write lock at their beginning (one that
   reads first and then wants to write would otherwise fail under load), and deleted content is overwritten. A
   write-ahead log is used from 3.51.3 on only: before, it can corrupt a database with several connections.
5. On PostgreSQL a transaction waits for its turn as well: one writer at a time in each database, so that what
   a transaction has read stays true until its end, on both databases alike. Questions outside of one wait for
   nobody. A process that falls silent within its transaction loses it, and with it its turn.
6. PostgreSQL gets values apart from statements, so that no text of a case comes into the server's log when a
   statement fails. A server on another machine must show a certificate for its name. A password stands in a
   file of its own (libpq's `passfile`), not in an address.
7. Modules with models can be imported only after a database has been opened.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import django
from django.apps import apps as installed
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import InterfaceError, InternalError, OperationalError, connections, transaction

from tongbao_broker.errors import BadConfiguration, Held, Words

SAFE_WAL = (3, 51, 3)
LOCK_WAIT_S = 20
SILENCE_S = 15  # less than others wait for their turn
STATEMENT_S = 60
NO_ANSWER_S = 20

TURN, MIGRATION = "1953459815, 1", "1953459815, 2"
"""Names of advisory locks on PostgreSQL; they hold within one database."""

HERE = ("", "localhost", "127.0.0.1", "::1")
PREPARED_AFTER = 5
LIMITS = " ".join(
    f"-c {name}={seconds}s"
    for name, seconds in (
        ("lock_timeout", LOCK_WAIT_S),
        ("statement_timeout", STATEMENT_S),
        ("idle_in_transaction_session_timeout", SILENCE_S),
    )
)
PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": str(NO_ANSWER_S * 1000),
}
"""How long a server that has vanished is waited for."""

_current: ContextVar[str | None] = ContextVar("tongbao_database", default=None)
_labels: dict[str, frozenset[str]] = {}


class Router:
    """Sends every query to the current database, and to each database only its own apps' tables."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return current()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return current()

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return app_label in _labels.get(db, ())


def open_database(name: str, url: str, apps: Sequence[str]) -> None:
    """Opens `url` (`sqlite:///absolute/path` or `postgresql://user@host:port/name?option=…`) under `name`.

    The options are libpq's (`passfile`, `sslrootcert`, …). `apps` are dotted package names. Opening the same
    name again replaces it. Raises BadConfiguration.
    """
    options = _sqlite(url) if url.startswith("sqlite:") else _postgresql(url)
    install(apps)
    if name in connections.settings:
        connections[name].close()
        del connections[name]
    connections.settings[name] = connections.configure_settings({"default": {}, name: options})[name]
    _labels[name] = frozenset(app.rpartition(".")[2] for app in apps)
    try:
        connections[name]  # loads the driver
    except ImproperlyConfigured as error:
        raise BadConfiguration(
            Words(f"数据库 {name} 缺少驱动", f"no driver for database {name}"),
            Words("安装 psycopg。", "Install psycopg."),
        ) from error


def install(apps: Sequence[str], web: Mapping[str, Any] | None = None) -> None:
    """Lets modules with these apps' models be imported; `open_database` does this too.

    `web` are the settings of a process that serves pages; they count only where it is the first call.
    """
    if not settings.configured:
        settings.configure(
            **{
                "DATABASES": {},
                "DATABASE_ROUTERS": [Router()],
                "INSTALLED_APPS": list(apps),
                "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
                "USE_TZ": True,
                "LOGGING_CONFIG": None,
                **(web or {}),
            }
        )
    if not installed.ready:
        django.setup()
    missing = [app for app in apps if not installed.is_installed(app)]
    if missing:
        installed.set_installed_apps([*(config.name for config in installed.get_app_configs()), *missing])


def sqlite_url(path: Path) -> str:
    """The address of an SQLite file."""
    return f"sqlite://{quote(str(path.resolve()))}"


def current() -> str:
    """The name of the database that queries go to."""
    name = _current.get() or next(iter(_labels), None)
    if name is None:
        raise BadConfiguration("no database is open")
    return name


@contextmanager
def use(name: str) -> Iterator[None]:
    """Makes the database opened as `name` the current one inside the block."""
    if name not in _labels:
        raise BadConfiguration(f"database {name} is not open")
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def atomic() -> Iterator[None]:
    """One transaction on the current database (nested: a savepoint).

    Trouble with the database itself closes the connection and raises Held; a broken constraint passes as it
    is.
    """
    name = current()
    if connections[name].in_atomic_block:
        with transaction.atomic(using=name):
            yield
        return
    with _mishaps(name), transaction.atomic(using=name):
        if connections[name].vendor == "postgresql":
            _run(name, f"SELECT pg_advisory_xact_lock({TURN})")
        yield


@contextmanager
def reading() -> Iterator[None]:
    """Questions to the current database outside a transaction, each answered as things are then.

    They take no lock, for which a transaction's beginning would wait. Trouble becomes Held as in `atomic`.
    """
    with _mishaps(current()):
        yield


@contextmanager
def _mishaps(name: str) -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as error:
        connections[name].close()
        raise Held(
            Words(f"数据库 {name}：{type(error).__name__}", f"database {name}: {type(error).__name__}"),
            Words("检查磁盘、权限和锁。", "Check disk, permissions and locks."),
        ) from error


def in_transaction() -> bool:
    """True inside `atomic()` on the current database."""
    return connections[current()].in_atomic_block


def migrate(name: str) -> None:
    """Brings the tables of database `name` up to date, before they are used.

    On PostgreSQL processes that do so at the same time, on whatever machine, wait for each other. On SQLite
    the caller sees to that.
    """
    with use(name), _migrating(name):
        call_command("migrate", database=name, verbosity=0, interactive=False, skip_checks=True)


@contextmanager
def _migrating(name: str) -> Iterator[None]:
    if connections[name].vendor != "postgresql":
        yield
        return
    with _mishaps(name):
        _run(name, "SET lock_timeout = 0")
        _run(name, "SET statement_timeout = 0")
        _run(name, f"SELECT pg_advisory_lock({MIGRATION})")
        try:
            yield
        finally:
            connections[name].close()  # gives back the lock and the timeouts


def _run(name: str, statement: str) -> None:
    with connections[name].cursor() as cursor:
        cursor.execute(statement)


def close() -> None:
    """Closes this thread's connections; the next query opens them again."""
    connections.close_all()


def journal_mode(version: tuple[int, int, int]) -> str:
    """The SQLite journal that is safe in this version of the library."""
    return "WAL" if version >= SAFE_WAL else "TRUNCATE"


def _sqlite(url: str) -> dict[str, Any]:
    path = Path(unquote(urlsplit(url).path))
    if not path.is_absolute() or not path.parent.is_dir():
        raise BadConfiguration(
            Words(
                f"数据库地址 {url}：须为已有文件夹中的绝对路径",
                f"database address {url}: an absolute path in an existing folder is needed",
            )
        )
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    journal = journal_mode(sqlite3.sqlite_version_info)
    pragmas = {"journal_mode": journal, "synchronous": "FULL", "secure_delete": "ON"}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": LOCK_WAIT_S,
            "init_command": " ".join(f"PRAGMA {name}={value};" for name, value in pragmas.items()),
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise BadConfiguration(
            Words(
                "数据库地址应为 sqlite:///路径 或 postgresql://主机/名称",
                "database address: sqlite:///path or postgresql://host/name is expected",
            )
        )
    if parts.password or "password" in options:
        raise BadConfiguration(
            Words("数据库地址中不得写口令", "a database address holds no password"),
            Words("把口令写入文件，在地址中用 passfile= 指明。", "Put it into a file that passfile= names."),
        )
    host = parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **({} if host in HERE else {"sslmode": "verify-full"}),
            **PATIENCE,
            **options,
            "options": f"{LIMITS} {options.get('options', '')}".strip(),
            "server_side_binding": True,
            "prepare_threshold": PREPARED_AFTER,
        },
    }
