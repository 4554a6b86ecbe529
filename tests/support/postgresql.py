"""A throw-away PostgreSQL for a test run: `TONGBAO_TEST_DATABASE=postgresql pytest …`.

1. The run's first process starts one server before any worker of xdist is started, and hands its address on
   in the environment; it ends it with the run. It dies with that process in any case.
2. It listens on a Unix socket in a temporary folder only. As root it runs as the system's user `postgres`.
3. It sorts texts as Chinese readers do, so that whoever counts on the order of bytes is found out.
4. A run of tests without a service waits for no disk; with real processes a commit is as durable as ever.
5. Tests work as an ordinary role that owns its databases; the superuser makes and empties them.
6. A run that asks for PostgreSQL where none can be started fails.
"""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

import psycopg
import pytest

from tests.support.kafka import free_ports

CHOICE, ADDRESS = "TONGBAO_TEST_DATABASE", "TONGBAO_TEST_POSTGRESQL"
ROLE, SYSTEM_USER, SUPERUSER = "tongbao", "postgres", "postgres"
CHINESE = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=zh")
WAIT_FOR_NO_DISK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def is_chosen() -> bool:
    """Whether this run's tests work on PostgreSQL."""
    chosen = os.environ.get(CHOICE, "sqlite")
    assert chosen in ("sqlite", "postgresql"), f"{CHOICE}={chosen}"
    return chosen == "postgresql"


only_postgresql = pytest.mark.skipif(not is_chosen(), reason="on PostgreSQL only")
only_sqlite = pytest.mark.skipif(is_chosen(), reason="on SQLite only")


class Server:
    """A PostgreSQL in a folder of its own."""

    def __init__(self, *settings: str) -> None:
        self.folder = Path(mkdtemp(prefix="tongbao-pg-"))
        self._settings = ("listen_addresses=", f"unix_socket_directories={self.folder}", *settings)
        self._port = 5432
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, SYSTEM_USER, pwd.getpwnam(SYSTEM_USER).pw_gid)
        self.data = self.folder / "data"
        made = _as_system_user(
            "initdb", "-D", self.data, "-U", SUPERUSER, "--auth=trust", "--no-sync", *CHINESE
        )
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        settings = [part for setting in self._settings for part in ("-c", setting)]
        command = _as_system_user("postgres", "-D", self.data, *settings)
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while not self._answers():
            gone = self._process.poll() is not None or time.monotonic() > end
            assert not gone, (self.folder / "server.log").read_text("utf-8", "replace")
            time.sleep(0.02)

    def listen(self, certificate: bytes) -> int:
        """Lets it serve with TLS on a port of this machine from its next start on; which one."""
        pem = self.data / "server.pem"
        pem.write_bytes(certificate)
        pem.chmod(0o600)
        os.chown(pem, self.data.stat().st_uid, self.data.stat().st_gid)
        self._port, _ = free_ports()
        tls = ("ssl=on", f"ssl_cert_file={pem}", f"ssl_key_file={pem}")
        self._settings = (*self._settings, *tls, "listen_addresses=localhost", f"port={self._port}")
        return self._port

    def stop(self, how: str = "fast") -> None:
        """Ends it: `fast` as an administrator does, `immediate` as a power cut does."""
        if self._process is not None:
            subprocess.run(
                _as_system_user("pg_ctl", "stop", "-D", self.data, "-m", how, "-t", "30"),
                check=False,
                stdout=subprocess.DEVNULL,
            )
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Ends it and removes its folder."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            psycopg.connect(host=str(self.folder), port=self._port, user=SUPERUSER, dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def url(database: str, server: str = "") -> str:
    """The address of a database, for its ordinary role."""
    return f"postgresql:///{quote(database)}?host={quote(server or os.environ[ADDRESS])}&user={ROLE}"


def administer(database: str = "postgres", server: str = "") -> "psycopg.Connection[tuple[object, ...]]":
    """A superuser's connection."""
    return psycopg.connect(
        host=server or os.environ[ADDRESS], user=SUPERUSER, dbname=database, autocommit=True
    )


