"""The pages of sending: a draft from 拟稿 over 审核 to 签发, without a script."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network, alert
from tongbao_connectors.authorisation import Role
from tongbao_connectors.papers import clearing
from tongbao_connectors.papers.models import Paper
from tongbao_connectors.store.models import Draft
from tongbao_schemas.codes import Category

AUTHOR, REVIEWER, LEADER = "A-0120", "A-0117", "A-0001"


@pytest.fixture
def gz(desk_network: Network) -> DeskAt:
    """贵州's desk, with 广东 beside it."""
    desk_network.province("440000")
    return DeskAt(desk_network.province("520000"))


@pytest.fixture
def author(gz: DeskAt) -> Browser:
    """A receiver who drafts."""
    return gz.person(Role.RECEIVER, AUTHOR)


@pytest.fixture
def reviewer(gz: DeskAt) -> Browser:
    """Somebody else, who reviews."""
    return gz.person(Role.REVIEWER, REVIEWER)


@pytest.fixture
def leader(gz: DeskAt) -> Browser:
    """Who issues."""
    return gz.person(Role.LEADER, LEADER)


def begun(author: Browser, category: Category = Category.ONLINE) -> str:
    """The address of a new draft."""
    return str(author.post("/drafts/new/", {"category": category.value}).headers["Location"])


def imported(author: Browser, **over: Any) -> str:
    """The address of a draft that was imported without a fault."""
    data = json.loads(alert("case-1", status="test", **over))
    data["body"]["movement"]["window"] |= {
        "from": "2026-11-24T10:00:00.000Z",
        "until": "2026-11-24T22:00:00.000Z",
    }
    response = author.post("/drafts/import/", {"text": json.dumps(data)})
    assert response.status_code == 302, text(response)
    return str(response.headers["Location"]).split("?")[0]


def typed(page: str) -> dict[str, list[str]]:
    """What a browser would post of the form of a page, but for the buttons."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, list[str]] = {}
            self.select = self.area = ""
            self.inside = False

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            at = dict(attrs)
            if tag == "form":
                self.inside = "sheet" in (at.get("class") or "")
            if not self.inside:
                return
            name = at.get("name") or ""
            if tag == "input" and name and at.get("type") not in ("file", "submit"):
                if at.get("type") not in ("checkbox", "radio") or "checked" in at:
                    self.found.setdefault(name, []).append(at.get("value") or "")
            elif tag == "select":
                self.select = name
                self.found.setdefault(name, [""])
            elif tag == "option" and self.select and "selected" in at:
                self.found[self.select] = [at.get("value") or ""]
            elif tag == "textarea":
                self.area = name
                self.found[name] = [""]

        def handle_endtag(self, tag: str) -> None:
            if tag == "select":
                self.select = ""
            if tag == "textarea":
                self.area = ""
            if tag == "form":
                self.inside = False

        def handle_data(self, data: str) -> None:
            if self.area:
                self.found[self.area] = [(self.found[self.area][0] + data).removeprefix("\n")]

    reader = Reader()
    reader.feed(page)
    return reader.found


def pressed(author: Browser, address: str, act: str, **changes: list[str]) -> Any:
    """The answer to a button of the form, with everything that stands in it posted along."""
    values = typed(text(author.get(address))) | {
        name.replace("__", "."): each for name, each in changes.items()
    }
    return author.post(address, values | {"act": [act]})


def paper_of(gz: DeskAt) -> Paper:
    """The only draft."""
    with gz.province.here():
        return Paper.objects.get()


@pytest.mark.parametrize("category", Category)
def test_each_category_has_its_form(author: Browser, category: Category) -> None:
    """Every category opens a form whose controls all have a name and a label."""
    page = text(author.get(begun(author, category)))

    assert category.zh in page
    assert "<h1" in page
    ids = re.findall(r'<label for="([^"]+)"', page)
    assert all(f'id="{name}"' in page for name in ids)


def test_submitting_an_empty_draft_tells_every_fault_twice(author: Browser) -> None:
    """At the top with count and link, and with the same words at the field; the title says so first."""
    address = begun(author)

    page = text(author.get(pressed(author, address, "submit").headers["Location"]))

    links = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', page[page.index('id="summary"') :])
    assert re.search(r"<title>\s*错误：", page)
    assert f"有 {len(links)} 处需要修改" in page
    assert len(links) > 15
    for target, sentence in links:
        assert f'id="{target}"' in page
        assert page.count(sentence) >= 2, sentence


def test_nothing_typed_is_lost(author: Browser, gz: DeskAt) -> None:
    """Half a draft with faults is there again as it was typed, whatever button was pressed."""
    address = begun(author)
    said = {"body__title": ["半句 <b>&"], "body__contact__duty_phone": ["not a phone"], "urgency": ["flash"]}

    pressed(author, address, "add:body.subjects", **said)
    page = text(author.get(address))

    assert typed(page)["body.title"] == ["半句 <b>&"]
    assert typed(page)["body.contact.duty_phone"] == ["not a phone"]
    assert typed(page)["urgency"] == ["flash"]
    assert "<b>&" not in page.replace("&lt;b&gt;&amp;", "")
    assert "body.subjects[0].name" in typed(page)


def test_items_are_added_and_removed_without_a_script(author: Browser) -> None:
    """Two people, the first removed: the second moves up with what was typed."""
    address = begun(author)
    pressed(author, address, "add:body.subjects")
    pressed(author, address, "add:body.subjects", **{"body__subjects[0]__name": ["甲"]})
    pressed(author, address, "add:body.subjects[1].vehicles", **{"body__subjects[1]__name": ["乙"]})
    pressed(
        author, address, "remove:body.subjects:0", **{"body__subjects[1]__vehicles[0]__plate": ["贵A00000"]}
    )

    values = typed(text(author.get(address)))

    assert values["body.subjects[0].name"] == ["乙"]
    assert values["body.subjects[0].vehicles[0].plate"] == ["贵A00000"]
    assert "body.subjects[1].name" not in values


def test_a_request_lists_the_papers_it_needs(author: Browser) -> None:
    """布控 brings its paper's line and its own fields; what was typed there outlasts a change of mind."""
    address = begun(author)
    pressed(author, address, "papers", body__request__actions=["watch", "inspect"])
    page = text(author.get(address))
    assert "缺：布控审批表" in page
    assert typed(page)["body.request.papers[0].kind"] == ["watch_approval"]

    pressed(author, address, "save", body__watch__from=["2026-11-23T18:00"])
    values = typed(text(author.get(address)))
    author.post(address, values | {"body.request.actions": ["inspect"], "act": ["save"]})
    assert "body.watch.from" not in typed(text(author.get(address)))
    pressed(author, address, "save", body__request__actions=["watch"])
    assert typed(text(author.get(address)))["body.watch.from"] == ["2026-11-23T18:00"]


