"""The relay on a real database, over topics in memory: what goes in, what comes out, and what a crash
changes.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import NOW, World, fields_of, participant_json
from tests.unit.exchange.station import Station, header, numbers
from tongbao_broker.errors import DatabaseOlderThanLog, Fenced, TopicReplaced, WriterBroken
from tongbao_broker.exchange import dispatch, publishing, relay, store
from tongbao_broker.exchange.dispatch import IncidentKind
from tongbao_broker.exchange.models import Delivery, Incident, Lane, LeafRecord, Message, Refusal, TrailState
from tongbao_broker.exchange.points import COMMIT_POINTS
from tongbao_broker.exchange.relay import Roads
from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.trust.checkpoint import verify_checkpoint
from tongbao_broker.trust.merkle import Frontier, leaf_hash, verify_inclusion
from tongbao_broker.trust.verify import verify_message
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import format_time, sha256_hex
from tongbao_schemas.record import InRecord, OutRecord
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import LeafKind, leaf_bytes

GZ, GD, ZJ = "520000", "440000", "330000"
SECOND = timedelta(seconds=1)


class Struck(Exception):
    """The process was struck down at a commit point."""


@pytest.fixture
def world() -> World:
    return World.create()


@pytest.fixture
def station(world: World, tmp_path: Path, exchange_database: str) -> Iterator[Station]:
    return Station(world, tmp_path)


def alert(world: World, *audience: str, **over: Any) -> OutRecord:
    return world.message("alert", GZ, audience or (GD,), **over)


def published_hashes(station: Station) -> list[bytes]:
    """All leaf hashes in `exchange.leaves.v1`, each once, in order."""
    hashes: dict[int, bytes] = {}
    for record in station.broker.topic(LEAVES_TOPIC).records:
        value = json.loads(record.value or b"")
        for place, text in enumerate(value["hashes"]):
            hashes[value["from"] + place] = bytes.fromhex(text)
    assert sorted(hashes) == list(range(len(hashes)))
    return [hashes[index] for index in range(len(hashes))]


def verify_stamp(world: World, record: InRecord) -> None:
    """Raises unless the stamp proves this very message's entry."""
    stamp = record.stamp
    assert stamp is not None
    leaf = stamp.leaf
    assert leaf.digest == record.envelope.digest
    checkpoint = verify_checkpoint(
        stamp.checkpoint, world.network, world.directory.checkpoint_keys(leaf.admitted_at)
    )
    hashed = leaf_hash(
        leaf_bytes(
            world.network, LeafKind.ADMITTED, leaf.index, leaf.digest, leaf.admitted_at, leaf.directory
        )
    )
    proof = [bytes.fromhex(node) for node in stamp.proof]
    verify_inclusion(hashed, leaf.index, checkpoint.size, proof, checkpoint.root)


# What goes through.


def test_an_alert_is_delivered_as_it_was_written_with_a_stamp_that_verifies(station: Station) -> None:
    """The addressee gets the exact signed bytes and body, and a proof that they are in the trail."""
    record = alert(station.world)
    station.write(GZ, record)
    station.run()

    [delivery] = station.messages(GD)

    assert delivery.out == record
    verify_stamp(station.world, delivery)


def test_every_addressee_gets_its_own_number(station: Station) -> None:
    """Each lane counts for itself, from 1, without a gap."""
    station.write(GZ, alert(station.world, GD, ZJ), alert(station.world, GD))
    station.run()

    found = {code: numbers(station.deliveries(code)) for code in (GZ, GD, ZJ)}

    assert found == {GZ: [1, 2], GD: [1, 2], ZJ: [1]}


def test_an_admitted_alert_is_noticed_to_its_origin(station: Station) -> None:
    """The notice names message and leaf, bears the leaf's time, and is itself signed, logged and stamped."""
    record = alert(station.world)
    station.write(GZ, record)
    station.run()

    [delivery] = station.deliveries(GZ)
    [subject] = station.messages(GD)
    content = header(delivery).content

    assert subject.stamp is not None
    assert (content.kind, content.of, content.digest) == (
        "admitted",
        fields_of(record)["id"],
        record.envelope.digest,
    )
    assert (content.index, content.at) == (subject.stamp.leaf.index, subject.stamp.leaf.admitted_at)
    verify_stamp(station.world, delivery)
    world = station.world
    verify_message(delivery.out, directory=world.directory, network=world.network, at=NOW, owner=EXCHANGE)


