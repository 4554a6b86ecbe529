"""What browser tests and screenshots stand on: the demo network with its desks, up, and a browser."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.visitor import Desks
from tests.support.network import running, until
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_connectors.demo import samples

SENDER, RECEIVER = "520000", "440000"

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread; queries are ordinary


@contextmanager
def demo_desks(folder: Path) -> Iterator[Desks]:
    """The demo network in `folder`, with every sample at the desks it was sent to; down afterwards."""
    with running(folder, datetime.now(UTC)) as network:
        there = Desks(network)
        for sample in samples.load():
            send(there, sample, "samples")
        yield there


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    found = shutil.which("chromium")
    assert found, "install chromium and fonts-noto-cjk"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()


def send(there: Desks, sample: samples.Sample, run: str) -> str:
    """Submits a sample at its origin; its message id once it lies at the desk that the samples are for."""
    from tongbao_connectors import drafts
    from tongbao_connectors.store.models import InboxItem

    now = SystemClock().now()
    with database.use(there.network.open_province(sample.origin)):
        data, files = sample.fresh(run, now), sample.files()
        draft = drafts.submit(data, origin=sample.origin, by="demo", now=now, files=files)
    if RECEIVER in sample.content["audience"] and not sample.is_test:
        with database.use(there.network.open_province(RECEIVER)):
            routed = InboxItem.objects.filter(message__message_id=draft.message_id)
            until(routed.exists, 60, "the sample lies in the inbox")
    return draft.message_id
