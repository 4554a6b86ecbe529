"""Who is on duty in a province's units, and who is accountable for what lies there (`roster.toml`).

1. A unit has a code, a name and a leader. An officer has a reference, a name, a unit, a role and perhaps a
   substitute.
2. Duty is a dated shift (`from`, `until`) or a weekly one (`days`, `hours`; without either, always). A
   dated one that fits goes before every weekly one; among equals the first in the file counts. Changes
   made at the desk are laid over the file and go before all of it, the newest first.
3. Accountable for a unit at a moment is exactly one officer: who is on duty there; while he is absent his
   substitute, and that one's substitute while he is absent too; with nobody on duty or nobody left the
   unit's leader, always.
4. Only the accountable officer and his substitute may sign for an alert.
5. Names stay in this file; decisions, receipts and logs carry the officer's reference.
"""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from tongbao_broker.errors import BadConfiguration, NotFound, Words
from tongbao_connectors.duty_time import DAYS, Hours
from tongbao_schemas.codes import Labelled
from tongbao_schemas.fields import OfficerRef, UnitName, explain

Model = TypeVar("Model", bound=BaseModel)


def _weekday(day: str) -> str:
    if day not in DAYS:
        raise ValueError(f"a weekday is one of {', '.join(DAYS)}")
    return day


def _window(text: str) -> str:
    Hours.parse(text)
    return text


UnitCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}[a-z0-9]$", examples=["gd-duty"])]
Weekday = Annotated[str, AfterValidator(_weekday)]
Window = Annotated[str, AfterValidator(_window), Field(examples=["18:00-08:00"])]


class Setting(BaseModel):
    """A table of a configuration file: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Unit(Setting):
    """A unit that alerts can be routed to."""

    code: UnitCode
    name: UnitName
    leader: OfficerRef


class Officer(Setting):
    """An officer, known outside the province by `officer_ref` only."""

    officer_ref: OfficerRef
    name: Annotated[str, Field(min_length=1, max_length=40)]
    unit: UnitCode
    role: Annotated[str, Field(min_length=1, max_length=40)] = "liaison"
    substitute: OfficerRef | None = None


class Period(Setting):
    """A span of time, [from, until); either end may be open."""

    start: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = None

    def contains(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and (self.until is None or at < self.until)


class Duty(Period):
    """A shift of one officer in one unit: dated, weekly or both."""

    unit: UnitCode
    officer: OfficerRef
    days: tuple[Weekday, ...] = ()
    hours: Window = "00:00-24:00"

    @property
    def dated(self) -> bool:
        return self.start is not None or self.until is not None

    def covers(self, at: datetime) -> bool:
        return self.contains(at) and Hours.parse(self.hours).contain(at, self.days)


class Absence(Period):
    """A time in which an officer's substitute stands in for him."""

    officer: OfficerRef


class RosterFile(Setting):
    """The tables of `roster.toml`."""

    unit: Annotated[tuple[Unit, ...], Field(min_length=1)]
    officer: Annotated[tuple[Officer, ...], Field(min_length=1)]
    duty: tuple[Duty, ...] = ()
    absence: tuple[Absence, ...] = ()

    @model_validator(mode="after")
    def names_are_known(self) -> "RosterFile":
        """Every unit and officer that is named is described, and none twice."""
        units, officers = [unit.code for unit in self.unit], [officer.officer_ref for officer in self.officer]
        _once("unit", units)
        _once("officer", officers)
        _known("unit", _units_named(self), units)
        _known("officer", _officers_named(self), officers)
        return self


def _units_named(file: RosterFile) -> Iterator[str]:
    yield from (officer.unit for officer in file.officer)
    yield from (duty.unit for duty in file.duty)


def _officers_named(file: RosterFile) -> Iterator[str]:
    yield from (unit.leader for unit in file.unit)
    yield from (officer.substitute for officer in file.officer if officer.substitute)
    yield from (duty.officer for duty in file.duty)
    yield from (absence.officer for absence in file.absence)


def _once(kind: str, names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"a {kind} is described twice")


def _known(kind: str, named: Iterable[str], described: list[str]) -> None:
    if unknown := sorted(set(named) - set(described)):
        raise ValueError(f"the {kind} {unknown[0]} is named but not described")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a decision in words; rule names, codes and references, never a case's content."""

    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Accountable:
    """The one officer who is accountable for what lies in a unit, and how he was found.

    `vacant`: nobody was on duty or left, so that the unit's leader stands in.
    """

    unit_name: str
    officer_ref: str
    steps: tuple[Step, ...]
    vacant: bool = False


class ChangeKind(Labelled):
    """How a change of a shift came about."""

    OVERRIDE = "override", "安排", "Assigned"
    SUBSTITUTE = "substitute", "代班", "Substitute"
    SWAP = "swap", "调班", "Swap"


@dataclass(frozen=True, slots=True)
class Change:
    """A shift that was changed at the desk, [start, until). `instead_of` had it before; empty: nobody."""

    unit: str
    officer: str
    start: datetime
    until: datetime
    kind: ChangeKind
    instead_of: str = ""
    by: str = ""
    at: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.until


