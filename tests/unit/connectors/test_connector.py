"""Connectors over topics in memory: the whole way of an alert, and everything that may disturb it."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.support.postgresql import only_sqlite
from tests.support.province import Network, Province, alert, alert_body
from tests.support.world import World, agreement_json, fields_of, participant_json
from tongbao_broker import database
from tongbao_broker.errors import DatabaseOlderThanLog, Fenced, NotFound
from tongbao_broker.kafka.topics import LEAVES_TOPIC, in_topic, out_topic
from tongbao_connectors import acceptance, casework, drafts, quarantine, trail
from tongbao_connectors.store.models import (
    CheckpointClaim,
    ContentKey,
    DeliveryGap,
    InboxItem,
    Incident,
    LeafBatch,
    Message,
    Outbox,
    Quarantine,
    Reference,
    StageReport,
)
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import format_time
from tongbao_schemas.record import parse_out


class Crash(Exception):
    """The process dies here."""


def incidents(province: Province) -> set[str]:
    with province.here():
        return set(Incident.objects.values_list("kind", flat=True))


def sign_and_answer(province: Province, kind: str = "result") -> None:
    """The accountable officer signs for the one alert that waits and answers it."""
    with province.here():
        [item] = casework.list_inbox()
        who = {
            "officer_ref": item.officer_ref,
            "roster": province.settings.roster(),
            "at": province.net.clock.now(),
        }
        casework.claim(item.number, **who)
        outcome = "seized" if kind == "result" else None
        casework.answer(
            item.number, kind=kind, text="演练：已查获", outcome=outcome, origin=province.code, **who
        )


def test_an_alert_reaches_the_officer_and_the_answer_comes_back(
    net: Network, gz: Province, gd: Province
) -> None:
    """Admitted, delivered, routed, signed for, answered: the origin sees each as a stage of its own."""
    draft = gz.submit(alert("a-1"))
    net.settle()
    sign_and_answer(gd)
    net.settle()

    with gz.here():
        stages = trail.stages(draft.message_id, code="520000")
        assert stages == {"440000": ["admitted", "delivered", "routed", "claimed", "result"]}
        assert drafts.find(draft.message_id).state == "settled"
        assert set(Outbox.objects.values_list("state", flat=True)) == {"settled"}
    with gd.here():
        assert trail.stages(draft.message_id, code="440000") == stages
        assert set(Outbox.objects.values_list("state", flat=True)) == {"settled"}


def test_an_alert_to_two_provinces_has_a_row_of_its_own_for_each(net: Network, gz: Province) -> None:
    """What one addressee does says nothing about the other."""
    zj = net.province("330000")
    draft = gz.submit(alert("a-1", "440000", "330000"))
    net.settle()
    sign_and_answer(zj, "progress")
    net.settle()

    with gz.here():
        assert trail.stages(draft.message_id, code="520000") == {
            "330000": ["admitted", "delivered", "routed", "claimed", "progress"],
            "440000": ["admitted", "delivered", "routed"],
        }


def test_a_test_message_ends_at_delivered(net: Network, gz: Province, gd: Province) -> None:
    """It proves the line and reaches no officer."""
    draft = gz.submit(alert("a-1", status="test"))
    net.settle()

    with gz.here():
        assert trail.stages(draft.message_id, code="520000") == {"440000": ["admitted", "delivered"]}
    with gd.here():
        assert casework.list_inbox() == []


def test_an_answer_goes_to_the_officer_who_sent_the_alert(net: Network, gz: Province, gd: Province) -> None:
    """An answer isn't routed by rules, but back to the sender."""
    gz.submit(alert("a-1"), by="A-0118")
    net.settle()
    sign_and_answer(gd, "progress")
    net.settle()

    with gz.here():
        [item] = casework.list_inbox()
        assert (item.type, item.answer_kind) == ("answer", "progress")
        assert (item.officer_ref, item.rule, item.state) == ("A-0118", "sender", "waiting")


