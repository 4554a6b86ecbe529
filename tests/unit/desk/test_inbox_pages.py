"""The inbox and one message, as pages without a browser."""

import json
import re
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network, Province, alert, alert_body
from tests.unit.duty.test_delivering import MAIL
from tongbao_connectors.authorisation import Role
from tongbao_connectors.duty.models import ChannelState
from tongbao_connectors.search.index import Index
from tongbao_connectors.store.models import ContentKey, Event, InboxItem, Opening

HANDLER, SUBSTITUTE, LEADER, OTHER = "A-0117", "A-0118", "A-0001", "A-0120"
ORDER = (
    *(
        "特急",
        "请你做",
        "布控",
        "可否惊动",
        "不得惊动",
        "对象",
        "演练甲",
        "车辆",
        "贵A00000",
        "时间地点",
        "危险",
    ),
    *("持刀", "手续", "齐全", "来源可信", "0851-00000110", "事实", "研判", "推断，不是事实"),
)
ACTS = {
    "progress": {"text": "已到场"},
    "result": {"outcome": "located", "text": "已找到"},
    "return": {"ground": "papers_incomplete", "text": "缺传唤证"},
    "redirect": {"to": "330000", "text": "人在浙江"},
    "more-time": {"until": "2026-12-30T08:00", "text": "需等检验"},
    "ask": {"text": "请补充照片"},
    "remind-me": {"when": "tomorrow"},
    "assign": {"to": SUBSTITUTE},
}


@pytest.fixture
def gz(desk_network: Network) -> Province:
    """贵州, which sends."""
    return desk_network.province("520000")


@pytest.fixture
def gd(desk_network: Network, gz: Province) -> DeskAt:
    """广东's desk with one alert of 贵州 in it."""
    there = desk_network.province("440000")
    send(desk_network, gz, alert("a-1"))
    return DeskAt(there)


def send(net: Network, sender: Province, *submissions: bytes) -> None:
    for submission in submissions:
        sender.submit(submission)
    net.settle()


def address(browser: Browser) -> str:
    """The address of the first message in the inbox."""
    found = re.search(r"/m/[0-9a-f-]{36}/", text(browser.get("/inbox/")))
    assert found is not None
    return found[0]


def in_database(desk: DeskAt, model: Any, **of: Any) -> list[Any]:
    with desk.province.here():
        return list(model.objects.filter(**of))


def test_the_inbox_lists_what_waits(gd: DeskAt) -> None:
    """Level, status, number, origin, title, what is asked and the button stand on the card."""
    page = gd.person(Role.RECEIVER, HANDLER).get("/inbox/")

    assert page.status_code == 200
    for said in (
        "特急",
        "演练",
        "黔",
        "贵州",
        "布控",
        "秘密核查不得惊动",
        "到你：值班主责",
        "无人签收",
        ">签收<",
    ):
        assert said in text(page)


def test_a_list_opens_no_body(gd: DeskAt) -> None:
    """Cards show the fixed extract: nobody has opened anything, and no subject's name is there."""
    page = gd.person(Role.RECEIVER, HANDLER).get("/inbox/")

    assert in_database(gd, Opening) == []
    assert "阿演" not in text(page)


def test_the_first_screen_answers_in_order(gd: DeskAt) -> None:
    """Level, what is asked, contact rule, who, vehicle, when, danger, papers, source, telephone."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    page = text(browser.get(address(browser)))
    at = page.index("<main")
    for said in ORDER:
        at = page.index(said, at)


def test_an_opening_is_on_record_with_its_reason(gd: DeskAt) -> None:
    """Who is on duty for it types nothing; the page says what was recorded."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    page = text(browser.get(address(browser)))
    [opening] = in_database(gd, Opening)

    assert (opening.officer_ref, opening.why) == (HANDLER, "值班签收")
    assert "本次打开已记录" in page
    assert HANDLER in page[page.index('class="watermark"') :][:400]


def test_who_is_not_near_types_a_reason(gd: DeskAt) -> None:
    """Without one there is no body; with one it is shown and kept, and holds for a quarter of an hour."""
    browser = gd.person(Role.LEADER, LEADER)
    where = address(browser)
    closed = text(browser.get(where))
    empty = browser.post(f"{where}open/", {"why": " "})
    opened = text(browser.post(f"{where}open/", {"why": "组长复核"}))
    again = text(browser.get(where))
    gd.later(minutes=16)
    later = text(browser.get(where))

    assert "阿演" not in closed
    assert "写明事由" in text(empty)
    assert "阿演" in opened
    assert "阿演" in again
    assert "阿演" not in later
    assert [opening.why for opening in in_database(gd, Opening)] == ["组长复核", "组长复核"]


