"""A case from its alert to its closure between two provinces' desks, over the real exchange and broker."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.support import province
from tests.support.processes import CLOCK, RECEIVER, SENDER, Processes, settled, submit, until
from tongbao_broker import database
from tongbao_connectors import casework, drafts
from tongbao_connectors.files import File
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import Draft, Incident, Message, Quarantine, StageReport
from tongbao_schemas.codes import EXCHANGE

pytestmark = pytest.mark.kafka

AUTHOR, ACCOUNTABLE, ASSIGNEE = "A-0001", "A-0120", "A-0117"


class Desks:
    """Both desks, each with its own database and roster."""

    def __init__(self, processes: Processes) -> None:
        self._rosters = {
            code: ConnectorSettings.load(processes.folder / code).roster() for code in (SENDER, RECEIVER)
        }

    def does(self, code: str, officer_ref: str, act: Callable[..., Any], *args: Any, **given: Any) -> Any:
        """An officer's act at a desk."""
        with database.use(code):
            return act(*args, officer_ref=officer_ref, roster=self._rosters[code], at=CLOCK.now(), **given)

    def sent(self, client_ref: str) -> str:
        """Sends an alert and waits until it lies at the other desk; its id."""
        submit(client_ref)
        with database.use(SENDER):
            message_id = Draft.objects.get(client_ref=client_ref).message_id
        until(lambda: state(message_id) == "waiting", f"{client_ref} arrives")
        return message_id

    def there(self, message_id: str) -> casework.Addressee:
        """Where it stands, as the sender sees it."""
        with database.use(SENDER):
            [found] = casework.standing(message_id)
        return found


@pytest.fixture
def desks(processes: Processes) -> Desks:
    """Both provinces and the exchange are running."""
    for code in (EXCHANGE, SENDER, RECEIVER):
        processes.start(code)
    return Desks(processes)


def state(message_id: str, code: str = RECEIVER) -> str:
    """The state of a message at a desk; empty before it has arrived."""
    with database.use(code):
        known = Message.objects.filter(message_id=message_id).exists()
        return casework.show(message_id).state if known else ""


def arrived(code: str, kind: str) -> str | None:
    """The id of the newest message of a type that lies at a desk."""
    with database.use(code):
        items = [item for item in casework.list_inbox() if item.type == kind]
    return items[0].message_id if items else None


def nothing_went_wrong() -> None:
    """No draft was refused, nothing is in quarantine, no incident was noted."""
    until(settled, "everything is settled", 90)
    for code in (SENDER, RECEIVER):
        with database.use(code):
            assert not Draft.objects.filter(state="refused").exists()
            assert not Quarantine.objects.exists()
            assert list(Incident.objects.values_list("kind", flat=True)) == []


def test_a_case_from_signature_to_closure(desks: Desks) -> None:
    """Signed, assigned, begun, progress, question and reply, result, closure: both sides agree."""
    alert = desks.sent("a-1")
    here = {"origin": RECEIVER}
    desks.does(RECEIVER, ACCOUNTABLE, casework.open_body, alert, why="值班签收")
    desks.does(RECEIVER, ACCOUNTABLE, casework.claim, alert)
    desks.does(RECEIVER, ACCOUNTABLE, casework.assign, alert, to=ASSIGNEE)
    desks.does(RECEIVER, ASSIGNEE, casework.start, alert)
    until(lambda: desks.there(alert).working is not None, "the sender sees that it is worked on")
    there = desks.there(alert)
    assert (there.readings, there.claimed and there.claimed.by, there.assigned and there.assigned.by) == (
        1,
        ACCOUNTABLE,
        ASSIGNEE,
    )

    desks.does(RECEIVER, ASSIGNEE, casework.answer, alert, kind="progress", text="演练：正在核查", **here)
    desks.does(RECEIVER, ASSIGNEE, casework.ask, alert, text="演练：请补充车牌", **here)
    until(lambda: arrived(SENDER, "reply") is not None, "the question arrives")
    question = arrived(SENDER, "reply") or ""
    desks.does(SENDER, AUTHOR, casework.reply, question, text="演练：车牌如下", origin=SENDER)
    until(lambda: arrived(RECEIVER, "reply") is not None, "the reply arrives")
    desks.does(SENDER, AUTHOR, casework.remind, alert, text="演练：请反馈", origin=SENDER)
    until(lambda: arrived(RECEIVER, "reminder") is not None, "the reminder arrives")
    assert state(alert) == "working"

    result = {"kind": "result", "outcome": "seized", "text": "演练：已查获"}
    desks.does(RECEIVER, ASSIGNEE, casework.answer, alert, **result, **here)
    until(lambda: desks.there(alert).result is not None, "the result arrives")
    assert [answer.kind for answer in desks.there(alert).answers] == ["progress", "result"]
    assert state(alert) == "answered"

    desks.does(SENDER, AUTHOR, casework.close, alert, text="演练：办结", outcome="achieved", origin=SENDER)
    until(lambda: state(alert) == "closed", "the closure arrives")
    assert desks.there(alert).closed_at is not None
    nothing_went_wrong()
    with database.use(SENDER):
        assert casework.timeline(alert)[0].kind == "closed"
    with database.use(RECEIVER):
        kinds = [line.kind for line in casework.timeline(alert)]
    assert [kind for kind in kinds if kind in ("claimed", "assigned", "started", "asked", "closed")] == [
        "closed",
        "asked",
        "started",
        "assigned",
        "claimed",
    ]

    desks.does(
        SENDER, AUTHOR, casework.supplement, alert, relation="supplements", text="演练：新情况", origin=SENDER
    )
    until(lambda: state(alert) == "assigned", "the supplement reopens it for who holds it")
    assert desks.there(alert).closed_at is None
    nothing_went_wrong()


