"""Record values on `out` and `in`, and the headers beside them."""

import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schemas import wire
from tongbao_schemas.encoding import b64encode, compact_json
from tongbao_schemas.envelope import MESSAGE_TYPE, Envelope, Signature
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import parse_header
from tongbao_schemas.record import (
    OUT_LIMIT,
    InRecord,
    OutRecord,
    ce_headers,
    encode_in,
    encode_out,
    encode_stamped,
    parse_in,
    parse_out,
)
from tongbao_schemas.refusals import Code
from tongbao_schemas.stamp import Leaf, Stamp

ENVELOPE = Envelope(b"{}", MESSAGE_TYPE, (Signature(wire.KID, bytes(64)),))
STAMP: dict[str, Any] = {
    "leaf": {"index": 5, "digest": wire.DIGEST, "admitted_at": wire.ISSUED, "directory": 1},
    "proof": [wire.KID, wire.KID],
    "checkpoint": "tongbao/demo\n9\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— tongbao/demo AAAA\n",
    "delivery_seq": 10,
}


def value(**fields: Any) -> bytes:
    """A record's value with some fields set."""
    return json.dumps({"message": ENVELOPE.as_json()} | fields).encode()


ENVELOPES = st.builds(
    Envelope,
    payload=st.binary(max_size=30),
    payload_type=st.just(MESSAGE_TYPE),
    signatures=st.lists(
        st.builds(Signature, keyid=st.just(wire.KID), sig=st.binary(max_size=8)), max_size=2
    ).map(tuple),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
BODIES = st.none() | st.binary(max_size=40)
STAMPS = st.builds(
    Stamp,
    leaf=st.builds(
        Leaf,
        index=st.integers(0, 2**53 - 1),
        digest=st.just(wire.DIGEST),
        admitted_at=st.datetimes(timezones=st.just(UTC)),
        directory=st.integers(1, 99),
    ),
    proof=st.lists(st.just(wire.KID), max_size=60).map(tuple),
    checkpoint=st.sampled_from(["", STAMP["checkpoint"]]),
    delivery_seq=st.integers(1, 2**53 - 1),
)


@settings(max_examples=60)
@given(ENVELOPES, BODIES, st.none() | STAMPS)
def test_any_record_comes_back(envelope: Envelope, body: bytes | None, stamp: Stamp | None) -> None:
    """Whatever bytes, times and counters a record holds, its reader has what its writer had."""
    assert parse_out(encode_out(OutRecord(envelope, body))) == OutRecord(envelope, body)
    assert parse_in(encode_in(InRecord(envelope, body, stamp))) == InRecord(envelope, body, stamp)


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        Envelope,
        payload=st.binary(max_size=30),
        payload_type=TEXTS,
        signatures=st.lists(st.builds(Signature, keyid=TEXTS, sig=st.binary(max_size=8)), max_size=2).map(
            tuple
        ),
    ),
    BODIES,
    st.none() | STAMPS,
)
def test_a_record_is_written_like_all_our_json(
    envelope: Envelope, body: bytes | None, stamp: Stamp | None
) -> None:
    """Sorted keys, no spaces, and every text escaped where it must be, whatever it holds."""
    value: dict[str, Any] = {"message": envelope.as_json()}
    if body is not None:
        value["body"] = b64encode(body)
    if stamp is not None:
        value["stamp"] = stamp.model_dump(mode="json")

    assert encode_in(InRecord(envelope, body, stamp)) == compact_json(value)
    if stamp is not None:
        assert encode_stamped(OutRecord(envelope, body), compact_json(value["stamp"])) == compact_json(value)


@pytest.mark.parametrize("body", [None, b"", b"\0" * 4112], ids=["none", "empty", "a block"])
def test_a_record_comes_back(body: bytes | None) -> None:
    """What is encoded for `out` and `in` is read as the same record; no body is not an empty body."""
    stamp = Stamp.model_validate(STAMP)

    assert parse_out(encode_out(OutRecord(ENVELOPE, body))) == OutRecord(ENVELOPE, body)
    assert parse_in(encode_in(InRecord(ENVELOPE, body, stamp))) == InRecord(ENVELOPE, body, stamp)
    assert parse_in(encode_in(InRecord(ENVELOPE, body))) == InRecord(ENVELOPE, body, None)


def test_a_stamp_is_written_as_it_was_read() -> None:
    """A stamp's JSON is the same after a way through the model."""
    record = parse_in(value(stamp=STAMP))

    assert json.loads(encode_in(record))["stamp"] == STAMP
    assert record.out == OutRecord(ENVELOPE)