def test_a_receipt_is_delivered_and_not_noticed(station: Station) -> None:
    """Nothing is sent in reply to a receipt."""
    record = alert(station.world)
    station.write(GZ, record)
    station.run()
    station.write(GD, station.world.message("receipt", GD, [GZ], about=record))
    station.run()

    assert [header(message).type for message in station.messages(GZ)] == ["receipt"]
    assert station.notices(GD) == []


def test_one_batch_has_one_checkpoint(station: Station) -> None:
    """All stamps of a batch prove their leaves under the same signed note."""
    station.write(GZ, *(alert(station.world) for _ in range(5)))
    station.run()

    stamps = [record.stamp for record in station.deliveries(GD) + station.deliveries(GZ)]

    assert len({stamp.checkpoint for stamp in stamps if stamp}) == 1


def test_the_published_leaves_give_the_root_of_every_checkpoint(station: Station) -> None:
    """Whoever reads `exchange.leaves.v1` can rebuild the tree that the stamps speak of."""
    for _ in range(3):
        station.write(GZ, alert(station.world), b"{}")
        station.run(2)

    hashes = published_hashes(station)

    for record in station.deliveries(GZ):
        assert record.stamp is not None
        note = verify_checkpoint(
            record.stamp.checkpoint, station.world.network, station.world.directory.checkpoint_keys(NOW)
        )
        assert Frontier().extend(hashes[: note.size]).root == note.root


def test_the_directory_is_published_with_a_leaf_of_its_own(station: Station) -> None:
    """At the first start the directory in force is leaf 0 and on its topic."""
    station.run(2)
    [record] = station.broker.topic(DIRECTORY_TOPIC).records
    hashes = published_hashes(station)
    directory = station.world.directory

    leaf = leaf_bytes(station.world.network, LeafKind.DIRECTORY, 0, directory.digest, NOW, directory.version)

    assert record.value == station.world.trust_file.encode()
    assert hashes[0] == leaf_hash(leaf)


def test_a_newer_trust_file_is_taken_over_while_running(station: Station) -> None:
    """A new directory is judged by at once, gets a leaf, is published, and is named in leaves and heads."""
    suspended = [
        participant_json(GD, "suspended"),
        *(participant_json(code) for code in (GZ, ZJ, EXCHANGE)),
    ]
    station.put_trust(station.world.changed(participants=suspended))
    station.run()
    station.write(GZ, alert(station.world))
    station.run()

    [notice] = station.notices(GZ)

    assert notice.content.code == Code.AUDIENCE_NOT_ACTIVE
    assert len(station.broker.topic(DIRECTORY_TOPIC).records) == 2
    assert station.heads(GZ)[-1].content.directory.version == 2


def test_a_new_province_is_read_without_a_restart(
    world: World, tmp_path: Path, exchange_database: str
) -> None:
    """Its topic is polled and its lane begins as soon as the directory names it."""
    everybody = World.create((GZ, GD, ZJ, "530000"))
    before = [entry for entry in everybody.document["participants"] if entry["code"] != "530000"]
    station = Station(everybody.changed(participants=before), tmp_path)
    station.run()

    station.put_trust(everybody.changed(version=3))
    station.run()
    station.write("530000", everybody.message("alert", "530000", [GD]))
    station.run()

    assert [header(message).origin for message in station.messages(GD)] == ["530000"]
    assert numbers(station.deliveries("530000")) == [1]


@pytest.mark.parametrize("fault", ["rolled back", "of another network", "no JSON"])
def test_a_trust_file_that_does_not_verify_changes_nothing(fault: str, station: Station) -> None:
    """The directory in force stays in force; an incident says why the file was not taken over."""
    world = station.world
    if fault == "no JSON":
        (station.folder / "trust.json").write_bytes(b"{")
    else:
        other = world.changed(version=0) if fault == "rolled back" else World.create(network="other")
        station.put_trust(other)
    station.write(GZ, alert(world))
    station.run()

    assert len(station.messages(GD)) == 1
    assert Incident.objects.filter(kind=IncidentKind.DIRECTORY_REFUSED).count() == 1


