"""Who is asked when, until somebody signs. Pure: facts and the time in, rows that are due out.

1. `rows` lays down every step of a round with its due time, once. A round begins when an item comes to
   lie in 待签收; coming back after silence, or after a signature was taken back, begins the next one.
2. `judge` says of one item at one moment: stop (nobody has to be asked any more), or take what is due,
   or nothing. Steps that fell due together, after an outage for instance, are taken as one.
3. Nothing is due of an item that isn't waiting, or that has expired.
4. `asked` names the officers of a step: on duty → group → leader → provincial duty desk. A repeat goes to
   all who are accountable: on duty, leader and duty desk.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tongbao_connectors.duty.plan import Steps
from tongbao_connectors.roster import Roster
from tongbao_schemas.codes import Labelled


class Step(Labelled):
    """Whom an item is brought to."""

    ON_DUTY = "on_duty", "主责", "Officer on duty"
    GROUP = "group", "本组", "Group"
    LEADER = "leader", "组长", "Leader"
    DESK = "desk", "省值班室", "Provincial duty desk"
    REPEAT = "repeat", "再次提醒", "Reminded again"


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One step of one round. `nth` counts the repeats; 0 for the steps themselves."""

    due_at: datetime
    round: int
    step: Step
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What counts of an item: whether it lies in 待签收, and until when it is of use."""

    waiting: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """Nobody is to be asked any more."""


@dataclass(frozen=True, slots=True)
class Take:
    """These steps are to be taken now, as one; the last of them says how far it has gone."""

    rows: tuple[Row, ...]

    @property
    def furthest(self) -> Row:
        return self.rows[-1]


def rows(steps: Steps, number: int, begun_at: datetime) -> tuple[Row, ...]:
    """Every step of round `number`, in order."""
    after = {Step.ON_DUTY: 0, Step.GROUP: steps.group, Step.LEADER: steps.leader, Step.DESK: steps.desk}
    plain = [
        Row(begun_at + timedelta(minutes=minutes), number, step)
        for step, minutes in after.items()
        if minutes is not None
    ]
    return (*plain, *_repeats(steps, plain[-1]))


def only_on_duty(number: int, at: datetime) -> tuple[Row, ...]:
    """The round of something that is read, not signed for: who it lies with hears of it, once."""
    return (Row(at, number, Step.ON_DUTY),)


def judge(facts: Facts, open_rows: Iterable[Row], now: datetime) -> Stop | Take | None:
    """What to do about an item, given its steps that were neither taken nor stopped."""
    remaining = sorted(open_rows, key=_order)
    if not remaining:
        return None
    if not facts.waiting or facts.expires_at <= now:
        return Stop()
    due = tuple(row for row in remaining if row.due_at <= now)
    return Take(due) if due else None


def asked(
    some: Sequence[Row], roster: Roster, unit: str, officer_ref: str, desk: str, now: datetime
) -> list[str]:
    """Whom these steps reach, each officer once, in the order of the steps.

    `officer_ref` is accountable for the item, `unit` is where it lies, `desk` the provincial duty desk.
    """
    found: dict[str, None] = {}
    for row in some:
        found |= dict.fromkeys(asked_of(row.step, roster, unit, officer_ref, desk, now))
    return list(found)


def asked_of(step: Step, roster: Roster, unit: str, officer_ref: str, desk: str, now: datetime) -> list[str]:
    """Whom one step reaches, as `asked` says."""
    match step:
        case Step.ON_DUTY:
            return [officer_ref]
        case Step.GROUP:
            return [one.officer_ref for one in roster.officers.values() if one.unit == unit]
        case Step.LEADER:
            return [roster.units[unit].leader]
        case Step.DESK:
            return [roster.accountable(desk, now).officer_ref]
        case Step.REPEAT:
            return [officer_ref, roster.units[unit].leader, roster.accountable(desk, now).officer_ref]


def _repeats(steps: Steps, last: Row) -> list[Row]:
    if steps.repeat is None:
        return []
    every = timedelta(minutes=steps.repeat)
    return [
        Row(last.due_at + nth * every, last.round, Step.REPEAT, nth) for nth in range(1, steps.repeats + 1)
    ]


def _order(row: Row) -> tuple[datetime, int, int]:
    return row.due_at, row.round, row.nth