BAD_OUT = {
    "no message": (b'{"body":"AAAA"}', Code.RECORD_SHAPE, ""),
    "one more field": (value(topic="x"), Code.RECORD_SHAPE, ""),
    "stamped by its origin": (value(stamp=STAMP), Code.RECORD_SHAPE, ""),
    "body a number": (value(body=1), Code.RECORD_SHAPE, "body"),
    "body an object": (value(body={}), Code.RECORD_SHAPE, "body"),
    "body null": (value(body=None), Code.NULL_VALUE, ""),
    "body with trailing bits": (value(body="QR=="), Code.BASE64_FORM, "body"),
    "message a string": (b'{"message":"x"}', Code.ENVELOPE_SHAPE, ""),
    "not JSON": (b"\x00\x01", Code.NOT_ONE_JSON_OBJECT, ""),
    "too large": (b" " * (OUT_LIMIT + 1), Code.RECORD_TOO_LARGE, ""),
}


@pytest.mark.parametrize(("data", "code", "where"), BAD_OUT.values(), ids=BAD_OUT)
def test_a_bent_out_record_is_refused(data: bytes, code: Code, where: str) -> None:
    """Step 1 refuses what is not a record, each fault with its code."""
    with pytest.raises(Refused) as caught:
        parse_out(data)
    assert (caught.value.code, caught.value.where) == (code, where)


BAD_STAMPS: dict[str, Any] = {
    "a string": "x",
    "false": False,
    "empty": {},
    "one more field": STAMP | {"witness": "x"},
    "leaf with one more field": STAMP | {"leaf": STAMP["leaf"] | {"kind": "admitted"}},
    "negative index": STAMP | {"leaf": STAMP["leaf"] | {"index": -1}},
    "time as a number": STAMP | {"leaf": STAMP["leaf"] | {"admitted_at": 1}},
    "proof an object": STAMP | {"proof": {"0": wire.KID}},
    "proof a string": STAMP | {"proof": wire.KID},
    "proof in capitals": STAMP | {"proof": [wire.KID.upper()]},
    "delivery_seq a string": STAMP | {"delivery_seq": "10"},
    "delivery_seq true": STAMP | {"delivery_seq": True},
    "delivery_seq 0": STAMP | {"delivery_seq": 0},
    "checkpoint an array": STAMP | {"checkpoint": []},
}


@pytest.mark.parametrize("stamp", BAD_STAMPS.values(), ids=BAD_STAMPS)
def test_a_bent_stamp_is_refused(stamp: Any) -> None:
    """A stamp is read as strictly as everything else, and has its own code."""
    with pytest.raises(Refused) as caught:
        parse_in(value(stamp=stamp))
    assert caught.value.code is Code.STAMP_SHAPE


def test_the_limits_are_those_of_the_topics() -> None:
    """A record of 512 KiB passes on `out` and one of 1 MiB on `in`, not a byte more."""
    for limit, parse in ((524_288, parse_out), (1_048_576, parse_in)):
        full = value().ljust(limit)
        parse(full)
        with pytest.raises(Refused):
            parse(full + b" ")


def test_ordinary_tools_see_what_a_record_is() -> None:
    """The Kafka headers are those of the CloudEvents 1.0 binding."""
    header = parse_header(wire.text(wire.header("alert")))

    assert dict(ce_headers(header)) == {
        "ce_specversion": b"1.0",
        "ce_id": wire.ID.encode(),
        "ce_source": b"/tongbao/520000",
        "ce_type": b"tongbao.alert.v1",
        "ce_time": wire.ISSUED.encode(),
        "ce_correlationid": wire.ID.encode(),
        "ce_dataclassification": b"H1",
        "content-type": b"application/json",
    }


@pytest.mark.parametrize("kind", ["receipt", "notice", "head"])
def test_what_has_no_handling_code_shows_none(kind: str) -> None:
    """A message without a handling code has no header for it."""
    header = parse_header(wire.text(wire.header(kind)))

    assert "ce_dataclassification" not in dict(ce_headers(header))


def test_a_full_body_fits_into_a_record() -> None:
    """The largest ciphertext and a full header stay below the limit of `out`."""
    body = bytes(4096 * 88 + 16)
    payload = wire.text(wire.header("alert"))

    assert len(encode_out(OutRecord(Envelope(payload, MESSAGE_TYPE, ()), body))) < OUT_LIMIT
    assert len(b64encode(body)) < OUT_LIMIT
