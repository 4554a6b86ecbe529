"""`python -m bench [job] [trace] [tax] [growth] [databases] [--quick]`: measures, prints Markdown tables."""

import argparse
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench import growth, job, tax, trace
from bench.network import KAFKA, NAMES, RECEIVER, SENDER, Network, running, say
from tongbao_schemas.codes import EXCHANGE

PARTS = ("job", "trace", "tax", "growth")
DATABASES = "databases"
SMALL, LARGE, LARGEST = 2048, 20480, 204_800


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    alerts: int
    single: int
    tax: int
    grown: int
    rows: tuple[int, ...]
    leaves: tuple[int, ...]


FULL = Effort(
    5, 2000, 200, 2000, 300, (1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000, 100_000, 1_000_000)
)
QUICK = Effort(1, 60, 5, 60, 30, (100, 1_000), (1_000, 10_000))


def main() -> None:
    """The command."""
    arguments = _arguments()
    effort = QUICK if arguments.quick else FULL
    parts = arguments.parts or PARTS
    print(f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"load {os.getloadavg()[0]:.1f} at the beginning")
    if "growth" in parts:
        _print_leaves(growth.by_leaves(effort.leaves, max(effort.rounds, 3)))
    if DATABASES in parts:
        _databases(effort)
    if set(parts) & set(PARTS):
        _measure(parts, effort)
    print(f"\nLoad {os.getloadavg()[0]:.1f} at the end.")


def _measure(parts: Sequence[str], effort: Effort) -> None:
    with running() as network:
        if "growth" in parts:
            growth.add_province(network)
        network.start(EXCHANGE, SENDER, RECEIVER)
        say("warming up")
        job.burst(network, effort.alerts // 4, SMALL)
        if "job" in parts:
            _job(network, effort)
        if "growth" in parts:
            _growth(network, effort)
        network.stop(EXCHANGE, SENDER, RECEIVER)
        if "tax" in parts:
            _tax(network, effort)
        if "trace" in parts:
            _trace(network, effort)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Tongbao on a real Kafka.")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help="job, trace, tax, growth (these if none is named), databases"
    )
    parser.add_argument("--quick", action="store_true", help="few alerts, one round: to see that it runs")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {*PARTS, DATABASES}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return arguments


def _job(network: Network, effort: Effort) -> None:
    bursts: dict[int, list[job.Burst]] = {SMALL: [], LARGE: []}
    singles: dict[int, list[job.Latency]] = {SMALL: [], LARGE: []}
    for turn in range(effort.rounds):
        for size in bursts:
            say(f"round {turn + 1} of {effort.rounds}: {effort.alerts} alerts of {size} bytes")
            bursts[size].append(job.burst(network, effort.alerts, size))
            singles[size].append(job.latency(network, effort.single, size))
    names = (SENDER, EXCHANGE, RECEIVER)
    heads = [f"{NAMES[name]} µs" for name in (*names, KAFKA)]
    rows = [
        [
            size,
            f"{median(each.rate for each in bursts[size]):.0f}",
            *(f"{median(each.cpu_us(name) for each in bursts[size]):.0f}" for name in (*names, KAFKA)),
            f"{median(each.ours_us for each in bursts[size]):.0f}",
            f"{median(each.submitted_s / each.alerts * 1e6 for each in bursts[size]):.0f}",
            f"{median(each.p50 for each in singles[size]):.1f}",
            f"{median(each.p95 for each in singles[size]):.1f}",
        ]
        for size in bursts
    ]
    _table(["body", "alerts/s", *heads, "ours µs", "submitting µs", "p50 ms", "p95 ms"], rows)
    _table(
        ["body, one in flight", *(f"{NAMES[name]} CPU ms" for name in (*names, KAFKA))],
        [
            [
                size,
                *(f"{median(each.cpu_ms[name] for each in singles[size]):.1f}" for name in (*names, KAFKA)),
            ]
            for size in singles
        ],
    )
    peaks = network.peaks_mib()
    _table(["process", "peak MiB"], [[NAMES[name], f"{peak:.0f}"] for name, peak in peaks.items()])