def test_an_ended_region_is_offered_its_heir(author: Browser) -> None:
    """富阳市 ended in 2014; one press puts 富阳区 there."""
    address = begun(author)
    page = text(
        author.get(
            pressed(author, address, "submit", body__movement__to__region=["富阳市（330183）"]).headers[
                "Location"
            ]
        )
    )
    assert "改为 富阳区（330111）" in page

    use = re.search(r'value="(use:body\.movement\.to\.region=[^"]+)"', page)
    assert use is not None
    pressed(author, address, use[1])

    assert typed(text(author.get(address)))["body.movement.to.region"] == ["浙江省 杭州市 富阳区（330111）"]


def test_a_file_leaves_its_digest_only(author: Browser, gz: DeskAt) -> None:
    """SHA-256 of what was chosen; the bytes are kept nowhere."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    address = begun(author)
    values = typed(text(author.get(address)))
    file = SimpleUploadedFile("立案决定书.pdf", b"exercise")
    author.post(address, values | {"act": ["save"], "file:body.legal_basis.digest": file})

    digest = typed(text(author.get(address)))["body.legal_basis.digest"]

    assert digest == ["sha256:94b0b4b1e3ea2e9a5ee1b8bd0a7d3c3e2a8a9c8b5c2f"] or digest[0].startswith(
        "sha256:"
    )
    assert len(digest[0]) == 71


def test_from_draft_to_issue_with_three_logins(
    author: Browser, reviewer: Browser, leader: Browser, gz: DeskAt
) -> None:
    """Submitted, passed, issued: then it is one draft for the connector, and the desk keeps no text."""
    address = imported(author)
    assert pressed(author, address, "submit").headers["Location"] == address
    assert "待审核" in text(reviewer.get("/drafts/?tab=review"))
    assert '发件 <span class="count">1</span>' in text(reviewer.get("/drafts/"))
    assert '发件 <span class="count">' not in text(author.get("/drafts/"))
    assert text(author.get(address)).count("拟稿人不能审核或签发自己的稿件")

    assert reviewer.post(f"{address}act/", {"act": "pass"}).status_code == 302
    issued = leader.post(f"{address}act/", {"act": "issue"})

    paper = paper_of(gz)
    assert issued.headers["Location"] == f"/sent/{paper.message_id}/"
    with gz.province.here():
        draft = Draft.objects.get()
        body = json.loads(bytes(draft.text or b""))["body"]
    assert body["prepared_by"]["officer_ref"] == AUTHOR
    assert body["approved_by"]["officer_ref"] == LEADER
    assert paper.form == {}
    assert "等待发出" in text(leader.get(issued.headers["Location"]))


@pytest.mark.parametrize("act", ["pass", "issue", "send_back"])
def test_the_author_has_no_way_to_approve_it_himself(gz: DeskAt, act: str) -> None:
    """Not as a leader either."""
    author = gz.person(Role.LEADER, LEADER)
    address = imported(author)
    pressed(author, address, "submit")

    response = author.post(f"{address}act/", {"act": act, "remark": "x"})

    assert response.status_code == 403
    with gz.province.here():
        assert Paper.objects.get().state == "reviewing"
        assert Draft.objects.count() == 0


def test_sent_back_with_remarks_and_corrected(author: Browser, reviewer: Browser, gz: DeskAt) -> None:
    """Without remarks it isn't sent back; with them they stand above the author's form."""
    address = imported(author)
    pressed(author, address, "submit")
    assert reviewer.post(f"{address}act/", {"act": "send_back", "remark": " "}).status_code == 422

    reviewer.post(f"{address}act/", {"act": "send_back", "remark": "写明车辆颜色"})

    page = text(author.get(address))
    assert "写明车辆颜色" in page
    assert pressed(author, address, "submit").headers["Location"] == address
    assert paper_of(gz).state == "reviewing"


def test_saved_elsewhere_meanwhile(author: Browser) -> None:
    """Two windows: the second is told, and keeps what it typed until it is pressed again."""
    address = begun(author)
    first = typed(text(author.get(address)))
    author.post(address, first | {"act": ["save"], "body.title": ["第一个窗口"]})

    late = author.post(address, first | {"act": ["save"], "body.title": ["第二个窗口"]})

    assert late.status_code == 409
    values = typed(text(late))
    assert values["body.title"] == ["第二个窗口"]
    author.post(address, values | {"act": ["save"]})
    assert typed(text(author.get(address)))["body.title"] == ["第二个窗口"]


@pytest.mark.parametrize(
    "data",
    [
        '[{"name": "演练甲"}]',
        '{"people": [{"name": "演练甲"}, {"name": "演练乙"}]}',
        json.dumps({"alerts": [json.loads(alert("a")), json.loads(alert("b"))]}),
    ],
)
def test_lists_are_not_imported(author: Browser, gz: DeskAt, data: str) -> None:
    """A sentence says so; what was pasted stays on the page, and no draft is made."""
    response = author.post("/drafts/import/", {"text": data})

    assert response.status_code == 422
    assert "不收人员名单" in text(response)
    with gz.province.here():
        assert not Paper.objects.exists()


@pytest.mark.parametrize(
    ("role", "reads"),
    [
        (Role.REVIEWER, True),
        (Role.LEADER, True),
        (Role.RECEIVER, False),
        (Role.SUPERVISOR, False),
        (Role.ADMIN, False),
    ],
)
def test_who_reads_a_draft_of_somebody_else(author: Browser, gz: DeskAt, role: Role, reads: bool) -> None:
    """Who may review it sees the paper, never the form; nobody but its author saves it."""
    other = gz.person(role, "A-0118")
    address = imported(author)

    page = other.get(address)

    assert page.status_code == (200 if reads else 403)
    assert ("在案人员供述" in text(page)) == reads
    assert 'name="body.title"' not in text(page)
    assert other.post(address, {"act": "save", "revision": "0"}).status_code == 403


def test_english_pages_have_no_chinese_words_of_ours(gz: DeskAt) -> None:
    """Labels, hints and faults are English; only what a province wrote and place names are Chinese."""
    author = gz.person(Role.RECEIVER, AUTHOR, lang="en")
    address = begun(author)
    page = text(author.get(pressed(author, address, "submit").headers["Location"]))

    page = re.sub(r"<datalist.*?</datalist>", "", page, flags=re.DOTALL)
    page = re.sub(r'<(span|b|p)[^>]*lang="zh"[^>]*>.*?</\1>', "", page, flags=re.DOTALL)
    left = {
        line.strip()
        for line in re.sub(r"<[^>]+>", "\n", page).split("\n")
        if re.search(r"[\u4e00-\u9fff]", line)
    }
    assert left <= {"中文"}


def test_hostile_text_is_shown_harmless(author: Browser, reviewer: Browser) -> None:
    """Script and HTML in fields, in the form and when it is read."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    address = imported(author)
    pressed(author, address, "save", body__title=[evil[:80]], body__facts=[evil])
    pressed(author, address, "submit")

    for page in (text(author.get(address)), text(reviewer.get(address))):
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_no_style_attribute_and_no_inline_script(author: Browser) -> None:
    """The strict content policy has nothing to refuse."""
    address = begun(author)
    pressed(author, address, "add:body.targets:site")

    for path in (address, f"{address}?checked=1", "/drafts/", "/drafts/new/", "/sent/"):
        page = text(author.get(path))
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page), path


