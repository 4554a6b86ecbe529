"""Files on their way from one province's draft to another province's desk."""

import json
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from django.db import connections

from tests.support.province import Network, Province, alert, alert_body
from tests.support.world import fields_of
from tongbao_broker.errors import NoRight, NotFound
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_connectors import attaching, casework, drafts, trail
from tongbao_connectors.casework.files import PARTS_AT_MOST, Stand
from tongbao_connectors.files import File
from tongbao_connectors.store.models import (
    ContentKey,
    Draft,
    Event,
    HeldFile,
    InboxItem,
    Message,
    Opening,
    Outbox,
    Reference,
    StageReport,
)
from tongbao_schemas.bodies.attachment import MOST_BYTES, PART_BYTES, cut
from tongbao_schemas.codes import MessageType
from tongbao_schemas.encoding import compact_json, digest, format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.record import parse_out
from tongbao_schemas.refusals import Code

PDF = b"%PDF-1.4\n" + Random(1).randbytes(2 * PART_BYTES + 99)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64)


def with_files(client_ref: str, *files: File, **over: Any) -> bytes:
    body = json.loads(alert_body(attachments=[file.note() for file in files]))
    return alert(client_ref, body=body, **over)


def send(province: Province, *files: File, client_ref: str = "a-1", **over: Any) -> drafts.Draft:
    with province.here():
        return drafts.submit(
            with_files(client_ref, *files, **over),
            origin=province.code,
            by="A-0120",
            now=province.net.clock.now(),
            files=files,
        )


def files_at(province: Province, draft: drafts.Draft) -> list[tuple[str, Stand, int, int, bool]]:
    """What the page of the alert would show."""
    with province.here():
        message = Message.objects.get(message_id=draft.message_id)
        listed = casework.plain_body(message).get("attachments", ())
        return [
            (each.name, each.stand, each.here, each.parts, each.later)
            for each in casework.files_of(message, listed)
        ]


def opened(province: Province, message_id: str, file: File, officer: str = "A-0117") -> bytes:
    with province.here():
        return casework.open_file(
            message_id,
            file.digest,
            officer_ref=officer,
            why="演练核对",
            roster=province.settings.roster(),
            at=province.net.clock.now(),
        ).content


@pytest.fixture
def paper() -> File:
    return File.read("演练法律文书.pdf", PDF)


def test_a_file_goes_with_its_alert(net: Network, gz: Province, gd: Province, paper: File) -> None:
    """In parts after it, byte for byte; afterwards neither side holds it in plain."""
    draft = send(gz, paper, File.read("演练.png", PNG))
    net.settle()

    for province in (gz, gd):
        assert files_at(province, draft) == [
            ("演练法律文书.pdf", Stand.COMPLETE, 3, 3, False),
            ("演练.png", Stand.COMPLETE, 1, 1, False),
        ]
        assert opened(province, draft.message_id, paper) == PDF
    with gz.here():
        assert HeldFile.objects.count() == 0
        assert Draft.objects.exclude(text=None).count() == 0
        assert set(Outbox.objects.values_list("state", flat=True)) == {"settled"}
        seqs = Outbox.objects.order_by("seq").values_list("message__type", flat=True)
        assert list(seqs)[:5] == ["alert", *["attachment"] * 4]


def test_a_part_is_acknowledged_and_troubles_nobody(
    net: Network, gz: Province, gd: Province, paper: File
) -> None:
    """Delivered like any message; no inbox item, no routing, no line in the timeline."""
    draft = send(gz, paper)
    net.settle()

    with gd.here():
        assert InboxItem.objects.count() == 1
        assert Reference.objects.filter(known=False).count() == 0
        kinds = {line.kind for line in casework.timeline(draft.message_id)}
        assert "attachment" not in kinds
    with gz.here():
        parts = Message.objects.filter(type=MessageType.ATTACHMENT)
        reports = StageReport.objects.filter(place="440000", of__in=parts.values("message_id"))
        assert sorted(reports.values_list("stage", flat=True)) == ["delivered"] * 3
        assert trail.stages(draft.message_id, code="520000") == {
            "440000": ["admitted", "delivered", "routed"]
        }


