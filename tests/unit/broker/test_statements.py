"""Statements in SQL: they find and leave behind what the ORM would."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tongbao_broker.database import atomic
from tongbao_broker.exchange.models import Message
from tongbao_broker.insertion import insert
from tongbao_broker.statements import AT_ONCE, aware, batched, places, select, update, written

AT = datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC)
BEIJING = timezone(timedelta(hours=8))


@pytest.fixture
def three_messages(exchange_database: object) -> None:
    with atomic():
        insert(
            Message,
            [
                {
                    "index": index,
                    "message_id": f"m-{index}",
                    "origin": "520000",
                    "thread": "t",
                    "digest": f"d-{index}",
                    "type": "alert",
                    "status": "test",
                    "audience": "440000",
                    "admitted_at": AT,
                    "directory": 1,
                    "payload": b"{}",
                    "keyid": "k",
                    "signature": b"s",
                }
                for index in range(3)
            ],
        )


@pytest.mark.usefixtures("three_messages")
def test_rows_are_read_as_they_were_stored() -> None:
    """Columns come in the order asked for, a time with its zone."""
    ids = ["m-0", "m-2", "m-9"]
    found = select('"index", "admitted_at"', Message, f'"message_id" IN {places(ids)} ORDER BY "index"', ids)

    assert [(index, aware(at)) for index, at in found] == [(0, AT), (2, AT)]


@pytest.mark.usefixtures("three_messages")
@pytest.mark.parametrize("zone", [UTC, BEIJING], ids=["UTC", "Beijing"])
def test_a_time_is_written_and_compared_as_the_orm_does(zone: timezone) -> None:
    """What a statement wrote, the ORM reads, and the other way round, whatever zone the time came in."""
    later = (AT + timedelta(days=1)).astimezone(zone)
    with atomic():
        changed = update(Message, '"admitted_at" = %s', '"index" = %s', (written(later), 1))

    assert changed == 1
    assert Message.objects.get(index=1).admitted_at == later
    assert select('"index"', Message, '"admitted_at" < %s', (written(later),)) == [(0,), (2,)]
    assert select('"index"', Message, '"admitted_at" >= %s', (written(later),)) == [(1,)]


@pytest.mark.usefixtures("three_messages")
def test_an_update_says_how_many_rows_it_met() -> None:
    """A condition that no row meets changes nothing and says so: callers fence by it."""
    with atomic():
        assert update(Message, '"thread" = %s', '"index" < %s', ("u", 2)) == 2
        assert update(Message, '"thread" = %s', '"index" = %s', ("u", 7)) == 0

    assert sorted(Message.objects.values_list("thread", flat=True)) == ["t", "u", "u"]


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE])
def test_many_values_come_in_batches(count: int) -> None:
    """No value is lost or doubled, and no batch is empty or larger than what a statement takes."""
    batches = list(batched(range(count)))

    assert [value for batch in batches for value in batch] == list(range(count))
    assert all(0 < len(batch) <= AT_ONCE for batch in batches)
