"""The parse gate: what every JSON text passes before any model sees it (`docs/protocol.md`, section 2).

Rules, in order:
1. at most `limit` bytes;
2. strict UTF-8;
3. one JSON object, at most 16 deep, no duplicate keys after unescaping;
4. no null (an optional field is absent); whole numbers only, |n| ≤ 2^53 − 1;
5. strings and keys are NFC and hold no control character but U+000A, no bidirectional or invisible
   formatting character, no noncharacter, no lone surrogate.

Rule 5 costs most, and most strings cannot break it. ASCII text is NFC, and the parser refuses a control
character that stands in the text as it is, all but U+007F. So where the text has neither U+007F nor an escape
that could make a control character, only the strings that are not ASCII are judged.
"""

import re
from contextlib import suppress
from typing import Any, Final
from unicodedata import is_normalized

import jiter

from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

MAX_DEPTH: Final = 16
MAX_INTEGER: Final = 2**53 - 1

_INVISIBLE: Final = "\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
_FORBIDDEN: Final = re.compile(
    f"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}\ufdd0-\ufdef\ufffe\uffff]"
)
"""All of the basic plane, so that `re` makes it a bitmap: ten times faster than with the planes above."""
_ABOVE_BASIC_PLANE: Final = re.compile("[^\x00-\uffff]")
_CONTROL_ESCAPE: Final = re.compile(rb"\\[^\"\\/n]")

_PARSER_FAULTS: Final = (
    ("duplicate key", Code.DUPLICATE_KEY),
    ("recursion limit", Code.TOO_DEEP),
    ("hex escape", Code.FORBIDDEN_CHARACTER),
    ("control character", Code.FORBIDDEN_CHARACTER),
    ("number", Code.NUMBER_FORM),
)


def parse_object(data: bytes, *, limit: int) -> dict[str, Any]:
    """The JSON object in `data` (at most `limit` bytes); `Refused` with the code of the first broken rule."""
    _check_encoding(data, limit)
    value = _parse(data)
    if type(value) is not dict:
        raise Refused(Code.NOT_ONE_JSON_OBJECT)
    strings: list[str] = []
    _walk(value, MAX_DEPTH, strings)
    judge_all = b"\x7f" in data or _CONTROL_ESCAPE.search(data) is not None
    for string in strings:
        if judge_all or not string.isascii():
            check_string(string)
    return value


def check_string(string: str) -> None:
    """Rule 5 for one string: `FORBIDDEN_CHARACTER` or `NOT_NFC`."""
    if _FORBIDDEN.search(string) or any(map(_is_noncharacter, _ABOVE_BASIC_PLANE.findall(string))):
        raise Refused(Code.FORBIDDEN_CHARACTER)
    if not is_normalized("NFC", string):
        raise Refused(Code.NOT_NFC)


def _is_noncharacter(character: str) -> bool:
    """Whether it is one of the last two of its plane."""
    return ord(character) & 0xFFFE == 0xFFFE


def _check_encoding(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise Refused(Code.RECORD_TOO_LARGE)
    with suppress(UnicodeDecodeError):
        data.decode("utf-8")
        return
    raise Refused(Code.NOT_UTF8)


def _parse(data: bytes) -> Any:
    """The JSON value; NaN and Infinity come through as floats, which the walk refuses like every other."""
    try:
        return jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=True)
    except ValueError as error:
        fault = _parser_fault(str(error).lower())
    raise Refused(fault)


def _parser_fault(message: str) -> Code:
    return next((code for sign, code in _PARSER_FAULTS if sign in message), Code.NOT_ONE_JSON_OBJECT)


def _walk(node: Any, room: int, strings: list[str]) -> None:
    """Depth, null and numbers of all that is inside a container; gathers its keys and strings."""
    if room == 0:
        raise Refused(Code.TOO_DEEP)
    if type(node) is dict:
        strings.extend(node)
        node = node.values()
    for child in node:
        kind = type(child)
        if kind is str:
            strings.append(child)
        elif kind is dict or kind is list:
            _walk(child, room - 1, strings)
        elif kind is int:
            if not -MAX_INTEGER <= child <= MAX_INTEGER:
                raise Refused(Code.NUMBER_FORM)
        elif kind is not bool:
            raise Refused(Code.NULL_VALUE if child is None else Code.NUMBER_FORM)
