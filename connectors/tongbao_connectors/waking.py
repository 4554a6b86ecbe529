"""What is to be sent waits for no turn: whoever commits it wakes the connector.

1. The bell lies beside the database's file, so that its users on one machine find it. A database that is no
   file (PostgreSQL) has none.
2. It is rung after the commit, in vain where no connector runs. A connector looks every 20 ms in any case.
"""

from pathlib import Path

from django.db import connections, transaction

from tongbao_broker.bell import ring
from tongbao_broker.database import current


def bell_path() -> Path | None:
    """Where the bell of the current database's connector is."""
    connection = connections[current()]
    return Path(f"{connection.settings_dict['NAME']}.bell") if connection.vendor == "sqlite" else None


def wake_connector() -> None:
    """Wakes the connector as soon as the current transaction is committed; outside of one at once."""
    path = bell_path()
    if path is not None:
        transaction.on_commit(lambda: ring(path), using=current())
