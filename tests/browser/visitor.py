"""Somebody at a desk's pages in a real browser, and what a page must hold wherever it is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request

from tests.support.network import Network

PASSWORD = "tongbao-demo"
HEIGHTS = {1280: 900, 390: 844}
FURTHEST = 150
"""How often Tab may be pressed on the way to a control."""

Hand = Literal["mouse", "keyboard"]


@dataclass(frozen=True)
class Desks:
    """The desks of a running demo network."""

    network: Network

    def address(self, code: str) -> str:
        """Where the province's desk is, with a slash at its end."""
        return self.network.workspace.desk_address(code)


@dataclass
class Visitor:
    """One person's browser at one desk; `complaints` is what went wrong behind the page."""

    address: str
    context: BrowserContext
    page: Page
    hand: Hand = "mouse"
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def at(
        cls,
        address: str,
        browser: Browser,
        *,
        width: int = 1280,
        lang: str = "zh-CN",
        javascript: bool = True,
        night: bool = False,
        hand: Hand = "mouse",
    ) -> "Visitor":
        """Opens nothing yet."""
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            locale=lang,
            java_script_enabled=javascript,
            color_scheme="dark" if night else "light",
            reduced_motion="reduce",
        )
        visitor = cls(address, context, context.new_page(), hand)
        visitor.page.on("console", visitor._heard)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"script: {error}"))
        visitor.page.on("request", visitor._requested)
        return visitor

    def log_in(self, username: str) -> None:
        """Through the login page, as a person does."""
        self.go("login/")
        self.fill({"username": username, "password": PASSWORD})
        self._activate(self.page.locator("form button.primary"))
        self.page.wait_for_url(lambda url: "/login" not in url)

    def go(self, path: str) -> None:
        """To a page of this desk."""
        response = self.page.goto(self.address + path)
        assert response is not None
        assert response.ok, f"{path}: {response.status}"

    def press(self, words: str, *, inside: str = "main, aside") -> None:
        """Presses the first button or link of the page that says exactly this."""
        area = self.page.locator(inside)
        button = area.get_by_role("button", name=words, exact=True)
        link = area.get_by_role("link", name=words, exact=True)
        with self.page.expect_navigation():
            self._activate(button.or_(link).first)

    def fill(self, values: Mapping[str, str]) -> None:
        """Fills fields by their names: texts, choices, ticks."""
        for name, value in values.items():
            control = self.page.locator(f"[name='{name}']")
            kind = control.first.evaluate("each => each.type || each.tagName")
            if kind in ("radio", "checkbox"):
                self._choose(control.and_(self.page.locator(f"[value='{value}']")))
            elif kind.startswith("select"):
                control.select_option(value)
            elif self.hand == "keyboard":
                self._reach(control)
                self.page.keyboard.type(value)
            else:
                control.fill(value)

    def says(self, words: str) -> bool:
        """Whether these words stand on the page."""
        return words in self.page.locator("body").inner_text()

    def offers(self, words: str) -> bool:
        """Whether the page has a button or link that says exactly this."""
        area = self.page.locator("main, aside")
        named = [area.get_by_role(kind, name=words, exact=True) for kind in ("button", "link")]
        return any(each.count() for each in named)

    def met(self, fact: str) -> bool:
        """Whether one of the four facts is so, read anew, for an alert with one addressee."""
        self.page.reload()
        return self.page.locator(".facts li.done", has_text=fact).count() == 1

    def comes_to_say(self, words: str) -> bool:
        """Whether these words stand on the page, read anew."""
        self.page.reload()
        return self.says(words)

    def state(self) -> str:
        """The word for where the message stands."""
        return self.page.locator(".state .word").inner_text().strip()

    def close(self) -> None:
        """Ends the visit."""
        self.context.close()

    def violations(self) -> list[str]:
        """What axe finds on the page, as `rule: element`."""
        found: dict[str, Any] = Axe().run(self.page).response
        return [
            f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]
        ]

    def overflows(self) -> bool:
        """Whether the page can be scrolled sideways."""
        return bool(self.page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))

    def _activate(self, control: Locator) -> None:
        if self.hand == "keyboard":
            self._reach(control)
            self.page.keyboard.press("Enter")
        else:
            control.click()

    def _choose(self, choice: Locator) -> None:
        if self.hand == "keyboard":
            choice.focus()
            self.page.keyboard.press("Space")
        else:
            choice.check(force=True)

    def _reach(self, control: Locator) -> None:
        """Walks to a control with Tab alone."""
        for _ in range(FURTHEST):
            if control.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never reaches {control}")

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.complaints.append(f"request: {request.url}")
