"""A small, independent reading of JSON Schema 2020-12: the keywords that the published schemas use.

A keyword that it doesn't know is an error, so that no schema is half judged.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int}
NOTES = {
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "default",
    "discriminator",
    "x-labels",
    "then",
    "type",
}
CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "const": lambda value, wanted: value == wanted,
    "enum": lambda value, wanted: value in wanted,
    "pattern": lambda value, wanted: re.search(wanted, value) is not None,
    "minLength": lambda value, wanted: len(value) >= wanted,
    "maxLength": lambda value, wanted: len(value) <= wanted,
    "minItems": lambda value, wanted: len(value) >= wanted,
    "maxItems": lambda value, wanted: len(value) <= wanted,
    "minimum": lambda value, wanted: value >= wanted,
    "maximum": lambda value, wanted: value <= wanted,
    "required": lambda value, wanted: value.keys() >= set(wanted),
}


class Schemas:
    """Published schemas that refer to each other by `$id`."""

    def __init__(self, schemas: Mapping[str, dict[str, Any]]) -> None:
        self._schemas = schemas

    def fits(self, value: Any, schema_id: str) -> bool:
        """Whether a value has the shape of a schema."""
        return self._fits(value, {"$ref": schema_id}, {})

    def _fits(self, value: Any, schema: Any, root: Any) -> bool:
        if "type" in schema and not _is_a(value, schema["type"]):
            return False
        return all(self._holds(value, schema, keyword, root) for keyword in schema if keyword not in NOTES)

    def _holds(self, value: Any, schema: Any, keyword: str, root: Any) -> bool:
        wanted = schema[keyword]
        match keyword:
            case "$ref" if wanted.startswith("#/$defs/"):
                return self._fits(value, root["$defs"][wanted.removeprefix("#/$defs/")], root)
            case "$ref":
                return self._fits(value, self._schemas[wanted], self._schemas[wanted])
            case "anyOf":
                return any(self._fits(value, choice, root) for choice in wanted)
            case "oneOf":
                return [self._fits(value, choice, root) for choice in wanted].count(True) == 1
            case "allOf":
                return all(self._fits(value, part, root) for part in wanted)
            case "if":
                return not self._fits(value, wanted, root) or self._fits(value, schema["then"], root)
            case "items":
                return all(self._fits(item, wanted, root) for item in value)
            case "properties":
                return all(self._fits(value[name], wanted[name], root) for name in value.keys() & wanted)
            case "additionalProperties":
                return wanted is True or value.keys() <= schema["properties"].keys()
        return CHECKS[keyword](value, wanted)


def _is_a(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and not isinstance(value, bool)
