"""Connectors and the exchange as real processes on a real broker: killed, ended, cut off."""

import os
import signal
import time

import pytest

from tests.support.processes import CLOCK, RECEIVER, SENDER, Processes, arrived, settled, submit, until
from tongbao_broker import database
from tongbao_connectors import casework, trail
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import DeliveryGap, Incident, LeafBatch, Outbox
from tongbao_schemas.codes import EXCHANGE

pytestmark = pytest.mark.kafka


def test_an_alert_goes_there_and_back_and_sigterm_ends_everything(processes: Processes) -> None:
    """Sent, delivered, signed for, answered over the real broker; then each process ends in time with 0."""
    for code in (EXCHANGE, SENDER, RECEIVER):
        processes.start(code)
    submit("a-1")
    until(lambda: arrived() == 1, "the alert arrives")
    with database.use(RECEIVER):
        [item] = casework.list_inbox()
        roster = ConnectorSettings.load(processes.folder / RECEIVER).roster()
        who = {"officer_ref": item.officer_ref, "roster": roster, "at": CLOCK.now()}
        casework.claim(item.number, **who)
        casework.answer(
            item.number, kind="result", text="演练：已查获", outcome="seized", origin=RECEIVER, **who
        )
    expected = {RECEIVER: ["admitted", "delivered", "routed", "claimed", "result"]}

    def came_back() -> bool:
        with database.use(SENDER):
            return trail.stages(item.message_id, code=SENDER) == expected

    until(came_back, "all stages are back at the origin")
    until(settled, "everything is settled")
    with database.use(SENDER):
        assert trail.find(item.message_id, code=SENDER, network="test").proof is not None
    begun = time.monotonic()
    for process in processes.running.values():
        process.terminate()
    assert [process.wait(5) for process in processes.running.values()] == [0, 0, 0]
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("victim", [SENDER, RECEIVER, EXCHANGE])
def test_every_alert_arrives_once_though_a_process_is_killed(processes: Processes, victim: str) -> None:
    """SIGKILL in the middle of the traffic, three times; nothing is lost, doubled or left open."""
    for code in (EXCHANGE, SENDER, RECEIVER):
        processes.start(code)
    for run in range(3):
        submit(*(f"{run}-{index}" for index in range(20)))
        time.sleep(0.15 * (run + 1))
        processes.kill(victim)
        processes.start(victim)
    until(lambda: arrived() == 60, "60 alerts arrive")
    until(settled, "everything is settled", 60)

    assert arrived() == 60
    with database.use(SENDER):
        seqs = sorted(Outbox.objects.values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))
    for code in (SENDER, RECEIVER):
        with database.use(code):
            assert DeliveryGap.objects.count() == 0
            assert list(Incident.objects.values_list("kind", flat=True)) == []
            assert LeafBatch.objects.count() > 0


def test_a_frozen_connector_commits_nothing_after_a_second_one_took_over(processes: Processes) -> None:
    """SIGSTOP, a successor does the work, SIGCONT: the first ends by itself."""
    processes.start(EXCHANGE)
    processes.start(SENDER)
    frozen = processes.start(RECEIVER)
    submit("a-1")
    until(lambda: arrived() == 1, "the first alert")
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        processes.start(RECEIVER)
        submit(*(f"b-{index}" for index in range(10)))
        until(lambda: arrived() == 11, "the successor takes ten")
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    try:
        assert frozen.wait(30) != 0
    finally:
        frozen.kill()

    assert arrived() == 11


def test_without_a_broker_the_process_says_so_and_ends(processes: Processes) -> None:
    """Exit code 69; its supervisor tries again."""
    file = processes.folder / SENDER / "connector.toml"
    text = file.read_text("utf-8")
    file.write_text("\n".join([*text.splitlines()[:-1], 'bootstrap = "127.0.0.1:1"']), "utf-8")

    assert processes.start(SENDER).wait(30) == 69
