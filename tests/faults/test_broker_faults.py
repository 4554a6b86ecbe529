"""The broker frozen in the middle of a send, and killed: what a network of real processes makes of it."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support import striking
from tests.support.network import Network, until
from tests.support.striking import Strike
from tongbao_broker import database
from tongbao_broker.exchange import models as exchange
from tongbao_connectors import drafts
from tongbao_connectors.services import KAFKA
from tongbao_connectors.store import models as store
from tongbao_schemas.codes import EXCHANGE

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TO_BOTH = json.loads((EXAMPLES / "7-520000-two-provinces.json").read_text("utf-8"))

ORIGIN, ADDRESSEES = "520000", ("330000", "440000")
AT_ONCE = 40
FLOWS_AGAIN_S = 30.0
FROZEN_S = 140.0
"""Longer than a client's patience with a send, than a session with the broker, than two restarts' pauses."""


def submit(*client_refs: str) -> list[str]:
    """Alerts to both addressees; their ids."""
    with database.use(ORIGIN):
        return [
            drafts.submit(
                json.dumps({**TO_BOTH, "client_ref": client_ref}, ensure_ascii=False).encode(),
                origin=ORIGIN,
                by="test",
                now=datetime.now(UTC),
            ).message_id
            for client_ref in client_refs
        ]


@pytest.fixture
def flowing(struck_network: Network) -> Network:
    """A network through which a first alert has gone."""
    for code in (ORIGIN, *ADDRESSEES):
        struck_network.open_province(code)
    first = submit("first")
    until(lambda: have_gone_through(first), 30, "the first alert goes through")
    return struck_network


@pytest.mark.parametrize(
    ("victim", "point"),
    [
        pytest.param(ORIGIN, "sealed", id="as a province sends alerts"),
        pytest.param(EXCHANGE, "committed", id="as the exchange sends deliveries"),
    ],
)
def test_a_broker_that_was_frozen_for_140_s_costs_nothing(flowing: Network, victim: str, point: str) -> None:
    """The broker stops between a commit and the send that follows it, and goes on 140 s later.

    Within 30 s all alerts have gone through, those from before, during and after; nothing is lost, doubled
    or refused.
    """
    with frozen_broker(flowing, victim, point) as ids:
        began = time.monotonic()
        number = 0
        while time.monotonic() - began < FROZEN_S:
            ids += submit(f"meanwhile-{number}")
            number += 1
            time.sleep(FROZEN_S / AT_ONCE)
    ids += submit(*(f"after-{number}" for number in range(AT_ONCE)))

    until(lambda: have_gone_through(ids), FLOWS_AGAIN_S, "all alerts have gone through")

    nothing_is_doubled_or_refused(flowing, ids)


@pytest.mark.parametrize(
    ("victim", "point"),
    [
        pytest.param(ORIGIN, "sealed", id="as a province sends alerts"),
        pytest.param(EXCHANGE, "committed", id="as the exchange sends deliveries"),
    ],
)
def test_a_broker_that_was_killed_costs_nothing(flowing: Network, victim: str, point: str) -> None:
    """SIGKILL between a commit and the send that follows it; its supervisor starts it again on its data.

    Within 30 s of its being back all alerts have gone through, whenever they were submitted.
    """
    broker = flowing.pid(KAFKA)
    ids = struck_broker(flowing, victim, point, signal.SIGKILL)
    ids += submit(*(f"without-{number}" for number in range(AT_ONCE)))
    until(lambda: flowing.pid(KAFKA) not in (None, broker), 30, "the broker is back")
    ids += submit(*(f"after-{number}" for number in range(AT_ONCE)))

    until(lambda: have_gone_through(ids), FLOWS_AGAIN_S, "all alerts have gone through")

    nothing_is_doubled_or_refused(flowing, ids)


@contextmanager
def frozen_broker(network: Network, victim: str, point: str) -> Iterator[list[str]]:
    """Stops the broker as `victim` reaches the point; gives the ids of the alerts that took it there."""
    broker = network.pid(KAFKA)
    assert broker is not None
    ids = struck_broker(network, victim, point, signal.SIGSTOP)
    try:
        yield ids
    finally:
        os.killpg(broker, signal.SIGCONT)


def struck_broker(network: Network, victim: str, point: str, number: signal.Signals) -> list[str]:
    """Signals the broker at the moment `victim` reaches the point on its way to a send."""
    folder = network.workspace.participant(victim)
    striking.plan(folder, [Strike(point, number=number, pid=network.pid(KAFKA))])
    ids = submit(*(f"before-{number}" for number in range(AT_ONCE)))
    until(lambda: striking.taken(folder) == [point], 30, f"{point} is reached")
    return ids


def have_gone_through(ids: list[str]) -> bool:
    """Whether the exchange has settled everything and both addressees' receipts are at the origin."""
    with database.use(ORIGIN):
        reports = store.StageReport.objects.filter(of__in=ids, stage="delivered")
        if reports.values("of", "place").distinct().count() < 2 * len(ids):
            return False
        return not store.Outbox.objects.exclude(state="settled").exists()


def nothing_is_doubled_or_refused(network: Network, ids: list[str]) -> None:
    """Each alert is in each inbox once and in the trail once; no record was refused anywhere."""
    for code in ADDRESSEES:
        with database.use(code):
            there = store.InboxItem.objects.filter(message__message_id__in=ids)
            assert Counter(there.values_list("message__message_id", flat=True)) == dict.fromkeys(ids, 1)
            assert not store.Quarantine.objects.exists()
            assert not store.DeliveryGap.objects.exists()
    with database.use(network.open_exchange()):
        admitted = exchange.Message.objects.filter(message_id__in=ids, code="")
        assert Counter(admitted.values_list("message_id", flat=True)) == dict.fromkeys(ids, 1)
        assert not exchange.Refusal.objects.exists()
