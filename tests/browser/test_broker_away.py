"""The desk while the broker is away: officers go on, and what they did travels when it is back."""

import os
import signal

import pytest

from tests.browser.conftest import Send, Visit
from tests.browser.stage import RECEIVER, SENDER
from tests.browser.visitor import Desks
from tests.support.network import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_an_officer_signs_while_the_broker_is_away(desks: Desks, visit: Visit, send: Send) -> None:
    """Kafka frozen: pages open, signing counts, the page says since when; thawed: 贵州 sees it."""
    alert = send("away")
    officer, origin = visit(RECEIVER, "0117"), visit(SENDER, "0001")
    kafka = desks.network.pid("kafka")
    assert kafka is not None
    os.kill(kafka, signal.SIGSTOP)
    try:
        officer.go(f"m/{alert}/")
        officer.press("签收")
        assert officer.state() == "已签收"
        officer.go("inbox/mine/")
        until(lambda: officer.comes_to_say("连接中断"), 240, "the page says that it is stale")
        assert officer.says("待发")
        origin.go(f"sent/{alert}/")
        assert not origin.met("已签收")
    finally:
        os.kill(kafka, signal.SIGCONT)
    until(lambda: origin.met("已签收"), 60, "贵州 sees who signed")
