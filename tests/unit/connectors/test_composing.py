"""From a submission to a signed message: what the connector adds, and what it refuses."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.province import alert
from tests.support.world import NOW, World, agreement_json, deadlines, directory_json, participant_json
from tongbao_broker.trust.merkle import EMPTY_ROOT
from tongbao_broker.trust.sealing import open_sealed
from tongbao_broker.trust.verify import verify_message
from tongbao_connectors.composing import FLOOR_BASIS, Composed, Office, Place, compose
from tongbao_schemas.bodies.attachment import MOST_BYTES, cut
from tongbao_schemas.codes import EXCHANGE, Category, Handling, MessageType
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import AlertHeader, parse_header
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.number import PROVINCES, readable_number
from tongbao_schemas.record import IN_LIMIT, OUT_LIMIT, parse_out
from tongbao_schemas.refusals import Code
from tongbao_schemas.submission import parse_submission

WORLD = World.create()
NUMBER = readable_number("520000", 2026, 17)


def composed(data: bytes, world: World = WORLD, at: datetime = NOW) -> Composed:
    message_id = new_id(at)
    return compose(
        parse_submission(data),
        office=Office(world.network, "520000", world.keys["520000"].message),
        directory=world.directory,
        place=Place(17, (0, EMPTY_ROOT.hex()), at),
        message_id=message_id,
        thread=message_id,
        number=NUMBER,
        thread_opened_at=None,
    )


def header(data: bytes, world: World = WORLD) -> AlertHeader:
    made = composed(data, world).header
    assert isinstance(made, AlertHeader)
    return made


def hours(made: AlertHeader) -> list[float]:
    due = made.deadlines
    times = (due.sign_by, due.first_feedback_by, due.result_by)
    return [(time - made.issued_at) / timedelta(hours=1) for time in times]


def test_what_was_composed_stands_before_a_stranger() -> None:
    """Signature, header and seal hold for whoever has the directory, and the body is the submitter's."""
    made = composed(alert("a-1"))
    record = parse_out(made.value)
    verified = verify_message(
        record, directory=WORLD.directory, network=WORLD.network, owner="520000", at=NOW
    )
    assert isinstance(verified.header, AlertHeader)
    assert record.body is not None
    opened = open_sealed(verified.header, record.body, code="440000", key=WORLD.keys["440000"].seal)

    assert json.loads(opened.body) == json.loads(alert("a-1"))["body"]
    assert (verified.header.seq, verified.header.number, made.cek) == (17, NUMBER, opened.cek)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["依据第三条", "e\u0301", "\u202e", "\x7f", "甲\n乙", "\uf900", "\ufffe", "协议\\第3条", '"', "　"]
)


@settings(max_examples=60, deadline=None)
@given(
    basis=TEXTS,
    expires=st.none() | st.integers(0, 10**6),
    audience=st.sampled_from([["440000"], ["330000", "440000"]]),
)
def test_whatever_is_signed_passes_the_gate_that_a_reader_has(
    basis: str, expires: int | None, audience: list[str]
) -> None:
    """A submission that is taken never becomes a header that others refuse: they read what was built."""
    stated: dict[str, Any] = {"deadlines": deadlines(NOW) | {"basis": basis}}
    if expires is not None:
        stated["expires_at"] = format_time(NOW + timedelta(hours=72, seconds=expires))
    try:
        made = composed(alert("a-1", *audience, **stated))
    except Refused:
        return

    assert made.header == parse_header(parse_out(made.value).envelope.payload)


def test_the_audience_is_written_in_order() -> None:
    """A submitter may name addressees in any order."""
    assert header(alert("a-1", "440000", "330000")).audience == ("330000", "440000")


def test_deadlines_come_from_the_agreement() -> None:
    """Seconds by urgency, and the agreement's document number as the basis."""
    made = header(alert("a-1"))

    assert hours(made) == [2, 24, 72]
    assert made.deadlines.basis == "演练协〔2026〕1号"
    assert made.expires_at == made.deadlines.result_by + timedelta(days=30)


def test_of_two_agreements_the_longer_terms_hold() -> None:
    """One alert has one set of deadlines; nobody is given less time than was agreed."""
    slow = {"sign_s": 3600, "first_feedback_s": 172800, "result_s": 259200}
    one = agreement_json(["440000", "520000"], NOW)
    other = agreement_json(
        ["330000", "520000"],
        NOW,
        doc_number="演练协〔2026〕2号",
        deadlines=dict.fromkeys(("flash", "urgent", "routine"), slow),
    )
    made = header(alert("a-1", "330000", "440000"), World.create(agreements=[one, other]))

    assert hours(made) == [2, 48, 72]
    assert made.deadlines.basis == "演练协〔2026〕2号；演练协〔2026〕1号"


