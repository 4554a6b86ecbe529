"""Bytes, digests, times and JSON in the one form that the wire allows."""

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_schemas.encoding import (
    b64decode,
    b64encode,
    compact_json,
    digest,
    format_time,
    parse_time,
    sha256_hex,
)
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"

# RFC 4648, section 10.
VECTORS = {
    "no bytes": (b"", ""),
    "one byte": (b"f", "Zg=="),
    "two bytes": (b"fo", "Zm8="),
    "three bytes": (b"foo", "Zm9v"),
    "six bytes": (b"foobar", "Zm9vYmFy"),
    "the last two of the alphabet": (b"\xfb\xff", "+/8="),
}
NOT_CANONICAL = {
    "stray bits in the last character": "Zh==",
    "one stray bit": "Zm9=",
    "no padding": "Zg",
    "half the padding": "Zg=",
    "too much padding": "Zm9v====",
    "padding first": "=Zm9",
    "padding in the middle": "Zg==Zg==",
    "padding alone": "====",
    "one character": "Z",
    "line feed at the end": "Zm9v\n",
    "carriage return and line feed inside": "Zm9v\r\nYmFy",
    "space": "Zm9v YmFy",
    "URL-safe alphabet": "-_8=",
    "foreign character": "Zm9*",
    "full-width letter": "Ｚm9v",
    "NUL": "Zm9v\x00",
}


@pytest.mark.parametrize(("data", "text"), VECTORS.values(), ids=VECTORS)
def test_base64_is_the_standard_one(data: bytes, text: str) -> None:
    """Bytes and text belong together as in the test vectors of RFC 4648."""
    assert text == b64encode(data)
    assert data == b64decode(text)


@pytest.mark.parametrize("text", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_another_spelling_of_base64_is_refused(text: str) -> None:
    """Other decoders read some of these; here each is BASE64_FORM, at the place the caller names."""
    with pytest.raises(Refused) as caught:
        b64decode(text, "body")

    assert caught.value.code is Code.BASE64_FORM
    assert caught.value.where == "body"
    assert caught.value.__context__ is None


def test_a_quarter_of_the_last_characters_is_canonical() -> None:
    """Of 64 characters, 16 may stand before one `=` and 4 before two: those whose spare bits are zero."""
    assert list(ALPHABET[::4]) == [last for last in ALPHABET if reads(f"Zm{last}=")]
    assert list(ALPHABET[::16]) == [last for last in ALPHABET if reads(f"Z{last}==")]


@given(st.binary(max_size=40))
def test_base64_gives_the_bytes_back(data: bytes) -> None:
    """What is encoded is decoded to the same bytes."""
    assert data == b64decode(b64encode(data))


@settings(max_examples=100)
@given(st.text(alphabet="AQgw8+/=-_ \n", max_size=12))
def test_bytes_have_one_spelling(text: str) -> None:
    """Whatever text decodes at all is exactly the encoding of its bytes."""
    if reads(text):
        assert text == b64encode(b64decode(text))


def reads(text: str) -> bool:
    try:
        b64decode(text)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", id="nothing"),
        pytest.param(b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", id="abc"),
    ],
)
def test_a_digest_names_its_algorithm(data: bytes, expected: str) -> None:
    """A digest is SHA-256 as FIPS 180-4 has it, in hex after the algorithm's name."""
    assert expected == sha256_hex(data)
    assert f"sha256:{expected}" == digest(data)


BEIJING = timezone(timedelta(hours=8))
WRITTEN = {
    "UTC": (datetime(2026, 11, 23, 4, 5, 6, 789_000, UTC), "2026-11-23T04:05:06.789Z"),
    "Beijing": (datetime(2026, 11, 23, 4, 5, 6, 789_000, BEIJING), "2026-11-22T20:05:06.789Z"),
    "finer than a millisecond": (datetime(2026, 11, 23, 4, 5, 6, 789_999, UTC), "2026-11-23T04:05:06.789Z"),
    "whole second": (datetime(2026, 11, 23, 4, 5, 6, 0, UTC), "2026-11-23T04:05:06.000Z"),
    "year of three digits": (datetime(987, 1, 1, tzinfo=UTC), "0987-01-01T00:00:00.000Z"),
}
NOT_A_TIME = {
    "empty": "",
    "no milliseconds": "2026-11-23T04:05:06Z",
    "one decimal": "2026-11-23T04:05:06.7Z",
    "microseconds": "2026-11-23T04:05:06.789000Z",
    "comma": "2026-11-23T04:05:06,789Z",
    "offset": "2026-11-23T04:05:06.789+00:00",
    "no zone": "2026-11-23T04:05:06.789",
    "small letters": "2026-11-23t04:05:06.789z",
    "space for T": "2026-11-23 04:05:06.789Z",
    "basic format": "20261123T040506.789Z",
    "leap second": "2016-12-31T23:59:60.000Z",
    "hour 24": "2026-11-23T24:00:00.000Z",
    "day that is none": "2026-02-29T00:00:00.000Z",
    "year 0": "0000-01-01T00:00:00.000Z",
    "line feed at the end": "2026-11-23T04:05:06.789Z\n",
    "space before": " 2026-11-23T04:05:06.789Z",
    "full-width digits": "２０２６-11-23T04:05:06.789Z",
    "Arabic digits": "٢٠٢٦-11-23T04:05:06.789Z",
}


@pytest.mark.parametrize(("moment", "text"), WRITTEN.values(), ids=WRITTEN)
def test_a_time_is_written_in_utc_with_milliseconds(moment: datetime, text: str) -> None:
    """Any aware time has one wire form; what is finer than a millisecond is cut off, never rounded up."""
    assert text == format_time(moment)


def test_a_time_without_zone_is_not_written() -> None:
    """A naive time has no wire form, since nobody can know which moment it means."""
    with pytest.raises(ValueError, match="zone"):
        format_time(datetime(2026, 11, 23, 4, 5, 6))  # noqa: DTZ001


@pytest.mark.parametrize("text", NOT_A_TIME.values(), ids=NOT_A_TIME)
def test_another_form_of_a_time_is_not_read(text: str) -> None:
    """Only `YYYY-MM-DDTHH:MM:SS.mmmZ` of a moment that exists is a time; all else is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_cut_to_the_millisecond(moment: datetime) -> None:
    """Writing and reading a time loses what is finer than a millisecond, and nothing else."""
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    read = parse_time(format_time(moment))

    assert cut == read
    assert read.tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_times_sort_as_their_texts(one: datetime, other: datetime) -> None:
    """Wire forms compare like the moments they name, so that texts can be ordered and indexed."""
    moments = sorted([parse_time(format_time(one)), parse_time(format_time(other))])

    assert sorted([format_time(one), format_time(other)]) == [format_time(moment) for moment in moments]


def test_json_is_written_compact_and_sorted() -> None:
    """What we write has sorted keys at every level, no spaces, and Chinese as it is."""
    value = {"乙": [1, {"b": True, "a": "甲\n"}], "a": -7}

    assert compact_json(value).decode() == '{"a":-7,"乙":[1,{"a":"甲\\n","b":true}]}'


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800"], ids=["NaN", "Infinity", "surrogate"]
)
def test_what_is_not_json_is_not_written(value: object) -> None:
    """A value that no JSON text can hold is a ValueError where it is written, not at the receiver."""
    with pytest.raises(ValueError, match=r"."):
        compact_json({"a": value})
