"""New drafts out of what was issued before: 改发 to another province, 修改后重发 after a rejection."""

import re
from typing import Any

import pytest

from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network, alert
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Role
from tongbao_connectors.papers.models import Paper
from tongbao_connectors.store.models import ContentKey, Draft, InboxItem, Message, Opening

AUTHOR, OTHER, REVIEWER, LEADER = "A-0120", "A-0118", "A-0117", "A-0001"
GUANGDONG, ZHEJIANG = "440000", "330000"
NETWORK = ("520000", GUANGDONG, ZHEJIANG, "100000")


@pytest.fixture
def gz(desk_network: Network) -> DeskAt:
    """贵州's desk, with 广东 and 浙江 beside it."""
    there = desk_network.province("520000")
    desk_network.province(GUANGDONG), desk_network.province(ZHEJIANG)
    return DeskAt(there)


@pytest.fixture
def leader(gz: DeskAt) -> Browser:
    """Who re-issues."""
    return gz.person(Role.LEADER, LEADER)


def sent(gz: DeskAt, *, rejected: str = "", **over: Any) -> str:
    """The id of an alert that 贵州 sent to 广东; `rejected` with the code."""
    draft = gz.province.submit(alert("a-1", GUANGDONG, **over), by=AUTHOR)
    if rejected:
        gz.province.net.exchange.reject[draft.message_id] = rejected
    gz.province.net.settle()
    return draft.message_id


def suggested(gz: DeskAt, reference: str, to: str = ZHEJIANG) -> str:
    """The id of 广东's answer that suggests another province."""
    there = gz.province.net.provinces[GUANGDONG]
    with there.here():
        answer = casework.answer(
            reference,
            officer_ref="A-0117",
            roster=there.settings.roster(),
            at=gz.province.net.clock.now(),
            kind="redirect",
            to=to,
            text="对象已离开本省。",
            origin=GUANGDONG,
        )
    gz.province.net.settle()
    return answer.message_id


def issued(gz: DeskAt, address: str) -> str:
    """The id of what comes of a draft of the leader's, reviewed and issued by somebody else."""
    leader, reviewer = gz.person(Role.LEADER, LEADER), gz.person(Role.REVIEWER, REVIEWER)
    form = paper(gz).values | {"revision": [str(paper(gz).revision)], "act": ["submit"]}
    leader.post(address, form)
    for act in ("pass", "issue"):
        response = reviewer.post(f"{address}act/", {"act": act})
        assert response.status_code == 302, text(response)
    gz.province.net.settle()
    return paper(gz).message_id


def paper(gz: DeskAt) -> Paper:
    """The newest draft."""
    with gz.province.here():
        return Paper.objects.order_by("-pk")[0]


def openings(gz: DeskAt) -> list[tuple[str, str, str]]:
    """Of which types bodies were opened here, by whom and why."""
    with gz.province.here():
        rows = Opening.objects.order_by("pk").values_list("message__type", "officer_ref", "why")
        return list(rows)


def test_reissued_as_an_addressee_suggested(gz: DeskAt, leader: Browser, desk_network: Network) -> None:
    """The province comes out of the answer, the text out of the alert, both openings are recorded; reviewed
    and issued it is an alert of its own there, and both pages and both timelines name the other one.
    """
    old = sent(gz)
    answer = suggested(gz, old)
    page = text(leader.get(f"/sent/{old}/"))
    offered = re.search(r'href="([^"]+/reissue/\?answer=[^"]+)"', page)
    assert offered is not None
    form = text(leader.get(offered[1]))
    assert f'value="{answer}" id="suggestion_0" checked' in form
    assert "广东 · 建议改发" in form

    onwards = leader.post(f"/sent/{old}/reissue/", {"suggestion": answer})

    address = str(onwards.headers["Location"])
    drafted = paper(gz)
    assert drafted.values["audience"] == [ZHEJIANG]
    assert drafted.values["body.title"][0].startswith("演练甲")
    assert not [path for path in drafted.values if path.startswith(("deadlines.", "expires_at"))]
    assert openings(gz) == [("answer", LEADER, "改发"), ("alert", LEADER, "改发")]
    assert "改发自" in text(leader.get(address))
    assert "拟稿" in text(leader.get(f"/sent/{old}/"))
    new = issued(gz, address)
    with gz.province.here():
        first, second = Message.objects.get(message_id=old), Message.objects.get(message_id=new)
    assert second.number in text(leader.get(f"/sent/{old}/"))
    assert "改发 → 浙江" in text(leader.get(f"/sent/{old}/"))
    assert f"由 {first.number} 改发" in text(leader.get(f"/sent/{new}/"))
    with desk_network.provinces[GUANGDONG].here():
        assert InboxItem.objects.get().state == "redirected"
    with desk_network.provinces[ZHEJIANG].here():
        arrived = InboxItem.objects.select_related("message").get()
        assert (arrived.message.message_id, arrived.state) == (new, "waiting")
        assert arrived.message.sign_by is not None
        assert arrived.message.sign_by > desk_network.clock.now()


