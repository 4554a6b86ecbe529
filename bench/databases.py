"""The whole job on SQLite and on PostgreSQL: two networks side by side, which take turns."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.network import RECEIVER, SENDER, Network, running
from tests.support import postgresql
from tongbao_connectors.workspace import Workspace
from tongbao_schemas.codes import EXCHANGE

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@contextmanager
def both() -> Iterator[dict[str, Network]]:
    """A network on each, up. The server keeps what it commits, and answers on a Unix socket."""
    server = postgresql.Server()
    try:
        server.start()
        os.environ[postgresql.ADDRESS] = str(server.folder)
        with postgresql.administer() as admin:
            admin.execute(f"CREATE ROLE {postgresql.ROLE} LOGIN")
        with running() as one, running(_on_postgresql) as other:
            for network in (one, other):
                network.start(EXCHANGE, SENDER, RECEIVER)
            yield {SQLITE: one, POSTGRESQL: other}
    finally:
        server.remove()


def _on_postgresql(workspace: Workspace) -> None:
    for code, file in ((EXCHANGE, "exchange.toml"), (SENDER, "connector.toml"), (RECEIVER, "connector.toml")):
        postgresql.create(code)
        settings = workspace.participant(code) / file
        text = settings.read_text("utf-8")
        settings.write_text(f'database_url = "{postgresql.url(code)}"\n{text}', "utf-8")