def test_parts_go_to_the_same_addressees_for_as_long(net: Network, gz: Province, paper: File) -> None:
    """Audience, urgency, handling, category, status, number and expiry are the alert's."""
    net.province("330000")
    send(gz, paper, audience=["330000", "440000"])
    net.settle()

    values = [parse_out(value or b"") for value in net.broker.topic(out_topic("520000")).values]
    first, *parts = [fields_of(record) for record in values][:4]
    for part in parts:
        for name in ("audience", "urgency", "handling", "category", "status", "number", "expires_at"):
            assert part[name] == first[name]
        assert part["refs"] == [
            {"id": first["id"], "digest": values[0].envelope.digest, "relation": "supplements"}
        ]


@pytest.mark.parametrize("order", ["before", "reversed", "twice"])
def test_parts_come_in_any_order(net: Network, gz: Province, gd: Province, paper: File, order: str) -> None:
    """Before the alert, last part first, or twice: the file is the same."""
    held: list[bytes | None] = []
    draft = send(gz, paper)
    topic = net.broker.topic(in_topic("440000"))
    for _ in range(6):
        gz.turn()
        net.exchange.step(["520000"])
    held, topic.values = topic.values, []
    arrange: dict[str, Callable[[list[bytes | None]], list[bytes | None]]] = {
        "before": lambda values: values[1:] + values[:1],
        "reversed": lambda values: values[::-1],
        "twice": lambda values: values + values,
    }
    topic.values = arrange[order](held)
    gd.turn()

    assert files_at(gd, draft) == [("演练法律文书.pdf", Stand.COMPLETE, 3, 3, False)]
    assert opened(gd, draft.message_id, paper) == PDF


def test_what_is_not_all_here_says_how_much_is(net: Network, gz: Province, gd: Province, paper: File) -> None:
    """One part missing, none yet: shown, and not handed out."""
    draft = send(gz, paper)
    for _ in range(6):
        gz.turn()
        net.exchange.step(["520000"])
    topic = net.broker.topic(in_topic("440000"))
    kinds = [fields_of(parse_record(value))["type"] for value in topic.values]
    parts = [index for index, kind in enumerate(kinds) if kind == "attachment"]
    late = [topic.values[index] for index in parts[1:]]
    topic.values = [value for index, value in enumerate(topic.values) if index not in parts]
    gd.turn()
    assert files_at(gd, draft) == [("演练法律文书.pdf", Stand.MISSING, 0, 0, False)]
    topic.values += late
    gd.turn()
    assert files_at(gd, draft) == [("演练法律文书.pdf", Stand.PARTLY, 2, 3, False)]
    with pytest.raises(NotFound):
        opened(gd, draft.message_id, paper)


def parse_record(value: bytes | None) -> Any:
    from tongbao_schemas.record import parse_in

    return parse_in(value or b"")


def add(gz: Province, draft: drafts.Draft, *bodies: dict[str, Any], to: str = "440000") -> None:
    """Submits parts by themselves, as a case system may, to a message of this province's own."""
    with gz.here():
        about = Message.objects.get(message_id=draft.message_id)
        for number, body in enumerate(bodies):
            content = {
                "client_ref": f"part-{draft.message_id}-{Draft.objects.count()}-{number}",
                "type": "attachment",
                "status": about.status,
                "audience": [to],
                "urgency": about.urgency,
                "handling": about.handling,
                "category": about.category,
                "refs": [{"id": about.message_id, "digest": about.digest, "relation": "supplements"}],
                "body": body,
            }
            data = compact_json(content)
            drafts.submit(data, origin=gz.code, by="A-0120", now=gz.net.clock.now())


def test_what_the_alert_does_not_list_came_later(net: Network, gz: Province, gd: Province) -> None:
    """Sent by itself, by the same origin: it is there, and marked."""
    draft, later = send(gz), File.read("补充照片.png", PNG)
    net.settle()
    add(gz, draft, *cut(later.name, later.content))
    net.settle()

    assert files_at(gd, draft) == [("补充照片.png", Stand.COMPLETE, 1, 1, True)]
    assert opened(gd, draft.message_id, later) == PNG


