"""Remarks on an alert, and what somebody whom the roster doesn't list may do with one."""

from typing import Any

import pytest

from tests.support.province import Network, Province, alert
from tongbao_broker.errors import NotFound
from tongbao_connectors import casework
from tongbao_connectors.casework import commenting
from tongbao_connectors.store.models import Draft, Event, Message

POSTED = "A-0301"


@pytest.fixture
def gz(net: Network) -> Province:
    """贵州, whose alert 广东 has received."""
    home = net.provinces["520000"]
    home.submit(alert("a-1"))
    net.settle()
    return home


def by(province: Province, **over: Any) -> dict[str, Any]:
    return {
        "officer_ref": POSTED,
        "unit": "duty",
        "roster": province.settings.roster(),
        "at": province.net.clock.now(),
    } | over


def test_a_remark_is_a_line_and_nothing_else(gz: Province) -> None:
    """By whom, of which unit, about which host; trimmed, cut at the longest, and sent to nobody."""
    with gz.here():
        reference, before = Message.objects.get(type="alert").message_id, Draft.objects.count()
        casework.comment(reference, text=f"  {'长' * 600} ", hosts=frozenset({"440000"}), **by(gz))
        [line] = [line for line in casework.timeline(reference) if line.kind == "commented"]
        event = Event.objects.get(kind="commented")

        assert (event.officer_ref, event.unit, len(event.facts["text"])) == (
            POSTED,
            "duty",
            commenting.LONGEST,
        )
        assert line.words.zh.startswith("备注：长")
        assert line.about == {"440000"}
        assert Draft.objects.count() == before


def test_only_an_alert_bears_remarks(gz: Province) -> None:
    """Neither what isn't one nor what isn't there."""
    with gz.here():
        reference = Message.objects.get(type="alert").message_id
        casework.remind(reference, text="请反馈。", origin="520000", **by(gz))
    gz.net.settle()
    with gz.here():
        for each in (Message.objects.get(type="reminder").message_id, "no-such"):
            with pytest.raises(NotFound):
                casework.comment(each, text="x", **by(gz))


@pytest.mark.parametrize("unit", ["", "no-such-unit"])
def test_who_is_of_no_unit_acts_in_nothing(gz: Province, unit: str) -> None:
    """Somebody whom the roster doesn't list needs a unit of this province."""
    with gz.here():
        reference = Message.objects.get(type="alert").message_id
        with pytest.raises(NotFound):
            casework.comment(reference, text="x", **by(gz, unit=unit))
        with pytest.raises(NotFound):
            casework.remind(reference, text="x", origin="520000", **by(gz, unit=unit))

        assert not Event.objects.exists()


def test_an_officer_of_the_roster_acts_for_his_own_unit(gz: Province) -> None:
    """Whatever unit he is said to be of."""
    with gz.here():
        reference = Message.objects.get(type="alert").message_id
        casework.comment(reference, text="x", **by(gz, officer_ref="A-0117", unit="duty"))

        assert Event.objects.get(kind="commented").unit == "intel"
