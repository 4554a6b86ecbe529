"""Stories that nobody wrote: acts in any order by anybody on both sides, and what holds after each."""

import contextlib
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.casework import ACCOUNTABLE, LEADER, SENDER, SUBSTITUTE, Case
from tongbao_broker import database
from tongbao_broker.errors import Conflict, NoRight
from tongbao_connectors import case_rules, casework
from tongbao_connectors.case_rules import State
from tongbao_connectors.store.models import Draft, Event, InboxItem, Incident

OFFICERS = (ACCOUNTABLE, ACCOUNTABLE, ACCOUNTABLE, SUBSTITUTE, SENDER, LEADER)
ANSWERS: tuple[dict[str, str], ...] = (
    {"kind": "progress"},
    {"kind": "result", "outcome": "seized"},
    {"kind": "returned", "ground": "duplicate"},
    {"kind": "redirect", "to": "450000"},
)


class Story:
    """One case and the dice."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.dice = random.Random(seed)

    def acts(self) -> tuple[Callable[[], object], ...]:
        return (
            *(self.claim,) * 3,
            *(self.assign, self.start, self.answer) * 2,
            *(self.undo, self.ask, self.come_back, self.lift),
            *(self.close, self.cancel, self.supplement, self.remind),
            *(self.wait, self.case.net.settle),
        )

    def step(self) -> None:
        """One act; that it may be refused is part of the story."""
        with contextlib.suppress(Conflict, NoRight):
            self.dice.choice(self.acts())()

    def claim(self) -> None:
        with self.case.gd.here():
            casework.claim(self.case.message_id, **self.somebody())

    def assign(self) -> None:
        with self.case.gd.here():
            casework.assign(self.case.message_id, to=self.dice.choice(OFFICERS), **self.somebody())

    def start(self) -> None:
        with self.case.gd.here():
            casework.start(self.case.message_id, **self.somebody())

    def answer(self) -> None:
        given = self.dice.choice(ANSWERS)
        with self.case.gd.here():
            casework.answer(self.case.message_id, text="演练", origin="440000", **given, **self.somebody())

    def undo(self) -> None:
        with self.case.gd.here():
            casework.undo(self.case.message_id, **self.somebody())

    def ask(self) -> None:
        with self.case.gd.here():
            casework.ask(self.case.message_id, text="演练", origin="440000", **self.somebody())

    def come_back(self) -> None:
        with self.case.gd.here():
            roster, at = self.case.roster(self.case.gd), self.case.net.clock.now()
            casework.come_back(
                self.case.item().message, at, silent_until=at - timedelta(hours=1), roster=roster
            )

    def lift(self) -> None:
        with self.case.gd.here():
            casework.lift(self.case.message_id, **self.somebody())

    def close(self) -> None:
        with self.case.gz.here():
            casework.close(self.case.message_id, outcome="achieved", **self.sender())

    def cancel(self) -> None:
        if self.dice.random() < 0.3:
            with self.case.gz.here():
                casework.cancel(self.case.message_id, ground="duplicate", **self.sender())

    def supplement(self) -> None:
        with self.case.gz.here():
            casework.supplement(self.case.message_id, relation="supplements", **self.sender())

    def remind(self) -> None:
        with self.case.gz.here():
            casework.remind(self.case.message_id, **self.sender())

    def wait(self) -> None:
        self.case.net.clock.forward(minutes=self.dice.choice((1, 6, 70)))

    def somebody(self) -> dict[str, object]:
        return self.case.gd_as(self.dice.choice(OFFICERS))

    def sender(self) -> dict[str, object]:
        return {"text": "演练", "origin": "520000", **self.case.gz_as()}


def check_item(item: InboxItem) -> None:
    """What holds at the addressee's desk at any moment."""
    state = State(item.state)
    message = item.message
    assert (state in case_rules.HELD) <= bool(item.claimed_by)
    assert (state is State.WAITING) <= (not item.claimed_by and not item.assigned_to)
    assert (state is State.ASSIGNED) <= bool(item.assigned_to)
    assert bool(item.claimed_by) == (item.claimed_at is not None)
    assert bool(item.assigned_to) == (item.assigned_at is not None)
    assert item.due_at == case_rules.next_due(
        state,
        sign_by=message.sign_by,
        first_feedback_by=message.first_feedback_by,
        result_by=message.result_by,
        first_answer_at=item.first_answer_at,
    )


def check_agreement(case: Case) -> None:
    """What the originator sees once everything has arrived is what is so."""
    item = case.item()
    with case.gz.here():
        [there] = casework.standing(case.message_id)
        own = casework.own_state(case.sent_alert())
    assert (there.claimed.by if there.claimed else "") == item.claimed_by
    if item.state == State.ASSIGNED:
        assert there.assigned is not None
        assert there.assigned.by == item.assigned_to
    assert (own == "cancelled") == (item.state == State.CANCELLED) == (there.cancelled_at is not None)
    assert (own == "closed") == (item.state == State.CLOSED)
    assert (there.lifted_at is not None) == (item.state == State.CANCELLED and item.closed_at is not None)


@pytest.mark.parametrize("seed", range(4))
def test_any_story_leaves_one_truth(tmp_path: Path, seed: int) -> None:
    """Whoever does what when: the row is whole, its history only grows, and both sides agree at the end."""
    case = Case.sent(tmp_path)
    story = Story(case, seed)
    seen: list[int] = []
    for _ in range(40):
        story.step()
        check_item(case.item())
        with case.gd.here():
            events = list(Event.objects.order_by("pk").values_list("pk", flat=True))
        assert events[: len(seen)] == seen
        seen = events
    case.net.settle()
    case.net.settle()

    check_agreement(case)
    for there in (case.gz, case.gd):
        with there.here():
            assert not Draft.objects.filter(state="refused").exists()
            assert not Incident.objects.exists()
    database.close()
