"""Certificates and keys are replaced while alerts flow: nothing is lost, nothing refused, nobody notices."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.network import Network, running, until
from tongbao_broker import database
from tongbao_broker.kafka.client import Connection
from tongbao_broker.kafka.listener import served
from tongbao_broker.kafka.reader import Reader
from tongbao_broker.kafka.topics import in_topic
from tongbao_broker.trust.keys import load_seal_key
from tongbao_broker.trust.sealing import open_sealed, open_with_cek
from tongbao_connectors import drafts, rotation, services
from tongbao_connectors.store import models as store
from tongbao_connectors.store.records import stored_record
from tongbao_schemas.gate import parse_object
from tongbao_schemas.header import AlertHeader, parse_header
from tongbao_schemas.record import OUT_LIMIT, parse_in, parse_out

pytestmark = pytest.mark.kafka

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAMPLE = json.loads((EXAMPLES / "1-520000-outbound-trafficking.json").read_text("utf-8"))
SENDER, RECEIVER, EXCHANGE, BROKER, EXTERNAL = "520000", "440000", "100000", "000000", "610000"
EVERY_S = 0.1


class Traffic:
    """Alerts one after the other, as fast as a busy province sends them, until the block ends."""

    def __init__(self, sender: str, *audience: str) -> None:
        self._sender = sender
        self._audience = sorted(audience)
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
                content = {
                    **SAMPLE,
                    "client_ref": f"rotation-{id(self)}-{len(self.ids)}",
                    "audience": self._audience,
                }
                data = json.dumps(content, ensure_ascii=False).encode()
                draft = drafts.submit(data, origin=SENDER, by="test", now=datetime.now(UTC))
                self.ids.append(draft.message_id)
            database.close()


def await_arrival(sender: str, ids: Sequence[str]) -> None:
    """Every alert is settled, and reported by the receiver."""

    def settled() -> bool:
        with database.use(sender):
            rows = store.Outbox.objects.filter(message__message_id__in=ids, state="settled")
            return rows.count() == len(ids)

    def delivered() -> bool:
        with database.use(sender):
            reports = store.StageReport.objects.filter(of__in=ids, stage="delivered", place=RECEIVER)
            return reports.values("of").distinct().count() == len(ids)

    until(settled, 60, "every alert is settled")
    until(delivered, 60, "every alert is in the receiver's hands")


def assert_nothing_was_lost_or_refused(network: Network, sent: Sequence[str]) -> None:
    """The receiver has exactly these alerts; nobody refused anything, nothing is an incident."""
    with database.use(network.open_province(SENDER)):
        assert not store.StageReport.objects.filter(stage="refused").exists()
        assert not store.Draft.objects.filter(state="refused").exists()
        assert not store.Outbox.objects.filter(state="rejected").exists()
    with database.use(network.open_province(RECEIVER)):
        arrived = store.Message.objects.filter(origin=SENDER, type="alert")
        assert sorted(arrived.values_list("message_id", flat=True)) == sorted(sent)
    for code in network.workspace.provinces:
        with database.use(network.open_province(code)):
            assert not store.Quarantine.objects.exists(), code
            assert not store.Incident.objects.exists(), code
    assert network.answer_of("doctor")["ok"]


def test_rotation_under_traffic(network: Network) -> None:
    """Both certificates, the exchange's, the sender's message key, the receiver's seal key, in one run."""
    sender = network.open_province(SENDER)
    network.open_province(RECEIVER)
    pids = {name: network.pid(name) for name in (SENDER, RECEIVER, EXCHANGE)}
    with Traffic(sender, RECEIVER) as traffic:
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
    await_arrival(sender, traffic.ids)

    assert [each["directory"] for each in done] == [2, 3, None, None, None]
    assert all(each["restarted"] for each in done)
    assert {name for name, pid in pids.items() if network.pid(name) == pid} == set()
    with database.use(sender):
        signers, sealed_to = set(), set()
        for message in store.Message.objects.filter(message_id__in=traffic.ids):
            envelope = parse_out(bytes(message.record.value)).envelope
            header = parse_object(envelope.payload, limit=OUT_LIMIT)
            signers.add(envelope.signatures[0].keyid)
            sealed_to |= {wrap["kid"] for wrap in header["sealed"]["to"] if wrap["code"] == RECEIVER}
        assert (len(signers), len(sealed_to)) == (2, 2)
    assert_nothing_was_lost_or_refused(network, traffic.ids)
    early = network.tongbao("rotate", "seal-key", RECEIVER, "--destroy-old", "--json", code=1)
    assert json.loads(early.stderr)["error"]["code"] == "OP-33"


class OwnSystem:
    """A province's own system, which sends one alert after the other until the block ends."""

    def __init__(self, folder: Path) -> None:
        self._program = [
            sys.executable,
            str(EXAMPLES / "external_client.py"),
            str(folder),
            str(EXAMPLES / "7-520000-two-provinces.json"),
        ]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self.told: list[dict[str, Any]] = []
        self.errors: list[str] = []

    def __enter__(self) -> "OwnSystem":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for_more(self, count: int = 1) -> None:
        """So many more alerts have arrived; of two the second was sent from now on."""
        wanted = len(self.told) + count
        until(lambda: len(self.told) >= wanted or self.errors, 60, "the province's own system sends")

    def _send(self) -> None:
        while not self._over.is_set() and not self.errors:
            done = subprocess.run(self._program, capture_output=True, text=True, check=False)
            if done.returncode or done.stderr:
                self.errors.append(done.stderr)
            else:
                self.told.append(json.loads(done.stdout))


