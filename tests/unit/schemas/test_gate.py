"""The parse gate, rule by rule."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_schemas.errors import Refused
from tongbao_schemas.gate import MAX_DEPTH, MAX_INTEGER, check_string, parse_object
from tongbao_schemas.refusals import Code

LIMIT = 1_000_000


def nested(depth: int, *, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """An object with arrays inside, `depth` levels in all."""
    return b'{"a":' + opening * (depth - 1) + closing * (depth - 1) + b"}"


def verdict(data: bytes) -> Code | None:
    """The code that the gate refuses `data` with, or None."""
    try:
        parse_object(data, limit=LIMIT)
    except Refused as refused:
        return refused.code
    return None


REFUSED = {
    "empty": (b"", Code.NOT_ONE_JSON_OBJECT),
    "array": (b"[]", Code.NOT_ONE_JSON_OBJECT),
    "bare null": (b"null", Code.NOT_ONE_JSON_OBJECT),
    "two objects": (b"{} {}", Code.NOT_ONE_JSON_OBJECT),
    "trailing comma": (b'{"a":1,}', Code.NOT_ONE_JSON_OBJECT),
    "single quotes": (b"{'a':1}", Code.NOT_ONE_JSON_OBJECT),
    "cut off": (b'{"number":', Code.NOT_ONE_JSON_OBJECT),
    "byte order mark": (b"\xef\xbb\xbf{}", Code.NOT_ONE_JSON_OBJECT),
    "unknown escape": (b'{"a":"\\x41"}', Code.NOT_ONE_JSON_OBJECT),
    "NaN in broken JSON": (b'{"a":[NaN,]}', Code.NOT_ONE_JSON_OBJECT),
    "not UTF-8": (b'{"a":"\xff"}', Code.NOT_UTF8),
    "overlong UTF-8": (b'{"a":"\xc0\xaf"}', Code.NOT_UTF8),
    "raw surrogate": (b'{"a":"\xed\xa0\x80"}', Code.NOT_UTF8),
    "UTF-16": ('{"a":1}'.encode("utf-16"), Code.NOT_UTF8),
    "duplicate key": (b'{"a":1,"a":2}', Code.DUPLICATE_KEY),
    "duplicate key by escape": (b'{"a":1,"\\u0061":1}', Code.DUPLICATE_KEY),
    "duplicate key inside": (b'{"x":[{"a":1,"a":1}]}', Code.DUPLICATE_KEY),
    "duplicate key that names another fault": (
        b'{"recursion limit":1,"recursion limit":1}',
        Code.DUPLICATE_KEY,
    ),
    "fraction": (b'{"a":1.0}', Code.NUMBER_FORM),
    "exponent": (b'{"a":1E5}', Code.NUMBER_FORM),
    "negative zero fraction": (b'{"a":-0.0}', Code.NUMBER_FORM),
    "1e400": (b'{"a":1e400}', Code.NUMBER_FORM),
    "NaN": (b'{"a":NaN}', Code.NUMBER_FORM),
    "Infinity": (b'{"a":[Infinity]}', Code.NUMBER_FORM),
    "-Infinity": (b'{"a":-Infinity}', Code.NUMBER_FORM),
    "leading zero": (b'{"a":01}', Code.NUMBER_FORM),
    "2^53": (b'{"a":9007199254740992}', Code.NUMBER_FORM),
    "-2^53": (b'{"a":-9007199254740992}', Code.NUMBER_FORM),
    "4,300 digits": (b'{"a":' + b"9" * 4300 + b"}", Code.NUMBER_FORM),
    "100,000 digits": (b'{"a":' + b"9" * 100_000 + b"}", Code.NUMBER_FORM),
    "17 levels": (nested(17), Code.TOO_DEEP),
    "17 levels of objects": (
        nested(17, opening=b'{"a":', closing=b"}").replace(b":}", b":{}}"),
        Code.TOO_DEEP,
    ),
    "100,000 levels": (b"[" * 100_000, Code.TOO_DEEP),
    "100,000 levels of objects": (b'{"a":' * 100_000, Code.TOO_DEEP),
    "raw NUL": (b'{"a":"\x00"}', Code.FORBIDDEN_CHARACTER),
    "escaped NUL": (b'{"a":"\\u0000"}', Code.FORBIDDEN_CHARACTER),
    "raw tab": (b'{"a":"\t"}', Code.FORBIDDEN_CHARACTER),
    "escaped tab": (b'{"a":"\\t"}', Code.FORBIDDEN_CHARACTER),
    "escaped carriage return": (b'{"a":"\\r"}', Code.FORBIDDEN_CHARACTER),
    "raw line feed": (b'{"a":"\n"}', Code.FORBIDDEN_CHARACTER),
    "raw U+007F": (b'{"a":"\x7f"}', Code.FORBIDDEN_CHARACTER),
    "escaped U+007F": (b'{"a":"\\u007f"}', Code.FORBIDDEN_CHARACTER),
    "U+0085": ('{"a":"\u0085"}'.encode(), Code.FORBIDDEN_CHARACTER),
    "bidi override": ('{"a":"\u202e贵"}'.encode(), Code.FORBIDDEN_CHARACTER),
    "bidi override by escape": (b'{"a":"\\u202e"}', Code.FORBIDDEN_CHARACTER),
    "bidi isolate in a key": ('{"\u2066":1}'.encode(), Code.FORBIDDEN_CHARACTER),
    "bidi isolate in a key by escape": (b'{"\\u2066":1}', Code.FORBIDDEN_CHARACTER),
    "deep inside": ('{"a":[[{"b":"\u200b"}]]}'.encode(), Code.FORBIDDEN_CHARACTER),
    "lone high surrogate": (b'{"a":"\\ud800"}', Code.FORBIDDEN_CHARACTER),
    "lone low surrogate": (b'{"a":"\\udc00"}', Code.FORBIDDEN_CHARACTER),
    "swapped surrogates": (b'{"a":"\\ude00\\ud83d"}', Code.FORBIDDEN_CHARACTER),
    "high surrogate before a letter": (b'{"a":"\\ud83d\\u0041"}', Code.FORBIDDEN_CHARACTER),
    "lone surrogate in a key": (b'{"\\ud800":1}', Code.FORBIDDEN_CHARACTER),
    "noncharacter by surrogate pair": (b'{"a":"\\ud83f\\udffe"}', Code.FORBIDDEN_CHARACTER),
    "decomposed accent": ('{"a":"e\u0301"}'.encode(), Code.NOT_NFC),
    "decomposed accent by escape": (b'{"a":"e\\u0301"}', Code.NOT_NFC),
    "decomposed accent, half by escape": ('{"a":"\\u0065\u0301"}'.encode(), Code.NOT_NFC),
    "decomposed key": ('{"e\u0301":1}'.encode(), Code.NOT_NFC),
    "compatibility ideograph U+F900": ('{"a":"\uf900"}'.encode(), Code.NOT_NFC),
    "null": (b'{"a":null}', Code.NULL_VALUE),
    "null in an array": (b'{"a":[1,null]}', Code.NULL_VALUE),
}

ACCEPTED = {
    "empty object": (b"{}", {}),
    "white space around": (b' \r\n\t{ "a" : 1 } \n', {"a": 1}),
    "largest integers": (b'{"a":[9007199254740991,-9007199254740991]}', {"a": [MAX_INTEGER, -MAX_INTEGER]}),
    "minus zero": (b'{"a":-0}', {"a": 0}),
    "booleans": (b'{"a":[true,false]}', {"a": [True, False]}),
    "16 levels": (nested(16), json.loads(nested(16))),
    "escaped line feed": (b'{"a":"x\\ny"}', {"a": "x\ny"}),
    "escaped line feed before a mark": ('{"a":"\\n\u0301"}'.encode(), {"a": "\n\u0301"}),
    "mark that begins a string": ('{"a":"\u0338"}'.encode(), {"a": "\u0338"}),
    "escaped slash, quotation mark and backslash": (b'{"a":"\\/\\"\\\\"}', {"a": '/"\\'}),
    "escaped backslash before a letter u": (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
    "surrogate pair": (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    "private use": ('{"a":"\ue000\U000f0000"}'.encode(), {"a": "\ue000\U000f0000"}),
    "ideographic space": ('{"a":"甲\u3000乙"}'.encode(), {"a": "甲\u3000乙"}),
    "zero-width joiner": ('{"a":"\u200c\u200d"}'.encode(), {"a": "\u200c\u200d"}),
    "the words NaN and null": (b'{"NaN":"null"}', {"NaN": "null"}),
    "rare ideograph": ('{"a":"\U00020bb7"}'.encode(), {"a": "\U00020bb7"}),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_each_violation_has_its_code(data: bytes, code: Code) -> None:
    """What breaks a rule is refused with that rule's code; neither it nor another error quotes the text."""
    with pytest.raises(Refused) as caught:
        parse_object(data, limit=LIMIT)

    assert code is caught.value.code
    assert caught.value.where == ""
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("data", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_within_the_rules_passes(data: bytes, value: object) -> None:
    """Everything up to the border of each rule is read as any JSON parser reads it."""
    assert value == parse_object(data, limit=LIMIT)


FORBIDDEN_CODE_POINTS = sorted(
    {*range(0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF} - {0x0A}
    | {*range(0x2028, 0x202F), *range(0x2066, 0x206A), *range(0xFDD0, 0xFDF0)}
    | {plane << 16 | last for plane in range(17) for last in (0xFFFE, 0xFFFF)}
)


def test_exactly_the_listed_characters_are_forbidden() -> None:
    """Over all of Unicode, rule 5 forbids the listed code points and surrogates, and no others."""
    surrogates = set(range(0xD800, 0xE000))
    refused = set()
    for point in range(0x110000):
        try:
            check_string(chr(point))
        except Refused as refusal:
            if refusal.code is Code.FORBIDDEN_CHARACTER:
                refused.add(point)

    assert surrogates | set(FORBIDDEN_CODE_POINTS) == refused


@pytest.mark.parametrize("point", FORBIDDEN_CODE_POINTS, ids=lambda point: f"U+{point:04X}")
def test_a_forbidden_character_is_found_written_out_and_escaped(point: int) -> None:
    """Neither spelling of a forbidden character gets it past the gate."""
    written = '{"a":"%s"}' % chr(point)  # noqa: UP031
    escaped = json.dumps({"a": chr(point)})

    assert [verdict(written.encode()), verdict(escaped.encode())] == [Code.FORBIDDEN_CHARACTER] * 2


def test_the_limit_is_the_last_size_allowed() -> None:
    """A text of exactly `limit` bytes passes, one byte more is refused before anything else is judged."""
    assert parse_object(b"{}", limit=2) == {}

    with pytest.raises(Refused) as caught:
        parse_object(b"\xff\xff\xff", limit=2)
    assert caught.value.code is Code.RECORD_TOO_LARGE


NASTY = st.sampled_from(
    [
        "\u0301",
        "\u0338",
        "\n",
        "e",
        '"',
        "\\",
        "/",
        "\x7f",
        "\u202e",
        "n",
        "u0041",
        "가",
        "\u11a8",
        "\U0001fffe",
    ]
)
TEXTS = st.lists(NASTY | st.characters(exclude_categories=["Cs"]), max_size=8).map("".join)


def faults(*texts: str) -> set[Code]:
    """Rule 5 over some strings, written down a second time from its text."""
    found = set()
    if any(ord(character) in FORBIDDEN_CODE_POINTS for text in texts for character in text):
        found.add(Code.FORBIDDEN_CHARACTER)
    if any(unicodedata.normalize("NFC", text) != text for text in texts):
        found.add(Code.NOT_NFC)
    return found


@settings(max_examples=150)
@given(text=TEXTS, ascii_only=st.booleans(), slash=st.booleans(), spaced=st.booleans())
def test_a_string_is_judged_as_it_reads_unescaped(
    text: str, ascii_only: bool, slash: bool, spaced: bool
) -> None:
    """However a string is escaped, the gate's verdict is the verdict over the unescaped string."""
    data = json.dumps({"k": text}, ensure_ascii=ascii_only, indent=1 if spaced else None)
    if slash:
        data = data.replace("/", "\\/")
    expected = sorted(faults(text))[:1] or [None]

    assert expected == [verdict(data.encode())]


@settings(max_examples=100)
@given(st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3), max_size=3), st.booleans())
def test_no_string_is_overlooked_beside_others(value: dict[str, list[str]], ascii_only: bool) -> None:
    """A text passes exactly if each of its keys and strings passes alone, wherever they stand."""
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    expected = faults(*value, *(text for texts in value.values() for text in texts)) or {None}

    assert verdict(data) in expected