# What is rejected.


def test_a_rejected_record_is_noticed_to_the_owner_of_its_topic(station: Station) -> None:
    """The notice has the code and the record's place; without a proven origin it names no message."""
    station.write(GZ, b"{}")
    station.run()

    [notice] = station.notices(GZ)

    assert notice.content.code == Code.RECORD_SHAPE
    assert (notice.content.record.offset, notice.content.record.sha256) == (0, sha256_hex(b"{}"))
    assert notice.content.of is None


def test_a_rejection_after_step_7_names_its_message(station: Station) -> None:
    """Once the signature has proven the message, the notice says which one it was, and keeps its status."""
    record = alert(station.world, "990000")
    station.write(GZ, record)
    station.run()

    [notice] = station.notices(GZ)

    assert (notice.content.code, notice.content.of) == (Code.AUDIENCE_UNKNOWN, fields_of(record)["id"])
    assert notice.status == "exercise"


def test_a_rejected_record_has_a_leaf_and_a_row_by_its_place(station: Station) -> None:
    """What was decided is in the trail with its code; of the record only place, hash and size are kept."""
    station.write(GZ, b"{}")
    station.run()

    row = Refusal.objects.get()
    leaf = leaf_bytes(
        station.world.network,
        LeafKind.REJECTED,
        row.index,
        f"sha256:{sha256_hex(b'{}')}",
        row.refused_at,
        1,
        row.code,
    )

    assert (row.topic, row.offset, row.sha256, row.size) == (out_topic(GZ), 0, sha256_hex(b"{}"), 2)
    assert published_hashes(station)[row.index] == leaf_hash(leaf)


def test_a_rejected_receipt_is_noticed_too(station: Station) -> None:
    """Its sender's outbox row must end; a notice is never answered, so no loop comes of it."""
    station.write(GD, station.world.message("receipt", GD, [GZ], about=alert(station.world)))
    station.run()

    assert [notice.content.code for notice in station.notices(GD)] == [Code.REF_UNKNOWN]


def test_a_duplicate_of_a_rejected_message_repeats_its_notice(station: Station) -> None:
    """The first notice may have been lost; the second names the same code and the new place."""
    record = alert(station.world, "990000")
    station.write(GZ, record, record)
    station.run()

    found = [(notice.content.code, notice.content.record.offset) for notice in station.notices(GZ)]

    assert found == [(Code.AUDIENCE_UNKNOWN, 0), (Code.AUDIENCE_UNKNOWN, 1)]
    assert Message.objects.filter(origin=GZ).count() == 1


def test_a_duplicate_of_an_admitted_message_changes_nothing(station: Station) -> None:
    """In the same batch or later: one leaf, one delivery."""
    record = alert(station.world)
    station.write(GZ, record, record)
    station.run()
    station.write(GZ, record)
    station.run()

    assert len(station.messages(GD)) == 1
    assert len(station.notices(GZ)) == 1


@pytest.mark.parametrize(
    ("over", "kind"), [("id", IncidentKind.EQUIVOCATION), ("seq", IncidentKind.FORK)], ids=["id", "seq"]
)
def test_a_second_message_under_the_same_name_is_an_incident(
    over: str, kind: IncidentKind, station: Station
) -> None:
    """Two contents for one id, or two ids for one seq: rejected, and an admin learns of it."""
    first = alert(station.world)
    fields = fields_of(first)
    same = {"id": fields["id"], "thread": fields["id"]} if over == "id" else {"seq": fields["seq"]}
    station.write(GZ, first, alert(station.world, **same))
    station.run()

    incident = Incident.objects.get()

    assert (incident.kind, incident.stream, incident.offset) == (kind, out_topic(GZ), 1)
    assert len(station.messages(GD)) == 1


# Heads.


def test_a_head_says_where_a_province_stands(station: Station) -> None:
    """Settled numbers, holes, what was read, what was delivered, directory and checkpoint; no stamp."""
    world = station.world
    for seq in (1, 2, 5):
        station.write(GZ, alert(world, seq=seq))
    station.run()

    content = station.heads(GZ)[-1].content

    assert (content.settled_seq, content.holes, content.out_next_offset) == (2, ((3, 4),), 3)
    assert content.delivery_seq == 3
    assert (content.directory.version, content.directory.digest) == (1, world.directory.digest)
    assert verify_checkpoint(
        content.checkpoint, world.network, world.directory.checkpoint_keys(NOW)
    ).size == len(published_hashes(station))


