"""SIGKILL at every commit point that has a name, while alerts flow."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support import striking
from tests.support.network import Network, until
from tests.support.striking import Strike
from tongbao_broker import database
from tongbao_broker.exchange import models as exchange
from tongbao_broker.exchange.points import COMMIT_POINTS
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import in_topic
from tongbao_connectors import drafts, services
from tongbao_connectors.store import models as store
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.record import parse_in

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TO_BOTH = json.loads((EXAMPLES / "7-520000-two-provinces.json").read_text("utf-8"))

ORIGIN, ADDRESSEES = "520000", ("330000", "440000")
ALERTS = 200
OUTBOX = ("drafted", "sealed", "published", "settled")
INBOX = ("polled", "opened", "committed")
POINTS = {EXCHANGE: COMMIT_POINTS, ORIGIN: OUTBOX, "440000": INBOX, "330000": OUTBOX}
"""Where each process is killed, one point after the other: 440000 as it receives alerts, 330000 as it
sends its receipts.
"""

STRIKES = sum(len(points) for points in POINTS.values())


def submit(number: int) -> str:
    """An alert to both addressees; gives its id, the same one however often it is submitted."""
    content = {**TO_BOTH, "client_ref": f"struck-{number}"}
    with database.use(ORIGIN):
        data = json.dumps(content, ensure_ascii=False).encode()
        return drafts.submit(data, origin=ORIGIN, by="test", now=datetime.now(UTC)).message_id


def taken(network: Network) -> dict[str, tuple[str, ...]]:
    """At which points the processes have been killed so far."""
    return {code: tuple(striking.taken(network.workspace.participant(code))) for code in POINTS}


def test_a_kill_at_every_commit_point_loses_nothing_and_repeats_nothing(struck_network: Network) -> None:
    """Sixteen kills, at least one at each point, while 200 alerts are submitted, every one of them twice.

    Within 60 s of the last one all is settled, without anybody's help: one row in each inbox, one leaf for
    each message, delivery numbers without a gap, in the tables and on the wire.
    """
    for code in (ORIGIN, *ADDRESSEES):
        struck_network.open_province(code)
    for code, points in POINTS.items():
        striking.plan(struck_network.workspace.participant(code), [Strike(point) for point in points])
    ids = []
    for number in range(ALERTS):
        ids.append(submit(number))
        wait_for_strikes(struck_network, number * STRIKES // ALERTS)
        assert submit(number) == ids[-1]

    until(lambda: all_is_done(ids), 60, "all is settled, and both addressees' receipts are at the origin")

    assert taken(struck_network) == POINTS
    for code in ADDRESSEES:
        assert arrived(code) == dict.fromkeys(ids, 1)
        assert troubles(code) == []
    assert numbers_used(ORIGIN) == list(range(1, len(numbers_used(ORIGIN)) + 1))
    assert admitted(struck_network) == dict.fromkeys(ids, 1)
    assert leaves(struck_network) == list(range(tree_size(struck_network)))
    for code in (ORIGIN, *ADDRESSEES):
        assert delivered(struck_network, code) == list(range(1, last_delivery(struck_network, code) + 1))
        follows = partial(follows_whole_tree, struck_network, code)
        until(follows, 20, f"{code} has its copy of the whole log")


def wait_for_strikes(network: Network, number: int) -> None:
    """Holds the alerts back, so that the kills are spread over all of them."""
    until(lambda: sum(map(len, taken(network).values())) >= number, 60, f"{number} kills")


def all_is_done(ids: list[str]) -> bool:
    return all(settled(code) for code in (ORIGIN, *ADDRESSEES)) and reported(ids) == 2 * len(ids)


def settled(code: str) -> bool:
    """Whether a province has nothing left to send and the exchange has everything it sent."""
    with database.use(code):
        waiting = store.Draft.objects.filter(state="drafted").exists()
        waiting |= store.StageReport.objects.filter(pending=True).exists()
        return not waiting and not store.Outbox.objects.exclude(state="settled").exists()


def reported(ids: list[str]) -> int:
    """How many deliveries of these alerts their origin knows of."""
    with database.use(ORIGIN):
        reports = store.StageReport.objects.filter(of__in=ids, stage="delivered")
        return reports.values("of", "place").distinct().count()


def arrived(code: str) -> dict[str, int]:
    """How often each alert is in a province's inbox."""
    with database.use(code):
        return Counter(store.InboxItem.objects.values_list("message__message_id", flat=True))


def troubles(code: str) -> list[object]:
    """What a province has found wrong."""
    with database.use(code):
        return [
            *store.Quarantine.objects.all(),
            *store.DeliveryGap.objects.all(),
            *store.Incident.objects.all(),
        ]


def numbers_used(code: str) -> list[int]:
    with database.use(code):
        return list(store.Outbox.objects.order_by("seq").values_list("seq", flat=True))


def admitted(network: Network) -> dict[str, int]:
    """How many leaves each alert has; none of them for a rejection."""
    with database.use(network.open_exchange()):
        assert exchange.Refusal.objects.count() == 0
        assert exchange.Incident.objects.count() == 0
        alerts = exchange.Message.objects.filter(origin=ORIGIN, type="alert", code="")
        return Counter(alerts.values_list("message_id", flat=True))


def leaves(network: Network) -> list[int]:
    with database.use(network.open_exchange()):
        messages = exchange.Message.objects.values_list("index", flat=True)
        directories = exchange.DirectoryRecord.objects.values_list("index", flat=True)
        return sorted([*messages, *directories])


def tree_size(network: Network) -> int:
    with database.use(network.open_exchange()):
        return exchange.TrailState.objects.get().size


def last_delivery(network: Network, code: str) -> int:
    with database.use(network.open_exchange()):
        return exchange.Lane.objects.get(addressee=code).delivery_seq


def delivered(network: Network, code: str) -> list[int]:
    """The delivery numbers in a province's topic, each where it first comes; repetitions are alike."""
    found: dict[int, bytes] = {}
    for value in values(network, in_topic(code)):
        stamp = parse_in(value).stamp
        if stamp is not None:
            assert found.setdefault(stamp.delivery_seq, value) == value
    return list(found)


def values(network: Network, topic: str) -> Iterator[bytes]:
    """Every value in a topic."""
    with closing(Reader(services.broker_connection(network.workspace), [topic])) as reader:
        offset, end = 0, reader.end_offset(topic)
        while offset < end:
            for batch in reader.poll(1.0, 500):
                offset = batch.next
                yield from (record.value or b"" for record in batch.records)


def follows_whole_tree(network: Network, code: str) -> bool:
    """Whether a province's own copy of the log has every leaf, without a gap."""
    with database.use(code):
        batches = list(store.LeafBatch.objects.order_by("start").values_list("start", "size"))
    joined = all(end == start for (_, end), (start, _) in pairwise(batches))
    return joined and batches[0][0] == 0 and batches[-1][1] == tree_size(network)
