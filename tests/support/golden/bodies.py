"""What only the opened body shows."""

from datetime import timedelta
from typing import Any

from tests.support.golden.case import Family
from tests.support.golden.maker import Maker
from tests.support.golden.network import GD, GZ
from tests.support.world import NOW
from tests.unit.schemas import alerts
from tongbao_schemas.codes import Category
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.record import OutRecord


def family() -> Family:
    make = Maker("bodies")

    def case(name: str, says: str, body: dict[str, Any], expected: str, **over: Any) -> None:
        make.acceptance(name, says, make.alert(name, body=compact_json(body), **over), expected)

    def papers(number: str) -> dict[str, Any]:
        """A body whose one subject has this identity card."""
        subject = {**alerts.SUBJECT, "id_document": {"kind": "id_card", "number": number}}
        return alerts.alert(subjects=[subject])

    for category in Category:
        says = f"A good body of the category {category.value}."
        case(
            f"good-{category.value.replace('_', '-')}",
            says,
            alerts.alert(category),
            "accept",
            category=category.value,
        )
    sealed = make.alert("sent", body=compact_json({"title": "演练"}))
    make.admission(
        "incomplete-body-sent",
        "The exchange can't read bodies, so it admits one that says nothing.",
        sealed,
        "admit",
    )
    case("incomplete-body", "A body that says nothing but a title.", {"title": "演练"}, "TB-501")
    case(
        "unknown-body-field",
        "There is no place for ethnicity, religion or a score.",
        alerts.alert(ethnicity="演练"),
        "TB-501",
    )
    case(
        "category-of-another-body",
        "The header says online, the body is about outbound trafficking.",
        alerts.alert(),
        "TB-501",
        category="online",
    )
    case(
        "unknown-region",
        "A region code that never existed.",
        alerts.alert(to_places=[{"region": "449999"}]),
        "TB-504",
    )
    case(
        "ended-region",
        "A region code that ended before the alert was issued.",
        alerts.alert(to_places=[{"region": ENDED}]),
        "TB-504",
    )
    case(
        "actual-wrong-id-number",
        "An actual alert with an ID number that fails its check.",
        papers(alerts.FAILING),
        "TB-502",
        status="actual",
    )
    case(
        "actual-good-id-number",
        "An actual alert with an ID number that passes.",
        papers(alerts.PASSING),
        "accept",
        status="actual",
    )
    case(
        "exercise-real-id-number",
        "An exercise with an ID number that passes: it could be somebody's.",
        papers(alerts.PASSING),
        "TB-503",
    )
    case(
        "exercise-wrong-id-number",
        "An exercise's ID numbers fail their check on purpose.",
        papers(alerts.FAILING),
        "accept",
    )
    case(
        "test-real-id-number",
        "A test message is held to the same.",
        papers(alerts.PASSING),
        "TB-503",
        status="test",
    )
    case(
        "secret-document",
        "An attachment whose name says 机密: state secrets don't travel here.",
        alerts.alert(attachments=[{"name": "机密★演练材料.pdf", "digest": alerts.DIGEST, "size": 1}]),
        "TB-505",
    )
    case(
        "secret-in-facts",
        "The facts carry a marking of secrecy.",
        alerts.alert(facts="机密★一年 演练事实"),
        "TB-505",
    )
    case(
        "same-officer",
        "One officer prepared and approved it.",
        alerts.alert(approved_by=alerts.alert()["prepared_by"]),
        "TB-506",
    )
    case("nobody-and-nothing", "Neither a subject nor a target.", alerts.alert(subjects=[]), "TB-507")
    case("too-many-subjects", "21 subjects.", alerts.alert(subjects=[alerts.SUBJECT] * 21), "TB-510")
    case(
        "arrest-without-papers",
        "An arrest is asked for without the papers it needs.",
        alerts.alert(request=alerts.request("arrest")),
        "TB-509",
    )
    alert = make.alert("asked")
    answered = make.earlier("an alert", alert)
    for kind in alerts.ANSWERS:
        name = f"good-answer-{kind.replace('_', '-')}"
        answer = make.message(name, "answer", GD, [GZ], about=alert, body=compact_json(alerts.answer(kind)))
        make.acceptance(name, f"An answer of the kind {kind}.", answer, "accept", by=GZ, before=(answered,))
    issued, until = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    for name, says, end, expected in (
        ("more-time-over-by-now", "More time until an hour ago, asked for two hours ago.", until, "accept"),
        ("more-time-over-at-issue", "More time until the moment of asking.", issued, "TB-511"),
    ):
        body = compact_json(alerts.answer("more_time", until=format_time(end)))
        answer = make.message(name, "answer", GD, [GZ], about=alert, body=body, at=issued)
        make.acceptance(name, says, answer, expected, by=GZ, before=(answered,))
    _follow_ups(make, alert)
    _attachments(make, alert)
    return Family(make.family, "Opened bodies and their rules (acceptance 7).", make.cases)