class Roster:
    """The units and officers of one province."""

    def __init__(self, file: RosterFile, changes: Sequence[Change] = ()) -> None:
        self.units = {unit.code: unit for unit in file.unit}
        self.officers = {officer.officer_ref: officer for officer in file.officer}
        self.absences = file.absence
        self._file = file
        self._shifts: tuple[Change | Duty, ...] = (
            *(change for change in changes if self._describes(change)),
            *sorted(file.duty, key=lambda duty: not duty.dated),
        )

    @classmethod
    def parse(cls, text: str) -> "Roster":
        """Reads the text of `roster.toml`; raises BadConfiguration."""
        return cls(read_settings(RosterFile, text, "roster.toml"))

    @classmethod
    def load(cls, path: Path) -> "Roster":
        """Reads a `roster.toml`; raises BadConfiguration."""
        return cls.parse(read_text(path))

    def with_changes(self, changes: Sequence[Change]) -> "Roster":
        """The same roster under these changes, the newest first.

        One that names a unit or officer whom the file no longer describes has no effect.
        """
        return Roster(self._file, changes)

    def shifts(self, unit: str) -> tuple[Change | Duty, ...]:
        """All shifts of a unit; of those that cover a moment the first counts."""
        return tuple(shift for shift in self._shifts if shift.unit == unit)

    def shift(self, unit: str, at: datetime) -> Change | Duty | None:
        """The shift that counts in the unit at this moment; None where nobody is on duty."""
        return next((shift for shift in self._shifts if shift.unit == unit and shift.covers(at)), None)

    def officer(self, officer_ref: str) -> Officer:
        """The officer by his reference; raises NotFound."""
        if officer_ref not in self.officers:
            raise NotFound(
                officer_ref, Words("请填本省名册中的联络员。", "Name an officer of this province's roster.")
            )
        return self.officers[officer_ref]

    def unit_name_of(self, officer_ref: str) -> str:
        """The name of an officer's unit, as receipts and answers state it."""
        return self.units[self.officer(officer_ref).unit].name

    def accountable(self, unit: str, at: datetime) -> Accountable:
        """The one officer accountable for what lies in the unit at this moment (rule 3)."""
        shift = self.shift(unit, at)
        if shift is None:
            return self._leader(unit, (_nobody_on_duty(self.units[unit].name),))
        return self._standing_in(unit, shift.officer, (_on_duty(self.units[unit].name, shift.officer),), at)

    def present(self, unit: str, officer_ref: str, at: datetime) -> Accountable:
        """The officer himself, or who stands in for him while he is absent."""
        return self._standing_in(unit, officer_ref, (), at)

    def may_claim(self, officer_ref: str, accountable: str) -> bool:
        """Whether this officer may sign for what the other one is accountable for (rule 4)."""
        owner = self.officers.get(accountable)
        known = officer_ref in self.officers
        return known and (
            officer_ref == accountable or (owner is not None and owner.substitute == officer_ref)
        )

    def substitutes(self, officer_ref: str) -> tuple[str, ...]:
        """Who besides the officer himself may sign for his alerts."""
        owner = self.officers.get(officer_ref)
        return (owner.substitute,) if owner and owner.substitute else ()

    def _standing_in(self, unit: str, officer_ref: str, steps: tuple[Step, ...], at: datetime) -> Accountable:
        asked: set[str] = set()
        while self._absent(officer_ref, at):
            asked.add(officer_ref)
            substitute = self.officers[officer_ref].substitute
            if substitute is None or substitute in asked:
                return self._leader(unit, (*steps, _nobody_left(officer_ref)))
            steps = (*steps, _substituted(officer_ref, substitute))
            officer_ref = substitute
        return Accountable(self.units[unit].name, officer_ref, steps)

    def _leader(self, unit: str, steps: tuple[Step, ...]) -> Accountable:
        leader = self.units[unit].leader
        step = Step(f"由单位负责人 {leader} 负责", f"the unit's leader {leader} is accountable")
        return Accountable(self.units[unit].name, leader, (*steps, step), vacant=True)

    def _absent(self, officer_ref: str, at: datetime) -> bool:
        return any(absence.officer == officer_ref and absence.contains(at) for absence in self.absences)

    def _describes(self, change: Change) -> bool:
        return change.unit in self.units and change.officer in self.officers


def _on_duty(unit: str, officer_ref: str) -> Step:
    return Step(f"{unit} 当值：{officer_ref}", f"on duty in {unit}: {officer_ref}")


def _nobody_on_duty(unit: str) -> Step:
    return Step(f"{unit} 此时无人值班", f"nobody is on duty in {unit} at this time")


def _nobody_left(officer_ref: str) -> Step:
    return Step(f"{officer_ref} 不在岗，且无可用替班人", f"{officer_ref} is absent and no substitute is left")


def _substituted(officer_ref: str, substitute: str) -> Step:
    return Step(
        f"{officer_ref} 不在岗，由替班人 {substitute} 接替",
        f"{officer_ref} is absent, his substitute {substitute} stands in",
    )


def read_text(path: Path) -> str:
    """The text of a settings file; raises BadConfiguration."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path.name}: {type(error).__name__}") from None


def read_settings(model: type[Model], text: str, name: str) -> Model:
    """Reads TOML into a model; raises BadConfiguration with the first field that is wrong."""
    try:
        tables: dict[str, Any] = tomllib.loads(text)
        return model.model_validate(tables)
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(Words(f"{name} 不是 TOML：{error}", f"{name} is not TOML: {error}")) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BadConfiguration(f"{name}: {explain(error)}: {first['msg']}") from None
