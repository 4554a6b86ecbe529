"""The network is brought up once for all tests here; every test logs in with contexts of its own and works on
an alert of its own.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import stage
from tests.browser.visitor import Desks, Visitor
from tongbao_connectors.demo import samples

Visit = Callable[..., Visitor]
Send = Callable[[str], str]


@pytest.fixture(scope="session")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """Two desks of the demo network with every sample."""
    with stage.demo_desks(tmp_path_factory.mktemp("desks") / "network") as there:
        yield there


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all visits."""
    with stage.chromium() as started:
        yield started


@pytest.fixture
def send(desks: Desks) -> Send:
    """Sends the first sample, 贵州 to 广东's 粤-0117, anew under a name, and gives its message id."""
    return lambda run: stage.send(desks, samples.load()[0], run)


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
