"""The files of a draft: given, judged, listed, taken away, handed over, forgotten."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.support.desk import Browser, DeskAt, text
from tests.support.province import Network
from tests.unit.desk.test_paper_pages import imported, pressed, typed
from tongbao_connectors import casework
from tongbao_connectors.authorisation import Role
from tongbao_connectors.casework.files import Stand
from tongbao_connectors.papers.models import Enclosure, Paper
from tongbao_connectors.store.models import HeldFile, Message
from tongbao_schemas.bodies.attachment import MOST_BYTES
from tongbao_schemas.codes import MessageType

AUTHOR, REVIEWER, LEADER = "A-0120", "A-0117", "A-0001"
PDF = b"%PDF-1.7\n" + b"x" * 300_000
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(20)
HOSTILE = "<img src=x onerror=alert(1)>.png"


@pytest.fixture
def gz(desk_network: Network) -> DeskAt:
    """贵州's desk, with 广东 beside it."""
    desk_network.province("440000")
    return DeskAt(desk_network.province("520000"))


@pytest.fixture
def author(gz: DeskAt) -> Browser:
    return gz.person(Role.RECEIVER, AUTHOR)


def given(author: Browser, address: str, *files: tuple[str, bytes], act: str = "attach") -> Any:
    """The answer to the form as it stands, with these files chosen."""
    data: dict[str, Any] = typed(text(author.get(address)))
    data |= {"act": act, "attach": [SimpleUploadedFile(name, content) for name, content in files]}
    return author.post(address, data)


def names(gz: DeskAt) -> list[str]:
    with gz.province.here():
        return list(Enclosure.objects.order_by("pk").values_list("name", flat=True))


def test_files_are_kept_listed_and_taken_away(gz: DeskAt, author: Browser) -> None:
    """Without a script: the page shows each with type and size, opens it as a download, removes it."""
    address = imported(author)
    response = given(author, address, ("法律文书.pdf", PDF), ("照片.png", PNG))
    assert response.headers["Location"] == f"{address}#body-attachments"
    page = text(author.get(address))
    assert "法律文书.pdf" in page
    assert "PDF 文件 · 293 KB" in page
    assert "拍摄信息不去除" in page
    with gz.province.here():
        first, second = Enclosure.objects.order_by("pk")
    got = author.get(f"{address}files/{first.pk}/")
    assert got.content == PDF
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"

    pressed(author, address, f"detach:{second.pk}")
    assert names(gz) == ["法律文书.pdf"]


def test_what_was_typed_is_saved_with_the_upload(gz: DeskAt, author: Browser) -> None:
    """And files that are chosen when something else is pressed are kept too; the same file twice is one."""
    address = imported(author)
    for act in ("save", "attach"):
        given(author, address, ("照片.png", PNG), act=act)

    assert names(gz) == ["照片.png"]


WRONG = {
    "html called a picture": ([("a.png", b"<html></html>")], "名称、类型与内容不一致"),
    "a spreadsheet": ([("a.xlsx", b"PK\x03\x04")], "名称、类型与内容不一致"),
    "two of one name": ([("a.png", PNG), ("A.PNG", PNG + b"x")], "已有同名文件"),
    "a long name": ([("长" * 58 + ".png", PNG)], "文件名最多 60 个字"),
    "an empty file": ([("a.txt", b"")], "名称、类型与内容不一致"),
    "too long": ([("a.png", PNG + bytes(MOST_BYTES))], "合计超过 20 MiB"),
    "too much together": (
        [("a.png", PNG + bytes(MOST_BYTES // 2)), ("b.png", PNG + bytes(MOST_BYTES // 2))],
        "合计超过 20 MiB",
    ),
    "a mark of secrecy": ([("【机密】a.png", PNG)], "涉密文件不得在本系统传递"),
    "markup for a name": ([(HOSTILE, PNG)], "文件名最多 60 个字"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_on_top_and_at_the_field(gz: DeskAt, author: Browser, case: str) -> None:
    """Nothing of a bad file is kept; what was typed is."""
    files, said = WRONG[case]
    address = imported(author)
    response = given(author, address, *files)
    page = text(response)

    assert response.status_code == 422
    assert page.count(said) == 2
    assert 'href="#body-attachments"' in page
    assert "<img" not in page
    assert len(names(gz)) == len(files) - 1


def through(gz: DeskAt, author: Browser, address: str) -> Any:
    """审核 and 签发."""
    pressed(author, address, "submit")
    gz.person(Role.REVIEWER, REVIEWER).post(f"{address}act/", {"act": "pass"})
    return gz.person(Role.LEADER, LEADER).post(f"{address}act/", {"act": "issue"})


def test_files_go_with_the_alert(desk_network: Network, gz: DeskAt, author: Browser) -> None:
    """Reviewers open them; with the issue they leave the draft, and arrive as the alert lists them."""
    address = imported(author, audience=["440000"])
    given(author, address, ("法律文书.pdf", PDF))
    pressed(author, address, "submit")
    reviewer = gz.person(Role.REVIEWER, REVIEWER)
    with gz.province.here():
        key = Enclosure.objects.get().pk
    assert "法律文书.pdf" in text(reviewer.get(address))
    assert "移除" not in text(reviewer.get(address))
    assert reviewer.get(f"{address}files/{key}/").content == PDF
    assert gz.person(Role.SUPERVISOR, "A-0901", unit="duty").get(f"{address}files/{key}/").status_code == 403
    reviewer.post(f"{address}act/", {"act": "pass"})
    issued = gz.person(Role.LEADER, LEADER).post(f"{address}act/", {"act": "issue"})
    assert issued.headers["Location"].startswith("/sent/")
    with gz.province.here():
        assert Enclosure.objects.count() == 0
        assert HeldFile.objects.get().name == "法律文书.pdf"
    desk_network.settle()

    there = desk_network.provinces["440000"]
    with there.here():
        message = Message.objects.get(type=MessageType.ALERT)
        notes = casework.plain_body(message)["attachments"]
        [file] = casework.files_of(message, notes)
        assert (file.stand, file.content) == (Stand.COMPLETE, PDF)


def test_discarding_deletes_the_files(gz: DeskAt, author: Browser) -> None:
    """What is not sent doesn't stay."""
    address = imported(author)
    given(author, address, ("照片.png", PNG))
    author.post(f"{address}act/", {"act": "discard"})

    assert names(gz) == []


def test_a_draft_made_anew_has_the_files_of_the_old_alert(
    desk_network: Network,
    gz: DeskAt,
    author: Browser,
) -> None:
    """修改后重发: what the rejected alert listed comes along, byte for byte."""
    address = imported(author)
    given(author, address, ("法律文书.pdf", PDF))
    through(gz, author, address)
    gz.province.turn()
    with gz.province.here():
        alert = Message.objects.get(type=MessageType.ALERT)
    desk_network.exchange.reject[alert.message_id] = "TB-414"
    desk_network.settle()
    again = author.post(f"/sent/{alert.message_id}/again/")

    assert again.status_code == 302, text(again)
    with gz.province.here():
        paper = Paper.objects.get(source=alert.message_id)
        [file] = paper.files.all()
        assert (file.name, bytes(file.content)) == ("法律文书.pdf", PDF)


def test_an_imported_list_of_files_is_refused(author: Browser) -> None:
    """A draft's files are uploaded; a list without them would promise what nobody has."""
    from tests.support.province import alert

    data = json.loads(alert("case-1"))
    data["body"]["attachments"] = [{"name": "a.pdf", "digest": f"sha256:{'0' * 64}", "size": 1}]

    assert author.post("/drafts/import/", {"text": json.dumps(data)}).status_code == 422
