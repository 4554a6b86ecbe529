"""Admission, step by step: what passes, what doesn't, and what lies on the border."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.world import (
    NOW,
    World,
    agreement_json,
    fields_of,
    key_json,
    participant_json,
    signing_key,
)
from tests.unit.exchange.court import Court
from tongbao_broker.exchange.admission import Admit, Duplicate, Hold, HoldReason, Known, Reject, Thread, View
from tongbao_broker.trust import dsse
from tongbao_schemas.codes import MessageType, Status
from tongbao_schemas.encoding import b64encode, compact_json, format_time
from tongbao_schemas.envelope import Envelope, Signature
from tongbao_schemas.record import OUT_LIMIT, OutRecord, encode_out
from tongbao_schemas.refusals import Code

GZ, GD, ZJ, EXCHANGE = "520000", "440000", "330000", "100000"
MS = timedelta(milliseconds=1)

Maker = Callable[[World], OutRecord | bytes | None]
Case = tuple[Maker, Code | None]


@pytest.fixture
def world() -> World:
    return World.create()


@pytest.fixture
def court(world: World) -> Court:
    return Court(world)


def alert(world: World, **over: object) -> OutRecord:
    return world.message("alert", GZ, over.pop("audience", [GD]), **over)  # type: ignore[arg-type]


def value(world: World, **over: object) -> bytes:
    return encode_out(alert(world, **over))


def edited(world: World, **fields: object) -> bytes:
    """A record whose outer JSON is changed."""
    return compact_json(json.loads(value(world)) | fields)


def envelope_with(world: World, **fields: object) -> bytes:
    record = json.loads(value(world))
    return compact_json(record | {"message": record["message"] | fields})


def resigned(world: World, payload: bytes) -> OutRecord:
    """Any payload bytes under a good signature of 520000."""
    record = alert(world)
    return OutRecord(dsse.sign(payload, record.envelope.payload_type, [world.keys[GZ].message]), record.body)


def payload(world: World, **over: object) -> bytes:
    return alert(world, **over).envelope.payload


def other_type(world: World) -> bytes:
    return envelope_with(world, payloadType="application/vnd.tongbao.root.v1+json")


def signed_twice(world: World) -> OutRecord:
    record = alert(world)
    envelope = record.envelope
    again = Envelope(envelope.payload, envelope.payload_type, envelope.signatures * 2)
    return replace(record, envelope=again)


def url_safe(world: World) -> bytes:
    message = json.loads(value(world))["message"]
    return envelope_with(world, payload=message["payload"].rstrip("=") + "-_==")


def named_by_seal_key(world: World) -> OutRecord:
    return renamed(world, world.keys[GZ].seal.kid)


def renamed(world: World, keyid: str) -> OutRecord:
    record = alert(world)
    envelope = record.envelope
    signature = Signature(keyid, envelope.signatures[0].sig)
    return replace(record, envelope=Envelope(envelope.payload, envelope.payload_type, (signature,)))


def bent(world: World) -> OutRecord:
    record = alert(world)
    envelope = record.envelope
    bent_payload = envelope.payload.replace(b'"seq":1', b'"seq":2')
    return replace(record, envelope=replace(envelope, payload=bent_payload))


STEPS_1_TO_7: dict[str, Case] = {
    "a good alert": (alert, None),
    "1 exactly the limit": (lambda world: value(world).ljust(OUT_LIMIT), None),
    "1 a byte over the limit": (lambda world: value(world).ljust(OUT_LIMIT + 1), Code.RECORD_TOO_LARGE),
    "1 a null value": (lambda _: None, Code.NOT_ONE_JSON_OBJECT),
    "1 no bytes": (lambda _: b"", Code.NOT_ONE_JSON_OBJECT),
    "1 not UTF-8": (lambda _: b'{"message":"\xff"}', Code.NOT_UTF8),
    "1 a list": (lambda _: b"[]", Code.NOT_ONE_JSON_OBJECT),
    "1 an unknown outer field": (lambda world: edited(world, stamp={}), Code.RECORD_SHAPE),
    "1 no message": (lambda _: b"{}", Code.RECORD_SHAPE),
    "2 no object as message": (lambda world: edited(world, message="text"), Code.ENVELOPE_SHAPE),
    "2 an unknown field": (lambda world: envelope_with(world, extra=1), Code.ENVELOPE_SHAPE),
    "2 base64 for addresses": (url_safe, Code.BASE64_FORM),
    "2 another payload type": (other_type, Code.PAYLOAD_TYPE),
    "2 no signature": (lambda world: envelope_with(world, signatures=[]), Code.SIGNATURE_COUNT),
    "2 two signatures": (signed_twice, Code.SIGNATURE_COUNT),
    "3 an unknown key": (lambda world: alert(world, key=signing_key("nobody")), Code.KEY_UNKNOWN),
    "3 a seal key's name": (named_by_seal_key, Code.KEY_USE),
    "3 the checkpoint key": (lambda world: alert(world, key=world.keys[EXCHANGE].checkpoint), Code.KEY_USE),
    "3 another province's key": (lambda world: alert(world, key=world.keys[GD].message), Code.KEY_OWNER),
    "3 the exchange's key": (lambda world: alert(world, key=world.keys[EXCHANGE].message), Code.KEY_OWNER),
    "4 a bent payload": (bent, Code.SIGNATURE_WRONG),
    "5 a key twice": (lambda world: resigned(world, b'{"seq":1,"seq":2}'), Code.DUPLICATE_KEY),
    "5 a fraction": (lambda world: resigned(world, b'{"seq":1.0}'), Code.NUMBER_FORM),
    "5 no JSON": (lambda world: resigned(world, b"hello"), Code.NOT_ONE_JSON_OBJECT),
    "6 an unknown field": (lambda world: alert(world, extra=1), Code.HEADER_SHAPE),
    "6 plain content on an alert": (lambda world: alert(world, content={}), Code.HEADER_SHAPE),
    "6 another network": (lambda world: alert(world, network="cn"), Code.NETWORK_MISMATCH),
    "6 an unknown schema": (lambda world: alert(world, schema="alert/9.0"), Code.SCHEMA_UNKNOWN),
    "6 an alert with refs": (
        lambda world: alert(
            world, refs=[{"id": fields_of(alert(world))["id"], "digest": D, "relation": "answers"}]
        ),
        Code.HEADER_SHAPE,
    ),
    "7 the name of another province": (
        lambda world: world.message("alert", ZJ, [GD], key=world.keys[GZ].message),
        Code.ORIGIN_NOT_OWNER,
    ),
}
D = "sha256:" + "0" * 64


@pytest.mark.parametrize("name", STEPS_1_TO_7)
def test_steps_1_to_7_let_only_the_owner_of_the_topic_speak(name: str, court: Court) -> None:
    """A record that fails before step 8 is rejected by its step's code and uses up neither id nor seq."""
    make, expected = STEPS_1_TO_7[name]

    decision = court.judge(make(court.world))

    assert (decision.code if isinstance(decision, Reject) else None) == expected
    assert not isinstance(decision, Reject) or (decision.message is None and not decision.uses_seq)


