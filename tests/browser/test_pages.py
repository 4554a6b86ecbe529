"""A leader's pages as the demo's own process serves them: accessible, quiet, at home.

Every page in every state, for every role, is looked at in `test_every_page`.
"""

import pytest

from tests.browser.conftest import Visit

pytestmark = pytest.mark.kafka

LEADER_PAGES = (
    "inbox/",
    "inbox/mine/",
    "inbox/group/",
    "inbox/done/",
    "sent/",
    "drafts/",
    "drafts/new/",
    "duty/",
    "handover/",
    "notifications/",
    "account/",
)


@pytest.mark.parametrize(("lang", "width"), [("zh-CN", 1280), ("en", 390)])
def test_a_leaders_pages_hold(visit: Visit, lang: str, width: int) -> None:
    """axe finds nothing, nothing leaves the host, the console is silent, nothing scrolls sideways."""
    desk = visit("440000", "0001", lang=lang, width=width)
    trouble: dict[str, list[str]] = {}
    for path in LEADER_PAGES:
        desk.go(path)
        found = [*desk.violations(), *desk.complaints]
        desk.complaints.clear()
        if desk.overflows():
            found.append("scrolls sideways")
        if found:
            trouble[path] = found
    assert trouble == {}


def test_chinese_is_drawn_in_real_glyphs(visit: Visit) -> None:
    """Two Chinese characters look different from each other; without a font both would be the same box."""
    desk = visit("440000")
    desk.go("login/")
    drawn = set()
    for character in "签收":
        desk.page.locator("h1").evaluate("(each, text) => { each.textContent = text }", character)
        drawn.add(desk.page.locator("h1").screenshot())
    assert len(drawn) == 2
