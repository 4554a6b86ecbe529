"""What a PostgreSQL server can do to a process, and what it never gets to know."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from django.db import IntegrityError, connections

from tests.support import postgresql
from tests.support.databases import CONNECTOR, STREAMS, address, new_database
from tests.support.postgresql import Server, only_postgresql
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import Held
from tongbao_broker.streams import cursor
from tongbao_broker.streams.models import Cursor
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_connectors.store.models import Draft

NOW = SystemClock().now()
BLOCKS = [database.atomic, database.reading]
Block = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def impatient(streams_database: str) -> Iterator[str]:
    """The database of `streams_database`, opened by somebody who waits for a second only."""
    limits = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    options = "%20".join(f"-c%20{name}=1000" for name in limits)
    database.open_database("impatient", f"{address(streams_database)}&options={options}", STREAMS)
    with database.use("impatient"):
        yield streams_database
    connections["impatient"].close()


@only_postgresql
def test_a_silent_transaction_loses_its_turn(impatient: str) -> None:
    """Who was frozen in a transaction finds it gone; whoever waited goes on, and nothing of it stays."""
    begun = threading.Event()
    found: list[str] = []

    def freeze() -> None:
        with database.use("impatient"):
            with suppress(Held), database.atomic():
                cursor.begin("frozen", "c", "t")
                begun.set()
                time.sleep(2)
                Cursor.objects.count()
                found.append("went on")
            connections["impatient"].close()

    zombie = threading.Thread(target=freeze)
    zombie.start()
    assert begun.wait(10)
    with database.use(impatient), database.atomic():
        cursor.begin("next", "c", "t")
    zombie.join()

    assert found == []
    assert [row.stream for row in Cursor.objects.all()] == ["next"]


@only_postgresql
def test_nobody_waits_for_ever_for_his_turn(impatient: str) -> None:
    """A transaction that can't begin is our own trouble, and the next one begins."""
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        with database.use(impatient):
            with database.atomic():
                begun.set()
                ended.wait(10)
            connections[impatient].close()

    other = threading.Thread(target=work)
    other.start()
    assert begun.wait(10)
    try:
        with pytest.raises(Held), database.atomic():
            pass
    finally:
        ended.set()
        other.join()
    with database.atomic():
        assert not Cursor.objects.exists()


@only_postgresql
@pytest.mark.parametrize("block", BLOCKS)
def test_a_statement_that_never_ends_is_given_up(impatient: str, block: Block) -> None:
    """It becomes Held, and the next one is answered."""
    with pytest.raises(Held), block(), connections["impatient"].cursor() as sql:
        sql.execute("SELECT pg_sleep(10)")
    with block():
        assert not Cursor.objects.exists()


@only_postgresql
@pytest.mark.parametrize("block", BLOCKS)
def test_a_connection_that_was_cut_heals(streams_database: str, block: Block) -> None:
    """A restart of the server or an administrator ends it: Held once, then a new connection."""
    with block():
        Cursor.objects.count()
    postgresql.cut_off(connections[streams_database].settings_dict["NAME"])

    with pytest.raises(Held), block():
        Cursor.objects.count()
    with block():
        assert not Cursor.objects.exists()


@only_postgresql
def test_a_broken_constraint_costs_its_own_block_only(streams_database: str) -> None:
    """Inside a transaction the block is taken back to its beginning; the rest is committed."""
    with database.atomic():
        cursor.begin("a", "c", "t")
        with suppress(IntegrityError), database.atomic():
            Cursor.objects.create(stream="a", cluster_id="c", topic_id="t", next=1)
        cursor.begin("b", "c", "t")

    assert Cursor.objects.count() == 2


@pytest.fixture
def server() -> Iterator[Server]:
    """A server for one test alone, with a role that has a password."""
    own = Server()
    try:
        own.start()
        with postgresql.administer(server=str(own.folder)) as admin:
            admin.execute("CREATE ROLE tongbao LOGIN PASSWORD 'a secret'")
            admin.execute("CREATE DATABASE tongbao OWNER tongbao")
        yield own
    finally:
        own.remove()


def answers(url: str) -> bool:
    """Whether the database at this address does."""
    database.open_database("asked", url, STREAMS)
    try:
        with database.use("asked"), database.reading(), connections["asked"].cursor() as sql:
            sql.execute("SELECT 1")
    except Held:
        return False
    finally:
        connections["asked"].close()
    return True


@only_postgresql
def test_a_stopped_server_holds_and_comes_back(server: Server) -> None:
    """Also after the end that a power cut gives it."""
    url = postgresql.url("tongbao", str(server.folder))
    database.open_database("stopped", url, STREAMS)
    database.migrate("stopped")
    with database.use("stopped"):
        with database.atomic():
            cursor.begin("s", "c", "t")
        for how in ("fast", "immediate"):
            server.stop(how)
            for _ in range(2):
                with pytest.raises(Held), database.atomic():
                    cursor.load("s")
            with pytest.raises(Held):
                database.migrate("stopped")
            server.start()
            with database.atomic():
                assert cursor.load("s") is not None


