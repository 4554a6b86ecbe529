"""The parse gate: what every JSON text passes before any model sees it (`docs/protocol.md`, section 2).

Rules, in order:
1. at most `limit` bytes;
2. strict UTF-8;
3. one JSON object, at most 16 deep, no duplicate keys after unescaping;
4. no null (an optional field is absent); whole numbers only, |n| ≤ 2^53 − 1;
5. strings and keys are NFC and hold no control character but U+000A, no bidirectional or invisible
   formatting character, no noncharacter, no lone surrogate.

Most texts hold no escape but of a quotation mark, a slash, a backslash or a line feed. Then each piece of a
string between such escapes stands in the text itself, and one look at the text is enough: a substring of an
NFC text is NFC (UAX #15), and none of these four characters composes with a neighbour. ASCII is NFC, and
printable text (`str.isprintable`: no Cc, Cf, Cn, Cs, Zl, Zp) holds nothing that rule 5 forbids. A text that
fails this look is judged string by string.
"""

import re
from typing import Any, Final
from unicodedata import is_normalized

import jiter

from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

MAX_DEPTH: Final = 16
MAX_INTEGER: Final = 2**53 - 1

_INVISIBLE: Final = "\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
_NONCHARACTERS: Final = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17)
)
_FORBIDDEN: Final = re.compile(f"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}{_NONCHARACTERS}]")
_FORBIDDEN_IN_TEXT: Final = re.compile(
    f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}{_NONCHARACTERS}]"
)
_RISKY_ESCAPE: Final = re.compile(r"\\[^\"\\/n]")

_PARSER_FAULTS: Final = (
    ("duplicate key", Code.DUPLICATE_KEY),
    ("recursion limit", Code.TOO_DEEP),
    ("surrogate", Code.FORBIDDEN_CHARACTER),
    ("hex escape", Code.FORBIDDEN_CHARACTER),
    ("control character", Code.FORBIDDEN_CHARACTER),
    ("number", Code.NUMBER_FORM),
)


def parse_object(data: bytes, *, limit: int) -> dict[str, Any]:
    """The JSON object in `data` (at most `limit` bytes); `Refused` with the code of the first broken rule."""
    text = _decode(data, limit)
    value = _parse(data)
    if not isinstance(value, dict):
        raise Refused(Code.NOT_ONE_JSON_OBJECT)
    strings: list[str] = []
    _walk(value, strings)
    if not _clean_as_a_whole(text):
        for string in strings:
            check_string(string)
    return value


def check_string(string: str) -> None:
    """Rule 5 for one string: `FORBIDDEN_CHARACTER` or `NOT_NFC`."""
    if not string.isprintable() and _FORBIDDEN.search(string):
        raise Refused(Code.FORBIDDEN_CHARACTER)
    if not is_normalized("NFC", string):
        raise Refused(Code.NOT_NFC)


def _clean_as_a_whole(text: str) -> bool:
    """Whether rule 5 holds for the whole of a text that the parser has passed."""
    if "\\" in text and _RISKY_ESCAPE.search(text):
        return False
    if text.isascii():
        return "\x7f" not in text
    return (text.isprintable() or not _FORBIDDEN_IN_TEXT.search(text)) and is_normalized("NFC", text)


def _decode(data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise Refused(Code.RECORD_TOO_LARGE)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Code.NOT_UTF8) from None


def _parse(data: bytes) -> Any:
    try:
        return jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(_parser_fault(str(error), data)) from None


def _parser_fault(message: str, data: bytes) -> Code:
    for sign, code in _PARSER_FAULTS:
        if sign in message.lower():
            return code
    return Code.NUMBER_FORM if _holds_only_wrong_constants(data) else Code.NOT_ONE_JSON_OBJECT


def _holds_only_wrong_constants(data: bytes) -> bool:
    """Whether NaN or Infinity is all that keeps `data` from being JSON."""
    try:
        jiter.from_json(data, allow_inf_nan=True)
    except ValueError:
        return False
    return True


def _walk(value: dict[str, Any], strings: list[str]) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _containers(node, strings)]
        if not level:
            return
    raise Refused(Code.TOO_DEEP)


def _containers(node: Any, strings: list[str]) -> list[Any]:
    """The containers directly inside a container; checks its numbers and collects its strings."""
    if isinstance(node, dict):
        strings.extend(node)
        node = node.values()
    inside = []
    for child in node:
        if isinstance(child, str):
            strings.append(child)
        elif isinstance(child, dict | list):
            inside.append(child)
        elif child is None:
            raise Refused(Code.NULL_VALUE)
        elif isinstance(child, float) or (isinstance(child, int) and abs(child) > MAX_INTEGER):
            raise Refused(Code.NUMBER_FORM)
    return inside
