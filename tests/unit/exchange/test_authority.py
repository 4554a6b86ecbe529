"""Step 12 of admission: who may say what about which earlier message, type by type."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.world import NOW, World, fields_of, participant_json
from tests.unit.exchange.court import Court
from tongbao_schemas.encoding import format_time
from tongbao_schemas.record import OutRecord
from tongbao_schemas.refusals import Code

GZ, GD, ZJ, YN, EXCHANGE = "520000", "440000", "330000", "530000", "100000"
HOUR = timedelta(hours=1)

Json = dict[str, object]


class Scene:
    """An exercise alert of 520000 to 440000 that has been admitted; 330000 and 530000 stand by."""

    def __init__(self, **over: object) -> None:
        self.world = World.create((GZ, GD, ZJ, YN), **over)
        self.court = Court(self.world)
        self.alert = self.admitted("alert", GZ, [GD], about=None)

    def message(
        self, type: str, origin: str, audience: list[str], about: OutRecord | None, **over: object
    ) -> OutRecord:
        return self.world.message(type, origin, audience, about=about, **over)  # type: ignore[arg-type]

    def admitted(
        self, type: str, origin: str, audience: list[str], about: OutRecord | None, **over: object
    ) -> OutRecord:
        record = self.message(type, origin, audience, about, **over)
        self.court.admits(record, origin)
        return record

    def code(self, type: str, origin: str, audience: list[str], **over: object) -> Code | None:
        """The code for a message about the alert."""
        return self.court.code(self.message(type, origin, audience, self.alert, **over), origin)

    def refs(self, **over: object) -> list[Json]:
        """The one ref of an answer to the alert, changed."""
        answer = self.message("answer", GD, [GZ], self.alert)
        return [{**fields_of(answer)["refs"][0], **over}]


@pytest.fixture
def scene() -> Scene:
    return Scene()


Case = tuple[Callable[[Scene], Code | None], Code | None]

ALERT_ABOUT: dict[str, Case] = {
    "update by the origin": (lambda s: s.code("update", GZ, [GD]), None),
    "update brings in one party": (lambda s: s.code("update", GZ, [GD, ZJ]), None),
    "update to a new party alone": (lambda s: s.code("update", GZ, [ZJ]), None),
    "update brings in two": (lambda s: s.code("update", GZ, [ZJ, YN]), Code.AUDIENCE_NOT_PARTIES),
    "update by an addressee": (lambda s: s.code("update", GD, [GZ]), Code.NOT_THE_ORIGIN),
    "update by a bystander": (lambda s: s.code("update", ZJ, [GD]), Code.NOT_THE_ORIGIN),
    "cancel by the origin": (lambda s: s.code("cancel", GZ, [GD]), None),
    "cancel by an addressee": (lambda s: s.code("cancel", GD, [GZ]), Code.NOT_THE_ORIGIN),
    "cancel to a bystander too": (lambda s: s.code("cancel", GZ, [GD, ZJ]), Code.AUDIENCE_NOT_PARTIES),
    "answer by an addressee": (lambda s: s.code("answer", GD, [GZ]), None),
    "answer by the origin": (lambda s: s.code("answer", GZ, [GD]), Code.NOT_AN_ADDRESSEE),
    "answer by a bystander": (lambda s: s.code("answer", ZJ, [GZ]), Code.NOT_AN_ADDRESSEE),
    "answer to a bystander too": (lambda s: s.code("answer", GD, [GZ, ZJ]), Code.AUDIENCE_NOT_PARTIES),
    "answer past the origin": (lambda s: s.code("answer", GD, [ZJ]), Code.AUDIENCE_NOT_PARTIES),
    "reply by one asked": (lambda s: s.code("reply", GD, [GZ]), None),
    "reply by the one who asked": (lambda s: s.code("reply", GZ, [GD]), Code.NOT_AN_ADDRESSEE),
    "reply to a bystander": (lambda s: s.code("reply", GD, [ZJ]), Code.AUDIENCE_NOT_PARTIES),
    "reminder by the origin": (lambda s: s.code("reminder", GZ, [GD]), None),
    "reminder by a bystander": (lambda s: s.code("reminder", ZJ, [GD]), Code.NOT_THE_ORIGIN),
    "reminder by an addressee": (lambda s: s.code("reminder", GD, [GZ]), Code.NOT_THE_ORIGIN),
    "closure by the origin": (lambda s: s.code("closure", GZ, [GD]), None),
    "closure by an addressee": (lambda s: s.code("closure", GD, [GZ]), Code.NOT_THE_ORIGIN),
    "closure to a bystander": (lambda s: s.code("closure", GZ, [ZJ]), Code.AUDIENCE_NOT_PARTIES),
    "attachment by the sender": (lambda s: s.code("attachment", GZ, [GD]), None),
    "attachment by an addressee": (lambda s: s.code("attachment", GD, [GZ]), Code.NOT_THE_ORIGIN),
    "attachment to a bystander": (lambda s: s.code("attachment", GZ, [ZJ]), Code.AUDIENCE_NOT_PARTIES),
    "receipt by an addressee": (lambda s: s.code("receipt", GD, [GZ]), None),
    "receipt by a bystander": (lambda s: s.code("receipt", ZJ, [GZ]), Code.NOT_AN_ADDRESSEE),
    "receipt by the origin itself": (lambda s: s.code("receipt", GZ, [GD]), Code.NOT_AN_ADDRESSEE),
    "receipt to somebody else": (lambda s: s.code("receipt", GD, [ZJ]), Code.AUDIENCE_NOT_PARTIES),
}


@pytest.mark.parametrize("name", ALERT_ABOUT)
def test_each_type_has_those_who_may_send_it_and_those_who_may_get_it(name: str, scene: Scene) -> None:
    """Only the origin updates, cancels, closes; only an addressee answers or acknowledges; nobody joins by
    himself.
    """
    attempt, expected = ALERT_ABOUT[name]

    assert attempt(scene) == expected


def unknown_ref(scene: Scene) -> Code | None:
    other = scene.message("alert", GZ, [GD], None)
    return scene.code("answer", GD, [GZ], refs=scene.refs(id=fields_of(other)["id"]))


def ref_to_a_rejected_message(scene: Scene) -> Code | None:
    rejected = scene.message("alert", GZ, ["990000"], None)
    assert scene.court.code(rejected) == Code.AUDIENCE_UNKNOWN
    ref = {"id": fields_of(rejected)["id"], "digest": rejected.envelope.digest, "relation": "answers"}
    return scene.code("answer", GD, [GZ], refs=[ref])


def ref_to_another_thread(scene: Scene) -> Code | None:
    other = scene.admitted("alert", GZ, [GD], None)
    return scene.code("answer", GD, [GZ], thread=fields_of(other)["thread"])


def ref_to_a_receipt(scene: Scene) -> Code | None:
    receipt = scene.admitted("receipt", GD, [GZ], scene.alert)
    fields = fields_of(receipt)
    ref = {"id": fields["id"], "digest": receipt.envelope.digest, "relation": "answers"}
    reply = scene.message("reply", GZ, [GD], scene.alert, refs=[ref], thread=fields["id"])
    return scene.court.code(reply)


REFS: dict[str, Case] = {
    "to nothing": (unknown_ref, Code.REF_UNKNOWN),
    "to other bytes": (
        lambda s: s.code("answer", GD, [GZ], refs=s.refs(digest="sha256:" + "0" * 64)),
        Code.REF_DIGEST,
    ),
    "to a rejected message": (ref_to_a_rejected_message, Code.REF_UNKNOWN),
    "to another thread": (ref_to_another_thread, Code.REF_THREAD),
    "to a receipt": (ref_to_a_receipt, Code.REF_THREAD),
    "across statuses": (lambda s: s.code("answer", GD, [GZ], status="actual"), Code.REF_STATUS),
}


@pytest.mark.parametrize("name", REFS)
def test_a_ref_names_an_admitted_message_of_the_same_thread_and_status(name: str, scene: Scene) -> None:
    """A ref is exact: id, digest, thread and status."""
    attempt, expected = REFS[name]

    assert attempt(scene) == expected


def test_a_message_can_refer_to_one_of_its_own_batch(scene: Scene) -> None:
    """What was admitted a moment ago, in the same batch, counts."""
    update = scene.admitted("update", GZ, [GD, ZJ], scene.alert)

    answer = scene.message("answer", ZJ, [GZ], update)

    assert scene.court.code(answer, ZJ) is None


def test_an_update_makes_its_new_addressee_a_party(scene: Scene) -> None:
    """After a re-issue to 330000 a closure may go to it, and a cancel must."""
    scene.admitted("update", GZ, [GD, ZJ], scene.alert)

    assert scene.code("cancel", GZ, [GD]) == Code.AUDIENCE_NOT_PARTIES
    assert scene.code("cancel", GZ, [GD, ZJ]) is None


def test_a_cancel_may_leave_out_who_is_not_active_any_more(scene: Scene) -> None:
    """A cancel goes to every active party; a suspended one can't be addressed."""
    scene.admitted("update", GZ, [GD, ZJ], scene.alert)
    listed = [
        participant_json(code, "suspended" if code == ZJ else "active") for code in (GZ, GD, ZJ, EXCHANGE)
    ]
    court = scene.court.under(scene.world.changed(participants=listed))

    assert court.code(scene.message("cancel", GZ, [GD], scene.alert)) is None


