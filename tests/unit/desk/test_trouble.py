"""Pages about what went wrong: they lead on, in both languages, and say nothing of a case."""

import pytest

from tests.support.desk import DeskAt
from tests.support.province import alert
from tongbao_broker.errors import Unreachable
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import start

NOBODYS = "/m/01900000-0000-7000-8000-000000000000/"
WAYS = {
    "no such page": ("/nowhere/", 404, {"zh-CN": "检查地址", "en": "Check the address"}),
    "no such message": (NOBODYS, 404, {"zh-CN": "代码 OP-", "en": "Code OP-"}),
    "no right": ("/accounts/", 403, {"zh-CN": "管理员", "en": "administrator"}),
}


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("way", WAYS)
def test_the_page_leads_on(desk_of_gd: DeskAt, way: str, lang: str) -> None:
    """Navigation of this very person, a next step, the way home; in the reader's language."""
    path, status, said = WAYS[way]
    answer = desk_of_gd.person(Role.RECEIVER, "A-0117", lang=lang).get(path)

    assert answer.status_code == status
    assert f'lang="{lang}"' in answer.text[:200]
    assert '<a href="/inbox/"' in answer.text
    assert said[lang] in answer.text
    assert {"zh-CN": "回到首页", "en": "Back to the start"}[lang] in answer.text


def test_a_form_of_another_login_leads_on(desk_of_gd: DeskAt) -> None:
    """403 with what to do; nothing was sent."""
    person = desk_of_gd.person(Role.RECEIVER, "A-0117")
    person._client.handler.enforce_csrf_checks = True
    answer = person.post("/inbox/keys/", {"on": "0"})

    assert answer.status_code == 403
    assert "表单已失效，没有提交" in answer.text
    assert '<a href="/inbox/"' in answer.text


def test_a_failure_that_nobody_foresaw_leads_on(desk_of_gd: DeskAt, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with a mark to find it by; what failed is in the log only."""

    def fails(*_given: object) -> None:
        raise ValueError("演练甲")

    monkeypatch.setattr(start, "navigation", fails)
    answer = desk_of_gd.person(Role.RECEIVER, "A-0117").get("/")

    assert answer.status_code == 500
    assert "代码 e-" in answer.text
    assert '<a href="/inbox/"' in answer.text
    assert "演练甲" not in answer.text


def test_a_page_that_cannot_be_drawn_is_said_in_plain_words(
    desk_of_gd: DeskAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database itself is away: the sentence, the next step, the mark."""

    def away(*_given: object) -> None:
        raise Unreachable("database")

    person = desk_of_gd.person(Role.RECEIVER, "A-0117")
    monkeypatch.setattr("tongbao_connectors.desk.pages.render", away)
    answer = person.get("/nowhere/")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines()[0] == "没有这个页面"


def test_nothing_of_a_case_is_said(desk_of_gd: DeskAt) -> None:
    """Somebody who may not see an alert that is here learns nothing about it."""
    net = desk_of_gd.province.net
    net.provinces["520000"].submit(alert("a-1"))
    net.settle()
    with desk_of_gd.province.here():
        from tongbao_connectors.store.models import InboxItem

        message = InboxItem.objects.select_related("message").get().message
    page = desk_of_gd.person(Role.RECEIVER, "A-0120").get(f"/m/{message.message_id}/")

    assert page.status_code == 403
    assert message.number not in page.text
    assert "演练甲" not in page.text
