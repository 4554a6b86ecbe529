"""The pages of what was sent: where each addressee stands, and what the originator does."""

import re
from typing import Any

import pytest

from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network, Province, alert
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Role
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Draft, Event, Message, Opening
from tongbao_schemas.codes import MessageType
from tongbao_schemas.refusals import Code

LEADER, RECEIVER = "A-0001", "A-0120"


@pytest.fixture
def gz(desk_network: Network) -> DeskAt:
    """贵州's desk, which sent an alert to 广东 and 浙江."""
    there = desk_network.province("520000")
    desk_network.province("440000"), desk_network.province("330000")
    there.submit(alert("a-1", "330000", "440000"))
    desk_network.settle()
    return DeskAt(there)


@pytest.fixture
def leader(gz: DeskAt) -> Browser:
    """The leader, who looks after what was sent."""
    return gz.person(Role.LEADER, LEADER)


def address(browser: Browser) -> str:
    """Where the only sent alert is."""
    found = re.search(r"/sent/[0-9a-f-]{36}/", text(browser.get("/sent/")))
    assert found is not None
    return found[0]


def number_of(gz: DeskAt) -> str:
    """The id of the only own alert."""
    with gz.province.here():
        return str(Message.objects.get(type=MessageType.ALERT.value).message_id)


def signed(desk_network: Network, gz: DeskAt) -> Province:
    """广东, after it has signed for the alert and given a first answer."""
    there, reference = desk_network.provinces["440000"], number_of(gz)
    roster: Roster = there.settings.roster()
    acts: dict[str, Any] = {"officer_ref": "A-0117", "roster": roster}
    with there.here():
        at = desk_network.clock.now()
        casework.claim(reference, **acts, at=at)
        casework.answer(reference, **acts, at=at, kind="progress", text="已布控。", origin="440000")
        casework.open_body(reference, **acts, at=at, why="承办")
    desk_network.settle()
    return there


def test_the_list_says_where_each_addressee_stands(
    leader: Browser, gz: DeskAt, desk_network: Network
) -> None:
    """Level, status, number, title, the four facts of each province, what is due next and who owes it."""
    signed(desk_network, gz)

    page = text(leader.get("/sent/"))

    for said in ("特急", "演练", "黔2026-000001", "演练甲今晚驾车", "已送达", "已签收", "已反馈", "已办结"):
        assert said in page
    assert len(re.findall(r'class="yes"', page)) == 3  # both delivered, one signed for


def test_one_sent_alert(leader: Browser, gz: DeskAt, desk_network: Network) -> None:
    """Per addressee four facts with time and who; answers; how often which unit opened it; the history."""
    signed(desk_network, gz)

    page = text(leader.get(address(leader)))

    for said in (
        "A-0117",
        "省禁毒总队情报中心",
        "阶段反馈",
        "1 次",
        "催办",
        "办结",
        "撤销",
        "补充/更正",
        "交换中心",
    ):
        assert said in page, said
    assert page.count("尚无") >= 3
    assert re.search(r'class="btn full primary" href="[^"]+/remind/"', page)


def test_opening_ones_own_alert_is_recorded(leader: Browser, gz: DeskAt) -> None:
    """Without a reason the text stays closed; with one it is shown, and the opening is a row."""
    where = address(leader)
    assert "事实" not in text(leader.get(where))
    assert leader.post(where, {"why": " "}).status_code == 422

    page = text(leader.post(where, {"why": "核对回复"}))

    assert "在案人员供述" in page
    with gz.province.here():
        assert [(row.officer_ref, row.why) for row in Opening.objects.all()] == [(LEADER, "核对回复")]


@pytest.mark.parametrize(
    ("act", "data", "type"),
    [
        ("close", {"outcome": "achieved", "text": "目的已达到。"}, MessageType.CLOSURE),
        ("cancel", {"ground": "subject_found", "text": "请撤控。"}, MessageType.CANCEL),
        ("remind", {"to": ["440000"], "text": "请尽快签收。"}, MessageType.REMINDER),
        (
            "supplement",
            {"relation": "corrects", "text": "车辆换牌。", "part0": "movement", "now0": "经沪昆高速"},
            MessageType.UPDATE,
        ),
    ],
)
def test_what_the_originator_does(
    leader: Browser, gz: DeskAt, act: str, data: dict[str, Any], type: MessageType
) -> None:
    """Each act has its form and becomes a draft for the connector."""
    where = address(leader)
    assert leader.get(f"{where}{act}/").status_code == 200

    response = leader.post(f"{where}{act}/", data)

    assert response.headers["Location"] == f"{where}?done={act}", text(response)
    with gz.province.here():
        assert Draft.objects.filter(type=type.value).count() == 1
    assert "已办理" in text(leader.get(response.headers["Location"]))


