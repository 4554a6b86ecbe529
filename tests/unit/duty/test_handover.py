"""交接: open items change hands, and are never without an owner."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.province import Network, Province, alert
from tongbao_broker import database
from tongbao_broker.errors import Conflict, NoRight
from tongbao_connectors import casework
from tongbao_connectors.duty import board, current, handover
from tongbao_connectors.duty.models import Handover
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import Event, InboxItem

GIVER, TAKER, OTHER = "A-0117", "A-0118", "A-0120"


@pytest.fixture
def gd(tmp_path: Path) -> Iterator[Province]:
    """440000 with three alerts that lie with A-0117: one waits, one is signed for, one is worked on."""
    net = Network(tmp_path)
    gz, gd = net.province("520000"), net.province("440000")
    for count in range(3):
        gz.submit(alert(f"a-{count}"))
    net.settle()
    with gd.here():
        numbers = [item.number for item in casework.list_inbox()]
        act: dict[str, Any] = {"officer_ref": GIVER, "roster": roster(gd), "at": net.clock.now()}
        for number in numbers[1:]:
            casework.claim(number, **act)
        casework.start(numbers[2], **act)
        yield gd
    database.close()


def roster(gd: Province) -> Roster:
    return current.roster(gd.settings)


def offer(gd: Province, taker: str = TAKER) -> Handover:
    return handover.offer(
        "intel", giver=GIVER, taker=taker, briefed=True, roster=roster(gd), at=gd.net.clock.now()
    )


def owners() -> set[str]:
    return {item.holder or item.officer_ref for item in InboxItem.objects.all()}


def take(gd: Province, by: str = TAKER) -> Handover:
    row = Handover.objects.get()
    return handover.take(row.pk, by=by, roster=roster(gd), at=gd.net.clock.now())


def test_until_it_is_taken_everything_stays_with_the_giver(gd: Province) -> None:
    """Nothing is unowned in between."""
    offer(gd)

    assert owners() == {GIVER}
    assert roster(gd).accountable("intel", gd.net.clock.now()).officer_ref == GIVER


def test_who_takes_over_has_all_of_it_and_the_shift(gd: Province) -> None:
    """With who gave, who took, and what went along; due times are the same."""
    due = set(InboxItem.objects.values_list("message", "message__sign_by", "message__result_by"))
    offer(gd)
    gd.net.clock.forward(minutes=5)
    row = take(gd)

    assert owners() == {TAKER}
    assert sorted(item.state for item in row.items.all()) == ["claimed", "waiting", "working"]
    assert roster(gd).accountable("intel", gd.net.clock.now()).officer_ref == TAKER
    assert due == set(InboxItem.objects.values_list("message", "message__sign_by", "message__result_by"))
    moved = Event.objects.filter(kind__in=["routed", "assigned"]).order_by("pk")
    assert {event.facts.get("zh", "") for event in moved} >= {f"交接：{GIVER} 交，{TAKER} 接，时限不变"}
    assert len(board.open_items(TAKER)) == 3


@pytest.mark.parametrize("by", [GIVER, OTHER])
def test_only_the_one_it_was_offered_to_takes_it(gd: Province, by: str) -> None:
    """Nobody is made accountable behind his back."""
    offer(gd)

    with pytest.raises(NoRight):
        take(gd, by)
    assert owners() == {GIVER}


def test_a_shift_is_offered_to_one_at_a_time(gd: Province) -> None:
    """And not to oneself."""
    offer(gd)
    with pytest.raises(Conflict):
        offer(gd, OTHER)
    with pytest.raises(Conflict):
        offer(gd, GIVER)


def test_what_was_withdrawn_can_not_be_taken(gd: Province) -> None:
    """Nor a second time what was taken."""
    row = offer(gd)
    handover.withdraw(row.pk, by=GIVER, at=gd.net.clock.now())
    with pytest.raises(Conflict):
        take(gd)

    assert owners() == {GIVER}
