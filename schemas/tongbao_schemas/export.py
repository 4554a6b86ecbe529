"""JSON Schemas (2020-12) made from the models: `python -m tongbao_schemas.export [--check] DIR`.

1. A schema describes shapes. What it cannot say (canonical base64, NFC, order of the audience, rules of the
   body) is in `docs/protocol.md`.
2. No schema allows null: an optional field is absent.
3. The body of an alert has one schema for each category; `alert/1.0` is any of them, and `submission/1.0`
   picks the one that its own `category` names.
4. A coded value's words for people stand beside its list as `x-labels`: value, Chinese, English.
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
from tongbao_schemas.bodies.attachment import AttachmentBody
from tongbao_schemas.bodies.followups import FOLLOW_UPS
from tongbao_schemas.codes import Category, Labelled, MessageType
from tongbao_schemas.documents import DirectoryDocument, EnrolmentRequest, RootDocument
from tongbao_schemas.header import HEADER
from tongbao_schemas.stamp import Stamp
from tongbao_schemas.submission import Submission

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def alert_schema(category: Category) -> str:
    """The name of the schema of one category's body: `alert.online/1.0`."""
    return f"alert.{category.value}/1.0"


ANY_ALERT: Final = "alert/1.0"
SUBMISSION: Final = "submission/1.0"

_SOURCES: Final[Mapping[str, type[BaseModel] | TypeAdapter[Any]]] = {
    "header/1.0": HEADER,
    "stamp/1.0": Stamp,
    SUBMISSION: Submission,
    "answer/1.0": ANSWER,
    "attachment/1.0": AttachmentBody,
    "directory/1.0": DirectoryDocument,
    "root/1.0": RootDocument,
    "enrolment/1.0": EnrolmentRequest,
    **{alert_schema(category): model for category, model in ALERT_BODIES.items()},
    **{f"{kind.value}/1.0": model for kind, model in FOLLOW_UPS.items()},
}

SCHEMA_NAMES: Final = tuple(sorted([ANY_ALERT, *_SOURCES]))
"""Every schema that can be shown or written."""


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a name in `SCHEMA_NAMES`; KeyError for any other."""
    shape = _any_alert() if name == ANY_ALERT else _labelled(_without_null(_shape(_SOURCES[name])))
    if name == SUBMISSION:
        shape["allOf"] = [_body_of(kind, category) for kind, category in _bodies()]
    return {"$schema": DIALECT, "$id": schema_id(name), **shape, "title": name}


def schema_id(name: str) -> str:
    """`urn:tongbao:schema:alert.online:1.0` for `alert.online/1.0`."""
    return f"urn:tongbao:schema:{name.replace('/', ':')}"


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


def _shape(source: type[BaseModel] | TypeAdapter[Any]) -> dict[str, Any]:
    return source.json_schema() if isinstance(source, TypeAdapter) else source.model_json_schema()


def _any_alert() -> dict[str, Any]:
    return {"anyOf": [{"$ref": schema_id(alert_schema(category))} for category in ALERT_BODIES]}


def _bodies() -> list[tuple[MessageType, Category | None]]:
    alerts = ((MessageType.ALERT, category) for category in ALERT_BODIES)
    return [*alerts, *((kind, None) for kind in (MessageType.ANSWER, MessageType.ATTACHMENT, *FOLLOW_UPS))]


def _body_of(kind: MessageType, category: Category | None) -> dict[str, Any]:
    """The condition that gives a submission's body the schema of its type and category."""
    named = {"type": {"const": kind.value}} | ({"category": {"const": category.value}} if category else {})
    schema = alert_schema(category) if category else f"{kind.value}/1.0"
    return {
        "if": {"properties": named, "required": sorted(named)},
        "then": {"properties": {"body": {"$ref": schema_id(schema)}}},
    }


def _labelled(shape: dict[str, Any]) -> dict[str, Any]:
    """The same shape; each coded list in it also says its values' words for people."""
    ours = [each for each in Labelled.__subclasses__() if each.__module__.startswith(f"{__package__}.")]
    lists = {each.__name__: each for each in ours}
    for title, part in shape.get("$defs", {}).items():
        if "enum" in part:
            part["x-labels"] = {
                value: [lists[title](value).zh, lists[title](value).en] for value in part["enum"]
            }
    return shape


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
