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
from tongbao_connectors.desk.access import followed, thing_between, thing_of, visible
from tongbao_connectors.store.models import AskedAlso, InboxItem, Message, Outbox

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
    item = InboxItem.objects.create(
        message=message,
        unit=unit,
        officer_ref=accountable,
        rule="",
        steps=[],
        routed_at=NOW,
        claimed_by=signed,
        assigned_to=given,
    )
    AskedAlso.objects.bulk_create(AskedAlso(item=item, officer_ref=ref) for ref in asked)


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


HOSTS = ("520000", "330000")
HOME, STRANGER = "440000", "530000"
THREAD = "01a2068f-8a00-7000-9000-{:012d}"


@pytest.fixture(scope="module")
def threads(desk: DeskAt) -> int:
    """Alerts and what followed, of every origin × type × thread × audience × way out; how many messages."""
    with desk.province.here():
        kinds = product(
            (HOME, *HOSTS, STRANGER),
            ("alert", "answer", "update"),
            (HOME, *HOSTS, STRANGER, ""),
            ("520000", "330000,520000", "330000", "530000"),
            ("", "settled", "rejected"),
        )
        return sum(_message(number, *kind) for number, kind in enumerate(kinds))


def _message(number: int, origin: str, kind: str, root: str, audience: str, sent: str) -> bool:
    """A message in a thread begun by `root` (none: its alert never came); own ones have a way out."""
    if (origin == HOME) != bool(sent):
        return False
    thread = THREAD.format(number)
    if kind != "alert" and root:
        _stored(thread, thread, root, "alert", HOME if root != HOME else audience, "settled", 90_000 + number)
    own = thread if kind == "alert" else THREAD.format(50_000 + number)
    _stored(own, thread, origin, kind, audience if origin == HOME else HOME, sent, number)
    return True


def _stored(id: str, thread: str, origin: str, kind: str, audience: str, sent: str, seq: int) -> None:
    message = Message.objects.create(
        origin=origin,
        message_id=id,
        thread=thread,
        type=kind,
        status="exercise",
        digest="",
        audience=audience,
        schema="",
        handling="H0",
        issued_at=NOW,
        expires_at=NOW + timedelta(days=30),
        stored_at=NOW,
    )
    if origin == HOME:
        Outbox.objects.create(message=message, seq=seq, state=sent, record_sha256="")
    else:
        InboxItem.objects.create(
            message=message, unit="duty", officer_ref="A-0001", rule="", steps=[], routed_at=NOW
        )


@pytest.mark.parametrize("hosts", [(), HOSTS[:1], HOSTS[1:], HOSTS])
def test_query_and_function_agree_on_what_is_followed(
    desk: DeskAt, threads: int, hosts: tuple[str, ...]
) -> None:
    """A posted officer × every message: in his list exactly when the function says yes."""
    who = Who("A-0301", Role.POSTED, "duty", hosts=frozenset(hosts))
    with desk.province.here():
        listed = set(followed(Message.objects.all(), who).values_list("pk", flat=True))
        things = {message.pk: thing_between(message) for message in Message.objects.all()}
        allowed = {key for key, thing in things.items() if decide(who, Verb.FOLLOW, thing)}
        origins = set(Message.objects.filter(pk__in=listed).values_list("origin", flat=True))

    assert threads == 300
    assert listed == allowed
    assert origins == {*hosts, HOME} if hosts else not listed


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.POSTED])
def test_nobody_else_follows(desk: DeskAt, threads: int, role: Role) -> None:
    """The list is a posted officer's, whatever hosts somebody of another role is given."""
    with desk.province.here():
        assert not followed(Message.objects.all(), Who("A-0301", role, "duty", hosts=frozenset(HOSTS)))