def test_two_alerts_that_differ_in_an_id_number_only_go_to_the_same_place(
    net: Network, gz: Province, gd: Province
) -> None:
    """The region in an ID number routes nobody."""
    body = json.loads(alert_body())
    for index, number in enumerate(("520000198802290018", "330100198802290013")):
        body["subjects"][0]["id_document"]["number"] = number
        gz.submit(alert(f"a-{index}", body=body))
    net.settle()

    with gd.here():
        one, other = casework.list_inbox()
        assert (one.unit, one.officer_ref, one.rule, one.steps) == (
            other.unit,
            other.officer_ref,
            other.rule,
            other.steps,
        )


POINTS = ("drafted", "sealed", "published", "polled", "opened", "committed", "settled")


@pytest.mark.parametrize("code", ["520000", "440000"])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_commit_point_loses_and_doubles_nothing(net: Network, point: str, code: str) -> None:
    """Each point is hit, the process starts again from its tables, and everything is there once."""
    struck = net.provinces[code]
    hits: list[str] = []

    def strike(reached: str) -> None:
        if reached == point and not hits:
            hits.append(reached)
            raise Crash(reached)

    with struck.here():
        struck.connector = net.connector(struck.settings, struck.points, strike)
        struck.connector.start()
    for index in range(3):
        net.provinces["520000"].submit(alert(f"a-{index}"))
    for _ in range(8):
        try:
            net.round()
        except Crash:
            struck.restart()
        for name in net.provinces:
            net.exchange.head(name)

    assert hits == [point]
    with net.provinces["440000"].here():
        assert InboxItem.objects.count() == 3
        assert DeliveryGap.objects.count() == 0
    for province in net.provinces.values():
        with province.here():
            seqs = list(Outbox.objects.order_by("seq").values_list("seq", flat=True))
            assert seqs == list(range(1, len(seqs) + 1))
            assert set(Outbox.objects.values_list("state", flat=True)) == {"settled"}
            assert StageReport.objects.filter(pending=True).count() == 0


def test_every_commit_point_is_reached(net: Network, gz: Province) -> None:
    """The names that tests strike at are the ones that are passed."""
    gz.submit(alert("a-1"))
    net.settle()

    assert set(gz.points) == set(POINTS)


def test_a_second_process_fences_the_first(net: Network, gz: Province, gd: Province) -> None:
    """A connector that was frozen between poll and commit stores nothing when it wakes up."""
    gz.submit(alert("a-1"))
    gz.turn()
    net.exchange.step(("520000",))

    def wake_up_late(point: str) -> None:
        if point == "opened":
            successor = net.connector(gd.settings, [])
            successor.start()
            successor.turn()

    with gd.here():
        frozen = net.connector(gd.settings, [], wake_up_late)
        frozen.start()
        with pytest.raises(Fenced):
            frozen.turn()

        assert InboxItem.objects.count() == 1


def test_a_second_process_that_seals_fences_the_first(net: Network, gz: Province) -> None:
    """Numbers are taken once, whoever takes them."""
    gz.submit(alert("a-1"))

    def seal_late(point: str) -> None:
        if point == "drafted":
            successor = net.connector(gz.settings, [])
            successor.start()
            successor.turn()

    with gz.here():
        frozen = net.connector(gz.settings, [], seal_late)
        frozen.start()
        with pytest.raises(Fenced):
            frozen.turn()

        assert list(Outbox.objects.values_list("seq", flat=True)) == [1]


def test_what_was_delivered_again_changes_nothing(net: Network, gz: Province, gd: Province) -> None:
    """Dedupe by origin and id; no second receipt either."""
    gz.submit(alert("a-1"))
    net.settle()
    topic = net.broker.topic(in_topic("440000"))
    before = len(net.broker.topic(out_topic("440000")).values)
    topic.values.extend(topic.values[:])
    net.settle()

    with gd.here():
        assert InboxItem.objects.count() == 1
        assert DeliveryGap.objects.count() == 0
    assert len(net.broker.topic(out_topic("440000")).values) == before


