"""The parse gate: what every JSON text passes before any model sees it (`docs/protocol.md`, section 2).

Rules, in order:
1. at most `limit` bytes;
2. strict UTF-8;
3. one JSON object, at most 16 deep, no duplicate keys after unescaping;
4. no null (an optional field is absent); whole numbers only, |n| ≤ 2^53 − 1;
5. strings and keys are NFC and hold no control character but U+000A, no bidirectional or invisible
   formatting character, no noncharacter, no lone surrogate.

Rule 5 would cost most, and hardly any text breaks it. ASCII is NFC, and of it the parser refuses a control
character that stands in the text as it is, all but U+007F. What is printable holds no control, formatting or
noncharacter and no surrogate. So without U+007F and without an escape that could make such a character only
strings that are not ASCII are judged; where there are many of them, all at once in the text as a whole first.
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
MANY: Final = 8
"""One continuation byte to so many characters, and a text isn't mostly ASCII any more."""

_INVISIBLE: Final = "\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
_FORBIDDEN: Final = re.compile(
    f"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}\ufdd0-\ufdef\ufffe\uffff]"
)
"""All of the basic plane, so that `re` makes it a bitmap: ten times faster than with the planes above."""
_ABOVE_BASIC_PLANE: Final = re.compile("[^\x00-\uffff]")
_MAKING_ESCAPE: Final = re.compile(r"\\[^\"\\/n]")
"""All escapes but those of a quotation mark, backslash, slash and line feed."""

_PARSER_FAULTS: Final = (
    ("duplicate key", Code.DUPLICATE_KEY),
    ("recursion limit", Code.TOO_DEEP),
    ("hex escape", Code.FORBIDDEN_CHARACTER),
    ("control character", Code.FORBIDDEN_CHARACTER),
    ("number", Code.NUMBER_FORM),
)


def parse_object(data: bytes, *, limit: int) -> dict[str, Any]:
    """The JSON object in `data` (at most `limit` bytes); `Refused` with the code of the first broken rule."""
    text = _text(data, limit)
    value = _parse(data)
    if type(value) is not dict:
        raise Refused(Code.NOT_ONE_JSON_OBJECT)
    _check_structure(value, MAX_DEPTH)
    as_written = "\\" not in text or _MAKING_ESCAPE.search(text) is None
    if not (as_written and len(data) - len(text) > len(text) // MANY and _is_clean(text)):
        _check_strings(value, not as_written or "\x7f" in text)
    return value


def check_string(string: str) -> None:
    """Rule 5 for one string: `FORBIDDEN_CHARACTER` or `NOT_NFC`."""
    if not string.isprintable() and _has_forbidden(string):
        raise Refused(Code.FORBIDDEN_CHARACTER)
    if not is_normalized("NFC", string):
        raise Refused(Code.NOT_NFC)


def _has_forbidden(string: str) -> bool:
    above = _ABOVE_BASIC_PLANE.findall(string)
    return _FORBIDDEN.search(string) is not None or any(map(_is_noncharacter, above))


def _is_noncharacter(character: str) -> bool:
    """Whether it is one of the last two of its plane."""
    return ord(character) & 0xFFFE == 0xFFFE


def _text(data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise Refused(Code.RECORD_TOO_LARGE)
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    raise Refused(Code.NOT_UTF8)


def _is_clean(text: str) -> bool:
    """Whether no string in a text without escapes can break rule 5; its line feeds stand between tokens."""
    return text.replace("\n", "").isprintable() and is_normalized("NFC", text)


def _parse(data: bytes) -> Any:
    """The JSON value; NaN and Infinity come through as floats, which the walk refuses like every other."""
    try:
        return jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=True)
    except ValueError as error:
        fault = _parser_fault(str(error).lower())
    raise Refused(fault)


def _parser_fault(message: str) -> Code:
    return next((code for sign, code in _PARSER_FAULTS if sign in message), Code.NOT_ONE_JSON_OBJECT)


def _check_structure(node: Any, room: int) -> None:
    """Depth, null and numbers of all that is inside a container."""
    if room == 0:
        raise Refused(Code.TOO_DEEP)
    for child in node.values() if type(node) is dict else node:
        kind = type(child)
        if kind is dict or kind is list:
            _check_structure(child, room - 1)
        elif kind is int:
            if not -MAX_INTEGER <= child <= MAX_INTEGER:
                raise Refused(Code.NUMBER_FORM)
        elif kind is not str and kind is not bool:
            raise Refused(Code.NULL_VALUE if child is None else Code.NUMBER_FORM)


def _check_strings(node: Any, judge_all: bool) -> None:
    """Rule 5 for the keys and strings in a container."""
    if type(node) is dict:
        for key in node:
            if judge_all or not key.isascii():
                check_string(key)
        node = node.values()
    for child in node:
        if type(child) is str:
            if judge_all or not child.isascii():
                check_string(child)
        elif type(child) is dict or type(child) is list:
            _check_strings(child, judge_all)
