"""Reading and writing on the real broker: what is acknowledged is there, and nothing is skipped unnoticed."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from kafka import KafkaProducer

from tests.support.kafka import Broker, directory
from tongbao_broker import database
from tongbao_broker.errors import Fenced, RecordsLost, TopicRefused, TopicReplaced, WriterBroken
from tongbao_broker.kafka import reader as reading
from tongbao_broker.kafka.client import Connection, administration
from tongbao_broker.kafka.reader import Batch, Reader, Record
from tongbao_broker.kafka.topics import in_topic, out_topic
from tongbao_broker.kafka.writer import Outgoing, Writer
from tongbao_broker.streams import cursor
from tongbao_schemas.record import OUT_LIMIT

pytestmark = pytest.mark.kafka

CODES = iter([f"{first}{second}0000" for first, second in itertools.product("789", "123456789")])


@pytest.fixture
def code(broker: Broker) -> str:
    """A province that no other test has, with its topics."""
    code = next(CODES)
    broker.set_up(directory(**{f"p{code}": "active"}))
    return code


@pytest.fixture
def writer(broker: Broker, code: str) -> Iterator[Writer]:
    with closing(Writer(broker.as_(code))) as writer:
        yield writer


@pytest.fixture
def reader(broker: Broker, code: str) -> Iterator[Reader]:
    with closing(Reader(broker.as_(code), [out_topic(code)])) as reader:
        yield reader


def collect(reader: Reader, count: int, seconds: float = 15) -> list[Batch]:
    """Polls until `count` records have come."""
    batches: list[Batch] = []
    until = time.monotonic() + seconds
    while sum(len(batch.records) for batch in batches) < count:
        assert time.monotonic() < until, f"only {batches}"
        batches += reader.poll(0.2, 500)
    return batches


def values(batches: list[Batch]) -> list[bytes | None]:
    return [record.value for batch in batches for record in batch.records]


def to_out(code: str, *contents: bytes) -> list[Outgoing]:
    return [Outgoing(out_topic(code), b"thread", each, [("ce_type", b"test")]) for each in contents]


def test_what_is_written_is_read_in_order(writer: Writer, reader: Reader, code: str) -> None:
    """A thousand records come back in order; offsets, batches and keys fit together."""
    contents = [str(number).encode() for number in range(1000)]
    offsets = writer.send_all(to_out(code, *contents))
    batches = collect(reader, 1000)

    assert offsets == list(range(1000))
    assert values(batches) == contents
    assert [batch.start for batch in batches] == [0, *(batch.next for batch in batches[:-1])]
    assert {record.key for batch in batches for record in batch.records} == {b"thread"}


def test_time_is_the_brokers(writer: Writer, reader: Reader, code: str) -> None:
    """A record's timestamp is when the broker appended it, whatever a producer claims."""
    before = time.time() * 1000
    writer.send_all(to_out(code, b"{}"))
    ((record,),) = (batch.records for batch in collect(reader, 1))

    assert before - 1000 <= record.timestamp_ms <= time.time() * 1000 + 1000


def test_a_new_reader_goes_on_where_it_is_told(broker: Broker, writer: Writer, code: str) -> None:
    """After `seek` the batch starts at that offset: the caller's cursor decides, nothing at the broker."""
    writer.send_all(to_out(code, b"0", b"1", b"2"))
    with closing(Reader(broker.as_(code), [out_topic(code)])) as reader:
        reader.seek(out_topic(code), 2)
        (batch,) = collect(reader, 1)

    assert (batch.start, batch.next, values([batch])) == (2, 3, [b"2"])


def test_seeking_back_reads_again(reader: Reader, writer: Writer, code: str) -> None:
    """After a rollback the same records come again, also those that had been fetched ahead."""
    writer.send_all(to_out(code, *(b"%d" % number for number in range(10))))
    (first,) = reader.poll(10, 4)
    reader.seek(out_topic(code), 0)
    again = collect(reader, 10)

    assert values([first]) == [b"0", b"1", b"2", b"3"]
    assert values(again) == [b"%d" % number for number in range(10)]


