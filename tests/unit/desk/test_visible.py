"""What a list shows is what `decide` lets its reader see: the rule as a query and as a function are one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from tests.support.databases import DESK
from tests.support.desk import DeskAt
from tests.support.province import Network
from tongbao_broker import database
from tongbao_connectors.authorisation import Role, Verb, Who, decide
from tongbao_connectors.desk.access import thing_of, visible
from tongbao_connectors.store.models import InboxItem, Message

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
OFFICERS = ("A-0001", "A-0117", "A-0118", "A-0120")
UNITS = ("duty", "intel")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskAt]:
    """A desk with an item of every kind: unit × accountable × asked × who signed × to whom it was given."""
    net = Network(Path(tmp_path_factory.mktemp("visible")), apps=DESK)
    at = DeskAt(net.province("440000"))
    with at.province.here():
        kinds = product(
            UNITS, OFFICERS, ([], ["A-0120"], ["A-0118", "A-0001"]), ("", "A-0118"), ("", "A-0120")
        )
        for number, (unit, accountable, asked, signed, given) in enumerate(kinds):
            _item(number, unit, accountable, asked, signed, given)
    yield at
    database.close()


def _item(number: int, unit: str, accountable: str, asked: list[str], signed: str, given: str) -> None:
    message = Message.objects.create(
        origin="520000",
        message_id=f"01a2068f-8a00-7000-8000-{number:012d}",
        thread="",
        type="alert",
        status="exercise",
        digest="",
        audience="440000",
        schema="",
        handling="H0",
        issued_at=NOW,
        expires_at=NOW + timedelta(days=30),
        stored_at=NOW,
    )
    InboxItem.objects.create(
        message=message,
        unit=unit,
        officer_ref=accountable,
        rule="",
        steps=[],
        routed_at=NOW,
        asked=asked,
        claimed_by=signed,
        assigned_to=given,
    )


def readers() -> Iterator[Who]:
    for role, ref, unit in product(Role, OFFICERS, UNITS):
        for on_duty in (frozenset[str](), frozenset({"intel"})):
            yield Who(ref, role, unit, on_duty)


def test_query_and_function_agree(desk: DeskAt) -> None:
    """Every reader × every item: in the list exactly when the function says yes."""
    with desk.province.here():
        roster = desk.desk.refresh()
        items = list(InboxItem.objects.select_related("message"))
        wrong = []
        for who in readers():
            listed = set(visible(InboxItem.objects.all(), who).values_list("pk", flat=True))
            allowed = {item.pk for item in items if decide(who, Verb.SEE_MESSAGE, thing_of(item, roster))}
            if listed != allowed:
                wrong.append((who, sorted(listed ^ allowed)[:3]))

    assert len(items) == 96
    assert wrong == []
