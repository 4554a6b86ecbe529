"""Certificates and keys are replaced while alerts flow: nothing is lost, nothing refused, nobody notices."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.network import Network, until
from tongbao_broker import database
from tongbao_connectors import drafts
from tongbao_connectors.store import models as store
from tongbao_schemas.gate import parse_object
from tongbao_schemas.record import OUT_LIMIT, parse_out

pytestmark = pytest.mark.kafka

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAMPLE = json.loads((EXAMPLES / "1-520000-outbound-trafficking.json").read_text("utf-8"))
SENDER, RECEIVER, EXCHANGE = "520000", "440000", "100000"
EVERY_S = 0.1


class Traffic:
    """Alerts one after the other, as fast as a busy province sends them, until the block ends."""

    def __init__(self, sender: str) -> None:
        self._sender = sender
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self.ids: list[str] = []

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for_more(self, count: int = 5) -> None:
        """Some alerts go before what comes next."""
        wanted = len(self.ids) + count
        until(lambda: len(self.ids) >= wanted, 30, "the traffic flows")

    def _send(self) -> None:
        with database.use(self._sender):
            while not self._over.wait(EVERY_S):
                content = {**SAMPLE, "client_ref": f"rotation-{len(self.ids)}"}
                data = json.dumps(content, ensure_ascii=False).encode()
                draft = drafts.submit(data, origin=SENDER, by="test", now=datetime.now(UTC))
                self.ids.append(draft.message_id)
            database.close()


def test_rotation_under_traffic(network: Network) -> None:
    """Both certificates, the exchange's, the sender's message key, the receiver's seal key, in one run."""
    sender, receiver = network.open_province(SENDER), network.open_province(RECEIVER)
    pids = {name: network.pid(name) for name in (SENDER, RECEIVER, EXCHANGE)}
    with Traffic(sender) as traffic:
        traffic.wait_for_more()
        done = []
        for what, code in (
            ("message-key", SENDER),
            ("seal-key", RECEIVER),
            ("certificate", SENDER),
            ("certificate", RECEIVER),
            ("certificate", EXCHANGE),
        ):
            done.append(network.answer_of("rotate", what, code))
            traffic.wait_for_more()
    ids = traffic.ids

    def settled() -> bool:
        with database.use(sender):
            return store.Outbox.objects.filter(message__message_id__in=ids, state="settled").count() == len(
                ids
            )

    def delivered() -> bool:
        with database.use(sender):
            reports = store.StageReport.objects.filter(of__in=ids, stage="delivered")
            return reports.values("of").distinct().count() == len(ids)

    until(settled, 60, "every alert is settled")
    until(delivered, 60, "every alert is in the receiver's hands")

    assert [each["directory"] for each in done] == [2, 3, None, None, None]
    assert all(each["restarted"] for each in done)
    assert {name for name, pid in pids.items() if network.pid(name) == pid} == set()
    with database.use(sender):
        signers, sealed_to = set(), set()
        for message in store.Message.objects.filter(message_id__in=ids):
            envelope = parse_out(bytes(message.record.value)).envelope
            header = parse_object(envelope.payload, limit=OUT_LIMIT)
            signers.add(envelope.signatures[0].keyid)
            sealed_to |= {wrap["kid"] for wrap in header["sealed"]["to"] if wrap["code"] == RECEIVER}
        assert (len(signers), len(sealed_to)) == (2, 2)
        assert not store.StageReport.objects.filter(stage="refused").exists()
        assert not store.Draft.objects.filter(state="refused").exists()
        assert not store.Outbox.objects.filter(state="rejected").exists()
    with database.use(receiver):
        arrived = store.Message.objects.filter(origin=SENDER, type="alert")
        assert sorted(arrived.values_list("message_id", flat=True)) == sorted(ids)
        assert not store.Quarantine.objects.exists()
    for code in network.workspace.provinces:
        with database.use(network.open_province(code)):
            assert not store.Incident.objects.exists(), code
    assert network.answer_of("doctor")["ok"]