def test_a_topic_made_anew_is_an_incident_and_loses_nothing(net: Network, gz: Province, gd: Province) -> None:
    """The cursor goes to the beginning of the new one; what was unsettled is published again."""
    gz.submit(alert("a-1"))
    gz.turn()
    for topic in (in_topic("520000"), out_topic("520000"), in_topic("440000")):
        net.broker.made_anew(topic)
    gz.restart()
    gd.restart()
    net.clock.forward(seconds=2)
    net.settle()

    assert "topic_replaced" in incidents(gz)
    with gd.here():
        assert InboxItem.objects.count() == 1


def test_a_database_older_than_the_log_refuses_to_start(net: Network, gz: Province) -> None:
    """The own `out` topic holds what the tables don't know: a restored copy must not go on numbering."""
    gz.submit(alert("a-1"))
    gz.turn()
    with gz.here():
        Outbox.objects.all().delete()
        Message.objects.all().delete()

    with pytest.raises(DatabaseOlderThanLog):
        gz.restart()


def test_foreign_bytes_at_the_end_of_the_own_topic_are_passed_over(net: Network, gz: Province) -> None:
    """Only what this province's key signed says something about its tables."""
    gz.submit(alert("a-1"))
    gz.turn()
    record = net.world.message("alert", "330000", ["440000"])
    for value in (b"{", None, World.record_bytes(record)):
        net.broker.append(out_topic("520000"), value)

    gz.restart()


def test_a_newer_directory_is_waited_for(net: Network, gz: Province, gd: Province) -> None:
    """A message admitted under a directory that isn't here yet waits, and everything behind it, in order."""
    gz.submit(alert("a-1"))
    gz.turn()
    net.world = net.exchange.world = net.world.changed()
    net.exchange.step(("520000",))
    gd.turn()
    with gd.here():
        assert Message.objects.count() == 0
        assert Quarantine.objects.count() == 0

    net.exchange.publish_directory()
    net.clock.forward(seconds=2)
    net.settle()
    with gd.here():
        assert InboxItem.objects.count() == 1


def test_a_hold_that_lasts_is_an_incident(net: Network, gz: Province, gd: Province) -> None:
    """Somebody has to look at it after a few seconds."""
    gz.submit(alert("a-1"))
    gz.turn()
    net.world = net.exchange.world = net.world.changed()
    net.exchange.step(("520000",))
    for _ in range(8):
        gd.turn()
        net.clock.forward(seconds=1)

    assert "held" in incidents(gd)


def test_while_the_own_directory_is_out_of_date_nothing_is_sealed(net: Network, gz: Province) -> None:
    """That is our trouble: the draft stays a draft and uses up no number."""
    net.clock.forward(days=400)
    draft = gz.submit(alert("a-1"))
    gz.turn()

    with gz.here():
        assert drafts.find(draft.message_id).state == "drafted"


def test_a_rolled_back_directory_changes_nothing(net: Network, gz: Province) -> None:
    """The topic holds all versions; only a newer one comes into force."""
    old = net.world
    net.change(agreements=[agreement_json(["330000", "520000"], net.world.now)])
    net.broker.append("exchange.directory.v1", old.trust_file.encode())
    net.settle()
    draft = gz.submit(alert("a-1"))
    net.settle()

    with gz.here():
        assert (drafts.find(draft.message_id).state, drafts.find(draft.message_id).code) == (
            "refused",
            "TB-414",
        )
    assert incidents(gz) == set()


def test_a_forged_directory_is_an_incident(net: Network, gz: Province) -> None:
    """Without enough signatures it doesn't come into force."""
    forged = net.world.changed(agreements=[])
    forged.directory_keys = forged.directory_keys[:1]
    net.broker.append("exchange.directory.v1", forged.trust_file.encode())
    draft = gz.submit(alert("a-1"))
    net.settle()

    assert "exchange_record" in incidents(gz)
    with gz.here():
        assert drafts.find(draft.message_id).state == "settled"


