"""How the cost of one alert grows: with addressees, with size, with what the tables and the trail hold.

Tables are filled by copying a row of their own: as many rows, under numbers and ids that nothing else uses
(negative ones, so that no counter meets them). The bytes of records are left out: no index holds them, and a
million would take 30 GB.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from django.db import connections

from bench.alerts import body_size
from bench.job import Burst, burst
from bench.network import RECEIVER, SENDER, Network, say, until
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_broker.trust.merkle import Batch, Frontier
from tongbao_connectors import services, workspace
from tongbao_connectors.enrolment import external
from tongbao_schemas.codes import EXCHANGE

ADDRESSEES = (RECEIVER, "330000", "530000", "320000", "610000")
NEW = "610000"
LEAVES_AT_ONCE = 500
UNIQUE_ID = "printf('{word}-%031d', n)"
NO_BYTES = "zeroblob(64)"
EXCHANGE_TABLES: Mapping[str, Mapping[str, str]] = {
    "exchange_message": {
        "index": "-n",
        "message_id": UNIQUE_ID,
        "seq": "-n",
        "thread": UNIQUE_ID,
        "payload": NO_BYTES,
    },
    "exchange_thread": {"thread": UNIQUE_ID},
    "exchange_delivery": {"id": "-n", "delivery_seq": "-n", "index": "-n", "value": NO_BYTES},
}
RECEIVER_TABLES: Mapping[str, Mapping[str, str]] = {
    "store_message": {"id": "-n", "message_id": UNIQUE_ID, "thread": UNIQUE_ID, "delivery_seq": "-n"},
    "store_record": {"message_id": "-n", "value": NO_BYTES},
    "store_contentkey": {"message_id": "-n"},
    "store_inboxitem": {"message_id": "-n"},
    "store_stagereport": {"id": "-n", "of": UNIQUE_ID},
}


@dataclass(frozen=True)
class Grown:
    """One measurement: what was varied, to what, and what the alert cost then."""

    what: str
    value: int
    measured: Burst


@dataclass(frozen=True)
class Proofs:
    """Microseconds to log and prove one leaf in a batch of 500, and nodes of its proof, at a trail's size."""

    leaves: int
    us: float
    nodes: int


def add_province(network: Network) -> None:
    """One more province in the directory, so that there are five to address; it has no connector here."""
    place = workspace.load(network.workspace.folder)
    external.enrol(
        place,
        NEW,
        SystemClock().now(),
        open_topics=lambda directory: services.apply_topology(network.workspace, directory),
    )


def await_province(network: Network) -> None:
    """Returns when the sender goes by the directory with the new province."""
    from tongbao_connectors.store.models import TrustDocument

    with database.use(network.open_province(SENDER)):
        until(lambda: TrustDocument.objects.filter(version__gt=1).exists(), "the sender knows all addressees")


def by_addressees(network: Network, counts: tuple[int, ...], alerts: int, size: int) -> list[Grown]:
    return [
        Grown("addressees", count, burst(network, alerts, size, audience=ADDRESSEES[:count]))
        for count in counts
    ]


def by_size(network: Network, sizes: tuple[int, ...], alerts: int) -> list[Grown]:
    return [Grown("bytes of body", body_size(size), burst(network, alerts, size)) for size in sizes]


def by_rows(network: Network, counts: tuple[int, ...], alerts: int, size: int) -> list[Grown]:
    """With ever fuller tables at exchange and receiver; there must have been a burst before."""
    grown, filled = [], 0
    for count in counts:
        network.stop(EXCHANGE, RECEIVER)
        say(f"filling the tables to {count} rows")
        _fill(network.open_exchange(), EXCHANGE_TABLES, filled, count)
        _fill(network.open_province(RECEIVER), RECEIVER_TABLES, filled, count)
        network.start(EXCHANGE, RECEIVER)
        burst(network, max(1, alerts // 10), size)  # warms up
        grown.append(Grown("rows in the tables", count, burst(network, alerts, size)))
        filled = count
    return grown


def by_leaves(sizes: tuple[int, ...], rounds: int) -> list[Proofs]:
    """The tree alone, without tables, by turns."""
    trees = {size: Frontier().extend([b"\x01" * 32] * size) for size in sizes}
    hashes = [bytes([number % 256]) * 32 for number in range(LEAVES_AT_ONCE)]
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    nodes = dict.fromkeys(sizes, 0)
    for _ in range(rounds):
        for size, tree in trees.items():
            began = time.process_time()
            nodes[size] = len(Batch(tree, hashes).proofs[0])
            taken[size].append((time.process_time() - began) / LEAVES_AT_ONCE * 1e6)
    return [Proofs(size, median(taken[size]), nodes[size]) for size in sizes]


def _fill(name: str, tables: Mapping[str, Mapping[str, str]], present: int, wanted: int) -> None:
    """Copies one row of each table until `wanted` copies are there."""
    with database.use(name), database.atomic(), connections[name].cursor() as cursor:
        for table, changes in tables.items():
            cursor.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608 - names of ours
            columns = [column[0] for column in cursor.description]
            changed = [changes.get(column, f'"{column}"').format(word="copy") for column in columns]
            names = ", ".join(f'"{column}"' for column in columns)
            cursor.execute(
                f"WITH RECURSIVE numbers(n) AS (SELECT {present + 1} UNION ALL"  # noqa: S608 - names of ours
                f" SELECT n + 1 FROM numbers WHERE n < {wanted})"
                f" INSERT INTO {table} ({names}) SELECT {', '.join(changed)}"
                f" FROM (SELECT * FROM {table} WHERE {_template(table)} LIMIT 1), numbers"
            )


def _template(table: str) -> str:
    """Which row is copied: of messages an alert, of all else any."""
    return "type = 'alert'" if table.endswith("_message") else "1 = 1"