def test_signing_answering_and_the_state_in_words(gd: DeskAt) -> None:
    """签收 → 开始核查 → 阶段反馈 → 反馈结果: each by a form, then the page says where it stands."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    states = []
    for act, given in (
        ("claim", {}),
        ("start", {}),
        ("progress", ACTS["progress"]),
        ("result", ACTS["result"]),
    ):
        page = browser.post(f"{where}{act}/", given, follow=True)
        states.append((page.status_code, in_database(gd, InboxItem)[0].state))

    assert states == [(200, "claimed"), (200, "working"), (200, "working"), (200, "answered")]
    assert "已反馈" in text(page)


@pytest.mark.parametrize("act", sorted(ACTS))
def test_each_act_has_a_form_that_works(gd: DeskAt, act: str) -> None:
    """The form is shown, refuses an empty one with the errors at the fields, and does what it says."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    browser.post(f"{where}claim/")
    shown = browser.get(f"{where}{act}/")
    empty = browser.post(f"{where}{act}/")
    done = browser.post(f"{where}{act}/", ACTS[act])
    after = browser.get(where)

    assert (shown.status_code, empty.status_code, done.status_code) == (200, 422, 302)
    assert 'class="summary"' in text(empty)
    assert after.status_code == 200
    assert len(in_database(gd, Event)) >= 2


def test_undoing_is_a_line(gd: DeskAt) -> None:
    """For five minutes the page offers it; it puts back what was and deletes nothing."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    browser.post(f"{where}claim/")
    offered = text(browser.get(where))
    browser.post(f"{where}undo/")
    after = text(browser.get(where))

    assert "前可以撤回" in offered
    assert "前可以撤回" not in after
    assert "更正：撤回签收" in after
    assert in_database(gd, InboxItem)[0].state == "waiting"


def test_the_second_sees_who_was_first(gd: DeskAt) -> None:
    """No error page: by whom and when, and the list is as he left it."""
    first, second = gd.person(Role.RECEIVER, HANDLER), gd.person(Role.RECEIVER, SUBSTITUTE)
    where = address(first)
    first.post(f"{where}claim/")
    page = second.post(f"{where}claim/", {"back": "list", "list": "level=flash"}, follow=True)

    assert page.status_code == 200
    assert "已由演练甲于" in text(page)
    assert page.redirect_chain[-1][0].startswith("/inbox/?level=flash&taken=")


def test_what_was_typed_stays_after_a_refusal(gd: DeskAt) -> None:
    """A result for what somebody else holds: the sentence, the next step, and the text as it was."""
    first, second = gd.person(Role.RECEIVER, HANDLER), gd.person(Role.RECEIVER, SUBSTITUTE)
    where = address(first)
    first.post(f"{where}claim/")
    first.post(f"{where}assign/", {"to": SUBSTITUTE})
    page = first.post(f"{where}result/", {"outcome": "located", "text": "他已经找到了"})
    second.post(f"{where}result/", ACTS["result"])

    assert page.status_code == 403
    assert "他已经找到了" in text(page)
    assert "没有记录任何更改" in text(page)


def test_several_are_signed_for_with_one_confirmation(
    desk_network: Network, gz: Province, gd: DeskAt
) -> None:
    """They are listed once more, then signed for; one that somebody was quicker with says so."""
    send(desk_network, gz, alert("a-2"), alert("a-3"))
    browser, other = gd.person(Role.RECEIVER, HANDLER), gd.person(Role.RECEIVER, SUBSTITUTE)
    ids = re.findall(r'name="item" value="([0-9a-f-]{36})"', text(browser.get("/inbox/")))
    listed = browser.get("/inbox/sign/", {"item": ids})
    other.post(f"/m/{ids[0]}/claim/")
    done = browser.post("/inbox/sign/", {"item": ids}, follow=True)

    assert len(ids) == 3
    assert "签收这 3 条" in text(listed)
    assert "都已处理" in text(done)
    assert sorted(item.claimed_by for item in in_database(gd, InboxItem)) == [HANDLER, HANDLER, SUBSTITUTE]


def test_at_most_fifty_are_signed_for_at_once(gd: DeskAt) -> None:
    """51 are refused whole."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    real = address(browser).split("/")[2]
    ids = [real, *(f"01a2068f-8a00-7ebb-bbca-{number:012d}" for number in range(50))]
    page = browser.post("/inbox/sign/", {"item": ids})

    assert page.status_code == 422
    assert in_database(gd, InboxItem)[0].state == "waiting"


