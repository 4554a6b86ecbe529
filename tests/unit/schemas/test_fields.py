"""Single fields, form by form, and the base of all models."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tests.unit.schemas import wire
from tongbao_schemas import fields
from tongbao_schemas.encoding import b64encode
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import Digest, Strict, Time, explain, field_path
from tongbao_schemas.refusals import Code

HEX = "0123456789abcdef" * 4
UUID7 = "01a209b0-2527-790d-a892-a369db747c08"
WRAP = b64encode(bytes(80))

FORMS: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "network": (
        fields.Network,
        ["cn", "tongbao-exercise", "a0", "a-0", "n" + "-" * 30 + "n"],
        ["", "a", "n" * 33, "0a", "-ab", "ab-", "Ab", "a_b", "a.b", "ab\n", "贵州", 1, None, True],
    ),
    "message id": (
        fields.MessageId,
        [UUID7, "00000000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff"],
        [
            "",
            UUID7.upper(),
            UUID7.replace("-", ""),
            "{" + UUID7 + "}",
            "urn:uuid:" + UUID7,
            UUID7[:14] + "4" + UUID7[15:],
            UUID7[:19] + "7" + UUID7[20:],
            UUID7[:19] + "c" + UUID7[20:],
            UUID7 + "\n",
            UUID7[:-1],
            7,
        ],
    ),
    "participant": (
        fields.ParticipantCode,
        ["100000", "110000", "520000", "990000"],
        [
            "",
            "000000",
            "010000",
            "52",
            "5200000",
            "520100",
            "520001",
            "52000O",
            "５２0000",
            "520000\n",
            520000,
        ],
    ),
    "province": (
        fields.ProvinceCode,
        ["110000", "190000", "200000", "820000"],
        ["100000", "000000", "520100", "52"],
    ),
    "digest": (
        fields.Digest,
        ["sha256:" + HEX, "sha256:" + "0" * 64],
        [
            "",
            HEX,
            "sha256:" + HEX.upper(),
            "sha256:" + HEX[1:],
            "sha256:" + HEX + "0",
            "SHA256:" + HEX,
            "sha512:" + HEX,
        ],
    ),
    "hex digest": (
        fields.HexDigest,
        [HEX],
        ["", HEX[1:], HEX + "0", HEX.upper(), HEX[1:] + "g", HEX + "\n", 0],
    ),
    "schema": (
        fields.SchemaName,
        ["alert/1.0", "answer/1.1", "head/10.10", "x/99.99"],
        [
            "",
            "alert",
            "alert/1",
            "alert/0.1",
            "alert/01.0",
            "alert/1.00",
            "alert/1.01",
            "alert/100.0",
            "alert/1.100",
            "Alert/1.0",
            "/1.0",
            "alert/1.0.0",
            "alert/1.0\n",
            "alert\\1.0",
            " alert/1.0",
            "a-b/1.0",
        ],
    ),
    "refusal code": (
        fields.RefusalCode,
        ["TB-101", "TB-699", "TB-300"],
        ["", "TB-001", "TB-701", "TB-1010", "TB-10", "tb-101", "TB101", "OP-01", 101],
    ),
    "count": (fields.Count, [0, 1, 2**53 - 1], [-1, "0", 0.0, 1.5, True, None]),
    "positive": (fields.Positive, [1, 2**53 - 1], [0, -1, "1", 1.0, True]),
    "officer": (
        fields.OfficerRef,
        ["粤-0117", "x", "甲" * 32],
        ["", "甲" * 33, "粤-0117\n", "粤\n0117", 117],
    ),
    "unit": (fields.UnitName, ["演练支队", "x", "甲" * 64], ["", "甲" * 65, "甲\n乙", ["甲"]]),
    "header text": (fields.HeaderText, ["甲", "甲 乙　丙", "甲" * 200], ["", "甲" * 201, "甲\n乙", "\n", 1]),
    "wrapped key": (
        fields.WrappedKey,
        [WRAP, b64encode(bytes(range(80)))],
        [
            "",
            WRAP[:-1],
            WRAP[:-4],
            WRAP + "AAAA",
            WRAP[:-2] + "B=",
            "_" + WRAP[1:],
            "\n" + WRAP[1:],
            b64encode(bytes(81)),
            0,
        ],
    ),
    "time": (
        Time,
        [
            "2026-11-23T18:34:28.519Z",
            "0001-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "2028-02-29T00:00:00.000Z",
        ],
        [
            "",
            "2026-11-23T18:34:28Z",
            "2026-11-23T18:34:28.519+08:00",
            "2016-12-31T23:59:60.000Z",
            1795458868,
            True,
            None,
        ],
    ),
}
GOOD = [
    pytest.param(kind, value, id=f"{name}: {value!r:.60}")
    for name, (kind, good, _) in FORMS.items()
    for value in good
]
BAD = [
    pytest.param(kind, value, id=f"{name}: {value!r:.60}")
    for name, (kind, _, bad) in FORMS.items()
    for value in bad
]


def check(kind: Any, value: Any) -> Any:
    """The value as a strict model reads it from JSON."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind, config=ConfigDict(strict=True))
    return adapter.validate_json(json.dumps(value))


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_a_form_holds_up_to_its_borders(kind: Any, value: Any) -> None:
    """Each form takes its shortest, longest and ordinary values, and writes them as they were read."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    assert value == adapter.dump_python(check(kind, value), mode="json")


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_what_is_not_of_the_form_is_refused(kind: Any, value: Any) -> None:
    """One character more, less or other than the form allows refuses; no value is converted to fit."""
    with pytest.raises((ValidationError, Refused)):
        check(kind, value)


def test_a_time_of_our_own_code_is_brought_to_wire_precision() -> None:
    """A datetime given to a model becomes what its reader will see: UTC, cut to the millisecond."""
    beijing = datetime(2026, 11, 23, 18, 34, 28, 519_999, timezone(timedelta(hours=8)))
    read = TypeAdapter(Time).validate_python(beijing)

    assert read == datetime(2026, 11, 23, 10, 34, 28, 519_000, UTC)
    assert read.tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    """A naive datetime would be written in the machine's zone, so a model does not take it."""
    with pytest.raises(ValidationError):
        TypeAdapter(Time).validate_python(datetime(2026, 11, 23, 18, 34, 28))  # noqa: DTZ001


