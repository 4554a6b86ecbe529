"""Quarantined records judged again after our own fault is mended, over topics in memory."""

import json

import pytest

from tests.support.province import Network, Province, alert, alert_body
from tongbao_broker.errors import NotFound
from tongbao_broker.kafka.topics import in_topic
from tongbao_connectors import acceptance, intake, replaying, trail
from tongbao_connectors.acceptance import Examined, Known, View
from tongbao_connectors.replaying import Outcome
from tongbao_connectors.store.models import InboxItem, Message, Quarantine, StageReport


def replay_all(province: Province) -> list[Outcome]:
    with province.here():
        found = replaying.replay_all(province.settings, province.net.clock.now())
        return [one.outcome for one in found]


def stumble(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in our own model of a body."""
    good = acceptance.parse_body

    def fault(schema_name: str, data: bytes, **facts: object) -> object:
        if b"poison" in data:
            raise RuntimeError("seeded")
        return good(schema_name, data, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(acceptance, "parse_body", fault)


def test_what_our_own_fault_kept_out_is_delivered_once_it_is_mended(
    net: Network, gz: Province, gd: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Routed, reported and provable as if it had just arrived; judging it once more changes nothing."""
    with monkeypatch.context() as seeded:
        stumble(seeded)
        draft = gz.submit(alert("a-1", body=json.loads(alert_body(facts="poison"))))
        net.settle()
        while_faulty = replay_all(gd)
    mended = replay_all(gd)
    again = replay_all(gd)
    net.settle()

    assert (while_faulty, mended, again) == ([Outcome.REFUSED], [Outcome.DELIVERED], [])
    with gd.here():
        entry = Quarantine.objects.get()
        assert replaying.replay(entry.pk, gd.settings, net.clock.now()).outcome == Outcome.BEFORE
        assert InboxItem.objects.count() == 1
    with gz.here():
        expected = ["admitted", "delivered", "routed"]
        assert trail.stages(draft.message_id, code="520000") == {"440000": expected}


def test_a_receipt_that_is_replayed_is_not_answered(
    net: Network, gz: Province, gd: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stages are taken in; nothing goes out because of it."""
    decide = intake.decide

    def fault(examined: Examined, known: Known, view: View) -> object:
        if examined.header.type == "receipt":
            raise RuntimeError("seeded")
        return decide(examined, known, view)

    with monkeypatch.context() as seeded:
        seeded.setattr(intake, "decide", fault)
        gz.submit(alert("a-1"))
        net.settle()
    with gz.here():
        assert not StageReport.objects.exists()
        sent = list(Message.objects.filter(origin="520000"))

    assert set(replay_all(gz)) == {Outcome.DELIVERED}
    net.settle()
    with gz.here():
        reported = StageReport.objects.filter(place="440000").values_list("stage", flat=True)
        assert set(reported) == {"delivered", "routed"}
        assert list(Message.objects.filter(origin="520000")) == sent


def test_what_breaks_a_rule_stays_refused_and_nobody_is_told_twice(
    net: Network, gz: Province, gd: Province
) -> None:
    """The entry stays; its origin heard of it when it was refused first."""
    net.exchange.enter(net.world.message("alert", "520000", ["440000"], body=b'{"facts":""}'), ["440000"])
    net.settle()

    assert replay_all(gd) == replay_all(gd) == [Outcome.REFUSED]
    with gd.here():
        assert StageReport.objects.filter(stage="refused").count() == 1
        assert Quarantine.objects.get().code == "TB-501"


def test_whoever_was_not_told_is_told_when_a_rule_is_found_broken(
    net: Network, gd: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First our own fault (nobody's business), then, once that is mended, a rule with its code."""
    with monkeypatch.context() as seeded:
        stumble(seeded)
        bad = net.world.message("alert", "520000", ["440000"], body=b'{"facts":"poison"}')
        net.exchange.enter(bad, ["440000"])
        net.settle()
    replay_all(gd)

    with gd.here():
        assert Quarantine.objects.get().code == "TB-501"
        assert StageReport.objects.get(stage="refused").code == "TB-501"


def test_without_kept_bytes_nothing_can_be_judged(net: Network, gd: Province) -> None:
    """Somebody's bytes without a good signature were never kept; the answer says so."""
    net.broker.append(in_topic("440000"), b"{")
    net.settle()

    assert replay_all(gd) == []
    with gd.here():
        entry = Quarantine.objects.get()
        assert replaying.replay(entry.pk, gd.settings, net.clock.now()).outcome == Outcome.NOT_KEPT
        with pytest.raises(NotFound):
            replaying.replay(entry.pk + 1, gd.settings, net.clock.now())


def test_what_arrived_again_meanwhile_is_known(
    net: Network, gz: Province, gd: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published once more after the fault was mended: the entry is closed, nothing is doubled."""
    with monkeypatch.context() as seeded:
        stumble(seeded)
        gz.submit(alert("a-1", body=json.loads(alert_body(facts="poison"))))
        net.settle()
    net.broker.append(in_topic("440000"), net.exchange.sent["440000", 1])
    net.settle()

    assert replay_all(gd) == [Outcome.KNOWN]
    with gd.here():
        assert InboxItem.objects.count() == 1