def create(database: str, *, like: str = "") -> None:
    """Makes a database, empty or a copy of another; an old one of the name goes."""
    template = f'TEMPLATE "{like}" STRATEGY FILE_COPY' if like else ""
    with administer() as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{database}" OWNER {ROLE} {template}')


def dump(database: str, file: Path) -> None:
    """Makes a backup of a database, also while it is worked on."""
    _program("pg_dump", "--format=custom", "--file", file, "--dbname", url(database))


def content(database: str) -> list[str]:
    """Everything in a database, as SQL."""
    lines = _program("pg_dump", "--inserts", "--dbname", url(database)).decode().splitlines()
    return [line for line in lines if not line.startswith("\\")]  # a token that is new each time


def restore(database: str, file: Path) -> None:
    """Puts a backup in the place of a database; whoever works on it is cut off."""
    create(database)
    _program("pg_restore", "--no-owner", "--exit-on-error", "--dbname", url(database), file)


def empty(database: str) -> None:
    """Ends everybody's work on a database and takes out all rows but those that migrations put there."""
    cut_off(database, wait_ms=0)  # to wait takes a tenth of a second; their locks are waited for in any case
    with administer(database) as connection:
        connection.execute(_emptying(database))


def cut_off(database: str, last_statement: str = "%", *, wait_ms: int = 5000) -> None:
    """Ends the connections to a database whose last statement is like this, and waits until they have."""
    chosen = "FROM pg_stat_activity WHERE datname = %s AND query LIKE %s"
    with administer() as connection:
        connection.execute(
            f"SELECT pg_terminate_backend(pid, %s) {chosen}",
            [wait_ms, database, last_statement],
        )


@cache
def _emptying(database: str) -> str:
    """The statements that empty a database; to be asked for the first time while it is as migrated."""
    with administer(database) as connection:
        tables = [
            str(row[0])
            for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        used = [
            table for table in tables if not connection.execute(f'SELECT FROM "{table}" LIMIT 1').rowcount
        ]
        sequences = connection.execute("SELECT sequencename FROM pg_sequences WHERE last_value IS NULL")
        names = [str(row[0]) for row in sequences]
    return "; ".join(
        [
            "BEGIN; SET LOCAL session_replication_role = replica",
            *(f'DELETE FROM "{table}"' for table in used),  # noqa: S608 - names of ours
            *(f"SELECT setval('\"{name}\"', 1, false)" for name in names),
            "COMMIT",
        ]
    )


def start_for_run(config: pytest.Config) -> None:
    """Starts the run's server, unless the process that started this one has."""
    if not is_chosen() or ADDRESS in os.environ:
        return
    without_services = "not kafka" in (config.option.markexpr or "")
    server = Server("max_connections=500", *(WAIT_FOR_NO_DISK if without_services else ()))
    config.add_cleanup(server.remove)
    server.start()
    with administer(server=str(server.folder)) as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN")
    os.environ[ADDRESS] = str(server.folder)


def pytest_configure(config: pytest.Config) -> None:
    """Before the first test, and before xdist starts its workers."""
    start_for_run(config)


def _program(name: str, *arguments: object) -> bytes:
    command = [str(_programs() / name), *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def _as_system_user(program: str, *arguments: object) -> Sequence[str]:
    """A command of PostgreSQL, run by somebody who isn't root, and ended with this process."""
    user = [f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--init-groups"] if os.geteuid() == 0 else []
    command = [str(_programs() / program), *map(str, arguments)]
    return ["setpriv", *user, "--pdeathsig=INT", "--", *command]


@cache
def _programs() -> Path:
    """Where PostgreSQL's programs are: on PATH, or where Debian keeps them."""
    found = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    places = [Path(found)] if found else debian
    if not places:
        sys.exit(f"{CHOICE}=postgresql: there is no PostgreSQL here; on Debian: apt-get install postgresql")
    return places[-1].resolve().parent
