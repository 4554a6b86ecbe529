"""PostgreSQL's NOTIFY as a bell: rung by whoever works on a database, heard wherever somebody listens to it.

1. Who rings does so within the transaction; it is heard once that is committed, and never if it isn't.
2. An ear has a connection of its own. One that is lost is opened anew after a while; until then it hears
   nothing, which does no harm (see `bell`).
"""

import time
from typing import Any

from django.db import DatabaseError, InterfaceError, connections

from tongbao_broker.database import current

__all__ = ["Ear", "notify"]

CHANNEL = "tongbao_bell"
AGAIN_S = 5.0


def notify() -> None:
    """Rings at the current database once the current transaction is committed; outside of one at once."""
    with connections[current()].cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


class Ear:
    """Hears NOTIFY at the database that is current when it is made."""

    def __init__(self) -> None:
        self._own: Any = connections[current()].copy()
        self._number = -1
        self._not_before = 0.0

    def socket(self) -> int:
        """The connection's socket; -1 while there is none."""
        if self._number < 0 and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + AGAIN_S
            self._listen()
        return self._number

    def take_in(self) -> None:
        """Reads what has come; a connection that has ended is closed."""
        try:
            with self._own.wrap_database_errors:
                for _ in self._own.connection.notifies(timeout=0):
                    continue
        except (DatabaseError, InterfaceError):
            self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._number = -1
        self._own.close()

    def _listen(self) -> None:
        try:
            with self._own.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._number = self._own.connection.fileno()
        except (DatabaseError, InterfaceError):
            self._own.close()