AFTER_CLOSURE: dict[str, tuple[str, str, Code | None]] = {
    "cancel": (GZ, GD, None),
    "reply": (GD, GZ, None),
    "receipt": (GD, GZ, None),
    "update": (GZ, GD, None),
    "answer": (GD, GZ, Code.THREAD_CLOSED),
    "closure": (GZ, GD, Code.THREAD_CLOSED),
    "reminder": (GZ, GD, Code.THREAD_CLOSED),
    "attachment": (GZ, GD, Code.THREAD_CLOSED),
}


@pytest.mark.parametrize("type", AFTER_CLOSURE)
def test_a_closed_thread_takes_little(type: str, scene: Scene) -> None:
    """After a closure only cancel, receipt, reply, or an update."""
    origin, to, expected = AFTER_CLOSURE[type]
    scene.admitted("closure", GZ, [GD], scene.alert)

    assert scene.code(type, origin, [to]) == expected


def test_an_update_reopens_a_closed_thread(scene: Scene) -> None:
    """After the update an answer is taken again."""
    scene.admitted("closure", GZ, [GD], scene.alert)
    scene.admitted("update", GZ, [GD], scene.alert)

    assert scene.code("answer", GD, [GZ]) is None


POSTED: dict[str, tuple[timedelta, timedelta, Code | None]] = {
    "while posted": (-HOUR, HOUR, None),
    "from now on": (timedelta(0), HOUR, None),
    "until now": (-HOUR, timedelta(0), Code.NOT_THE_ORIGIN),
    "later": (HOUR, 2 * HOUR, Code.NOT_THE_ORIGIN),
}