def test_a_late_number_closes_its_hole(station: Station) -> None:
    """When the missing numbers come, everything up to the highest is settled."""
    world = station.world
    for seq in (2, 4, 3, 1):
        station.write(GZ, alert(world, seq=seq))
        station.run()

    content = station.heads(GZ)[-1].content

    assert (content.settled_seq, content.holes) == (4, ())


def test_a_rejected_message_settles_its_number(station: Station) -> None:
    """After step 9 the number is used up, whatever was decided."""
    station.write(GZ, alert(station.world, "990000"))
    station.run()

    assert station.heads(GZ)[-1].content.settled_seq == 1


def test_holes_that_are_too_many_end_in_one_that_runs_on(station: Station) -> None:
    """What is not looked for is not said to be settled."""
    world = station.world
    station.write(GZ, *(alert(world, seq=seq) for seq in range(2, 2 * store.MAX_HOLES + 12, 2)))
    station.run()

    content = station.heads(GZ)[-1].content

    assert content.settled_seq == 0
    assert content.holes[0] == (1, 1)
    assert content.holes[-1][1] == 2**53 - 1


def test_the_last_number_there_is_leaves_a_hole_and_nothing_behind_it(station: Station) -> None:
    """A province that spends 2^53 - 1 gets a head like any other; the exchange goes on for everybody."""
    station.write(GZ, alert(station.world, seq=2**53 - 1))
    station.run()

    content = station.heads(GZ)[-1].content

    assert (content.settled_seq, content.holes) == (0, ((1, 2**53 - 2),))


def test_a_head_comes_within_a_second_of_a_change_and_else_within_a_minute(station: Station) -> None:
    """At rest one a minute; after a change at once, but not more than one a second."""
    station.run(1)
    begun = len(station.heads(GD))

    station.run(49)
    at_rest = len(station.heads(GD))
    station.run(2)
    after_a_minute = len(station.heads(GD))
    station.write(GZ, alert(station.world))
    station.run(1)

    assert (at_rest, after_a_minute, len(station.heads(GD))) == (begun, begun + 1, begun + 2)


def test_a_head_never_runs_ahead_of_a_delivery(station: Station) -> None:
    """In the topic everything up to the head's delivery number lies before it."""
    for _ in range(4):
        station.write(GZ, alert(station.world))
        station.run(1)
    highest = 0

    for record in station.received(GD):
        if record.stamp:
            highest = record.stamp.delivery_seq
        else:
            assert header(record).content.delivery_seq <= highest


# Missing deliveries, expiry.


def test_a_missing_delivery_is_sent_again_as_it_was(station: Station) -> None:
    """A `missing` receipt brings back the stored bytes under the same number."""
    station.write(GZ, alert(station.world), alert(station.world))
    station.run()
    item = {"stage": "missing", "at": format_time(NOW), "delivery_seq": 2}
    asked = station.world.message("receipt", GD, [EXCHANGE], content={"items": [item]})
    before = station.broker.topic(in_topic(GD)).records
    second = next(record.value for record in before if b'"delivery_seq":2,' in (record.value or b""))
    station.write(GD, asked)
    station.run()

    sent = [record.value for record in station.broker.topic(in_topic(GD)).records]

    assert sent.count(second) == 2
    assert numbers(station.deliveries(GD)) == [1, 2, 2]


def test_a_number_that_was_never_given_out_is_not_sent(station: Station) -> None:
    """Asking for it is admitted, brings nothing, and isn't remembered."""
    item = {"stage": "missing", "at": format_time(NOW), "delivery_seq": 99}
    station.write(GD, station.world.message("receipt", GD, [EXCHANGE], content={"items": [item]}))
    station.run()

    assert station.deliveries(GD) == []
    assert store.resends(1) == []


