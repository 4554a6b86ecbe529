"""Statements in SQL, for what is asked or done many times a second.

1. Building a statement through the ORM costs ten times what SQLite takes to run it. What runs in every turn
   of a loop is therefore written out; everything else stays with the ORM.
2. Both databases understand it: standard SQL, names in double quotes, `%s` for every value.
3. Values are plain: texts, numbers, bytes, None. A time is written as `written` gives it and read by
   `aware`.
4. Many values behind IN come in batches (`batched`), so that no statement gets too long.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from django.db import connections, models

from tongbao_broker.database import current

AT_ONCE = 500
"""How many values stand behind IN."""

Value = str | int | bytes | None
T = TypeVar("T")

__all__ = ["aware", "batched", "places", "select", "update", "written"]


def select(
    columns: str, model: type[models.Model], condition: str, values: Sequence[Value]
) -> list[tuple[Any, ...]]:
    """These columns of the rows for which the condition holds."""
    statement = f"SELECT {columns} FROM {_table(model)} WHERE {condition}"  # noqa: S608 - names of ours
    with connections[current()].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def update(model: type[models.Model], change: str, condition: str, values: Sequence[Value]) -> int:
    """Changes the rows for which the condition holds; how many."""
    statement = f"UPDATE {_table(model)} SET {change} WHERE {condition}"  # noqa: S608 - names of ours
    with connections[current()].cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def places(values: Sequence[object]) -> str:
    """What stands behind IN for so many values."""
    return f"({', '.join(['%s'] * len(values))})"


def batched(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, so many at a time as stand in one statement."""
    remaining = iter(values)
    while some := list(islice(remaining, AT_ONCE)):
        yield some


def written(moment: datetime) -> Any:
    """A time as the current database takes it."""
    return connections[current()].ops.adapt_datetimefield_value(moment)


def aware(moment: datetime) -> datetime:
    """A time as it was read, with its zone: SQLite has none and keeps UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _table(model: type[models.Model]) -> str:
    return f'"{model._meta.db_table}"'
