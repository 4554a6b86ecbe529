"""Files on the pages of what was received and sent: listed, opened on record, handed out as downloads."""

import json
import re
from html import escape
from typing import Any

import pytest

from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network, Province, alert, alert_body
from tongbao_connectors import drafts
from tongbao_connectors.authorisation import Role
from tongbao_connectors.files import File
from tongbao_connectors.store.models import Event, Message, Opening
from tongbao_schemas.bodies.attachment import cut
from tongbao_schemas.codes import MessageType
from tongbao_schemas.encoding import compact_json

HANDLER, LEADER, SENDER = "A-0117", "A-0001", "A-0120"
HTML_INSIDE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR<script>alert(1)</script>"
PICTURE = File.read("演练 & 照片’1.png", HTML_INSIDE)
NOTE = File.read("演练笔录.txt", "演练：说明。".encode())


@pytest.fixture
def gz(desk_network: Network) -> DeskAt:
    """贵州's desk."""
    return DeskAt(desk_network.province("520000"))


@pytest.fixture
def gd(desk_network: Network, gz: DeskAt) -> DeskAt:
    """广东's desk with an alert and its two files."""
    there = desk_network.province("440000")
    send(gz.province, PICTURE, NOTE)
    desk_network.settle()
    return DeskAt(there)


def send(sender: Province, *files: File, client_ref: str = "a-1", **over: Any) -> None:
    body = json.loads(alert_body(attachments=[file.note() for file in files]))
    with sender.here():
        drafts.submit(
            alert(client_ref, body=body, **over),
            origin=sender.code,
            by=SENDER,
            now=sender.net.clock.now(),
            files=files,
        )


def page_of(browser: Browser, lists: str = "/inbox/") -> str:
    found = re.search(r'/(m|sent)/[0-9a-f-]{36}/(?=")', text(browser.get(lists)))
    assert found is not None
    return found[0]


def links(page: str) -> list[str]:
    return re.findall(r'href="(/(?:m|sent)/[0-9a-f-]{36}/files/[0-9a-f]{64}/)"', page)


def test_the_alert_lists_its_files(gd: DeskAt) -> None:
    """Name, type, size, state; each is a link."""
    reader = gd.person(Role.RECEIVER, HANDLER)
    page = text(reader.get(page_of(reader)))

    assert escape(PICTURE.name) in page
    assert "PNG 图片" in page
    assert f"{PICTURE.size} B" in page
    assert page.count("齐全") >= 2
    assert len(links(page)) == 2
    assert "<script>alert" not in page


def test_a_file_is_handed_out_as_a_download_and_recorded(gd: DeskAt) -> None:
    """As a file of its own name and type, not shown, not stored, not guessed; and who opened it is known."""
    reader = gd.person(Role.RECEIVER, HANDLER)
    first, second = links(text(reader.get(page_of(reader))))
    response = reader.get(first)

    assert response.content == HTML_INSIDE
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%E6%BC%94")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reader.get(second).headers["Content-Type"] == "text/plain; charset=utf-8"
    with gd.province.here():
        assert Opening.objects.count() == 3
        assert Event.objects.filter(kind="file_opened", officer_ref=HANDLER).count() == 2


def test_who_is_not_near_says_why_first(gd: DeskAt) -> None:
    """A leader types a reason; without one nothing opens."""
    reader, leader = gd.person(Role.RECEIVER, HANDLER), gd.person(Role.LEADER, LEADER)
    [link, _] = links(text(reader.get(page_of(reader))))
    asked = leader.get(link)
    assert "打开附件" in text(asked)
    assert leader.post(link, {"why": " "}).status_code == 422
    with gd.province.here():
        assert Opening.objects.filter(officer_ref=LEADER).count() == 0

    assert leader.post(link, {"why": "抽查"}).content == HTML_INSIDE
    with gd.province.here():
        assert Opening.objects.get(officer_ref=LEADER).why == "抽查"


@pytest.mark.parametrize("handling", ["H2", "H3"])
def test_a_handling_code_that_forbids_exporting_forbids_files(
    desk_network: Network, gz: DeskAt, handling: str
) -> None:
    """Listed, with the reason; without a link, and the address doesn't help."""
    gd = DeskAt(desk_network.province("440000"))
    send(gz.province, PICTURE, handling=handling)
    desk_network.settle()
    reader = gd.person(Role.RECEIVER, HANDLER)
    address = page_of(reader)
    page = text(reader.get(address))

    assert escape(PICTURE.name) in page
    assert "须先征得来源省同意" in page
    assert links(page) == []
    assert reader.get(f"{address}files/{PICTURE.digest[7:]}/").status_code == 403


def test_an_administrator_and_another_province_get_nothing(gd: DeskAt, gz: DeskAt) -> None:
    """No role of the one, no such message of the other; a digest that nothing has is not found."""
    reader = gd.person(Role.RECEIVER, HANDLER)
    address = page_of(reader)

    assert gd.person(Role.ADMIN, "A-0118").get(f"{address}files/{PICTURE.digest[7:]}/").status_code == 403
    assert reader.get(f"{address}files/{'0' * 64}/").status_code == 404
    assert gd.stranger().get(f"{address}files/{PICTURE.digest[7:]}/").status_code == 302
    with gd.province.here():
        assert Event.objects.filter(kind="file_opened").count() == 0


def test_the_sender_sees_and_opens_what_it_sent(gd: DeskAt, gz: DeskAt) -> None:
    """From its own sealed bytes."""
    sender = gz.person(Role.RECEIVER, SENDER)
    page = text(sender.get(page_of(sender, "/sent/")))
    [link, _] = links(page)

    assert link.startswith("/sent/")
    assert sender.get(link).content == HTML_INSIDE


def test_what_is_not_here_is_said(desk_network: Network, gz: DeskAt) -> None:
    """An alert lists a file that nobody has sent; one that differs; one sent later."""
    gd = DeskAt(desk_network.province("440000"))
    body = json.loads(alert_body(attachments=[PICTURE.note(), NOTE.note()]))
    sent = gz.province.submit(alert("a-1", body=body))
    desk_network.settle()
    other = File.read(NOTE.name, "别的内容".encode())
    later = File.read("后补.txt", "后补".encode())
    with gz.province.here():
        about = Message.objects.get(message_id=sent.message_id)
        for file in (other, later):
            content = {
                "client_ref": f"part-{file.name}",
                "type": MessageType.ATTACHMENT,
                "status": about.status,
                "audience": ["440000"],
                "urgency": about.urgency,
                "handling": about.handling,
                "category": about.category,
                "refs": [{"id": about.message_id, "digest": about.digest, "relation": "supplements"}],
                "body": next(cut(file.name, file.content)),
            }
            now = desk_network.clock.now()
            drafts.submit(compact_json(content), origin="520000", by=SENDER, now=now)
    desk_network.settle()
    reader = gd.person(Role.RECEIVER, HANDLER)
    page = text(reader.get(page_of(reader)))

    assert "未到" in page
    assert "与通报所列不符" in page
    assert "补充附件" in page
    assert [link[-65:-1] for link in links(page)] == [later.digest[7:]]
