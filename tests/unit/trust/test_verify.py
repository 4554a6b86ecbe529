"""Steps 2 to 7, case by case: what passes, what doesn't, and what lies just at the border."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.support.world import NETWORK, NOW, World, fields_of, key_json, signing_key
from tongbao_broker.trust import dsse
from tongbao_broker.trust.verify import verify_message
from tongbao_schemas.codes import EXCHANGE, MessageType
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import DIRECTORY_TYPE, MESSAGE_TYPE, Signature
from tongbao_schemas.errors import Refused
from tongbao_schemas.record import OutRecord
from tongbao_schemas.refusals import Code

WORLD = World.create()
ALERT = WORLD.message("alert", "520000", ["440000"])
KEY = WORLD.keys["520000"].message
MILLISECOND = timedelta(milliseconds=1)


def signed(payload: bytes) -> OutRecord:
    """Any bytes, well signed by 520000."""
    return OutRecord(dsse.sign(payload, MESSAGE_TYPE, [KEY]), ALERT.body)


def edited(**over: object) -> OutRecord:
    """The alert with other header values, well signed."""
    return signed(compact_json({**fields_of(ALERT), **over}))


@pytest.mark.parametrize("kind", MessageType)
@pytest.mark.parametrize("expected", ["the owner", "nobody"])
def test_good_messages_of_every_type_pass(kind: MessageType, expected: str) -> None:
    """The exchange knows the topic's owner, a province doesn't; both get header, digest and signer's key."""
    record = WORLD.sample(kind)
    origin = fields_of(record)["origin"]
    verified = verify_message(
        record,
        directory=WORLD.directory,
        network=NETWORK,
        owner=origin if expected == "the owner" else None,
        at=NOW,
    )

    assert verified.header.type is kind
    assert verified.payload_digest == record.envelope.digest
    assert verified.keyid == WORLD.keys[origin].message.keyid
    assert verified.record is record


def renamed(keyid: str) -> OutRecord:
    envelope = ALERT.envelope
    return replace(
        ALERT, envelope=replace(envelope, signatures=(Signature(keyid, envelope.signatures[0].sig),))
    )


