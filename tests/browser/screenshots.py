"""Pictures of the main pages for docs/img (`make screenshots`): invented people, the samples of the demo."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import stage
from tests.browser.visitor import Desks, Visitor
from tongbao_connectors.demo import samples

WIDTHS = {1280: "desktop", 390: "phone"}
LISTS = {"inbox": "inbox/", "duty": "duty/", "draft": "drafts/new/", "notifications": "notifications/"}


def main(folder: Path) -> None:
    """Writes the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        stage.demo_desks(Path(place) / "network") as desks,
        stage.chromium() as browser,
    ):
        alert = stage.send(desks, samples.load()[0], "screenshots")
        for width, screen in WIDTHS.items():
            _pictures(desks, browser, width, f"{folder}/{{}}-{screen}{{}}.png", alert)


def _pictures(desks: Desks, browser: Browser, width: int, name: str, alert: str) -> None:
    receiver = Visitor.at(desks.address(stage.RECEIVER), browser, width=width)
    _take(receiver, "login/", name.format("login", ""))
    receiver.log_in("0117")
    for page, path in {**LISTS, "alert": f"m/{alert}/"}.items():
        _take(receiver, path, name.format(page, ""))
    receiver.page.emulate_media(color_scheme="dark")
    _take(receiver, "inbox/", name.format("inbox", "-night"))
    receiver.close()
    sender = Visitor.at(desks.address(stage.SENDER), browser, width=width)
    sender.log_in("0001")
    _take(sender, f"sent/{alert}/", name.format("sent", ""))
    sender.close()


def _take(visitor: Visitor, path: str, name: str) -> None:
    visitor.go(path)
    visitor.page.screenshot(path=name, full_page=visitor.page.viewport_size != {"width": 390, "height": 844})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