def test_a_directory_outlives_the_process(net: Network, gz: Province) -> None:
    """After a restart the newest one counts, not the file that the folder was set up with."""
    participants = [
        participant_json(code, "suspended" if code == "440000" else "active")
        for code in sorted((EXCHANGE, "330000", "440000", "520000"))
    ]
    net.change(participants=participants)
    net.settle()
    gz.restart()
    draft = gz.submit(alert("a-1"))
    gz.turn()

    with gz.here():
        assert drafts.find(draft.message_id).code == "TB-402"


def test_a_refused_draft_keeps_its_text_and_uses_no_number(net: Network, gz: Province) -> None:
    """The next one gets number and seq 1; the same submission may be tried again."""
    refused = gz.submit(alert("a-1", "110000"))
    net.settle()
    sent = gz.submit(alert("a-2"))
    net.settle()

    with gz.here():
        assert drafts.find(refused.message_id).code == "TB-401"
        assert Outbox.objects.get(message__message_id=sent.message_id).seq == 1
        assert "2026-000001" in (drafts.find(sent.message_id).number or "")
    again = gz.submit(alert("a-1", "110000"))
    assert (again.message_id, again.state) == (refused.message_id, "drafted")


def test_a_rejected_message_releases_its_seq_for_the_next(net: Network, gz: Province, gd: Province) -> None:
    """The row ends with its code; once a head says that the seq is unused, the next message takes it."""
    first = gz.submit(alert("a-1"))
    net.exchange.reject[first.message_id] = "TB-204"
    net.settle()
    second = gz.submit(alert("a-2"))
    net.settle()

    with gz.here():
        assert (drafts.find(first.message_id).state, drafts.find(first.message_id).code) == (
            "rejected",
            "TB-204",
        )
        assert Outbox.objects.get(message__message_id=second.message_id).seq == 1
        assert drafts.find(second.message_id).state == "settled"


def test_unsettled_messages_are_published_again_with_growing_intervals(net: Network, gz: Province) -> None:
    """20, 40, 80 … seconds, until the exchange says something."""
    gz.submit(alert("a-1"))
    sent = []
    for _ in range(100):
        gz.turn()
        sent.append(len(net.broker.topic(out_topic("520000")).values))
        net.clock.forward(seconds=2)

    assert [sent.index(count) * 2 for count in (1, 2, 3, 4)] == [0, 20, 60, 140]
    net.settle()
    with gz.here():
        assert set(Outbox.objects.values_list("state", flat=True)) == {"settled"}


def test_an_idle_turn_asks_the_database_once(net: Network, gz: Province) -> None:
    """One statement says whether there is anything to do: an idle connector turns 50 times a second."""
    gz.submit(alert("a-1"))
    net.settle()
    gz.turn()
    with gz.here(), CaptureQueriesContext(connections[database.current()]) as asked:
        gz.turn()

    assert len(asked) == 1


def test_what_another_process_sealed_is_published_within_a_second(net: Network, gz: Province) -> None:
    """A row that this connector didn't seal itself, such as one put back by hand, doesn't wait for ever."""
    gz.submit(alert("a-1"))
    net.settle()
    gz.turn()
    with gz.here():
        Outbox.objects.update(state="sealed")
    before = len(net.broker.topic(out_topic("520000")).values)
    net.clock.forward(seconds=1)
    gz.turn()
    gz.turn()

    assert len(net.broker.topic(out_topic("520000")).values) == before + 1


