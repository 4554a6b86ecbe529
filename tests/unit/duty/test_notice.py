"""What a word to an officer says."""

import pytest

from tongbao_connectors.duty.notice import Notice, Why, counts_as


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        pytest.param(
            Notice(Why.SIGN, "actual", "flash", "黔2026-000017-D", "https://d/m/1/"),
            "通报 特急 黔2026-000017-D 待签收 https://d/m/1/",
            id="for real",
        ),
        pytest.param(
            Notice(Why.BACK, "exercise", "urgent", "黔2026-000017-D", "https://d/m/1/"),
            "通报 【演练】加急 黔2026-000017-D 退回待签收 https://d/m/1/",
            id="an exercise says so first",
        ),
        pytest.param(
            Notice(Why.SIGN, "actual", "flash", "黔2026-000017-D", "https://d/inbox/", 12),
            "通报 特急 黔2026-000017-D 等 12 条 待签收 https://d/inbox/",
            id="one for several",
        ),
        pytest.param(
            Notice(Why.TEST, "test", "", "", "https://d/notifications/"),
            "通报 【测试】 渠道测试，无须处置 https://d/notifications/",
            id="a test of the channel",
        ),
    ],
)
def test_a_word_in_one_line(notice: Notice, expected: str) -> None:
    """Level, number, what to do, link."""
    assert notice.text == expected


@pytest.mark.parametrize(
    ("status", "network", "expected"),
    [
        ("actual", "cn", "actual"),
        ("actual", "demo", "exercise"),
        ("actual", "exercise-2026", "exercise"),
        ("actual", "test", "test"),
        ("exercise", "cn", "exercise"),
        ("exercise", "demo", "exercise"),
        ("test", "cn", "test"),
    ],
)
def test_nothing_in_an_exercise_network_is_for_real(status: str, network: str, expected: str) -> None:
    """A message that calls itself actual there reaches no live channel."""
    assert counts_as(status, network) == expected