def _follow_ups(make: Maker, alert: OutRecord) -> None:
    """What the originator says after its alert, and what an addressee asks."""
    told = make.earlier("an alert", alert)
    for kind in alerts.FOLLOW_UPS:
        sides = (GD, [GZ]) if kind == "reply" else (GZ, [GD])
        for name, says, change, expected in (
            (f"good-{kind}", f"A good body of the type {kind}.", {}, "accept"),
            (f"{kind}-without-text", f"The type {kind}, without a text.", {"text": None}, "TB-501"),
            (f"{kind}-secret-mark", f"The type {kind}, with a mark of secrecy.", {"text": "机密★"}, "TB-505"),
        ):
            body = compact_json(alerts.follow_up(kind, **change))
            message = make.message(name, kind, *sides, about=alert, body=body)
            make.acceptance(name, says, message, expected, by=sides[1][0], before=(told,))
    for name, kind, change in (
        ("cancel-without-ground", "cancel", {"ground": None}),
        ("closure-of-another-list", "closure", {"outcome": "located"}),
    ):
        body = compact_json(alerts.follow_up(kind, **change))
        message = make.message(name, kind, GZ, [GD], about=alert, body=body)
        make.acceptance(name, "A coded value outside its list.", message, "TB-501", before=(told,))


def _attachments(make: Maker, alert: OutRecord) -> None:
    """A file's part, and what makes it no part of a file. Whole parts are left out for their size."""
    told = make.earlier("an alert", alert)
    pdf, png = alerts.attachment(), {"name": "演练.png", "media_type": "image/png"}
    for name, says, body, expected in (
        ("good-attachment", "The only part of a small PDF.", pdf, "accept"),
        ("good-last-part", "The last part of several may be short.", pdf | {"part": 2, "parts": 2}, "accept"),
        ("attachment-before-alert", "A part that comes before what it belongs to is kept.", pdf, "accept"),
        ("part-beyond-parts", "Part 2 of 1.", pdf | {"part": 2}, "TB-513"),
        ("short-first-part", "A part that isn't the last one is short.", pdf | {"parts": 2}, "TB-513"),
        ("81-parts", "A file of more parts than a file may have.", pdf | {"parts": 81}, "TB-501"),
        ("name-with-path", "A name that leads elsewhere.", pdf | {"name": "../演练.pdf"}, "TB-501"),
        ("name-without-ending", "A name that says no type.", pdf | {"name": "演练"}, "TB-501"),
        ("secret-name", "A name with a mark of secrecy.", pdf | {"name": "【机密】演练.pdf"}, "TB-505"),
        ("office-format", "A type that isn't taken.", pdf | {"media_type": "application/zip"}, "TB-501"),
        ("ending-of-another-type", "A PDF that is called a picture.", pdf | {"name": "演练.png"}, "TB-514"),
        (
            "content-of-another-type",
            "HTML that is called a picture.",
            alerts.attachment(HTML) | png,
            "TB-514",
        ),
        ("data-not-canonical", "Base64 with stray bits.", pdf | {"data": "JVBERi1="}, "TB-110"),
        ("no-data", "An empty part.", pdf | {"data": ""}, "TB-501"),
    ):
        message = make.message(name, "attachment", GZ, [GD], about=alert, body=compact_json(body))
        before = () if name == "attachment-before-alert" else (told,)
        make.acceptance(name, says, message, expected, before=before)
    listed = {"name": "演练.pdf", "digest": alerts.DIGEST, "size": 10 * 1024 * 1024 + 1}
    for name, says, notes, expected in (
        ("files-listed", "An alert that lists a file.", [listed], "accept"),
        ("files-too-large", "Two files of more than 20 MiB.", [listed, listed | {"name": "2.pdf"}], "TB-515"),
        ("files-of-one-name", "Two files of one name.", [listed, listed | {"name": "演练.PDF"}], "TB-501"),
    ):
        body = alerts.alert(attachments=notes)
        make.acceptance(name, says, make.alert(name, body=compact_json(body)), expected)


HTML = b"<html><script>alert(1)</script></html>"
ENDED = "330183"
"""富阳市, a district of Hangzhou under another code since 2014."""
