"""From 拟稿 over 审核 to 签发 in 贵州, over a real Kafka, until 广东 has the alert."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import FilePayload

from tests.browser.conftest import Visit
from tests.browser.stage import RECEIVER, SENDER
from tests.browser.visitor import Visitor
from tests.support.network import until

pytestmark = pytest.mark.kafka

LETTER = FilePayload(name="演练协函.txt", mimeType="text/plain", buffer="演练协函".encode())
COMMON = {
    "urgency": "urgent",
    "audience": RECEIVER,
    "status": "exercise",
    "body.case.number": "演练案〔2026〕0102号",
    "body.case.unit.kind": "bureau",
    "body.lead_source": "case_expansion",
    "body.legal_basis.kind": "case_filing",
    "body.legal_basis.number": "演练立字〔2026〕0102号",
    "body.secrecy_review.result": "work_secret",
    "body.contact_rule": "covert",
    "body.facts": "【演练】在案人员供述，货物今晚到达。",
    "body.grading.source": "B",
    "body.grading.information": "2",
    "body.contact.duty_phone": "0851-00000110",
}
"""What every category asks for."""


@dataclass(frozen=True)
class Way:
    """How it goes: the category with what it asks for; who writes, reviews, issues and receives it."""

    category: str
    title: str
    author: str
    reviewer: str
    leader: str
    receiver: str
    fields: dict[str, str]
    adds: str = ""
    action: str = ""
    how: dict[str, Any] = field(default_factory=dict)


WAYS = {
    "online, by mouse": Way(
        "online",
        "演练：某平台账号向深圳发货，请核查身份",
        *("0002", "0212", "0001", "0001"),
        {"body.targets[0].platform": "演练平台", "body.targets[0].account": "yanlian-0001"},
        adds="add:body.targets:account",
        action="identify",
    ),
    "interdiction, without scripts": Way(
        "interdiction",
        "演练：可疑车辆今晚过粤北卡点，请查缉",
        *("0212", "0001", "0001", "0117"),
        {
            "body.mode": "road",
            "body.checkpoint": "粤北卡点",
            "body.subjects[0].name": "演练丁",
            "body.subjects[0].role": "carrier",
            "body.subjects[0].sex": "unknown",
            "body.subjects[0].danger": "unknown",
            "body.subjects[0].measure": "case_filed",
            "body.movement.to.region": "440300",
        },
        adds="add:body.subjects",
        action="inspect",
        how={"javascript": False},
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_an_alert_goes_out_with_three_logins(visit: Visit, way: Way) -> None:
    """Written, with faults told twice, left and taken up again; reviewed, issued; then it lies in 广东."""
    author = visit(SENDER, way.author, **way.how)
    begin(author, way)
    faults_are_told_twice(author)
    write(author, way)
    leave_and_come_back(author, way)
    author.press("送审")
    assert author.says("拟稿人不能审核或签发自己的稿件")
    assert not author.offers("审核通过")

    reviewer = visit(SENDER, way.reviewer, **way.how)
    reviewer.go("drafts/?tab=review")
    reviewer.press(way.title)
    reviewer.press("审核通过")
    assert not reviewer.offers("审核通过")
    author.go("drafts/?tab=mine")
    author.press(way.title)
    assert not author.offers("签发")

    leader = visit(SENDER, way.leader, **way.how)
    leader.go("drafts/?tab=issue")
    leader.press(way.title)
    leader.press("签发")
    until(lambda: leader.comes_to_say("已送达"), 20, "the sent alert shows where it stands")
    arrives(visit, way)
    assert [each.complaints for each in (author, reviewer, leader)] == [[], [], []]


def begin(author: Visitor, way: Way) -> None:
    """Chooses the category."""
    author.go("sent/")
    author.press("拟稿")
    with author.page.expect_navigation():
        author.page.locator(f"button[name=category][value={way.category}]").click()


def faults_are_told_twice(author: Visitor) -> None:
    """An empty draft is submitted: each sentence on top stands at its field too, and leads there."""
    author.press("送审")
    assert author.page.title().startswith("错误：")
    links = author.page.locator("#summary a")
    assert links.count() > 8
    for link in links.all()[:8]:
        at = author.page.locator(f"{link.get_attribute('href')}-error")
        if at.count():
            assert at.inner_text().strip() == link.inner_text().strip()
    assert author.page.locator(".field .error").count() > 8


def write(author: Visitor, way: Way) -> None:
    """Fills the form in the order in which a person would, files and papers too."""
    author.fill(COMMON | {"body.title": way.title, "body.request.actions": way.action})
    author.page.set_input_files("[name='file:body.legal_basis.digest']", files=LETTER)
    author.press("列出所需文书")
    author.fill({"body.request.papers[0].number": "演练协函〔2026〕0102号"})
    author.page.set_input_files("[name='file:body.request.papers[0].digest']", files=LETTER)
    with author.page.expect_navigation():
        author.page.locator(f"button[value='{way.adds}']").click()
    author.fill(way.fields)


def leave_and_come_back(author: Visitor, way: Way) -> None:
    """Saves, goes elsewhere, opens it again from the list: everything stands there."""
    author.press("保存草稿")
    author.go("inbox/")
    author.go("drafts/")
    author.press(way.title)
    for name, value in way.fields.items():
        field = author.page.locator(f"[name='{name}']")
        if field.first.get_attribute("type") not in ("checkbox", "radio"):
            assert field.input_value().startswith(value)


def arrives(visit: Visit, way: Way) -> None:
    """Whom it concerns in 广东 finds it in the inbox and reads it."""
    receiver = visit(RECEIVER, way.receiver, **way.how)
    receiver.go("inbox/")
    until(lambda: receiver.comes_to_say(way.title), 20, "the alert lies in 广东's inbox")
    receiver.press(way.title)
    assert receiver.says("【演练】在案人员供述")
    assert receiver.complaints == []
