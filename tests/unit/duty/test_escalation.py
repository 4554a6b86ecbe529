"""Who is asked when, until somebody signs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.duty.test_week import ROSTER
from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.duty import escalation, plan
from tongbao_connectors.duty.escalation import Facts, Row, Step, Stop, Take
from tongbao_connectors.duty.plan import Plan, Steps
from tongbao_connectors.roster import Roster, read_settings
from tongbao_connectors.workspace import DEMO_DESKS, template

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
STEPS = Steps(group=5, leader=10, desk=15, repeat=5, repeats=2, comes_back=60)
NEVER = START + timedelta(days=365)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def row(minutes: int, step: Step, nth: int = 0) -> Row:
    return Row(after(minutes), 1, step, nth)


ALL = (
    row(0, Step.ON_DUTY),
    row(5, Step.GROUP),
    row(10, Step.LEADER),
    row(15, Step.DESK),
    row(20, Step.REPEAT, 1),
    row(25, Step.REPEAT, 2),
)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(STEPS, ALL, id="every step, then the repeats"),
        pytest.param(
            Steps(leader=10, repeat=5, repeats=1, comes_back=60),
            (row(0, Step.ON_DUTY), row(10, Step.LEADER), row(15, Step.REPEAT, 1)),
            id="a step that is left out is not taken",
        ),
        pytest.param(Steps(comes_back=60), (row(0, Step.ON_DUTY),), id="only the officer on duty"),
        pytest.param(
            Steps(group=5, repeats=3, comes_back=60),
            (row(0, Step.ON_DUTY), row(5, Step.GROUP)),
            id="repeats need their interval",
        ),
    ],
)
def test_a_round_is_laid_down_at_once(steps: Steps, expected: tuple[Row, ...]) -> None:
    """Due times are rows, so that the desk can name the next step."""
    assert escalation.rows(steps, 1, START) == expected


@pytest.mark.parametrize(
    ("waiting", "expires", "open_rows", "minutes", "expected"),
    [
        pytest.param(True, NEVER, ALL, 0, Take(ALL[:1]), id="at once: on duty"),
        pytest.param(True, NEVER, ALL[1:], 4.9, None, id="before the next step"),
        pytest.param(True, NEVER, ALL[1:], 5, Take(ALL[1:2]), id="the moment it is due"),
        pytest.param(True, NEVER, ALL, 60, Take(ALL), id="after an outage all that fell due, as one"),
        pytest.param(False, NEVER, ALL[1:], 60, Stop(), id="signed for"),
        pytest.param(True, after(30), ALL[1:], 60, Stop(), id="expired"),
        pytest.param(True, NEVER, (), 60, None, id="every step has been taken"),
    ],
)
def test_what_is_due(
    waiting: bool, expires: datetime, open_rows: tuple[Row, ...], minutes: float, expected: Stop | Take | None
) -> None:
    """A waiting item goes on step by step; one that was signed for or has expired stops."""
    assert escalation.judge(Facts(waiting, expires), open_rows, after(minutes)) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([Step.ON_DUTY], ["粤-0002"], id="who is accountable"),
        pytest.param([Step.GROUP], ["粤-0001", "粤-0002", "粤-0003"], id="everybody in the unit"),
        pytest.param([Step.LEADER], ["粤-0001"], id="its leader"),
        pytest.param([Step.DESK], ["粤-0002"], id="who is on duty at the provincial duty desk"),
        pytest.param([Step.REPEAT], ["粤-0002", "粤-0001"], id="all who are accountable, each once"),
        pytest.param([Step.ON_DUTY, Step.LEADER], ["粤-0002", "粤-0001"], id="two steps as one"),
    ],
)
def test_whom_a_step_reaches(steps: list[Step], expected: list[str]) -> None:
    """On duty, group, leader, provincial duty desk."""
    some = [row(0, step) for step in steps]
    roster = Roster.parse(ROSTER)

    assert escalation.asked(some, roster, "gd-duty", "粤-0002", "gd-duty", START) == expected


minutes = st.integers(1, 200)


@st.composite
def some_steps(draw: st.DrawFn) -> Steps:
    rising = sorted(draw(st.sets(minutes, min_size=3, max_size=3)))
    group, leader, desk = (draw(st.sampled_from([after, None])) for after in rising)
    return Steps(
        group=group,
        leader=leader,
        desk=desk,
        repeat=draw(st.none() | minutes),
        repeats=draw(st.integers(0, 6)),
        comes_back=60,
    )


@settings(max_examples=80, deadline=None)
@given(some_steps(), st.lists(st.integers(0, 3000), max_size=12), st.none() | st.integers(0, 3000))
def test_no_step_is_taken_twice_and_none_after_the_signature(
    steps: Steps, looks: list[int], signed: int | None
) -> None:
    """Whenever somebody looks, and whenever somebody signs."""
    rows = escalation.rows(steps, 1, START)
    open_rows = list(rows)
    taken: list[Row] = []
    for minute in sorted(looks):
        waiting = signed is None or minute < signed
        verdict = escalation.judge(Facts(waiting, NEVER), open_rows, after(minute))
        if isinstance(verdict, Stop):
            open_rows = []
        if isinstance(verdict, Take):
            assert waiting
            assert all(row.due_at <= after(minute) for row in verdict.rows)
            taken += verdict.rows
            open_rows = [row for row in open_rows if row not in verdict.rows]

    assert len(taken) == len(set(taken))
    assert taken == list(rows[: len(taken)])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[flash]\ngroup = 10\nleader = 5\ncomes_back = 60", id="the leader before the group"),
        pytest.param("[flash]\ngroup = 0\ncomes_back = 60", id="no minutes"),
        pytest.param("[flash]\ngroup = 5", id="without an end to the silence"),
        pytest.param("[flush]\ncomes_back = 5", id="an urgency that doesn't exist"),
    ],
)
def test_a_plan_that_makes_no_sense_is_a_mistake(text: str) -> None:
    """It is said when the file is read, with the field."""
    with pytest.raises(BadConfiguration, match=r"escalation\.toml"):
        read_settings(Plan, text, plan.FILE)


def test_a_province_without_a_plan_goes_by_the_defaults() -> None:
    """The more urgent, the sooner; what has no urgency goes as routine."""
    standing = Plan()

    assert [standing.steps(urgency).desk for urgency in ("flash", "urgent", "routine", "")] == [
        15,
        90,
        1440,
        1440,
    ]


@pytest.mark.parametrize("code", DEMO_DESKS)
def test_the_demos_plan_is_the_default(code: str) -> None:
    """So that who edits it starts from what is in force."""
    assert read_settings(Plan, template(code, plan.FILE), plan.FILE) == Plan()
