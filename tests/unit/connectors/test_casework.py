"""Officers' casework: who may sign, who may answer, who opened what and why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.province import Network, Province, alert
from tongbao_broker import database
from tongbao_broker.errors import Conflict, NoRight, NotFound
from tongbao_connectors import casework
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem, Message, Opening, StageReport
from tongbao_schemas.encoding import format_time
from tongbao_schemas.errors import Refused


@pytest.fixture
def gd(tmp_path: Path) -> Iterator[Province]:
    """440000, with one alert that lies with A-0117, whose substitute is A-0118."""
    net = Network(tmp_path)
    gz, gd = net.province("520000"), net.province("440000")
    gz.submit(alert("a-1"))
    net.settle()
    with gd.here():
        yield gd
    database.close()


def roster(gd: Province) -> Roster:
    return gd.settings.roster()


def claim(gd: Province, officer_ref: str) -> casework.Item:
    [item] = casework.list_inbox(states=InboxItem.State.values)
    return casework.claim(item.number, officer_ref=officer_ref, roster=roster(gd), at=gd.net.clock.now())


def test_an_item_says_why_it_lies_where_it_does(gd: Province) -> None:
    """Unit, accountable officer, rule, and the steps in both languages."""
    [item] = casework.list_inbox()

    assert (item.unit, item.officer_ref, item.rule, item.state) == (
        "intel",
        "A-0117",
        "深圳外流贩毒",
        "waiting",
    )
    assert all(step["zh"] and step["en"] for step in item.steps)
    assert item.sign_by is not None
    assert casework.show(item.number) == casework.show(item.message_id) == item


@pytest.mark.parametrize(
    ("officer_ref", "with_roster", "expected"),
    [
        pytest.param("A-0117", False, 1, id="the accountable officer"),
        pytest.param("A-0118", False, 0, id="the substitute, his own only"),
        pytest.param("A-0118", True, 1, id="the substitute, with what he stands in for"),
        pytest.param("A-0001", True, 0, id="somebody else"),
    ],
)
def test_an_officers_inbox_holds_what_is_his(
    gd: Province, officer_ref: str, with_roster: bool, expected: int
) -> None:
    """His own items, and those of officers whose substitute he is."""
    assert len(casework.list_inbox(officer_ref, roster=roster(gd) if with_roster else None)) == expected


@pytest.mark.parametrize("officer_ref", ["A-0117", "A-0118"])
def test_the_accountable_officer_or_his_substitute_signs(gd: Province, officer_ref: str) -> None:
    """The stage names the person and the unit, and waits to be sent."""
    item = claim(gd, officer_ref)

    assert (item.state, item.claimed_by) == ("claimed", officer_ref)
    report = StageReport.objects.get(stage="claimed")
    assert (report.officer_ref, report.unit, report.pending) == (officer_ref, "省禁毒总队情报中心", True)


@pytest.mark.parametrize("officer_ref", ["A-0001", "A-0120", "B-0001"])
def test_nobody_else_signs(gd: Province, officer_ref: str) -> None:
    """Not the leader, not another unit's officer, not a stranger."""
    with pytest.raises(NoRight):
        claim(gd, officer_ref)
    assert not StageReport.objects.filter(stage="claimed").exists()


def test_of_two_who_sign_the_second_is_told_by_whom_and_when(gd: Province) -> None:
    """Nothing is lost and nobody is left in doubt."""
    claim(gd, "A-0118")
    at = format_time(gd.net.clock.now())

    with pytest.raises(Conflict, match=f"A-0118 at {at}"):
        claim(gd, "A-0117")
    assert StageReport.objects.filter(stage="claimed").count() == 1


def test_signing_twice_changes_nothing(gd: Province) -> None:
    """A second click is no second signature."""
    first = claim(gd, "A-0117")
    gd.net.clock.forward(hours=1)

    assert claim(gd, "A-0117") == first
    assert StageReport.objects.filter(stage="claimed").count() == 1


def answer(gd: Province, officer_ref: str, **facts: str) -> object:
    [item] = casework.list_inbox(states=InboxItem.State.values)
    given = {"kind": "progress", "text": "演练：正在核查", **facts}
    at = gd.net.clock.now()
    return casework.answer(
        item.number, officer_ref=officer_ref, roster=roster(gd), origin="440000", at=at, **given
    )


