"""Many rows at once: as the ORM writes them one by one, whole or not at all."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError

from tongbao_broker.database import atomic
from tongbao_broker.exchange.models import Delivery, Message, Thread, TrailState
from tongbao_broker.insertion import insert, upsert
from tongbao_schemas.codes import MessageType, Status

pytestmark = pytest.mark.usefixtures("exchange_database")

AT = datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC)


def message(index: int) -> Message:
    return Message(
        index=index,
        origin="520000",
        message_id=f"message-{index}",
        seq=None,
        thread="thread",
        digest=f"digest-{index}",
        type=MessageType.ALERT,
        status=Status.EXERCISE,
        audience="440000",
        admitted_at=AT,
        directory=1,
        payload=b"\x00\xff",
        keyid="kid",
        signature=b"",
    )


def thread(name: str, parties: str, **changes: Any) -> dict[str, Any]:
    return {
        "thread": name,
        "origin": "520000",
        "status": "exercise",
        "parties": parties,
        "opened_at": AT,
        **changes,
    }


def values(row: Message) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_rows_are_as_the_orm_writes_them() -> None:
    """Times, bytes, codes, defaults and empty columns come back the same as from `save`."""
    with atomic():
        insert(Message, [message(1), message(2)])
        message(3).save()
    inserted, saved = Message.objects.get(index=1), Message.objects.get(index=3)

    assert values(inserted) == values(saved) | {"index": 1, "message_id": "message-1", "digest": "digest-1"}


def test_a_mapping_is_a_row_and_what_it_leaves_out_has_its_default() -> None:
    """JSON goes through its field; a key of the database's own is given by the database."""
    with atomic():
        insert(TrailState, [{"size": 7}])
        insert(Delivery, [{"addressee": "440000", "delivery_seq": 1, "index": 1, "value": b"x"}])
    state = TrailState.objects.get()

    assert (state.size, state.nodes, state.checkpoint, state.published_size) == (7, [], "", 0)
    assert Delivery.objects.get().expires_at is None


def test_one_bad_row_leaves_none() -> None:
    """A broken constraint is Django's own error, and the caller's transaction takes all rows back."""
    with pytest.raises(IntegrityError), atomic():
        insert(Message, [message(1), message(2), message(1)])

    assert Message.objects.count() == 0


def test_no_rows_are_no_statement() -> None:
    """An empty batch writes nothing."""
    insert(Message, [])

    assert Message.objects.count() == 0


def test_of_a_row_that_is_there_only_the_named_columns_change() -> None:
    """`upsert` takes over what it is told to; a new row goes in whole."""
    later = AT.replace(year=2027)
    with atomic():
        upsert(Thread, [thread("a", "440000")], key="thread", changing=("parties", "closed"))
        again = thread("a", "440000,530000", opened_at=later, closed=True)
        upsert(Thread, [again, thread("b", "330000")], key="thread", changing=("parties", "closed"))
    found = Thread.objects.order_by("thread").values_list("thread", "parties", "opened_at", "closed")

    assert list(found) == [("a", "440000,530000", AT, True), ("b", "330000", AT, False)]
