"""A posted officer's pages: what is between home and host, to read, to urge about, to comment on."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.support.desk import Browser, DeskAt, text
from tests.support.posting import HOME, HOST, OFFICER, OTHER, post, posting
from tests.support.province import Network, Province, alert
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Role
from tongbao_connectors.store.models import Draft, Event, InboxItem, Message, Opening
from tongbao_schemas.codes import MessageType

LEADER = "A-0001"


@pytest.fixture
def gz(desk_network: Network) -> DeskAt:
    """贵州's desk: it wrote to 广东 and 浙江, and to 浙江; it heard from both; its officer is at 广东."""
    home, host, other = (desk_network.province(code) for code in (HOME, HOST, OTHER))
    post(desk_network)
    home.submit(alert("to-both", HOST, OTHER))
    home.submit(alert("to-other", OTHER))
    host.submit(alert("from-host", HOME))
    other.submit(alert("from-other", HOME))
    desk_network.settle()
    return DeskAt(home)


@pytest.fixture
def officer(gz: DeskAt) -> Browser:
    """The posted officer, whom no roster lists."""
    return gz.person(Role.POSTED, OFFICER, unit="duty")


def id_of(gz: DeskAt, client_ref: str) -> str:
    """The message that was submitted under this reference."""
    net = gz.province.net
    for province in net.provinces.values():
        with province.here():
            found = Draft.objects.filter(client_ref=client_ref).first()
            if found is not None:
                return found.message_id
    raise AssertionError(client_ref)


def page_of(gz: DeskAt, client_ref: str, act: str = "") -> str:
    return f"/posted/m/{id_of(gz, client_ref)}/{act}"


def answered(province: Province, reference: str, says: str) -> None:
    """A province signs for an alert and answers it."""
    with province.here():
        at = province.net.clock.now()
        owner = InboxItem.objects.get(message__message_id=reference).officer_ref
        acts: dict[str, Any] = {"officer_ref": owner, "roster": province.settings.roster()}
        casework.claim(reference, **acts, at=at)
        casework.answer(reference, **acts, at=at, kind="progress", text=says, origin=province.code)
    province.net.settle()


def badge(officer: Browser) -> str:
    found = re.search(r"[0-9]+", text(officer.get("/posted/badge/")))
    return found[0] if found else ""


def test_two_lists_of_home_and_host_and_nothing_else(officer: Browser, gz: DeskAt) -> None:
    """发往驻地 has what went to the host, 来自驻地 what came from it; nothing is of the third province."""
    out, back = text(officer.get("/posted/")), text(officer.get("/posted/in/"))

    assert [id_of(gz, name) in out for name in ("to-both", "to-other", "from-host")] == [True, False, False]
    assert [id_of(gz, name) in back for name in ("from-host", "from-other", "to-both")] == [
        True,
        False,
        False,
    ]
    assert "派驻广东" in out
    assert "浙江" not in out
    assert "未值班" not in out


@pytest.mark.parametrize("name", ["to-other", "from-other"])
@pytest.mark.parametrize("act", ["", "remind/", "comment/"])
def test_other_provinces_threads_are_refused(officer: Browser, gz: DeskAt, name: str, act: str) -> None:
    """By address too, and nothing is opened."""
    assert officer.get(page_of(gz, name, act)).status_code == 403
    assert officer.post(page_of(gz, name, act), {"text": "x"}).status_code in (403, 405)
    with gz.province.here():
        assert not Opening.objects.exists()


@pytest.mark.parametrize("name", ["to-both", "from-host"])
def test_a_page_opens_the_body_and_says_why(officer: Browser, gz: DeskAt, name: str) -> None:
    """The opening is a row with his reference and the automatic reason; he is shown that it was recorded."""
    page = text(officer.get(page_of(gz, name)))

    assert "在案人员供述" in page
    assert "本次打开已记录" in page
    with gz.province.here():
        rows = [(row.message.message_id, row.officer_ref, row.why) for row in Opening.objects.all()]
    assert rows == [(id_of(gz, name), OFFICER, "外派联络")]


def test_his_reading_is_reported_and_reads_nothing_for_home(officer: Browser, gz: DeskAt) -> None:
    """The origin sees that his unit opened it; the message still waits for whom it lies with."""
    officer.get(page_of(gz, "from-host"))
    gz.province.net.settle()

    with gz.province.net.provinces[HOST].here():
        found = [row.unit for row in casework.opened_by(id_of(gz, "from-host"))]
    with gz.province.here():
        states = set(InboxItem.objects.values_list("state", flat=True))
    assert found == ["省禁毒总队值班室"]
    assert states == {"waiting"}


