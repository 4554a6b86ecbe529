"""What an open inbox is told by itself, as a browser's script would ask for it."""

import re
from html import unescape
from typing import Any

import pytest

from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network, Province, alert
from tongbao_connectors.authorisation import Role
from tongbao_connectors.store.models import Event, InboxItem, Opening

HANDLER, SUBSTITUTE, LEADER = "A-0117", "A-0118", "A-0001"


@pytest.fixture
def gz(desk_network: Network) -> Province:
    """贵州, which sends."""
    return desk_network.province("520000")


@pytest.fixture
def gd(desk_network: Network, gz: Province) -> DeskAt:
    """广东's desk with two alerts in it."""
    there = desk_network.province("440000")
    arrive(desk_network, gz, "a-1", "a-2")
    return DeskAt(there)


def arrive(net: Network, sender: Province, *references: str) -> None:
    for reference in references:
        sender.submit(alert(reference))
    net.settle()


class OpenList:
    """A tab that somebody has open: it tells the desk what the desk's page told it to tell."""

    def __init__(self, browser: Browser, tab: str = "waiting", query: str = "") -> None:
        self._browser = browser
        self._tab = tab
        self.page = text(browser.get(f"/inbox/{tab}/{query}"))
        self._read(self.page)

    def _read(self, page: str) -> None:
        form = re.search(r'<form id="live".*?</form>', page, re.DOTALL)
        assert form is not None
        self.told: dict[str, list[str]] = {}
        for name, value in re.findall(r'name="([\w-]+)" value="([^"]*)"', form[0]):
            self.told.setdefault(name, []).append(unescape(value))

    def ask(self) -> str:
        """What changed; empty: nothing."""
        answer = self._browser.post(f"/inbox/{self._tab}/live/", self.told, headers={"HX-Request": "true"})
        if answer.status_code == 204:
            return ""
        assert answer.status_code == 200
        self._read(text(answer))
        return text(answer)


def items(desk: DeskAt) -> list[Any]:
    with desk.province.here():
        return list(InboxItem.objects.select_related("message").order_by("pk"))


def test_nothing_new_is_nothing_said(gd: DeskAt) -> None:
    """As long as nothing happens there is no answer to draw."""
    there = OpenList(gd.person(Role.RECEIVER, HANDLER))

    assert there.ask() == ""


def test_a_card_that_another_signed_for_greys_out(gd: DeskAt) -> None:
    """It says by whom and when, has no button to sign any more, and is read out once; the other stays."""
    other, mine = (each.message.message_id for each in items(gd))
    there = OpenList(gd.person(Role.RECEIVER, HANDLER))
    gd.later(minutes=3)
    gd.person(Role.RECEIVER, SUBSTITUTE).post(f"/m/{other}/claim/")
    said = there.ask()

    assert 'class="item flash gone"' in said
    assert f'id="card-{other}"' in said
    assert mine not in re.sub(r'<form id="live".*?</form>', "", said, flags=re.DOTALL)
    assert re.search(r"已由 演练乙 于 .{2,12} 签收", said)
    assert f"/m/{other}/claim/" not in said
    assert '<div id="live-said"' in said
    assert there.ask() == ""


def test_what_had_the_focus_is_there_afterwards(gd: DeskAt) -> None:
    """Link, button and box of a card keep their names, so that a browser finds the focus again."""
    one = items(gd)[0].message.message_id
    there = OpenList(gd.person(Role.RECEIVER, HANDLER))
    gd.person(Role.RECEIVER, SUBSTITUTE).post(f"/m/{one}/claim/")
    said = there.ask()
    for name in (f'id="name-{one}"', f'id="do-{one}"'):
        assert name in there.page
        assert name in said


def test_what_arrives_is_counted_not_shown(gd: DeskAt, gz: Province, desk_network: Network) -> None:
    """有 n 条新通报 · 刷新, and no card; the count goes on from what the page shows."""
    there = OpenList(gd.person(Role.RECEIVER, HANDLER))
    arrive(desk_network, gz, "a-3")
    first = there.ask()
    arrive(desk_network, gz, "a-4")
    second = there.ask()

    assert "有 1 条新通报 · 刷新" in first
    assert "有 2 条新通报 · 刷新" in second
    assert "data-row" not in first + second
    assert there.ask() == ""


def test_new_ones_that_a_filter_leaves_out_are_not_counted(
    gd: DeskAt, gz: Province, desk_network: Network
) -> None:
    """A list of 平急 hears nothing of a 特急."""
    there = OpenList(gd.person(Role.RECEIVER, HANDLER), query="?level=routine")
    arrive(desk_network, gz, "a-3")

    assert there.ask() == ""


def test_what_moves_under_the_tab_is_new_there(gd: DeskAt) -> None:
    """What was assigned to him appears as new under 我的."""
    one = items(gd)[0].message.message_id
    handler = gd.person(Role.RECEIVER, HANDLER)
    there = OpenList(gd.person(Role.RECEIVER, SUBSTITUTE), "mine")
    handler.post(f"/m/{one}/claim/")
    handler.post(f"/m/{one}/assign/", {"to": SUBSTITUTE})

    assert "有 1 条新通报" in there.ask()


def test_a_signature_taken_back_lights_the_card_again(gd: DeskAt) -> None:
    """After 撤回 the card waits as before."""
    one = items(gd)[0].message.message_id
    there = OpenList(gd.person(Role.RECEIVER, HANDLER))
    other = gd.person(Role.RECEIVER, SUBSTITUTE)
    other.post(f"/m/{one}/claim/")
    gone = there.ask()
    other.post(f"/m/{one}/undo/")
    back = there.ask()

    assert "gone" in gone
    assert " gone" not in back
    assert f"/m/{one}/claim/" in back


def test_asking_opens_no_body_and_keeps_no_login_alive(gd: DeskAt) -> None:
    """It writes nothing, and the time without a page runs on."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    there = OpenList(browser)
    for _ in range(3):
        gd.later(minutes=6)
        answer = browser.post("/inbox/waiting/live/", there.told, headers={"HX-Request": "true"})

    assert answer.status_code == 401
    with gd.province.here():
        assert not Opening.objects.exists()


def test_what_the_reader_does_not_see_is_not_told(gd: DeskAt) -> None:
    """Ids that somebody names who doesn't see these messages give nothing."""
    one = items(gd)[0].message.message_id
    gd.person(Role.RECEIVER, HANDLER).post(f"/m/{one}/claim/")
    far = gd.person(Role.RECEIVER, "A-0120")
    answer = far.post("/inbox/waiting/live/", {"shown": [one], "told": "0"})

    assert answer.status_code == 204


@pytest.mark.parametrize("told", ["", "²", "-1", "9" * 400, "x"])
def test_what_is_no_number_counts_as_nothing_seen(gd: DeskAt, told: str) -> None:
    """A browser may tell anything."""
    answer = gd.person(Role.RECEIVER, HANDLER).post(
        "/inbox/waiting/live/", {"shown": [told], "told": told, "item-mark": told, "line-mark": told}
    )

    assert answer.status_code == 200
    with gd.province.here():
        assert not Event.objects.filter(kind="claimed").exists()
