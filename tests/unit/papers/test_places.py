"""Places as officers write them."""

from datetime import date

import pytest

from tongbao_connectors.papers.places import code_of, fault, full_name, listed, suggestions

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "expected", "code"),
    [
        ("浙江省 杭州市 富阳区（330111）", (), "330111"),
        ("330111", (), "330111"),
        ("富阳区", (), "330111"),
        (" 杭州市富阳区 ", (), "330111"),
        ("富阳市（330183）", (), "330183"),  # a code stands as it is, valid or not
        ("白云区", ("440000",), "440111"),
        ("白云区", ("520000",), "520113"),
        ("白云区", (), "白云区"),
        ("白云区", ("440000", "520000"), "白云区"),
        ("火星", (), "火星"),
    ],
)
def test_what_a_text_means(text: str, expected: tuple[str, ...], code: str) -> None:
    """A code, or a name that only one division of the country or of an addressee bears."""
    assert code_of(text, TODAY, expected) == code


def test_a_full_name_reads_back() -> None:
    """What the form shows for a code means that code."""
    for text in listed(["440000", "110000", "460000"], TODAY):
        assert full_name(code_of(text, TODAY), TODAY) == text


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("富阳市（330183）", ["330111"]),
        ("522400", ["520500"]),
        ("富阳", ["330111"]),
        ("白云区", ["440111", "520113"]),
        ("999999", []),
        ("火星", []),
    ],
)
def test_what_is_offered_instead(text: str, offered: list[str]) -> None:
    """The heir of an ended code, or those that bear the name."""
    assert [region.code for region in suggestions(text, TODAY)] == offered


def test_an_ended_code_is_told_with_its_heir() -> None:
    """Since when it has ended, and what is valid at the date."""
    words = fault("富阳市（330183）", TODAY)

    assert words.zh == "富阳市（330183）2014 年起停用，2026-11-23 有效的是 富阳区（330111）"
    assert "2014" in words.en