def test_the_centre_and_a_system_of_its_own_under_traffic(network: Network) -> None:
    """The exchange's message and checkpoint key, the broker's certificate, all of an external province."""
    sender, centre = network.open_province(SENDER), services.broker_connection(network.workspace)
    network.open_province(RECEIVER)
    assert network.answer_of("init", "--external", EXTERNAL)["directory"]["version"] == 2
    folder = network.workspace.folder / EXTERNAL
    pids = {name: network.pid(name) for name in (services.KAFKA, SENDER, RECEIVER, EXCHANGE)}
    before = served(centre, centre.bootstrap)
    with Traffic(sender, RECEIVER, EXTERNAL) as traffic, OwnSystem(folder) as own:
        own.wait_for_more()
        done = []
        for what, code in (
            ("message-key", EXCHANGE),
            ("checkpoint-key", EXCHANGE),
            ("certificate", BROKER),
            ("certificate", EXTERNAL),
            ("message-key", EXTERNAL),
            ("seal-key", EXTERNAL),
        ):
            done.append(network.answer_of("rotate", what, code))
            traffic.wait_for_more()
            own.wait_for_more()
        own.wait_for_more(2)
    await_arrival(sender, traffic.ids)

    assert [each["directory"] for each in done] == [3, 4, None, None, 5, 6]
    assert [each["restarted"] for each in done] == [True, True, False, False, False, False]
    assert [each["in_use"] for each in done] == [True, True, True, False, False, False]
    assert {name for name, pid in pids.items() if network.pid(name) != pid} == {EXCHANGE}
    assert served(centre, centre.bootstrap) != before
    assert own.errors == []
    assert {(each["kind"], each["settled"]) for each in own.told} == {("admitted", True)}
    assert len(checkpoint_keys(network)) == 2
    assert opened_by_own_system(network, folder) == sorted(traffic.ids)
    assert_nothing_was_lost_or_refused(network, traffic.ids)


def checkpoint_keys(network: Network) -> set[str]:
    """Under which keys the receiver's copy of the log was signed, by the key's hash in the signed note."""
    with database.use(network.open_province(RECEIVER)):
        notes = store.LeafBatch.objects.values_list("checkpoint", flat=True)
        return {note.splitlines()[-1].split()[-1][:5] for note in notes}


def opened_by_own_system(network: Network, folder: Path) -> list[str]:
    """The ids of all alerts to the external province; each opens with a key that lies in its folder."""
    keys = {key.kid: key for key in map(load_seal_key, (folder / "keys" / "seal").glob("*.pem"))}
    connection = Connection(network.workspace.bootstrap, folder / "tls.pem", folder / "ca.pem", "test")
    topic, found, used = in_topic(EXTERNAL), [], set()
    with closing(Reader(connection, [topic])) as reader:
        following, end = 0, reader.end_offset(topic)
        while following < end:
            for batch in reader.poll(0.2, 500):
                following = batch.next
                for record in (parse_in(each.value) for each in batch.records if each.value):
                    header = parse_header(record.envelope.payload)
                    if isinstance(header, AlertHeader):
                        kid = next(wrap.kid for wrap in header.sealed.to if wrap.code == EXTERNAL)
                        open_sealed(header, record.body or b"", code=EXTERNAL, key=keys[kid])
                        found.append(header.id)
                        used.add(kid)
    assert used == keys.keys()
    return sorted(found)


@pytest.fixture
def aged(tmp_path: Path) -> Iterator[Network]:
    """A network that was set up two months ago."""
    with running(tmp_path / "network", datetime.now(UTC) - timedelta(days=60)) as old:
        yield old


@pytest.mark.slow
def test_an_old_seal_key_is_destroyed_and_every_body_still_opens(aged: Network) -> None:
    """A key that was replaced forty days ago goes; what was sealed to it opens by its content keys."""
    sender = aged.open_province(SENDER)
    aged.open_province(RECEIVER)
    folder = aged.workspace.province(RECEIVER) / "keys" / "seal"
    with Traffic(sender, RECEIVER) as traffic:
        traffic.wait_for_more()
    await_arrival(sender, traffic.ids)
    [old] = folder.glob("*.pem")
    rotation.rotate_seal_key(
        aged.workspace,
        RECEIVER,
        datetime.now(UTC) - timedelta(days=40),
        held=lambda: assert_true(services.restart(aged.workspace, RECEIVER)),
    )
    with Traffic(sender, RECEIVER) as later:
        later.wait_for_more()
        kid = load_seal_key(old).kid
        done = aged.answer_of("rotate", "seal-key", RECEIVER, "--destroy-old")
        later.wait_for_more()
    await_arrival(sender, later.ids)

    assert (done["destroyed"], done["kept"], done["restarted"]) == ([kid], [], True)
    assert not old.exists()
    with database.use(RECEIVER):
        rows = store.ContentKey.objects.filter(message__origin=SENDER, message__type="alert")
        assert sorted(opened(row) for row in rows) == sorted([*traffic.ids, *later.ids])
    assert_nothing_was_lost_or_refused(aged, [*traffic.ids, *later.ids])


def assert_true(held: bool) -> None:
    assert held


def opened(row: store.ContentKey) -> str:
    """The id of a stored alert, which opens by its own content key."""
    record = stored_record(row.message)
    header = parse_header(record.envelope.payload)
    assert isinstance(header, AlertHeader)
    assert open_with_cek(header, record.body or b"", bytes(row.cek))
    return header.id
