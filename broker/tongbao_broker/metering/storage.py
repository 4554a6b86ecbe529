"""How much room the current database takes."""

from pathlib import Path

from django.db import connections
from prometheus_client.metrics_core import Metric

from tongbao_broker.database import current
from tongbao_broker.metering.registry import gauge


def storage() -> Metric:
    """The size of the database's file, or of the database at its server."""
    return gauge("tongbao_database_bytes", "Size of the database", _bytes())


def _bytes() -> int:
    connection = connections[current()]
    if connection.vendor == "sqlite":
        return Path(connection.settings_dict["NAME"]).stat().st_size
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
    return int(size)
