"""The whole job: draft → sealed, signed → admitted, logged → delivered → verified, opened, stored, routed →
receipt back at the origin. As a burst, and with one alert in flight.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from statistics import median, quantiles

from bench.alerts import alert
from bench.network import RECEIVER, SENDER, Network, until
from tongbao_broker import database
from tongbao_broker.clock import SystemClock

BURST_S = 300.0
LOOK_S = 0.05
QUICK_LOOK_S = 0.002


@dataclass(frozen=True)
class Burst:
    """One burst: how long it took from the commit of its drafts to the last receipt, and who worked how
    long.
    """

    alerts: int
    seconds: float
    cpu_s: dict[str, float]
    submitted_s: float

    @property
    def rate(self) -> float:
        """Alerts a second."""
        return self.alerts / self.seconds

    def cpu_us(self, name: str) -> float:
        """Microseconds of CPU that one process used for one alert."""
        return self.cpu_s[name] / self.alerts * 1e6

    @property
    def ours_us(self) -> float:
        """Microseconds of CPU that exchange, sender and receiver together used for one alert."""
        return sum(self.cpu_us(name) for name in self.cpu_s if name != "kafka")


@dataclass(frozen=True)
class Latency:
    """Milliseconds from the call that submits to the receipt's row at the origin, one alert in flight; and
    the CPU milliseconds of every process for one.
    """

    p50: float
    p95: float
    cpu_ms: dict[str, float]


def burst(network: Network, count: int, size: int, *, audience: tuple[str, ...] = (RECEIVER,)) -> Burst:
    """Submits `count` alerts in one transaction, so that the connector meets them all at once, and waits for
    the receiver's `routed` of every one, and until all are settled.
    """
    with database.use(network.open_province(SENDER)):
        before = _newest_report()
        cpu, at_work = network.cpu_s(), time.process_time()
        with database.atomic():
            _submit(count, size, audience)
        submitted = time.process_time() - at_work
        began = time.monotonic()
        until(lambda: _routed(before) >= count, "all receipts are back", BURST_S, LOOK_S)
        seconds = time.monotonic() - began
        until(lambda: not _unsettled(), "all are settled", BURST_S, LOOK_S)
        after = network.cpu_s()
    return Burst(count, seconds, {name: after[name] - cpu[name] for name in after}, submitted)


def latency(network: Network, count: int, size: int) -> Latency:
    """Submits `count` alerts, each when the receipt for the one before it is back."""
    with database.use(network.open_province(SENDER)):
        cpu = network.cpu_s()
        taken = [latency_of_one(size) for _ in range(count)]
        after = network.cpu_s()
    used = {name: (after[name] - cpu[name]) / count * 1000 for name in after}
    return Latency(median(taken), quantiles(taken, n=20)[-1], used)


def latency_of_one(size: int) -> float:
    """Submits one alert to the current database; milliseconds until its receipt's row is there."""
    before = _newest_report()
    began = time.monotonic()
    _submit(1, size, (RECEIVER,))
    until(lambda: _routed(before), "the receipt is back", BURST_S, QUICK_LOOK_S)
    return (time.monotonic() - began) * 1000


def _submit(count: int, size: int, audience: tuple[str, ...]) -> None:
    from tongbao_connectors import drafts

    mark, now = time.monotonic_ns(), SystemClock().now()
    for number in range(count):
        data = alert(size, audience, f"bench-{mark}-{number}")
        drafts.submit(data, origin=SENDER, by="bench", now=now + timedelta(milliseconds=number % 1000))


def _newest_report() -> int:
    from tongbao_connectors.store.models import StageReport

    return StageReport.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _routed(after: int) -> int:
    """How many of this province's alerts the receiver has routed since, as far as the origin knows.

    A look must be short: a reader of an SQLite file holds up its writer.
    """
    from tongbao_connectors.store.models import StageReport

    return StageReport.objects.filter(pk__gt=after, place=RECEIVER, stage="routed").count()


def _unsettled() -> bool:
    from tongbao_connectors.store.models import Draft, Outbox

    waiting = Outbox.objects.filter(state__in=("sealed", "published")).exists()
    return waiting or Draft.objects.filter(state="drafted").exists()
