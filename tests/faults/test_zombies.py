"""A process that was frozen while another one took over its work."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support import striking
from tests.support.databases import content
from tests.support.kafka import Broker
from tests.support.processes import RECEIVER, SENDER, Processes, arrived, settled, submit, until
from tests.support.striking import Strike
from tongbao_broker.errors import Fenced
from tongbao_broker.exchange.settings import ExchangeSettings
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import in_topic
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.header import HeadHeader, parse_header
from tongbao_schemas.record import InRecord, parse_in

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ALERTS = 100


@pytest.mark.parametrize(
    ("code", "point"),
    [
        pytest.param(EXCHANGE, "polled", id="relay between poll and judgement"),
        pytest.param(EXCHANGE, "decided", id="relay between judgement and commit"),
        pytest.param(EXCHANGE, "marked", id="relay before its heads"),
        pytest.param(RECEIVER, "polled", id="connector between poll and judgement"),
        pytest.param(RECEIVER, "opened", id="connector between judgement and commit"),
        pytest.param(SENDER, "drafted", id="connector before it seals"),
    ],
)
def test_a_zombie_commits_nothing_and_ends(
    processes: Processes, broker: Broker, code: str, point: str
) -> None:
    """SIGSTOP at the point; a second process does a hundred alerts; SIGCONT: the first one ends, fenced.

    Its database stands as the second one left it, and nothing was sent twice or said that is out of date.
    """
    for each in (EXCHANGE, SENDER, RECEIVER):
        processes.start(each, struck=each == code)
    submit("before")
    until(lambda: arrived() == 1 and settled(), "the first alert")
    zombie, folder = processes.running[code], processes.folder / code
    url = (ExchangeSettings if code == EXCHANGE else ConnectorSettings).load(folder).database_url
    try:
        with frozen(zombie, folder, point):
            processes.start(code)
            submit(*(f"meanwhile-{number}" for number in range(ALERTS)))
            until(lambda: arrived() == 2 + ALERTS and settled(), "the second process does its work", 60)
            if code != EXCHANGE:
                processes.kill(EXCHANGE)  # so that no head comes any more, which the second one would store
            left = content(url)
        ended = zombie.wait(30)
    finally:
        zombie.kill()

    assert ended == Fenced.exit_code
    assert content(url) == left
    assert arrived() == 2 + ALERTS
    for province in (SENDER, RECEIVER):
        assert repeated(broker, province) == []
        assert heads_going_back(broker, province) == []


@contextmanager
def frozen(process: subprocess.Popen[bytes], folder: Path, point: str) -> Iterator[None]:
    """Stops the process at its next `point`, for which an alert is submitted."""
    striking.plan(folder, [Strike(point, number=signal.SIGSTOP)])
    submit("at the point")
    until(lambda: striking.taken(folder) == [point], f"{point} is reached")
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def received(broker: Broker, code: str) -> Iterator[InRecord]:
    """Every record in a province's `in` topic."""
    with closing(Reader(broker.operator, [in_topic(code)])) as reader:
        offset, end = 0, reader.end_offset(in_topic(code))
        while offset < end:
            for batch in reader.poll(1.0, 500):
                offset = batch.next
                yield from (parse_in(record.value or b"") for record in batch.records)


def repeated(broker: Broker, code: str) -> list[int]:
    """Delivery numbers that are more than once in a province's topic."""
    numbers = Counter(record.stamp.delivery_seq for record in received(broker, code) if record.stamp)
    return [number for number, times in numbers.items() if times > 1]


def heads_going_back(broker: Broker, code: str) -> list[HeadHeader]:
    """Heads that say less than one before them, of what was settled or of what was delivered."""
    found, so_far = [], (0, 0)
    for record in received(broker, code):
        header = parse_header(record.envelope.payload)
        if isinstance(header, HeadHeader):
            said = (header.content.settled_seq, header.content.delivery_seq)
            found += [header] if said[0] < so_far[0] or said[1] < so_far[1] else []
            so_far = said
    return found