@pytest.mark.parametrize("act", ["close", "cancel", "remind", "supplement"])
def test_an_act_without_its_words_says_what_is_missing(leader: Browser, act: str) -> None:
    """Summary and field say the same; nothing is sent."""
    response = leader.post(f"{address(leader)}{act}/", {"text": ""})

    page = text(response)
    assert response.status_code == 422
    assert re.search(r"<title>\s*错误：", page)
    for sentence in re.findall(r'<li><a href="#[^"]+">([^<]+)</a>', page):
        assert page.count(sentence) >= 1


def test_reply_to_a_question(leader: Browser, gz: DeskAt, desk_network: Network) -> None:
    """请求补充 comes back in the thread; the reply goes to the province that asked only."""
    there, reference = signed(desk_network, gz), number_of(gz)
    with there.here():
        casework.ask(
            reference,
            officer_ref="A-0117",
            roster=there.settings.roster(),
            at=desk_network.clock.now(),
            text="车辆颜色？",
            origin="440000",
        )
    desk_network.settle()
    where = address(leader)
    with gz.province.here():
        question = Message.objects.get(type=MessageType.REPLY.value)

    response = leader.post(f"{where}reply/", {"to": question.message_id, "text": "白色。"})

    assert response.status_code == 302, text(response)
    with gz.province.here():
        assert Draft.objects.filter(type=MessageType.REPLY.value).count() == 1


def test_after_closing_only_what_still_makes_sense_is_offered(leader: Browser) -> None:
    """A closed alert isn't closed or reminded of again; a second press says so without losing the text."""
    where = address(leader)
    leader.post(f"{where}close/", {"outcome": "achieved", "text": "目的已达到。"})

    page = text(leader.get(where))
    again = leader.post(f"{where}close/", {"outcome": "achieved", "text": "再次办结。"})

    assert f"{where}close/" not in page
    assert f"{where}supplement/" in page
    assert again.status_code == 409
    assert "再次办结。" in text(again)


def test_a_receiver_of_another_unit_sees_but_does_not_act(gz: DeskAt) -> None:
    """The page shows where it stands; closing it is not his."""
    other = gz.person(Role.RECEIVER, "A-0118")
    where = address(other)

    assert f"{where}close/" not in text(other.get(where))
    assert other.post(f"{where}close/", {"outcome": "achieved", "text": "x"}).status_code == 403


def test_what_waits_for_the_connector(gz: DeskAt, leader: Browser) -> None:
    """Issued and not sealed yet: the list and its own page say that it waits."""
    gz.province.submit(alert("a-2"))
    with gz.province.here():
        waiting = Draft.objects.get(client_ref="a-2").message_id

    assert "等待接入端封装发出" in text(leader.get("/sent/"))
    assert "等待发出" in text(leader.get(f"/sent/{waiting}/"))


def test_nobody_owes_anything_for_a_test(gz: DeskAt, leader: Browser, desk_network: Network) -> None:
    """It reaches no officer: there is no clock, and it says that it ends with its delivery."""
    sent = gz.province.submit(alert("a-test", status="test"))
    desk_network.settle()
    with gz.province.here():
        [there] = casework.standing(sent.message_id)

    assert (there.delivered_at is not None, there.due_at) == (True, None)
    assert "测试，送达为止" in text(leader.get("/sent/"))


def test_a_refused_one_says_why(gz: DeskAt, leader: Browser, desk_network: Network) -> None:
    """What the connector had to refuse stands on top of the list with its code."""
    gz.province.submit(alert("a-3", "650000"))
    desk_network.settle()
    with gz.province.here():
        draft = Draft.objects.get(client_ref="a-3")
    assert draft.state == "refused"

    assert draft.code in text(leader.get("/sent/"))
    assert "未能发出" in text(leader.get(f"/sent/{draft.message_id}/"))
    other = gz.person(Role.RECEIVER, "A-0118")
    assert other.post(f"/sent/{draft.message_id}/again/").status_code == 403
    assert "改后重拟" not in text(other.get(f"/sent/{draft.message_id}/"))

    again = leader.post(f"/sent/{draft.message_id}/again/")

    assert "演练甲今晚驾车" in text(leader.get(again.headers["Location"]))


