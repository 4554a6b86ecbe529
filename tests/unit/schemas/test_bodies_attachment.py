"""The body of an attachment, and how a file is cut and put together again."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schemas import alerts
from tongbao_schemas.bodies.attachment import (
    ENDINGS,
    MOST_BYTES,
    MOST_PARTS,
    PART_BYTES,
    AttachmentBody,
    cut,
    is_of,
    join,
    media_type_of,
    parts_of,
)
from tongbao_schemas.bodies.codes import MediaType
from tongbao_schemas.bodies.parse import BODY_LIMIT, parse_body
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.encoding import b64encode, compact_json, digest
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

HTML = b"<html><script>alert(1)</script></html>"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(32)
JPEG = b"\xff\xd8\xff\xe0" + bytes(32)
OFD = b"PK\x03\x04" + bytes(22) + b"OFD.xml" + bytes(32)
FILES = {
    MediaType.PDF: alerts.PDF,
    MediaType.OFD: OFD,
    MediaType.JPEG: JPEG,
    MediaType.PNG: PNG,
    MediaType.TEXT: "演练笔录。\r\n\t第二行".encode(),
}


def read(body: dict[str, Any], status: Status = Status.EXERCISE) -> AttachmentBody:
    body_bytes = compact_json(body)
    parsed = parse_body("attachment/1.0", body_bytes, category=Category.ONLINE, status=status, at=alerts.AT)
    assert isinstance(parsed, AttachmentBody)
    return parsed


def refusal(body: dict[str, Any]) -> tuple[Code, str]:
    with pytest.raises(Refused) as caught:
        read(body)
    return caught.value.code, caught.value.where


@pytest.mark.parametrize("kind", MediaType)
def test_each_type_is_taken_under_each_of_its_endings(kind: MediaType) -> None:
    """The table of types is closed; an ending may be in capitals."""
    content = FILES[kind]
    for ending in ENDINGS[kind]:
        for name in (f"演练 1{ending}", f"演练.2{ending.upper()}"):
            assert read(alerts.attachment(content, name)).content == content
    assert is_of(kind, content)


@pytest.mark.parametrize("kind", MediaType)
def test_the_content_of_another_type_is_refused(kind: MediaType) -> None:
    """Renaming doesn't help: HTML, and a file of each other type, are told by their bytes."""
    name = f"a{ENDINGS[kind][0]}"
    others = [content for other, content in FILES.items() if other is not kind]
    for content in [HTML, b"MZ\x90\x00", *others] if kind is not MediaType.TEXT else [PNG, b"a\x00b"]:
        assert refusal(alerts.attachment(content, name)) == (Code.ATTACHMENT_CONTENT, "data")
        assert not is_of(kind, content)


def test_an_archive_is_no_ofd() -> None:
    """An OFD is a ZIP archive with an entry OFD.xml; of the whole file that is asked too."""
    assert not is_of(MediaType.OFD, b"PK\x03\x04" + bytes(64))
    assert not is_of(MediaType.TEXT, "笔录".encode("gb18030"))


