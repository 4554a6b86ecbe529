"""公民身份号码: check digit and birth date, nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_schemas.identity import id_number_ok, real_id_numbers

SPECIMEN = "11010519491231002X"
"""Printed in GB 11643."""
WRONG = {
    "wrong check": "110105194912310021",
    "lower-case check": "11010519491231002x",
    "17 digits": "11010519491231002",
    "19 digits": "110105194912310020X",
    "no such day": "110105194902300023",
    "no such month": "110105194913310020",
    "letters": "1101051949123100AX",
    "full-width digits": "１１０１０５19491231002X",
    "an Arabic digit": "11010519491231002٣",
    "a trailing line feed": SPECIMEN + "\n",
    "empty": "",
}


def check(body: str) -> str:
    """The check character by the standard's own formula, ISO 7064 MOD 11-2: the sum of all is 1 modulo 11."""
    total = sum(int(digit) * 2 ** (17 - index) for index, digit in enumerate(body))
    return "0123456789X"[(1 - total) % 11]


def test_the_specimen_of_the_standard_passes() -> None:
    """The number printed in GB 11643 is good."""
    assert id_number_ok(SPECIMEN)


@pytest.mark.parametrize("number", WRONG.values(), ids=WRONG)
def test_a_bent_number_fails(number: str) -> None:
    """Any other length, alphabet, date or check fails."""
    assert not id_number_ok(number)


@settings(max_examples=60)
@given(st.integers(0, 999_999), st.dates(), st.integers(0, 999))
def test_exactly_one_check_character_is_right(region: int, born: object, order: int) -> None:
    """Against an independent formula: whatever the region code, one of eleven check characters passes."""
    body = f"{region:06d}{str(born).replace('-', '')}{order:03d}"

    assert [last for last in "0123456789X" if id_number_ok(body + last)] == [check(body)]


def test_the_region_is_not_looked_at() -> None:
    """A number of a region that never was passes: nobody is judged by where the number was issued."""
    assert id_number_ok("00000019900101000" + check("00000019900101000"))


@pytest.mark.parametrize(
    ("text", "found"),
    {
        "alone": (SPECIMEN, [SPECIMEN]),
        "in a sentence": (f"身份号码{SPECIMEN}，男", [SPECIMEN]),
        "in groups": ("110105 19491231 002X", [SPECIMEN]),
        "with hyphens": ("110105-19491231-002X", [SPECIMEN]),
        "with the day apart": ("110105 1949 12 31 002X", [SPECIMEN]),
        "full width": ("１１０１０５　１９４９１２３１－００２Ｘ", [SPECIMEN]),
        "lower case": (SPECIMEN.lower(), [SPECIMEN]),
        "twice": (f"{SPECIMEN}和{SPECIMEN}", [SPECIMEN, SPECIMEN]),
        "failing": ("520000198802290018", []),
        "part of a longer number": (f"8{SPECIMEN}", []),
        "none": ("0851-00000110", []),
    }.values(),
)
def test_numbers_are_found_in_texts(text: str, found: list[str]) -> None:
    """Only numbers that pass are found, also when written in groups."""
    assert real_id_numbers(text) == found