def test_a_form_needs_its_token(author: Browser) -> None:
    """The view that reads uploads as a stream checks it like every other."""
    from django.test import Client

    address = begun(author)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = author._client.cookies
    with author.province.here():
        assert strict.post(address, {"act": "save", "revision": "0"}).status_code == 403


def test_what_was_typed_outlasts_the_login(author: Browser, gz: DeskAt) -> None:
    """The login ended while he wrote: his draft is saved and the login page says so; no more is done."""
    address = begun(author)
    values = typed(text(author.get(address))) | {"body.title": ["写了很久"], "act": ["submit"]}
    gz.later(minutes=16)

    response = author.post(address, values)

    where = response.headers["Location"]
    assert where.startswith("/login/?next=%2Fdrafts%2F1%2F&kept=1")
    assert "已保存在草稿里" in text(author.get(where))
    paper = paper_of(gz)
    assert (paper.values["body.title"], paper.state) == (["写了很久"], "drafting")


def test_an_ended_login_keeps_nothing_of_somebody_elses_draft(author: Browser, gz: DeskAt) -> None:
    """Only the author's own draft is saved."""
    other = gz.person(Role.RECEIVER, "A-0118")
    address = begun(author)
    gz.later(minutes=16)

    response = other.post(address, {"body.title": ["别人的"], "act": ["save"]})

    assert response.headers["Location"] == "/login/?ended=idle"
    assert "body.title" not in paper_of(gz).values


