"""Dashboard and alert rules: what they ask for exists, what they say can be followed up."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tests.support.tools import needs

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "tongbao.json"
OPERATIONS = ROOT / "docs" / "operations.md"
METRICS = ROOT / "docs" / "metrics.md"
OURS = re.compile(r"\btongbao_\w+")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
GRAFANA = {"$__rate_interval": "5m", "$instance": ".*", "$province": ".*"}
"""What Grafana puts in place of its variables."""

NOW_AND_SOON = {"now": "critical", "soon": "warning"}

Rule = dict[str, Any]


def rules() -> list[Rule]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[Rule]:
    return list(json.loads(DASHBOARD.read_text("utf-8"))["panels"])


def asked(panel: Rule) -> Iterator[str]:
    """A panel's expressions as Prometheus gets them."""
    for target in panel.get("targets", ()):
        text = target["expr"]
        for variable, meaning in GRAFANA.items():
            text = text.replace(variable, meaning)
        yield text


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [text for panel in panels() for text in asked(panel)]


def documented() -> set[str]:
    """All names of docs/metrics.md, which tests hold against the code; histograms by their parts."""
    text = METRICS.read_text("utf-8")
    rows = re.findall(r"^\| `(tongbao_\w+)` \| (\w+)", text, re.MULTILINE)
    parts = [
        f"{name}_{part}" for name, kind in rows if kind == "histogram" for part in ("bucket", "count", "sum")
    ]
    return {name for name, kind in rows if kind != "histogram"} | set(parts)


@pytest.mark.parametrize("expression", expressions())
def test_expressions_parse(expression: str) -> None:
    """Each is PromQL."""
    promql_parser.parse(expression)


def test_names_exist() -> None:
    """Nothing asks for a metric that no process tells."""
    used = {name for expression in expressions() for name in OURS.findall(expression)}

    assert used - documented() == set()


def test_every_metric_is_shown_or_rings() -> None:
    """What nobody looks at needn't be told."""
    used = {name for expression in expressions() for name in OURS.findall(expression)}
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name in used}

    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in documented()} - shown == set()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_says_what_and_where_to_go_on(rule: Rule) -> None:
    """Severity, a sentence in each language, a section that exists, and a row that says what to do."""
    said, text = rule["annotations"], OPERATIONS.read_text("utf-8")

    assert rule["labels"]["severity"] in ("critical", "warning")
    assert CHINESE.search(said["summary"])
    assert not CHINESE.search(said["summary_en"])
    assert said["runbook"] in {f"docs/operations.md#{anchor}" for anchor in anchors(text)}
    assert f"`{rule['alert']}`" in text


def test_the_page_knows_no_other_alerts() -> None:
    """A row of an alert that is gone goes too."""
    listed = set(re.findall(r"`(Tongbao\w+)`", OPERATIONS.read_text("utf-8")))

    assert listed == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize(
    ("heading", "metric"),
    [
        ("Incidents of a connector", "tongbao_connector_incidents_total"),
        ("Incidents of the exchange", "tongbao_exchange_incidents_total"),
    ],
)
def test_incidents_ring_as_urgently_as_the_page_says(heading: str, metric: str) -> None:
    """`now` calls somebody, `soon` doesn't; no kind is forgotten."""
    section = OPERATIONS.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    page = {
        kind: NOW_AND_SOON[when] for kind, when in re.findall(r"^\| `(\w+)` \| (now|soon) ", section, re.M)
    }
    ringing = {
        kind: rule["labels"]["severity"]
        for rule in rules()
        for kinds in re.findall(rf'{metric}{{kind=~?"([^"]+)"', rule["expr"])
        for kind in kinds.split("|")
    }

    assert ringing == page


def test_the_dashboard_is_well_formed() -> None:
    """Panels have ids of their own, a title in both languages, and lie beside each other, not on top."""
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        chinese, _, english = panel["title"].partition(" · ")
        assert CHINESE.search(chinese)
        assert english
        assert not CHINESE.search(english)
        letters = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(letters)) == len(letters) == (0 if panel["type"] == "row" else max(1, len(letters)))
    numbers = [panel["id"] for panel in panels()]

    assert len(set(numbers)) == len(numbers)


@needs("promtool")
@pytest.mark.parametrize(
    "command",
    [["check", "rules", str(RULES)], ["test", "rules", str(Path(__file__).with_name("alerts.test.yml"))]],
)
def test_rules_ring_on_sample_series(command: list[str]) -> None:
    """Prometheus' own tool takes the rules, and they ring and keep silent where they should."""
    done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
