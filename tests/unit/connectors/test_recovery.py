"""An old copy of a province's database is put back; the log gives it what it lacks. Over topics in memory."""

from datetime import datetime

import pytest

from tests.support import databases
from tests.support.databases import address, keep
from tests.support.province import Network, Province, alert
from tongbao_broker.errors import DatabaseOlderThanLog
from tongbao_broker.kafka.topics import out_topic
from tongbao_connectors import casework, drafts, recovery, trail
from tongbao_connectors.recovery import Recovered
from tongbao_connectors.store.models import (
    ContentKey,
    Counter,
    DeliveryGap,
    InboxItem,
    Incident,
    Message,
    Outbox,
    StageReport,
)


def copy(province: Province) -> None:
    """Keeps a copy of the database as it is now."""
    keep(address(province.code), province.settings.folder / "copy")


def put_back(province: Province) -> None:
    """Puts the copy where the database was."""
    databases.put_back(address(province.code), province.settings.folder / "copy")


def recover(province: Province) -> Recovered:
    with province.here():
        now = province.net.clock.now()
        return recovery.recover(province.settings, province.net.broker.reader, now)


def claim_and_answer(province: Province) -> str:
    with province.here():
        [item] = casework.list_inbox(states=("waiting",))
        now: datetime = province.net.clock.now()
        who = {"officer_ref": item.officer_ref, "roster": province.settings.roster(), "at": now}
        casework.claim(item.number, **who)
        casework.answer(
            item.number, kind="result", text="演练：已查获", outcome="seized", origin=province.code, **who
        )
        return item.message_id


def test_the_refusal_to_start_names_the_command(net: Network, gz: Province) -> None:
    """What is wrong, and what to type."""
    copy(gz)
    gz.submit(alert("a-1"))
    net.settle()
    put_back(gz)

    with pytest.raises(DatabaseOlderThanLog) as refusal:
        gz.restart()

    assert "tongbao recover 520000" in refusal.value.next_step("zh")
    assert "tongbao recover 520000" in refusal.value.next_step("en")


def test_what_was_sent_after_the_copy_comes_back_and_numbers_go_on(
    net: Network, gz: Province, gd: Province
) -> None:
    """Rows, bodies, seq and readable numbers; the next alert continues where the lost database was."""
    gz.submit(alert("a-1"))
    net.settle()
    copy(gz)
    later = [gz.submit(alert(f"b-{number}")).message_id for number in range(3)]
    net.settle()
    numbers = sent(gz)
    put_back(gz)

    found = recover(gz)
    gz.restart()
    gz.submit(alert("c-1"))
    net.settle()

    assert found.sent == 3
    after = sent(gz)
    assert after[:4] == numbers
    assert [seq for seq, _ in after] == [1, 2, 3, 4, 5]
    assert len({number for _, number in after}) == 5
    with gz.here():
        assert set(Outbox.objects.values_list("state", flat=True)) == {"settled"}
        assert ContentKey.objects.filter(message__message_id__in=later).count() == 3
        assert trail.stages(later[0], code="520000") == {"440000": ["admitted", "delivered", "routed"]}
        assert not Incident.objects.exists()
    with gd.here():
        assert InboxItem.objects.count() == 5


def sent(province: Province) -> list[tuple[int, str]]:
    """Seq and readable number of everything sent, in order."""
    with province.here():
        return list(Outbox.objects.order_by("seq").values_list("seq", "message__number"))


def test_what_was_received_and_done_after_the_copy_is_not_done_twice(
    net: Network, gz: Province, gd: Province
) -> None:
    """The alert is back, signed for and answered by whom it was; no stage is reported a second time."""
    copy(gd)
    gz.submit(alert("a-1"))
    net.settle()
    message_id = claim_and_answer(gd)
    net.settle()
    with gz.here():
        stages = StageReport.objects.filter(place="440000").count()
    put_back(gd)

    found = recover(gd)
    gd.restart()
    net.settle()

    assert found.received > 0
    with gd.here():
        item = InboxItem.objects.get()
        assert (item.message.message_id, item.state, item.claimed_by) == (message_id, "answered", "A-0117")
        assert DeliveryGap.objects.count() == 0
    with gz.here():
        assert StageReport.objects.filter(place="440000").count() == stages
        expected = ["admitted", "delivered", "routed", "claimed", "result"]
        assert trail.stages(message_id, code="520000") == {"440000": expected}


def test_recovering_twice_changes_nothing(net: Network, gz: Province) -> None:
    """Also on a database that lacks nothing."""
    copy(gz)
    gz.submit(alert("a-1"))
    net.settle()
    put_back(gz)
    recover(gz)
    before = state(gz)

    assert recover(gz) == Recovered()
    assert state(gz) == before


def state(province: Province) -> list[object]:
    with province.here():
        return [
            list(Outbox.objects.order_by("pk").values_list("seq", "state")),
            list(Counter.objects.order_by("name").values_list("name", "value")),
            Message.objects.count(),
            StageReport.objects.filter(pending=True).count(),
        ]


