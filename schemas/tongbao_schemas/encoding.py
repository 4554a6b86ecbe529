"""Bytes to text and back, in the one form the wire allows.

Base64 is canonical (RFC 4648, section 4, with padding and zero trailing bits), a digest names its
algorithm, a time has milliseconds and ends in Z, and JSON that we write has sorted keys and no spaces.
"""

import binascii
import hashlib
import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter

from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
REMEMBERED_TIMES: Final = 4096
_BASE64: Final = TypeAdapter(
    bytes, config=ConfigDict(val_json_bytes="base64", strict=True, hide_input_in_errors=True)
)
_WRITER: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def b64(data: bytes) -> bytes:
    """Standard base64 with padding, as ASCII."""
    return binascii.b2a_base64(data, newline=False)


def b64encode(data: bytes) -> str:
    """Standard base64 with padding."""
    return b64(data).decode("ascii")


def b64decode(text: str, where: str = "") -> bytes:
    """The bytes of a canonical base64 text; `BASE64_FORM` at `where` for any other spelling of them.

    Pydantic decodes, six times as fast as the standard library. Only the comparison with the text encoded
    anew is trusted: it rules out line breaks, the URL-safe alphabet, missing padding and stray trailing bits
    (RFC 4648, section 3.5) at once.
    """
    with suppress(ValueError):
        data = _BASE64.validate_strings(text)
        if b64encode(data) == text:
            return data
    raise Refused(Code.BASE64_FORM, where)


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(payload: bytes) -> str:
    """`sha256:` and the hex digest of a decoded payload."""
    return f"sha256:{sha256_hex(payload)}"


@lru_cache(maxsize=REMEMBERED_TIMES)
def format_time(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ` of an aware time, cut to the millisecond; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no wire form")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


@lru_cache(maxsize=REMEMBERED_TIMES)
def parse_time(text: str) -> datetime:
    """The aware UTC time of `YYYY-MM-DDTHH:MM:SS.mmmZ`; ValueError for any other form."""
    if _TIME.fullmatch(text) is None:
        raise ValueError("not a time of the form YYYY-MM-DDTHH:MM:SS.mmmZ")
    return datetime.fromisoformat(text)


def compact_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: how this project writes what it signs or sends.

    ValueError for what is not JSON: NaN, Infinity, a lone surrogate.
    """
    return _WRITER.encode(value).encode("utf-8")