def test_a_cancelled_alert_is_lifted(desks: Desks) -> None:
    """What nobody holds at once, what somebody holds when he confirms it; the receipt comes back."""
    cancelled = {"ground": "subject_found", "text": "演练：撤控", "origin": SENDER}
    waiting, held = desks.sent("b-1"), desks.sent("b-2")
    desks.does(RECEIVER, ACCOUNTABLE, casework.claim, held)
    for alert in (waiting, held):
        desks.does(SENDER, AUTHOR, casework.cancel, alert, **cancelled)
    until(lambda: {state(waiting), state(held)} == {"cancelled"}, "both are cancelled")
    until(lambda: desks.there(waiting).lifted_at is not None, "the first is lifted")
    assert desks.there(held).lifted_at is None

    desks.does(RECEIVER, ACCOUNTABLE, casework.lift, held)
    until(lambda: desks.there(held).lifted_at is not None, "the second is lifted too")
    assert desks.there(held).cancelled_at is not None
    nothing_went_wrong()


def test_a_withdrawn_signature_is_seen_by_the_sender(desks: Desks) -> None:
    """The later report corrects the earlier one."""
    alert = desks.sent("c-1")
    desks.does(RECEIVER, ACCOUNTABLE, casework.claim, alert)
    until(lambda: desks.there(alert).claimed is not None, "the signature is seen")
    desks.does(RECEIVER, ACCOUNTABLE, casework.undo, alert)
    until(lambda: desks.there(alert).claimed is None, "its withdrawal too")

    assert state(alert) == "waiting"
    nothing_went_wrong()


def test_a_file_of_a_mebibyte_goes_with_its_alert(desks: Desks) -> None:
    """Five parts after the alert, over the real exchange; whole and readable at the other desk, on record."""
    content = b"%PDF-1.7\n" + Random(7).randbytes(1024 * 1024)
    paper = File.read("演练法律文书.pdf", content)
    body = json.loads(province.alert_body(attachments=[paper.note()]))
    with database.use(SENDER):
        data = province.alert("a-file", RECEIVER, body=body)
        sent = drafts.submit(data, origin=SENDER, by=AUTHOR, now=CLOCK.now(), files=[paper])

    def files() -> list[tuple[str, int, int]]:
        with database.use(RECEIVER):
            message = Message.objects.filter(message_id=sent.message_id).first()
            listed = casework.plain_body(message)["attachments"] if message else ()
            found = casework.files_of(message, listed) if message else []
            return [(file.stand, file.here, file.parts) for file in found]

    until(lambda: files() == [("complete", 5, 5)], "the file is whole at the other desk")
    opened = desks.does(
        RECEIVER, ACCOUNTABLE, casework.open_file, sent.message_id, paper.digest, why="值班签收"
    )
    assert opened.content == content
    until(lambda: desks.there(sent.message_id).readings == 1, "the sender sees that it was opened")
    with database.use(SENDER):
        delivered = StageReport.objects.filter(place=RECEIVER, stage="delivered")
        assert delivered.count() == 6
    with database.use(RECEIVER):
        assert [item.message_id for item in casework.list_inbox()] == [sent.message_id]
    nothing_went_wrong()
