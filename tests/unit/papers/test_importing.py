"""One alert as JSON comes into a draft; lists do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.schemas import alerts
from tongbao_connectors.papers.importing import NotOneAlert, read
from tongbao_schemas.codes import Category
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

EXAMPLES = Path(__file__).parents[3] / "examples"


def sent(**changes: Any) -> dict[str, Any]:
    """A good submission with some fields changed; None takes a field away."""
    fields = {
        "client_ref": "case-1",
        "type": "alert",
        "status": "exercise",
        "audience": ["440000"],
        "urgency": "flash",
        "handling": "H1",
        "category": "online",
        "body": alerts.alert(Category.ONLINE),
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("[0-9]-*.json")), ids=lambda path: path.stem)
def test_every_example_is_taken(path: Path) -> None:
    """Each is one alert."""
    category, plain = read(path.read_bytes())

    assert plain["category"] == category


@pytest.mark.parametrize(
    "data",
    [
        [sent(), sent()],
        [],
        {"alerts": [sent()]},
        {"subjects": [alerts.SUBJECT]},
        sent(body=[alerts.SUBJECT]),
        sent(body=alerts.alert(Category.ONLINE, subjects=[alerts.SUBJECT] * 21)),
        sent(type="receipt"),
        sent(
            body=alerts.alert(Category.ONLINE)
            | {"attachments": [{"name": "a", "digest": alerts.DIGEST, "size": 1}]}
        ),
    ],
)
def test_what_is_not_one_alert_is_refused_with_a_sentence(data: Any) -> None:
    """Several alerts, lists of people, other messages; the sentence stands in both languages."""
    with pytest.raises(NotOneAlert) as caught:
        read(json.dumps(data).encode())

    assert caught.value.detail_in("zh")
    assert caught.value.detail_in("en")


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (b"{", Code.NOT_ONE_JSON_OBJECT, ""),
        (b'{"a":1,"a":2}', Code.DUPLICATE_KEY, ""),
        (json.dumps(sent(category="gossip")).encode(), Code.SUBMISSION_SHAPE, "category"),
        (json.dumps(sent(score=7)).encode(), Code.SUBMISSION_SHAPE, "(unknown field)"),
        (
            json.dumps(sent(body=alerts.alert(Category.ONLINE, ethnicity="x"))).encode(),
            Code.BODY_SHAPE,
            "body (unknown field)",
        ),
        (
            json.dumps(sent(body=alerts.alert(Category.ONLINE, title=7))).encode(),
            Code.BODY_SHAPE,
            "body.title",
        ),
    ],
)
def test_what_the_form_has_no_place_for_is_refused(data: bytes, code: Code, where: str) -> None:
    """With the code and the field, so that nothing of the file is lost unseen."""
    with pytest.raises(Refused) as caught:
        read(data)

    assert (caught.value.code, caught.value.where) == (code, where)


def test_an_alert_with_gaps_is_taken() -> None:
    """What is missing or wrong in a field is for the draft to say."""
    body = alerts.alert(Category.ONLINE, title="题" * 90, facts=None, contact=None)

    category, plain = read(json.dumps(sent(client_ref=None, urgency=None, body=body)).encode())

    assert (category, plain["body"]["title"]) == (Category.ONLINE, "题" * 90)