def test_what_differs_from_the_list_is_shown_and_never_handed_out(
    net: Network, gz: Province, gd: Province, paper: File
) -> None:
    """Another content under a listed name, the listed content under another name, a wrong size."""
    other = File.read(paper.name, b"%PDF-1.7 other")
    renamed = File.read("another.pdf", PDF)
    listed = paper.note() | {"size": paper.size - 1}
    body = json.loads(alert_body(attachments=[listed]))
    draft = gz.submit(alert("a-1", body=body))
    net.settle()
    for file in (other, renamed):
        add(gz, draft, *cut(file.name, file.content))
    net.settle()
    assert files_at(gd, draft) == [
        (paper.name, Stand.MISSING, 0, 0, False),
        (paper.name, Stand.DIFFERS, 1, 1, False),
        ("another.pdf", Stand.DIFFERS, 3, 3, False),
    ]
    add(gz, draft, *cut(paper.name, PDF))
    net.settle()

    assert files_at(gd, draft)[0] == (paper.name, Stand.DIFFERS, 3, 3, False)
    for file in (paper, other, renamed):
        with pytest.raises(NotFound):
            opened(gd, draft.message_id, file)
    with gd.here():
        assert Opening.objects.count() == 0


def test_a_wrong_part_spoils_the_file_until_the_right_one_comes(
    net: Network, gz: Province, gd: Province, paper: File
) -> None:
    """All parts are there and the digest isn't; of two parts with one number the later one counts."""
    bodies = list(cut(paper.name, PDF))
    wrong = bodies[2] | {"data": bodies[0]["data"][:132]}
    draft = gz.submit(alert("a-1", body=json.loads(alert_body(attachments=[paper.note()]))))
    net.settle()
    add(gz, draft, bodies[0], bodies[1], wrong)
    net.settle()
    assert files_at(gd, draft) == [(paper.name, Stand.DIFFERS, 3, 3, False)]
    add(gz, draft, bodies[2])
    net.settle()

    assert files_at(gd, draft) == [(paper.name, Stand.COMPLETE, 3, 3, False)]


def test_only_the_sender_attaches(net: Network, gz: Province, gd: Province, paper: File) -> None:
    """A draft that supplements somebody else's message is refused; were it sent, it would be too."""
    draft = send(gz, paper)
    net.settle()
    with pytest.raises(Refused) as caught:
        add(gd, draft, *cut("演练.png", PNG), to="520000")

    assert caught.value.code is Code.NOT_THE_ORIGIN


def test_opening_a_file_is_on_record_and_its_sender_sees_the_count(
    net: Network, gz: Province, gd: Province, paper: File
) -> None:
    """Who, when, why, which file; without a reason or for a stranger nothing opens."""
    draft = send(gz, paper)
    net.settle()
    opened(gd, draft.message_id, paper)
    net.settle()

    with gd.here():
        [opening] = Opening.objects.all()
        assert (opening.officer_ref, opening.unit, opening.why) == ("A-0117", "intel", "演练核对")
        facts = Event.objects.get(kind="file_opened").facts
        assert facts == {"file": paper.digest.removeprefix("sha256:")[:8]}
    with gz.here():
        [place] = casework.opened_by(draft.message_id)
        assert (place.place, place.count) == ("440000", 1)
    with pytest.raises(NoRight):
        opened(gd, draft.message_id, paper, officer="X-9999")


def test_a_purged_part_takes_the_file_with_it(net: Network, gz: Province, gd: Province, paper: File) -> None:
    """The content key is all that opens it."""
    draft = send(gz, paper)
    net.settle()
    with gd.here():
        part = Message.objects.filter(type=MessageType.ATTACHMENT).order_by("pk").first()
        ContentKey.objects.filter(message=part).delete()

    assert files_at(gd, draft) == [(paper.name, Stand.PARTLY, 2, 3, False)]


