"""What a process would answer on `/metrics`, and single numbers out of it."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tongbao_broker.metering.registry import REGISTRY, LookUp

Look = Callable[[], Iterable[Metric]]


def exposed(*looks: Look) -> str:
    """What is counted in this process, and what these look up."""
    registry = CollectorRegistry()
    for number, look in enumerate(looks):
        registry.register(LookUp(f"{number}", look))
    return (generate_latest(REGISTRY) + generate_latest(registry)).decode()


def value(text: str, name: str, **labels: str) -> float:
    """One number; 0 where there is no such series."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    return 0.0


def families(text: str) -> dict[str, set[str]]:
    """Every metric's name → the names of its labels."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found