@only_postgresql
def test_a_password_is_read_from_its_file(server: Server, tmp_path: Path) -> None:
    """And only from a file that nobody else may read."""
    (server.data / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    server.stop()
    server.start()
    file = tmp_path / "database.pass"
    url = f"{postgresql.url('tongbao', str(server.folder))}&passfile={file}"
    found = []
    for text, mode in (("*:*:*:*:wrong", 0o600), ("*:*:*:*:a secret", 0o644), ("*:*:*:*:a secret", 0o600)):
        file.write_text(text + "\n")
        file.chmod(mode)
        found.append(answers(url))

    assert found == [False, False, True]


@only_postgresql
def test_a_server_elsewhere_shows_its_certificate(server: Server, tmp_path: Path) -> None:
    """Encrypted, and only with the name and the authority that are expected."""
    for name in ("ours", "other"):
        (tmp_path / name).mkdir()
    ours = CertificateAuthority.create(tmp_path / "ours", now=NOW)
    CertificateAuthority.create(tmp_path / "other", now=NOW)
    (server.data / "pg_hba.conf").write_text("local all postgres trust\nhostssl all all all trust\n")
    server.stop()
    port = server.listen(ours.issue("database", now=NOW, days=2, hosts=["localhost"]))
    server.start()
    strict = f"postgresql://tongbao@{{}}:{port}/tongbao?sslmode=verify-full&sslrootcert={{}}"

    assert answers(strict.format("localhost", tmp_path / "ours" / "ca.pem"))
    assert not answers(strict.format("127.0.0.2", tmp_path / "ours" / "ca.pem"))
    assert not answers(strict.format("localhost", tmp_path / "other" / "ca.pem"))
    assert not answers(f"postgresql://tongbao@localhost:{port}/tongbao?sslmode=disable")


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u@db.example/x", "verify-full"),
        ("postgresql://u@10.0.0.1:5432/x", "verify-full"),
        ("postgresql://u@10.0.0.1/x?sslmode=disable", "disable"),
        ("postgresql://u@127.0.0.1/x", None),
        ("postgresql:///x?host=/run/postgresql", None),
    ],
)
def test_only_a_server_on_this_machine_is_trusted_unseen(url: str, mode: str | None) -> None:
    """Whoever wants less for another machine has to write it."""
    database.open_database("somewhere", url, STREAMS)

    assert connections.settings["somewhere"]["OPTIONS"].get("sslmode") == mode


@only_postgresql
def test_no_text_of_a_case_comes_into_the_server_s_log(tmp_path: Path) -> None:
    """A statement that fails is logged without its values."""
    canary = "金丝雀七三一九"
    facts = {"client_ref": "a", "message_id": "m", "thread": "m", "type": "alert", "status": "actual"}
    row = facts | {"content_digest": "d", "submitted_by": "x", "text": canary.encode()}
    with database.use(new_database(tmp_path, "520000", CONNECTOR)):
        for _ in range(2):
            with suppress(IntegrityError), database.atomic():
                Draft.objects.create(**row, submitted_at=NOW, where=canary)

    log = (Path(os.environ[postgresql.ADDRESS]) / "server.log").read_text("utf-8")
    assert 'INSERT INTO "store_draft"' in log
    assert canary not in log
    assert canary.encode().hex() not in log


@only_postgresql
def test_deleted_text_stays_in_a_table_until_it_is_written_anew(tmp_path: Path) -> None:
    """As docs/operations.md says: VACUUM FULL, by the role that owns the tables, takes it out."""
    canary = "金丝雀七三一九".encode()
    facts = {"client_ref": "a", "message_id": "m", "thread": "m", "type": "alert", "status": "actual"}
    with database.use(new_database(tmp_path, "520000", CONNECTOR)):
        Draft.objects.create(**facts, content_digest="d", submitted_by="x", submitted_at=NOW, text=canary)
        Draft.objects.update(text=None)
        found = [is_kept(canary)]
        with connections["520000"].cursor() as sql:
            sql.execute("VACUUM FULL store_draft, store_heldfile, store_contentkey")
        found.append(is_kept(canary))

    assert found == [True, False]


def is_kept(canary: bytes) -> bool:
    """Whether a file of the current database holds it."""
    name = connections[database.current()].settings_dict["NAME"]
    with postgresql.administer() as admin:
        admin.execute("CHECKPOINT")
        [oid] = admin.execute("SELECT oid FROM pg_database WHERE datname = %s", [name]).fetchone() or [0]
    folder = Path(os.environ[postgresql.ADDRESS]) / "data" / "base" / str(oid)
    return any(canary in file.read_bytes() for file in folder.iterdir())
