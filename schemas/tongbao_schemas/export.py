"""JSON Schemas (2020-12) made from the models: `python -m tongbao_schemas.export [--check] DIR`.

A schema describes shapes. What it cannot say (canonical base64, NFC, order of the audience, rules of the body)
is in `docs/protocol.md`. No schema allows null: an optional field is absent.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from tongbao_schemas.bodies.alert import ALERT_BODIES
from tongbao_schemas.bodies.answer import ANSWER
from tongbao_schemas.documents import DirectoryDocument, RootDocument
from tongbao_schemas.header import HEADER
from tongbao_schemas.stamp import Stamp
from tongbao_schemas.submission import Submission

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_SOURCES: Final[Mapping[str, type[BaseModel] | TypeAdapter[Any]]] = {
    "header/1.0": HEADER,
    "stamp/1.0": Stamp,
    "submission/1.0": Submission,
    "answer/1.0": ANSWER,
    "directory/1.0": DirectoryDocument,
    "root/1.0": RootDocument,
    **{f"alert.{category.value}/1.0": model for category, model in ALERT_BODIES.items()},
}

SCHEMA_NAMES: Final = tuple(sorted(_SOURCES))
"""Every schema that can be shown or written."""


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a name in `SCHEMA_NAMES`; KeyError for any other."""
    source = _SOURCES[name]
    shape = source.json_schema() if isinstance(source, TypeAdapter) else source.model_json_schema()
    title, _, version = name.partition("/")
    return {
        "$schema": DIALECT,
        "$id": f"urn:tongbao:schema:{title}:{version}",
        **_without_null(shape),
        "title": name,
    }


def file_name(name: str) -> str:
    """`alert.online/1.0` is kept in `alert.online-1.0.json`."""
    return name.replace("/", "-") + ".json"


def rendered(name: str) -> str:
    """The text of a schema's file."""
    return json.dumps(json_schema(name), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def drifted(folder: Path) -> list[str]:
    """The names of files that are missing, out of date or unknown."""
    wanted = {file_name(name): rendered(name) for name in SCHEMA_NAMES}
    present = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main(arguments: list[str] | None = None) -> int:
    """Writes the schemas into a folder, or with `--check` says which differ (exit code 1)."""
    parser = argparse.ArgumentParser(prog="tongbao_schemas.export", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    if not options.check:
        for name in SCHEMA_NAMES:
            (options.folder / file_name(name)).write_text(rendered(name), "utf-8")
        return 0
    differing = drifted(options.folder)
    for name in differing:
        print(f"{name} differs from the models; write it anew with: make schemas", file=sys.stderr)
    return 1 if differing else 0


def _without_null(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_null(child) for child in value]
    if not isinstance(value, dict):
        return value
    plain = {
        key: _without_null(child) for key, child in value.items() if not (key == "default" and child is None)
    }
    choices = [choice for choice in plain.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del plain["anyOf"]
        return {**choices[0], **plain}
    return {**plain, "anyOf": choices} if choices else plain


if __name__ == "__main__":
    sys.exit(main())