KEY_TIMES: dict[str, tuple[dict[str, str], Code | None]] = {
    "from now on": ({"valid_from": format_time(NOW)}, None),
    "from a moment later on": ({"valid_from": format_time(NOW + MS)}, Code.KEY_NOT_VALID),
    "until a moment later": ({"valid_until": format_time(NOW + MS)}, None),
    "until now": ({"valid_until": format_time(NOW)}, Code.KEY_NOT_VALID),
    "compromised a moment later": ({"compromised_since": format_time(NOW + MS)}, None),
    "compromised now": ({"compromised_since": format_time(NOW)}, Code.KEY_COMPROMISED),
}


@pytest.mark.parametrize("name", KEY_TIMES)
def test_a_key_counts_in_its_time_only(name: str, world: World) -> None:
    """Step 3: a key is valid in [valid_from, valid_until) and void from the time it was compromised."""
    over, expected = KEY_TIMES[name]
    keys = [key for key in world.document["keys"] if key["kid"] != world.keys[GZ].message.keyid]
    court = Court(world.changed(keys=[*keys, key_json(GZ, "message", world.keys[GZ].message, NOW, **over)]))

    assert court.code(alert(world)) == expected


def test_a_key_signs_only_what_its_record_lists(world: World) -> None:
    """Step 6: the type must be in the key's `may_sign`."""
    keys = [key for key in world.document["keys"] if key["kid"] != world.keys[GZ].message.keyid]
    receipts_only = key_json(GZ, "message", world.keys[GZ].message, NOW, may_sign=["receipt"])

    court = Court(world.changed(keys=[*keys, receipts_only]))

    assert court.code(alert(world)) == Code.TYPE_NOT_ALLOWED_FOR_KEY