def floor() -> World:
    period = directory_json("test", NOW, WORLD.keys)["agreements"][0]
    return World.create(
        agreements=[],
        floor={
            "categories": [str(category) for category in Category],
            "types": [str(kind) for kind in MessageType],
            "handling": [str(code) for code in Handling],
            "valid_from": period["valid_from"],
            "valid_until": period["valid_until"],
        },
    )


def test_under_the_statutory_floor_the_fixed_deadlines_hold() -> None:
    """The floor sets no deadlines of its own."""
    made = header(alert("a-1"), floor())

    assert hours(made) == [1, 24, 72]
    assert made.deadlines.basis == FLOOR_BASIS


def test_a_submitters_own_deadlines_and_expiry_are_kept() -> None:
    """What was said is not replaced."""
    mine = deadlines(NOW + timedelta(hours=1))
    expires_at = format_time(NOW + timedelta(days=5))
    made = header(alert("a-1", deadlines=mine, expires_at=expires_at))

    assert hours(made) == [3, 25, 73]
    assert format_time(made.expires_at) == expires_at


def with_participant(code: str, status: str = "active", schemas: list[str] | None = None) -> World:
    others = [participant_json(known) for known in sorted(WORLD.keys) if known != code]
    return World.create(participants=[*others, participant_json(code, status, schemas)])


@pytest.mark.parametrize(
    ("data", "world", "expected"),
    [
        pytest.param(alert("a-1", "110000"), WORLD, Code.AUDIENCE_UNKNOWN, id="unknown addressee"),
        pytest.param(
            alert("a-1"),
            with_participant("440000", "suspended"),
            Code.AUDIENCE_NOT_ACTIVE,
            id="suspended addressee",
        ),
        pytest.param(
            alert("a-1"),
            with_participant("440000", schemas=["receipt/1.0"]),
            Code.SCHEMA_NOT_ACCEPTED,
            id="an addressee who doesn't take alerts",
        ),
        pytest.param(
            alert("a-1"),
            with_participant("520000", "suspended"),
            Code.ORIGIN_NOT_ACTIVE,
            id="suspended ourselves",
        ),
        pytest.param(alert("a-1"), World.create(agreements=[]), Code.NO_AGREEMENT, id="no agreement"),
        pytest.param(
            alert("a-1"),
            World.create(agreements=[agreement_json(["440000", "520000"], NOW, handling=["H0"])]),
            Code.NO_AGREEMENT,
            id="an agreement without this handling",
        ),
        pytest.param(
            alert("a-1"),
            World.create(keys=[key for key in WORLD.document["keys"] if key["use"] != "seal"]),
            Code.SEAL_KEY_NOT_VALID,
            id="no seal key",
        ),
        pytest.param(
            alert("a-1", deadlines=deadlines(NOW - timedelta(hours=3))),
            WORLD,
            Code.DEADLINES_ORDER,
            id="a deadline that is over",
        ),
    ],
)
def test_what_the_exchange_would_reject_is_refused_here(data: bytes, world: World, expected: Code) -> None:
    """The same rules, before a number is used up."""
    with pytest.raises(Refused) as refused:
        composed(data, world)

    assert refused.value.code == expected


def test_the_largest_part_of_a_file_goes_to_every_province() -> None:
    """256 KiB, the longest name, 33 addressees: the record stays within what `out` and `in` take."""
    codes = sorted(code for code in PROVINCES if code != EXCHANGE)
    world = World.create(codes, agreements=[agreement_json(codes, NOW, id="all")])
    others = [code for code in codes if code != "520000"]
    said = json.loads(alert("a-1", *others)) | {
        "type": "attachment",
        "refs": [{"id": new_id(NOW), "digest": f"sha256:{'0' * 64}", "relation": "supplements"}],
        "body": next(cut("𠀀" * 55 + ".jpeg", b"\xff\xd8\xff" + bytes(MOST_BYTES - 3))),
    }
    made = composed(compact_json(said), world)

    assert len(others) == 33
    assert len(made.value) < OUT_LIMIT
    assert len(made.value) + 8 * 1024 < IN_LIMIT