def test_published_patterns_are_the_ones_checked() -> None:
    """The pattern of a time in the JSON Schemas takes every good time and no other spelling."""
    pattern = re.compile(fields.TIME_PATTERN, re.ASCII)
    _, good, bad = FORMS["time"]

    assert all(pattern.match(value) for value in good)
    assert [value for value in bad if pattern.match(str(value))] == ["2016-12-31T23:59:60.000Z"]


class Inner(Strict):
    """A nested model."""

    digest: Digest


class Sample(Strict):
    """A model with the shapes that a path can go through."""

    name: str
    inner: tuple[Inner, ...] = ()
    start: int = Field(default=0, alias="from")


FAULTS = {
    "missing": (b"{}", "name"),
    "wrong kind": (b'{"name":1}', "name"),
    "unknown": (b'{"name":"a","x":1}', "(unknown field)"),
    "alias": (b'{"name":"a","from":"1"}', "from"),
    "the Python name of an alias": (b'{"name":"a","start":1}', "(unknown field)"),
    "both names": (b'{"name":"a","from":1,"start":1}', "(unknown field)"),
    "nested": (b'{"name":"a","inner":[{"digest":"sha256:"}]}', "inner[0].digest"),
    "nested unknown": (
        b'{"name":"a","inner":[{"digest":"%s","x":1}]}' % wire.DIGEST.encode(),
        "inner[0] (unknown field)",
    ),
    "no object": (b"[]", ""),
    "fault before an unknown field": (b'{"name":1,"x":1}', "name"),
}


@pytest.mark.parametrize(("data", "where"), FAULTS.values(), ids=FAULTS)
def test_a_refusal_names_the_path(data: bytes, where: str) -> None:
    """The path has known names and positions only, and what was asked for as the code."""
    with pytest.raises(Refused) as caught:
        Sample.read(data, refuse_as=Code.BODY_SHAPE)

    assert (Code.BODY_SHAPE, where) == (caught.value.code, caught.value.where)


def test_a_model_cannot_be_changed() -> None:
    """What was verified stays as it was."""
    sample = Sample(name="a")

    with pytest.raises(ValidationError):
        sample.name = "b"  # type: ignore[misc]


def test_a_refusal_carries_no_value() -> None:
    """The refusal holds neither value nor unknown key, and no other error that does hangs on it."""
    with pytest.raises(Refused) as caught:
        Sample.read(b'{"name":["canary"],"canary":"canary"}', refuse_as=Code.BODY_SHAPE)

    assert "canary" not in f"{caught.value!r} {caught.value}"
    assert caught.value.__context__ is None


def test_an_error_of_a_model_shows_no_value() -> None:
    """What pydantic itself says of a wrong value leaves the value out, in case it is ever printed."""
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate({"name": ["canary"]})

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        pytest.param((), "", id="the whole"),
        pytest.param(("seq",), "seq", id="a field"),
        pytest.param(("refs", 0, "id"), "refs[0].id", id="a field of an element"),
        pytest.param(("a", "b", 3, 4), "a.b[3][4]", id="an element of an element"),
        pytest.param((0, "a"), "[0].a", id="from an array"),
    ],
)
def test_a_path_reads_like_code(location: tuple[int | str, ...], path: str) -> None:
    """Fields are joined by dots, positions stand in brackets."""
    assert path == field_path(location)


def test_the_tag_of_a_union_is_no_step() -> None:
    """Of a tagged union the tag in front is left out; a wrong tag is the fault of `type`."""

    class Tagged(BaseModel):
        value: int

    with pytest.raises(ValidationError) as caught:
        TypeAdapter(dict[str, Tagged]).validate_python({"alert": {"value": "x"}})

    assert explain(caught.value, tagged=True) == "value"
    assert explain(caught.value) == "alert.value"
