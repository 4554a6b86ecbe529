"""Times, deadlines and places as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from tongbao_connectors.language import Language
from tongbao_connectors.wording import Wording, left

NOW = datetime(2026, 11, 23, 14, 18, tzinfo=UTC)
"""22:18 in Beijing."""


def wording(lang: Language = "zh") -> Wording:
    return Wording(lang, NOW, NOW)


@pytest.mark.parametrize(
    ("after", "zh", "en"),
    [
        (timedelta(), "今日 22:18", "today 22:18"),
        (timedelta(hours=2), "明日 00:18", "tomorrow 00:18"),
        (timedelta(hours=-23), "昨日 23:18", "yesterday 23:18"),
        (timedelta(days=3), "11-26 22:18", "11-26 22:18"),
        (timedelta(days=60), "2027-01-22 22:18", "2027-01-22 22:18"),
    ],
    ids=["today", "tomorrow", "yesterday", "this year", "another year"],
)
def test_clock(after: timedelta, zh: str, en: str) -> None:
    """The day turns at midnight in Beijing; the year is said only where it isn't this one."""
    assert (wording("zh").clock(NOW + after), wording("en").clock(NOW + after)) == (zh, en)


def test_what_is_read_on_another_day_has_full_dates() -> None:
    """A print says neither 今日 nor what is left."""
    printed = Wording("zh", NOW, NOW, lasting=True)
    start, until = NOW, NOW + timedelta(hours=2)

    assert printed.period(start, until) == "2026-11-23 22:18 至 2026-11-24 00:18"
    assert printed.until(until) == "2026-11-24 00:18"


@pytest.mark.parametrize(
    ("after", "zh", "en"),
    [
        (timedelta(minutes=12, seconds=30), "剩 12 分", "12 min left"),
        (timedelta(hours=3, minutes=20), "剩 3 小时 20 分", "3 h 20 min left"),
        (timedelta(days=2, hours=4, minutes=5), "剩 2 天 4 小时", "2 d 4 h left"),
        (timedelta(seconds=20), "剩 < 1 分", "< 1 min left"),
        (timedelta(minutes=-25), "超时 25 分", "overdue by 25 min"),
        (timedelta(days=-1, hours=-1), "超时 1 天 1 小时", "overdue by 1 d 1 h"),
    ],
    ids=str,
)
def test_remaining(after: timedelta, zh: str, en: str) -> None:
    """Two units are enough; what is over says by how much."""
    assert (wording("zh").remaining(NOW + after), wording("en").remaining(NOW + after)) == (zh, en)


def test_no_deadline_is_no_time_left() -> None:
    """A table shows nothing where nothing is due."""
    assert left(None, NOW, "zh") == ""


def test_a_period_that_is_over_says_so() -> None:
    """An alert may tell of yesterday, and nobody should wait for it."""
    hour = timedelta(hours=1)

    assert wording().period(NOW - hour, NOW + hour) == "今日 21:18 至 今日 23:18"
    assert wording().period(NOW - 2 * hour, NOW - hour).endswith("（已过）")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("440305", "深圳市南山区（440305）"),
        ("520100", "贵阳市（520100）"),
        ("440000", "广东省（440000）"),
        ("110105", "北京市朝阳区（110105）"),
        ("469001", "海南省五指山市（469001）"),
        ("999999", "名称未知（999999）"),
    ],
)
def test_regions_have_names_with_the_code_behind(code: str, name: str) -> None:
    """A county is named with its prefecture, or with its province where there is none between."""
    assert wording().region(code) == name


def test_a_region_is_named_as_it_was_called_then() -> None:
    """下城区 of Hangzhou was dissolved in 2021."""
    then = datetime(2019, 1, 1, tzinfo=UTC)

    assert wording().region("330103", then) == "杭州市下城区（330103）"
    assert wording().region("330103") == "名称未知（330103）"


@pytest.mark.parametrize(
    ("born", "years"), [("1988-11-23", 38), ("1988-11-24", 37), ("1988-02-29", 38), ("2026-11-01", 0)]
)
def test_age_is_in_full_years(born: str, years: int) -> None:
    """The birthday counts, the day before it doesn't."""
    assert wording().age(born) == f"{years} 岁"