def test_missing_deliveries_are_an_incident_and_late_ones_close_the_gap(
    net: Network, gz: Province, gd: Province
) -> None:
    """Numbers that are skipped, and numbers that a head promises, are kept until they arrive."""
    for index in range(3):
        gz.submit(alert(f"a-{index}"))
    gz.turn()
    net.exchange.step(("520000",))
    values = net.broker.topic(in_topic("440000")).values
    lost = [values[1], values[2]]
    del values[1:]
    net.exchange.head("440000")
    gd.turn()
    with gd.here():
        assert list(DeliveryGap.objects.values_list("first", "last")) == [(2, 3)]
    assert "gap" in incidents(gd)

    values.extend(lost)
    gd.turn()
    with gd.here():
        assert DeliveryGap.objects.count() == 0
        assert InboxItem.objects.count() == 3


def test_missing_deliveries_are_asked_for_and_published_again(
    net: Network, gz: Province, gd: Province
) -> None:
    """One receipt to the exchange; when the stored bytes have come once more, nobody asks any longer."""
    for index in range(3):
        gz.submit(alert(f"a-{index}"))
    gz.turn()
    net.exchange.step(("520000",))
    del net.broker.topic(in_topic("440000")).values[1:]
    net.exchange.head("440000")
    gd.turn()
    net.settle()
    with gd.here():
        assert DeliveryGap.objects.count() == 1
    for _ in range(3):
        net.clock.forward(seconds=60)
        net.settle()

    with gd.here():
        assert DeliveryGap.objects.count() == 0
        assert InboxItem.objects.count() == 3
        [asked] = Message.objects.filter(origin="440000", audience=EXCHANGE)
        items = fields_of(parse_out(bytes(asked.record.value)))["content"]["items"]
    assert [(item["stage"], item["delivery_seq"]) for item in items] == [("missing", 2), ("missing", 3)]


def test_a_body_that_breaks_a_rule_is_quarantined_and_its_origin_told(
    net: Network, gz: Province, gd: Province
) -> None:
    """The origin learns the code; the bytes are kept, since a good signature vouches for them."""
    bad = net.world.message("alert", "520000", ["440000"], body=b'{"facts":""}')
    net.exchange.enter(bad, ["440000"])
    net.settle()

    with gd.here():
        [entry] = quarantine.entries()
        assert (entry.code, entry.origin, entry.kept) == ("TB-501", "520000", True)
        assert StageReport.objects.get(stage="refused").receipt is not None
        assert quarantine.show(entry.id) == entry


def test_of_a_record_with_a_bad_signature_only_place_and_hash_are_kept(net: Network, gd: Province) -> None:
    """No bytes, no origin, no receipt."""
    stranger = net.world.message(
        "alert",
        "520000",
        ["440000"],
        body=alert_body(),
        key=World.create(["110000"]).keys["110000"].message,
    )
    net.exchange.enter(stranger, ["440000"])
    net.settle()

    with gd.here():
        row = Quarantine.objects.get()
        assert (row.code, row.origin, row.message_id, row.value) == ("TB-201", "", "", None)
        assert len(row.sha256) == 64
        assert StageReport.objects.count() == 0


@pytest.mark.parametrize("value", [b"", b"{", None, b"\xff", b"[]"])
def test_unreadable_records_stop_nobody(
    net: Network, gz: Province, gd: Province, value: bytes | None
) -> None:
    """One quarantine entry each, and the alert behind it arrives."""
    net.broker.append(in_topic("440000"), value)
    gz.submit(alert("a-1"))
    net.settle()

    with gd.here():
        assert Quarantine.objects.count() == 1
        assert InboxItem.objects.count() == 1


