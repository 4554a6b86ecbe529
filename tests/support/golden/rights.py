"""Who may send what to whom: audience, references, authority, agreements."""

from collections.abc import Callable
from typing import Any

from tests.support.golden.case import Earlier, Family
from tests.support.golden.maker import Maker
from tests.support.golden.network import GD, GX, GZ, HAINAN, LAPSED_AT, SHAANXI, TIBET, YUNNAN, ZJ
from tests.support.world import NOW, Json, fields_of
from tongbao_schemas.codes import EXCHANGE, Category
from tongbao_schemas.encoding import format_time
from tongbao_schemas.record import OutRecord

BEFORE_THE_LAPSE = LAPSED_AT.replace(hour=2)


def audience_family() -> Family:
    make = Maker("audience")

    def case(name: str, says: str, record: OutRecord, expected: str, **how: Any) -> None:
        spent = None if expected == "admit" else how.pop("uses_seq", True)
        make.admission(name, says, record, expected, uses_seq=spent, **how)

    def to(name: str, *codes: str, **over: Any) -> OutRecord:
        return make.alert(name, audience=codes, **over)

    case("two-addressees", "To 330000 and 440000.", to("two", ZJ, GD), "admit")
    case(
        "unknown-addressee",
        "To a province that the directory doesn't list.",
        to("unknown", "650000"),
        "TB-401",
    )
    case("suspended-addressee", "To 450000, which is suspended.", to("suspended", GX), "TB-402")
    case("to-itself", "The origin is among the addressees.", to("itself", GD, GZ), "TB-403")
    case(
        "schema-not-accepted", "To 610000, whose record lists receipts only.", to("schema", SHAANXI), "TB-404"
    )
    case(
        "suspended-origin",
        "450000 is suspended and sends an alert.",
        make.alert("from suspended", GX),
        "TB-405",
        by=GX,
    )
    case("nobody", "To nobody.", _readdressed(make, "nobody"), "TB-301", uses_seq=False)
    case(
        "everybody",
        "There is no word for everybody.",
        _readdressed(make, "all", "all"),
        "TB-301",
        uses_seq=False,
    )
    case(
        "unsorted", "The codes aren't sorted.", _readdressed(make, "order", GD, ZJ), "TB-301", uses_seq=False
    )
    case("named-twice", "A code twice.", _readdressed(make, "twice", GD, GD), "TB-301", uses_seq=False)
    case("no-agreement", "540000 has no agreement with 520000.", to("none", TIBET), "TB-414")
    case("lapsed-agreement", "The agreement with 530000 ended an hour ago.", to("lapsed", YUNNAN), "TB-414")
    case(
        "category-not-agreed",
        "The agreement with 460000 is about online cases only.",
        to("category", HAINAN),
        "TB-414",
    )
    online = Category.ONLINE
    case("category-agreed", "An online case to 460000.", make.alert_of(online, "online", [HAINAN]), "admit")
    case(
        "handling-not-agreed",
        "The agreement with 460000 allows H0 only.",
        make.alert_of(online, "H2", [HAINAN], handling="H2"),
        "TB-414",
    )
    case(
        "one-without-agreement",
        "An agreement with one addressee, none with the other.",
        to("both", GD, TIBET),
        "TB-414",
    )
    made = Category.MANUFACTURING
    case(
        "floor",
        "540000 has no agreement, but the statutory floor covers manufacturing.",
        make.alert_of(made, "floor", [TIBET]),
        "admit",
    )
    case(
        "floor-handling",
        "The floor allows H0 only.",
        make.alert_of(made, "floor H1", [TIBET], handling="H1"),
        "TB-414",
    )
    case(
        "floor-ended",
        "The floor ended ten days later.",
        make.alert_of(made, "floor later", [TIBET]),
        "TB-414",
        at=NOW.replace(month=12, day=3),
    )
    early = make.alert("early", audience=[YUNNAN], at=BEFORE_THE_LAPSE)
    answer = make.message("late answer", "answer", YUNNAN, [GZ], about=early)
    case(
        "lapsed-agreement-open-thread",
        "530000 answers, after the agreement ended, an alert of the time before.",
        answer,
        "admit",
        by=YUNNAN,
        before=(make.earlier("an alert before the agreement ended", early, at=BEFORE_THE_LAPSE),),
    )
    return Family(make.family, "Addressees and what was agreed with them (steps 11 and 13).", make.cases)


