"""Trouble of a province's own: its stream waits, nothing is refused, and the backlog then goes in order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from tests.support.province import Network, Province, alert
from tests.support.world import NOW, World
from tongbao_broker import database
from tongbao_broker.kafka.topics import in_topic
from tongbao_connectors import drafts, inbox
from tongbao_connectors.store.models import (
    InboxItem,
    Incident,
    Message,
    Outbox,
    Quarantine,
    StageReport,
)
from tongbao_schemas.encoding import format_time

ORIGIN, ME = "520000", "440000"
HOUR = timedelta(hours=1)
ALERTS = ("a-1", "a-2", "a-3", "a-4")

Trouble = Callable[[Network], Iterator[None]]


def directory_is_stale(net: Network) -> Iterator[None]:
    """The exchange goes by a directory that isn't here yet."""
    net.world = net.exchange.world = net.world.changed(expires_at=format_time(NOW + timedelta(days=300)))
    deliver(net)
    yield
    net.exchange.publish_directory()


def directory_has_expired(net: Network) -> Iterator[None]:
    """Nobody has issued a new one in time."""
    deliver(net)
    net.clock.at = NOW + 2 * HOUR
    yield
    net.change(expires_at=format_time(NOW + timedelta(days=300)))


def clock_is_behind(net: Network) -> Iterator[None]:
    """Entries lie more than 120 s ahead of the province's clock."""
    net.clock.forward(seconds=200)
    deliver(net)
    net.clock.forward(seconds=-200)
    yield
    net.clock.forward(seconds=200)


def database_is_away(net: Network) -> Iterator[None]:
    """Nothing can be stored."""

    def away(*_: object) -> int:
        raise OperationalError("disk I/O error")

    deliver(net)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "store", away)
        yield


def deliver(net: Network) -> None:
    """Two alerts, a record that is no message, two more alerts."""
    net.exchange.step((ORIGIN,))
    topic = net.broker.topic(in_topic(ME))
    topic.values.insert(len(topic.values) - 2, b"{}")


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path, World.create(expires_at=format_time(NOW + HOUR)))
    for code in (ORIGIN, ME):
        network.province(code)
    yield network
    database.close()


@pytest.mark.parametrize(
    ("trouble", "noted"),
    [
        pytest.param(directory_is_stale, True, id="its directory is older than an entry's"),
        pytest.param(directory_has_expired, True, id="its directory has expired"),
        pytest.param(clock_is_behind, True, id="its clock runs behind"),
        pytest.param(database_is_away, False, id="its database is away"),
    ],
)
def test_own_trouble_refuses_nothing_and_the_backlog_goes_in_order(
    net: Network, trouble: Trouble, noted: bool
) -> None:
    """Not even what is no message is refused meanwhile; an incident says what is waited for, if it can."""
    origin, me = net.provinces[ORIGIN], net.provinces[ME]
    ids = [origin.submit(alert(client_ref, ME)).message_id for client_ref in ALERTS]
    origin.turn()
    with contextmanager(trouble)(net):
        for _ in range(8):
            me.turn()
            net.clock.forward(seconds=1)
        held = facts(me)
        alarms = incidents(me)
    for _ in range(4):
        net.clock.forward(seconds=2)
        me.turn()

    assert held == ([], [], 0)
    assert alarms == (["held"] if noted else [])
    assert facts(me) == (ids, ["TB-109"], 0)


def facts(province: Province) -> tuple[list[str], list[str], int]:
    """The alerts at its desk in their order, the codes of what it refused, and how often it said so."""
    with province.here():
        items = InboxItem.objects.order_by("message__pk").values_list("message__message_id", flat=True)
        codes = Quarantine.objects.order_by("offset").values_list("code", flat=True)
        assert Message.objects.filter(origin=ORIGIN).count() == len(items)
        return list(items), list(codes), StageReport.objects.filter(stage="refused").count()


def incidents(province: Province) -> list[str]:
    with province.here():
        return list(Incident.objects.values_list("kind", flat=True))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param({"valid_until": format_time(NOW + timedelta(seconds=1))}, id="it has ended"),
        pytest.param({"compromised_since": format_time(NOW)}, id="it is in foreign hands"),
    ],
)
def test_nothing_is_signed_with_a_key_that_the_exchange_would_reject(
    net: Network, key: dict[str, str]
) -> None:
    """Drafts wait, use up no number, and go in order when a directory lists a key again that is in force."""
    origin, me = net.provinces[ORIGIN], net.provinces[ME]
    keys = net.world.document["keys"]
    own = net.world.keys[ORIGIN].message.keyid
    net.change(keys=[{**each, **key} if each["kid"] == own else each for each in keys])
    origin.turn()
    net.clock.forward(seconds=2)
    ids = [origin.submit(alert(client_ref, ME)).message_id for client_ref in ALERTS]
    origin.turn()
    with origin.here():
        states = [drafts.find(message_id).state for message_id in ids]
        numbers = Outbox.objects.count()
    net.change(keys=keys)
    net.settle()

    assert (states, numbers) == (["drafted"] * len(ALERTS), 0)
    assert facts(me) == (ids, [], 0)
