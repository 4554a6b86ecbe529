"""The roster that counts now: `roster.toml` with the changes made at the desk laid over it.

Everybody who asks who is on duty asks here: the connector's routing, the desk and the watch.
"""

from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from tongbao_connectors.duty.models import ShiftChange
from tongbao_connectors.roster import Change, ChangeKind, Roster
from tongbao_connectors.settings import ConnectorSettings

PAST = timedelta(days=400)
"""How far back changes are laid over: what is older nobody looks at."""


def roster(settings: ConnectorSettings) -> Roster:
    """Units, officers and duty of a province as they are in force; raises BadConfiguration."""
    return laid_over(settings.roster())


def laid_over(standing: Roster) -> Roster:
    """The standing roster under the changes in force, the newest first."""
    rows = ShiftChange.objects.filter(state=ShiftChange.State.IN_FORCE).order_by("-pk")
    newest = rows.values_list("until", flat=True).order_by("-until").first()
    if newest is None:
        return standing
    return standing.with_changes([_change(row) for row in rows.filter(until__gt=newest - PAST)])


def changed(settings: ConnectorSettings) -> tuple[int, ...]:
    """Another value means that routing, roster or a change of a shift is another one."""
    found = ShiftChange.objects.aggregate(
        count=Count("pk"), newest=Max("pk"), in_force=Count("pk", filter=Q(state=ShiftChange.State.IN_FORCE))
    )
    return (*settings.rules_changed(), found["count"], found["newest"] or 0, found["in_force"])


def on_duty(of: Roster, officer_ref: str, at: datetime) -> frozenset[str]:
    """The units that an officer is accountable for at this moment."""
    return frozenset(unit for unit in of.units if of.accountable(unit, at).officer_ref == officer_ref)


def _change(row: ShiftChange) -> Change:
    return Change(
        row.unit, row.officer_ref, row.start, row.until, ChangeKind(row.kind), row.instead_of, row.by, row.at
    )
