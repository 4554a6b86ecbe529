"""Two provinces' desks over a real Kafka, with the demo's samples in them, and a real browser.

The network is brought up once for all tests of this folder; every test logs in with a context of its own and
works on an alert of its own.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visitor import Desks, Visitor
from tests.support.network import Network, until
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_connectors import services, workspace
from tongbao_connectors.demo import samples

Visit = Callable[..., Visitor]
Send = Callable[[str], str]

SENDER, RECEIVER = "520000", "440000"

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
    "1"  # Playwright's loop runs in the tests' thread; queries are ordinary
)


@pytest.fixture(scope="session")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """The demo network, up, with every sample at the desks it was sent to."""
    made = workspace.create(tmp_path_factory.mktemp("desks") / "network", now=datetime.now(UTC))
    services.start_detached(made)
    try:
        there = Desks(Network(workspace.load(made.folder)))
        for sample in samples.load():
            _send(there, sample, "samples")
        yield there
    finally:
        services.stop(made)
        database.close()


@pytest.fixture
def send(desks: Desks) -> Send:
    """Sends the first sample, 贵州 to 广东's 粤-0117, anew under a name, and gives its message id."""
    return lambda run: _send(desks, samples.load()[0], run)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    found = shutil.which("chromium")
    assert found, "install chromium and fonts-noto-cjk"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()


@pytest.fixture
def visit(desks: Desks, browser: Browser) -> Iterator[Visit]:
    """Opens a desk as somebody: `visit("440000", "0002", width=390, lang="en", javascript=False)`."""
    visitors: list[Visitor] = []

    def opened(code: str, username: str | None = None, **how: object) -> Visitor:
        visitor = Visitor.at(desks.address(code), browser, **how)  # type: ignore[arg-type]
        visitors.append(visitor)
        if username is not None:
            visitor.log_in(username)
        return visitor

    yield opened
    for visitor in visitors:
        visitor.close()


def _send(there: Desks, sample: samples.Sample, run: str) -> str:
    """Submits the sample at its origin and waits until it lies at 广东's desk, if it is for that."""
    from tongbao_connectors import drafts
    from tongbao_connectors.store.models import InboxItem

    now = SystemClock().now()
    with database.use(there.network.open_province(sample.origin)):
        draft = drafts.submit(sample.fresh(run, now), origin=sample.origin, by="demo", now=now)
    if RECEIVER in sample.content["audience"] and not sample.is_test:
        with database.use(there.network.open_province(RECEIVER)):
            routed = InboxItem.objects.filter(message__message_id=draft.message_id)
            until(routed.exists, 60, "the sample lies in the inbox")
    return draft.message_id