def test_one_more_province_without_a_suggestion(gz: DeskAt, leader: Browser) -> None:
    """The provinces are chosen; those that have it already aren't offered; nothing chosen says so.
    Of the draft others see that there is one.
    """
    old = sent(gz)
    page = text(leader.get(f"/sent/{old}/reissue/"))
    assert f'value="{ZHEJIANG}"' in page
    assert f'value="{GUANGDONG}"' not in page
    refused = leader.post(f"/sent/{old}/reissue/", {})
    assert refused.status_code == 422
    assert "至少选择一个省" in text(refused)

    leader.post(f"/sent/{old}/reissue/", {"to": [ZHEJIANG]})

    assert paper(gz).values["audience"] == [ZHEJIANG]
    assert paper(gz).source == old
    assert openings(gz) == [("alert", LEADER, "改发")]
    draft = f'href="/drafts/{paper(gz).pk}/"'
    assert draft in text(leader.get(f"/sent/{old}/"))
    seen = text(gz.person(Role.RECEIVER, OTHER).get(f"/sent/{old}/"))
    assert "拟稿" in seen
    assert draft not in seen
    assert "浙江" not in seen


def test_what_cannot_be_reissued(gz: DeskAt, leader: Browser) -> None:
    """Somebody of another unit may not; nor what is cancelled or purged; no draft comes of it."""
    old = sent(gz)
    far = gz.person(Role.RECEIVER, OTHER)
    assert far.post(f"/sent/{old}/reissue/", {"to": [ZHEJIANG]}).status_code == 403
    with gz.province.here():
        kept = ContentKey.objects.get(message__message_id=old)
        ContentKey.objects.filter(pk=kept.pk).delete()
    assert leader.post(f"/sent/{old}/reissue/", {"to": [ZHEJIANG]}).status_code == 409
    with gz.province.here():
        kept.save(force_insert=True)
    leader.post(f"/sent/{old}/cancel/", {"ground": "subject_found", "text": "请撤控。"})

    assert leader.post(f"/sent/{old}/reissue/", {"to": [ZHEJIANG]}).status_code == 409

    assert "/reissue/" not in text(leader.get(f"/sent/{old}/"))
    with gz.province.here():
        assert Paper.objects.count() == 0
        assert Opening.objects.count() == 0


def test_rejected_by_the_exchange_it_is_corrected_and_sent_again(gz: DeskAt, leader: Browser) -> None:
    """The page says what was refused and what to do; the new draft holds all that was typed, and the alert
    that comes of it and the rejected one name each other.
    """
    times = {
        "sign_by": "2026-12-01T08:00:00.000Z",
        "first_feedback_by": "2026-12-02T08:00:00.000Z",
        "result_by": "2026-12-03T08:00:00.000Z",
        "basis": "专案约定",
    }
    old = sent(gz, rejected="TB-404", deadlines=times, expires_at="2026-12-20T08:00:00.000Z")
    page = text(leader.get(f"/sent/{old}/"))
    for said in ("交换中心未予登记", "TB-404", "修改后重发", "未予登记"):
        assert said in page
    assert f"/sent/{old}/close/" not in page
    assert "未予登记 TB-404" in text(leader.get("/sent/"))

    onwards = leader.post(f"/sent/{old}/again/")

    values = paper(gz).values
    assert values["audience"] == [GUANGDONG]
    assert values["deadlines.basis"] == ["专案约定"]
    assert values["deadlines.sign_by"] == ["2026-12-01T16:00"]
    assert values["expires_at"] == ["2026-12-20T16:00"]
    assert openings(gz) == [("alert", LEADER, "修改后重发")]
    new = issued(gz, str(onwards.headers["Location"]).split("?")[0])
    with gz.province.here():
        number = Message.objects.get(message_id=new).number
    assert number in text(leader.get(f"/sent/{old}/"))
    assert "修改后重发" in text(leader.get(f"/sent/{new}/"))


