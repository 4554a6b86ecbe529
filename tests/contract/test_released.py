"""Databases of every release are brought forward, with what is in them, and go on working.

`tests.contract.releasing` keeps what a release leaves behind. `before-0.1.0` is no release: trials have
worked with its tables.
"""

import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connections, models
from django.db.migrations.executor import MigrationExecutor

from tests.contract.releasing import CENTRE, RELEASED, digest_of, told_by_exchange, told_by_province
from tests.support.databases import empty_database, new_database
from tongbao_broker import database

NAMES = sorted(path.stem for path in RELEASED.glob("*.json"))
Kept = dict[str, Any]


@cache
def kept(name: str) -> dict[str, Kept]:
    """The databases of a release."""
    found: dict[str, Kept] = json.loads((RELEASED / f"{name}.json").read_text("utf-8"))["databases"]
    return found


CASES = [pytest.param(name, code, id=f"{name} {code}") for name in NAMES for code in kept(name)]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    database.close()


@pytest.mark.parametrize(("name", "code"), CASES)
def test_a_released_database_comes_forward(tmp_path: Path, name: str, code: str) -> None:
    """No row is lost on the way, every one can be read, and the program says of them what it said then."""
    then = kept(name)[code]
    made_as_then(tmp_path, code, then)

    database.migrate(code)

    with database.use(code):
        counts = {model._meta.db_table: len(model._default_manager.all()) for model in own_models(code)}
        told = told_by_exchange() if code == CENTRE else told_by_province(code)
    assert told == then["told"]
    assert {table: counts[table] for table in then["rows"]} == {
        table: len(rows) for table, rows in then["rows"].items()
    }


@pytest.mark.parametrize(("name", "code"), CASES)
def test_a_released_database_becomes_like_a_new_one(tmp_path: Path, name: str, code: str) -> None:
    """The same tables with the same columns, keys and indexes, whichever version it began with."""
    then = kept(name)[code]
    made_as_then(tmp_path, code, then)
    database.migrate(code)
    before = tables(code)
    new_folder = tmp_path / "new"
    new_folder.mkdir()
    new_database(new_folder, code, then["apps"])

    assert tables(code) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_released_migration_stays_as_it_is(name: str) -> None:
    """What has run somewhere is never changed: a mistake is mended by the next one."""
    for then in kept(name).values():
        for app, migrations in then["migrations"].items():
            changed = [
                each for each, digest in migrations.items() if digest and digest_of(app, each) != digest
            ]
            assert changed == []


def made_as_then(folder: Path, code: str, then: Kept) -> None:
    """The database as the release left it."""
    database.open_database(code, empty_database(folder, code), then["apps"])
    connection = connections[code]
    last = [(app, list(migrations)[-1]) for app, migrations in then["migrations"].items()]
    executor = MigrationExecutor(connection)
    with database.use(code):
        state = executor.migrate(last).apps
        with database.atomic(), connection.constraint_checks_disabled():
            for model in state.get_models(include_auto_created=True):
                rows = then["rows"].get(model._meta.db_table, [])
                model._base_manager.bulk_create([model(**as_read(model, row)) for row in rows])
        here = [model for model in state.get_models() if model._meta.db_table in then["rows"]]
        with connection.cursor() as sql:
            for statement in connection.ops.sequence_reset_sql(no_style(), here):
                sql.execute(statement)


def as_read(model: type[models.Model], row: Kept) -> Kept:
    """A kept row as the values of a model's fields."""
    fields = {field.column: field for field in model._meta.local_concrete_fields}
    return {fields[column].attname: _value(fields[column], value) for column, value in row.items()}


def _value(field: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    if isinstance(field, models.JSONField) and value is not None:
        return json.loads(value)
    if isinstance(field, models.DateTimeField) and value is not None:
        return field.to_python(f"{value}+00:00")
    return field.to_python(value)


def own_models(code: str) -> list[type[models.Model]]:
    """The models whose tables a database has."""
    from django.apps import apps

    known = set(connections[code].introspection.table_names())
    return [model for model in apps.get_models() if model._meta.db_table in known]


def tables(code: str) -> dict[str, Any]:
    """Columns and constraints of every table, whatever their order and names."""
    introspection, found = connections[code].introspection, {}
    with connections[code].cursor() as sql:
        for table in introspection.table_names(sql):
            columns = introspection.get_table_description(sql, table)
            constraints = introspection.get_constraints(sql, table)
            found[table] = (
                sorted((each.name, each.type_code, bool(each.null_ok)) for each in columns),
                sorted(
                    (
                        str(each["columns"]),
                        *(str(each[kind]) for kind in ("unique", "index", "check", "foreign_key")),
                    )
                    for each in constraints.values()
                ),
            )
    return found