NAMES = {
    "empty": "",
    "only an ending": ".pdf",
    "a path upwards": "../a.pdf",
    "a path": "a/b.pdf",
    "a Windows path": "a\\b.pdf",
    "a drive": "c:a.pdf",
    "a leading blank": " a.pdf",
    "a leading dot": ".a.pdf",
    "a wildcard": "a*.pdf",
    "markup": "<b>.pdf",
    "a quotation mark": 'a".pdf',
    "two lines": "a\nb.pdf",
    "no ending": "a",
    "an office format": "a.docx",
    "a program": "a.pdf.exe",
    "a trailing blank": "a.pdf ",
    "10 KB": "a" * 10240 + ".pdf",
    "61 characters": "a" * 57 + ".pdf",
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_no_system_stores_safely_is_refused(case: str) -> None:
    """Paths, hidden files, what Windows refuses, unknown endings, long names."""
    body = alerts.attachment() | {"name": NAMES[case]}
    assert refusal(body) == (Code.BODY_SHAPE, "name")
    note = {"name": NAMES[case], "digest": alerts.DIGEST, "size": 1}
    with pytest.raises(Refused) as caught:
        alerts.read(alerts.alert(attachments=[note]))
    assert caught.value.where == "attachments[0].name"


def test_a_name_with_a_direction_mark_never_passes_the_gate() -> None:
    """`fdp.exe` written backwards is an old trick."""
    assert refusal(alerts.attachment() | {"name": "a\u202efdp.pdf"})[0] is Code.FORBIDDEN_CHARACTER


WRONG: dict[str, tuple[dict[str, Any], Code, str]] = {
    "no digest": ({"digest": None}, Code.BODY_SHAPE, "digest"),
    "part 0": ({"part": 0}, Code.BODY_SHAPE, "part"),
    "part 2 of 1": ({"part": 2}, Code.ATTACHMENT_PART, "part"),
    "81 parts": ({"parts": MOST_PARTS + 1}, Code.BODY_SHAPE, "parts"),
    "a short first part": ({"parts": 2}, Code.ATTACHMENT_PART, "data"),
    "a byte too many": ({"data": b64encode(bytes(PART_BYTES + 1))}, Code.ATTACHMENT_PART, "data"),
    "far too long": ({"data": b64encode(bytes(PART_BYTES + 9))}, Code.BODY_SHAPE, "data"),
    "no data": ({"data": ""}, Code.BODY_SHAPE, "data"),
    "data with a line break": ({"data": "JVBE\nRi0x"}, Code.BASE64_FORM, "data"),
    "data with stray bits": ({"data": "JVBERi1="}, Code.BASE64_FORM, "data"),
    "an unknown type": ({"media_type": "text/html"}, Code.BODY_SHAPE, "media_type"),
    "a type of another ending": ({"media_type": "image/png"}, Code.ATTACHMENT_CONTENT, "media_type"),
    "who sent it": ({"by": {}}, Code.BODY_SHAPE, "(unknown field)"),
    "a mark of secrecy in its name": ({"name": "【机密】.pdf"}, Code.SECRET_DOCUMENT, "name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_part_of_a_file_is_refused(case: str) -> None:
    """Each fault has its code and its field."""
    changes, code, where = WRONG[case]
    assert refusal(alerts.attachment(**changes)) == (code, where)


def test_digits_in_the_data_are_no_id_number() -> None:
    """Base64 may spell what looks like an ID number; that is nobody's."""
    body = alerts.attachment(alerts.PDF, part=2, parts=2)
    assert read(body | {"data": "11010519491231002X11"}).part == 2


def test_the_largest_part_can_be_sealed() -> None:
    """256 KiB in base64, with the longest name, are less than a body may have."""
    body = next(cut("演" * 55 + ".jpeg", JPEG + bytes(MOST_BYTES - len(JPEG))))
    assert len(compact_json(body)) < BODY_LIMIT
    assert read(body).parts == MOST_PARTS


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 4 * PART_BYTES), seed=st.integers(0, 2**32), data=st.data())
def test_a_file_comes_together_in_any_order(size: int, seed: int, data: st.DataObject) -> None:
    """Whatever its size: every part passes, twice is once, and one wrong byte or part is noticed."""
    content = Random(seed).randbytes(size)
    bodies = [AttachmentBody.model_validate_json(compact_json(body)) for body in cut("a.png", content)]
    arrived = data.draw(st.permutations(bodies + bodies[:1]))
    pieces = {body.part: body.content for body in arrived}

    assert len(bodies) == parts_of(size) == bodies[0].parts
    assert all(len(body.content) == PART_BYTES for body in bodies[:-1])
    assert join(pieces, digest(content)) == content
    wrong = data.draw(st.sampled_from(sorted(pieces)))
    assert join(pieces | {wrong: pieces[wrong][:-1]}, digest(content)) is None
    assert join({part: piece for part, piece in pieces.items() if part != wrong}, digest(content)) is None


def test_an_ending_that_is_not_taken_has_no_type() -> None:
    """Office formats, HTML, SVG, archives."""
    for name in ("a.docx", "a.xlsx", "a.html", "a.svg", "a.zip", "a", "pdf"):
        assert media_type_of(name) is None


def test_the_files_of_an_alert_differ_in_name_and_fit_together() -> None:
    """20 MiB together; a name stands once, whatever its capitals."""
    note = {"name": "a.pdf", "digest": alerts.DIGEST, "size": MOST_BYTES}
    alerts.read(alerts.alert(attachments=[note]))
    for notes, code in (
        ([note | {"size": MOST_BYTES + 1}], Code.BODY_SHAPE),
        ([note, {**note, "name": "b.pdf", "size": 1}], Code.ATTACHMENTS_TOO_LARGE),
        ([{**note, "size": 1}, {**note, "name": "A.PDF", "size": 1}], Code.BODY_SHAPE),
    ):
        with pytest.raises(Refused) as caught:
            alerts.read(alerts.alert(attachments=notes))
        assert caught.value.code is code