def test_a_paused_topic_waits_and_the_others_flow(broker: Broker, code: str) -> None:
    """While one topic is paused another one is read; after `resume` nothing is missing."""
    exchange = broker.as_("100000")
    with closing(Writer(exchange)) as writer, closing(Writer(broker.as_(code))) as province:
        writer.send_all([Outgoing(in_topic(code), None, b"in")])
        province.send_all(to_out(code, b"out"))
    with closing(Reader(broker.as_(code), [in_topic(code), out_topic(code)])) as reader:
        reader.pause(in_topic(code))
        held = collect(reader, 1) + reader.poll(0.5, 10)
        reader.resume(in_topic(code))
        released = collect(reader, 1)

    assert values(held) == [b"out"]
    assert values(released) == [b"in"]


def test_ends_of_a_topic(reader: Reader, writer: Writer, code: str) -> None:
    """First and end offset tell an empty topic from one with records."""
    topic = out_topic(code)
    empty = reader.first_offset(topic), reader.end_offset(topic)
    writer.send_all(to_out(code, b"a", b"b"))

    assert empty == (0, 0)
    assert (reader.first_offset(topic), reader.end_offset(topic)) == (0, 2)


def test_nothing_there_is_an_empty_list_in_time(reader: Reader) -> None:
    """Polling an idle topic returns when the time is over."""
    started = time.monotonic()

    assert reader.poll(0.02, 10) == []
    assert time.monotonic() - started < 1


def test_records_that_retention_took_are_counted(
    broker: Broker, writer: Writer, reader: Reader, code: str
) -> None:
    """Where the log begins after the cursor, the batch says how many are lost, and reading goes on."""
    topic = out_topic(code)
    writer.send_all(to_out(code, b"0", b"1", b"2"))
    _delete_below(broker, topic, 2)
    lost, *rest = _until_next(reader, 3)

    assert (lost.start, lost.next, lost.records, lost.lost) == (0, 2, (), 2)
    assert values(rest) == [b"2"]


def test_an_offset_beyond_the_end_stops(writer: Writer, reader: Reader, code: str) -> None:
    """A cursor that is ahead of the log is never moved silently."""
    writer.send_all(to_out(code, b"0"))
    reader.seek(out_topic(code), 7)

    with pytest.raises(RecordsLost):
        _until_next(reader, 8)


def test_unreadable_record_is_named_and_passed(
    broker: Broker, writer: Writer, reader: Reader, code: str
) -> None:
    """A record whose header name isn't UTF-8 is handed out as unreadable; those around it arrive."""
    writer.send_all(to_out(code, b"before"))
    _send_with_broken_header(broker.as_(code), out_topic(code))
    writer.send_all(to_out(code, b"after"))
    records = [record for batch in collect(reader, 3) for record in batch.records]

    assert [(record.offset, record.value) for record in records] == [(0, b"before"), (1, None), (2, b"after")]
    assert [bool(record.error) for record in records] == [False, True, False]


def test_unreadable_records_of_one_province_stop_no_other(broker: Broker, code: str) -> None:
    """Behind fifty unreadable records in one topic, another's record arrives in seconds; all are passed."""
    other = next(CODES)
    broker.set_up(directory(**{f"p{code}": "active", f"p{other}": "active"}))
    _send_with_broken_header(broker.as_(code), out_topic(code), count=50)
    with closing(Writer(broker.as_(other))) as writer:
        writer.send_all(to_out(other, b"urgent"))
    with closing(Reader(broker.as_("100000"), [out_topic(code), out_topic(other)])) as reader:
        started = time.monotonic()
        batches = _until(lambda: reader.poll(0.2, 500), lambda found: b"urgent" in values(found))
        waited = time.monotonic() - started
        rest = collect(reader, 51 - sum(len(batch.records) for batch in batches))

    unreadable = [record for batch in batches + rest for record in batch.records if record.error]
    assert waited < 5
    assert [record.offset for record in unreadable] == list(range(50))