def test_a_seq_that_was_rejected_and_given_out_again_belongs_to_the_later_message(
    net: Network, gz: Province
) -> None:
    """Two messages of the log bear one seq; the rejected one gets its code back from the notice."""
    copy(gz)
    first = gz.submit(alert("a-1"))
    net.exchange.reject[first.message_id] = "TB-204"
    net.settle()
    second = gz.submit(alert("a-2"))
    net.settle()
    put_back(gz)
    recover(gz)
    gz.restart()
    net.settle()

    with gz.here():
        rows = {row.message.message_id: (row.seq, row.state, row.code) for row in Outbox.objects.all()}
    assert rows == {first.message_id: (1, "rejected", "TB-204"), second.message_id: (1, "settled", "")}


def test_a_draft_that_went_out_after_the_copy_is_not_sent_again(net: Network, gz: Province) -> None:
    """It has its message id already, so the log's message and the draft are one."""
    draft = gz.submit(alert("a-1"))
    copy(gz)
    net.settle()
    put_back(gz)
    recover(gz)
    gz.restart()
    net.settle()

    assert len(sent(gz)) == 1
    with gz.here():
        assert drafts.find(draft.message_id).state == "settled"


def test_what_retention_took_is_counted_by_a_head(net: Network, gz: Province) -> None:
    """The own topic is empty by now: the head alone says that a number was used; it isn't used again."""
    copy(gz)
    gz.submit(alert("a-1"))
    net.settle()
    net.broker.topic(out_topic("520000")).first = 1
    put_back(gz)
    with pytest.raises(DatabaseOlderThanLog):
        gz.restart()

    recover(gz)
    gz.restart()
    gz.submit(alert("b-1"))
    net.settle()

    assert [seq for seq, _ in sent(gz)] == [2]
    with gz.here():
        assert not Incident.objects.exists()


def test_an_empty_database_gets_all_that_the_topics_hold(net: Network, gz: Province, gd: Province) -> None:
    """A copy from before the first message is a copy like any other."""
    copy(gd)
    for number in range(3):
        gz.submit(alert(f"a-{number}"))
    net.settle()
    put_back(gd)
    recover(gd)

    with gd.here():
        assert InboxItem.objects.count() == 3
        assert not StageReport.objects.filter(pending=True).exists()


def test_who_held_a_case_is_known_again(net: Network, gz: Province, gd: Province) -> None:
    """Signed, assigned, begun, answered, and a signature that was withdrawn: as the receipts said it."""
    copy(gd)
    for name in ("a-1", "a-2", "a-3"):
        gz.submit(alert(name))
    net.settle()
    with gd.here():
        first, second, third = sorted(casework.list_inbox(), key=lambda item: item.number)
        who = {"roster": gd.settings.roster(), "at": net.clock.now()}
        for item in (first, second, third):
            casework.claim(item.message_id, officer_ref="A-0117", **who)
        casework.assign(first.message_id, to="A-0120", officer_ref="A-0117", **who)
        casework.start(first.message_id, officer_ref="A-0120", **who)
        casework.answer(
            second.message_id,
            kind="returned",
            ground="duplicate",
            text="演练",
            origin="440000",
            officer_ref="A-0117",
            **who,
        )
    net.settle()
    with gd.here():
        casework.undo(third.message_id, officer_ref="A-0117", roster=gd.settings.roster(), at=net.clock.now())
    net.settle()
    put_back(gd)
    recover(gd)

    with gd.here():
        found = [casework.show(item.message_id) for item in (first, second, third)]
    assert [(item.state, item.claimed_by, item.assigned_to) for item in found] == [
        ("working", "A-0117", "A-0120"),
        ("returned", "A-0117", None),
        ("waiting", None, None),
    ]
    assert [item.due_at for item in found] == [first.first_feedback_by, None, third.sign_by]


@pytest.mark.parametrize("confirmed", [False, True])
def test_no_control_is_called_lifted_that_somebody_holds(
    net: Network, gz: Province, gd: Province, confirmed: bool
) -> None:
    """A cancelled alert that an officer had signed for still waits for him, unless he had confirmed."""
    copy(gd)
    gz.submit(alert("a-1"))
    net.settle()
    with gd.here():
        [item] = casework.list_inbox()
        who = {"officer_ref": "A-0117", "roster": gd.settings.roster()}
        casework.claim(item.message_id, at=net.clock.now(), **who)
    net.settle()
    with gz.here():
        casework.cancel(
            item.message_id,
            ground="duplicate",
            text="演练",
            origin="520000",
            officer_ref="A-0120",
            roster=gz.settings.roster(),
            at=net.clock.now(),
        )
    net.settle()
    with gd.here():
        if confirmed:
            casework.lift(item.message_id, at=net.clock.now(), **who)
    net.settle()
    put_back(gd)
    recover(gd)

    with gd.here():
        found = casework.show(item.message_id)
        assert (found.state, found.claimed_by) == ("cancelled", "A-0117")
        assert (found.closed_at is not None) == confirmed
        waiting = StageReport.objects.filter(stage="lifted", pending=True)
        assert not waiting.exists()