@settings(max_examples=100)
@given(
    st.integers(-(2**55), 2**55)
    | st.integers(MAX_INTEGER - 2, MAX_INTEGER + 2)
    | st.integers(0, 10).map(lambda n: 10**n)
)
def test_integers_pass_up_to_the_last_exact_one(number: int) -> None:
    """An integer passes, exactly, if a double holds it and its neighbours: within ±(2^53 − 1)."""
    data = b'{"a":%d}' % number

    if abs(number) <= 2**53 - 1:
        assert parse_object(data, limit=LIMIT) == {"a": number}
    else:
        assert verdict(data) is Code.NUMBER_FORM


@pytest.mark.parametrize("shape", ["objects", "arrays", "both"])
@pytest.mark.parametrize("depth", [1, 2, 15, 16, 17, 18, 150, 250])
def test_sixteen_levels_pass(shape: str, depth: int) -> None:
    """Objects and arrays count alike: sixteen inside one another pass, seventeen do not."""
    inside: object = 1
    for level in range(depth, 0, -1):
        as_object = level == 1 or shape == "objects" or (shape == "both" and level % 2)
        inside = {"a": inside} if as_object else [inside]

    assert verdict(json.dumps(inside).encode()) is (None if depth <= 16 else Code.TOO_DEEP)


@settings(max_examples=100)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Whatever the bytes, the gate returns an object or refuses: nothing else comes out of it."""
    try:
        value = parse_object(data, limit=LIMIT)
    except Refused:
        return
    assert isinstance(value, dict)


PLAIN = st.recursive(
    st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.sampled_from(["", "黔", "a\nb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from("xyz"), PLAIN, max_size=3))
def test_a_plain_object_comes_back_equal(value: dict[str, object]) -> None:
    """What is within the rules is read without loss, or refused only for its depth."""
    data = json.dumps(value).encode()

    if depth(value) > MAX_DEPTH:
        assert verdict(data) is Code.TOO_DEEP
    else:
        assert value == parse_object(data, limit=LIMIT)


def depth(value: object) -> int:
    """How many containers lie inside one another."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0
