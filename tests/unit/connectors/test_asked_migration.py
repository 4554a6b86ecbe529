"""A database of before: who was asked by an escalation, and when what is held comes back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from tongbao_broker import database

BEFORE, AFTER = [("store", "0004_held_file")], [("store", "0006_without_asked_and_back_at")]
AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def migrate(to: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connections[database.current()])
    executor.migrate(to)
    return executor.loader.project_state(to).apps


def item(apps: Any, number: int, **fields: Any) -> int:
    message = (
        apps.get_model("store", "Message")
        .objects.using(database.current())
        .create(
            origin="520000",
            message_id=f"01a2068f-8a00-7000-8000-{number:012d}",
            thread="",
            type="alert",
            status="exercise",
            digest="",
            audience="440000",
            schema="",
            handling="H0",
            issued_at=AT,
            expires_at=AT + 30 * HOUR,
            stored_at=AT,
        )
    )
    items = apps.get_model("store", "InboxItem").objects.using(database.current())
    given = {"unit": "u", "officer_ref": "A-1", "rule": "", "steps": [], "routed_at": AT, "urgency": "flash"}
    items.create(message_id=message.pk, **given, **fields)
    return int(message.pk)


@pytest.mark.usefixtures("connector_database")
def test_who_was_asked_and_since_when_it_is_silent_are_kept() -> None:
    """Each officer is a row; silence began with the last of signing and assigning, where it counts."""
    old = migrate(BEFORE)
    waiting = item(old, 1, asked=["A-2", "A-3", "A-2"])
    signed = item(old, 2, state="claimed", claimed_at=AT, back_at=AT + HOUR)
    given = item(old, 3, state="assigned", claimed_at=AT, assigned_at=AT + HOUR, back_at=AT + 2 * HOUR)
    begun = item(old, 4, state="working", claimed_at=AT, started_at=AT)
    new = migrate(AFTER)

    alias = database.current()
    asked = new.get_model("store", "AskedAlso").objects.using(alias).order_by("pk")
    items = new.get_model("store", "InboxItem").objects.using(alias)
    silent = dict(items.values_list("pk", "silent_since"))
    assert list(asked.values_list("item", "officer_ref")) == [(waiting, "A-2"), (waiting, "A-3")]
    assert silent == {waiting: None, signed: AT, given: AT + HOUR, begun: None}
