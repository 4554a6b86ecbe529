"""An inbox that is open while others work."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Send, Visit
from tests.browser.stage import RECEIVER

pytestmark = pytest.mark.kafka

SOON_MS = 15_000


@pytest.mark.parametrize("width", [1280, 390])
def test_an_open_list_follows_and_stays_where_it_is(visit: Visit, send: Send, width: int) -> None:
    """A card greys out when another signs, the focus stays on it, what arrives is counted; nothing moves."""
    alert = send(f"live-{width}")
    reader, other = visit(RECEIVER, "0117", width=width), visit(RECEIVER, "0118")
    reader.go("inbox/")
    card, do = reader.page.locator(f"#card-{alert}"), reader.page.locator(f"#do-{alert}")
    do.focus()
    before = card.bounding_box()

    other.go(f"m/{alert}/")
    other.press("签收")
    expect(card).to_contain_text("已由 演练员粤己 于", timeout=SOON_MS)
    expect(do).to_have_text(f"打开 {card.locator('.meta span:not(.mark)').first.inner_text()}")
    expect(do).to_be_focused()
    expect(reader.page.locator("#live-said")).to_contain_text("签收")

    send(f"live-{width}-new")
    expect(reader.page.get_by_role("link", name="刷新")).to_be_visible(timeout=SOON_MS)
    after = card.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["x"], after["y"]) == (before["x"], before["y"])
    assert reader.violations() == []
    assert reader.complaints == []