def test_of_an_alert_to_several_only_the_hosts_part_is_shown(officer: Browser, gz: DeskAt) -> None:
    """Standing, answers and history of the other addressee stay out; the host's are there."""
    net, reference = gz.province.net, id_of(gz, "to-both")
    answered(net.provinces[HOST], reference, "广东已布控。")
    answered(net.provinces[OTHER], reference, "浙江查无此人。")

    page = text(officer.get(page_of(gz, "to-both")))

    with gz.province.here():
        answers = {row.origin: row.message_id for row in Message.objects.filter(type="answer")}
        full = {each for line in casework.timeline(reference) for each in line.about}
        lines = {each for line in casework.timeline(reference, only={HOST}) for each in line.about}
    assert f"/posted/m/{answers[HOST]}/" in page
    assert answers[OTHER] not in page
    assert "浙江" not in re.sub(r'<header class="top.*?</header>', "", page, flags=re.DOTALL)
    assert full == {HOST, OTHER}
    assert lines == {HOST}
    letter = text(officer.get(f"/posted/m/{answers[HOST]}/"))
    assert "广东已布控。" in letter
    assert "待阅" in letter
    assert officer.get(f"/posted/m/{answers[OTHER]}/").status_code == 403


def test_urging_goes_to_the_host_alone(officer: Browser, gz: DeskAt) -> None:
    """The reminder bears his reference and unit, and arrives at the host and nowhere else."""
    where = page_of(gz, "to-both")
    assert officer.get(f"{where}remind/").status_code == 200
    assert officer.post(f"{where}remind/", {"text": " "}).status_code == 422

    done = officer.post(f"{where}remind/", {"text": "请尽快反馈。", "to": [OTHER]})
    gz.province.net.settle()

    assert done.headers["Location"] == f"{where}?done=remind"
    assert "已催办" in text(officer.get(done.headers["Location"]))
    came = {}
    for code in (HOST, OTHER):
        with gz.province.net.provinces[code].here():
            came[code] = [casework.plain_body(row) for row in Message.objects.filter(type="reminder")]
    assert came[OTHER] == []
    assert [(body["text"], body["by"]["officer_ref"], body["by"]["unit"]) for body in came[HOST]] == [
        ("请尽快反馈。", OFFICER, "省禁毒总队值班室")
    ]


def test_a_closed_thread_is_not_urged_about(officer: Browser, gz: DeskAt) -> None:
    """It isn't offered any more; who tries all the same is told, and keeps what he typed."""
    where, leader = page_of(gz, "to-both"), gz.person(Role.LEADER, LEADER)
    leader.post(f"/sent/{id_of(gz, 'to-both')}/close/", {"outcome": "achieved", "text": "目的已达到。"})

    again = officer.post(f"{where}remind/", {"text": "请尽快反馈。"})

    assert f"{where}remind/" not in text(officer.get(where))
    assert again.status_code == 409
    assert "请尽快反馈。" in text(again)


def test_what_came_from_the_host_is_not_urged_about(officer: Browser, gz: DeskAt) -> None:
    """The host's own alert is the home's to answer: 催办 is neither offered nor taken."""
    where = page_of(gz, "from-host")

    assert f"{where}remind/" not in text(officer.get(where))
    assert officer.post(f"{where}remind/", {"text": "x"}).status_code == 403


@pytest.mark.parametrize("name", ["to-both", "from-host"])
def test_a_comment_is_for_home_only(officer: Browser, gz: DeskAt, name: str) -> None:
    """It is a line of the timeline that home's officers read, and nothing is sent."""
    where, net = page_of(gz, name), gz.province.net
    assert officer.post(f"{where}comment/", {"text": ""}).status_code == 422
    with gz.province.here():
        before = Draft.objects.count()

    done = officer.post(f"{where}comment/", {"text": "已与对方值班室当面核对。"})
    net.settle()

    assert done.headers["Location"] == f"{where}?done=comment"
    leader = gz.person(Role.LEADER, LEADER)
    assert "已与对方值班室当面核对。" in text(leader.get(f"/m/{id_of(gz, name)}/", follow=True))
    with gz.province.here():
        event = Event.objects.get(kind="commented")
        assert (event.officer_ref, event.unit, event.facts["host"]) == (OFFICER, "duty", [HOST])
        assert Draft.objects.count() == before
    with net.provinces[HOST].here():
        assert not Event.objects.filter(kind="commented").exists()


def test_an_answer_is_no_place_for_a_comment(officer: Browser, gz: DeskAt) -> None:
    """A comment stands with the alert."""
    answered(gz.province.net.provinces[HOST], id_of(gz, "to-both"), "已布控。")
    with gz.province.here():
        answer = Message.objects.get(type=MessageType.ANSWER.value)

    assert officer.post(f"/posted/m/{answer.message_id}/comment/", {"text": "x"}).status_code == 404


def test_the_badge_counts_what_he_has_not_opened(officer: Browser, gz: DeskAt) -> None:
    """New alerts of both directions and answers of the host; opening one takes it away."""
    assert badge(officer) == "2"
    answered(gz.province.net.provinces[HOST], id_of(gz, "to-both"), "已布控。")
    assert badge(officer) == "3"
    assert "2 件未看" in text(officer.get("/posted/"))

    officer.get(page_of(gz, "to-both"))

    assert badge(officer) == "2"
    assert re.search(r'hx-get="/posted/badge/"[^>]*><span class="count">2<', text(officer.get("/posted/")))


def test_what_was_there_before_his_posting_is_not_new(officer: Browser, gz: DeskAt) -> None:
    """It is in the list, and not in the count."""
    net = gz.province.net
    post(net, posting(net.clock.now(), days=(0, 30)))

    assert badge(officer) == ""
    assert id_of(gz, "to-both") in text(officer.get("/posted/"))


