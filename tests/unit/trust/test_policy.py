"""Steps 10, 11, 13 and 14, case by case."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.world import (
    NOW,
    World,
    agreement_json,
    key_json,
    participant_json,
    seal_key,
)
from tongbao_broker.trust import policy
from tongbao_broker.trust.sealing import SealContext, seal
from tongbao_schemas.codes import EXCHANGE, MessageType
from tongbao_schemas.encoding import format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import Header, parse_header
from tongbao_schemas.record import OutRecord
from tongbao_schemas.refusals import Code

WORLD = World.create()
DIRECTORY = WORLD.directory
DAY, MILLISECOND = timedelta(days=1), timedelta(milliseconds=1)
ALERT = WORLD.message("alert", "520000", ["440000"])


def header_of(record: OutRecord) -> Header:
    return parse_header(record.envelope.payload)


def header(type: str = "alert", origin: str = "520000", *audience: str, **over: Any) -> Header:
    about = None if type in {"alert", "head"} else ALERT
    return header_of(WORLD.message(type, origin, audience or ["440000"], about=about, **over))


def code_of(check: Any, *arguments: Any) -> Code | None:
    """The code a check refuses with, or None."""
    try:
        check(*arguments)
    except Refused as refused:
        return refused.code
    return None


# Step 10.


@pytest.mark.parametrize(
    ("at", "code"),
    [
        pytest.param(NOW, None, id="issued now"),
        pytest.param(NOW - timedelta(seconds=120), None, id="120 s ahead"),
        pytest.param(NOW - timedelta(seconds=120) - MILLISECOND, Code.ISSUED_IN_FUTURE, id="a bit more"),
        pytest.param(NOW + 20 * DAY, None, id="issued weeks ago"),
        pytest.param(NOW + 30 * DAY - MILLISECOND, None, id="last moment"),
        pytest.param(NOW + 30 * DAY, Code.EXPIRED, id="expired"),
    ],
)
def test_step_10(at: datetime, code: Code | None) -> None:
    """Issued at most 120 s ahead, however long ago, and not expired."""
    assert code_of(policy.check_times, header(), at) is code


# Step 11.


def listed(**statuses: str) -> list[dict[str, Any]]:
    """Participants with a status each; `_520000="suspended"`, others active."""
    codes = ("100000", "330000", "440000", "520000")
    return [participant_json(code, statuses.get(f"_{code}", "active")) for code in codes]


STEP_11 = {
    "good": (header(), {}, None),
    "two addressees": (header("alert", "520000", "330000", "440000"), {}, None),
    "unknown": (header("alert", "520000", "110000", "440000"), {}, Code.AUDIENCE_UNKNOWN),
    "suspended": (header(), {"participants": listed(_440000="suspended")}, Code.AUDIENCE_NOT_ACTIVE),
    "left": (header(), {"participants": listed(_440000="left")}, Code.AUDIENCE_NOT_ACTIVE),
    "origin suspended": (header(), {"participants": listed(_520000="suspended")}, Code.ORIGIN_NOT_ACTIVE),
    "origin unknown": (header(), {"participants": listed()[:3]}, Code.ORIGIN_NOT_ACTIVE),
    "the origin itself": (header("alert", "520000", "520000"), {}, Code.AUDIENCE_IS_ORIGIN),
    "one of two doesn't take the schema": (
        header("alert", "520000", "330000", "440000"),
        {"participants": [*listed()[:2], participant_json("440000", schemas=["receipt/1.0"]), *listed()[3:]]},
        Code.SCHEMA_NOT_ACCEPTED,
    ),
    "missing receipt to the exchange": (
        header(
            "receipt",
            "440000",
            EXCHANGE,
            content={"items": [{"stage": "missing", "at": format_time(NOW), "delivery_seq": 4}]},
        ),
        {},
        None,
    ),
    "notice to a suspended province": (
        header("notice", EXCHANGE, "440000"),
        {"participants": listed(_440000="suspended")},
        None,
    ),
    "notice to a province that lists no notices": (
        header("notice", EXCHANGE, "440000"),
        {"participants": [*listed()[:2], participant_json("440000", schemas=[]), *listed()[3:]]},
        None,
    ),
    "notice to a stranger": (header("notice", EXCHANGE, "110000"), {}, Code.AUDIENCE_UNKNOWN),
    "head": (header("head", EXCHANGE, "440000"), {}, None),
}


@pytest.mark.parametrize("name", STEP_11)
def test_step_11(name: str) -> None:
    """Every addressee is known, active, not the origin, and takes the schema; the origin is active."""
    made, parts, code = STEP_11[name]

    assert code_of(policy.check_audience, made, WORLD.changed(**parts).directory) is code


# Step 13. The thread was opened on the first day of an agreement that lasted until the tenth.

OPENED, LAPSED = NOW, NOW + 11 * DAY
BOTH = ["440000", "520000"]
TEN_DAYS = {"valid_from": format_time(NOW), "valid_until": format_time(NOW + 10 * DAY)}
AGREED = WORLD.changed(agreements=[agreement_json(BOTH, NOW, **TEN_DAYS)]).directory
ONLINE_ONLY = WORLD.changed(agreements=[agreement_json(BOTH, NOW, categories=["online"])]).directory
NO_ANSWERS = WORLD.changed(agreements=[agreement_json(BOTH, NOW, types=["alert"])]).directory
H1_ONLY = WORLD.changed(agreements=[agreement_json(BOTH, NOW, handling=["H1"])]).directory
NOTHING = WORLD.changed(agreements=[]).directory
FLOOR = {"categories": ["outbound_trafficking"], "types": ["alert", "answer"], "handling": ["H0"]}
FLOOR_ONLY = WORLD.changed(agreements=[], floor={**FLOOR, **TEN_DAYS}).directory

ANSWER, RECEIPT = ("answer", "440000", "520000"), ("receipt", "440000", "520000")
MISSING = {"content": {"items": [{"stage": "missing", "at": format_time(NOW), "delivery_seq": 4}]}}

STEP_13 = {
    "agreed": (header(), AGREED, NOW, None, None),
    "the last moment": (header(), AGREED, NOW + 10 * DAY - MILLISECOND, None, None),
    "at its end": (header(), AGREED, NOW + 10 * DAY, None, Code.NO_AGREEMENT),
    "not yet in force": (header(), AGREED, NOW - MILLISECOND, None, Code.NO_AGREEMENT),
    "no agreement": (header(), NOTHING, NOW, None, Code.NO_AGREEMENT),
    "another category": (header(), ONLINE_ONLY, NOW, None, Code.NO_AGREEMENT),
    "another handling": (header(), H1_ONLY, NOW, None, Code.NO_AGREEMENT),
    "another type": (header(*ANSWER), NO_ANSWERS, NOW, OPENED, Code.NO_AGREEMENT),
    "one of two without": (
        header("alert", "520000", "330000", "440000"),
        AGREED,
        NOW,
        None,
        Code.NO_AGREEMENT,
    ),
    "floor": (header(), FLOOR_ONLY, NOW, None, None),
    "floor, another handling": (header(handling="H2"), FLOOR_ONLY, NOW, None, Code.NO_AGREEMENT),
    "floor over": (header(), FLOOR_ONLY, LAPSED, None, Code.NO_AGREEMENT),
    "lapsed, answer in a thread of then": (header(*ANSWER), AGREED, LAPSED, OPENED, None),
    "lapsed, receipt": (header(*RECEIPT), AGREED, LAPSED, OPENED, None),
    "lapsed, cancel": (header("cancel"), AGREED, LAPSED, OPENED, None),
    "lapsed, closure": (header("closure"), AGREED, LAPSED, OPENED, None),
    "lapsed floor, answer in a thread of then": (header(*ANSWER), FLOOR_ONLY, LAPSED, OPENED, None),
    "lapsed, update": (header("update"), AGREED, LAPSED, OPENED, Code.NO_AGREEMENT),
    "lapsed, reminder": (header("reminder"), AGREED, LAPSED, OPENED, Code.NO_AGREEMENT),
    "lapsed, reply": (header("reply", "440000", "520000"), AGREED, LAPSED, OPENED, Code.NO_AGREEMENT),
    "lapsed, attachment": (header("attachment"), AGREED, LAPSED, OPENED, Code.NO_AGREEMENT),
    "lapsed, new alert": (header(), AGREED, LAPSED, OPENED, Code.NO_AGREEMENT),
    "lapsed, answer without an open thread": (header(*ANSWER), AGREED, LAPSED, None, Code.NO_AGREEMENT),
    "lapsed, thread from before it": (header(*ANSWER), AGREED, LAPSED, NOW - DAY, Code.NO_AGREEMENT),
    "lapsed, thread from after it": (header(*ANSWER), AGREED, LAPSED, LAPSED, Code.NO_AGREEMENT),
    "receipt, whatever the category": (header(*RECEIPT), ONLINE_ONLY, NOW, None, None),
    "receipt, not agreed": (header(*RECEIPT), NO_ANSWERS, NOW, OPENED, Code.NO_AGREEMENT),
    "receipt, no agreement": (header(*RECEIPT), NOTHING, NOW, OPENED, Code.NO_AGREEMENT),
    "missing receipt, to the exchange": (
        header("receipt", "440000", EXCHANGE, **MISSING),
        NOTHING,
        NOW,
        None,
        None,
    ),
    "alert, to the exchange": (header("alert", "520000", EXCHANGE), AGREED, NOW, None, Code.NO_AGREEMENT),
    "notice": (header("notice", EXCHANGE, "440000"), NOTHING, NOW, None, None),
    "head": (header("head", EXCHANGE, "440000"), NOTHING, NOW, None, None),
}


@pytest.mark.parametrize("name", STEP_13)
def test_step_13(name: str) -> None:
    """Agreement or floor for every addressee; after a lapse only what brings open threads to their end."""
    made, directory, at, opened_at, code = STEP_13[name]

    assert code_of(policy.check_agreement, made, directory, at, opened_at) is code


# Step 14.

KEYS = WORLD.document["keys"]


def sealed_to(*codes: str, **renamed: str) -> OutRecord:
    """An alert of 520000 to 440000 whose seal names these parties, with seal keys by other names."""
    fields = WORLD.header("alert", "520000", ["440000"])
    context = replace(SealContext.of(fields), audience=codes[:-1], origin=codes[-1])
    recipients = [
        replace(one, kid=seal_key(renamed[f"_{one.code}"]).kid) if f"_{one.code}" in renamed else one
        for one in WORLD.recipients(codes)
    ]
    sealing = seal(b"{}", context, recipients)
    return WORLD.signed(
        {**fields, "sealed": sealing.sealed}, sealing.ciphertext, WORLD.keys["520000"].message
    )


def other_seal_key(owner: str, name: str, **over: Any) -> dict[str, Any]:
    return key_json(owner, "seal", seal_key(name), NOW, **over)


GOOD = sealed_to("440000", "520000")
assert GOOD.body is not None
FLIPPED = bytes([GOOD.body[0] ^ 1]) + GOOD.body[1:]
PAST = {"valid_until": format_time(NOW)}
LEAKED = {"compromised_since": format_time(NOW)}

STEP_14 = {
    "good": (GOOD, [], None),
    "nobody but the origin": (sealed_to("520000"), [], Code.SEALED_TO_WRONG_PARTIES),
    "addressee missing": (sealed_to("330000", "520000"), [], Code.SEALED_TO_WRONG_PARTIES),
    "a third party": (sealed_to("330000", "440000", "520000"), [], Code.SEALED_TO_WRONG_PARTIES),
    "another origin": (sealed_to("440000", "330000"), [], Code.SEALED_TO_WRONG_PARTIES),
    "origin first": (sealed_to("520000", "440000"), [], Code.SEALED_TO_WRONG_PARTIES),
    "a key nobody enrolled": (sealed_to("440000", "520000", _440000="x"), [], Code.SEAL_KEY_NOT_VALID),
    "a second key of the addressee": (
        sealed_to("440000", "520000", _440000="second"),
        [other_seal_key("440000", "second")],
        None,
    ),
    "another province's key": (
        sealed_to("440000", "520000", _440000="second"),
        [other_seal_key("330000", "second")],
        Code.SEAL_KEY_NOT_VALID,
    ),
    "an expired key": (
        sealed_to("440000", "520000", _440000="past"),
        [other_seal_key("440000", "past", **PAST)],
        Code.SEAL_KEY_NOT_VALID,
    ),
    "a compromised key": (
        sealed_to("440000", "520000", _440000="leaked"),
        [other_seal_key("440000", "leaked", **LEAKED)],
        Code.SEAL_KEY_NOT_VALID,
    ),
    "the origin's own key expired": (
        sealed_to("440000", "520000", _520000="past"),
        [other_seal_key("520000", "past", **PAST)],
        Code.SEAL_KEY_NOT_VALID,
    ),
    "no body": (OutRecord(GOOD.envelope), [], Code.BODY_MISSING),
    "empty body": (OutRecord(GOOD.envelope, b""), [], Code.CIPHERTEXT_MISMATCH),
    "a flipped bit": (OutRecord(GOOD.envelope, FLIPPED), [], Code.CIPHERTEXT_MISMATCH),
    "a byte less": (OutRecord(GOOD.envelope, GOOD.body[:-1]), [], Code.CIPHERTEXT_MISMATCH),
    "another message's body": (OutRecord(GOOD.envelope, ALERT.body), [], Code.CIPHERTEXT_MISMATCH),
    "receipt without a body": (WORLD.message("receipt", "440000", ["520000"], about=ALERT), [], None),
    "receipt with a body": (
        replace(WORLD.message("receipt", "440000", ["520000"], about=ALERT), body=GOOD.body),
        [],
        Code.BODY_MISSING,
    ),
    "notice with a body": (
        replace(WORLD.message("notice", EXCHANGE, ["520000"], about=ALERT), body=b""),
        [],
        Code.BODY_MISSING,
    ),
}


@pytest.mark.parametrize("name", STEP_14)
def test_step_14(name: str) -> None:
    """Sealed to the audience and the origin with their good keys, and the body is the one that was signed."""
    record, more_keys, code = STEP_14[name]
    directory = WORLD.changed(keys=[*KEYS, *more_keys]).directory

    assert code_of(policy.check_sealed, header_of(record), record.body, directory, NOW) is code


def test_parties_come_before_keys_and_keys_before_the_body() -> None:
    """Step 14 keeps its order: a seal wrong in everything is refused for its parties."""
    record = replace(sealed_to("330000", "520000", _330000="x"), body=None)

    assert (
        code_of(policy.check_sealed, header_of(record), None, DIRECTORY, NOW) is Code.SEALED_TO_WRONG_PARTIES
    )


@pytest.mark.parametrize("kind", MessageType)
def test_good_messages_of_every_type_pass_the_policy(kind: MessageType) -> None:
    """What a world's maker makes for each type passes all four steps."""
    record = WORLD.sample(kind)
    made = header_of(record)
    policy.check_times(made, NOW)
    policy.check_audience(made, DIRECTORY)
    policy.check_agreement(made, DIRECTORY, NOW)
    policy.check_sealed(made, record.body, DIRECTORY, NOW)

    assert made.type is kind
