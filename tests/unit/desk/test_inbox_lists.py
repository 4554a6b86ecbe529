"""What a list of the inbox shows when it is searched or narrowed; all tests look at one inbox."""

from collections.abc import Iterator

import pytest

from tests.support.databases import DESK
from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network, alert
from tongbao_broker import database
from tongbao_connectors.authorisation import Role
from tongbao_connectors.search.index import Index

HANDLER = "A-0117"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Who is on duty at 广东, with one alert of 贵州 in his inbox, read for the search."""
    net = Network(tmp_path_factory.mktemp("lists"), apps=DESK)
    sender, there = net.province("520000"), net.province("440000")
    sender.submit(alert("a-1"))
    net.settle()
    desk = DeskAt(there)
    with there.here():
        Index.of(there.settings.folder).fill()
    yield desk.person(Role.RECEIVER, HANDLER)
    database.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("演练甲", True),
        ("驾车", True),
        ("贵A00000", True),
        ("A00000", True),
        ("贵a·00000", True),
        ("520000198802290018", True),
        ("黔2026", True),
        ("演练乙", False),
        ("甲", False),
        ("粤A00000", False),
        ("%", False),
    ],
)
def test_search(reader: Browser, query: str, found: bool) -> None:
    """Names, two-character words, plates with and without province, numbers; nothing else."""
    page = text(reader.post("/inbox/", {"q": query}))

    assert (page.count("data-row") == 1) is found
    assert found or "没有符合条件的通报" in page


def test_what_is_searched_for_stands_in_no_address(reader: Browser) -> None:
    """It is posted; the page found leads to no address with it, and an address with it narrows nothing."""
    found = text(reader.post("/inbox/", {"q": "演练甲"}))
    asked = text(reader.get("/inbox/", {"q": "演练乙"}))

    assert 'name="q" value="演练甲"' in found
    assert "q=" not in found
    assert asked.count("data-row") == 1


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        ("level=flash", 1),
        ("level=routine", 0),
        ("status=exercise", 1),
        ("status=actual", 0),
        ("from=520000", 1),
        ("from=330000", 0),
        ("level=<script>&page=99", 1),
    ],
)
def test_filters(reader: Browser, narrowed: str, found: int) -> None:
    """Level, status and origin narrow a tab; what isn't a known value narrows nothing."""
    assert text(reader.get(f"/inbox/?{narrowed}")).count("data-row") == found
