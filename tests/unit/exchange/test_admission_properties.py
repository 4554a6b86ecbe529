"""What holds for admission whatever comes: bytes, order, repetition."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.world import World, fields_of
from tests.unit.exchange.court import Court
from tongbao_broker.exchange.admission import Admit, Reject
from tongbao_schemas.record import OutRecord, encode_out

GZ, GD = "520000", "440000"


@cache
def court() -> Court:
    """A court that nothing is noted in, since it admits nothing here."""
    return Court(World.create())


@cache
def alerts() -> tuple[OutRecord, ...]:
    return tuple(court().world.message("alert", GZ, [GD]) for _ in range(5))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_stumble(value: bytes) -> None:
    """Whatever the bytes, the outcome is a rejection with a code."""
    assert isinstance(court().judge(value), Reject)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_byte_never_changes_what_is_admitted(data: st.DataObject) -> None:
    """A bent record is rejected, or it still says exactly what was signed."""
    record = alerts()[0]
    value = bytearray(encode_out(record))
    place = data.draw(st.integers(0, len(value) - 1))
    value[place] ^= data.draw(st.integers(1, 255))

    decision = Court(court().world).judge(bytes(value))

    if isinstance(decision, Admit):
        assert decision.message.record == record


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_in_any_order_and_however_often_each_message_is_admitted_once(order: list[int]) -> None:
    """Numbers may come in any order; repetition adds nothing."""
    fresh = Court(court().world)

    decisions = [fresh.judge(alerts()[index]) for index in order]

    admitted = [decision for decision in decisions if isinstance(decision, Admit)]
    ids = [decision.message.header.id for decision in admitted]
    assert sorted(ids) == sorted({str(fields_of(alerts()[index])["id"]) for index in order})
