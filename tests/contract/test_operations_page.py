"""The operations page describes every alarm that the code can raise."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tongbao_broker.errors import OperationError
from tongbao_broker.exchange import alarm
from tongbao_broker.exchange.admission import HoldReason
from tongbao_broker.exchange.dispatch import IncidentKind
from tongbao_broker.kafka import topology
from tongbao_connectors import enrolment, incidents, keylosses, oldkeys, rotation, services
from tongbao_connectors.cli import errors
from tongbao_connectors.enrolment import centre, province

WITH_ERRORS_OF_THEIR_OWN = (
    centre,
    enrolment,
    errors,
    keylosses,
    oldkeys,
    province,
    rotation,
    services,
    topology,
)
PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """What stands between this heading and the next one of its level."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> dict[str, list[str]]:
    """The rows of a section's table by the name in their first cell."""
    lines = re.findall(r"^\| `(\w+)` \|(.+)\|$", section(title), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split(" | ")] for name, cells in lines}


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("Incidents of a connector", set(get_args(incidents.Kind))),
        ("Incidents of the exchange", {str(kind) for kind in IncidentKind}),
    ],
)
def test_every_kind_of_incident_is_described(title: str, kinds: set[str]) -> None:
    """Each kind has a row that says when, what it means and what to do; no row is about anything else."""
    found = rows(title)

    assert set(found) == kinds
    for name, cells in found.items():
        assert len(list(filter(None, cells))) == 3, name
        assert cells[0] in {"now", "soon"}, name


def test_every_reason_for_which_the_exchange_holds_is_described() -> None:
    """Directory, clock, database and broker."""
    row = " ".join(rows("Incidents of the exchange")["held"])

    assert {f"`{reason}`" for reason in (*HoldReason, alarm.DATABASE, alarm.BROKER)} <= set(
        re.findall(r"`\w+`", row)
    )


def kinds_of(error: type[OperationError]) -> list[type[OperationError]]:
    """The error and all below it that bear a code of their own."""
    below = [kind for each in error.__subclasses__() for kind in kinds_of(each)]
    return [error, *below] if "code" in vars(error) else below


def test_the_errors_that_the_page_names_exist() -> None:
    """No advice is given about an error that nothing raises."""
    known = {each.code for each in kinds_of(OperationError)}

    assert set(re.findall(r"OP-\d+", PAGE)) <= known


def test_no_two_errors_have_one_code() -> None:
    """Whoever looks a code up finds one thing."""
    codes = [each.code for each in kinds_of(OperationError)]

    assert sorted(codes) == sorted(set(codes))