def test_tabs(gd: DeskAt) -> None:
    """What is signed for leaves 待签收, is mine, and the group's for the others; answered it is done."""
    browser, other = gd.person(Role.RECEIVER, HANDLER), gd.person(Role.RECEIVER, SUBSTITUTE)
    where = address(browser)

    def rows(who: Browser) -> list[int]:
        tabs = ("waiting", "mine", "group", "done")
        return [text(who.get(f"/inbox/{tab}/")).count("data-row") for tab in tabs]

    waiting = rows(browser)
    browser.post(f"{where}claim/")
    held = rows(browser), rows(other)
    browser.post(f"{where}result/", ACTS["result"])

    assert waiting == [1, 0, 0, 0]
    assert held == ([0, 1, 1, 0], [0, 0, 1, 0])
    assert rows(browser) == [0, 0, 0, 1]


def test_hostile_text_is_shown_harmless(desk_network: Network, gz: Province, gd: DeskAt) -> None:
    """Markup in every text of a body is text on every page, and nothing of it becomes an attribute."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=y>{{ 7 }}{% now %}"
    body = json.loads(alert_body())
    body |= {"title": f"题{evil}"[:80], "facts": f"事{evil}", "assessment": f"研{evil}"}
    body["request"]["detail"] = evil
    body["case"]["unit"]["name"] = evil[:64]
    body["contact"]["unit"] = evil[:64]
    body["subjects"][0] |= {"name": evil[:64], "aliases": [evil[:64]]}
    body["subjects"][0]["vehicles"] = [{"plate": "<b>A\"'", "description": evil[:64]}]
    body["to_places"][0]["address"] = evil[:64]
    send(desk_network, gz, alert("evil", body=body))
    browser = gd.person(Role.RECEIVER, HANDLER)
    with gd.province.here():
        Index.of(gd.province.settings.folder).fill()
        hostile = InboxItem.objects.order_by("-message").first()
        assert hostile is not None
        where = f"/m/{hostile.message.message_id}/"
    pages = [
        text(browser.get("/inbox/")),
        text(browser.post("/inbox/", {"q": evil})),
        text(browser.get(where)),
        text(browser.get(f"{where}return/")),
        text(browser.post(f"{where}print/", {"why": evil})),
        text(browser.post(f"{where}return/", {"ground": "x", "text": evil})),
    ]

    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "{{ 7 }}" in page or "alert(1)" in page
        assert escape("<script>", quote=True) in page


def test_print_and_export_ask_record_and_bear_who_and_when(gd: DeskAt) -> None:
    """Both ask for a reason; the paper has a watermark, the reason, how long it is kept, and full dates."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    asked = browser.get(f"{where}print/")
    printed = browser.post(f"{where}print/", {"why": "向带班领导汇报"})
    exported = browser.post(f"{where}export/", {"why": "入卷"})

    assert "阿演" not in text(asked)
    for page, why in ((printed, "向带班领导汇报"), (exported, "入卷")):
        assert page.headers["Cache-Control"] == "no-store"
        assert all(said in text(page) for said in (why, HANDLER, "watermark", "到期须销毁", "阿演"))
        assert not re.search(r"[今明]日 \d|剩 \d", text(page))
    assert exported.headers["Content-Disposition"].startswith("attachment;")
    assert "<link" not in text(exported)
    assert {"printed", "exported"} <= {event.kind for event in in_database(gd, Event)}


def test_handling_forbids_the_export(desk_network: Network, gz: Province, gd: DeskAt) -> None:
    """H2 may not be passed on: no button, and the address says why."""
    send(desk_network, gz, alert("h2", handling="H2"))
    browser = gd.person(Role.RECEIVER, HANDLER)
    with gd.province.here():
        item = InboxItem.objects.get(message__handling="H2")
        where = f"/m/{item.message.message_id}/"

    assert "/export/" not in text(browser.get(where))
    assert browser.post(f"{where}export/", {"why": "入卷"}).status_code == 403