@pytest.mark.parametrize("point", ["drafted", "sealed", "published"])
def test_a_crash_loses_and_doubles_nothing(net: Network, gz: Province, gd: Province, point: str) -> None:
    """At each commit point, and again and again: every part is numbered once and arrives."""
    big = File.read("大件.png", PNG + Random(2).randbytes(11 * PART_BYTES))
    draft = send(gz, big)
    for _ in range(5):

        def strike(reached: str) -> None:
            if reached == point:
                raise Crash

        with gz.here():
            gz.connector = net.connector(gz.settings, gz.points, strike)
            gz.connector.start()
        with suppress(Crash):
            for _ in range(4):
                gz.turn()
        net.exchange.step(["520000"])
    gz.restart()
    net.settle()

    assert files_at(gd, draft) == [("大件.png", Stand.COMPLETE, 12, 12, False)]
    with gz.here():
        assert Message.objects.filter(type=MessageType.ATTACHMENT).count() == 12
        assert HeldFile.objects.count() == 0


class Crash(Exception):
    """The process dies here."""


def test_a_large_file_does_not_hold_up_an_alert(net: Network, gz: Province) -> None:
    """A few parts a turn: what is drafted meanwhile is sealed among them."""
    send(gz, File.read("大件.png", PNG + bytes(30 * PART_BYTES)))
    gz.turn()
    gz.turn()
    with gz.here():
        drafts.submit(alert("a-2"), origin="520000", by="A-0120", now=net.clock.now())
    gz.turn()

    with gz.here():
        assert Message.objects.filter(type=MessageType.ALERT).count() == 2
        assert Message.objects.filter(type=MessageType.ATTACHMENT).count() == 2 * attaching.PARTS_AT_ONCE
        assert HeldFile.objects.get().next_part == 2 * attaching.PARTS_AT_ONCE + 1


def test_files_of_a_rejected_alert_are_told_once_or_not_at_all(
    net: Network, gz: Province, paper: File
) -> None:
    """The alert says that it was rejected; its parts don't say it three times more."""
    draft = send(gz, paper)
    gz.turn()
    gz.turn()
    with gz.here():
        ids = Message.objects.values_list("message_id", flat=True)
        net.exchange.reject |= dict.fromkeys(ids, "TB-414")
    net.settle()

    with gz.here():
        assert set(Outbox.objects.values_list("state", flat=True)) == {"rejected"}
        assert Event.objects.filter(kind="not_sent").count() == 0
        assert drafts.find(draft.message_id).state == "rejected"


def test_rejected_parts_are_told_once(net: Network, gz: Province, paper: File) -> None:
    """An agreement that doesn't take attachments: one line for the file, not one for each part."""
    draft = send(gz, paper)
    gz.turn()
    gz.turn()
    with gz.here():
        parts = Message.objects.filter(type=MessageType.ATTACHMENT).values_list("message_id", flat=True)
        net.exchange.reject |= dict.fromkeys(parts, "TB-414")
    net.settle()

    with gz.here():
        [event] = Event.objects.filter(kind="not_sent")
        assert event.facts["code"] == "TB-414"
        assert event.message.message_id == draft.message_id


def test_a_file_whose_alert_has_expired_is_dropped(net: Network, gz: Province, paper: File) -> None:
    """Sealed, and then the connector stood still: what nobody may read any more doesn't stay in plain."""
    soon = net.clock.at.replace(microsecond=0)
    expires = format_time(soon.replace(year=soon.year + 1))
    send(gz, paper, expires_at=expires)
    gz.turn()
    net.clock.forward(days=400)
    with gz.here():
        attaching.queue("520000", net.clock.now())
        assert HeldFile.objects.count() == 0
        assert Event.objects.get(kind="not_sent").facts["code"] == Code.EXPIRED


def test_what_is_not_listed_does_not_go_with_an_alert(gz: Province, paper: File) -> None:
    """The list is signed and sealed; a file beside it would be somebody else's idea."""
    with gz.here(), pytest.raises(Refused) as caught:
        drafts.submit(alert("a-1"), origin="520000", by="A-0120", now=gz.net.clock.now(), files=[paper])

    assert caught.value.where == "body.attachments"
    with gz.here():
        assert Draft.objects.count() == HeldFile.objects.count() == 0


def test_more_parts_than_anybody_reads_are_not_looked_at(net: Network) -> None:
    """The bound is above what one alert may list and as much again."""
    assert PARTS_AT_MOST >= 2 * MOST_BYTES // PART_BYTES


