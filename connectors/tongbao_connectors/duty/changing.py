"""Changing shifts: 安排, 代班, 调班. Whoever owns the hours does so until a change is in force.

1. A change concerns hours that are still to come, at most 31 days of them, of a unit and officers that the
   roster describes. What it changes is cut along the shifts as they are, so that each half says whose hours
   they were.
2. `override` (安排): who leads the unit or the province gives hours to anybody, at once. It fills gaps.
3. `substitute` (代班): an officer's hours go to the substitute whom the roster names for him, at once. He
   or the leader arranges it.
4. `swap` (调班): an officer offers his hours to another, who may give some of his in return. Nothing changes
   until the other one agrees (`agree`), and nothing then if the plan has changed in between.
5. Who made a change, or the leader, withdraws it as far as it is still ahead. Rows are never deleted.

Everything raises NotFound, NoRight, Conflict, and happens in one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NoRight, NotFound, Words
from tongbao_connectors.duty import week
from tongbao_connectors.duty.models import ShiftChange
from tongbao_connectors.duty.week import Span
from tongbao_connectors.roster import ChangeKind, Roster
from tongbao_schemas.identifiers import new_id

LONGEST = timedelta(days=31)
LEADER = "leader"
"""The role in the roster of who leads the province's officers."""
State = ShiftChange.State


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a unit, [start, until)."""

    unit: str
    start: datetime
    until: datetime


def override(hours: Hours, *, to: str, by: str, roster: Roster, at: datetime) -> list[ShiftChange]:
    """The leader gives hours to an officer (安排)."""
    spans = _spans(hours, roster, at)
    _check_leader(hours.unit, by, roster)
    roster.officer(to)
    return _lay(spans, hours.unit, to, ChangeKind.OVERRIDE, by, at)


def substitute(hours: Hours, *, of: str, by: str, roster: Roster, at: datetime) -> list[ShiftChange]:
    """An officer's hours go to the substitute named in the roster (代班)."""
    spans = _spans(hours, roster, at)
    if by != of:
        _check_leader(hours.unit, by, roster)
    to = roster.officer(of).substitute
    if to is None:
        raise Conflict(
            Words(f"名册中 {of} 没有替班人", f"the roster names no substitute for {of}"),
            Words("改用调班，或由负责人安排。", "Swap the hours, or let the leader assign them."),
        )
    _check_all_his(spans, of)
    return _lay(spans, hours.unit, to, ChangeKind.SUBSTITUTE, by, at)


def ask_swap(
    hours: Hours, *, to: str, back: Hours | None, by: str, roster: Roster, at: datetime
) -> list[ShiftChange]:
    """An officer asks another to take his hours, perhaps for some of the other's (调班)."""
    roster.officer(to)
    if to == by:
        raise Conflict(Words("不能与自己调班", "nobody swaps with himself"))
    halves = [(hours, by, to)] + ([(back, to, by)] if back else [])
    for half, owner, _ in halves:
        _check_all_his(_spans(half, roster, at), owner)
    swap = new_id(at)
    rows = [
        ShiftChange(
            unit=half.unit,
            officer_ref=taker,
            instead_of=owner,
            start=half.start,
            until=half.until,
            kind=ChangeKind.SWAP,
            state=State.ASKED,
            swap=swap,
            asked_of=to,
            by=by,
            at=at,
        )
        for half, owner, taker in halves
    ]
    with atomic():
        return [_saved(row) for row in rows]


def agree(swap: str, *, by: str, roster: Roster, at: datetime) -> None:
    """The officer who was asked agrees; both halves are in force from now on."""
    with atomic():
        rows = _asked(swap, by)
        for row in rows:
            _check_all_his(_spans(Hours(row.unit, row.start, row.until), roster, at), row.instead_of)
        _decide(rows, State.IN_FORCE, by, at)


def decline(swap: str, *, by: str, at: datetime) -> None:
    """The officer who was asked says no."""
    with atomic():
        _decide(_asked(swap, by), State.DECLINED, by, at)


def withdraw(change: int, *, by: str, roster: Roster, at: datetime) -> None:
    """Takes a change back, with its other half; hours that have passed stay as they were."""
    with atomic():
        row = ShiftChange.objects.filter(pk=change).first()
        if row is None:
            raise NotFound(str(change))
        if by != row.by and not leads(by, row.unit, roster):
            raise NoRight(
                Words(f"由 {row.by} 或单位负责人撤回", f"{row.by} or the unit's leader withdraws it")
            )
        rows = [one for one in _halves(row) if one.until > at and one.state in (State.ASKED, State.IN_FORCE)]
        if not rows:
            raise Conflict(Words("该变更已结束", "the change is over"))
        for one in rows:
            _keep_the_past(one, at)
        _decide(rows, State.WITHDRAWN, by, at)


