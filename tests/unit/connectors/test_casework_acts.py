"""An alert's way at the desk that received it: signed, assigned, begun, answered, taken back, given back."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.casework import ACCOUNTABLE, LEADER, SENDER, SUBSTITUTE, Case
from tests.unit.schemas import alerts
from tongbao_broker import database
from tongbao_broker.errors import Conflict, NoRight, NotFound
from tongbao_connectors import casework
from tongbao_connectors.store.models import Draft, Event, InboxItem, Message, OwnReminder, StageReport
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused

ORIGIN = {"origin": "440000"}


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """The alert lies in Guangdong's inbox, and Guangdong's database is the current one."""
    case = Case.sent(tmp_path)
    with case.gd.here():
        yield case
    database.close()


def signed(case: Case) -> Case:
    casework.claim(case.number, **case.gd_as())
    return case


def test_what_arrives_is_due_to_be_signed(case: Case) -> None:
    """The row carries urgency and the time by which to sign, so that an index sorts the inbox."""
    item = case.item()

    assert (item.urgency, item.due_at) == (item.message.urgency, item.message.sign_by)


def test_signing_is_a_line_and_starts_the_next_clock(case: Case) -> None:
    """Who signed, when it comes back if he doesn't begin, and what is due now."""
    item = casework.claim(case.number, **case.gd_as())

    assert case.events() == ["claimed"]
    assert item.due_at == item.first_feedback_by
    assert item.silent_since == case.net.clock.now()


def test_who_was_asked_by_an_escalation_may_sign(case: Case) -> None:
    """He couldn't before; the same officer is not asked twice, and the accountable one not at all."""
    with pytest.raises(NoRight):
        casework.claim(case.number, **case.gd_as(SENDER))
    message, at = case.item().message, case.net.clock.now()

    assert casework.ask_also(message, [ACCOUNTABLE, SENDER], at) == (SENDER,)
    assert casework.ask_also(message, [SENDER], at) == ()
    assert casework.claim(case.number, **case.gd_as(SENDER)).asked == (SENDER,)


def test_several_are_signed_for_each_by_itself(case: Case) -> None:
    """One that can't be signed for doesn't keep the others."""
    found = casework.claim_many(["黔2026-999999-0", case.number], **case.gd_as())

    assert [type(one.error) for one in found] == [NotFound, type(None)]
    assert found[1].item is not None
    assert found[1].item.state == "claimed"
    with pytest.raises(Conflict):
        casework.claim_many([case.number] * 51, **case.gd_as())


@pytest.mark.parametrize("by", [ACCOUNTABLE, LEADER])
def test_an_alert_is_assigned_to_a_named_officer(case: Case, by: str) -> None:
    """By who signed or by the unit's leader; from then on the assignee goes on with it, and only he."""
    signed(case)
    item = casework.assign(case.number, to=SENDER, **case.gd_as(by))

    assert (item.state, item.assigned_to, item.holder) == ("assigned", SENDER, SENDER)
    assert [mine.number for mine in casework.list_inbox(SENDER)] == [case.number]
    assert case.reported()[-1] == ("assigned", SENDER)
    with pytest.raises(NoRight):
        casework.start(case.number, **case.gd_as())
    assert casework.start(case.number, **case.gd_as(SENDER)).state == "working"
    assert case.reported()[-1] == ("working", SENDER)
    assert case.events() == ["claimed", "assigned", "started"]


@pytest.mark.parametrize(
    ("by", "to", "error"), [(SUBSTITUTE, SENDER, NoRight), (ACCOUNTABLE, "B-0001", NotFound)]
)
def test_nobody_else_assigns_and_to_nobody_unknown(
    case: Case, by: str, to: str, error: type[Exception]
) -> None:
    """It stays where it was."""
    signed(case)
    with pytest.raises(error):
        casework.assign(case.number, to=to, **case.gd_as(by))

    assert case.item().state == "claimed"


def test_what_nobody_signed_for_is_neither_assigned_nor_begun(case: Case) -> None:
    """First somebody owns it."""
    with pytest.raises(Conflict):
        casework.assign(case.number, to=SENDER, **case.gd_as(LEADER))
    with pytest.raises(NoRight):
        casework.start(case.number, **case.gd_as())


def test_beginning_or_assigning_again_changes_nothing(case: Case) -> None:
    """A second click is no second act."""
    signed(case)
    for _ in range(2):
        casework.assign(case.number, to=SENDER, **case.gd_as())
    for _ in range(2):
        casework.start(case.number, **case.gd_as(SENDER))

    assert case.events() == ["claimed", "assigned", "started"]