def references_family() -> Family:
    make = Maker("references")
    alert = make.alert("the alert")
    before = (make.earlier("the alert", alert),)

    def case(name: str, says: str, record: OutRecord, expected: str, **how: Any) -> None:
        how.setdefault("by", GD)
        how.setdefault("before", before)
        make.admission(name, says, record, expected, uses_seq=None if expected == "admit" else True, **how)

    def answer(name: str, *, origin: str = GD, about: OutRecord = alert, **over: Any) -> OutRecord:
        return make.message(name, "answer", origin, [GZ], about=about, **over)

    def receipt(
        name: str, *, origin: str = GD, to: str = GZ, about: OutRecord = alert, **over: Any
    ) -> OutRecord:
        return make.message(name, "receipt", origin, [to], about=about, **over)

    def bent_ref(name: str, **facts: str) -> OutRecord:
        key = make.world.keys[GD].message
        return make.changed(answer(name), lambda fields: fields["refs"][0].update(facts), key)

    other = make.alert("another alert")
    actual = make.alert("an actual alert", status="actual")
    with_other = (*before, make.earlier("another alert", other))
    with_actual = (*before, make.earlier("an actual alert", actual))
    wide = make.alert("an alert to two", audience=(ZJ, GD))
    to_two = (make.earlier("an alert to two", wide),)
    nowhere = fields_of(make.alert("never sent"))["id"]

    case("good-answer", "440000 answers an alert that was sent to it.", answer("good"), "admit")
    case("good-receipt", "440000 reports that the alert was delivered.", receipt("good receipt"), "admit")
    case(
        "missing-deliveries",
        "440000 asks the exchange for a delivery that never came.",
        make.message(
            "missing",
            "receipt",
            GD,
            [EXCHANGE],
            content={"items": [{"stage": "missing", "at": format_time(NOW), "delivery_seq": 3}]},
        ),
        "admit",
        before=(),
    )
    case(
        "bystanders-receipt", "330000 was never addressed.", receipt("bystander", origin=ZJ), "TB-411", by=ZJ
    )
    case(
        "bystanders-answer",
        "330000 answers what it was never asked.",
        answer("bystander 2", origin=ZJ),
        "TB-411",
        by=ZJ,
    )
    case(
        "own-receipt",
        "The origin acknowledges its own alert to 440000.",
        receipt("own", origin=GZ, to=GD),
        "TB-411",
        by=GZ,
    )
    case(
        "reference-to-nothing",
        "The answer names a message that nobody sent.",
        bent_ref("nothing", id=nowhere),
        "TB-406",
    )
    case(
        "receipt-for-nothing",
        "The receipt names a message that nobody sent.",
        receipt("for nothing", about=make.alert("never sent 2")),
        "TB-406",
    )
    case(
        "wrong-digest",
        "The id is right, the digest is of other bytes.",
        bent_ref("digest", digest="sha256:" + "0" * 64),
        "TB-407",
    )
    case(
        "another-thread",
        "The answer stands in one thread and refers to another one's alert.",
        answer("thread", thread=fields_of(other)["id"]),
        "TB-408",
        before=with_other,
    )
    case("unknown-thread", "The thread doesn't exist.", answer("no thread", thread=nowhere), "TB-408")
    case(
        "across-statuses",
        "An exercise's answer to an actual alert.",
        answer("status", about=actual, status="exercise"),
        "TB-409",
        before=with_actual,
    )
    case(
        "receipt-across-statuses",
        "An exercise's receipt for an actual alert.",
        receipt("status receipt", about=actual, status="exercise"),
        "TB-409",
        before=with_actual,
    )
    case(
        "receipt-to-another",
        "The receipt goes to somebody who isn't the alert's origin.",
        receipt("elsewhere", to=ZJ),
        "TB-412",
    )
    case(
        "answer-not-to-origin",
        "The answer leaves the alert's origin out.",
        make.message("aside", "answer", GD, [ZJ], about=wide),
        "TB-412",
        before=to_two,
    )
    case(
        "answer-to-a-stranger",
        "The answer goes to a province outside the thread too.",
        make.message("wide", "answer", GD, [ZJ, GZ], about=alert),
        "TB-412",
    )
    case(
        "cancel-by-another",
        "440000 cancels 520000's alert.",
        make.message("cancel", "cancel", GD, [GZ], about=alert),
        "TB-410",
    )
    case(
        "update-by-another",
        "440000 corrects 520000's alert.",
        make.message("update", "update", GD, [GZ], about=alert),
        "TB-410",
    )
    case(
        "closure-by-another",
        "440000 closes 520000's alert.",
        make.message("close", "closure", GD, [GZ], about=alert),
        "TB-410",
    )
    case(
        "cancel-leaves-one-out",
        "A cancel that doesn't go to all who were told.",
        make.message("partial", "cancel", GZ, [GD], about=wide),
        "TB-412",
        by=GZ,
        before=to_two,
    )
    closure = make.message("closure", "closure", GZ, [GD], about=alert)
    closed = (*before, make.earlier("its closure", closure))
    case("closed-thread", "The origin has closed the alert.", answer("too late"), "TB-413", before=closed)
    case(
        "receipt-after-closure",
        "Receipts still come after a closure.",
        receipt("after"),
        "admit",
        before=closed,
    )
    case(
        "taken-thread",
        "330000 opens an alert under the id of 520000's.",
        make.changed(make.alert("taken", ZJ), _name_of(alert), make.world.keys[ZJ].message),
        "TB-408",
        by=ZJ,
    )
    make.admission(
        "alert-with-refs",
        "An alert refers to nothing.",
        make.alert("refs", refs=fields_of(answer("of refs"))["refs"]),
        "TB-301",
        uses_seq=False,
    )
    make.admission(
        "answer-without-refs",
        "An answer refers to something.",
        answer("no refs", refs=[]),
        "TB-301",
        by=GD,
        before=before,
        uses_seq=False,
    )
    make.admission(
        "relation-of-another-type",
        "An answer that retracts.",
        bent_ref("relation", relation="retracts"),
        "TB-301",
        by=GD,
        before=before,
        uses_seq=False,
    )
    _delivered(make, alert, actual, answer)
    return Family(make.family, "References and authority (step 12 and acceptance 5).", make.cases)


