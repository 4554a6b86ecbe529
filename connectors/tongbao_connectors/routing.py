"""Where a received alert goes in its province, and why: pure, by the rules in `routing.toml`.

1. The rules see the destination regions, category, urgency and time of arrival. `Facts` holds nothing else,
   so that nobody can be routed by a name, a number or a document.
2. Of the destinations only those in this province count. For each in turn, rules that name its county are
   tried first, then its prefecture, then the province; at each level in the order of the file. After that
   come the rules that name no region, and at last the province's duty desk.
3. A rule applies if everything in its `when` does: region, category, urgency, hours and days (Beijing time).
4. The unit found has exactly one accountable officer at that time; the roster says who.
5. Each step is recorded in Chinese and English, in rule names, region codes, units and officer references.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Protocol

from pydantic import Field, model_validator

from tongbao_broker.errors import Words
from tongbao_connectors.duty_time import Hours
from tongbao_connectors.roster import Accountable, Setting, Step, UnitCode, Weekday, Window, read_settings
from tongbao_schemas.codes import Category, Urgency

DUTY_DESK = "duty-desk"
SENDER = "sender"
HOLDER = "holder"
OUR_RULES: Final[Mapping[str, Words]] = {
    DUTY_DESK: Words("无规则命中，归值班室", "no rule fits: the duty desk"),
    SENDER: Words("归本省发出人", "belongs to who sent the alert"),
    HOLDER: Words("归承办人", "belongs to who handles the alert"),
}
"""The rules that stand in no `routing.toml`, in words."""
LEVELS = {
    6: ("县级", "county"),
    4: ("地级", "prefecture"),
    2: ("省级", "province"),
    0: ("不限地区", "any region"),
}

RegionPrefix = Annotated[str, Field(pattern=r"^[1-9][0-9]([0-9]{2}){0,2}$", examples=["4403", "440305"])]
RuleName = Annotated[str, Field(min_length=1, max_length=64)]


class When(Setting):
    """The conditions of a rule; one that is left out always holds."""

    regions: tuple[RegionPrefix, ...] = ()
    categories: tuple[Category, ...] = ()
    urgencies: tuple[Urgency, ...] = ()
    hours: Window = "00:00-24:00"
    days: tuple[Weekday, ...] = ()


class Rule(Setting):
    """One rule: a name that people know it by, its conditions, the unit that it leads to."""

    name: RuleName
    unit: UnitCode
    when: When = When()


class RoutingFile(Setting):
    """The tables of `routing.toml`."""

    duty_desk: UnitCode
    rule: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def names_differ(self) -> "RoutingFile":
        """A decision names its rule, so a name means one rule."""
        names = [rule.name for rule in self.rule] + [DUTY_DESK]
        if len(set(names)) != len(names):
            raise ValueError("two rules have the same name")
        return self


class AccountableOfficers(Protocol):
    """What routing asks of a roster."""

    def accountable(self, unit: str, at: datetime) -> Accountable: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """All that routing may look at.

    `destinations` are GB/T 2260 codes in the alert's order; `at` is the arrival.
    """

    category: str
    urgency: str
    destinations: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Unit by code and name, accountable officer, the rule's name and the steps that led there."""

    unit: str
    unit_name: str
    officer_ref: str
    rule: str
    steps: tuple[Step, ...]


class RoutingTable:
    """The rules of one province (`province` is its six-digit code)."""

    def __init__(self, file: RoutingFile, province: str) -> None:
        self.duty_desk = file.duty_desk
        self.rules = file.rule
        self._province = significant(province)

    @classmethod
    def parse(cls, text: str, province: str) -> "RoutingTable":
        """Reads the text of `routing.toml`; raises BadConfiguration."""
        return cls(read_settings(RoutingFile, text, "routing.toml"), province)

    @property
    def units(self) -> frozenset[str]:
        """Every unit that a decision can name."""
        return frozenset({self.duty_desk, *(rule.unit for rule in self.rules)})

    def decide(self, facts: Facts, roster: AccountableOfficers) -> Decision:
        """The one place for an alert, with every step explained."""
        steps: list[Step] = []
        for place, level in self._places(facts.destinations):
            rule = _first_that_applies(_at_level(self.rules, place, level), facts, steps)
            if rule is not None:
                steps.append(_applies(rule, place, level))
                return _decision(rule.unit, rule.name, facts, steps, roster)
            steps.append(_none_applies(place, level))
        steps.append(Step("转省级值班室", "goes to the provincial duty desk"))
        return _decision(self.duty_desk, DUTY_DESK, facts, steps, roster)

    def _places(self, destinations: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Every (destination, number of leading digits) to try, most exact first, then (none, 0)."""
        for destination in destinations:
            place = significant(destination)
            if place.startswith(self._province):
                yield from ((destination, level) for level in (6, 4, 2) if level <= len(place))
        yield "", 0


def significant(region: str) -> str:
    """The leading digits of a region code that say something: 440305 → 440305, 440300 → 4403, 440000 → 44."""
    while len(region) > 2 and region.endswith("00"):
        region = region[:-2]
    return region


def _at_level(rules: Sequence[Rule], place: str, level: int) -> list[Rule]:
    """The rules that name exactly this much of the place."""
    if level == 0:
        return [rule for rule in rules if not rule.when.regions]
    named = place[:level]
    return [rule for rule in rules if named in {significant(region) for region in rule.when.regions}]


def _first_that_applies(rules: Iterable[Rule], facts: Facts, steps: list[Step]) -> Rule | None:
    for rule in rules:
        failed = _failed_condition(rule.when, facts)
        if failed is None:
            return rule
        steps.append(
            Step(f"规则「{rule.name}」不适用：{failed.zh}", f"rule “{rule.name}” does not apply: {failed.en}")
        )
    return None


def _failed_condition(when: When, facts: Facts) -> Step | None:
    if when.categories and facts.category not in when.categories:
        return Step("类别不符", "another category")
    if when.urgencies and facts.urgency not in when.urgencies:
        return Step("等级不符", "another urgency")
    if not Hours.parse(when.hours).contain(facts.at, when.days):
        return Step("不在时段内", "outside its hours")
    return None


def _applies(rule: Rule, place: str, level: int) -> Step:
    zh, en = LEVELS[level]
    return Step(f"{zh}{_zh(place)}：规则「{rule.name}」适用", f"{en}{_en(place)}: rule “{rule.name}” applies")


def _none_applies(place: str, level: int) -> Step:
    zh, en = LEVELS[level]
    return Step(f"{zh}{_zh(place)}：无适用规则", f"{en}{_en(place)}: no rule applies")


def _zh(place: str) -> str:
    return f"（目的地 {place}）" if place else ""


def _en(place: str) -> str:
    return f" (destination {place})" if place else ""


def _decision(
    unit: str, rule: str, facts: Facts, steps: Sequence[Step], roster: AccountableOfficers
) -> Decision:
    accountable = roster.accountable(unit, facts.at)
    return Decision(unit, accountable.unit_name, accountable.officer_ref, rule, (*steps, *accountable.steps))