ANSWERS = {
    "progress": ({}, "working"),
    "result": ({"outcome": "seized"}, "answered"),
    "returned": ({"ground": "papers_incomplete"}, "returned"),
    "redirect": ({"to": "450000"}, "redirected"),
    "more_time": ({}, "claimed"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_kind_of_answer(case: Case, kind: str) -> None:
    """It is sent, moves the case where the table says, and stands in the timeline with its codes."""
    signed(case)
    coded, state = ANSWERS[kind]
    until = case.net.clock.now() + timedelta(days=7) if kind == "more_time" else None
    draft = casework.answer(
        case.number, kind=kind, text="演练", until=until, **coded, **ORIGIN, **case.gd_as()
    )
    item = case.item()

    assert (item.state, item.silent_since, item.first_answer_at) == (state, None, case.net.clock.now())
    event = Event.objects.order_by("pk").last()
    assert event is not None
    assert event.facts["message_id"] == draft.message_id
    assert coded.items() <= event.facts.items()
    assert "演练" not in str(event.facts)
    case.net.settle()
    with case.gz.here():
        assert list(Message.objects.filter(type="answer").values_list("answer_kind", flat=True)) == [kind]


@pytest.mark.parametrize("kind", ["returned", "redirect"])
def test_what_isnt_ours_is_sent_back_at_once(case: Case, kind: str) -> None:
    """Returning a waiting alert signs for it; who may not sign may not return it either."""
    coded, state = ANSWERS[kind]
    with pytest.raises(NoRight):
        casework.answer(case.number, kind=kind, text="演练", **coded, **ORIGIN, **case.gd_as(LEADER))
    casework.answer(case.number, kind=kind, text="演练", **coded, **ORIGIN, **case.gd_as())

    assert (case.item().state, case.item().claimed_by) == (state, ACCOUNTABLE)
    assert case.events()[0] == "claimed"


def test_an_answer_of_no_kind_is_refused(case: Case) -> None:
    """At its field."""
    signed(case)
    with pytest.raises(Refused, match=r"body\.kind"):
        casework.answer(case.number, kind="gossip", text="演练", **ORIGIN, **case.gd_as())


def test_a_result_can_be_followed_by_another(case: Case) -> None:
    """What is found later is reported too; what is closed is not answered any more."""
    signed(case)
    for outcome in ("located", "detained"):
        casework.answer(case.number, kind="result", text="演练", outcome=outcome, **ORIGIN, **case.gd_as())
    assert case.events() == ["claimed", "result", "result"]
    InboxItem.objects.update(state="closed")
    with pytest.raises(Conflict):
        casework.answer(case.number, kind="result", text="演练", outcome="seized", **ORIGIN, **case.gd_as())
    assert Draft.objects.filter(type="answer").count() == 2


def test_an_answer_of_a_case_system_moves_the_case_too(case: Case) -> None:
    """The same file again changes nothing; one that the state doesn't allow leaves no draft."""
    signed(case)
    message = case.item().message

    def file(client_ref: str) -> bytes:
        content = {
            "client_ref": client_ref,
            "type": "answer",
            "status": message.status,
            "audience": ["520000"],
            "urgency": message.urgency,
            "handling": message.handling,
            "category": message.category,
            "refs": [{"id": message.message_id, "digest": message.digest, "relation": "answers"}],
            "body": alerts.answer("result"),
        }
        return compact_json(content)

    who = {"by": ACCOUNTABLE, "roster": case.roster(case.gd), "at": case.net.clock.now(), **ORIGIN}
    for _ in range(2):
        casework.submit(file("answer-1"), **who)
    assert (case.item().state, case.item().silent_since, case.events()) == (
        "answered",
        None,
        ["claimed", "result"],
    )
    InboxItem.objects.update(state="closed")
    with pytest.raises(Conflict):
        casework.submit(file("answer-2"), **who)
    assert Draft.objects.filter(type="answer").count() == 1


def result(case: Case, outcome: str = "seized") -> str:
    return casework.answer(
        case.number, kind="result", text="演练", outcome=outcome, **ORIGIN, **case.gd_as()
    ).message_id


@pytest.mark.parametrize("refused_by", ["the exchange", "the own connector"])
def test_an_answer_that_could_not_be_sent_is_no_answer(case: Case, refused_by: str) -> None:
    """The alert is held again by who held it, what is due is due again, and the timeline says why."""
    signed(case)
    message_id = result(case)
    assert case.item().due_at is None
    if refused_by == "the exchange":
        case.net.exchange.reject[message_id] = "TB-413"
    else:
        Draft.objects.filter(message_id=message_id).update(text=b"{}")
    case.net.settle()

    item = case.item()
    assert (item.state, item.answered_at, item.first_answer_at) == ("claimed", None, None)
    assert item.due_at == item.message.first_feedback_by
    line = casework.timeline(case.number)[0]
    assert (line.kind, line.point) == ("not_sent", "failed")
    assert line.words.zh in ("未发出：反馈（TB-413）", "未发出：反馈（TB-602）")
    result(case)
    case.net.settle()
    assert case.item().state == "answered"


def test_one_answer_of_two_that_arrives_is_enough(case: Case) -> None:
    """What was sent before stands."""
    signed(case)
    result(case, "located")
    case.net.exchange.reject[result(case, "detained")] = "TB-413"
    case.net.settle()

    assert case.item().state == "answered"
    assert case.events() == ["claimed", "result", "result", "not_sent"]


def test_undoing_is_a_correction_that_the_originator_sees(case: Case) -> None:
    """Signature, assignment and start are taken back one by one; each is a line and a report."""
    at = case.net.clock
    signed(case)
    casework.assign(case.number, to=SENDER, **case.gd_as())
    casework.start(case.number, **case.gd_as(SENDER))
    at.forward(minutes=4)

    assert casework.undo(case.number, **case.gd_as(SENDER)).state == "assigned"
    assert case.reported()[-1] == ("assigned", SENDER)
    with pytest.raises(Conflict):
        casework.undo(case.number, **case.gd_as(SENDER))
    assert case.events() == ["claimed", "assigned", "started", "unstarted"]


def test_an_assignment_and_a_signature_are_taken_back(case: Case) -> None:
    """Afterwards it waits again, and somebody else may sign."""
    signed(case)
    item = casework.undo(case.number, **case.gd_as())

    assert (item.state, item.claimed_by, item.claimed_at, item.due_at) == (
        "waiting",
        None,
        None,
        item.sign_by,
    )
    assert case.reported()[-1] == ("routed", ACCOUNTABLE)
    casework.claim(case.number, **case.gd_as(SUBSTITUTE))
    casework.assign(case.number, to=SENDER, **case.gd_as(SUBSTITUTE))
    item = casework.undo(case.number, **case.gd_as(SUBSTITUTE))
    assert (item.state, item.claimed_by, item.assigned_to) == ("claimed", SUBSTITUTE, None)
    assert case.reported()[-1] == ("claimed", SUBSTITUTE)


def test_after_five_minutes_nothing_is_undone(case: Case) -> None:
    """Up to then it can be, by who did it."""
    signed(case)
    message = case.item().message
    case.net.clock.forward(minutes=5)
    assert casework.undoable(message, case.net.clock.now()) is not None
    with pytest.raises(NoRight):
        casework.undo(case.number, **case.gd_as(SUBSTITUTE))
    case.net.clock.forward(milliseconds=1)

    assert casework.undoable(message, case.net.clock.now()) is None
    with pytest.raises(Conflict):
        casework.undo(case.number, **case.gd_as())
    assert case.item().state == "claimed"


def test_what_was_answered_is_not_undone(case: Case) -> None:
    """The answer is on its way; the signature beneath it stays."""
    signed(case)
    casework.answer(case.number, kind="progress", text="演练", **ORIGIN, **case.gd_as())

    with pytest.raises(Conflict):
        casework.undo(case.number, **case.gd_as())


def test_what_nobody_begins_comes_back(case: Case) -> None:
    """At its time and not before; with its history, reported, and to be signed for by anybody who may."""
    signed(case)
    message = case.item().message
    roster = case.roster(case.gd)

    def come_back() -> bool:
        now = case.net.clock.now()
        return casework.come_back(message, now, silent_until=now - timedelta(hours=1), roster=roster)

    assert not come_back()
    case.net.clock.forward(hours=1)
    assert come_back()
    assert not come_back()
    assert (case.item().state, case.item().claimed_by) == ("waiting", "")
    assert case.events() == ["claimed", "came_back"]
    assert case.reported()[-1] == ("routed", ACCOUNTABLE)
    casework.claim(case.number, **case.gd_as(SUBSTITUTE))


def test_what_was_begun_stays(case: Case) -> None:
    """However long it takes."""
    signed(case)
    casework.start(case.number, **case.gd_as())
    case.net.clock.forward(days=2)

    now = case.net.clock.now()
    assert not casework.come_back(case.item().message, now, silent_until=now, roster=case.roster(case.gd))


def test_asking_for_more_goes_to_the_originator(case: Case) -> None:
    """Only who holds it asks; the state stays, and it doesn't come back meanwhile."""
    with pytest.raises(NoRight):
        casework.ask(case.number, text="演练", **ORIGIN, **case.gd_as())
    signed(case)
    casework.ask(case.number, text="演练：请补充照片日期", **ORIGIN, **case.gd_as())
    case.net.settle()

    assert (case.item().state, case.item().silent_since) == ("claimed", None)
    with case.gz.here():
        [question] = [item for item in casework.list_inbox(SENDER) if item.type == "reply"]
        opened = casework.open_body(question.message_id, why="承办", **case.gz_as())
        assert (opened.body["kind"], opened.body["by"]["officer_ref"]) == ("question", ACCOUNTABLE)


def test_a_signature_by_telephone_names_two_officers(case: Case) -> None:
    """Who took it owns it; who wrote it down stands in the line."""
    casework.take_by_phone(case.number, other_officer=SUBSTITUTE, **case.gd_as(SENDER))

    event = Event.objects.get()
    assert (case.item().claimed_by, event.officer_ref, event.facts["other"]) == (
        SUBSTITUTE,
        SENDER,
        SUBSTITUTE,
    )
    assert case.reported()[-1] == ("claimed", SUBSTITUTE)


@pytest.mark.parametrize(
    ("other", "by", "error"),
    [
        ("", SENDER, Conflict),
        (SENDER, SENDER, Conflict),
        (LEADER, SENDER, NoRight),
        (SUBSTITUTE, "X", NotFound),
    ],
)
def test_a_call_without_two_officers_signs_nothing(
    case: Case, other: str, by: str, error: type[Exception]
) -> None:
    """The one on the telephone must be allowed to sign."""
    with pytest.raises(error):
        casework.take_by_phone(case.number, other_officer=other, **case.gd_as(by))
    assert case.item().state == "waiting"


def test_an_own_alert_was_taken_by_telephone(case: Case) -> None:
    """While the line is down: a note known here only, and no report to anybody."""
    with case.gz.here():
        with pytest.raises(NotFound):
            casework.take_by_phone(case.number, other_officer="粤-0117", place="330000", **case.gz_as())
        casework.take_by_phone(case.number, other_officer="粤-0117", place="440000", **case.gz_as())
        [there] = casework.standing(case.number)

        assert there.by_phone is not None
        assert there.by_phone.by == "粤-0117"
        assert not StageReport.objects.filter(place="", pending=True).exists()


def test_an_officer_asks_to_be_reminded(case: Case) -> None:
    """A row that the watch finds, and a line."""
    now = case.net.clock.now()
    casework.remind_me(case.number, when=now + timedelta(hours=4), **case.gd_as())

    assert OwnReminder.objects.get().due_at == now + timedelta(hours=4)
    assert case.events() == ["reminded_self"]
    with pytest.raises(Conflict):
        casework.remind_me(case.number, when=now, **case.gd_as())


def at_once(case: Case, *acts: Callable[[], object]) -> list[Exception | None]:
    """Does these at the same moment, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(acts))
    errors: list[Exception | None] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        with case.gd.here():
            gate.wait()
            try:
                act()
            except Exception as error:
                errors[place] = error
            finally:
                database.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


@pytest.mark.parametrize("run", range(3))
def test_of_two_officers_at_once_one_signs(case: Case, run: int) -> None:
    """Two connections: one signature, one report; the other one is told by whom."""
    who = [case.gd_as(ACCOUNTABLE), case.gd_as(SUBSTITUTE)]
    errors = at_once(case, *(lambda w=w: casework.claim(case.number, **w) for w in who))
    winner = case.item().claimed_by

    assert [type(error) for error in errors].count(Conflict) == 1
    assert winner in str(next(error for error in errors if error))
    assert case.events() == ["claimed"]
    assert [stage for stage, _ in case.reported()].count("claimed") == 1


def test_an_act_that_was_decided_on_an_old_reading_is_refused(case: Case) -> None:
    """The condition of the statement, not the reading before it, decides."""
    from tongbao_connectors.case_rules import Act
    from tongbao_connectors.casework.items import move

    old = case.item()
    signed(case)

    with pytest.raises(Conflict, match=ACCOUNTABLE):
        move(old, Act.CLAIM, {"claimed_by": SUBSTITUTE})
    assert case.item().claimed_by == ACCOUNTABLE


def test_undo_and_answer_at_once_leave_one_story(case: Case) -> None:
    """Either the signature is withdrawn and nothing was answered, or it was answered and stays."""
    signed(case)
    who = case.gd_as()
    at_once(
        case,
        lambda: casework.undo(case.number, **who),
        lambda: casework.answer(case.number, kind="progress", text="演练", **ORIGIN, **who),
    )

    assert (case.item().state, case.events(), Draft.objects.filter(type="answer").count()) in (
        ("waiting", ["claimed", "unclaimed"], 0),
        ("working", ["claimed", "progress"], 1),
    )