UNFIT = {
    "html as png": ("演练.png", b"<html></html>", Code.ATTACHMENT_CONTENT),
    "a program": ("演练.exe", b"MZ", Code.ATTACHMENT_CONTENT),
    "an office format": ("演练.docx", b"PK\x03\x04", Code.ATTACHMENT_CONTENT),
    "an archive as ofd": ("演练.ofd", b"PK\x03\x04" + bytes(40), Code.ATTACHMENT_CONTENT),
    "text in another encoding": ("演练.txt", "笔录".encode("gb18030"), Code.ATTACHMENT_CONTENT),
    "nothing": ("演练.txt", b"", Code.ATTACHMENT_CONTENT),
    "too much": ("演练.png", PNG + bytes(MOST_BYTES), Code.ATTACHMENTS_TOO_LARGE),
    "a path": ("../演练.png", PNG, Code.BODY_SHAPE),
    "a direction mark": ("演练\u202egnp.png", PNG, Code.FORBIDDEN_CHARACTER),
    "a mark of secrecy": ("【绝密】.png", PNG, Code.SECRET_DOCUMENT),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_file_is_refused_before_anything_is_stored(case: str) -> None:
    """By name, by content, by size."""
    name, content, code = UNFIT[case]
    with pytest.raises(Refused) as caught:
        File.read(name, content)

    assert caught.value.code is code


def test_a_file_keeps_its_bytes(paper: File) -> None:
    """What is listed is the digest of exactly what was given."""
    assert paper.note() == {"name": "演练法律文书.pdf", "digest": digest(PDF), "size": len(PDF)}
    assert "content" not in repr(paper)


def test_looking_for_files_costs_nothing_where_there_are_none(gz: Province) -> None:
    """Every turn asks for them: files come first, and messages are looked up by id, never gone through."""
    if connections[gz.code].vendor != "sqlite":
        pytest.skip("SQLite's plan; PostgreSQL plans by its statistics")
    with gz.here(), connections[gz.code].cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN SELECT EXISTS ({attaching.READY})")
        plan = [line for *_, line in cursor.fetchall()]

    assert any(line.startswith("SCAN f") for line in plan)
    assert not any(line.startswith(("SCAN m", "SCAN o")) for line in plan)


def test_files_go_with_what_follows_an_alert_too(net: Network, gz: Province, gd: Province) -> None:
    """An update and an answer bring files; each stands on the alert's page as what it belongs to."""
    draft = send(gz)
    net.settle()
    picture, note = File.read("补充.png", PNG), File.read("核查.txt", "演练".encode())
    with gd.here():
        [item] = casework.list_inbox()
        roster, at = gd.settings.roster(), net.clock.now()
        casework.claim(item.number, officer_ref=item.officer_ref, roster=roster, at=at)
    with_it = {"text": "演练", "by": {"unit": "演练", "officer_ref": "A-0120"}}
    for there, to, kind, relation, by, body, file in (
        (gz, "440000", "update", "supplements", "A-0120", with_it, picture),
        (gd, "520000", "answer", "answers", item.officer_ref, with_it | {"kind": "progress"}, note),
    ):
        with there.here():
            about = Message.objects.get(message_id=draft.message_id)
            content = {
                "client_ref": f"{kind}-1",
                "type": kind,
                "status": about.status,
                "audience": [to],
                "urgency": about.urgency,
                "handling": about.handling,
                "category": about.category,
                "refs": [{"id": about.message_id, "digest": about.digest, "relation": relation}],
                "body": body,
            }
            drafts.submit(compact_json(content), origin=there.code, by=by, now=net.clock.now(), files=[file])
    net.settle()

    for province in (gz, gd):
        with province.here():
            alert_here = Message.objects.get(message_id=draft.message_id)
            found = {file.name: file for file in casework.files_of(alert_here)}
        assert {name: (file.of.type, file.stand) for name, file in found.items()} == {
            picture.name: ("update", Stand.COMPLETE),
            note.name: ("answer", Stand.COMPLETE),
        }
        assert opened(province, found[note.name].of.message_id, note, item.officer_ref) == note.content
