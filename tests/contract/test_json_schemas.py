"""The published JSON Schemas."""

import json
from pathlib import Path

import pytest

from tongbao_schemas.export import DIALECT, SCHEMA_NAMES, drifted, file_name, json_schema, main

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "json"


def test_the_schemas_in_the_repository_are_those_of_the_models() -> None:
    """Nobody changed a model without writing its schema anew (`make schemas`)."""
    assert drifted(FOLDER) == []


def test_a_drift_is_noticed(tmp_path: Path) -> None:
    """A missing, an altered and an unknown file are each named, and the check fails."""
    assert main([str(tmp_path)]) == 0
    (tmp_path / file_name("answer/1.0")).write_text("{}", "utf-8")
    (tmp_path / file_name("stamp/1.0")).unlink()
    (tmp_path / "stray.json").write_text("{}", "utf-8")

    assert drifted(tmp_path) == ["answer-1.0.json", "stamp-1.0.json", "stray.json"]
    assert main(["--check", str(tmp_path)]) == 1


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_a_schema_names_its_dialect_and_itself(name: str) -> None:
    """`$schema` and `$id` are there, and the id is unique to name and version."""
    schema = json_schema(name)

    assert schema["$schema"] == DIALECT
    assert schema["$id"] == f"urn:tongbao:schema:{name.replace('/', ':')}"


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_no_schema_allows_null_or_unknown_fields(name: str) -> None:
    """What the gate refuses, the schema doesn't invite: no null anywhere, closed objects only."""
    schema = json_schema(name)
    objects = [shape for shape in [schema, *schema.get("$defs", {}).values()] if "properties" in shape]

    assert '"null"' not in json.dumps(schema)
    assert all(shape["additionalProperties"] is False for shape in objects)