def test_a_purged_body_is_said_to_be_purged(gd: DeskAt) -> None:
    """The page stands without it, and the search forgets it."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    with gd.province.here():
        Index.of(gd.province.settings.folder).fill()
        ContentKey.objects.all().delete()
    page = browser.get(where)

    assert page.status_code == 200
    assert "正文已销毁" in text(page)
    assert text(browser.post("/inbox/", {"q": "演练甲"})).count("data-row") == 0


def test_what_expired_is_not_signed_for_from_the_list(gd: DeskAt) -> None:
    """It is marked, has no box and opens instead."""
    gd.later(days=90)
    browser = gd.person(Role.RECEIVER, HANDLER)
    page = text(browser.get("/inbox/"))

    assert "已过期" in page
    assert 'name="item"' not in page


def test_who_may_not_see_it_gets_no_page(gd: DeskAt) -> None:
    """An officer of another unit, and an administrator."""
    where = address(gd.person(Role.RECEIVER, HANDLER))

    assert gd.person(Role.RECEIVER, OTHER).get(where).status_code == 403
    assert gd.person(Role.ADMIN, "ADM-1").get("/inbox/").status_code == 403
    assert (
        gd.person(Role.RECEIVER, HANDLER).get("/m/01a2068f-8a00-7ebb-bbca-da30e6e9bb25/").status_code == 404
    )


def test_a_supervisor_reads_with_a_reason_and_does_nothing(gd: DeskAt) -> None:
    """He sees the alert and who opened it, but no act."""
    where = address(gd.person(Role.RECEIVER, HANDLER))
    supervisor = gd.person(Role.SUPERVISOR, "S-0001", unit="duty")
    page = supervisor.get(where)
    opened = supervisor.post(f"{where}open/", {"why": "执法检查"})
    printed = supervisor.post(f"{where}print/", {"why": "执法检查"})

    assert page.status_code == 200
    assert "写事由" in text(page)
    assert "签收</button>" not in text(page)
    assert supervisor.post(f"{where}claim/").status_code == 403
    assert "阿演" in text(opened)
    assert "阿演" in text(printed)
    assert {opening.why for opening in in_database(gd, Opening)} == {"执法检查"}


def test_an_answer_is_read_not_signed_for(desk_network: Network, gz: Province, gd: DeskAt) -> None:
    """At the origin's desk a result bears the alert's title, opens as a letter and is read then."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    browser.post(f"{where}claim/")
    browser.post(f"{where}result/", ACTS["result"])
    desk_network.settle()
    origin = DeskAt(gz)
    with gz.here():
        lies_with = InboxItem.objects.get().officer_ref
    reader = origin.person(Role.LEADER, lies_with)
    listed = text(reader.get("/inbox/"))
    letter = reader.get(address(reader))

    assert "反馈：演练甲今晚驾车" in listed
    assert "待阅" in listed
    assert ">签收<" not in listed
    assert "反馈：已查找到" in text(letter)
    assert "已阅" in text(letter)


def test_english_pages_are_english(gd: DeskAt) -> None:
    """Words of the desk are English; what the province wrote is marked as Chinese."""
    browser = gd.person(Role.RECEIVER, HANDLER, lang="en")
    page = text(browser.get(address(browser)))
    ours = re.sub(r'<(\w+)[^>]*lang="zh[^"]*"[^>]*>.*?</\1>', "", page, flags=re.DOTALL)
    ours = re.sub(r"<svg.*?</svg>", "", ours, flags=re.DOTALL)
    ours = re.sub(r'<ol class="timeline".*?</ol>', "", ours, flags=re.DOTALL)

    assert "Sign for" in page
    assert set(re.findall(r"[一-鿿]{2,}", ours)) == set()


def test_the_inbox_takes_few_queries(desk_network: Network, gz: Province, gd: DeskAt) -> None:
    """At most 30, however many rows."""
    send(desk_network, gz, *(alert(f"m-{number}") for number in range(12)))
    browser = gd.person(Role.LEADER, LEADER)
    with gd.province.here(), CaptureQueriesContext(connections[gd.province.code]) as captured:
        page = browser.get("/inbox/")

    assert text(page).count("data-row") == 13
    assert len(captured) <= 30


