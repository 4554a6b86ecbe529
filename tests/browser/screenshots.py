"""Pictures of the main pages for docs/img (`make screenshots`): invented people, the samples of the demo.

Two pages are taken by night too: the inbox and the alert's first screen.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import stage
from tests.browser.visitor import Desks, Visitor
from tongbao_connectors.demo import samples

WIDTHS = {1280: "desktop", 390: "phone"}
RECEIVERS = {"inbox": "inbox/", "duty": "duty/", "handover": "handover/", "notifications": "notifications/"}
SENDERS = {"sent-list": "sent/", "draft": "drafts/new/"}
BY_NIGHT = ("inbox", "alert")
ON_DUTY, AUTHOR, REVIEWER, LEADER = "0117", "0002", "0212", "0001"
ADMIN, POSTED = "0900", "0301"
WITHOUT_FILES = 3
"""A sample that can be imported as it is."""


class Camera:
    """Takes pictures of one desk's pages on one screen, as one person."""

    def __init__(self, visitor: Visitor, folder: Path, screen: str) -> None:
        self.visitor, self.folder, self.screen = visitor, folder, screen

    def take(self, name: str, path: str | None = None) -> None:
        """The page at this path, or the one that is open; the whole of it on a desktop."""
        if path is not None:
            self.visitor.go(path)
        self._shoot(name)
        if name in BY_NIGHT:
            self.visitor.page.emulate_media(color_scheme="dark")
            self._shoot(name, "-night")
            self.visitor.page.emulate_media(color_scheme="light")

    def _shoot(self, name: str, night: str = "") -> None:
        path = self.folder / f"{name}-{self.screen}{night}.png"
        self.visitor.page.screenshot(path=path, full_page=self.screen == "desktop")


def main(folder: Path) -> None:
    """Writes the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        stage.demo_desks(Path(place) / "network") as desks,
        stage.chromium() as browser,
    ):
        alert = stage.send(desks, samples.load()[0], "screenshots")
        for width in WIDTHS:
            _receiving(desks, browser, width, folder, alert)
            _sending(desks, browser, width, folder, alert)


@contextmanager
def _camera(
    desks: Desks, browser: Browser, width: int, folder: Path, code: str, username: str
) -> Iterator[Camera]:
    visitor = Visitor.at(desks.address(code), browser, width=width)
    if username:
        visitor.log_in(username)
    yield Camera(visitor, folder, WIDTHS[width])
    visitor.close()


def _receiving(desks: Desks, browser: Browser, width: int, folder: Path, alert: str) -> None:
    at = (desks, browser, width, folder, stage.RECEIVER)
    with _camera(*at, "") as camera:
        camera.take("login", "login/")
    with _camera(*at, ON_DUTY) as camera:
        for name, path in {**RECEIVERS, "alert": f"m/{alert}/"}.items():
            camera.take(name, path)
    with _camera(*at, ADMIN) as camera:
        camera.take("accounts", "accounts/")


def _sending(desks: Desks, browser: Browser, width: int, folder: Path, alert: str) -> None:
    at = (desks, browser, width, folder, stage.SENDER)
    with _camera(*at, AUTHOR) as camera:
        author = camera.visitor
        for name, path in SENDERS.items():
            camera.take(name, path)
        with author.page.expect_navigation():
            author.page.locator("button[name=category]").first.click()
        author.press("送审")
        camera.take("draft-faults")
        author.go("drafts/new/")
        text = samples.load()[WITHOUT_FILES].fresh(f"picture-{width}", datetime.now(UTC)).decode()
        author.fill({"text": text})
        author.press("导入为草稿")
        author.press("送审")
        draft = author.page.url.removeprefix(author.address)
    with _camera(*at, REVIEWER) as camera:
        camera.take("review", draft)
    with _camera(*at, LEADER) as camera:
        camera.take("sent", f"sent/{alert}/")
    with _camera(*at, POSTED) as camera:
        camera.take("posted", "posted/")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
