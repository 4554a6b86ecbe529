"""Whatever is changed in a good message: it is refused with a code, or it says what it said before."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import World, fields_of
from tests.unit.exchange.court import Court
from tongbao_broker.exchange.admission import Admit, Reject
from tongbao_broker.trust.sealing import open_sealed
from tongbao_schemas.encoding import b64decode, b64encode
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import AlertHeader, parse_header
from tongbao_schemas.record import OutRecord, parse_out
from tongbao_schemas.refusals import Code

GZ, GD = "520000", "440000"
EXAMPLES = settings(max_examples=60, deadline=None)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([GZ, GD, "alert", "actual"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@cache
def good() -> tuple[World, OutRecord, bytes]:
    """A world, an alert of it, and the value that carries it; made once, since nothing changes them."""
    world = World.create((GD, GZ))
    record = world.message("alert", GZ, [GD])
    return world, record, world.record_bytes(record)


@EXAMPLES
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_of_a_record_never_changes_what_is_admitted(place: int, byte: int) -> None:
    """Only a byte that says the same (such as a space for a space) lets it through."""
    world, record, value = good()
    place %= len(value)
    changed = value[:place] + bytes([byte]) + value[place + 1 :]

    decision = Court(world).judge(changed)

    assert isinstance(decision, Admit | Reject)
    if isinstance(decision, Admit):
        assert parse_out(changed) == record


@EXAMPLES
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_changed_bit_of_a_payload_breaks_its_signature(place: int, bit: int) -> None:
    """Every bit is covered; nothing is read before that is settled."""
    world, record, value = good()
    outer, payload = json.loads(value), bytearray(record.envelope.payload)
    payload[place % len(payload)] ^= 1 << bit
    outer["message"]["payload"] = b64encode(bytes(payload))

    assert Court(world).code(json.dumps(outer).encode()) is Code.SIGNATURE_WRONG


@EXAMPLES
@given(data=st.data(), value=JSON)
def test_any_value_in_any_field_is_judged_and_never_stumbled_over(data: st.DataObject, value: Any) -> None:
    """Signed by its own province, whatever it says; where it is admitted, it is what was signed."""
    world, record, _ = good()
    fields = fields_of(record)
    name = data.draw(st.sampled_from([*sorted(fields), "content", "note"]))
    changed = world.signed({**fields, name: value}, record.body, world.keys[GZ].message)

    decision = Court(world).judge(changed)

    assert isinstance(decision, Admit | Reject)
    if isinstance(decision, Admit):
        assert (
            decision.message.header.model_dump(mode="json", by_alias=True, exclude_none=True)[name] == value
        )


@EXAMPLES
@given(part=st.sampled_from(["wrap", "ciphertext"]), place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_changed_bit_of_a_sealed_body_never_opens(part: str, place: int, bit: int) -> None:
    """Wherever it is: in the ciphertext, its tag, the encapsulated or the wrapped key."""
    world, record, _ = good()
    fields, body = fields_of(record), bytearray(record.body or b"")
    wrap = bytearray(b64decode(fields["sealed"]["to"][0]["wrap"]))
    target = wrap if part == "wrap" else body
    target[place % len(target)] ^= 1 << bit
    fields["sealed"]["to"][0]["wrap"] = b64encode(bytes(wrap))
    header = parse_header(world.signed(fields, None, world.keys[GZ].message).envelope.payload)
    assert isinstance(header, AlertHeader)

    with pytest.raises(Refused) as refused:
        open_sealed(header, bytes(body), code=GD, key=world.keys[GD].seal)

    assert refused.value.code is Code.CANNOT_OPEN
