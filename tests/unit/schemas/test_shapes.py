"""What holds for every shape on the wire, tried at every place of a good sample of each."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.schemas import wire
from tongbao_schemas.documents import DOCUMENT_LIMIT, DirectoryDocument, RootDocument
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import Strict
from tongbao_schemas.gate import parse_object
from tongbao_schemas.header import parse_header
from tongbao_schemas.record import parse_in, parse_out
from tongbao_schemas.refusals import Code

Path = tuple[int | str, ...]


@dataclass(frozen=True)
class Sample:
    """A good value, how it is read, and the fields that may be left out of it."""

    value: dict[str, Any]
    read: Callable[[bytes], object]
    optional: frozenset[Path] = frozenset()


def document(model: type[Strict]) -> Callable[[bytes], object]:
    """The gate, then a document's model."""

    def read(data: bytes) -> object:
        parse_object(data, limit=DOCUMENT_LIMIT)
        return model.read(data, refuse_as=Code.DOCUMENT_SHAPE)

    return read


def with_content(kind: str, content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return wire.header(kind) | {"content": content} | fields


OF = frozenset[Path]({("content", "of"), ("content", "digest")})
ENVELOPE = {
    "payload": "e30=",
    "payloadType": "application/json",
    "signatures": [{"keyid": wire.KID, "sig": "AAAA"}],
}
STAMP = {
    "leaf": {"index": 5, "digest": wire.DIGEST, "admitted_at": wire.ISSUED, "directory": 1},
    "proof": [wire.KID],
    "checkpoint": "tongbao/demo\n",
    "delivery_seq": 10,
}
SAMPLES = {
    **{
        kind: Sample(wire.header(kind), parse_header)
        for kind in wire.ALL_TYPES
        if kind not in ("receipt", "notice")
    },
    "update with deadlines": Sample(
        wire.header("update") | {"deadlines": wire.deadlines()}, parse_header, frozenset({("deadlines",)})
    ),
    **{
        f"receipt: {stage}": Sample(
            with_content(
                "receipt",
                {"items": [wire.item(stage)]},
                audience=["100000" if stage == "missing" else "440000"],
            ),
            parse_header,
            frozenset({("content", "items", 0, "of")}) if stage == "refused" else frozenset(),
        )
        for stage in wire.STAGES
    },
    **{
        f"notice: {kind}": Sample(
            with_content("notice", wire.notice(kind)),
            parse_header,
            OF if kind in ("rejected", "suspect") else frozenset(),
        )
        for kind in wire.NOTICES
    },
    "directory": Sample(
        wire.DIRECTORY,
        document(DirectoryDocument),
        frozenset({("floor",), ("keys", 2, "compromised_since")}),
    ),
    "root": Sample(wire.ROOT, document(RootDocument)),
    "out record": Sample({"message": ENVELOPE, "body": "AAAA"}, parse_out, frozenset({("body",)})),
    "in record": Sample(
        {"message": ENVELOPE, "body": "AAAA", "stamp": STAMP}, parse_in, frozenset({("body",), ("stamp",)})
    ),
}
EVERY_SAMPLE = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of everything inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in inside:
        yield (*path, step)
        yield from places(child, (*path, step))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def objects(value: dict[str, Any]) -> list[Path]:
    return [path for path in [(), *places(value)] if isinstance(at(value, path), dict)]


def code_of(sample: Sample, change: Callable[[Any], None], path: Path) -> Code | None:
    """How a copy of the sample is refused once what is at `path` was changed."""
    value = deepcopy(sample.value)
    change(at(value, path))
    try:
        sample.read(wire.text(value))
    except Refused as refused:
        return refused.code
    return None


def put(step: int | str, other: object) -> Callable[[Any], None]:
    def change(parent: Any) -> None:
        parent[step] = other

    return change


def drop(name: str) -> Callable[[Any], None]:
    def change(parent: Any) -> None:
        del parent[name]

    return change


@EVERY_SAMPLE
def test_the_sample_is_good(sample: Sample) -> None:
    """What is bent below is read as it stands, so that only the bend can be the reason."""
    assert sample.read(wire.text(sample.value)) is not None


@EVERY_SAMPLE
def test_every_field_is_needed_but_the_optional_ones(sample: Sample) -> None:
    """A field left out refuses, except exactly those that the protocol calls optional."""
    spared = {
        (*path, name)
        for path in objects(sample.value)
        for name in at(sample.value, path)
        if code_of(sample, drop(name), path) is None
    }

    assert sample.optional == spared


@EVERY_SAMPLE
def test_no_object_takes_an_unknown_field(sample: Sample) -> None:
    """Nothing can be smuggled in beside the known fields, however deep."""
    open_objects = [
        path for path in objects(sample.value) if code_of(sample, put("extra", "x"), path) is None
    ]

    assert open_objects == []


@EVERY_SAMPLE
def test_nothing_is_null(sample: Sample) -> None:
    """A value that is null refuses as such, also where the field could have been left out."""
    codes = {code_of(sample, put(path[-1], None), path[:-1]) for path in places(sample.value)}

    assert codes == {Code.NULL_VALUE}


OTHERS: dict[type, tuple[object, ...]] = {
    str: (7, True, ["x"], {"x": "x"}, ""),
    int: ("7", True, [7], {"x": 7}, -1),
    list: ("x", 7, True, {"0": "x"}),
    dict: ("x", 7, True, ["x"]),
}
EMPTY_IS_FINE = ("checkpoint", "payload", "payloadType", "keyid", "sig", "body")
"""Texts whose form is judged by another check: the note's, base64's (no bytes), the directory's."""


@EVERY_SAMPLE
def test_no_value_is_converted(sample: Sample) -> None:
    """A value of another JSON type, an empty text or a negative number is refused, never made to fit."""
    taken = [
        (path, other)
        for path in places(sample.value)
        for other in OTHERS[type(at(sample.value, path))]
        if not (other == "" and path[-1] in EMPTY_IS_FINE)
        if code_of(sample, put(path[-1], other), path[:-1]) is None
    ]

    assert taken == []
