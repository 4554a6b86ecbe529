"""Drafts: refused before anything is stored, and the same however often they are sent."""

import json
import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.province import alert
from tests.support.world import NOW
from tongbao_broker.errors import NoRight, NotFound
from tongbao_connectors import drafts
from tongbao_connectors.store.models import Draft, InboxItem, Message
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.errors import Refused
from tongbao_schemas.identifiers import new_id
from tongbao_schemas.refusals import Code

BAD = Path(__file__).parents[3] / "examples" / "bad"
EXPECTED = tomllib.loads((BAD / "expected.toml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.usefixtures("connector_database")


def submit(data: bytes, by: str = "A-0001", now: datetime = NOW) -> drafts.Draft:
    return drafts.submit(data, origin="520000", by=by, now=now)


@pytest.mark.parametrize("path", sorted(BAD.glob("*.json")), ids=lambda path: path.stem)
def test_every_bad_example_is_refused_before_anything_is_stored(path: Path) -> None:
    """A refusal comes with its code at once; the table stays empty."""
    with pytest.raises(Refused) as refused:
        submit(path.read_bytes())

    assert refused.value.code == EXPECTED[path.stem]
    assert Draft.objects.count() == 0


def test_the_same_reference_and_content_is_the_same_message() -> None:
    """A submitter who heard nothing sends again and gets the same id."""
    first, again = submit(alert("a-1")), submit(alert("a-1"))

    assert (first.created, again.created) == (True, False)
    assert first.message_id == again.message_id
    assert Draft.objects.count() == 1


def test_the_order_of_keys_is_no_other_content() -> None:
    """The content counts, not its spelling."""
    turned = dict(reversed(list(json.loads(alert("a-1")).items())))

    assert submit(alert("a-1")).message_id == submit(json.dumps(turned).encode()).message_id


def test_the_same_reference_with_other_content_is_a_conflict() -> None:
    """Whoever reuses a reference by mistake is told, and the first content stays."""
    first = submit(alert("a-1"))

    with pytest.raises(Refused) as refused:
        submit(alert("a-1", urgency="routine"))
    assert refused.value.code == Code.CLIENT_REF_CONFLICT
    assert drafts.find(first.message_id).state == "drafted"


def test_a_draft_is_found_by_id_and_client_ref() -> None:
    """Before it is sealed it has no number."""
    draft = submit(alert("a-1"))

    assert drafts.find("a-1").message_id == drafts.find(draft.message_id).message_id == draft.message_id
    with pytest.raises(NotFound):
        drafts.find("a-2")


def received(**over: object) -> Message:
    """A received alert, signed for by A-0117."""
    message_id = new_id(NOW)
    facts = {
        "origin": "440000",
        "message_id": message_id,
        "thread": message_id,
        "type": "alert",
        "status": "exercise",
        "digest": "sha256:" + "1" * 64,
        "audience": "520000",
        "schema": "alert/1.0",
        "number": "粤2026-000001-X",
        "issued_at": NOW,
        "expires_at": NOW,
        "stored_at": NOW,
        "delivery_seq": 1,
    }
    message = Message.objects.create(**{**facts, **over})
    InboxItem.objects.create(
        message=message,
        unit="duty",
        officer_ref="A-0117",
        rule="r",
        steps=[],
        routed_at=NOW,
        claimed_by="A-0117",
    )
    return message


def answer(message: Message, **ref: str) -> bytes:
    body = {"kind": "progress", "text": "演练", "by": {"unit": "演练", "officer_ref": "A-0117"}}
    refs = [{"id": message.message_id, "digest": message.digest, "relation": "answers", **ref}]
    fields = {"client_ref": "b-1", "type": "answer", "audience": ["440000"], "refs": refs, "body": body}
    shared = {"status": "exercise", "urgency": "flash", "handling": "H1", "category": "online"}
    return compact_json({**fields, **shared})


def test_an_answer_joins_the_thread_of_what_it_answers() -> None:
    """The connector knows the thread from the reference."""
    message = received()

    assert submit(answer(message), by="A-0117").thread == message.thread


def test_only_the_officer_who_signed_for_an_alert_answers_it() -> None:
    """Through the command line or a system as little as through the desk."""
    with pytest.raises(NoRight):
        submit(answer(received()), by="A-0118")


@pytest.mark.parametrize(
    ("over", "ref", "expected"),
    [
        pytest.param({}, {"id": new_id(NOW)}, Code.REF_UNKNOWN, id="a reference to nothing"),
        pytest.param({}, {"digest": "sha256:" + "2" * 64}, Code.REF_DIGEST, id="another digest"),
        pytest.param({"status": "actual"}, {}, Code.REF_STATUS, id="across statuses"),
        pytest.param({"type": "answer"}, {}, Code.NOT_AN_ADDRESSEE, id="an answer to an answer"),
    ],
)
def test_a_reference_must_fit_what_is_known(
    over: dict[str, str], ref: dict[str, str], expected: Code
) -> None:
    """What the exchange would reject later is refused now."""
    message = received(**over)

    with pytest.raises(Refused) as refused:
        submit(answer(message, **ref), by="A-0117")
    assert refused.value.code == expected