@pytest.mark.parametrize("name", POSTED)
def test_the_home_of_a_posted_officer_may_remind(name: str) -> None:
    """A province whose liaison officer is posted with a party may send a reminder while the posting lasts."""
    start, end, expected = POSTED[name]
    posting = {
        "officer_ref": "浙-0003",
        "home": ZJ,
        "host": GD,
        "valid_from": format_time(NOW + start),
        "valid_until": format_time(NOW + end),
    }

    assert Scene(postings=[posting]).code("reminder", ZJ, [GD]) == expected


def receipt_of(scene: Scene, *items: Json) -> Code | None:
    return scene.code("receipt", GD, [GZ], content={"items": list(items)})


def delivered(scene: Scene, record: OutRecord, **over: object) -> Json:
    named: Json = {"of": fields_of(record)["id"], "digest": record.envelope.digest}
    return {"stage": "delivered", "at": format_time(scene.world.now), **named, **over}


def refused(scene: Scene, **over: object) -> Json:
    at = format_time(scene.world.now)
    return {"stage": "refused", "at": at, "digest": scene.alert.envelope.digest, "code": "TB-234", **over}


def receipt_for_a_receipt(scene: Scene) -> Code | None:
    first = scene.admitted("receipt", GD, [GZ], scene.alert)
    return scene.court.code(scene.message("receipt", GZ, [GD], first))


def receipt_for_two_origins(scene: Scene) -> Code | None:
    other = scene.admitted("alert", ZJ, [GD], None)
    return receipt_of(scene, delivered(scene, scene.alert), delivered(scene, other))


def receipt_for_two_statuses(scene: Scene) -> Code | None:
    other = scene.admitted("alert", GZ, [GD], None, status="test")
    return receipt_of(scene, delivered(scene, scene.alert), delivered(scene, other))


RECEIPTS: dict[str, Case] = {
    "two of one origin": (
        lambda s: receipt_of(s, delivered(s, s.alert), delivered(s, s.admitted("alert", GZ, [GD], None))),
        None,
    ),
    "of two origins": (receipt_for_two_origins, Code.AUDIENCE_NOT_PARTIES),
    "of two statuses": (receipt_for_two_statuses, Code.REF_STATUS),
    "of something unknown": (
        lambda s: receipt_of(s, delivered(s, s.message("alert", GZ, [GD], None))),
        Code.REF_UNKNOWN,
    ),
    "of other bytes": (
        lambda s: receipt_of(s, delivered(s, s.alert, digest="sha256:" + "0" * 64)),
        Code.REF_DIGEST,
    ),
    "of a receipt": (receipt_for_a_receipt, Code.REF_UNKNOWN),
    "refused, by digest alone": (lambda s: receipt_of(s, refused(s)), None),
    "refused, an unknown digest": (
        lambda s: receipt_of(s, refused(s, digest="sha256:" + "0" * 64)),
        Code.REF_UNKNOWN,
    ),
    "missing, to a province": (
        lambda s: receipt_of(s, {"stage": "missing", "at": format_time(NOW), "delivery_seq": 1}),
        Code.HEADER_SHAPE,
    ),
}


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_receipt_acknowledges_exactly_what_its_sender_was_sent(name: str, scene: Scene) -> None:
    """Every item names an admitted message to the sender, all of one origin and status, and never a
    receipt.
    """
    attempt, expected = RECEIPTS[name]

    assert attempt(scene) == expected


def test_missing_deliveries_are_asked_of_the_exchange(scene: Scene) -> None:
    """A `missing` receipt needs no agreement and carries its numbers into the decision."""
    items = [{"stage": "missing", "at": format_time(NOW), "delivery_seq": number} for number in (3, 4)]
    record = scene.message("receipt", GD, [EXCHANGE], None, content={"items": items})

    decision = scene.court.admits(record, GD)

    assert decision.missing == (3, 4)