def test_deadlines_that_nobody_typed_are_not_taken_over(gz: DeskAt, leader: Browser) -> None:
    """What the connector filled in by agreement is filled in anew."""
    old = sent(gz, rejected="TB-404")

    leader.post(f"/sent/{old}/again/")

    assert not [path for path in paper(gz).values if path.startswith(("deadlines.", "expires_at"))]


def test_what_went_well_is_not_sent_again(gz: DeskAt, leader: Browser) -> None:
    """Only what was rejected or refused; nobody else's hands."""
    good = sent(gz)
    assert leader.post(f"/sent/{good}/again/").status_code == 404
    other = gz.province.submit(alert("a-2", GUANGDONG), by=AUTHOR)
    gz.province.net.exchange.reject[other.message_id] = "TB-404"
    gz.province.net.settle()

    far = gz.person(Role.RECEIVER, OTHER)

    assert far.post(f"/sent/{other.message_id}/again/").status_code == 403
    assert "修改后重发" not in text(far.get(f"/sent/{other.message_id}/"))


def test_english(gz: DeskAt) -> None:
    """No Chinese words of ours on the form's page, and the drafts are told of in English."""
    old = sent(gz)
    suggested(gz, old)
    reader = gz.person(Role.LEADER, LEADER, lang="en")
    page = text(reader.get(f"/sent/{old}/reissue/"))
    left = set(re.findall(r">([^<]*[\u4e00-\u9fff][^<]*)<", page))
    assert {each for each in left if "黔2026" not in each} == {"中文", f"演练员{LEADER}"}

    address = reader.post(f"/sent/{old}/reissue/", {"to": [ZHEJIANG]}).headers["Location"]

    assert "re-issued from" in text(reader.get(str(address)))
    assert "Being drafted" in text(reader.get(f"/sent/{old}/"))


def test_a_refused_draft_names_what_came_of_it(gz: DeskAt, leader: Browser, desk_network: Network) -> None:
    """Refused by the connector itself: the page names the draft that was made of it."""
    refused = gz.province.submit(alert("a-3", "650000"))
    desk_network.settle()
    with gz.province.here():
        assert Draft.objects.get(client_ref="a-3").state == "refused"

    leader.post(f"/sent/{refused.message_id}/again/")

    page = text(leader.get(f"/sent/{refused.message_id}/"))
    assert "重发" in page
    assert f"/drafts/{paper(gz).pk}/" in page


def test_a_suggested_province_that_takes_no_part_stays_chosen(gz: DeskAt, leader: Browser) -> None:
    """It stands among the addressees of the draft, and the page says why it can't be notified."""
    old = sent(gz)
    answer = suggested(gz, old, "620000")

    address = str(leader.post(f"/sent/{old}/reissue/", {"suggestion": answer}).headers["Location"])

    page = text(leader.get(address))
    assert 'name="audience" value="620000" checked' in page
    assert "甘肃当前未启用" in page


def test_where_nobody_is_left_only_the_suggestion_is_offered(gz: DeskAt, leader: Browser) -> None:
    """Every other province has the alert already: no empty list of provinces; choosing nothing says so."""
    draft = gz.province.submit(alert("a-1", ZHEJIANG, GUANGDONG), by=AUTHOR)
    gz.province.net.settle()
    suggested(gz, draft.message_id, "620000")
    gz.province.net.change(
        participants=[
            each | {"status": "active" if each["code"] in NETWORK else "left"}
            for each in gz.province.net.world.document["participants"]
        ]
    )
    gz.province.net.settle()

    page = text(leader.get(f"/sent/{draft.message_id}/reissue/"))
    refused = leader.post(f"/sent/{draft.message_id}/reissue/", {})

    assert 'name="suggestion"' in page
    assert 'name="to"' not in page
    assert refused.status_code == 422