BAD: dict[str, tuple[Callable[[], OutRecord], Code]] = {
    "2 another payload type": (
        lambda: OutRecord(dsse.sign(ALERT.envelope.payload, DIRECTORY_TYPE, [KEY])),
        Code.PAYLOAD_TYPE,
    ),
    "2 no signature": (
        lambda: OutRecord(dsse.sign(ALERT.envelope.payload, MESSAGE_TYPE, [])),
        Code.SIGNATURE_COUNT,
    ),
    "2 two signatures": (
        lambda: OutRecord(dsse.sign(ALERT.envelope.payload, MESSAGE_TYPE, [KEY, KEY])),
        Code.SIGNATURE_COUNT,
    ),
    "3 a key nobody enrolled": (
        lambda: WORLD.message("alert", "520000", ["440000"], key=signing_key("stranger")),
        Code.KEY_UNKNOWN,
    ),
    "3 a key id in capitals": (lambda: renamed(KEY.keyid.upper()), Code.KEY_UNKNOWN),
    "3 the name of a seal key": (lambda: renamed(WORLD.keys["520000"].seal.kid), Code.KEY_USE),
    "3 the checkpoint key": (
        lambda: WORLD.message("notice", EXCHANGE, ["520000"], key=WORLD.keys[EXCHANGE].checkpoint),
        Code.KEY_USE,
    ),
    "3 another province's key": (
        lambda: WORLD.message("alert", "520000", ["440000"], key=WORLD.keys["330000"].message),
        Code.KEY_OWNER,
    ),
    "4 changed bytes": (
        lambda: replace(ALERT, envelope=replace(ALERT.envelope, payload=ALERT.envelope.payload + b" ")),
        Code.SIGNATURE_WRONG,
    ),
    "4 another key under the own name": (
        lambda: replace(
            ALERT,
            envelope=replace(
                ALERT.envelope,
                signatures=(Signature(KEY.keyid, WORLD.keys["330000"].message.sign(b"")),),
            ),
        ),
        Code.SIGNATURE_WRONG,
    ),
    "5 a key twice": (lambda: signed(b'{"a":1,"a":1}'), Code.DUPLICATE_KEY),
    "5 no UTF-8": (lambda: signed(b'{"a":"\xff"}'), Code.NOT_UTF8),
    "5 no object": (lambda: signed(b"[]"), Code.NOT_ONE_JSON_OBJECT),
    "6 an unknown field": (lambda: edited(priority=1), Code.HEADER_SHAPE),
    "6 content on an alert": (lambda: edited(content={"items": []}), Code.HEADER_SHAPE),
    "6 another network": (lambda: edited(network="cn"), Code.NETWORK_MISMATCH),
    "6 a schema of the future": (lambda: edited(schema="alert/2.0"), Code.SCHEMA_UNKNOWN),
    "6 a type the key may not sign": (
        lambda: WORLD.message("notice", EXCHANGE, ["440000"], about=ALERT, key=KEY),
        Code.TYPE_NOT_ALLOWED_FOR_KEY,
    ),
    "7 another origin": (
        lambda: WORLD.message("receipt", "330000", ["440000"], about=ALERT, key=KEY),
        Code.ORIGIN_NOT_OWNER,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_refused_with_its_code(name: str) -> None:
    """Each step has its own code, on the exchange's side."""
    make, code = BAD[name]
    with pytest.raises(Refused) as refused:
        verify_message(make(), directory=WORLD.directory, network=NETWORK, owner=owner_of(name), at=NOW)

    assert refused.value.code is code


def owner_of(name: str) -> str:
    return EXCHANGE if name == "3 the checkpoint key" else "520000"


def test_a_provinces_reader_finds_the_borrowed_name() -> None:
    """Without a topic's owner to compare with, a good signature under another's origin fails at step 7."""
    record = WORLD.message("alert", "330000", ["440000"], key=KEY)
    with pytest.raises(Refused) as refused:
        verify_message(record, directory=WORLD.directory, network=NETWORK, at=NOW)

    assert refused.value.code is Code.ORIGIN_NOT_OWNER


def test_the_key_is_judged_before_the_signature_and_that_before_the_text() -> None:
    """The steps keep their order: a message wrong in everything is refused for the first thing."""
    wrong = OutRecord(dsse.sign(b"{", DIRECTORY_TYPE, [signing_key("stranger")] * 2))
    codes = []
    for record in (
        wrong,
        OutRecord(replace(wrong.envelope, payload_type=MESSAGE_TYPE)),
        OutRecord(
            replace(wrong.envelope, payload_type=MESSAGE_TYPE, signatures=wrong.envelope.signatures[:1])
        ),
        OutRecord(
            replace(
                wrong.envelope,
                payload_type=MESSAGE_TYPE,
                signatures=(Signature(KEY.keyid, wrong.envelope.signatures[0].sig),),
            )
        ),
    ):
        with pytest.raises(Refused) as refused:
            verify_message(record, directory=WORLD.directory, network=NETWORK, owner="520000", at=NOW)
        codes.append(refused.value.code)

    assert codes == [Code.PAYLOAD_TYPE, Code.SIGNATURE_COUNT, Code.KEY_UNKNOWN, Code.SIGNATURE_WRONG]


UNTIL, SINCE = NOW + timedelta(days=5), NOW + timedelta(days=2)


@pytest.mark.parametrize(
    ("at", "compromised", "code"),
    [
        pytest.param(NOW - MILLISECOND, False, Code.KEY_NOT_VALID, id="just before it is valid"),
        pytest.param(NOW, False, None, id="when it becomes valid"),
        pytest.param(UNTIL - MILLISECOND, False, None, id="last moment"),
        pytest.param(UNTIL, False, Code.KEY_NOT_VALID, id="when it ends"),
        pytest.param(SINCE - MILLISECOND, True, None, id="just before it was compromised"),
        pytest.param(SINCE, True, Code.KEY_COMPROMISED, id="when it was compromised"),
        pytest.param(UNTIL, True, Code.KEY_NOT_VALID, id="compromised and ended"),
    ],
)
def test_a_key_is_judged_at_the_given_time(at: datetime, compromised: bool, code: Code | None) -> None:
    """Validity includes its start and not its end; from `compromised_since` on the key is void.

    The time is the exchange's own at admission and `admitted_at` at acceptance: what was logged before a key
    leaked stays good after weeks.
    """
    leaked = {"compromised_since": format_time(SINCE)} if compromised else {}
    record = key_json(
        "520000",
        "message",
        KEY,
        NOW,
        valid_from=format_time(NOW),
        valid_until=format_time(UNTIL),
        **leaked,
    )
    directory = WORLD.changed(keys=[record]).directory
    if code is None:
        verify_message(ALERT, directory=directory, network=NETWORK, at=at)
        return
    with pytest.raises(Refused) as refused:
        verify_message(ALERT, directory=directory, network=NETWORK, at=at)

    assert refused.value.code is code


def test_a_key_may_sign_what_its_record_lists() -> None:
    """A key kept for receipts signs no alert, though it is its province's."""
    record = key_json("520000", "message", KEY, NOW, may_sign=["receipt"])
    directory = WORLD.changed(keys=[record]).directory
    receipt = WORLD.message("receipt", "520000", ["440000"], about=ALERT)
    verify_message(receipt, directory=directory, network=NETWORK, at=NOW)
    with pytest.raises(Refused) as refused:
        verify_message(ALERT, directory=directory, network=NETWORK, at=NOW)

    assert refused.value.code is Code.TYPE_NOT_ALLOWED_FOR_KEY
