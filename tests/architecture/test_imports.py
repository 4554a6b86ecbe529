"""What the layers may know of each other, beyond what import-linter's contracts say."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for component in ("schemas", "broker", "connectors")
    for path in (ROOT / component).rglob("*.py")
    if "migrations" not in path.parts
)


def imported_names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    origin = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return plain | origin


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_wall_clock_is_read_in_one_place(path: Path) -> None:
    """Only `clock.py` asks the machine for the time of day; everything else is given it."""
    if path.name == "clock.py":
        return
    calls = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    }

    assert calls == set()


def test_routing_cannot_read_an_id_number() -> None:
    """Nobody is routed by the region in an ID number: the routing rules cannot even import the ID module."""
    routing = ROOT / "connectors/tongbao_connectors/routing.py"

    assert "tongbao_schemas.identity" not in imported_names(routing)
    assert "id_number" not in routing.read_text(encoding="utf-8")


def test_every_component_is_typed_for_its_users() -> None:
    """Each import package ships a `py.typed` marker (PEP 561)."""
    for package in (
        "schemas/tongbao_schemas",
        "broker/tongbao_broker",
        "connectors/tongbao_connectors",
    ):
        assert (ROOT / package / "py.typed").is_file(), package