def test_another_category_says_first_what_it_drops(author: Browser, gz: DeskAt) -> None:
    """Pressing 改类别 saves what is typed; the page names what each category would delete; all else stays."""
    address = imported(author)
    onwards = pressed(author, address, "category", body__title=["改过的标题"])
    where = str(onwards.headers["Location"])
    assert where == f"{address}category/"

    page = text(author.get(where))

    lost = page[page.index("只属于现类别的内容") : page.index("</section>")]
    for said in ("流入地点", "疑似作用"):
        assert said in lost
    assert page.count("删去：流入地点、疑似作用") == 5
    assert paper_of(gz).category == "outbound_trafficking"
    author.post(where, {"category": "online", "revision": str(paper_of(gz).revision)})
    paper = paper_of(gz)
    assert paper.category == "online"
    assert paper.values["body.title"] == ["改过的标题"]
    assert not [path for path in paper.values if path.startswith(("body.to_places", "body.suspected_role"))]
    assert "外流贩毒 → 网络涉毒" in text(author.get(address))
    assert "删去：流入地点" not in text(author.get(where))


def test_the_category_is_the_authors(author: Browser, gz: DeskAt, reviewer: Browser) -> None:
    """Nobody else changes it; what was saved elsewhere is shown first; a locked draft stays."""
    address = imported(author)
    assert reviewer.get(f"{address}category/").status_code == 403
    assert reviewer.post(f"{address}category/", {"category": "online", "revision": "0"}).status_code == 403

    stale = author.post(f"{address}category/", {"category": "online", "revision": "9"})
    pressed(author, address, "submit")
    locked = author.post(f"{address}category/", {"category": "online", "revision": "1"})

    assert str(stale.headers["Location"]) == f"{address}category/"
    assert str(locked.headers["Location"]) == address
    assert paper_of(gz).category == "outbound_trafficking"


def test_the_page_says_when_a_draft_will_be_cleared(author: Browser, gz: DeskAt, reviewer: Browser) -> None:
    """For the last seven days, on the draft and in the list; cleared, the author is told that it was."""
    address = imported(author)
    number = paper_of(gz).pk
    assert "将于" not in text(author.get(address))
    gz.later(days=23)
    author, reviewer = gz.person(Role.RECEIVER, AUTHOR), gz.person(Role.REVIEWER, REVIEWER)
    for page in (address, "/drafts/"):
        assert "将于 12-23 清除" in text(author.get(page)), page
    with gz.province.here():
        assert clearing.clear(30, gz.desk.now() + timedelta(days=7)) == 1

    page = text(author.get("/drafts/"))

    assert "长期未动，已清除" in page
    assert f"草稿 {number}" in page
    assert "系统" in text(author.get(address))
    assert "长期未动，自动清除" in text(author.get(address))
    assert "长期未动" not in text(reviewer.get("/drafts/"))
