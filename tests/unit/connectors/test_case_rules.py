"""Which act is allowed in which state: every cell of both tables."""

from datetime import UTC, datetime, timedelta

import pytest

from tongbao_connectors import case_rules
from tongbao_connectors.case_rules import Act, EventKind, OwnAct, State, ThreadState
from tongbao_connectors.store.models import Event, InboxItem

W, C, A, K = State.WAITING, State.CLAIMED, State.ASSIGNED, State.WORKING
N, B, R = State.ANSWERED, State.RETURNED, State.REDIRECTED
L, X, D = State.CLOSED, State.CANCELLED, State.READ

TABLE: dict[Act, dict[State, State]] = {
    Act.CLAIM: {W: C},
    Act.UNDO: {C: W, A: W, K: W},
    Act.ASSIGN: {C: A, A: A, K: A},
    Act.START: {C: K, A: K},
    Act.PROGRESS: {C: K, A: K, K: K, N: N},
    Act.RESULT: {C: N, A: N, K: N, N: N},
    Act.RETURN: {W: B, C: B, A: B, K: B},
    Act.REDIRECT: {W: R, C: R, A: R, K: R},
    Act.MORE_TIME: {C: C, A: A, K: K},
    Act.ASK: {C: C, A: A, K: K},
    Act.REMIND_ME: {W: W, C: C, A: A, K: K},
    Act.ASK_ALSO: {W: W},
    Act.COME_BACK: {C: W, A: W},
    Act.LIFT: {X: X},
    Act.CLOSED_THERE: {W: L, C: L, A: L, K: L, N: L, B: L, R: L},
    Act.CANCELLED_THERE: {W: X, C: X, A: X, K: X, N: X, B: X, R: X, L: X},
    Act.UPDATED_THERE: {N: W, B: W, R: W, L: W},
    Act.NOT_SENT: {N: W, B: W, R: W},
}
"""Act → state before → state after, where nobody holds it afterwards; what isn't here isn't allowed."""

OWN_TABLE = {
    OwnAct.CLOSE: {ThreadState.OPEN},
    OwnAct.CANCEL: {ThreadState.OPEN, ThreadState.CLOSED},
    OwnAct.SUPPLEMENT: {ThreadState.OPEN, ThreadState.CLOSED},
    OwnAct.REMIND: {ThreadState.OPEN},
    OwnAct.REPLY: set(ThreadState),
    OwnAct.REISSUE: {ThreadState.OPEN, ThreadState.CLOSED},
}
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SIGN, FIRST, LAST = AT + timedelta(hours=1), AT + timedelta(hours=8), AT + timedelta(hours=24)


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("state", State)
def test_every_cell(act: Act, state: State) -> None:
    """An act is allowed where the table has a cell, and leads to where that says."""
    assert case_rules.allowed(act, state) is (state in TABLE[act])
    if state in TABLE[act]:
        assert case_rules.after(act, state) is TABLE[act][state]


@pytest.mark.parametrize("act", OwnAct)
@pytest.mark.parametrize("state", ThreadState)
def test_every_cell_of_the_originators_table(act: OwnAct, state: ThreadState) -> None:
    """A cancelled alert stays cancelled; a closed one is reopened by a supplement only."""
    assert (state in case_rules.OWN_FROM[act]) is (state in OWN_TABLE[act])


@pytest.mark.parametrize("act", [Act.UNDO, Act.UPDATED_THERE, Act.NOT_SENT])
@pytest.mark.parametrize(("claimed_by", "assigned_to", "state"), [("", "", W), ("1", "", C), ("1", "2", A)])
def test_what_is_undone_or_reopened_goes_to_who_holds_it(
    act: Act, claimed_by: str, assigned_to: str, state: State
) -> None:
    """To the assignee, else to who signed, else it waits."""
    assert case_rules.after(act, K, claimed_by=claimed_by, assigned_to=assigned_to) is state


@pytest.mark.parametrize(
    ("state", "answered", "due"),
    [
        (W, None, SIGN),
        (C, None, FIRST),
        (A, None, FIRST),
        (K, AT, LAST),
        (C, AT, LAST),
        *((state, AT, None) for state in sorted(case_rules.DONE)),
    ],
)
def test_what_is_due_next(state: State, answered: datetime | None, due: datetime | None) -> None:
    """Signing, the first answer, the result; nothing once it is done."""
    found = case_rules.next_due(
        state, sign_by=SIGN, first_feedback_by=FIRST, result_by=LAST, first_answer_at=answered
    )

    assert found == due


def test_the_states_are_those_of_the_table_in_the_database() -> None:
    """Rules and rows speak of the same states, and every kind of event fits its column."""
    assert [str(state) for state in State] == InboxItem.State.values
    assert max(len(kind) for kind in EventKind) <= (Event._meta.get_field("kind").max_length or 0)


def test_open_held_and_done_divide_the_states() -> None:
    """Every state is open or done; what is held is open."""
    assert set(State) == case_rules.OPEN | case_rules.DONE
    assert not case_rules.OPEN & case_rules.DONE
    assert case_rules.HELD < case_rules.OPEN


def test_every_code_has_both_words() -> None:
    """States, acts and events are shown to people."""
    for codes in (State, Act, OwnAct, ThreadState, EventKind):
        assert all(code.zh and code.en for code in codes)
