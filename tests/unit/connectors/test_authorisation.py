"""Role × verb × thing, every cell: what each may do is written here once more, by hand and differently."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongbao_connectors.authorisation import ANYTHING, Role, Thing, Verb, Who, decide

R, V, L, A, S, P = Role
ALL = frozenset({R, V, L, A, S})
OFFICERS = frozenset({R, V, L})
READERS = frozenset({R, V, L, S})
NOBODY: frozenset[Role] = frozenset()

ME, OTHER = "粤-0117", "粤-0118"
MINE, ELSEWHERE = "gd-shenzhen", "gd-guangzhou"
HOST, ANOTHER = "520000", "330000"

RECEIVED = Thing("alert", ELSEWHERE, accountable=OTHER, direction="in", handling="H0")
SENT = Thing("alert", ELSEWHERE, direction="out", submitted_by=OTHER, reviewed_by="粤-0001", handling="H0")

THINGS = {
    "anything": ANYTHING,
    "received elsewhere": RECEIVED,
    "received in my unit": replace(RECEIVED, unit=MINE),
    "received, I am accountable": replace(RECEIVED, accountable=ME),
    "received, I am asked too": replace(RECEIVED, asked=frozenset({ME})),
    "received, I lead the unit": replace(RECEIVED, leader=ME),
    "received, I signed": replace(RECEIVED, claimed_by=ME),
    "received, another signed": replace(RECEIVED, unit=MINE, claimed_by=OTHER),
    "received, assigned to me": replace(RECEIVED, claimed_by=OTHER, assigned_to=ME),
    "received in my unit, H2": replace(RECEIVED, unit=MINE, handling="H2"),
    "received from my host": replace(RECEIVED, between=frozenset({HOST})),
    "received from another": replace(RECEIVED, between=frozenset({ANOTHER})),
    "sent by another": SENT,
    "sent by me": replace(SENT, submitted_by=ME),
    "sent from my unit": replace(SENT, unit=MINE),
    "sent by another, H2": replace(SENT, handling="H2"),
    "sent to my host and another": replace(SENT, between=frozenset({HOST, ANOTHER})),
    "sent to another": replace(SENT, between=frozenset({ANOTHER})),
    "my draft": Thing("draft", MINE, submitted_by=ME),
    "another's draft": Thing("draft", MINE, submitted_by=OTHER),
    "my shift": Thing("shift", MINE, accountable=ME),
    "another's shift": Thing("shift", MINE, accountable=OTHER),
}

CLOSE_TO_ME = {
    "received in my unit",
    "received, I am accountable",
    "received, I am asked too",
    "received, I lead the unit",
    "received, I signed",
    "received, another signed",
    "received, assigned to me",
    "received in my unit, H2",
}
HELD_BY_ME = {"received, I signed", "received, assigned to me"}
ALL_SENT = {name for name in THINGS if name.startswith("sent")}
EVER = {
    **dict.fromkeys(Verb, OFFICERS),
    **dict.fromkeys((Verb.SEE_INBOX, Verb.SEARCH, Verb.SEE_SENT, Verb.SEE_MESSAGE), READERS),
    **dict.fromkeys((Verb.OPEN_BODY, Verb.SEE_OPENINGS, Verb.PRINT, Verb.EXPORT), READERS),
    **dict.fromkeys((Verb.SEE_DUTY, Verb.SEE_CHANNELS), ALL),
    **dict.fromkeys((Verb.MANAGE_ACCOUNTS, Verb.MANAGE_CHANNELS), frozenset({A})),
    **dict.fromkeys((Verb.REVIEW, Verb.ISSUE), frozenset({V, L})),
    Verb.SEARCH: READERS | {P},
    Verb.OPEN_BODY: READERS | {P},
    Verb.URGE: OFFICERS | {P},
    **dict.fromkeys((Verb.FOLLOW, Verb.COMMENT), frozenset({P})),
}
POSTED_MAY = {
    "received from my host": {Verb.FOLLOW, Verb.SEARCH, Verb.OPEN_BODY, Verb.COMMENT},
    "sent to my host and another": {Verb.FOLLOW, Verb.SEARCH, Verb.OPEN_BODY, Verb.COMMENT, Verb.URGE},
}


def wanted(verb: Verb, name: str) -> frozenset[Role]:
    """Which roles may: an officer of 深圳, not on duty, looks at the thing of this name."""
    if name == "anything":
        return EVER[verb]
    posted = frozenset({P}) if verb in POSTED_MAY.get(name, ()) else NOBODY
    return _wanted_of_officers(verb, name) | posted


def _wanted_of_officers(verb: Verb, name: str) -> frozenset[Role]:
    match verb:
        case Verb.FOLLOW | Verb.COMMENT:
            return NOBODY
        case Verb.SEE_INBOX | Verb.SEARCH | Verb.SEE_SENT:
            return READERS
        case Verb.SEE_DUTY | Verb.SEE_CHANNELS:
            return ALL
        case Verb.MANAGE_ACCOUNTS | Verb.MANAGE_CHANNELS:
            return frozenset({A})
        case Verb.HAND_OVER:
            return OFFICERS
        case Verb.SEE_MESSAGE | Verb.OPEN_BODY | Verb.SEE_OPENINGS | Verb.PRINT | Verb.EXPORT:
            if verb is Verb.EXPORT and name.endswith("H2"):
                return NOBODY
            near = name in CLOSE_TO_ME | ALL_SENT | {"anything"} or name in {
                "my draft",
                "another's draft",
                "my shift",
                "another's shift",
            }
            return READERS if near else frozenset({L, S})
        case Verb.SIGN:
            if name in {"received, I am accountable", "received, I am asked too"}:
                return OFFICERS
            return NOBODY
        case Verb.ASSIGN:
            return OFFICERS if name in HELD_BY_ME | {"received, I lead the unit"} else NOBODY
        case Verb.WORK | Verb.ANSWER | Verb.UNDO | Verb.REMIND:
            return OFFICERS if name in HELD_BY_ME else NOBODY
        case Verb.CLOSE | Verb.SUPPLEMENT | Verb.CANCEL | Verb.URGE:
            if name in {"sent by me", "sent from my unit"}:
                return OFFICERS
            return frozenset({L}) if name in ALL_SENT else NOBODY
        case Verb.DRAFT:
            theirs = ALL_SENT - {"sent by me"} | {"another's draft"}
            return NOBODY if name in theirs else OFFICERS
        case Verb.REVIEW | Verb.ISSUE:
            return NOBODY if name in {"my draft", "sent by me"} else frozenset({V, L})
        case Verb.CHANGE_DUTY:
            mine = name in {"my shift", "received, I am accountable"}
            return OFFICERS if mine else frozenset({L})


def cells() -> list[tuple[Role, Verb, str]]:
    return list(product(Role, Verb, THINGS))


def me(role: Role, hosts: frozenset[str] = frozenset({HOST})) -> Who:
    """An officer of 深圳, not on duty; the posting of the directory helps a posted officer only."""
    return Who(ME, role, MINE, hosts=hosts)


def test_every_cell_of_the_matrix() -> None:
    """All roles × all verbs × all things: the function says what the table here says, and nothing else."""
    wrong = [
        (role.value, verb.value, name)
        for role, verb, name in cells()
        if bool(decide(me(role), verb, THINGS[name])) != (role in wanted(verb, name))
    ]

    assert wrong == []


def test_a_posted_officer_whose_posting_is_over_may_nothing_with_anything() -> None:
    """Without a host every cell of his is no; his role alone opens a list in which nothing stands."""
    left = [
        (verb.value, name)
        for role, verb, name in cells()
        if role is P and name != "anything" and decide(me(P, hosts=frozenset()), verb, THINGS[name])
    ]

    assert left == []


def test_whoever_is_on_duty_for_a_unit_signs_for_what_lies_there() -> None:
    """Duty makes an officer of one unit accountable for another one's messages, while it lasts."""
    on_duty = Who(ME, Role.RECEIVER, MINE, on_duty=frozenset({ELSEWHERE}))

    assert decide(on_duty, Verb.SIGN, RECEIVED)
    assert decide(on_duty, Verb.OPEN_BODY, RECEIVED).automatic_why == "值班签收"
    assert not decide(replace(on_duty, on_duty=frozenset()), Verb.SIGN, RECEIVED)