def test_a_body_is_kept_until_its_message_expires(station: Station) -> None:
    """After that the stored value is empty; the signed payload stays for the trail."""
    soon = format_time(NOW + timedelta(minutes=5))
    due = {"sign_by": soon, "first_feedback_by": soon, "result_by": soon, "basis": "演练"}
    record = alert(station.world, expires_at=soon, deadlines=due)
    station.write(GZ, record)
    station.run()
    stored = Delivery.objects.get(addressee=GD)
    assert bytes(stored.value)

    station.clock.at = NOW + timedelta(minutes=6)
    station.run()
    stored.refresh_from_db()

    assert bytes(stored.value) == b""
    assert bytes(Message.objects.get(origin=GZ).payload) == record.envelope.payload


# Our own trouble.


def test_an_expired_directory_holds_the_streams_and_a_new_one_releases_them(
    world: World, tmp_path: Path, exchange_database: str
) -> None:
    """Nothing is rejected meanwhile, not even a bad record; afterwards the backlog goes in order."""
    station = Station(world.changed(expires_at=format_time(NOW + SECOND)), tmp_path)
    station.clock.at = NOW + 2 * SECOND
    records = [alert(world), alert(world)]
    station.write(GZ, records[0], b"{}", records[1])

    station.run(5)
    held = (len(station.deliveries(GD)), len(station.notices(GZ)))
    incident = Incident.objects.get(kind=IncidentKind.HELD)
    assert incident.closed_at is None
    station.put_trust(world.changed(version=3))
    station.run(5)
    incident.refresh_from_db()

    assert held == (0, 0)
    assert [message.out for message in station.messages(GD)] == records
    assert [notice.content.kind for notice in station.notices(GZ)] == ["admitted", "rejected", "admitted"]
    assert incident.closed_at is not None


def test_a_process_can_start_under_an_expired_directory(station: Station) -> None:
    """It starts, and waits."""
    station.put_trust(station.world.changed(expires_at=format_time(NOW)))

    station.restart()

    assert station.relay.turn(0) is False


@pytest.mark.parametrize("ahead", [True, False], ids=["broker ahead", "we are ahead"])
def test_an_unsound_clock_holds_the_streams(ahead: bool, station: Station) -> None:
    """Our clock and the broker's differ by more than 60 s at the tail: hold, until ours is put right."""
    station.run(1)
    right = station.clock.at
    written = right + timedelta(seconds=1)
    if not ahead:
        station.clock.at = right + timedelta(seconds=90)
        station.run(1)
    else:
        written = right + timedelta(seconds=90)
    station.write(GZ, alert(station.world), at=written)

    station.run(3)
    held = len(station.messages(GD))
    station.clock.at = written + SECOND
    station.run(3)

    assert (held, len(station.messages(GD))) == (0, 1)
    assert Incident.objects.filter(kind=IncidentKind.HELD, closed_at=None).count() == 0


def test_an_old_record_is_no_reason_to_doubt_the_clock(station: Station) -> None:
    """A backlog of yesterday, read after a start, goes through."""
    station.write(GZ, alert(station.world), at=NOW - timedelta(days=1))
    station.run()

    assert len(station.messages(GD)) == 1


