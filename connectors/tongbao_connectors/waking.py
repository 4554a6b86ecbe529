"""What is to be sent waits for no turn: whoever commits it wakes the connector.

1. The bell of an SQLite database lies beside its file, so that its users on one machine find it. That of a
   PostgreSQL database hangs in the database itself, for its users anywhere.
2. It is rung after the commit, in vain where no connector runs. A connector looks every 20 ms in any case.
"""

from pathlib import Path

from django.db import connections, transaction

from tongbao_broker.bell import Bell, ring
from tongbao_broker.database import current
from tongbao_broker.notifying import Ear, notify


def bell() -> Bell:
    """The bell of the current database's connector."""
    path = _path()
    return Bell(path) if path is not None else Bell(ear=Ear())


def wake_connector() -> None:
    """Wakes the connector as soon as the current transaction is committed; outside of one at once."""
    path = _path()
    if path is None:
        notify()
    else:
        transaction.on_commit(lambda: ring(path), using=current())


def _path() -> Path | None:
    connection = connections[current()]
    return Path(f"{connection.settings_dict['NAME']}.bell") if connection.vendor == "sqlite" else None
