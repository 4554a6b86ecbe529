"""The way of a draft: state, what the officer is to it, act."""

import pytest

from tongbao_connectors.papers.states import Act, Part, State, after, obstacle, part, possible

AUTHOR_MAY = {
    State.DRAFTING: {Act.SAVE, Act.CATEGORY, Act.SUBMIT, Act.DISCARD},
    State.SENT_BACK: {Act.SAVE, Act.CATEGORY, Act.SUBMIT, Act.DISCARD},
    State.REVIEWING: {Act.TAKE_BACK},
    State.APPROVED: set(),
    State.ISSUED: set(),
    State.DISCARDED: set(),
}
OTHERS_MAY = {
    State.DRAFTING: set(),
    State.SENT_BACK: set(),
    State.REVIEWING: {Act.PASS, Act.SEND_BACK},
    State.APPROVED: {Act.SEND_BACK, Act.ISSUE},
    State.ISSUED: set(),
    State.DISCARDED: set(),
}

NOBODY_MAY: dict[State, set[Act]] = {
    state: set() if state in (State.ISSUED, State.DISCARDED) else {Act.CLEAR} for state in State
}
TABLES = {
    Part.AUTHOR: AUTHOR_MAY,
    Part.REVIEWER: OTHERS_MAY,
    Part.OTHER: OTHERS_MAY,
    Part.NOBODY: NOBODY_MAY,
}


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("who", Part)
@pytest.mark.parametrize("state", State)
def test_who_may_do_what_in_which_state(state: State, who: Part, act: Act) -> None:
    """The table of acts, and a sentence in both languages for every cell that is closed."""
    allowed = TABLES[who]

    why = obstacle(act, state, who)

    assert (why is None) == (act in allowed[state])
    assert why is None or (why.zh and why.en)


def test_the_author_never_passes_or_issues_his_own_draft() -> None:
    """In no state, whatever he was besides; and no officer is taken for the desk itself."""
    assert part("", author="", reviewer="") is Part.NOBODY
    assert part("黔-0001", author="黔-0001", reviewer="黔-0001") is Part.AUTHOR
    assert not {Act.PASS, Act.ISSUE} & {act for state in State for act in possible(state, Part.AUTHOR)}


def test_the_way_that_a_draft_goes() -> None:
    """Sent back and corrected, it goes through review again before it is issued."""
    state = State.DRAFTING
    for act, expected in [
        (Act.SAVE, State.DRAFTING),
        (Act.SUBMIT, State.REVIEWING),
        (Act.SEND_BACK, State.SENT_BACK),
        (Act.SAVE, State.SENT_BACK),
        (Act.SUBMIT, State.REVIEWING),
        (Act.PASS, State.APPROVED),
        (Act.ISSUE, State.ISSUED),
    ]:
        state = after(act, state)

        assert state is expected
