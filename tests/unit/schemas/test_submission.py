"""`submission/1.0`: what a desk or a case system hands to its connector."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.schemas import alerts, wire
from tongbao_schemas.bodies.alert import Online
from tongbao_schemas.bodies.answer import Result
from tongbao_schemas.bodies.attachment import AttachmentBody
from tongbao_schemas.bodies.followups import FOLLOW_UPS
from tongbao_schemas.codes import Category, MessageType
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code
from tongbao_schemas.submission import SUBMISSION_LIMIT, Submission, check_submission, parse_submission

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
REF = {"id": wire.ID, "digest": wire.DIGEST, "relation": "answers"}
DEADLINES = {
    "sign_by": "2026-11-23T11:00:00.000Z",
    "first_feedback_by": "2026-11-23T12:00:00.000Z",
    "result_by": "2026-11-24T10:00:00.000Z",
    "basis": "演练协议第六条",
}


def alert(**changes: Any) -> dict[str, Any]:
    """A good submission of an alert; None takes a field away."""
    fields = {
        "client_ref": "case-1",
        "type": "alert",
        "status": "exercise",
        "audience": ["330000"],
        "urgency": "routine",
        "handling": "H1",
        "category": "online",
        "body": alerts.alert(Category.ONLINE),
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def answer(**changes: Any) -> dict[str, Any]:
    """A good submission of an answer."""
    return alert(type="answer", refs=[REF], body=alerts.answer("result")) | changes


RELATION_OF = {
    "update": "corrects",
    "cancel": "retracts",
    "reply": "answers",
    "reminder": "supplements",
    "closure": "closes",
    "attachment": "supplements",
}


def follow_up(kind: str, **changes: Any) -> dict[str, Any]:
    """A good submission of what follows an alert."""
    refs = [REF | {"relation": RELATION_OF[kind]}]
    return alert(type=kind, refs=refs, body=alerts.follow_up(kind)) | changes


def parse(fields: dict[str, Any]) -> Submission:
    return parse_submission(compact_json(fields))


def refusal(fields: dict[str, Any], origin: str = "520000") -> tuple[Code, str]:
    with pytest.raises(Refused) as caught:
        check_submission(parse(fields), now=NOW, origin=origin)
    return caught.value.code, caught.value.where


WRONG = {
    "no client_ref": (alert(client_ref=None), Code.SUBMISSION_SHAPE, "client_ref"),
    "empty client_ref": (alert(client_ref=""), Code.SUBMISSION_SHAPE, "client_ref"),
    "client_ref of 65 characters": (alert(client_ref="x" * 65), Code.SUBMISSION_SHAPE, "client_ref"),
    "unknown field": (alert(origin="520000"), Code.SUBMISSION_SHAPE, "(unknown field)"),
    "unknown type": (alert(type="gossip"), Code.SUBMISSION_SHAPE, "type"),
    "no audience": (alert(audience=[]), Code.SUBMISSION_SHAPE, "audience"),
    "audience all": (alert(audience=["all"]), Code.SUBMISSION_SHAPE, "audience[0]"),
    "somebody twice": (alert(audience=["330000", "330000"]), Code.SUBMISSION_SHAPE, "audience"),
    "nobody's code": (alert(audience=["990000"]), Code.AUDIENCE_UNKNOWN, "audience"),
    "itself": (alert(audience=["330000", "520000"]), Code.AUDIENCE_IS_ORIGIN, "audience"),
    "a body that is a text": (alert(body="演练"), Code.SUBMISSION_SHAPE, "body"),
    "a receipt": (alert(type="receipt"), Code.NOT_SUBMITTABLE, "type"),
    "a notice": (alert(type="notice"), Code.NOT_SUBMITTABLE, "type"),
    "a head": (alert(type="head"), Code.NOT_SUBMITTABLE, "type"),
    "an attachment of nothing": (follow_up("attachment", refs=[]), Code.SUBMISSION_SHAPE, "refs"),
    "an attachment with an alert's body": (
        follow_up("attachment", body=alerts.alert()),
        Code.BODY_SHAPE,
        "body.name",
    ),
    "a cancel of nothing": (follow_up("cancel", refs=[]), Code.SUBMISSION_SHAPE, "refs"),
    "a closure that answers": (follow_up("closure", refs=[REF]), Code.SUBMISSION_SHAPE, "refs"),
    "a reminder with deadlines": (
        follow_up("reminder", deadlines=DEADLINES),
        Code.SUBMISSION_SHAPE,
        "deadlines",
    ),
    "a cancel without ground": (
        follow_up("cancel", body=alerts.follow_up("cancel", ground=None)),
        Code.BODY_SHAPE,
        "body.ground",
    ),
    "an alert that refers": (alert(refs=[REF]), Code.SUBMISSION_SHAPE, "refs"),
    "an answer to nothing": (answer(refs=[]), Code.SUBMISSION_SHAPE, "refs"),
    "an answer that retracts": (answer(refs=[REF | {"relation": "retracts"}]), Code.SUBMISSION_SHAPE, "refs"),
    "an answer with deadlines": (answer(deadlines=DEADLINES), Code.SUBMISSION_SHAPE, "deadlines"),
    "expired now": (alert(expires_at="2026-11-23T10:00:00.000Z"), Code.EXPIRED, "expires_at"),
    "sign by now": (
        alert(deadlines=DEADLINES | {"sign_by": "2026-11-23T10:00:00.000Z"}),
        Code.DEADLINES_ORDER,
        "deadlines",
    ),
    "result after expiry": (
        alert(deadlines=DEADLINES, expires_at="2026-11-24T09:59:59.999Z"),
        Code.DEADLINES_ORDER,
        "deadlines",
    ),
    "a wrong body": (
        alert(body=alerts.alert(Category.ONLINE, facts=None)),
        Code.BODY_SHAPE,
        "body.facts",
    ),
    "a body with too much": (
        alert(body=alerts.alert(Category.ONLINE, score="1")),
        Code.BODY_SHAPE,
        "body (unknown field)",
    ),
    "an unlawful body": (
        alert(body=alerts.alert(Category.ONLINE, facts="机密★")),
        Code.SECRET_DOCUMENT,
        "body.facts",
    ),
    "an exercise's body sent as actual": (
        alert(
            status="actual",
            body=alerts.alert(
                Category.ONLINE,
                subjects=[alerts.SUBJECT | {"id_document": {"kind": "id_card", "number": alerts.FAILING}}],
            ),
        ),
        Code.ID_NUMBER_INVALID,
        "body.subjects[0].id_document.number",
    ),
}


def test_a_good_alert_gives_its_body() -> None:
    """The check hands back the body as the model of its category."""
    assert isinstance(check_submission(parse(alert()), now=NOW, origin="520000"), Online)


def test_a_good_answer_gives_its_body() -> None:
    """An answer refers to what it answers."""
    assert isinstance(check_submission(parse(answer()), now=NOW, origin="520000"), Result)


@pytest.mark.parametrize("kind", RELATION_OF)
def test_a_good_follow_up_gives_its_body(kind: str) -> None:
    """Update, cancel, reply, reminder, closure and attachment refer to what they follow."""
    body = check_submission(parse(follow_up(kind)), now=NOW, origin="520000")

    assert type(body) is {**FOLLOW_UPS, MessageType.ATTACHMENT: AttachmentBody}[MessageType(kind)]


@pytest.mark.parametrize("good", [alert(), follow_up("update")], ids=["alert", "update"])
def test_deadlines_of_ones_own_may_be_given(good: dict[str, Any]) -> None:
    """In order and before expiry they pass."""
    fields = good | {"deadlines": DEADLINES, "expires_at": DEADLINES["result_by"]}

    check_submission(parse(fields), now=NOW, origin="520000")


@pytest.mark.parametrize(("fields", "code", "where"), WRONG.values(), ids=WRONG)
def test_a_faulty_submission_is_refused_at_its_field(fields: dict[str, Any], code: Code, where: str) -> None:
    """Each fault has its code and the path of the field."""
    assert refusal(fields) == (code, where)


def test_a_submission_has_a_size() -> None:
    """More bytes than any body needs are refused unread."""
    with pytest.raises(Refused) as caught:
        parse_submission(b" " * (SUBMISSION_LIMIT + 1))

    assert caught.value.code is Code.RECORD_TOO_LARGE


def test_the_body_is_sealed_in_one_form() -> None:
    """However the file was indented, the same body gives the same bytes."""
    pretty = parse_submission(b" \n" + compact_json(alert()).replace(b'":', b'" :\n '))

    assert pretty.body_bytes == compact_json(alert()["body"])


def test_the_content_tells_the_same_submission_from_another() -> None:
    """The order of keys and of the audience is no content, nor is client_ref; everything else is."""
    one = parse(alert(audience=["330000", "440000"]))
    turned = parse(dict(reversed(alert(audience=["440000", "330000"], client_ref="other").items())))
    changes = (
        {"urgency": "flash"},
        {"audience": ["440000"]},
        {"body": alerts.alert(Category.ONLINE, title="另")},
    )

    assert one.digest == turned.digest
    assert len({one.digest, *(parse(alert(**change)).digest for change in changes)}) == 4