def test_null_value_is_a_record(broker: Broker, reader: Reader, code: str) -> None:
    """A record without a value is readable and has none; it isn't mistaken for an unreadable one."""
    with closing(KafkaProducer(**broker.as_(code).settings())) as producer:
        producer.send(out_topic(code), value=None, key=b"k").get(timeout=10)
    ((record,),) = (batch.records for batch in collect(reader, 1))

    assert record == Record(0, record.timestamp_ms, b"k", None, "")


def test_topic_made_anew_is_noticed(
    broker: Broker, writer: Writer, reader: Reader, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that was deleted and made anew under a live reader raises, though the name is the same."""
    writer.send_all(to_out(code, b"0"))
    collect(reader, 1)
    broker.recreate(out_topic(code))
    monkeypatch.setattr(reading, "IDENTITY_EVERY_S", 0.0)

    with pytest.raises(TopicReplaced):
        reader.poll(0.1, 10)


def test_topic_made_anew_is_noticed_after_a_restart(
    broker: Broker, writer: Writer, reader: Reader, code: str, streams_database: str
) -> None:
    """The stored cursor names the topic it was made for, so a process that starts later notices too."""
    topic = out_topic(code)
    writer.send_all(to_out(code, b"0"))
    state = cursor.begin(topic, *reader.identity(topic))
    broker.recreate(topic)

    with closing(Reader(broker.as_(code), [topic])) as later, pytest.raises(TopicReplaced):
        state.check(*later.identity(topic))


def test_batch_and_cursor_go_together(
    writer: Writer, reader: Reader, code: str, streams_database: str
) -> None:
    """Work and cursor go together: after a rollback the same batch comes again, after a commit never."""
    topic = out_topic(code)
    identity = reader.identity(topic)
    cursor.begin(topic, *identity)
    writer.send_all(to_out(code, b"0", b"1"))
    (batch,) = collect(reader, 2)

    with suppress(ZeroDivisionError), database.atomic():
        cursor.advance(topic, batch.start, batch.next, *identity)
        raise ZeroDivisionError
    reader.seek(topic, _stored(topic))
    (again,) = collect(reader, 2)
    with database.atomic():
        cursor.advance(topic, again.start, again.next, *identity)

    assert values([batch]) == values([again])
    assert _stored(topic) == 2
    with pytest.raises(Fenced), database.atomic():
        cursor.advance(topic, batch.start, batch.next, *identity)


def test_a_missing_or_closed_topic_is_refused_to_a_reader(broker: Broker, code: str) -> None:
    """A reader of a topic that isn't there, or not for it, is told so when it is made."""
    for connection in (broker.operator, broker.as_(code)):
        with pytest.raises(TopicRefused):
            Reader(connection, ["prov.999999.in.v1"])


REFUSED = {
    "another's topic": lambda code: Outgoing(in_topic(code), None, b"{}"),
    "a missing topic": lambda code: Outgoing("prov.999999.out.v1", None, b"{}"),
    "a value over the limit": lambda code: Outgoing(out_topic(code), None, b"x" * (OUT_LIMIT + 1)),
    "a batch over the broker's limit": lambda code: Outgoing(
        out_topic(code), b"k" * 70_000, b"x" * OUT_LIMIT
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_record_stops_no_other(writer: Writer, reader: Reader, code: str, name: str) -> None:
    """After a refused record the same writer writes the next one: one bad record or topic isn't the end."""
    with pytest.raises(TopicRefused):
        writer.send_all([REFUSED[name](code)])
    writer.send_all(to_out(code, b"next"))

    assert values(collect(reader, 1)) == [b"next"]


def test_missing_topic_is_refused_also_to_who_may_write_it(broker: Broker) -> None:
    """A missing topic is told apart from a broker that doesn't answer."""
    with closing(Writer(broker.operator)) as writer, pytest.raises(TopicRefused):
        writer.send_all([Outgoing("prov.999999.out.v1", None, b"{}")])


def test_a_right_taken_away_shows_at_the_next_record(broker: Broker, writer: Writer, code: str) -> None:
    """A suspended province's open connection loses its right at once."""
    writer.send_all(to_out(code, b"0"))
    broker.set_up(directory(**{f"p{code}": "suspended"}))
    time.sleep(0.2)

    with pytest.raises((TopicRefused,)):
        writer.send_all(to_out(code, b"1"))


def test_large_records_pass_both_ways(broker: Broker, code: str) -> None:
    """The largest value of `out` and of `in` fits with its headers."""
    headers = [("ce_id", b"x" * 200)] * 8
    sizes = {out_topic(code): 524_288, in_topic(code): 1_048_576}
    with closing(Writer(broker.operator)) as writer:
        for topic, size in sizes.items():
            writer.send_all([Outgoing(topic, b"k" * 36, b"x" * size, headers)])
    with closing(Reader(broker.as_(code), list(sizes))) as reader:
        batches = collect(reader, 2)

    assert {batch.topic: len(batch.records[0].value or b"") for batch in batches} == sizes


def test_compressed_bomb_is_refused_by_the_broker(broker: Broker, reader: Reader, code: str) -> None:
    """A record that is small when compressed and huge when not never reaches the log."""
    settings = {**broker.as_(code).settings(), "compression_type": "gzip", "max_request_size": 64 << 20}
    with closing(KafkaProducer(**settings)) as producer:
        future = producer.send(out_topic(code), b"\0" * (32 << 20))
        with pytest.raises(Exception, match="TooLarge"):
            future.get(timeout=20)

    assert reader.end_offset(out_topic(code)) == 0


def test_a_broken_writer_stays_broken(writer: Writer, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an answer has failed to come, the writer refuses all further work, so that its process ends."""
    monkeypatch.setattr(writer._producer, "send", _pending)
    with pytest.raises(WriterBroken):
        writer.send_all(to_out(code, b"0"))
    monkeypatch.undo()

    with pytest.raises(WriterBroken):
        writer.send_all(to_out(code, b"1"))


def _pending(*_: object, **__: object) -> Any:
    class Pending:
        def get(self, timeout: float) -> None:
            """What library versions up to 3.0.11 return for a send that is still under way."""

    return Pending()


def _stored(topic: str) -> int:
    state = cursor.load(topic)
    assert state is not None
    return state.next


def _until(poll: Callable[[], list[Batch]], done: Callable[[list[Batch]], bool]) -> list[Batch]:
    found: list[Batch] = []
    until = time.monotonic() + 20
    while not done(found):
        assert time.monotonic() < until, f"only {found}"
        found += poll()
    return found


def _until_next(reader: Reader, offset: int) -> list[Batch]:
    """Polls until a batch leads up to `offset`."""
    return _until(lambda: reader.poll(0.2, 10), lambda found: any(batch.next >= offset for batch in found))


def _delete_below(broker: Broker, topic: str, offset: int) -> None:
    with administration(broker.operator) as admin:
        admin.delete_records({reading._partition(topic): offset})


def _send_with_broken_header(connection: Connection, topic: str, count: int = 1) -> None:
    """Writes records with a header name that is not UTF-8, which the library itself would not do."""
    with closing(KafkaProducer(**connection.settings())) as producer:
        for _ in range(count):
            producer.send(topic, b"x", headers=[(_NotText("bad"), b"v")])
        producer.flush(timeout=10)


class _NotText(str):
    """Text that encodes to bytes which are none."""

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe\xfd"
