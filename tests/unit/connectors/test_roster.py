"""Who is accountable, at any moment."""

from datetime import datetime

import pytest

from tongbao_broker.errors import BadConfiguration, NotFound
from tongbao_connectors.roster import Roster

ROSTER = """
[[unit]]
code = "gd-duty"
name = "广东省禁毒总队值班室"
leader = "粤-0101"

[[officer]]
officer_ref = "粤-0101"
name = "演练负责人"
unit = "gd-duty"
role = "leader"

[[officer]]
officer_ref = "粤-0117"
name = "演练甲"
unit = "gd-duty"
substitute = "粤-0118"

[[officer]]
officer_ref = "粤-0118"
name = "演练乙"
unit = "gd-duty"
substitute = "粤-0117"

[[duty]]
unit = "gd-duty"
officer = "粤-0118"
hours = "20:00-08:00"

[[duty]]
unit = "gd-duty"
officer = "粤-0117"
days = ["mon", "tue", "wed", "thu", "fri"]
hours = "08:00-20:00"

[[duty]]
unit = "gd-duty"
officer = "粤-0118"
from = 2026-12-07T08:00:00+08:00
until = 2026-12-14T08:00:00+08:00

[[absence]]
officer = "粤-0117"
from = "2026-11-25T00:00:00+08:00"
until = "2026-11-26T00:00:00+08:00"

[[absence]]
officer = "粤-0118"
from = "2026-11-25T12:00:00+08:00"
until = "2026-11-26T00:00:00+08:00"
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+08:00")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param("2026-11-23T10:00", "粤-0117", id="a weekly shift"),
        pytest.param("2026-11-24T02:00", "粤-0118", id="the night shift, past midnight"),
        pytest.param("2026-11-28T10:00", "粤-0101", id="nobody on duty on Saturday: the leader"),
        pytest.param("2026-12-08T10:00", "粤-0118", id="a dated week goes before the weekly shifts"),
        pytest.param("2026-12-14T08:00", "粤-0117", id="the dated week's end is outside"),
        pytest.param("2026-11-25T10:00", "粤-0118", id="absent: the substitute"),
        pytest.param(
            "2026-11-25T13:00",
            "粤-0101",
            id="substitute absent too, and his substitute is the first: the leader",
        ),
    ],
)
def test_exactly_one_officer_is_accountable(when: str, expected: str) -> None:
    """At every moment a unit has one accountable officer."""
    accountable = Roster.parse(ROSTER).accountable("gd-duty", at(when))

    assert accountable.officer_ref == expected
    assert all(step.zh and step.en for step in accountable.steps)


@pytest.mark.parametrize(
    ("officer_ref", "expected"),
    [("粤-0117", True), ("粤-0118", True), ("粤-0101", False), ("粤-9999", False)],
)
def test_the_accountable_officer_and_his_substitute_may_sign(officer_ref: str, expected: bool) -> None:
    """Nobody else signs for an alert, not even the leader."""
    assert Roster.parse(ROSTER).may_claim(officer_ref, "粤-0117") == expected


def test_an_unknown_officer_is_not_found() -> None:
    """Asking for somebody who isn't on the roster says so."""
    with pytest.raises(NotFound):
        Roster.parse(ROSTER).officer("粤-9999")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            'leader = "粤-0101"', 'leader = "粤-0999"', "粤-0999", id="a leader who isn't described"
        ),
        pytest.param('code = "gd-duty"', 'code = "gd-other"', "gd-duty", id="a unit that isn't described"),
        pytest.param(
            'officer_ref = "粤-0118"', 'officer_ref = "粤-0117"', "twice", id="an officer described twice"
        ),
        pytest.param('hours = "20:00-08:00"', 'hours = "20:00"', "hours", id="hours that are none"),
        pytest.param('"mon", ', '"monday", ', "days", id="a weekday that is none"),
        pytest.param('role = "leader"', 'rank = "leader"', "unknown field", id="a key that nobody knows"),
        pytest.param("[[absence]]", "[[absence", "TOML", id="not TOML"),
    ],
)
def test_a_roster_with_a_mistake_is_refused_at_the_start(old: str, new: str, expected: str) -> None:
    """Mistakes stop the connector with the place named, before any alert depends on them."""
    with pytest.raises(BadConfiguration, match=expected):
        Roster.parse(ROSTER.replace(old, new, 1))
