"""What a desk counts: pages by their names, logins by their results; never whose."""

import pytest

from tests.support.desk import Browser, DeskAt
from tests.support.metering import exposed, value
from tests.support.province import Network
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import meters

NAME, PASSWORD = "jin-si-que", "correct horse battery"


@pytest.fixture
def gd(desk_network: Network) -> DeskAt:
    return DeskAt(desk_network.province("440000"))


def told(gd: DeskAt) -> str:
    with gd.province.here():
        return exposed(meters.look(gd.province.net.clock))


def test_pages_are_counted_by_name(gd: DeskAt) -> None:
    """A page's time stands under its name in the desk's own list of addresses, not under the address."""
    leader = gd.person(Role.LEADER, "A-0001")
    leader.get("/inbox/waiting/", {"q": "张三金丝雀"})
    leader.get("/m/金丝雀-000001/")
    leader.get("/jin-si-que/")
    text = told(gd)

    assert value(text, "tongbao_desk_page_seconds_count", view="inbox-tab", method="GET", status="2xx") >= 1
    assert value(text, "tongbao_desk_page_seconds_count", view="none", method="GET", status="4xx") >= 1
    assert "金丝雀" not in text
    assert "jin-si-que" not in text
    assert value(text, "tongbao_desk_sessions") >= 1


def test_logins_are_counted_by_result(gd: DeskAt) -> None:
    """In, failed, locked; the name that was tried stands nowhere."""
    meters.listen()
    with gd.province.here():
        account = gd.account(Role.RECEIVER, "A-0117", password=PASSWORD)
        account.username = NAME
        account.save()
    before = told(gd)
    log_in(gd.stranger(), PASSWORD)
    stranger = gd.stranger()
    for _ in range(6):
        log_in(stranger, "wrong horse battery")
    after = told(gd)

    def grown(result: str) -> float:
        name = "tongbao_desk_logins_total"
        return value(after, name, result=result) - value(before, name, result=result)

    assert grown("in") == 1
    assert grown("failed") >= 5
    assert grown("locked") >= 1
    assert NAME not in after


def log_in(browser: Browser, password: str) -> None:
    browser.post("/login/", {"username": NAME, "password": password})
