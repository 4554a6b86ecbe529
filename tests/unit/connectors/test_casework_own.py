"""What an originator does with its own alert, and what that does at the addressee."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.support.casework import ACCOUNTABLE, LEADER, SENDER, Case
from tests.support.province import alert
from tests.unit.connectors.test_casework_acts import at_once
from tongbao_broker import database
from tongbao_broker.errors import Conflict, NotFound
from tongbao_connectors import casework, drafts, effects
from tongbao_connectors.store.models import Draft, InboxItem, Incident, Message, Opening, StageReport
from tongbao_schemas.codes import MessageType
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

ORIGIN = {"origin": "520000"}


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """Guizhou's alert lies in Guangdong's inbox, and Guizhou's database is the current one."""
    case = Case.sent(tmp_path)
    with case.gz.here():
        yield case
    database.close()


def act(case: Case, name: str, **over: Any) -> drafts.Draft:
    """One of the originator's acts, as it usually is."""
    given: dict[str, dict[str, Any]] = {
        "close": {"outcome": "achieved"},
        "cancel": {"ground": "subject_found"},
        "supplement": {"relation": "supplements"},
        "remind": {},
    }
    does: dict[str, Callable[..., drafts.Draft]] = {
        "close": casework.close,
        "cancel": casework.cancel,
        "supplement": casework.supplement,
        "remind": casework.remind,
    }
    with case.gz.here():
        return does[name](case.number, text="演练", **given[name], **ORIGIN, **case.gz_as(), **over)


def at_desk(case: Case, *steps: str) -> None:
    """Guangdong's officer does these, and all of it arrives."""
    with case.gd.here():
        for step in steps:
            if step == "claim":
                casework.claim(case.number, **case.gd_as())
            elif step == "start":
                casework.start(case.number, **case.gd_as())
            else:
                casework.answer(
                    case.number,
                    kind="result",
                    text="演练",
                    outcome="seized",
                    origin="440000",
                    **case.gd_as(),
                )
    case.net.settle()


def standing(case: Case) -> casework.Addressee:
    with case.gz.here():
        [there] = casework.standing(case.number)
    return there


def lines(case: Case) -> list[str]:
    """The kinds in Guizhou's timeline, newest first."""
    with case.gz.here():
        return [line.kind for line in casework.timeline(case.number)]


@pytest.mark.parametrize("before", [(), ("claim",), ("claim", "start"), ("claim", "answer")])
def test_a_closure_closes_the_case_wherever_it_stands(case: Case, before: tuple[str, ...]) -> None:
    """At the addressee with its time, at the originator as a fact of its own."""
    at_desk(case, *before)
    act(case, "close")
    case.net.settle()

    item = case.item()
    assert (item.state, item.due_at) == ("closed", None)
    assert item.closed_at is not None
    assert case.events()[-1] == "closed"
    assert standing(case).closed_at is not None
    assert standing(case).due_at is None


@pytest.mark.parametrize(
    ("first", "then", "allowed"),
    [
        ("close", "close", False),
        ("close", "remind", False),
        ("close", "supplement", True),
        ("close", "cancel", True),
        ("cancel", "cancel", False),
        ("cancel", "close", False),
        ("cancel", "supplement", False),
        ("supplement", "close", True),
        ("remind", "remind", True),
    ],
)
@pytest.mark.parametrize("sent", [False, True], ids=["as a draft", "on its way"])
def test_what_the_originator_decided_holds(
    case: Case, first: str, then: str, allowed: bool, sent: bool
) -> None:
    """From the moment it is decided, whether it has been sealed yet or not."""
    act(case, first)
    if sent:
        case.net.settle()
    if allowed:
        act(case, then)
    else:
        with pytest.raises(Conflict):
            act(case, then)


def test_of_two_who_close_at_once_one_does(case: Case) -> None:
    """Two connections, one closure; the second is told that it is closed."""
    who = [case.gz_as(SENDER), case.gz_as(LEADER)]
    errors = at_once(
        Case(case.net, case.gz, case.gz, case.number, case.message_id),
        *(
            lambda w=w: casework.close(case.number, text="演练", outcome="achieved", **ORIGIN, **w)
            for w in who
        ),
    )

    assert [type(error) for error in errors].count(Conflict) == 1
    assert Draft.objects.filter(type="closure").count() == 1
    assert case.events(case.gz) == ["closed"]


