"""The bodies of update, cancel, reply, reminder and closure."""

from enum import StrEnum
from typing import Any

import pytest

from tests.unit.schemas import alerts
from tongbao_schemas.bodies.codes import CancelGround, ChangedPart, ClosureOutcome, ReplyKind
from tongbao_schemas.bodies.followups import FOLLOW_UPS
from tongbao_schemas.bodies.parse import Body, parse_body
from tongbao_schemas.codes import Category, MessageType, Status
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.identity import id_number_ok
from tongbao_schemas.refusals import Code

SPECIMEN = "11010519491231002X"
"""The specimen printed in GB 11643; it passes its check."""


def read(kind: str, body: dict[str, Any], status: Status = Status.EXERCISE) -> Body:
    return parse_body(
        f"{kind}/1.0", compact_json(body), category=Category.ONLINE, status=status, at=alerts.AT
    )


def refusal(kind: str, body: dict[str, Any]) -> tuple[Code, str]:
    with pytest.raises(Refused) as caught:
        read(kind, body)
    return caught.value.code, caught.value.where


@pytest.mark.parametrize("kind", FOLLOW_UPS)
def test_each_type_has_its_model(kind: MessageType) -> None:
    """A good body is read by the model of its type, with who said it."""
    body = read(kind, alerts.follow_up(kind))

    assert type(body) is FOLLOW_UPS[kind]


CHANGE = alerts.FOLLOW_UPS["update"]["changes"][0]
WRONG = {
    **{f"{kind} without text": (kind, {"text": None}, "text") for kind in FOLLOW_UPS},
    **{f"{kind} by nobody": (kind, {"by": None}, "by") for kind in FOLLOW_UPS},
    **{f"{kind} with a title": (kind, {"title": "演练"}, "(unknown field)") for kind in FOLLOW_UPS},
    "cancel on no ground": ("cancel", {"ground": None}, "ground"),
    "cancel on a ground of one's own": ("cancel", {"ground": "regret"}, "ground"),
    "closure without outcome": ("closure", {"outcome": None}, "outcome"),
    "closure with an answer's outcome": ("closure", {"outcome": "located"}, "outcome"),
    "reply of no kind": ("reply", {"kind": None}, "kind"),
    "reminder with a ground": ("reminder", {"ground": "duplicate"}, "(unknown field)"),
    "a change of no part": ("update", {"changes": [{"now": "演练"}]}, "changes[0].part"),
    "a change of an unknown part": ("update", {"changes": [CHANGE | {"part": "mood"}]}, "changes[0].part"),
    "a change to nothing": ("update", {"changes": [CHANGE | {"now": ""}]}, "changes[0].now"),
    "21 changes": ("update", {"changes": [CHANGE] * 21}, "changes"),
    "a text of 4,001 characters": ("reminder", {"text": "演" * 4001}, "text"),
}


@pytest.mark.parametrize(("kind", "changes", "where"), WRONG.values(), ids=WRONG)
def test_a_wrong_body_is_refused_at_its_field(kind: str, changes: dict[str, Any], where: str) -> None:
    """What a type needs is there, and nothing else."""
    assert refusal(kind, alerts.follow_up(kind, **changes)) == (Code.BODY_SHAPE, where)


@pytest.mark.parametrize("kind", FOLLOW_UPS)
def test_no_text_is_a_way_around_the_rules(kind: str) -> None:
    """State secrets and, in an exercise, real ID numbers are refused in every type."""
    assert id_number_ok(SPECIMEN)
    assert refusal(kind, alerts.follow_up(kind, text="机密★")) == (Code.SECRET_DOCUMENT, "text")
    assert refusal(kind, alerts.follow_up(kind, text=f"人员 {SPECIMEN}")) == (Code.ID_NUMBER_REAL, "text")


CODED = [
    *(("cancel", {"ground": ground}) for ground in CancelGround),
    *(("closure", {"outcome": outcome}) for outcome in ClosureOutcome),
    *(("reply", {"kind": kind}) for kind in ReplyKind),
    *(("update", {"changes": [{"part": part, "now": "演练"}]}) for part in ChangedPart),
]


@pytest.mark.parametrize(("kind", "changes"), CODED)
def test_every_coded_value_can_be_said(kind: str, changes: dict[str, StrEnum]) -> None:
    """Each list is used whole."""
    read(kind, alerts.follow_up(kind, **changes))
