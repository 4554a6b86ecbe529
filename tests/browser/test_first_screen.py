"""A phone's first screen answers, in an exercise and without a connection, however much is written."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.browser import stage
from tests.browser.conftest import Visit
from tests.browser.visitor import Desks, Visitor
from tests.support.network import until
from tongbao_broker import database
from tongbao_connectors.demo import samples

pytestmark = pytest.mark.kafka

ANSWERS = (
    ".level",
    ".clock",
    ".asked",
    ".rule",
    ".points .thing",
    ".plate",
    ".harm",
    ".fine",
    ".source",
    ".call",
)


def much(body: dict[str, Any]) -> dict[str, Any]:
    """The longest texts that a careful originator writes: two people, two cars, two places, three dangers."""
    told = copy.deepcopy(body)
    told["title"] = (
        "演练甲、演练乙涉嫌贩卖、运输毒品并携带管制刀具，今晚驾驶两辆车自贵阳前往深圳市南山区交接，"
        "请秘密核查并布控，发现后不惊动，立即电话联系我方"
    )
    told["request"]["actions"] = ["identify", "locate", "watch", "inspect"]
    told["request"]["detail"] = (
        "发现即报，不单独抓捕；先电话联系我方值班室。如遇车辆更换，以人员为准，保持安全距离跟控，"
        "不得设卡拦截，等待我方专案组到场后统一行动。"
    )
    first = told["subjects"][0] | {"aliases": ["阿演", "小甲"], "danger": ["firearm", "knife", "violence"]}
    first["vehicles"] = [
        {"plate": "贵A00000", "description": "白色小型客车（租赁）"},
        {"plate": "贵AD00000", "description": "黑色新能源多用途乘用车"},
    ]
    second = first | {"name": "演练乙", "aliases": ["老乙"], "phones": ["000-00000002"]}
    del second["vehicles"], second["id_document"]
    told["subjects"] = [first, second]
    told["to_places"] = [
        {"region": "440305", "address": "演练路1号演练中心地下三层停车场东侧出口附近"},
        {"region": "440306", "address": "演练大道200号演练物流园"},
    ]
    return told


def silence(desks: Desks) -> None:
    """As if 广东 had not heard of the exchange for five minutes."""
    from tongbao_connectors.store.models import ExchangeHead

    with database.use(desks.network.open_province(stage.RECEIVER)):
        head = ExchangeHead.objects.get()
        ExchangeHead.objects.update(at=head.at - timedelta(minutes=5))


def below(desk: Visitor) -> list[str]:
    """The answers that the foot of the screen hides."""
    foot = desk.page.locator(".foot-act").bounding_box()
    assert foot is not None
    found = []
    for answer in ANSWERS:
        box = desk.page.locator(f"#main {answer}").first.bounding_box()
        if box is None or box["y"] + box["height"] > foot["y"]:
            found.append(answer)
    return found


@pytest.mark.parametrize("told", ["little", "much"])
def test_the_first_screen_answers(visit: Visit, desks: Desks, told: str) -> None:
    """All answers and 签收 are on it; what is cut short stands in full below; axe finds nothing."""
    sample = samples.load()[0]
    if told == "much":
        sample = replace(sample, content=sample.content | {"body": much(sample.content["body"])})
    alert = stage.send(desks, sample, f"first-screen-{told}")
    officer = visit(stage.RECEIVER, "0117", width=390)

    def comes_stale() -> bool:
        silence(desks)
        officer.go(f"m/{alert}/")
        return officer.page.locator(".stale").is_visible()

    until(comes_stale, 20, "the page says that it is stale")
    assert below(officer) == []
    assert officer.page.locator(".foot-act .primary").is_visible()
    assert (
        sample.content["body"]["request"]["detail"] in officer.page.locator("section.on-phone").inner_text()
    )
    assert not officer.overflows()
    assert officer.violations() == []