def test_the_same_bytes_again_change_nothing(court: Court) -> None:
    """Step 8: a second copy is a duplicate, which remembers what became of the first."""
    record = alert(court.world)
    court.admits(record)

    again = court.judge(record)

    assert isinstance(again, Duplicate)
    assert again.known.admitted


def test_a_duplicate_of_a_rejected_message_knows_its_code(court: Court) -> None:
    """Step 8: what was rejected after step 9 stays rejected, by the same code."""
    record = alert(court.world, audience=["990000"])
    assert court.code(record) == Code.AUDIENCE_UNKNOWN

    again = court.judge(record)

    assert isinstance(again, Duplicate)
    assert again.known.code == Code.AUDIENCE_UNKNOWN


def test_one_id_with_two_contents_is_an_equivocation(court: Court) -> None:
    """Step 8: the same id with other bytes is rejected, and uses up no seq."""
    first = alert(court.world)
    court.admits(first)
    named = fields_of(first)["id"]

    second = court.judge(alert(court.world, id=named, thread=named))

    assert isinstance(second, Reject)
    assert (second.code, second.uses_seq) == (Code.EQUIVOCATION, False)


def test_an_id_belongs_to_its_origin(court: Court) -> None:
    """Step 8 looks at origin and id; but a thread that exists can't be opened a second time (step 12)."""
    first = alert(court.world)
    court.admits(first)
    named = fields_of(first)["id"]

    copy = court.world.message("alert", ZJ, [GD], id=named, thread=named)

    assert court.code(copy, ZJ) == Code.REF_THREAD


def test_a_seq_is_used_once(court: Court) -> None:
    """Step 9: another message with a seq that is taken is rejected and uses up nothing."""
    court.admits(alert(court.world, seq=7))

    second = court.judge(alert(court.world, seq=7))

    assert isinstance(second, Reject)
    assert (second.code, second.uses_seq) == (Code.SEQ_TAKEN, False)


def test_a_late_seq_closes_its_gap(court: Court) -> None:
    """Step 9: numbers may come in any order."""
    court.admits(alert(court.world, seq=3))

    assert court.code(alert(court.world, seq=2)) is None


def test_a_rejection_after_step_9_uses_up_id_and_seq(court: Court) -> None:
    """Whatever passes step 9 has used its number, even if it is rejected."""
    rejected = court.judge(alert(court.world, audience=["990000"], seq=4))

    assert isinstance(rejected, Reject)
    assert rejected.uses_seq
    assert court.code(alert(court.world, seq=4)) == Code.SEQ_TAKEN


