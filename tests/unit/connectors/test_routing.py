"""Where alerts go, and that every decision explains itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.roster import Accountable, Step
from tongbao_connectors.routing import DUTY_DESK, Facts, RoutingTable

RULES = """
duty_desk = "gd-duty"

[[rule]]
name = "全省网络涉毒"
unit = "gd-online"
[rule.when]
categories = ["online"]

[[rule]]
name = "广东其他"
unit = "gd-intel"
[rule.when]
regions = ["44"]
urgencies = ["flash", "urgent"]

[[rule]]
name = "深圳夜间"
unit = "sz-night"
[rule.when]
regions = ["4403"]
hours = "18:00-08:00"

[[rule]]
name = "深圳"
unit = "sz-narcotics"
[rule.when]
regions = ["440300"]
categories = ["outbound_trafficking", "online"]

[[rule]]
name = "南山"
unit = "sz-nanshan"
[rule.when]
regions = ["440305"]
urgencies = ["routine"]
"""
TABLE = RoutingTable.parse(RULES, "440000")
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Roster:
    """A roster in which one officer is accountable for everything."""

    officer_ref: str = "粤-0117"

    def accountable(self, unit: str, at: datetime) -> Accountable:
        return Accountable(unit, self.officer_ref, (Step("值班", "on duty"),))


def facts(
    *destinations: str,
    category: str = "outbound_trafficking",
    urgency: str = "flash",
    at: datetime = NOON,
) -> Facts:
    return Facts(category, urgency, destinations, at)


@pytest.mark.parametrize(
    ("given_facts", "rule", "unit"),
    [
        pytest.param(facts("440305", urgency="routine"), "南山", "sz-nanshan", id="the county's rule"),
        pytest.param(
            facts("440305"), "深圳", "sz-narcotics", id="county's rule not for this urgency: prefecture"
        ),
        pytest.param(
            facts("440305", at=NIGHT), "深圳夜间", "sz-night", id="hours, and the order of the file"
        ),
        pytest.param(facts("440300"), "深圳", "sz-narcotics", id="a destination that is a prefecture"),
        pytest.param(facts("440106"), "广东其他", "gd-intel", id="no rule for the prefecture: province"),
        pytest.param(facts("440000"), "广东其他", "gd-intel", id="a destination that is the province"),
        pytest.param(
            facts("440106", category="online"), "广东其他", "gd-intel", id="a region goes before none"
        ),
        pytest.param(
            facts("440106", category="online", urgency="routine"),
            "全省网络涉毒",
            "gd-online",
            id="no region named",
        ),
        pytest.param(facts(category="online"), "全省网络涉毒", "gd-online", id="no destination known"),
        pytest.param(
            facts("440106", urgency="routine"), DUTY_DESK, "gd-duty", id="no rule at all: the duty desk"
        ),
        pytest.param(
            facts("330106"), DUTY_DESK, "gd-duty", id="a destination in another province doesn't count"
        ),
        pytest.param(
            facts("330106", "440300"), "深圳", "sz-narcotics", id="of two, the one in this province"
        ),
    ],
)
def test_an_alert_goes_to_one_place(given_facts: Facts, rule: str, unit: str) -> None:
    """Destination first, from county to province, then rules without region, then the duty desk."""
    decision = TABLE.decide(given_facts, Roster())

    assert (decision.rule, decision.unit, decision.officer_ref) == (rule, unit, "粤-0117")


def test_a_decision_explains_every_step() -> None:
    """The steps name levels tried, rules passed over and why, the rule that applied, the officer."""
    decision = TABLE.decide(facts("440305"), Roster())

    assert [step.zh for step in decision.steps] == [
        "规则「南山」不适用：等级不符",
        "县级（目的地 440305）：无适用规则",
        "规则「深圳夜间」不适用：不在时段内",
        "地级（目的地 440305）：规则「深圳」适用",
        "值班",
    ]
    assert decision.steps[1].en == "county (destination 440305): no rule applies"


REGIONS = st.sampled_from(["440305", "440300", "440106", "440000", "520100", "330106"])


@given(
    destinations=st.lists(REGIONS, max_size=3),
    category=st.sampled_from(["outbound_trafficking", "online", "precursor"]),
    urgency=st.sampled_from(["flash", "urgent", "routine"]),
    at=st.integers(0, 366 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)
def test_every_alert_has_one_place_and_a_reason(
    destinations: list[str], category: str, urgency: str, at: datetime
) -> None:
    """Whatever comes, there is a known unit, an officer, and at least one step in both languages."""
    decision = TABLE.decide(Facts(category, urgency, tuple(destinations), at), Roster())

    assert decision.unit in TABLE.units
    assert decision.officer_ref
    assert decision.steps
    assert all(step.zh and step.en for step in decision.steps)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param('name = "深圳"', 'name = "南山"', "same name", id="two rules of one name"),
        pytest.param('regions = ["4403"]', 'regions = ["440"]', "regions", id="half a region code"),
        pytest.param(
            'categories = ["online"]', 'categories = ["on-line"]', "categories", id="an unknown category"
        ),
        pytest.param('duty_desk = "gd-duty"', "", "duty_desk", id="no duty desk"),
    ],
)
def test_rules_with_a_mistake_are_refused_at_the_start(old: str, new: str, expected: str) -> None:
    """Mistakes stop the connector before any alert depends on them."""
    with pytest.raises(BadConfiguration, match=expected):
        RoutingTable.parse(RULES.replace(old, new, 1), "440000")
