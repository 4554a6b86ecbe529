"""GB/T 2260 codes, each valid at a date."""

from datetime import date

import pytest

from tongbao_schemas.number import PROVINCES
from tongbao_schemas.regions import Region, ended, region, regions

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("code", "on", "name"),
    [
        ("440300", TODAY, "深圳市"),
        ("440305", TODAY, "南山区"),
        ("440305", date(1985, 6, 1), None),  # listed from 1990-12
        ("440321", date(1985, 6, 1), "宝安县"),
        ("440321", TODAY, None),
        ("522400", date(2010, 12, 31), "毕节地区"),
        ("522400", date(2011, 9, 30), "毕节地区"),  # the gap between two revisions belongs to the older one
        ("522400", date(2011, 10, 1), None),
        ("520500", date(2011, 9, 30), None),
        ("520500", date(2011, 10, 1), "毕节市"),
        ("330183", date(2014, 6, 1), "富阳市"),
        ("330183", TODAY, None),
        ("330111", TODAY, "富阳区"),
        ("460000", date(1987, 6, 1), None),  # Hainan became a province in 1988
        ("460000", date(1989, 6, 1), "海南省"),
        ("110000", date(1970, 1, 1), "北京市"),  # before the first revision, the first one counts
        ("440301", TODAY, None),  # 市辖区 is a placeholder and no place
        ("000000", TODAY, None),
        ("", TODAY, None),
    ],
)
def test_a_code_means_something_at_a_date(code: str, on: date, name: str | None) -> None:
    """The same code is a place on one day and none on another."""
    found = region(code, on)

    assert (found and found.name) == name


def test_a_change_of_unknown_month_counts_for_both_codes() -> None:
    """Hangzhou's districts changed between 2019-04 and 2023-06: in between old and new codes both count."""
    old, new = "330103", "330113"  # 下城区, 临平区

    assert [region(code, date(2019, 4, 1)) is not None for code in (old, new)] == [True, False]
    assert [region(code, date(2021, 4, 1)) is not None for code in (old, new)] == [True, True]
    assert [region(code, date(2023, 7, 1)) is not None for code in (old, new)] == [False, True]


def test_a_region_knows_its_level() -> None:
    """Code, name and level come with it."""
    assert region("440300", TODAY) == Region("440300", "深圳市", "prefecture")


def test_the_provinces_are_those_that_messages_are_sent_between() -> None:
    """Every participant but the exchange is a province of the list, valid today."""
    assert all(region(code, TODAY) is not None for code in PROVINCES if code != "100000")
    assert len(PROVINCES) == 35


def test_what_is_valid_within_a_province() -> None:
    """The divisions of a province at a date: itself first, none that has ended, none of another province."""
    found = regions(TODAY, "33")

    assert found[0] == Region("330000", "浙江省", "province")
    assert {each.code[:2] for each in found} == {"33"}
    assert "330111" in {each.code for each in found}
    assert "330183" not in {each.code for each in found}


@pytest.mark.parametrize(
    ("code", "on", "expected"),
    [
        ("330183", TODAY, (Region("330183", "富阳市", "county"), "2014-12")),
        ("330183", date(2014, 6, 1), None),
        ("330111", TODAY, None),
        ("330111", date(2010, 1, 1), None),  # not yet, which is no end
        ("999999", TODAY, None),
    ],
)
def test_what_a_code_named_before_it_ended(code: str, on: date, expected: tuple[Region, str] | None) -> None:
    """An ended code tells its last name and the month since which it is not valid."""
    assert ended(code, on) == expected
