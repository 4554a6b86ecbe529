"""What must hold of the whole: nothing lost, nothing twice, nothing readable where it must not be."""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.network import Network, until
from tongbao_broker import database
from tongbao_broker.exchange import models as exchange
from tongbao_connectors import drafts
from tongbao_connectors.files import File
from tongbao_connectors.store import models as store

pytestmark = pytest.mark.kafka

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAMPLE = json.loads((EXAMPLES / "1-520000-outbound-trafficking.json").read_text("utf-8"))
BOTH = json.loads((EXAMPLES / "7-520000-two-provinces.json").read_text("utf-8"))


def submit(content: dict[str, object], client_ref: str, files: Sequence[File] = ()) -> str:
    """A draft of Guizhou; gives the message's id, the same one each time for the same `client_ref`."""
    data = json.dumps({**content, "client_ref": client_ref}, ensure_ascii=False).encode()
    made = drafts.submit(data, origin="520000", by="test", now=datetime.now(UTC), files=files)
    return made.message_id


def test_killed_processes_lose_nothing_and_repeat_nothing(network: Network) -> None:
    """SIGKILL of exchange, sender and receiver while alerts flow: each arrives once, all are settled.

    The submitter knows nothing of it and submits every alert a second time, as one who got no answer does.
    """
    sender, receiver = network.open_province("520000"), network.open_province("440000")
    ids = []
    for number in range(40):
        with database.use(sender):
            ids.append(submit(BOTH, f"kill-{number}"))
        if number in (10, 20, 30):
            network.kill({10: "100000", 20: "440000", 30: "520000"}[number])
    with database.use(sender):
        again = [submit(BOTH, f"kill-{number}") for number in range(40)]

    def all_settled() -> bool:
        with database.use(sender):
            return store.Outbox.objects.filter(message__type="alert", state="settled").count() == 40

    def all_delivered() -> bool:
        with database.use(sender):
            return store.StageReport.objects.filter(stage="delivered", of__in=ids).count() == 80

    until(all_settled, 60, "all alerts are settled at their origin")
    until(all_delivered, 60, "both provinces' receipts for all alerts are at the origin")

    assert again == ids
    with database.use(receiver):
        arrived = store.Message.objects.filter(origin="520000", type="alert")
        assert Counter(arrived.values_list("message_id", flat=True)) == dict.fromkeys(ids, 1)
        assert store.InboxItem.objects.filter(message__message_id__in=ids).count() == 40
        assert store.Quarantine.objects.count() == 0
    with database.use(network.open_exchange()):
        admitted = exchange.Message.objects.filter(origin="520000", type="alert", code="")
        assert Counter(admitted.values_list("message_id", flat=True)) == dict.fromkeys(ids, 1)
        numbers = exchange.Delivery.objects.filter(addressee="440000").order_by("delivery_seq")
        found = list(numbers.values_list("delivery_seq", flat=True))
        assert found == list(range(1, len(found) + 1))
        assert exchange.Refusal.objects.count() == 0


def test_a_body_is_readable_nowhere_but_where_it_is_opened(network: Network, tmp_path: Path) -> None:
    """A word put into an alert, its file, the file's name and an answer stands in no file of broker, exchange
    or province, nor in a log.

    Searched for as text, as JSON escapes and as base64 at each of its three alignments.
    """
    canary = "金丝雀7R3QX9"
    content = json.loads(json.dumps(SAMPLE))
    content["body"]["facts"] = f"【演练】{canary}"
    content["body"]["subjects"][0]["name"] = canary
    paper = File.read(f"{canary}.pdf", b"%PDF-1.4\n" + bytes(300_000) + f"{canary}\n".encode() * 3)
    content["body"]["attachments"] = [paper.note()]
    with database.use(network.open_province("520000")):
        message_id = submit(content, "canary", [paper])

    until(lambda: network.answer_of("inbox", "--as", "440000"), 30, "the alert is in the inbox")
    item = network.answer_of("inbox", "--as", "440000")[0]
    officer = ("--as", "440000", "--officer", item["officer_ref"])

    def complete() -> bool:
        shown = network.answer_of("show", message_id, *officer)
        return [file["state"] for file in shown["attachments"]] == ["complete"]

    until(complete, 30, "the file is there")
    copy = tmp_path / "copy.pdf"
    save = ("attachment", "save", message_id, paper.name, "--to", str(copy), "--why", "核对")
    saved = network.tongbao(*save, *officer)
    shown = network.tongbao("show", message_id, *officer)
    network.tongbao("claim", message_id, *officer)
    network.tongbao("answer", message_id, *officer, "--outcome", "confirmed", "--text", f"演练 {canary}")

    def answered() -> bool:
        trail = network.answer_of("trail", message_id, "--as", "520000")
        return "result" in [event["stage"] for event in trail["events"]]

    until(answered, 30, "the result is at the origin")
    faulty = network.workspace.folder / "faulty.json"
    content["body"]["request"]["actions"] = [canary]
    faulty.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    refused = network.tongbao("send", str(faulty), "--as", "520000", "--lang", "en", code=65)
    faulty.unlink()

    assert copy.read_bytes() == paper.content
    assert canary in saved.stdout + shown.stdout
    assert canary not in refused.stdout + refused.stderr
    assert [str(path) for path in files_with(network.workspace.folder, canary)] == []


def files_with(folder: Path, word: str) -> Iterator[Path]:
    """The files below `folder` that hold the word in some spelling."""
    spellings = set(spellings_of(word))
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if any(spelling in data for spelling in spellings):
                yield path


def spellings_of(word: str) -> Iterator[bytes]:
    """The word in UTF-8 and UTF-16, as JSON escapes, in hex, and inside base64 at each alignment."""
    raw = word.encode("utf-8")
    yield from (raw, word.encode("utf-16-le"), json.dumps(word)[1:-1].encode(), raw.hex().encode())
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        yield encoded[4 if shift else 0 : -4]


def test_the_search_for_the_canary_finds_it(tmp_path: Path) -> None:
    """The search above would notice the word in each of its spellings."""
    word = "金丝雀7R3QX9"
    in_base64 = [base64.b64encode(b"x" * shift + word.encode()) for shift in range(6)]
    for number, text in enumerate([word.encode(), json.dumps({"a": word}).encode(), *in_base64]):
        (tmp_path / f"{number}").write_bytes(b"before " + text + b" after")

    assert len(list(files_with(tmp_path, word))) == 8
