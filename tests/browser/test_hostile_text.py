"""Hostile text in every free text of an alert and of what is written about it: shown, never run.

1. Every text is as long as its field admits, without a blank where it could break, and begins with markup,
   the end of an attribute, or a template's braces.
2. What the gate or the models refuse (direction marks, control characters, ten kilobytes as a name) gets no
   further, whoever sends it.
"""

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.looking import STICKING_OUT
from tests.browser.served import cookie, serving
from tests.browser.visitor import HEIGHTS, Visitor
from tests.support.databases import DESK
from tests.support.desk import DeskAt
from tests.support.province import Network, Province, alert
from tests.support.world import World
from tongbao_broker import database
from tongbao_connectors import casework, drafts
from tongbao_connectors.authorisation import Role
from tongbao_connectors.search.index import Index
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

pytestmark = pytest.mark.kafka

HANDLER, DESK_OFFICER, LEADER, REVIEWER = "A-0117", "A-0120", "A-0001", "A-0118"
EVIL = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror=window.hacked=1>',
    "'onfocus='window.hacked=1'autofocus='",
    "</title></textarea></style><svg onload=window.hacked=1>",
    "{{7*7}}{%debug%}${7*7}<!--",
    "javascript:window.hacked=1",
)
PLATES = ("<b>A\"'{{7}}", "'><i>&lt;")
FOUND = """() => [
    "hacked" in window ? "a script ran" : "",
    ...[...document.querySelectorAll(
        "img, iframe, object, [onerror], [onfocus], [onload], [autofocus], [href^=javascript]"
    )].map(each => each.outerHTML.slice(0, 120)),
    ...[...document.scripts].filter(each => !each.src).map(each => each.outerHTML.slice(0, 120)),
].filter(each => each)"""


class Hostile:
    """Texts of a length, each of another kind than the last."""

    def __init__(self) -> None:
        self.kinds, self.plates = cycle(EVIL), cycle(PLATES)

    def text(self, most: int) -> str:
        return next(self.kinds).ljust(most, "W")[:most]

    def number(self, most: int = 64) -> str:
        """Without what separates numbers."""
        return self.text(most).translate({ord(each): "." for each in ",;|，；、"})

    def body(self, body: dict[str, Any]) -> dict[str, Any]:
        """A good body with every free text, every optional one too, made hostile."""
        body |= {"title": self.text(80), "facts": self.text(4000), "assessment": self.text(4000)}
        body["case"] |= {"number": self.number(), "unit": {"kind": "bureau", "name": self.text(64)}}
        body["legal_basis"]["number"] = self.number()
        body["secrecy_review"]["officer"] = self.text(32)
        for name in ("prepared_by", "approved_by"):
            body[name] = {"unit": self.text(64), "officer_ref": self.text(32)}
        body["subjects"] = [self.subject(body["subjects"][0])]
        body["targets"] = list(self.targets())
        body["movement"]["from"]["address"] = body["movement"]["to"]["address"] = self.text(64)
        body["movement"]["via"] = self.text(64)
        body["substances"] = [{"substance": "other_chemical", "name": self.text(64)}]
        body["to_places"][0]["address"] = self.text(64)
        body["request"]["detail"] = self.text(500)
        for paper in body["request"]["papers"]:
            paper["number"] = self.number()
        body["contact"]["unit"] = self.text(64)
        return body

    def subject(self, good: dict[str, Any]) -> dict[str, Any]:
        return good | {
            "name": self.text(64),
            "aliases": [self.text(64), self.text(64)],
            "id_document": {"kind": "other", "number": self.text(32)},
            "vehicles": [{"plate": next(self.plates), "description": self.text(64)}],
        }

    def targets(self) -> Iterator[dict[str, Any]]:
        place = {"region": "440305", "address": self.text(64)}
        yield {"kind": "parcel", "carrier": self.text(64), "number": self.text(64)}
        yield {"kind": "vehicle", "plate": next(self.plates), "description": self.text(64)}
        yield {"kind": "account", "platform": self.text(64), "account": self.text(64)}
        yield {"kind": "site", "place": place, "description": self.text(500)}
        yield {
            "kind": "chemical",
            "substance": "other_chemical",
            "name": self.text(64),
            "description": self.text(500),
        }


def body_of_a_good_alert() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(alert("x"))["body"]
    return found