EARLIER = format_time(NOW - timedelta(hours=1))
TIMES: dict[str, tuple[dict[str, str], Code | None]] = {
    "120 s ahead": ({"issued_at": format_time(NOW + timedelta(seconds=120))}, None),
    "a moment more": ({"issued_at": format_time(NOW + timedelta(seconds=120) + MS)}, Code.ISSUED_IN_FUTURE),
    "a year old": ({"issued_at": format_time(NOW - timedelta(days=365))}, None),
    "expires in a moment": ({"issued_at": EARLIER, "expires_at": format_time(NOW + MS)}, None),
    "expires now": ({"issued_at": EARLIER, "expires_at": format_time(NOW)}, Code.EXPIRED),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_message_comes_in_its_time(name: str, court: Court) -> None:
    """Step 10: issued at most 120 s ahead, not yet expired; there is no lower bound."""
    over, expected = TIMES[name]
    first = court.world.message("alert", GZ, [GD], at=NOW - timedelta(days=366))
    court.admits(replace_times(court.world, first))

    receipt = court.world.message("receipt", GD, [GZ], about=replace_times(court.world, first), **over)

    assert court.code(receipt, GD) == expected


def replace_times(world: World, record: OutRecord) -> OutRecord:
    """An old alert that has not expired yet."""
    fields = fields_of(record) | {"expires_at": format_time(NOW + timedelta(days=1))}
    return world.signed(fields, record.body, world.keys[GZ].message)


def test_the_audience_is_known_active_and_somebody_else(world: World) -> None:
    """Step 11: unknown, suspended, oneself, a schema that isn't taken; and only an active origin speaks."""
    listed = {code: participant_json(code) for code in (GZ, GD, ZJ, EXCHANGE)}
    listed[ZJ] = participant_json(ZJ, "suspended")
    listed[GD] = participant_json(GD, schemas=["receipt/1.0"])
    court = Court(world.changed(participants=list(listed.values())))

    found = {
        "unknown": court.code(alert(world, audience=["990000"])),
        "suspended": court.code(alert(world, audience=[ZJ])),
        "oneself": court.code(world.message("receipt", GZ, [GZ], about=alert(world))),
        "schema": court.code(alert(world, audience=[GD])),
        "origin": court.code(world.message("alert", ZJ, [GZ]), ZJ),
    }

    assert found == {
        "unknown": Code.AUDIENCE_UNKNOWN,
        "suspended": Code.AUDIENCE_NOT_ACTIVE,
        "oneself": Code.AUDIENCE_IS_ORIGIN,
        "schema": Code.SCHEMA_NOT_ACCEPTED,
        "origin": Code.ORIGIN_NOT_ACTIVE,
    }


def test_an_agreement_must_be_in_force(world: World) -> None:
    """Step 13: without an agreement for category, handling and type only the floor lets anything through."""
    narrow = agreement_json([GZ, GD], NOW, categories=["online"])
    floor = {
        name: agreement_json([], NOW)[name] for name in ("types", "handling", "valid_from", "valid_until")
    }
    with_floor = world.changed(agreements=[], floor=floor | {"categories": ["outbound_trafficking"]})

    found = {
        "narrow, other category": Court(world.changed(agreements=[narrow])).code(alert(world)),
        "narrow, its category": Court(world.changed(agreements=[narrow])).code(
            alert(world, category="online")
        ),
        "none": Court(world.changed(agreements=[])).code(alert(world)),
        "floor": Court(with_floor).code(alert(world)),
        "floor, other category": Court(with_floor).code(alert(world, category="online")),
    }

    assert found == {
        "narrow, other category": Code.NO_AGREEMENT,
        "narrow, its category": None,
        "none": Code.NO_AGREEMENT,
        "floor": None,
        "floor, other category": Code.NO_AGREEMENT,
    }


LAPSED: dict[str, tuple[str, str, Code | None]] = {
    "answer": (GD, GZ, None),
    "receipt": (GD, GZ, None),
    "cancel": (GZ, GD, None),
    "closure": (GZ, GD, None),
    "update": (GZ, GD, Code.NO_AGREEMENT),
    "reminder": (GZ, GD, Code.NO_AGREEMENT),
    "alert": (GZ, GD, Code.NO_AGREEMENT),
}


@pytest.mark.parametrize("type", LAPSED)
def test_a_lapsed_agreement_lets_open_threads_end(type: str, world: World) -> None:
    """Step 13: after the agreement's end its open threads can still be answered, acknowledged and ended."""
    origin, to, expected = LAPSED[type]
    first = alert(world)
    before = Court(world)
    before.admits(first)
    ended = agreement_json([GZ, GD], NOW, valid_until=format_time(NOW + MS))
    court = before.under(world.changed(agreements=[ended]), NOW + timedelta(hours=1))

    about = None if type == "alert" else first

    assert court.code(world.message(type, origin, [to], about=about), origin) == expected


def test_a_lapsed_agreement_ends_with_the_thread(world: World) -> None:
    """Step 13: once closed, a thread of a lapsed agreement takes no cancel any more."""
    first = alert(world)
    before = Court(world)
    before.admits(first)
    before.admits(world.message("closure", GZ, [GD], about=first))
    ended = agreement_json([GZ, GD], NOW, valid_until=format_time(NOW + MS))
    court = before.under(world.changed(agreements=[ended]), NOW + timedelta(hours=1))

    assert court.code(world.message("cancel", GZ, [GD], about=first)) == Code.NO_AGREEMENT


def seal_changed(world: World, **over: object) -> OutRecord:
    record = alert(world)
    fields = fields_of(record)
    return world.signed(fields | {"sealed": fields["sealed"] | over}, record.body, world.keys[GZ].message)


def wraps(world: World) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = fields_of(alert(world))["sealed"]["to"]
    return listed


def foreign_wrap(world: World) -> OutRecord:
    mine = wraps(world)
    return seal_changed(world, to=[mine[0] | {"kid": mine[1]["kid"]}, mine[1]])


STEP_14: dict[str, Case] = {
    "as it should be": (alert, None),
    "a wrap missing": (
        lambda world: seal_changed(world, to=[wraps(world)[0]] * 2),
        Code.SEALED_TO_WRONG_PARTIES,
    ),
    "a wrap too many": (
        lambda world: seal_changed(world, to=[*wraps(world), wraps(world)[0]]),
        Code.SEALED_TO_WRONG_PARTIES,
    ),
    "the origin first": (
        lambda world: seal_changed(world, to=wraps(world)[::-1]),
        Code.SEALED_TO_WRONG_PARTIES,
    ),
    "another's key": (foreign_wrap, Code.SEAL_KEY_NOT_VALID),
    "no body": (lambda world: replace(alert(world), body=None), Code.BODY_MISSING),
    "one bit flipped": (lambda world: flipped(alert(world)), Code.CIPHERTEXT_MISMATCH),
    "one byte more": (lambda world: longer(alert(world)), Code.CIPHERTEXT_MISMATCH),
}


def flipped(record: OutRecord) -> OutRecord:
    body = record.body or b""
    return replace(record, body=bytes([body[0] ^ 1]) + body[1:])


def longer(record: OutRecord) -> OutRecord:
    return replace(record, body=(record.body or b"") + b"\0")


@pytest.mark.parametrize("name", STEP_14)
def test_the_body_is_sealed_to_the_audience_and_nobody_else(name: str, court: Court) -> None:
    """Step 14: wraps complete and in order, keys valid, the body the one whose size and hash are signed."""
    make, expected = STEP_14[name]

    assert court.code(make(court.world)) == expected


def test_a_receipt_has_no_body(court: Court) -> None:
    """Step 14: a body on a type without a seal is refused."""
    first = alert(court.world)
    court.admits(first)
    receipt = court.world.message("receipt", GD, [GZ], about=first)

    assert court.code(replace(receipt, body=b"x"), GD) == Code.BODY_MISSING


def test_an_expired_directory_of_our_own_holds_everything(world: World) -> None:
    """Our own trouble rejects nothing: even a bad record waits."""
    court = Court(world.changed(expires_at=format_time(NOW)))

    assert court.judge(b"{}") == Hold(HoldReason.DIRECTORY_EXPIRED)


def test_a_directory_in_its_last_millisecond_still_serves(world: World) -> None:
    """The directory's time ends at `expires_at`, not before."""
    court = Court(world.changed(expires_at=format_time(NOW + MS)))

    assert isinstance(court.judge(alert(world)), Admit)


def test_an_unsound_clock_of_our_own_holds_everything(world: World) -> None:
    """While our clock can't be believed nothing is judged by it."""
    assert Court(world, clock_sound=False).judge(alert(world)) == Hold(HoldReason.CLOCK_UNSOUND)


def test_an_alert_opens_its_thread(court: Court) -> None:
    """The thread's parties are the origin and the audience."""
    decision = court.admits(alert(court.world, audience=[GD, ZJ]))

    thread = decision.thread
    assert thread is not None
    assert (thread.origin, thread.parties, thread.closed) == (GZ, frozenset({GZ, GD, ZJ}), False)


def test_a_view_finds_nothing_it_was_not_given() -> None:
    """A message that was rejected, or of another origin, is not an admitted one of this id."""
    rejected = Known(GZ, "id", 1, "id", D, MessageType.ALERT, Status.TEST, (GD,), Code.EXPIRED)
    view = View.of([rejected], [Thread("id", GZ, Status.TEST, frozenset({GZ}), NOW)])

    assert view.admitted("id") == []
    assert view.own(GD, "id") is None
    assert view.own(GZ, "id") == rejected


def test_a_signature_by_name_only_counts_for_nothing(court: Court) -> None:
    """Step 4: the name of the right key beside another key's signature doesn't verify."""
    forged = alert(court.world, key=signing_key("nobody"))
    signature = Signature(court.world.keys[GZ].message.keyid, forged.envelope.signatures[0].sig)
    envelope = replace(forged.envelope, signatures=(signature,))

    assert court.code(OutRecord(envelope, forged.body)) == Code.SIGNATURE_WRONG


def test_the_value_may_be_written_in_another_spelling(court: Court) -> None:
    """The outer JSON isn't signed: white space and order of its fields don't matter."""
    record = alert(court.world)
    body = b64encode(record.body or b"")
    spelled = json.dumps({"body": body, "message": record.envelope.as_json()}, indent=1).encode()

    assert court.code(spelled) is None