def _delivered(make: Maker, alert: OutRecord, actual: OutRecord, answer: Any) -> None:
    """Acceptance by 520000, which knows what it sent itself."""
    sent = (make.earlier("the alert", alert),)
    key = make.world.keys[GD].message

    def case(name: str, says: str, record: OutRecord, expected: str, *before: Earlier) -> None:
        make.acceptance(name, says, record, expected, by=GZ, before=before or sent)

    def bent(name: str, **facts: str) -> OutRecord:
        return make.changed(answer(name), lambda fields: fields["refs"][0].update(facts), key)

    case("delivered-answer", "440000's answer reaches 520000.", answer("back"), "accept")
    case(
        "delivered-orphan",
        "An answer to something that isn't here yet is kept until that comes.",
        answer("orphan", about=make.alert("not here")),
        "accept",
    )
    zeros = "sha256:" + "0" * 64
    case(
        "delivered-wrong-digest",
        "The answer's reference has another digest.",
        bent("bent", digest=zeros),
        "TB-407",
    )
    thread = fields_of(make.alert("a third"))["id"]
    case(
        "delivered-another-thread",
        "The answer stands in another thread.",
        answer("astray", thread=thread),
        "TB-408",
    )
    case(
        "delivered-across-statuses",
        "An exercise's answer to an actual alert.",
        answer("mixed", about=actual, status="exercise"),
        "TB-409",
        make.earlier("an actual alert", actual),
    )
    case(
        "delivered-bystanders-answer",
        "330000 answers what it was never asked.",
        answer("bystander 3", origin=ZJ),
        "TB-411",
    )
    cancel = make.message("cancel 2", "cancel", GD, [GZ], about=alert)
    case("delivered-cancel-by-another", "440000 cancels 520000's alert.", cancel, "TB-410")


def _name_of(record: OutRecord) -> Callable[[Json], None]:
    """Puts a message's id above another one."""
    name = fields_of(record)["id"]
    return lambda fields: fields.update(id=name, thread=name)


def _readdressed(make: Maker, name: str, *audience: str) -> OutRecord:
    """An alert whose header names other addressees than those it was sealed to."""
    return make.changed(make.alert(name), lambda fields: fields.update(audience=list(audience)))
