"""Looking at scenes: one browser context for each person at each desk, and what a page shows and does."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.gallery import SUBMIT, Scene, pressed
from tests.browser.scenes import KNOWN, NEW, NOBODY, PASSWORD, Scenes
from tests.browser.served import cookie
from tests.browser.visitor import HEIGHTS

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SOON_MS = 10_000
REFUSED = "Failed to load resource: the server responded with a status of 4"
RUN_AXE = """async () => {
    const found = await axe.run(document, {resultTypes: ["violations"], preload: false});
    return found.violations.flatMap(
        rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)}`));
}"""
TEXTS = """() => {
    const found = [], said = ["aria-label", "title", "alt", "placeholder"];
    const note = (element, text) => {
        if (text && text.trim()) found.push([element.closest("[lang]").getAttribute("lang"), text.trim()]);
    };
    const walk = document.createTreeWalker(
        document.documentElement, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        if (node.nodeType === Node.TEXT_NODE) {
            if (!["SCRIPT", "STYLE", "TEXTAREA", "CODE", "KBD"].includes(node.parentElement.tagName))
                note(node.parentElement, node.data);
        } else for (const name of said) note(node, node.getAttribute(name));
    }
    return found;
}"""
STICKING_OUT = """() => {
    if (document.documentElement.scrollWidth <= window.innerWidth) return [];
    const far = [...document.querySelectorAll("body *")].filter(
        each => each.getBoundingClientRect().right > window.innerWidth + 1);
    return [`${document.documentElement.scrollWidth} wide`,
        ...far.slice(-3).map(each => each.outerHTML.slice(0, 120))];
}"""


@dataclass
class Seat:
    """One person's browser at one desk."""

    context: BrowserContext
    page: Page
    home: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._requested)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:")):
            self.complaints.append(f"request: {request.url}")


@dataclass
class Shown:
    """A page as it stands."""

    page: Page
    status: int
    noises: list[str]

    def widen(self, width: int) -> None:
        """Shows the same page on a screen of this width."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})

    def texts(self) -> list[tuple[str, str]]:
        """Every text a person can read or hear, with the language it is marked with."""
        return [(lang, text) for lang, text in self.page.evaluate(TEXTS)]

    def violations(self) -> list[str]:
        """What axe finds, as `rule: element`."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(RUN_AXE)
        return found

    def sticking_out(self) -> list[str]:
        """What makes the page scroll sideways."""
        found: list[str] = self.page.evaluate(STICKING_OUT)
        return found

    def complaints(self, scene: Scene) -> list[str]:
        """What the browser complained about; that it was refused a page is no complaint."""
        wrong = [] if self.status == scene.status else [f"status {self.status}"]
        return wrong + [noise for noise in self.noises if REFUSED not in noise]


@dataclass
class Looker:
    """Opens scenes in one language."""

    made: Scenes
    browser: Browser
    lang: str
    seats: dict[tuple[str, str], Seat] = field(default_factory=dict)

    def open(self, scene: Scene, who: str) -> Shown:
        """The page of the scene as this person sees it."""
        seat = self.seats.get((scene.desk, who)) or self._seat(scene.desk, who)
        seat.complaints.clear()
        seat.page.set_viewport_size({"width": 1280, "height": HEIGHTS[1280]})
        response = seat.page.goto(seat.home + scene.path)
        assert response is not None
        if scene.reach is not None:
            scene.reach(seat.page)
        return Shown(seat.page, response.status, list(seat.complaints))

    def close(self) -> None:
        for seat in self.seats.values():
            seat.context.close()

    def _seat(self, desk: str, who: str) -> Seat:
        home = self.made.address[desk]
        context = self.browser.new_context(locale=self.lang, reduced_motion="reduce")
        if who not in (NOBODY, KNOWN, NEW):
            context.add_cookies([cookie(self.made.person(who, desk), home)])
        context.set_default_timeout(SOON_MS)
        seat = self.seats[desk, who] = Seat(context, context.new_page(), home)
        if who in (KNOWN, NEW):
            seat.page.goto(f"{home}login/")
            pressed(SUBMIT, username=who, password=PASSWORD)(seat.page)
        return seat
