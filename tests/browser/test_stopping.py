"""A desk that is told to stop while pages are open."""

import time

import pytest
from playwright.sync_api import Browser

from tests.browser.visitor import Visitor
from tests.support.desk_process import Running

pytestmark = pytest.mark.kafka

POLL = """() => setInterval(() => fetch("/badge/").catch(() => {}), 50)"""


def test_a_desk_with_open_pages_stops(desk_process: Running, browser: Browser) -> None:
    """SIGTERM while two officers' pages ask for the count twenty times a second: over within ten seconds, and
    the pages stay as they are.
    """
    address = f"http://127.0.0.1:{desk_process.port}/"
    visitors = [Visitor.at(address, browser) for _ in range(2)]
    for visitor, name in zip(visitors, ("0117", "0118"), strict=True):
        visitor.log_in(name)
        visitor.go("inbox/")
        visitor.page.evaluate(POLL)
    began = time.monotonic()

    desk_process.child.terminate()
    desk_process.child.wait(timeout=10)

    assert time.monotonic() - began < 10
    assert [visitor.page.locator("h1").inner_text() for visitor in visitors] == ["收件箱", "收件箱"]
    for visitor in visitors:
        visitor.close()