def test_english(gz: DeskAt, desk_network: Network) -> None:
    """No Chinese words of ours on the English pages; names, places and texts of provinces are marked."""
    signed(desk_network, gz)
    reader = gz.person(Role.LEADER, LEADER, lang="en")
    where = address(reader)

    for path in (
        "/sent/",
        where,
        f"{where}close/",
        f"{where}supplement/",
        f"{where}remind/",
        f"{where}cancel/",
    ):
        page = text(reader.get(path))
        page = re.sub(r'<(span|b|p|h1|a)[^>]*lang="zh"[^>]*>.*?</\1>', "", page, flags=re.DOTALL)
        page = re.sub(r"黔2026-\d{6}-.", "", page)
        bare = re.sub(r"<[^>]+>", "\n", page)
        left = {line.strip() for line in bare.split("\n") if re.search(r"[\u4e00-\u9fff]", line)}
        assert {line for line in left if "省禁毒总队" not in line} <= {"中文"}, path


def test_an_act_that_could_not_be_sent_stands_on_top(leader: Browser, gz: DeskAt) -> None:
    """Refused by the connector: in red with its code and next step, and nothing says that it was done."""
    where = address(leader)
    done = leader.post(f"{where}close/", {"outcome": "achieved", "text": "目的已达到。"}).headers["Location"]
    with gz.province.here():
        Draft.objects.filter(type=MessageType.CLOSURE.value).update(
            state=Draft.State.REFUSED, code=Code.SCHEMA_NOT_ACCEPTED
        )

    page = text(leader.get(done))

    assert "办结未能发出" in page
    assert "TB-404" in page
    assert "已办理" not in page


@pytest.mark.parametrize(("name", "kind"), [("print", "printed"), ("export", "exported")])
def test_print_and_export_ask_record_and_bear_who_and_when(
    leader: Browser, gz: DeskAt, name: str, kind: str
) -> None:
    """Without a reason there is no paper; with one the opening and a line are written, and the paper names
    the officer, the number and the time on every page. Nothing keeps it.
    """
    where = address(leader)
    assert f"{where}{name}/" not in text(leader.get(where))
    leader.post(where, {"why": "核对"})
    assert f"{where}{name}/" in text(leader.get(where))
    assert "事由" in text(leader.get(f"{where}{name}/"))
    assert leader.post(f"{where}{name}/", {"why": " "}).status_code == 422

    paper = leader.post(f"{where}{name}/", {"why": "向带班领导汇报"})

    for said in (
        "演练员A-0001 A-0001 2026-11-23",
        "黔2026-000001",
        "向带班领导汇报",
        "在案人员供述",
        "广东",
        "浙江",
    ):
        assert said in text(paper), said
    assert "来源省" not in text(paper)
    assert paper.headers["Cache-Control"] == "no-store"
    assert ("attachment" in paper.headers.get("Content-Disposition", "")) == (name == "export")
    with gz.province.here():
        assert Event.objects.filter(kind=kind, officer_ref=LEADER).count() == 1
        assert Opening.objects.filter(why="向带班领导汇报").count() == 1


def test_the_handling_code_forbids_the_export_of_ones_own(desk_network: Network) -> None:
    """H2 leaves as paper only: the page offers no file, and its address gives none."""
    gz = DeskAt(desk_network.province("520000"))
    desk_network.province("440000")
    gz.province.submit(alert("a-1", handling="H2"))
    desk_network.settle()
    leader = gz.person(Role.LEADER, LEADER)
    where = address(leader)

    page = text(leader.post(where, {"why": "核对"}))

    assert f"{where}print/" in page
    assert f"{where}export/" not in page
    refused = leader.post(f"{where}export/", {"why": "入卷"})
    assert refused.status_code == 403
    assert "可以打印" in text(refused)
    assert leader.post(f"{where}print/", {"why": "入卷"}).status_code == 200