def _databases(effort: Effort) -> None:
    from bench.databases import POSTGRESQL, SQLITE, both  # needs psycopg and a PostgreSQL

    bursts: dict[str, list[job.Burst]] = {SQLITE: [], POSTGRESQL: []}
    singles: dict[str, list[job.Latency]] = {SQLITE: [], POSTGRESQL: []}
    with both() as networks:
        for network in networks.values():
            job.burst(network, effort.alerts // 4, SMALL)
        for turn in range(effort.rounds):
            for name, network in networks.items():
                say(f"round {turn + 1} of {effort.rounds}: {name}")
                bursts[name].append(job.burst(network, effort.alerts, SMALL))
                singles[name].append(job.latency(network, effort.single, SMALL))
    figures = {
        name: (
            median(each.rate for each in bursts[name]),
            *(median(each.cpu_us(part) for each in bursts[name]) for part in (SENDER, EXCHANGE, RECEIVER)),
            median(each.ours_us for each in bursts[name]),
            median(each.p50 for each in singles[name]),
            median(each.p95 for each in singles[name]),
        )
        for name in networks
    }
    ratios = [f"{new / old:.2f}" for old, new in zip(figures[SQLITE], figures[POSTGRESQL], strict=True)]
    heads = [f"{NAMES[name]} µs" for name in (SENDER, EXCHANGE, RECEIVER)]
    _table(
        ["database", "alerts/s", *heads, "ours µs", "p50 ms", "p95 ms"],
        [
            *([name, *(f"{figure:.0f}" for figure in found)] for name, found in figures.items()),
            ["ratio", *ratios],
        ],
    )


def _trace(network: Network, effort: Effort) -> None:
    say("tracing one alert in flight")
    network.start(EXCHANGE, SENDER, RECEIVER, traced=True)
    job.burst(network, effort.alerts // 4, SMALL)
    traced = trace.trace(network, effort.single, SMALL)
    rows = [[stage.what, NAMES[stage.where], f"{stage.ms:.1f}"] for stage in traced.stages]
    whole = ["the whole", "until the receipt's row is seen", f"{traced.whole_ms:.1f}"]
    _table(["stage", "ends at", "ms"], [*rows, whole])
    print(f"\nA commit took {traced.commit_ms:.1f} ms; a send, until acknowledged, {traced.send_ms:.1f} ms.")
    network.stop(EXCHANGE, SENDER, RECEIVER)


def _tax(network: Network, effort: Effort) -> None:
    say("the workers are stopped; measuring the security tax")
    _table(
        ["way", "messages/s", "against", "ratio of rates", "ratio by CPU"],
        [
            [each.way, f"{each.rate:.0f}", each.against, f"{each.ratio:.2f}", f"{each.cpu_ratio:.2f}"]
            for each in tax.taxes(network, min(effort.tax, effort.alerts), SMALL, effort.rounds)
        ],
    )


def _growth(network: Network, effort: Effort) -> None:
    growth.await_province(network)
    grown: list[growth.Grown] = []
    for turn in range(effort.rounds):
        say(f"round {turn + 1} of {effort.rounds}: addressees and sizes")
        grown += growth.by_addressees(network, (1, 2, 3, 4, 5), effort.grown, SMALL)
        grown += growth.by_size(network, (SMALL, LARGE, LARGEST), effort.grown)
    grown += growth.by_rows(network, effort.rows, effort.grown, SMALL)
    _print_growth(grown)


def _print_growth(grown: Sequence[growth.Grown]) -> None:
    names = (SENDER, EXCHANGE, RECEIVER)
    costs: dict[tuple[str, int], dict[str, float]] = {}
    for what, value in dict.fromkeys((each.what, each.value) for each in grown):
        same = [each.measured for each in grown if (each.what, each.value) == (what, value)]
        costs[what, value] = {name: median(one.cpu_us(name) for one in same) for name in names}
    first = {what: cost for (what, _), cost in reversed(costs.items())}
    _table(
        ["varied", "to", *(f"{NAMES[name]} µs (× the first)" for name in names)],
        [
            [what, value, *(f"{cost[name]:.0f} ({cost[name] / first[what][name]:.2f})" for name in names)]
            for (what, value), cost in costs.items()
        ],
    )


def _print_leaves(proofs: Sequence[growth.Proofs]) -> None:
    first = proofs[0].us
    _table(
        ["leaves in the trail", "µs a leaf", "× the first", "nodes of a proof"],
        [[each.leaves, f"{each.us:.1f}", f"{each.us / first:.2f}", each.nodes] for each in proofs],
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print("\n| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


if __name__ == "__main__":
    main()
