"""Every page's way to `authorisation.decide`; nothing at the desk asks about rights otherwise.

1. `@needs(Verb.X)` stands on every view but those before login, whatever the method.
2. A view about one thing then calls `check(request, Verb.X, thing)`; a list calls `visible(rows, who)`.
3. Who asks is made anew for each request from the account, the roster of the moment and, for a posted
   officer, the directory in force: access ends with the posting, for logins that are open already too.
4. What a posted officer follows is asked with `thing_between` (one message) and `followed` (a list).
"""

import functools
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth import logout
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from tongbao_broker.errors import NoRight
from tongbao_connectors import postings
from tongbao_connectors.authorisation import ANYTHING, Decision, Role, Thing, Verb, Who, decide
from tongbao_connectors.casework import between
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.models import Account
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import AskedAlso, InboxItem, Message, Outbox

P = ParamSpec("P")
PageView = Callable[Concatenate[HttpRequest, P], HttpResponse]


def needs(*verbs: Verb) -> Callable[[PageView[P]], PageView[P]]:
    """Lets a view through for whom `decide` allows one of the verbs in general; else the no-right page."""

    def guard(view: PageView[P]) -> PageView[P]:
        @functools.wraps(view)  # a view is called with its request in the first place
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            decisions = [decide(who_asks(request), verb) for verb in verbs]
            if not any(decisions):
                raise NoRight(next_step=decisions[0].reason)
            return view(request, *args, **kwargs)

        guarded.needs = verbs  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return guard


def check(request: HttpRequest, verb: Verb, thing: Thing = ANYTHING) -> Decision:
    """The decision where it is yes; raises NoRight with who can."""
    decision = may(request, verb, thing)
    if not decision:
        raise NoRight(next_step=decision.reason)
    return decision


def may(request: HttpRequest, verb: Verb, thing: Thing = ANYTHING) -> Decision:
    """The decision for whoever asks by this request."""
    return decide(who_asks(request), verb, thing)


def who_asks(request: HttpRequest) -> Who:
    """The person behind a request that has passed the gate."""
    who: Who = request.who  # type: ignore[attr-defined]
    return who


def who_is(account: Account, at: datetime) -> Who:
    """An account as `decide` sees it at this moment."""
    roster = desk().refresh()
    units = frozenset(
        unit for unit in roster.units if roster.accountable(unit, at).officer_ref == account.officer_ref
    )
    role, hosts = Role(account.role), frozenset[str]()
    if role is Role.POSTED:
        hosts = frozenset(each.host for each in postings.of_officer(account.officer_ref, desk().code, at))
    return Who(account.officer_ref, role, unit_of(account, roster), units, account.is_active, hosts)


def unit_of(account: Account, roster: Roster) -> str:
    """The account's unit: as the roster has it, else as the account says."""
    officer = roster.officers.get(account.officer_ref)
    return officer.unit if officer else account.unit


def thing_of(item: InboxItem, roster: Roster) -> Thing:
    """A received message as `decide` sees it.

    Accountable is whoever it was brought to, and whoever is so for its unit now; the substitutes of both
    count as asked.
    """
    unit = roster.units.get(item.unit)
    now = roster.accountable(item.unit, desk().now()).officer_ref if unit else item.officer_ref
    stand_in = {now, *roster.substitutes(now), *roster.substitutes(item.officer_ref)} - {item.officer_ref}
    return Thing(
        kind=item.message.type,
        unit=item.unit,
        accountable=item.officer_ref,
        leader=unit.leader if unit else "",
        asked=frozenset(item.asked) | stand_in,
        claimed_by=item.claimed_by,
        assigned_to=item.assigned_to,
        direction="in",
        handling=item.message.handling,
    )


def visible(rows: "QuerySet[InboxItem]", who: Who) -> "QuerySet[InboxItem]":
    """Those of the rows that `decide` lets this person see: the same rule, said to the database."""
    if not decide(who, Verb.SEE_INBOX):
        return rows.none()
    if who.role in (Role.LEADER, Role.SUPERVISOR):
        return rows
    ref, roster, now = who.officer_ref, desk().roster(), desk().now()
    represented = {officer for officer, each in roster.officers.items() if each.substitute == ref}
    units = {who.unit, *who.on_duty}
    for code, unit in roster.units.items():
        if unit.leader == ref or roster.accountable(code, now).officer_ref in {ref, *represented}:
            units.add(code)
    return rows.filter(Q(unit__in=units) | Q(pk__in=_near(ref, {ref, *represented})))


def _near(ref: str, accountable: Collection[str]) -> "QuerySet[InboxItem, Any]":
    """The keys of what lies with these officers, what `ref` holds and what he was asked about.

    Each part has an index of its own; those of the holders leave out what nobody holds, and so do these.
    """
    items: QuerySet[InboxItem, Any] = InboxItem.objects.values("pk")
    signed = items.filter(~Q(claimed_by=""), claimed_by=ref)
    given = items.filter(~Q(assigned_to=""), assigned_to=ref)
    asked: QuerySet[Any, Any] = AskedAlso.objects.filter(officer_ref=ref).values("item")
    return items.filter(officer_ref__in=accountable).union(signed, given, asked, all=True)


def thing_between(message: Message) -> Thing:
    """An own alert, or a message that was received, as `decide` sees it for a posted officer."""
    return Thing(
        kind=message.type,
        direction="out" if Outbox.objects.filter(message=message).exists() else "in",
        handling=message.handling,
        between=between.provinces_of(message),
    )


def followed(rows: "QuerySet[Message]", who: Who) -> "QuerySet[Message]":
    """Those of the rows that `decide` lets a posted officer follow: the same rule, said to the database."""
    if not decide(who, Verb.FOLLOW) or not who.hosts:
        return rows.none()
    return between.rows_between(rows, who.hosts)


def leave(request: HttpRequest) -> None:
    """Ends the login."""
    logout(request)
