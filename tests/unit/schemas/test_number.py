"""The readable number and its check character."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_schemas.errors import Refused
from tongbao_schemas.number import MAX_SERIAL, PROVINCES, check_number, readable_number
from tongbao_schemas.refusals import Code

CODES = sorted(PROVINCES.keys() - {"100000"})
NUMBERS = st.builds(
    readable_number, st.sampled_from(CODES), st.integers(2000, 9999), st.integers(1, MAX_SERIAL)
)


@pytest.mark.parametrize(("serial", "number"), [(17, "黔2026-000017-D"), (1, "黔2026-000001-T")])
def test_the_check_character_is_that_of_iso_7064(serial: int, number: str) -> None:
    """Two numbers worked out by an independent program."""
    assert number == readable_number("520000", 2026, serial)
    assert check_number(number) == "520000"


@settings(max_examples=60)
@given(st.sampled_from(CODES), st.integers(2000, 9999), st.integers(1, MAX_SERIAL))
def test_a_number_names_its_province(code: str, year: int, serial: int) -> None:
    """Every number that is given out passes its check and leads back to its province."""
    assert code == check_number(readable_number(code, year, serial))


@settings(max_examples=15)
@given(NUMBERS)
def test_every_single_wrong_character_is_noticed(number: str) -> None:
    """Whichever digit or check character is replaced by whichever other, the number fails its check."""
    places = [place for place in range(1, len(number)) if number[place] != "-"]
    wrong = {
        number[:place] + other + number[place + 1 :]
        for place in places
        for other in (string.digits if place < len(number) - 1 else string.digits + string.ascii_uppercase)
    } - {number}

    assert len(wrong) == 10 * 9 + 35
    assert [bent for bent in wrong if passes(bent)] == []


def test_the_check_does_not_tell_all_provinces_apart() -> None:
    """A province stands for two digits, and two wrong ones can go unnoticed: headers compare the origin."""
    number = readable_number("520000", 2026, 17)
    wrong = [PROVINCES[code].short + number[1:] for code in CODES if code != "520000"]

    assert [bent[0] for bent in wrong if passes(bent)] == ["赣", "粤"]


def passes(number: str) -> bool:
    try:
        check_number(number)
    except Refused:
        return False
    return True


NOT_NUMBERS = {
    "empty": "",
    "unknown province": "龙2026-000017-D",
    "the exchange": readable_number("100000", 2026, 17),
    "Latin province": "Q2026-000017-D",
    "five digits": "黔2026-00017-D",
    "lower case": "黔2026-000017-d",
    "full-width digits": "黔２０２６-000017-D",
    "other hyphen": "黔2026‐000017‐D",
    "line feed": "黔2026-000017-D\n",
    "space": " 黔2026-000017-D",
    "wrong check": "黔2026-000017-E",
}


@pytest.mark.parametrize("number", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
def test_what_is_no_number_is_refused(number: str) -> None:
    """Another form, another province or another check character is NUMBER_WRONG."""
    with pytest.raises(Refused) as caught:
        check_number(number)
    assert (caught.value.code, caught.value.where) == (Code.NUMBER_WRONG, "number")


@pytest.mark.parametrize("serial", [0, -1, MAX_SERIAL + 1])
def test_a_serial_has_six_digits(serial: int) -> None:
    """There is no number beyond 999,999 in a year."""
    with pytest.raises(ValueError, match="serial"):
        readable_number("520000", 2026, serial)


def test_every_province_has_its_own_character() -> None:
    """34 provinces and the exchange, each with one character of its own and both names."""
    shorts = [province.short for province in PROVINCES.values()]

    assert len(PROVINCES) == 35
    assert len(set(shorts)) == 35
    assert all(len(short) == 1 for short in shorts)
    assert all(province.zh and province.en for province in PROVINCES.values())
