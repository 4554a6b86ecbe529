"""Two officers at one alert at once, each with a browser of his own; the desk's clock is the test's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.served import cookie, serving
from tests.browser.visitor import Visitor
from tests.support.databases import DESK
from tests.support.desk import DeskAt
from tests.support.province import Network, alert
from tongbao_broker import database
from tongbao_connectors.authorisation import Role

pytestmark = pytest.mark.kafka


class Pair:
    """演练甲 and his substitute 演练乙, and an alert that lies with them."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.net = Network(folder, apps=DESK)
        gz, self.gd = self.net.province("520000"), self.net.province("440000")
        self.alert = gz.submit(alert("a-1")).message_id
        self.net.settle()
        self.desk, self.browser = DeskAt(self.gd), browser

    def visitor(self, address: str, officer: str) -> Visitor:
        """One of them, at the alert's page."""
        came = Visitor.at(address, self.browser)
        came.context.add_cookies([cookie(self.desk.person(Role.RECEIVER, officer), address)])
        came.go(f"m/{self.alert}/")
        return came


@pytest.fixture
def pair(tmp_path: Path, browser: Browser) -> Iterator[Pair]:
    yield Pair(tmp_path, browser)
    database.close()


def test_the_second_sees_who_was_first_and_undoing_is_a_line(pair: Pair) -> None:
    """Both press: one has it, the other reads by whom and when, on a whole page. The first takes it back
    within five minutes, which stands in the history; after that nothing offers it any more.
    """
    with serving(pair.gd) as address:
        first, second = pair.visitor(address, "A-0117"), pair.visitor(address, "A-0118")
        first.press("签收")
        assert first.state() == "已签收"

        pair.net.clock.forward(minutes=1)
        second.press("签收")
        assert second.state() == "已签收"
        assert "已由演练甲于 12:00 签收" in second.page.locator("[role=status]").inner_text()
        assert not second.offers("撤回")

        pair.net.clock.forward(minutes=3)
        first.press("撤回")
        assert first.state() == "待签收"
        assert first.says("更正：撤回")
        second.page.reload()
        second.press("签收")
        assert second.state() == "已签收"

        pair.net.clock.forward(minutes=6)
        second.page.reload()
        assert not second.offers("撤回")
        assert [first.complaints, second.complaints] == [[], []]
        first.close()
        second.close()