def test_nobody_closes_what_isnt_his(case: Case) -> None:
    """A received alert, an answer, an unknown number; a body with an unknown outcome leaves no trace."""
    with case.gd.here(), pytest.raises(NotFound):
        casework.close(case.number, text="演练", outcome="achieved", origin="440000", **case.gd_as())
    with pytest.raises(NotFound):
        casework.close("黔2026-999999-0", text="演练", outcome="achieved", **ORIGIN, **case.gz_as())
    with pytest.raises(Refused):
        casework.close(case.number, text="演练", outcome="located", **ORIGIN, **case.gz_as())
    assert casework.own_state(Message.objects.get(message_id=case.message_id)) == "open"
    assert case.events(case.gz) == []


def test_a_fault_of_ours_in_one_message_keeps_no_other(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored and waits to be read, an incident says that it did nothing, the rest goes on."""

    def stumbles(*_: object) -> None:
        raise ValueError("演练")

    works = {**effects._WORK, MessageType.CANCEL: stumbles}
    monkeypatch.setattr(effects, "_WORK", works)
    act(case, "remind")
    act(case, "cancel")
    case.net.settle()

    assert (case.item().state, case.events()) == ("waiting", ["reminded"])
    with case.gd.here():
        assert list(Incident.objects.values_list("kind", "facts")) == [("no_effect", {"type": "cancel"})]
        assert {item.type for item in casework.list_inbox()} == {"alert", "reminder", "cancel"}


@pytest.mark.parametrize("name", ["close", "cancel"])
def test_what_the_exchange_rejects_is_not_decided(case: Case, name: str) -> None:
    """It stands in the timeline, and can be decided again."""
    draft = act(case, name)
    case.net.exchange.reject[draft.message_id] = "TB-412"
    case.net.settle()

    assert case.item().state == "waiting"
    assert (case.events(case.gz)[-1], standing(case).closed_at, standing(case).cancelled_at) == (
        "not_sent",
        None,
        None,
    )
    act(case, name)
    case.net.settle()
    assert case.item().state in ("closed", "cancelled")


def test_a_cancel_of_what_nobody_holds_is_lifted_at_once(case: Case) -> None:
    """Nothing was done on its ground, so nothing has to be undone; the originator hears it."""
    act(case, "cancel")
    case.net.settle()

    item = case.item()
    assert (item.state, item.closed_at is not None) == ("cancelled", True)
    assert case.events() == ["cancelled", "lifted"]
    assert standing(case).lifted_at is not None
    assert standing(case).cancelled_at is not None
    with case.gd.here(), pytest.raises(Conflict):
        casework.claim(case.number, **case.gd_as())


def test_a_cancel_of_what_somebody_holds_waits_for_him(case: Case) -> None:
    """He confirms that the control is lifted, once; nobody else does it for him."""
    at_desk(case, "claim", "start")
    act(case, "cancel")
    case.net.settle()
    assert (case.item().state, case.item().closed_at, standing(case).lifted_at) == ("cancelled", None, None)

    with case.gd.here():
        with pytest.raises(Exception, match="accountable"):
            casework.lift(case.number, **case.gd_as(LEADER))
        for _ in range(2):
            casework.lift(case.number, **case.gd_as())
    case.net.settle()

    assert case.events()[-2:] == ["cancelled", "lifted"]
    assert [stage for stage, _ in case.reported()].count("lifted") == 1
    assert standing(case).lifted_at is not None


def test_only_what_was_cancelled_is_lifted(case: Case) -> None:
    """Nothing else asks for it."""
    at_desk(case, "claim")
    with case.gd.here(), pytest.raises(Conflict):
        casework.lift(case.number, **case.gd_as())


@pytest.mark.parametrize(("before", "state"), [((), "waiting"), (("claim", "answer"), "claimed")])
def test_an_update_reopens_what_was_closed(case: Case, before: tuple[str, ...], state: str) -> None:
    """It goes back to who holds it, or waits."""
    at_desk(case, *before)
    act(case, "close")
    case.net.settle()
    act(case, "supplement")
    case.net.settle()

    item = case.item()
    assert (item.state, item.closed_at) == (state, None)
    assert case.events()[-2:] == ["supplemented", "reopened"]
    assert standing(case).closed_at is None
    with case.gz.here():
        assert casework.own_state(Message.objects.get(message_id=case.message_id)) == "open"


def test_an_update_says_part_by_part_what_changed(case: Case) -> None:
    """What is being worked on goes on; the update lies with who holds the alert and is read there."""
    at_desk(case, "claim", "start")
    changes = [{"part": "contact", "was": "0851-00000001", "now": "0851-00000002"}]
    casework.supplement(
        case.number, relation="corrects", text="演练", changes=changes, **ORIGIN, **case.gz_as()
    )
    case.net.settle()

    assert case.item().state == "working"
    assert case.events()[-1] == "corrected"
    with case.gd.here():
        [update] = [item for item in casework.list_inbox() if item.type == "update"]
        assert (update.officer_ref, update.rule, update.state) == (ACCOUNTABLE, "holder", "waiting")
        with pytest.raises(Conflict):
            casework.claim(update.message_id, **case.gd_as())
        opened = casework.open_body(update.message_id, why="承办", **case.gd_as())
        assert opened.body["changes"] == changes
        assert casework.show(update.message_id).state == "read"


def test_an_update_is_of_two_kinds_only(case: Case) -> None:
    """It supplements or corrects."""
    with pytest.raises(Refused):
        casework.supplement(case.number, relation="retracts", text="演练", **ORIGIN, **case.gz_as())
    with pytest.raises(Refused):
        casework.supplement(
            case.number,
            relation="corrects",
            text="演练",
            changes=[{"part": "mood", "now": "演练"}],
            **ORIGIN,
            **case.gz_as(),
        )
    assert Draft.objects.filter(type="update").count() == 0


def test_new_deadlines_count_from_their_arrival(case: Case) -> None:
    """An update of a case system that brings deadlines moves what is due."""
    message = Message.objects.get(message_id=case.message_id)
    now = case.net.clock.now()
    times = [now + timedelta(days=days) for days in (2, 3, 4)]
    names = ("sign_by", "first_feedback_by", "result_by")
    content = {
        "client_ref": "update-1",
        "type": "update",
        "status": message.status,
        "audience": ["440000"],
        "urgency": message.urgency,
        "handling": message.handling,
        "category": message.category,
        "deadlines": {
            **{name: format_time(time) for name, time in zip(names, times, strict=True)},
            "basis": "演练延期",
        },
        "refs": [{"id": message.message_id, "digest": message.digest, "relation": "supplements"}],
        "body": {"text": "演练", "by": {"unit": "演练", "officer_ref": SENDER}},
    }
    case.gz.submit(compact_json(content))
    case.net.settle()

    item = case.item()
    assert item.due_at == item.message.sign_by == times[0]
    with case.gd.here():
        assert casework.show(case.number).result_by == times[2]
    assert standing(case).due_at == times[0]


def test_a_reminder_goes_to_all_or_some_and_changes_no_state(tmp_path: Path) -> None:
    """It stands in the timeline of the alert on both sides."""
    case = Case.sent(tmp_path)
    act(case, "remind")
    case.net.settle()
    with case.gz.here():
        with pytest.raises(NotFound):
            casework.remind(case.number, text="演练", to=["330000"], **ORIGIN, **case.gz_as())
        assert case.events(case.gz) == ["reminded"]

    assert case.item().state == "waiting"
    assert case.events() == ["reminded"]
    database.close()


def test_a_question_is_replied_to(case: Case) -> None:
    """The reply goes to who asked; the question counts as answered."""
    at_desk(case, "claim")
    with case.gd.here():
        casework.ask(case.number, text="演练：请补充", origin="440000", **case.gd_as())
    case.net.settle()
    with case.gz.here():
        [question] = [item for item in casework.list_inbox() if item.type == "reply"]
        assert (question.officer_ref, question.rule) == (SENDER, "sender")
        casework.reply(question.message_id, text="演练：已补充", **ORIGIN, **case.gz_as())
        assert casework.show(question.message_id).state == "answered"
        assert "asked" not in case.events(case.gz)
        assert "reply" in lines(case)
    case.net.settle()

    assert case.events()[-2:] == ["asked", "replied"]
    with case.gd.here():
        [reply] = [item for item in casework.list_inbox() if item.type == "reply"]
        assert reply.officer_ref == ACCOUNTABLE
        with pytest.raises(NotFound):
            casework.reply(case.number, text="演练", origin="440000", **case.gd_as())


def test_only_the_originator_says_what_becomes_of_an_alert(case: Case) -> None:
    """Another province's closure of it is refused before it is stored; it never gets as far as a draft."""
    with case.gd.here():
        message = Message.objects.get(message_id=case.message_id)
        content = {
            "client_ref": "closure-1",
            "type": "closure",
            "status": message.status,
            "audience": ["520000"],
            "urgency": message.urgency,
            "handling": message.handling,
            "category": message.category,
            "refs": [{"id": message.message_id, "digest": message.digest, "relation": "closes"}],
            "body": {
                "text": "演练",
                "outcome": "achieved",
                "by": {"unit": "演练", "officer_ref": ACCOUNTABLE},
            },
        }
        with pytest.raises(Refused) as caught:
            drafts.submit(compact_json(content), origin="440000", by=ACCOUNTABLE, now=case.net.clock.now())

    assert caught.value.code is Code.NOT_THE_ORIGIN


@pytest.mark.parametrize(
    ("acts", "state"),
    [(("cancel",), "cancelled"), (("close",), "closed"), (("close", "supplement"), "waiting")],
)
def test_what_came_before_its_alert_does_its_work_when_that_arrives(
    tmp_path: Path, acts: tuple[str, ...], state: str
) -> None:
    """The alert is lost on the way and comes again last."""
    case = Case.sent(tmp_path)
    late = case.net.province("330000")
    lost = case.net.exchange.put
    with case.gz.here():
        draft = case.gz.submit(alert("a-2", "330000"))
        held: list[Any] = []
        case.net.exchange.put = lambda code, delivery: held.append((code, delivery)) or 0  # type: ignore[assignment,method-assign,func-returns-value]
        case.net.settle()
        case.net.exchange.put = lost  # type: ignore[method-assign]
        number = Message.objects.get(message_id=draft.message_id).number
    second = Case(case.net, case.gz, late, number, draft.message_id)
    for name in acts:
        act(second, name)
        case.net.settle()
    for code, delivery in held:
        case.net.exchange.put(code, delivery)
    case.net.settle()

    with late.here():
        item = InboxItem.objects.get(message__message_id=draft.message_id)
        assert item.state == state
        assert casework.show(number).type == "alert"
    database.close()


def test_the_originator_sees_where_it_stands(case: Case) -> None:
    """Delivered, signed for, working, answered, each with time, person and unit; a withdrawal is seen too."""
    there = standing(case)
    assert (there.code, there.delivered_at is not None, there.claimed, there.result) == (
        "440000",
        True,
        None,
        None,
    )
    assert there.due_at == there.sign_by
    at_desk(case, "claim", "start")
    there = standing(case)
    assert there.claimed is not None
    assert there.working is not None
    assert (there.claimed.by, there.claimed.unit) == (ACCOUNTABLE, "省禁毒总队情报中心")
    assert there.due_at == there.first_feedback_by
    with case.gd.here():
        casework.undo(case.number, **case.gd_as())
    case.net.settle()
    assert (standing(case).working, standing(case).claimed is not None) == (None, True)
    at_desk(case, "answer")
    there = standing(case)
    assert there.result is not None
    assert (there.result.kind, there.due_at, there.overdue(case.net.clock.now())) == ("result", None, False)


def test_a_withdrawn_signature_is_none(case: Case) -> None:
    """Afterwards signing is due again, and late if nobody does."""
    at_desk(case, "claim")
    with case.gd.here():
        casework.undo(case.number, **case.gd_as())
    case.net.settle()
    there = standing(case)

    assert (there.claimed, there.due_at) == (None, there.sign_by)
    case.net.clock.forward(days=1)
    assert there.overdue(case.net.clock.now())


def test_the_originator_sees_how_often_it_was_opened(case: Case) -> None:
    """By unit, never by whom in particular; this province's own openings apart."""
    with case.gd.here():
        for officer_ref in (ACCOUNTABLE, ACCOUNTABLE, LEADER):
            casework.open_body(case.number, why="核查", **case.gd_as(officer_ref))
            case.net.clock.forward(minutes=15)
    case.net.settle()
    with case.gz.here():
        casework.open_body(case.number, why="复核", **case.gz_as())
        counts = {(each.place, each.unit): each.count for each in casework.opened_by(case.number)}

    assert counts == {
        ("440000", "省禁毒总队情报中心"): 2,
        ("440000", "省禁毒总队值班室"): 1,
        ("", "duty"): 1,
    }
    assert standing(case).readings == 3


def test_readings_in_a_row_are_one_line(case: Case) -> None:
    """One officer who looks three times makes one line that says so; another officer has his own."""
    with case.gd.here():
        for officer_ref in (LEADER, ACCOUNTABLE, ACCOUNTABLE, ACCOUNTABLE):
            casework.open_body(case.number, why="核查", **case.gd_as(officer_ref))
            case.net.clock.forward(minutes=15)
        received = [line for line in casework.timeline(case.number) if line.kind == "opened"]
    case.net.settle()
    with case.gz.here():
        sent = [line for line in casework.timeline(case.number) if line.kind == "read"]

    assert [line.words.zh for line in received] == ["查阅正文：核查，3 次", "查阅正文：核查"]
    assert [line.words.zh for line in sent] == ["广东已阅，3 次", "广东已阅"]


def test_an_officers_openings_are_told_once_in_a_quarter_of_an_hour(case: Case) -> None:
    """Ten loads of a page make one receipt; each opening is on record, and another officer's is told too."""
    with case.gd.here():
        for officer_ref in (*[ACCOUNTABLE] * 10, LEADER):
            casework.open_body(case.number, why="核查", **case.gd_as(officer_ref))
            case.net.clock.forward(minutes=1)
        soon = StageReport.objects.filter(stage="read", place="").values_list("officer_ref", flat=True)
        told = list(soon.order_by("pk"))
        case.net.clock.forward(minutes=4)
        casework.open_body(case.number, why="核查", **case.gd_as(ACCOUNTABLE))

        assert told == [ACCOUNTABLE, LEADER]
        assert list(soon.order_by("pk")) == [ACCOUNTABLE, LEADER, ACCOUNTABLE]
        assert Opening.objects.count() == 12


def test_the_timeline_tells_the_whole_story_newest_first(case: Case) -> None:
    """On both sides, each line with a point, words in both languages and, where a person acted, by whom."""
    at_desk(case, "claim", "start", "answer")
    act(case, "close")
    case.net.settle()
    with case.gz.here():
        sent = casework.timeline(case.number)
    with case.gd.here():
        received = casework.timeline(case.number)

    for found in (sent, received):
        assert [line.at for line in found] == sorted((line.at for line in found), reverse=True)
        assert all(line.words.zh and line.words.en for line in found)
        assert {line.point for line in found} <= {"system", "person", "entry", "fault", "failed", "own"}
    assert [line.kind for line in sent if line.kind != "read"] == [
        "closed",
        "answer",
        "working",
        "claimed",
        "routed",
        "delivered",
        "admitted",
        "issued",
        "drafted",
    ]
    assert [line.kind for line in received] == [
        "closed",
        "result",
        "started",
        "claimed",
        "routed",
        "received",
        "admitted",
        "issued",
    ]
    assert sent[0].words.zh == "办结：协查目的已达到"
    assert received[0].by is not None
    assert received[0].by.zh == "贵州"


def test_a_line_that_brings_its_words_is_shown_with_them(case: Case) -> None:
    """What escalations and notifications say of themselves."""
    from tongbao_connectors.case_rules import EventKind
    from tongbao_connectors.casework import events

    with case.gd.here():
        message = Message.objects.get(message_id=case.message_id)
        events.note(message, EventKind.ESCALATED, case.net.clock.now(), zh="升至组长", en="up to the leader")
        line = casework.timeline(case.number)[0]

    assert (line.words, line.point) == (("升至组长", "up to the leader"), "fault")


def test_a_card_shows_what_is_asked_and_is_stored_nowhere(case: Case) -> None:
    """Title, requests and contact rule; empty once the body is purged."""
    message = Message.objects.get(message_id=case.message_id)
    card = casework.card(message)

    assert card.title
    assert card.requests
    assert card.contact_rule is not None
    assert casework.plain_body(message)["title"] == card.title
    message.content_key.delete()
    assert casework.card(message) == casework.Card()
    with pytest.raises(NotFound):
        casework.plain_body(message)


def test_cards_take_two_queries(case: Case) -> None:
    """However many there are."""
    rows = list(Message.objects.filter(type="alert")) * 3
    with CaptureQueriesContext(connections["520000"]) as queries:
        casework.cards(rows)

    assert len(queries) == 2


def test_many_standings_take_few_queries(case: Case) -> None:
    """Three for where they stand, two for what was decided; the same as one by one."""
    for name in ("a-2", "a-3"):
        case.gz.submit(alert(name, "440000", "330000"))
    at_desk(case, "claim", "answer")
    act(case, "close")
    case.net.settle()
    rows = list(Message.objects.filter(type="alert"))
    with CaptureQueriesContext(connections["520000"]) as queries:
        found = casework.standings(rows)
        states = casework.own_states(rows)

    assert len(queries) == 5
    assert found == {row.pk: casework.standing(row.message_id) for row in rows}
    assert states == {row.pk: casework.own_state(row) for row in rows}
    assert [len(found[row.pk]) for row in rows] == [1, 2, 2]


def test_nothing_here_is_reported_of_an_own_message(case: Case) -> None:
    """A receipt is about others' messages only."""
    casework.open_body(case.number, why="复核", **case.gz_as())
    act(case, "close")

    assert not StageReport.objects.filter(place="", pending=True).exists()