def test_only_who_signed_answers(gd: Province) -> None:
    """Before the signature nobody, afterwards only he."""
    with pytest.raises(NoRight):
        answer(gd, "A-0117")
    claim(gd, "A-0118")
    with pytest.raises(NoRight):
        answer(gd, "A-0117")
    answer(gd, "A-0118")


def test_a_result_ends_the_officers_part_and_progress_does_not(gd: Province) -> None:
    """The item leaves the inbox with its result."""
    claim(gd, "A-0117")
    answer(gd, "A-0117")
    assert [item.state for item in casework.list_inbox()] == ["working"]
    answer(gd, "A-0117", kind="result", outcome="seized")

    assert casework.list_inbox() == []
    assert casework.list_inbox(states=["answered"])[0].answered_at == gd.net.clock.now()


def test_an_answer_that_breaks_a_rule_leaves_no_trace(gd: Province) -> None:
    """A result without an outcome is refused, and the item stays open."""
    claim(gd, "A-0117")

    with pytest.raises(Refused):
        answer(gd, "A-0117", kind="result")
    assert [item.state for item in casework.list_inbox()] == ["claimed"]


def open_body(gd: Province, officer_ref: str, why: str) -> casework.OpenedBody:
    [item] = casework.list_inbox()
    return casework.open_body(
        item.number, officer_ref=officer_ref, why=why, roster=roster(gd), at=gd.net.clock.now()
    )


def test_a_body_is_opened_with_who_when_and_why_on_record(gd: Province) -> None:
    """Every opening is a row, written before the body is decrypted."""
    opened = [open_body(gd, "A-0117", "值班签收"), open_body(gd, "A-0001", "督导检查")]

    assert [one.openings for one in opened] == [1, 2]
    assert opened[0].body["subjects"][0]["name"] == "演练甲"
    assert list(Opening.objects.values_list("officer_ref", "unit", "why")) == [
        ("A-0117", "intel", "值班签收"),
        ("A-0001", "duty", "督导检查"),
    ]


@pytest.mark.parametrize(("officer_ref", "why"), [("A-0117", " "), ("B-0001", "值班签收")])
def test_nobody_opens_a_body_without_a_name_and_a_reason(gd: Province, officer_ref: str, why: str) -> None:
    """Refused, and nothing is decrypted or recorded."""
    with pytest.raises(NoRight):
        open_body(gd, officer_ref, why)
    assert Opening.objects.count() == 0


def test_an_answer_is_read_but_not_signed_for(gd: Province) -> None:
    """Who is accountable for it reads it; anybody else's opening is recorded and changes nothing."""
    claim(gd, "A-0117")
    answer(gd, "A-0117")
    gd.net.settle()
    gz = gd.net.provinces["520000"]
    with gz.here():
        [item] = casework.list_inbox()
        who = {"roster": roster(gz), "at": gd.net.clock.now()}
        with pytest.raises(Conflict):
            casework.claim(item.message_id, officer_ref=item.officer_ref, **who)
        casework.open_body(item.message_id, officer_ref="A-0001", why="督导检查", **who)
        assert casework.show(item.message_id).state == "waiting"
        casework.open_body(item.message_id, officer_ref=item.officer_ref, why="承办", **who)

        assert casework.show(item.message_id).state == "read"
        assert casework.list_inbox() == []


def test_an_own_message_is_shown_too(gd: Province) -> None:
    """How far it has got and who sent it; it lies on nobody's desk, so nobody signs for it."""
    gz = gd.net.provinces["520000"]
    with gz.here():
        [number] = Message.objects.filter(type="alert").values_list("number", flat=True)
        own = casework.show(number)

        assert (own.state, own.officer_ref, own.unit, own.steps) == ("settled", "A-0120", "", ())
        with pytest.raises(NotFound):
            casework.claim(number, officer_ref="A-0120", roster=roster(gz), at=gd.net.clock.now())


def test_the_origin_opens_its_own_message_too(gd: Province) -> None:
    """Sent bodies are sealed like received ones, and their openings are recorded alike."""
    gz = gd.net.provinces["520000"]
    [item] = casework.list_inbox()
    with gz.here():
        opened = casework.open_body(
            item.number, officer_ref="A-0120", why="复核", roster=roster(gz), at=gd.net.clock.now()
        )

    assert opened.number == item.number


def test_what_is_unknown_is_not_found(gd: Province) -> None:
    """A wrong number opens, shows and claims nothing."""
    with pytest.raises(NotFound):
        casework.show("黔2026-999999-0")