def test_the_clock_is_right_as_of_the_page(gd: DeskAt) -> None:
    """What is left is drawn by the server; when it is over the card moves to 已超时."""
    with gd.province.here():
        due = InboxItem.objects.get().due_at
    assert due is not None
    before = due - timedelta(minutes=7)
    gd.later(seconds=int((before - gd.province.net.clock.at).total_seconds()))
    browser = gd.person(Role.RECEIVER, HANDLER)
    soon = text(browser.get("/inbox/"))
    gd.later(minutes=9)
    over = text(browser.get("/inbox/"))

    assert 'data-left="7"' in soon
    assert "60 分钟内" in soon
    assert "已超时" in over
    assert "超时" in over


def test_a_question_is_replied_to_where_it_lies(desk_network: Network, gz: Province, gd: DeskAt) -> None:
    """广东 asks for more; at 贵州's desk the question can be replied to, once."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    browser.post(f"{where}claim/")
    browser.post(f"{where}ask/", ACTS["ask"])
    desk_network.settle()
    origin = DeskAt(gz)
    with gz.here():
        asked = InboxItem.objects.select_related("message").get()
        asker, letter = asked.officer_ref, f"/m/{asked.message.message_id}/"
    reader = origin.person(Role.LEADER, asker)
    shown = text(reader.get(letter))
    done = reader.post(f"{letter}reply/", {"text": "照片见下次补充"})

    assert "请补充照片" in shown
    assert f"{letter}reply/" in shown
    assert done.status_code == 302
    assert reader.post(f"{letter}reply/", {"text": "再一次"}).status_code == 404


def test_a_phone_call_is_recorded_with_two_names(gd: DeskAt) -> None:
    """Who took it and who wrote it down."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    done = browser.post(f"{where}phone/", {"other_officer": SUBSTITUTE})
    page = text(browser.get(where))

    assert done.status_code == 302
    assert in_database(gd, InboxItem)[0].claimed_by == SUBSTITUTE
    assert "演练乙" in page
    assert "演练甲" in page


def test_the_keys_can_be_switched_off(gd: DeskAt) -> None:
    """For the account, on every page; and on again."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    pages = [text(browser.post("/inbox/keys/", {"on": on}, follow=True)) for on in ("0", "1")]

    assert ['data-shortcuts="no"' in pages[0], 'data-shortcuts="yes"' in pages[1]] == [True, True]


def test_the_badge_counts_what_waits(gd: DeskAt) -> None:
    """The fragment that an open page asks for by itself."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    before = text(browser.get("/badge/"))
    browser.post(f"{address(browser)}claim/")

    assert ">1<" in before
    assert "count" not in text(browser.get("/badge/"))


def test_an_answer_that_did_not_get_out_is_said_on_top(gd: DeskAt) -> None:
    """With the code's sentence and next step, until something else was sent."""
    browser = gd.person(Role.RECEIVER, HANDLER)
    where = address(browser)
    browser.post(f"{where}claim/")
    with gd.province.here():
        item = InboxItem.objects.select_related("message").get()
        facts = {"message_id": "x", "code": "TB-404", "type": "answer"}
        now = gd.province.net.clock.now()
        Event.objects.create(message=item.message, at=now, kind="not_sent", facts=facts)
    lost = text(browser.get(where))
    browser.post(f"{where}progress/", ACTS["progress"])

    assert "没有发出" in lost
    assert "TB-404" in lost
    assert "没有发出" not in text(browser.get(where))


def test_beside_the_list_stands_how_the_machine_does(gd: DeskAt) -> None:
    """Who is on duty, since when the exchange isn't heard, what waits to be sent, how each channel does."""
    (gd.province.settings.folder / "channels.toml").write_text(
        MAIL.format(port=25, more=""), encoding="utf-8"
    )
    with gd.province.here():
        ChannelState.objects.create(
            name="mail", works=False, since=gd.province.net.clock.now(), reason="timeout"
        )
    browser = gd.person(Role.RECEIVER, HANDLER)
    well = beside(browser)
    gd.later(minutes=5)
    broken = beside(browser)

    for said in (
        "当前值班",
        "交换中心",
        "正常",
        "目录",
        "第 1 版",
        "渠道",
        "邮件",
        "12:00 起不通",
        "超时未答",
    ):
        assert said in well
    assert "12:00 起中断" in broken
    assert "待发" in broken


def beside(browser: Browser) -> str:
    page = text(browser.get("/inbox/"))
    return re.sub(r"<[^>]+>", "", page[page.index("<aside") : page.index("</aside>")])