@pytest.mark.parametrize(
    ("name", "role", "why"),
    [
        ("received, I am accountable", Role.RECEIVER, "值班签收"),
        ("received, I signed", Role.RECEIVER, "承办"),
        ("received, assigned to me", Role.REVIEWER, "承办"),
        ("received, I am asked too", Role.RECEIVER, "升级通知"),
        ("received in my unit", Role.RECEIVER, ""),
        ("received elsewhere", Role.LEADER, ""),
        ("received, I am accountable", Role.SUPERVISOR, ""),
        ("received from my host", Role.POSTED, "外派联络"),
        ("sent to my host and another", Role.POSTED, "外派联络"),
        ("sent by me", Role.RECEIVER, "拟稿"),
        ("sent by another", Role.RECEIVER, ""),
    ],
)
def test_reason_of_an_opening(name: str, role: Role, why: str) -> None:
    """It is automatic for who has to do with the message; everybody else types one."""
    assert decide(me(role), Verb.OPEN_BODY, THINGS[name]).automatic_why == why


@given(st.sampled_from(Role), st.sampled_from(Verb), st.sampled_from(sorted(THINGS)))
def test_closed_account_may_nothing(role: Role, verb: Verb, name: str) -> None:
    """No role and no duty helps an account that is closed, and it is told who can open it."""
    decision = decide(Who(ME, role, MINE, frozenset({MINE}), active=False), verb, THINGS[name])

    assert not decision
    assert "管理员" in decision.reason.zh


@given(st.sampled_from(Role), st.sampled_from(Verb), st.sampled_from(sorted(THINGS)))
def test_a_no_says_who_can(role: Role, verb: Verb, name: str) -> None:
    """Every refusal has a sentence in both languages; a yes needs none."""
    decision = decide(Who(ME, role, MINE), verb, THINGS[name])

    assert bool(decision.reason.zh and decision.reason.en) is not decision.allowed


def test_supervisor_changes_nothing_and_administrator_reads_nothing() -> None:
    """The two roles that stand beside the work, whatever the thing."""
    reading = {
        Verb.SEE_INBOX,
        Verb.SEARCH,
        Verb.SEE_MESSAGE,
        Verb.OPEN_BODY,
        Verb.SEE_OPENINGS,
        Verb.PRINT,
        Verb.EXPORT,
        Verb.SEE_SENT,
        Verb.SEE_DUTY,
        Verb.SEE_CHANNELS,
    }
    may = {
        role: {
            verb for r, verb, name in cells() if r is role and decide(Who(ME, r, MINE), verb, THINGS[name])
        }
        for role in Role
    }

    assert may[Role.SUPERVISOR] <= reading
    assert may[Role.ADMIN] == {
        Verb.SEE_DUTY,
        Verb.SEE_CHANNELS,
        Verb.MANAGE_ACCOUNTS,
        Verb.MANAGE_CHANNELS,
    }
