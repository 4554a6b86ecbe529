"""The published JSON Schemas."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.contract.json_schema import Schemas
from tongbao_schemas.export import DIALECT, SCHEMA_NAMES, drifted, file_name, json_schema, main, schema_id

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "schemas" / "json"
SCHEMAS = Schemas({schema_id(name): json_schema(name) for name in SCHEMA_NAMES})
SUBMISSION = schema_id("submission/1.0")
GOOD = sorted((ROOT / "examples").glob("*.json"))
FOLLOW_UPS = sorted((ROOT / "examples" / "follow-ups").glob("*.json"))
EXPECTED = tomllib.loads((ROOT / "examples" / "bad" / "expected.toml").read_text("utf-8"))


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


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_sample_fits_the_published_schema(path: Path) -> None:
    """By the schemas alone, without our models, every sample is a submission with a body of its category."""
    sample = json.loads(path.read_text("utf-8"))

    assert SCHEMAS.fits(sample, SUBMISSION)
    assert SCHEMAS.fits(sample["body"], schema_id(f"alert.{sample['category']}/1.0"))
    assert SCHEMAS.fits(sample["body"], schema_id("alert/1.0"))


@pytest.mark.parametrize("path", FOLLOW_UPS, ids=lambda path: path.stem)
def test_a_sample_of_a_follow_up_fits_the_published_schema(path: Path) -> None:
    """A submission with a body of its type."""
    sample = json.loads(path.read_text("utf-8"))

    assert SCHEMAS.fits(sample, SUBMISSION)
    assert SCHEMAS.fits(sample["body"], schema_id(f"{sample['type']}/1.0"))


@pytest.mark.parametrize(
    "stem", [stem for stem, code in EXPECTED.items() if code in ("TB-501", "TB-602", "TB-510")]
)
def test_a_wrong_shape_fits_no_schema(stem: str) -> None:
    """What is refused for its shape alone is refused by the schemas too."""
    text = (ROOT / "examples" / "bad" / f"{stem}.json").read_text("utf-8")

    assert not SCHEMAS.fits(json.loads(text), SUBMISSION)
