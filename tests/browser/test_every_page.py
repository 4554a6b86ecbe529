"""Every page of a desk in every state, for every role that sees it, in both languages and on both screens.

Each page is loaded once a language and looked at in both widths; what is found is asserted fact by fact.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Browser

from tests.browser.gallery import NOT_A_PAGE, Scene, gallery
from tests.browser.looking import Looker
from tests.browser.scenes import Scenes, scenes

pytestmark = pytest.mark.kafka

CHINESE = re.compile(r"[\u4e00-\u9fff]")
NUMBER = re.compile(r"[\u4e00-\u9fff]?\d{4}-\d{6}-.|[\u4e00-\u9fff]-\d{4}")
"""What is the same in every language: 黔2026-000017-D, 粤-0117."""
WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
SAME_IN_CHINESE = re.compile(
    r"TB-\d{3}|OP-\d\d|e-[0-9a-f]{4}|H[0-4]|[0-9a-f]{4}…[0-9a-f]{4}|demo|A-\d{4}|a-\d{4}"
    r"|(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}"
    r"|sha256|SHA-256|JSON|PDF|OFD|JPEG|PNG|UTF-8|submission/1\.0|TLS|MB|KB|kg|CHN|MDMA|Enter"
    r"|[\w.-]+@[\w.-]+|https?://\S+|[\w-]+\.(?:toml|json|txt)"
)
"""Codes, the secret of a token, names of formats, units, substances, keys and files."""


@dataclass
class Seen:
    """What was found: by fact, the pages and what was wrong with each."""

    pages: int = 0
    wrong: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, fact: str, page: str, found: list[str]) -> None:
        if found:
            self.wrong[fact][page] = found


@pytest.fixture(scope="module", params=["zh-CN", "en"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def made(lang: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """A network of its own for each language, since a body that was opened once stays open for a while."""
    with scenes(tmp_path_factory.mktemp("scenes")) as network:
        yield network


@pytest.fixture(scope="module")
def seen(lang: str, made: Scenes, browser: Browser) -> Seen:
    """All pages in one language."""
    looker, found = Looker(made, browser, lang), Seen()
    for scene in gallery(made):
        for who in scene.who:
            _look(looker, scene, who, found)
    looker.close()
    return found


def _look(looker: Looker, scene: Scene, who: str, found: Seen) -> None:
    page, name = looker.open(scene, who), f"{scene.name} ({who})"
    found.pages += 1
    found.note("mixed", name, mixed(page.texts(), looker.lang))
    for width in (1280, 390):
        page.widen(width)
        at = f"{name} at {width}"
        found.note("axe", at, page.violations())
        found.note("sideways", at, page.sticking_out())
    found.note("noise", name, page.complaints(scene))


def mixed(texts: list[tuple[str, str]], lang: str) -> list[str]:
    """The words of the other language, of (language, text)."""
    wrong = []
    for marked, text in texts:
        if lang == "en" and not marked.startswith("zh") and CHINESE.search(NUMBER.sub("", text)):
            wrong.append(text)
        if lang != "en" and not marked.startswith("en") and WORD.search(SAME_IN_CHINESE.sub("", text)):
            wrong.append(text)
    return sorted(set(wrong))


def test_axe_finds_nothing(seen: Seen) -> None:
    """No violation on any page, in either width."""
    assert seen.wrong["axe"] == {}


def test_nothing_scrolls_sideways(seen: Seen) -> None:
    """Whatever the page, nothing reaches beyond the screen."""
    assert seen.wrong["sideways"] == {}


def test_pages_are_quiet_and_at_home(seen: Seen) -> None:
    """No message in the console, no request to anywhere else, and the status that the page should have."""
    assert seen.wrong["noise"] == {}


def test_no_page_is_mixed(seen: Seen) -> None:
    """Chinese on an English page is marked as such; English on a Chinese one is a code, a format, a key."""
    assert seen.wrong["mixed"] == {}


def test_no_page_is_left_out(made: Scenes) -> None:
    """Every address is looked at, or stands in the short list of those without a page of their own."""
    looked_at = {scene.address for scene in gallery(made)} - {""}

    assert looked_at | set(NOT_A_PAGE) == set(_names(get_resolver().url_patterns))
    assert not looked_at & set(NOT_A_PAGE)


def _names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns)
        else:
            yield str(pattern.name)