class Case:
    """A hostile alert from 贵州 in 广东, with hostile words about it from both sides, and a hostile draft."""

    def __init__(self, folder: Path) -> None:
        self.net = Network(folder, apps=DESK, world=World.create(network="demo"))
        self.gz, self.gd = self.net.province("520000"), self.net.province("440000")
        self.evil = Hostile()
        body = self.evil.body(body_of_a_good_alert())
        self.alert = self.gz.submit(alert("evil", body=body)).message_id
        self.net.settle()
        self.act(self.gd, HANDLER, casework.claim)
        self.act(self.gd, HANDLER, casework.ask, text=self.evil.text(4000), origin="440000")
        self.act(
            self.gd, HANDLER, casework.answer, kind="progress", text=self.evil.text(4000), origin="440000"
        )
        change = {"part": "facts", "was": self.evil.text(500), "now": self.evil.text(500)}
        update = {"relation": "corrects", "text": self.evil.text(4000), "changes": [change]}
        self.act(self.gz, DESK_OFFICER, casework.supplement, origin="520000", **update)
        self.net.settle()
        with self.gd.here():
            Index.of(self.gd.settings.folder).fill()

    def act(self, province: Province, officer: str, do: Any, **given: Any) -> None:
        by = {"officer_ref": officer, "roster": province.settings.roster()}
        with province.here():
            do(self.alert, at=self.net.clock.now(), **by, **given)

    def received(self, province: Province) -> list[str]:
        """Where what arrived at a province lies."""
        from tongbao_connectors.store.models import InboxItem

        with province.here():
            rows = InboxItem.objects.values_list("message__message_id", flat=True)
            return [f"m/{each}/" for each in rows]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    yield Case(tmp_path)
    database.close()


def check(page: Page, where: str) -> list[str]:
    """What is wrong with the page as it stands, on both screens."""
    wrong: list[str] = list(page.evaluate(FOUND))
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        wrong += page.evaluate(STICKING_OUT)
    page.set_viewport_size({"width": 1280, "height": HEIGHTS[1280]})
    return [f"{where}: {each}" for each in wrong]


def test_it_is_shown_and_nothing_of_it_runs(case: Case, browser: Browser) -> None:
    """Inbox, alert, letters, timeline, print, search, acts, sent alert, draft: no element or script more than
    the desk's own, and nothing reaches beyond the screen.
    """
    wrong: list[str] = []
    shown: set[str] = set()
    name = '演练<img src=x onerror="window.hacked=1">'
    with serving(case.gd) as address:
        officer = Visitor.at(address, browser)
        desk = DeskAt(case.gd)
        officer.context.add_cookies([cookie(desk.person(Role.RECEIVER, HANDLER, name=name), address)])
        for path in ("inbox/", "inbox/mine/", f"m/{case.alert}/return/", *case.received(case.gd)):
            officer.go(path)
            wrong += check(officer.page, path)
            shown |= {text for text in EVIL if officer.says(text)}
        assert shown == set(EVIL)
        officer.go("inbox/")
        officer.page.locator("#q").fill(EVIL[0])
        officer.press("搜索")
        wrong += check(officer.page, "search")
        officer.go(f"m/{case.alert}/print/")
        officer.fill({"why": EVIL[1]})
        officer.press("打印")
        wrong += check(officer.page, "print")
        wrong += officer.complaints
        officer.close()
    with serving(case.gz) as address:
        wrong += sent_and_drafted(case, Visitor.at(address, browser), address)

    assert wrong == []


def sent_and_drafted(case: Case, author: Visitor, address: str) -> list[str]:
    """The same at 贵州: what it sent and what came back; a draft with such words, read by its reviewer."""
    wrong: list[str] = []
    desk = DeskAt(case.gz)
    author.context.add_cookies([cookie(desk.person(Role.LEADER, LEADER), address)])
    for path in ("sent/", f"sent/{case.alert}/supplement/", *case.received(case.gz)):
        author.go(path)
        wrong += check(author.page, path)
    author.go(f"sent/{case.alert}/")
    author.fill({"why": EVIL[2]})
    author.press("打开")
    wrong += check(author.page, "the sent alert, opened")
    author.go("drafts/new/")
    plain = json.loads(alert("draft", status="exercise", body=case.evil.body(body_of_a_good_alert())))
    author.fill({"text": json.dumps(plain)})
    author.press("导入为草稿")
    where = author.page.url.removeprefix(address).partition("?")[0]
    wrong += check(author.page, "the draft's form")
    author.fill({"body.facts": "W" * 10_000, "body.contact.unit": "W" * 10_000})
    author.press("送审")
    wrong += check(author.page, "the draft's form with faults")
    assert author.page.locator(".field .error").count() >= 2
    author.go("drafts/")
    wrong += check(author.page, "drafts")
    author.go(where)
    wrong += author.complaints
    author.close()
    return wrong


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("演练\u202e丁", Code.FORBIDDEN_CHARACTER, id="a direction override"),
        pytest.param("演练\u2066丁\u2069", Code.FORBIDDEN_CHARACTER, id="a direction isolate"),
        pytest.param("演练\u0000丁", Code.FORBIDDEN_CHARACTER, id="a control character"),
        pytest.param("演练\x1b[31m丁", Code.FORBIDDEN_CHARACTER, id="a terminal's escape"),
        pytest.param("演" * 65, Code.BODY_SHAPE, id="one character too many"),
        pytest.param("W" * 10_240, Code.BODY_SHAPE, id="ten kilobytes"),
    ],
)
def test_what_is_refused_gets_no_further(case: Case, text: str, code: Code) -> None:
    """As a suspect's name."""
    body = body_of_a_good_alert()
    body["subjects"][0]["name"] = text

    with case.gz.here(), pytest.raises(Refused) as refusal:
        drafts.submit(alert("refused", body=body), origin="520000", by=DESK_OFFICER, now=case.net.clock.now())
    assert refusal.value.code == code