def open_swaps(at: datetime) -> list[ShiftChange]:
    """What somebody still has to agree to, the next first."""
    return list(ShiftChange.objects.filter(state=State.ASKED, until__gt=at).order_by("start", "pk"))


def _spans(hours: Hours, roster: Roster, at: datetime) -> list[Span]:
    """The hours as they are shared out now; raises NotFound or Conflict where they can't be changed."""
    if hours.unit not in roster.units:
        raise NotFound(hours.unit)
    if not hours.start < hours.until:
        raise Conflict(Words("结束时间须晚于开始时间", "the end must come after the beginning"))
    if hours.until <= at:
        raise Conflict(Words("该时段已过去", "these hours have passed"))
    if hours.until - hours.start > LONGEST:
        raise Conflict(Words("一次最多安排 31 天", "at most 31 days at once"))
    return week.spans(roster, hours.unit, max(hours.start, at), hours.until)


def leads(officer_ref: str, unit: str, roster: Roster) -> bool:
    """Whether an officer arranges a unit's shifts: its leader, or one whom the roster calls a leader."""
    officer = roster.officers.get(officer_ref)
    return officer is not None and (officer_ref == roster.units[unit].leader or officer.role == LEADER)


def _check_leader(unit: str, by: str, roster: Roster) -> None:
    leader = roster.units[unit].leader
    if not leads(by, unit, roster):
        raise NoRight(Words(f"由单位负责人 {leader} 安排", f"the unit's leader {leader} arranges it"))


def _check_all_his(spans: Sequence[Span], owner: str) -> None:
    if any(span.vacant or span.officer_ref != owner for span in spans):
        raise Conflict(
            Words(f"该时段不全是 {owner} 的班", f"not all of these hours are {owner}'s"),
            Words("按值班表选择时段。", "Choose hours as the week shows them."),
        )


def _lay(
    spans: Sequence[Span], unit: str, to: str, kind: ChangeKind, by: str, at: datetime
) -> list[ShiftChange]:
    """One row for each owner's part of the hours; those that the new one has anyway stay as they are."""
    changed = [span for span in spans if span.vacant or span.officer_ref != to]
    if not changed:
        raise Conflict(Words(f"该时段本来就是 {to} 的班", f"{to} has these hours already"))
    with atomic():
        return [
            ShiftChange.objects.create(
                unit=unit,
                officer_ref=to,
                instead_of="" if span.vacant else span.officer_ref,
                start=span.start,
                until=span.until,
                kind=kind,
                state=State.IN_FORCE,
                by=by,
                at=at,
                decided_by=by,
                decided_at=at,
            )
            for span in changed
        ]


def _asked(swap: str, by: str) -> list[ShiftChange]:
    rows = list(ShiftChange.objects.filter(swap=swap, state=State.ASKED)) if swap else []
    if not rows:
        raise NotFound(Words("调班申请", "the request"))
    if rows[0].asked_of != by:
        raise NoRight(Words(f"由 {rows[0].asked_of} 确认", f"{rows[0].asked_of} decides"))
    return rows


def _halves(row: ShiftChange) -> list[ShiftChange]:
    return list(ShiftChange.objects.filter(swap=row.swap)) if row.swap else [row]


def _keep_the_past(row: ShiftChange, at: datetime) -> None:
    """The part of a change that has passed goes on to say who had those hours."""
    if row.state == State.IN_FORCE and row.start < at:
        ShiftChange.objects.create(
            unit=row.unit,
            officer_ref=row.officer_ref,
            instead_of=row.instead_of,
            start=row.start,
            until=at,
            kind=row.kind,
            state=State.IN_FORCE,
            by=row.by,
            at=row.at,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )


def _decide(rows: Sequence[ShiftChange], state: str, by: str, at: datetime) -> None:
    keys = [row.pk for row in rows]
    ShiftChange.objects.filter(pk__in=keys).update(state=state, decided_by=by, decided_at=at)


def _saved(row: ShiftChange) -> ShiftChange:
    row.save()
    return row