def test_a_record_that_our_code_stumbles_over_is_our_trouble(
    net: Network, gz: Province, gd: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is quarantined with its bytes, nobody is told that he is at fault, and the others go on."""
    good = acceptance.parse_body

    def fault(schema_name: str, data: bytes, **facts: object) -> object:
        if b"poison" in data:
            raise RuntimeError("seeded")
        return good(schema_name, data, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(acceptance, "parse_body", fault)
    gz.submit(alert("a-1", body=json.loads(alert_body(facts="poison"))))
    gz.submit(alert("a-2"))
    net.settle()

    with gd.here():
        assert (Quarantine.objects.get().code, Quarantine.objects.get().value is not None) == ("TB-603", True)
        assert InboxItem.objects.count() == 1
        assert not StageReport.objects.filter(stage="refused").exists()


def test_nothing_is_ever_sent_in_reply_to_a_receipt_or_a_notice(net: Network, gd: Province) -> None:
    """Not even where they break a rule."""
    mine = net.world.message("alert", "440000", ["520000"], body=alert_body())
    receipt = net.world.message("receipt", "520000", ["440000"], about=mine, refs=None)
    notice = net.world.message("notice", EXCHANGE, ["440000"], about=mine, refs=None)
    for record in (receipt, notice):
        net.exchange.enter(record, ["440000"])
    net.settle()

    with gd.here():
        assert Quarantine.objects.count() == 2
    assert net.broker.topic(out_topic("440000")).values == []


def test_an_equivocation_is_an_incident(net: Network, gz: Province, gd: Province) -> None:
    """Two contents under one id: the first stays, the second is refused."""
    one = net.world.message("alert", "520000", ["440000"], body=alert_body())
    fields = fields_of(one)
    other = net.world.message(
        "alert",
        "520000",
        ["440000"],
        body=alert_body(),
        id=fields["id"],
        thread=fields["thread"],
        urgency="flash",
    )
    for record in (one, other):
        net.exchange.enter(record, ["440000"])
    net.settle()

    assert "equivocation" in incidents(gd)
    with gd.here():
        assert InboxItem.objects.get().message.urgency == "urgent"


def test_a_bystanders_receipt_says_nothing(net: Network, gz: Province) -> None:
    """Only who was addressed reports on a message."""
    draft = gz.submit(alert("a-1"))
    net.settle()
    with gz.here():
        about = parse_out(net.broker.topic(out_topic("520000")).values[0] or b"")
    net.exchange.enter(net.world.message("receipt", "330000", ["520000"], about=about), ["520000"])
    net.settle()

    with gz.here():
        places = set(StageReport.objects.filter(of=draft.message_id).values_list("place", flat=True))
        assert places == {"440000"}


def test_a_rejected_receipt_is_sent_once_more_report_by_report(
    net: Network, gz: Province, gd: Province
) -> None:
    """One report that the exchange doesn't take must not cost the others."""
    for index in range(2):
        gz.submit(alert(f"a-{index}"))
    gz.turn()
    net.exchange.step(("520000",))
    gd.turn()
    with gd.here():
        receipt = Message.objects.get(type="receipt")
    net.exchange.reject[receipt.message_id] = "TB-406"
    net.settle()

    with gd.here():
        assert StageReport.objects.filter(pending=True).count() == 0
        assert Message.objects.filter(type="receipt").count() == 1 + 4
    with gz.here():
        assert StageReport.objects.filter(place="440000").count() == 4


def test_another_version_of_the_log_is_an_incident(net: Network, gz: Province, gd: Province) -> None:
    """A checkpoint in a stamp that doesn't fit the published leaves shows a split view."""
    gz.submit(alert("a-1"))
    gz.turn()
    net.exchange.step(("520000",))
    leaves = net.broker.topic(LEAVES_TOPIC)
    other = Network(net.folder / "other", world=net.world)
    other.exchange.enter(net.world.message("alert", "330000", ["440000"]), ["330000"])
    leaves.values[:] = other.broker.topic(LEAVES_TOPIC).values[:1]
    gd.turn()
    gd.turn()

    assert "split_view" in incidents(gd)


def test_a_sender_who_has_seen_another_log_is_an_incident_but_not_refused(net: Network, gd: Province) -> None:
    """What others state as `seen` is compared with the own copy."""
    net.exchange.enter(net.world.message("alert", "520000", ["330000"]), ["330000"])
    lied = net.world.message(
        "alert", "520000", ["440000"], body=alert_body(), seen={"size": 1, "root": "ab" * 32}
    )
    net.exchange.enter(lied, ["440000"])
    net.settle()

    assert incidents(gd) == {"split_view"}
    with gd.here():
        assert InboxItem.objects.count() == 1


def test_a_sender_who_claims_a_tree_larger_than_his_entry_is_an_incident(net: Network, gd: Province) -> None:
    """Nobody has seen a checkpoint that was signed after his own message was logged."""
    lied = net.world.message(
        "alert", "520000", ["440000"], body=alert_body(), seen={"size": 9, "root": "ab" * 32}
    )
    net.exchange.enter(lied, ["440000"])
    net.settle()

    assert "seen_ahead" in incidents(gd)


def test_roots_are_kept_until_the_copy_of_the_log_reaches_them(
    net: Network, gz: Province, gd: Province
) -> None:
    """Leaves that come late are compared all the same, and nothing is left over."""
    gz.submit(alert("a-1"))
    gz.turn()
    net.exchange.step(("520000",))
    leaves = net.broker.topic(LEAVES_TOPIC).values
    held_back = leaves[:]
    leaves.clear()
    gd.turn()
    with gd.here():
        assert CheckpointClaim.objects.count() == 1
    leaves.extend(held_back)
    gd.turn()

    with gd.here():
        assert CheckpointClaim.objects.count() == 0
        assert LeafBatch.objects.count() == len(held_back)
    assert incidents(gd) == set()


def test_the_entry_of_an_own_and_of_a_received_message_is_proved_from_the_copy(
    net: Network, gz: Province, gd: Province
) -> None:
    """Both sides prove the same leaf under a root that they rebuilt themselves."""
    draft = gz.submit(alert("a-1"))
    net.settle()
    proofs = []
    for province in (gz, gd):
        with province.here():
            proofs.append(trail.find(draft.message_id, code=province.code, network=net.world.network).proof)

    assert proofs[0] is not None
    assert proofs[0] == proofs[1]
    assert proofs[0].root == net.exchange.frontier.root.hex()


def test_a_trail_tells_everything_in_order(net: Network, gz: Province, gd: Province) -> None:
    """From the draft to the result, each with its time, place and person."""
    draft = gz.submit(alert("a-1"))
    net.settle()
    sign_and_answer(gd)
    net.settle()

    with gz.here():
        found = trail.find(draft.message_id, code="520000", network="test")
        assert [(event.stage, event.place, event.by) for event in found.events] == [
            ("drafted", "520000", "A-0120"),
            ("sealed", "520000", ""),
            ("published", "520000", ""),
            ("admitted", "100000", ""),
            ("delivered", "440000", ""),
            ("routed", "440000", "A-0117"),
            ("claimed", "440000", "A-0117"),
            ("result", "440000", ""),
        ]
        assert trail.find(found.number, code="520000", network="test") == found


@only_sqlite
def test_no_plain_text_of_a_body_lies_in_any_database(net: Network, gz: Province, gd: Province) -> None:
    """After sealing the draft's text is overwritten; what remains is ciphertext and its key."""
    canary = "金丝雀七三一九"
    gz.submit(alert("a-1", body=json.loads(alert_body(facts=canary))))
    net.settle()
    sign_and_answer(gd)
    net.settle()

    for province in (gz, gd):
        files = list(province.settings.folder.glob("*.db*"))
        assert files
        assert not any(canary.encode() in file.read_bytes() for file in files)


def test_a_deleted_content_key_purges_the_body_and_nothing_else(
    net: Network, gz: Province, gd: Province
) -> None:
    """The record stays verifiable; the body can't be opened any more."""
    draft = gz.submit(alert("a-1"))
    net.settle()

    with gd.here():
        ContentKey.objects.all().delete()
        roster = gd.settings.roster()
        with pytest.raises(NotFound):
            casework.open_body(
                draft.message_id, officer_ref="A-0117", why="值班", roster=roster, at=net.clock.now()
            )


def test_what_expired_on_the_way_is_stored_and_marked(net: Network, gz: Province, gd: Province) -> None:
    """It isn't refused: it was good when it was logged."""
    soon = format_time(net.clock.now() + timedelta(days=5))
    gz.submit(alert("a-1", expires_at=soon))
    gz.turn()
    net.exchange.step(("520000",))
    net.clock.forward(days=6)
    gd.turn()

    with gd.here():
        assert [item.expired for item in casework.list_inbox()] == [True]


def test_a_reference_that_came_too_early_is_joined_when_its_target_arrives(net: Network) -> None:
    """An answer before its alert is kept; afterwards it belongs to it."""
    zj = net.province("330000")
    told = ["330000", "440000"]
    sent = net.world.message("alert", "520000", told, body=alert_body())
    body = b'{"by":{"officer_ref":"A-1","unit":"A"},"kind":"progress","text":"A"}'
    answer = net.world.message("answer", "440000", ["330000", "520000"], about=sent, body=body)
    net.exchange.enter(answer, ["330000"])
    zj.turn()
    with zj.here():
        assert list(Reference.objects.values_list("known", flat=True)) == [False]
    net.exchange.enter(sent, ["330000"])
    zj.turn()

    with zj.here():
        assert list(Reference.objects.values_list("known", flat=True)) == [True]
        assert InboxItem.objects.count() == 2


def test_records_that_retention_took_are_an_incident(net: Network, gz: Province, gd: Province) -> None:
    """The stream goes on behind them, and the delivery numbers tell what was in them."""
    for index in range(3):
        gz.submit(alert(f"a-{index}"))
    gz.turn()
    net.exchange.step(("520000",))
    net.broker.topic(in_topic("440000")).first = 2
    net.settle()

    assert incidents(gd) == {"records_lost", "gap"}
    with gd.here():
        assert InboxItem.objects.count() == 1
        assert list(DeliveryGap.objects.values_list("first", "last")) == [(1, 2)]


def test_a_log_signed_by_an_unknown_key_is_waited_for_and_then_an_incident(
    net: Network, gd: Province
) -> None:
    """A rotated key may arrive a moment later than what it signed; after a minute nobody waits any more."""
    forged = replace(net.world, keys={**net.world.keys, EXCHANGE: net.world.keys["520000"]})
    other = Network(net.folder / "other", world=forged)
    other.exchange.enter(net.world.message("alert", "520000", ["330000"]), ["330000"])
    net.broker.topic(LEAVES_TOPIC).values.extend(other.broker.topic(LEAVES_TOPIC).values)
    for _ in range(10):
        gd.turn()
        net.clock.forward(seconds=2)
    with gd.here():
        assert Quarantine.objects.count() == 0
    for _ in range(30):
        gd.turn()
        net.clock.forward(seconds=2)

    assert incidents(gd) == {"held", "exchange_record"}
    with gd.here():
        assert Quarantine.objects.get().code == "TB-212"


def test_a_changed_roster_holds_from_the_next_alert_on(net: Network, gz: Province, gd: Province) -> None:
    """Without a restart; a roster with a mistake changes nothing."""
    roster = gd.settings.folder / "roster.toml"
    text = roster.read_text("utf-8")
    accountable = []
    for index, changed in enumerate(
        (text, text.replace('officer = "A-0117"', 'officer = "A-0118"'), "[[unit]]")
    ):
        roster.write_text(changed, "utf-8")
        os.utime(roster, ns=(0, index))
        net.clock.forward(seconds=2)
        gd.turn()
        gz.submit(alert(f"a-{index}"))
        net.settle()
        with gd.here():
            accountable.append(casework.list_inbox()[0].officer_ref)

    assert accountable == ["A-0117", "A-0118", "A-0118"]
