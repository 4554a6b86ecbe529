"""公民身份号码: the check digit and the birth date of GB 11643-1999, and nothing else.

The region in the first six digits is not looked at. It says where a number was first issued, it may be
younger or older than any list, and nobody is to be judged by it.
"""

import re
from datetime import date
from typing import Final
from unicodedata import normalize

_NUMBER: Final = re.compile(r"\d{17}[\dX]", re.ASCII)
_DIGIT: Final = "[0-9０-９]"
_GAP: Final = "[ \u3000\\-－]?"
_IN_TEXT: Final = re.compile(
    rf"{_DIGIT}(?<!{_DIGIT}{_DIGIT}){_DIGIT}{{5}}{_GAP}{_DIGIT}{{4}}{_GAP}{_DIGIT}{{2}}{_GAP}{_DIGIT}{{2}}{_GAP}"
    rf"{_DIGIT}{{3}}[0-9０-９XxＸｘ](?!{_DIGIT})"
)
"""It looks for a digit first, then at what stands before it: three times faster than in that order."""
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"


def id_number_ok(number: str) -> bool:
    """Whether an 18-character number has a real birth date and the right check (ISO 7064 MOD 11-2)."""
    if not _NUMBER.fullmatch(number):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECKS[total % 11] == number[17] and _is_date(number[6:14])


def real_id_numbers(text: str) -> list[str]:
    """Every number in a text that passes the check, also in groups or in full-width characters."""
    written = (normalize("NFKC", found).upper() for found in _IN_TEXT.findall(text))
    numbers = (found.replace(" ", "").replace("-", "") for found in written)
    return [number for number in numbers if id_number_ok(number)]


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
