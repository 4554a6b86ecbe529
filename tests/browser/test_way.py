"""From 签收 to 办结 across two provinces' desks, over a real Kafka."""

from typing import Any

import pytest

from tests.browser.conftest import Send, Visit
from tests.browser.stage import RECEIVER, SENDER
from tests.support.network import until

pytestmark = pytest.mark.kafka

WAYS: dict[str, dict[str, Any]] = {
    "mouse": {},
    "phone": {"width": 390},
    "keyboard": {"hand": "keyboard"},
    "without-scripts": {"javascript": False},
}


@pytest.mark.parametrize("way", WAYS)
def test_an_alert_is_worked_from_signing_to_closing(visit: Visit, send: Send, way: str) -> None:
    """签收 → 交办 → 核查 → 反馈 in 广东, each step seen in 贵州 within seconds; 贵州 closes, 广东 sees it."""
    how, alert = WAYS[way], send(f"way-{way}")
    on_duty, handler = visit(RECEIVER, "0117", **how), visit(RECEIVER, "0118", **how)
    origin = visit(SENDER, "0001", **how)
    origin.go(f"sent/{alert}/")

    on_duty.go(f"m/{alert}/")
    assert on_duty.state() == "待签收"
    on_duty.press("签收")
    assert on_duty.state() == "已签收"
    until(lambda: origin.met("已签收"), 20, "贵州 sees who signed")

    on_duty.press("交办")
    on_duty.fill({"to": "粤-0118"})
    on_duty.press("交办")
    assert on_duty.state() == "已交办"

    handler.go(f"m/{alert}/")
    handler.press("开始核查")
    assert handler.state() == "核查中"
    handler.press("阶段反馈")
    handler.fill({"text": "演练：已到现场核查。"})
    handler.press("阶段反馈")
    handler.press("反馈结果")
    handler.fill({"outcome": "seized", "text": "演练：已查获。"})
    handler.press("反馈结果")
    assert handler.state() == "已反馈"
    until(lambda: origin.comes_to_say("阶段反馈"), 20, "贵州 sees the progress")
    until(lambda: origin.met("已反馈"), 20, "贵州 sees the result")

    origin.press("办结")
    origin.fill({"text": "演练：办结。"})
    origin.page.locator("[name=outcome]").select_option(index=1)
    origin.press("办结")
    assert origin.says("已办理")
    until(lambda: handler.met("已办结"), 20, "广东 sees that 贵州 closed it")
    assert handler.state() == "已办结"
    assert [each.complaints for each in (on_duty, handler, origin)] == [[], [], []]