def test_trouble_with_the_database_holds_the_streams(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that fails rejects nothing; the same records come again in order and go through once."""
    from django.db import OperationalError

    records = [alert(station.world), alert(station.world)]
    station.write(GZ, *records)

    def away(*_: object) -> None:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_grow", away)
        station.run(2)
    assert station.messages(GD) == []
    station.run()

    assert [message.out for message in station.messages(GD)] == records
    assert station.notices(GZ)[0].content.kind == "admitted"


# Poison.


def test_an_unreadable_record_is_passed_and_noticed(station: Station) -> None:
    """What the reader can't decode is rejected as unreadable; the records behind it go on."""
    station.write(GZ, None, error="UnicodeDecodeError")
    station.write(GZ, alert(station.world))
    station.run()

    assert len(station.messages(GD)) == 1
    assert station.notices(GZ)[0].content.code == Code.RECORD_UNREADABLE
    assert Incident.objects.get().kind == IncidentKind.POISON


@pytest.mark.parametrize("place", ["examine", "decide", "take"])
def test_a_record_over_which_our_own_code_stumbles_stops_nobody(
    place: str, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found among its batch and rejected as unreadable, once; all others are admitted in order."""
    world = station.world
    records = [alert(world, ZJ) for _ in range(9)]
    poison = fields_of(records[4])["id"].encode()
    _stumble(monkeypatch, place, poison)
    station.write(GZ, *records)
    station.run()

    found = [message.out for message in station.messages(ZJ)]

    assert found == records[:4] + records[5:]
    assert [notice.content.kind for notice in station.notices(GZ)].count("rejected") == 1
    assert Refusal.objects.get().code == Code.RECORD_UNREADABLE
    assert numbers(station.deliveries(GZ)) == list(range(1, 10))


def _stumble(monkeypatch: pytest.MonkeyPatch, place: str, poison: bytes) -> None:
    """Lets our own code fail for one message, in one of the places that see it."""
    real: Callable[..., Any]
    if place == "take":
        real = dispatch.Dispatch.take

        def take(self: Any, arrival: Any, decision: Any) -> None:
            if poison in _payload(decision):
                raise ZeroDivisionError
            real(self, arrival, decision)

        monkeypatch.setattr(dispatch.Dispatch, "take", take)
        return
    real = getattr(relay, place)

    def stumble(subject: Any, *rest: Any) -> Any:
        data = subject if isinstance(subject, bytes) else subject.record.envelope.payload
        if poison in data or _is_poison_value(data, poison):
            raise ZeroDivisionError
        return real(subject, *rest)

    monkeypatch.setattr(relay, place, stumble)


def _payload(decision: Any) -> bytes:
    message = getattr(decision, "message", None)
    return message.record.envelope.payload if message else b""


def _is_poison_value(data: bytes, poison: bytes) -> bool:
    from tongbao_schemas.record import parse_out

    return data.startswith(b'{"body"') and poison in parse_out(data).envelope.payload


def test_lost_records_are_an_incident_and_the_stream_goes_on(station: Station) -> None:
    """What retention took before it was read can't be read; what follows can."""
    station.write(GZ, alert(station.world), alert(station.world))
    topic = station.broker.topic(out_topic(GZ))
    topic.first, topic.records = 1, topic.records[1:]
    station.run()

    assert len(station.messages(GD)) == 1
    assert Incident.objects.get().kind == IncidentKind.RECORDS_LOST
    assert station.heads(GZ)[-1].content.holes == ((1, 1),)


# Lanes.


def test_a_refused_topic_delays_nobody_else_and_is_made_up_for(station: Station) -> None:
    """One addressee's topic is closed: the others get theirs, and it gets all, in order, when it is open."""
    station.broker.refused.add(in_topic(GD))
    records = [alert(station.world, GD, ZJ) for _ in range(3)]
    for record in records:
        station.write(GZ, record)
        station.run(1)
    meanwhile = (len(station.messages(ZJ)), len(station.received(GD)))
    station.broker.refused.clear()
    station.run(30)

    assert meanwhile == (3, 0)
    assert [message.out for message in station.messages(GD)] == records
    assert numbers(station.deliveries(GD)) == [1, 2, 3]


def test_a_closed_out_topic_delays_nobody_else(world: World, tmp_path: Path, exchange_database: str) -> None:
    """It is an incident until it can be read again; then its records are taken from the beginning."""
    station = Station(world, tmp_path)
    station.broker.refused.add(out_topic(GZ))
    station.restart()
    station.write(GZ, alert(world))
    station.write(ZJ, world.message("alert", ZJ, [GD]))
    station.run()
    meanwhile = [header(message).origin for message in station.messages(GD)]
    assert Incident.objects.get().closed_at is None
    station.broker.refused.clear()
    station.run(40)

    assert meanwhile == [ZJ]
    assert [header(message).origin for message in station.messages(GD)] == [ZJ, GZ]
    assert Incident.objects.get().closed_at is not None


def test_a_broken_producer_ends_the_process(station: Station) -> None:
    """What was committed and not published is published by the next process."""
    station.broker.broken = True
    station.write(GZ, alert(station.world))
    with pytest.raises(WriterBroken):
        station.run()
    station.broker.broken = False
    station.restart()
    station.run()

    assert len(station.messages(GD)) == 1


# Crashes and rivals.


@pytest.mark.parametrize("point", COMMIT_POINTS)
def test_a_crash_at_any_commit_point_loses_nothing_and_repeats_only_bytes(
    point: str, world: World, tmp_path: Path, exchange_database: str
) -> None:
    """After a restart there is one leaf and one number for each message, and whatever is repeated is the
    same.
    """
    struck: list[str] = []

    def strike(reached: str) -> None:
        if reached == point and armed and not struck:
            struck.append(reached)
            raise KeyboardInterrupt

    armed: list[bool] = []
    station = Station(world, tmp_path, strike)
    station.run()
    armed.append(True)
    records = [alert(world, GD, ZJ) for _ in range(4)]
    station.write(GZ, *records)
    with pytest.raises(KeyboardInterrupt):
        station.run()

    station.restart()
    station.run()

    assert struck == [point]
    values = {
        record.value
        for record in station.broker.topic(in_topic(GD)).records
        if b"stamp" in (record.value or b"")
    }
    assert len(values) == 4
    assert sorted(set(numbers(station.deliveries(GD)))) == [1, 2, 3, 4]
    unique = dict.fromkeys(message.envelope.digest for message in station.messages(GD))
    assert list(unique) == [record.envelope.digest for record in records]
    assert Message.objects.filter(origin=GZ).count() == 4
    assert len(published_hashes(station)) == TrailState.objects.get().size


def test_a_process_whose_place_was_taken_commits_nothing(station: Station) -> None:
    """A relay that was frozen while another one worked finds trail and cursor elsewhere, and ends."""
    station.write(GZ, alert(station.world))
    station.run()
    frozen, rival = station.relay, station.new_relay()
    station.write(GZ, alert(station.world))
    station.relay = rival
    station.run()
    before = Message.objects.count()
    station.write(GZ, alert(station.world))
    frozen._inlets.seek_back()

    with pytest.raises(Fenced):
        frozen.turn(0)

    assert Message.objects.count() == before


def test_a_process_whose_place_was_taken_sends_no_head(station: Station) -> None:
    """With nothing to read, a relay that was frozen would tell what was so before: it ends instead."""
    station.write(GZ, alert(station.world))
    station.run()
    frozen, station.relay = station.relay, station.new_relay()
    station.write(GZ, alert(station.world))
    station.run(2)
    told = len(station.heads(GZ))
    station.clock.at += timedelta(minutes=2)
    frozen._inlets.source.pause(out_topic(GZ))  # as if its connection weren't back yet

    with pytest.raises(Fenced):
        frozen.turn(0)

    assert len(station.heads(GZ)) == told


def test_what_was_published_is_marked_with_the_next_batch_or_when_nothing_comes(station: Station) -> None:
    """Two deliveries, two turns: after the second the first is marked; after an idle turn, both."""
    marked = []
    for _ in range(2):
        station.write(GZ, alert(station.world))
        station.relay.turn(0)
        marked.append(store.lanes()[GD].published_seq)
    station.relay.turn(0)

    assert marked == [0, 1]
    assert store.lanes()[GD].published_seq == 2
    assert station.broker.topic(in_topic(GD)).end >= 2


def test_leaves_of_a_quarter_of_a_second_go_together(station: Station) -> None:
    """Nobody waits for them; every province stores them once. They are the same batches all the same."""
    station.run()
    before = station.broker.topic(LEAVES_TOPIC).end
    for _ in range(3):
        station.write(GZ, alert(station.world))
        station.relay.turn(0)
        station.clock.at += SECOND / 20

    assert station.broker.topic(LEAVES_TOPIC).end == before

    station.clock.at += SECOND / 4
    station.relay.turn(0)

    assert station.broker.topic(LEAVES_TOPIC).end == before + 3
    assert len(published_hashes(station)) == store.trail().size  # type: ignore[union-attr]


def test_leaves_that_are_too_many_to_keep_come_from_the_table(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded: beyond the limit they wait where they are anyway."""
    monkeypatch.setattr(publishing, "AT_ONCE", 1)
    for _ in range(3):
        station.write(GZ, alert(station.world))
        station.relay.turn(0)
    station.run(5)

    assert len(published_hashes(station)) == store.trail().size  # type: ignore[union-attr]


def test_a_restart_publishes_what_was_committed_and_never_published(station: Station) -> None:
    """Deliveries and leaves come from the tables, in order, with their key and headers."""
    station.write(GZ, *(alert(station.world) for _ in range(3)))
    quiet = Quiet()
    relay_ = station.new_relay(roads=Roads(station.broker.reader, quiet))
    relay_.turn(0)
    Lane.objects.update(published_seq=0)
    TrailState.objects.update(published_size=1)

    station.restart()
    station.run()

    assert numbers(station.deliveries(GD)) == [1, 2, 3]
    assert len(published_hashes(station)) == TrailState.objects.get().size


class Quiet:
    """A sink that swallows everything."""

    def send_all(self, items: Any) -> list[int]:
        return [0 for _ in items]


def test_a_database_older_than_the_log_does_not_start(station: Station) -> None:
    """A number in an `in` topic that our tables never gave out: an old copy was put back.

    The refusal says how new a backup has to be.
    """
    station.write(GZ, alert(station.world))
    station.run()
    Lane.objects.filter(addressee=GD).update(delivery_seq=0, published_seq=0)

    with pytest.raises(DatabaseOlderThanLog) as refusal:
        station.restart()
    assert f"made after {format_time(station.world.now)}" in refusal.value.next_step("en")


def test_a_trail_shorter_than_the_published_leaves_does_not_start(station: Station) -> None:
    """The same, told by the leaves alone."""
    station.write(GZ, b"{}")
    station.run()
    TrailState.objects.update(size=1, nodes=[64 * "0"])

    with pytest.raises(DatabaseOlderThanLog):
        station.restart()


def test_leaves_are_published_again_into_a_topic_made_anew(station: Station) -> None:
    """`exchange.leaves.v1` is kept for ever: what the topic lost comes from the table."""
    station.write(GZ, alert(station.world))
    station.run()
    before = published_hashes(station)
    del station.broker.topics[LEAVES_TOPIC]
    station.restart()
    station.run()

    assert published_hashes(station) == before
    assert LeafRecord.objects.count() == len(station.broker.topic(LEAVES_TOPIC).records)


def test_a_topic_made_anew_is_read_from_its_beginning(station: Station) -> None:
    """With an incident; what is known is recognised as a duplicate."""
    first = alert(station.world)
    station.write(GZ, first)
    station.run()
    del station.broker.topics[out_topic(GZ)]
    station.broker.topic(out_topic(GZ)).identity = ("cluster", "another")
    second = alert(station.world)
    station.write(GZ, first, second)
    station.restart()
    station.run()

    assert [message.out for message in station.messages(GD)] == [first, second]
    assert Incident.objects.get().kind == IncidentKind.TOPIC_REPLACED


def test_a_topic_made_anew_under_a_running_process_ends_it(station: Station) -> None:
    """The cursor names the topic by its id, so nothing of the other one is committed."""
    station.write(GZ, alert(station.world))
    station.run()
    station.broker.topic(out_topic(GZ)).identity = ("cluster", "another")
    station.write(GZ, alert(station.world))

    with pytest.raises(TopicReplaced):
        station.run()


def test_a_large_batch_is_cut_into_portions(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each portion is a transaction with its own checkpoint; order and numbers run through."""
    from tongbao_broker.exchange import portions

    monkeypatch.setattr(portions, "PORTION_BYTES", 40_000)
    records = [alert(station.world) for _ in range(8)]
    station.write(GZ, *records)
    station.run()

    notes = {record.stamp.checkpoint for record in station.deliveries(GD) if record.stamp}

    assert [message.out for message in station.messages(GD)] == records
    assert len(notes) > 1
    assert numbers(station.deliveries(GD)) == list(range(1, 9))


def test_a_closed_in_topic_does_not_keep_the_exchange_from_starting(station: Station) -> None:
    """Its lane waits; everybody else's flows."""
    station.broker.refused.add(in_topic(GD))
    station.restart()
    station.write(GZ, alert(station.world, GD, ZJ))
    station.run()

    assert (len(station.messages(ZJ)), len(station.received(GD))) == (1, 0)


def test_a_topic_that_is_tried_again_repeats_nobody_else_s_records(station: Station) -> None:
    """While one addressee's topic stays closed, the others get each delivery once."""
    station.broker.refused.add(in_topic(GD))
    for _ in range(20):
        station.write(GZ, alert(station.world, GD, ZJ))
        station.run(1)

    repeated = len(station.messages(ZJ)) - len(set(numbers(station.messages(ZJ))))

    assert repeated <= 1
