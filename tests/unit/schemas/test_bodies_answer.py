"""The body of an answer: one shape for each kind."""

from typing import Any

import pytest

from tests.unit.schemas import alerts
from tongbao_schemas.bodies.answer import AnswerBody
from tongbao_schemas.bodies.codes import AnswerKind, Outcome, ReturnGround
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

WRONG = {
    "no kind it could be": (alerts.answer("progress") | {"kind": "gossip"}, "kind"),
    "no text": (alerts.answer("progress", text=None), "text"),
    "no person": (alerts.answer("progress", by=None), "by"),
    "a person by name": (
        alerts.answer("progress", by={"unit": "演练", "officer_ref": "1", "name": "甲"}),
        "by (unknown field)",
    ),
    "a result without outcome": (alerts.answer("result", outcome=None), "outcome"),
    "an outcome outside the list": (alerts.answer("result", outcome="happy"), "outcome"),
    "progress with an outcome": (alerts.answer("progress", outcome="located"), "(unknown field)"),
    "returned on no ground": (alerts.answer("returned", ground=None), "ground"),
    "returned on a ground of one's own": (alerts.answer("returned", ground="too_busy"), "ground"),
    "redirected nowhere": (alerts.answer("redirect", to="990000"), "to"),
    "redirected to the exchange": (alerts.answer("redirect", to="100000"), "to"),
    "more time without end": (alerts.answer("more_time", until=None), "until"),
}


@pytest.mark.parametrize("kind", AnswerKind)
def test_each_kind_has_its_model(kind: AnswerKind) -> None:
    """A good answer of each kind is read, with its text and who gave it."""
    body = alerts.read(alerts.answer(kind))

    assert isinstance(body, AnswerBody)
    assert (body.kind, body.by.officer_ref) == (kind, "粤-0117")


@pytest.mark.parametrize(("body", "where"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_refused_at_its_field(body: dict[str, Any], where: str) -> None:
    """What a kind needs is there, and nothing of another kind."""
    with pytest.raises(Refused) as caught:
        alerts.read(body)

    assert (caught.value.code, caught.value.where) == (Code.BODY_SHAPE, where)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_result_has_a_coded_outcome(outcome: Outcome) -> None:
    """Every outcome of the list can be given."""
    alerts.read(alerts.answer("result", outcome=outcome))


@pytest.mark.parametrize("ground", ReturnGround)
def test_an_alert_is_returned_on_a_closed_ground(ground: ReturnGround) -> None:
    """Every ground of the list can be given."""
    alerts.read(alerts.answer("returned", ground=ground))
