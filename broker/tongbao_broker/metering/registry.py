"""One registry a process, and the rules for what may stand in it.

1. A number says how much, how old or how often: never what a message says, whose it is, or who handles it.
2. Label names are `LABELS` and no others; their values come from closed sets (province codes, types, refusal
   codes, states …) or from what the installation's own settings name (channels, the desk's pages).
3. Names begin with `tongbao_`, carry their unit, and have a row in docs/metrics.md.
4. What is counted while working costs one addition. What can be looked up is looked up when somebody asks,
   with questions whose cost an index bounds, at most once in `FRESH_S` however many ask.
5. A look-up that fails takes no process down: `tongbao_collected` says 0, and its metrics are missing.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tongbao_broker import logs

FRESH_S = 5.0
LABELS = frozenset(
    {
        "channel",
        "code",
        "component",
        "kind",
        "le",
        "method",
        "network",
        "phase",
        "province",
        "reason",
        "result",
        "severity",
        "source",
        "state",
        "status",
        "step",
        "stream",
        "type",
        "urgency",
        "version",
        "view",
        "what",
    }
)
disable_created_metrics()  # type: ignore[no-untyped-call]  # when a series began is asked by nobody
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

Values = Mapping[Any, float]
"""Label value, or a tuple of them → the number."""

log = logs.get(__name__)


def gauge(name: str, text: str, values: Values | float, labels: Sequence[str] = ()) -> Metric:
    """A gauge as it is now."""
    return _filled(GaugeMetricFamily(name, text, labels=labels), values)


def total(name: str, text: str, values: Values | float, labels: Sequence[str] = ()) -> Metric:
    """A number that only grows and that the tables have; `name` is without `_total`."""
    return _filled(CounterMetricFamily(name, text, labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Values | float) -> Metric:
    found = values if isinstance(values, Mapping) else {(): values}
    for key, value in found.items():
        family.add_metric((key,) if isinstance(key, str) else key, value)
    return family


class LookUp(Collector):
    """Metrics that are looked up when they are asked for; `look` yields them and may raise anything."""

    def __init__(self, what: str, look: Callable[[], Iterable[Metric]]) -> None:
        self._what = what
        self._look = look
        self._lock = threading.Lock()
        self._at_s = float("-inf")
        self._found: list[Metric] = []

    def describe(self) -> Iterator[Metric]:
        """Nothing: names are known once somebody has asked."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._at_s >= FRESH_S:
                self._found, self._at_s = self._looked_up(), time.monotonic()
            yield from self._found

    def _looked_up(self) -> list[Metric]:
        try:
            found, good = list(self._look()), 1
        except Exception:
            log.exception("metrics can't be looked up")
            found, good = [], 0
        text = "Whether what is looked up for metrics could be looked up"
        return [*found, gauge("tongbao_collected", text, {self._what: good}, ["what"])]