def ended(net: Network) -> None:
    net.clock.forward(days=31)


def withdrawn(net: Network) -> None:
    net.change(postings=[])
    net.settle()


def not_begun(net: Network) -> None:
    post(net, posting(net.clock.now(), days=(2, 30)))


def of_another_home(net: Network) -> None:
    post(net, posting(net.clock.now(), home=OTHER))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (ended, "派驻广东已于"),
        (withdrawn, "目录中没有这名联络员的派驻"),
        (not_begun, "派驻广东自"),
        (of_another_home, "目录中没有这名联络员的派驻"),
    ],
)
def test_access_ends_with_the_posting(officer: Browser, gz: DeskAt, change: Any, why: str) -> None:
    """The login that is open sees nothing at its next request, and the page says why."""
    where, reference = page_of(gz, "to-both"), id_of(gz, "to-both")
    assert officer.get(where).status_code == 200
    change(gz.province.net)
    officer = gz.person(Role.POSTED, OFFICER) if change is ended else officer  # a month ends any login

    page = text(officer.get("/posted/"))

    assert why in page
    assert reference not in page
    assert badge(officer) == ""
    for path in (where, f"{where}remind/", f"{where}comment/"):
        assert officer.get(path).status_code == 403
        assert officer.post(path, {"text": "x"}).status_code in (403, 405)


def test_a_posting_to_another_host_changes_what_he_sees(officer: Browser, gz: DeskAt) -> None:
    """A newer directory that posts him elsewhere shows that host's threads and no longer the first one's."""
    net = gz.province.net
    post(net, posting(net.clock.now(), host=OTHER))

    page = text(officer.get("/posted/"))

    assert id_of(gz, "to-other") in page
    assert officer.get(page_of(gz, "from-host")).status_code == 403
    assert officer.get(page_of(gz, "from-other")).status_code == 200


def test_posted_to_two_hosts_he_chooses_whom_to_urge(officer: Browser, gz: DeskAt) -> None:
    """The form names both; the reminder goes to the one he ticks."""
    net, where = gz.province.net, page_of(gz, "to-both")
    now = net.clock.now()
    post(net, posting(now), posting(now, host=OTHER))
    assert officer.post(f"{where}remind/", {"text": "请反馈。", "to": []}).status_code == 422

    officer.post(f"{where}remind/", {"text": "请反馈。", "to": [OTHER]})
    net.settle()

    with gz.province.here():
        assert Message.objects.get(type="reminder").audience_codes == (OTHER,)


def test_filter_and_search(officer: Browser, gz: DeskAt) -> None:
    """Level and status narrow the list; a number is found, another thread's number isn't."""
    with gz.province.here():
        mine = Message.objects.get(message_id=id_of(gz, "to-both"))
        other = Message.objects.get(message_id=id_of(gz, "to-other"))

    assert mine.message_id in text(officer.get("/posted/out/", {"level": mine.urgency}))
    assert mine.message_id not in text(officer.get("/posted/out/", {"level": "routine"}))
    assert mine.message_id in text(officer.post("/posted/out/", {"q": mine.number}))
    assert other.message_id not in text(officer.post("/posted/out/", {"q": other.number}))
    assert officer.get("/posted/sideways/").status_code == 404


def test_purged_body(officer: Browser, gz: DeskAt) -> None:
    """The page still stands and says that the text is gone."""
    with gz.province.here():
        Message.objects.get(message_id=id_of(gz, "from-host")).content_key.delete()

    assert "正文已销毁" in text(officer.get(page_of(gz, "from-host")))


def test_english(gz: DeskAt) -> None:
    """No Chinese words of ours on the English pages."""
    net, reference = gz.province.net, id_of(gz, "to-both")
    answered(net.provinces[HOST], reference, "已布控。")
    reader = gz.person(Role.POSTED, OFFICER, lang="en", unit="duty")
    where = page_of(gz, "to-both")
    for path in ("/posted/", "/posted/in/", where, f"{where}remind/", f"{where}comment/"):
        page = text(reader.get(path))
        page = re.sub(r'<(span|b|p|h1|a|td)[^>]*lang="zh"[^>]*>.*?</\1>', "", page, flags=re.DOTALL)
        page = re.sub(r"[黔粤浙]2026-\d{6}-.", "", page)
        bare = re.sub(r"<[^>]+>", "\n", page)
        left = {line.strip() for line in bare.split("\n") if re.search(r"[\u4e00-\u9fff]", line)}
        assert {line for line in left if "省禁毒总队" not in line and "演练" not in line} <= {"中文"}, path


def test_the_login_that_a_posting_ended_lasts_no_longer_than_others(gz: DeskAt, officer: Browser) -> None:
    """The end of a posting ends no login by itself: his account page is still his."""
    net = gz.province.net
    post(net, posting(net.clock.now() - timedelta(days=10), days=(-1, 1)))

    assert officer.get("/account/").status_code == 200
    assert officer.get("/").headers["Location"] == "/posted/"
