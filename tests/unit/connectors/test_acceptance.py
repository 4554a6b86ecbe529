"""Acceptance, step by step: what is accepted, refused with which code, or held."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.province import alert_body
from tests.support.world import (
    NOW,
    Keys,
    World,
    agreement_json,
    fields_of,
    key_json,
    participant_json,
    seal_key,
    signing_key,
)
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.merkle import Frontier
from tongbao_connectors.acceptance import (
    Accept,
    Duplicate,
    Examined,
    HeadRead,
    Hold,
    Known,
    KnownMessage,
    Passed,
    Reject,
    View,
    decide,
    examine,
)
from tongbao_schemas.bodies.alert import AlertBody
from tongbao_schemas.bodies.attachment import cut
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.record import InRecord, OutRecord
from tongbao_schemas.refusals import Code

ME = "440000"
WORLD = World.create()
DIRECTORY = WORLD.directory


def view(world: World = WORLD, directory: Directory | None = None, **over: Any) -> View:
    """What 440000 judges under."""
    newest = directory or (DIRECTORY if world is WORLD else world.directory)
    facts: dict[str, Any] = {
        "code": ME,
        "network": world.network,
        "directory": newest,
        "directory_at": lambda _version: newest,
        "seal_keys": {world.keys[ME].seal.kid: world.keys[ME].seal},
        "now": world.now,
    }
    return View(**{**facts, **over})


def the_alert(world: World = WORLD, **over: Any) -> OutRecord:
    return world.message("alert", "520000", [ME], **{"body": alert_body(), **over})


def delivered(record: OutRecord, world: World = WORLD, **over: Any) -> InRecord:
    return world.deliver([record], **over)[0]


def outcome(
    record: InRecord, given: View | None = None, known: Known | None = None
) -> Accept | Duplicate | Reject | Hold | HeadRead | Passed:
    """All steps."""
    given = given or view()
    examined = examine(World.record_bytes(record), given)
    return decide(examined, known or Known(), given) if isinstance(examined, Examined) else examined


def stamped(record: InRecord, **over: Any) -> InRecord:
    assert record.stamp is not None
    return replace(record, stamp=record.stamp.model_copy(update=over))


def leaf(record: InRecord, **over: Any) -> InRecord:
    assert record.stamp is not None
    return stamped(record, leaf=record.stamp.leaf.model_copy(update=over))


def test_a_good_alert_is_accepted_with_its_body_and_content_key() -> None:
    """The body opens, and the key that opens it again is handed out for storing."""
    accepted = outcome(delivered(the_alert()))

    assert isinstance(accepted, Accept)
    assert isinstance(accepted.body, AlertBody)
    assert accepted.cek is not None
    assert len(accepted.cek) == 32


@dataclass(frozen=True)
class Case:
    """A delivery, what it is judged under, and the outcome."""

    record: Callable[[], InRecord]
    expected: Code
    given: Callable[[], View] = view


def another_world() -> World:
    return World.create(network="exercise-2026")


def of_another_message() -> InRecord:
    return replace(delivered(the_alert()), stamp=delivered(the_alert()).stamp)


def by_a_wrong_checkpoint_key() -> InRecord:
    """A whole entry of somebody who has made an exchange of his own."""
    forged = replace(WORLD, keys={**WORLD.keys, EXCHANGE: Keys.of("999999")})
    return delivered(the_alert(), forged)


def bent_proof() -> InRecord:
    records = WORLD.deliver([the_alert(), the_alert()])
    return stamped(records[0], proof=("00" * 32,))


def flipped_bit() -> InRecord:
    record = the_alert()
    assert record.body is not None
    return delivered(replace(record, body=bytes([record.body[0] ^ 1]) + record.body[1:]))


def sealed_to_one_more() -> InRecord:
    record = the_alert()
    fields = fields_of(record)
    fields["sealed"]["to"].append(fields["sealed"]["to"][0] | {"code": "330000"})
    return delivered(WORLD.signed(fields, record.body, WORLD.keys["520000"].message))


def copied_seal() -> InRecord:
    """Another province signs a header around somebody else's sealed body."""
    record = the_alert()
    fields = fields_of(record) | {"origin": "330000"}
    fields["number"] = fields_of(WORLD.message("alert", "330000", [ME]))["number"]
    fields["sealed"]["to"][-1]["code"] = "330000"
    fields["sealed"]["to"][-1]["kid"] = WORLD.keys["330000"].seal.kid
    return delivered(WORLD.signed(fields, record.body, WORLD.keys["330000"].message))


def without_key(**over: Any) -> World:
    keys = [dict(key) for key in WORLD.document["keys"]]
    for key in keys:
        if key["owner"] == "520000" and key["use"] == "message":
            key.update(over)
    return World.create(keys=keys)


def suspended(code: str) -> World:
    participants = [
        participant_json(known, "suspended" if known == code else "active") for known in sorted(WORLD.keys)
    ]
    return World.create(participants=participants)


AT = format_time(NOW)
REFUSED: Mapping[str, Case] = {
    "1 no stamp": Case(lambda: replace(delivered(the_alert()), stamp=None), Code.STAMP_SHAPE),
    "1 a stamp on a head": Case(lambda: delivered(WORLD.message("head", EXCHANGE, [ME])), Code.STAMP_SHAPE),
    "1 checkpoint of another network": Case(
        lambda: delivered(the_alert(another_world()), another_world()), Code.CHECKPOINT_NETWORK
    ),
    "1 checkpoint by another key": Case(by_a_wrong_checkpoint_key, Code.CHECKPOINT_SIGNATURE),
    "1 no checkpoint at all": Case(
        lambda: stamped(delivered(the_alert()), checkpoint="tongbao/test\n1\n"), Code.CHECKPOINT_FORM
    ),
    "1 bent proof": Case(bent_proof, Code.PROOF_WRONG),
    "1 another index": Case(lambda: leaf(delivered(the_alert()), index=1), Code.PROOF_WRONG),
    "1 another time of entry": Case(
        lambda: leaf(delivered(the_alert()), admitted_at=NOW - timedelta(hours=1)), Code.PROOF_WRONG
    ),
    "3 stamp of another message": Case(of_another_message, Code.STAMP_OF_ANOTHER_MESSAGE),
    "3 unknown key": Case(lambda: delivered(the_alert(key=Keys.of("666666").message)), Code.KEY_UNKNOWN),
    "3 a seal key signs": Case(
        lambda: delivered(the_alert(key=WORLD.keys[EXCHANGE].checkpoint)), Code.KEY_USE
    ),
    "3 key past its time": Case(
        lambda: delivered(the_alert()),
        Code.KEY_NOT_VALID,
        lambda: view(without_key(valid_until=AT)),
    ),
    "3 key known as compromised": Case(
        lambda: delivered(the_alert()),
        Code.KEY_COMPROMISED,
        lambda: view(without_key(compromised_since=AT)),
    ),
    "3 a type the key may not sign": Case(
        lambda: delivered(the_alert()),
        Code.TYPE_NOT_ALLOWED_FOR_KEY,
        lambda: view(without_key(may_sign=["answer"])),
    ),
    "3 payload bent after signing": Case(
        lambda: delivered(
            replace(
                the_alert(),
                envelope=replace(the_alert().envelope, signatures=the_alert().envelope.signatures),
            )
        ),
        Code.SIGNATURE_WRONG,
    ),
    "3 another network": Case(lambda: delivered(the_alert(network="cn")), Code.NETWORK_MISMATCH),
    "3 an unknown field": Case(lambda: delivered(the_alert(region="440300")), Code.HEADER_SHAPE),
    "3 header origin isn't the signer": Case(
        lambda: delivered(the_alert(key=WORLD.keys["330000"].message)), Code.ORIGIN_NOT_OWNER
    ),
    "3 not in the audience": Case(
        lambda: delivered(WORLD.message("alert", "520000", ["330000"], body=alert_body())),
        Code.NOT_IN_AUDIENCE,
    ),
    "3 issued in the future": Case(
        lambda: delivered(the_alert(at=NOW + timedelta(seconds=121))), Code.ISSUED_IN_FUTURE
    ),
    "3 expired when it was admitted": Case(
        lambda: delivered(the_alert(at=NOW - timedelta(days=31))), Code.EXPIRED
    ),
    "3 origin suspended": Case(
        lambda: delivered(the_alert()), Code.ORIGIN_NOT_ACTIVE, lambda: view(suspended("520000"))
    ),
    "3 a schema we don't list": Case(
        lambda: delivered(the_alert()),
        Code.SCHEMA_NOT_ACCEPTED,
        lambda: view(
            World.create(
                participants=[
                    participant_json(code, schemas=["answer/1.0"] if code == ME else None)
                    for code in sorted(WORLD.keys)
                ]
            )
        ),
    ),
    "3 one wrap too many": Case(sealed_to_one_more, Code.SEALED_TO_WRONG_PARTIES),
    "3 no body": Case(lambda: delivered(replace(the_alert(), body=None)), Code.BODY_MISSING),
    "3 one bit of the ciphertext": Case(flipped_bit, Code.CIPHERTEXT_MISMATCH),
    "3 no agreement": Case(
        lambda: delivered(the_alert()),
        Code.NO_AGREEMENT,
        lambda: view(World.create(agreements=[agreement_json(["330000", "440000"], NOW)])),
    ),
    "6 a sealed body in another's message": Case(copied_seal, Code.CANNOT_OPEN),
    "7 no alert body": Case(lambda: delivered(the_alert(body=b"{}")), Code.BODY_SHAPE),
    "7 not JSON": Case(lambda: delivered(the_alert(body=b"\xff")), Code.NOT_UTF8),
    "7 a rule of the body": Case(
        lambda: delivered(the_alert(body=alert_body(subjects=[], targets=[]))), Code.NO_SUBJECT_OR_TARGET
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_rule_is_refused_with_its_code(case: Case) -> None:
    """Each step refuses with the code of its own."""
    refused = outcome(case.record(), case.given())

    assert isinstance(refused, Reject)
    assert refused.code == case.expected


HELD: Mapping[str, tuple[Callable[[], InRecord], Callable[[], View]]] = {
    "a directory that isn't here yet": (
        lambda: delivered(the_alert(), WORLD.changed()),
        view,
    ),
    "a checkpoint key that isn't here yet": (
        lambda: delivered(
            the_alert(), replace(WORLD.changed(), keys={**WORLD.keys, EXCHANGE: Keys.of("999999")})
        ),
        view,
    ),
    "our own directory has expired": (
        lambda: delivered(the_alert()),
        lambda: view(World.create(expires_at=AT, issued_at=format_time(NOW - timedelta(days=9)))),
    ),
    "our clock is behind by more than two minutes": (
        lambda: delivered(the_alert()),
        lambda: view(now=NOW - timedelta(seconds=121)),
    ),
    "our seal key in force has gone": (lambda: delivered(the_alert()), lambda: view(seal_keys={})),
}


@pytest.mark.parametrize(("record", "given"), HELD.values(), ids=HELD)
def test_our_own_trouble_holds_and_rejects_nothing(
    record: Callable[[], InRecord], given: Callable[[], View]
) -> None:
    """A stale directory, a wrong clock or a missing key of ours is nobody else's fault."""
    assert isinstance(outcome(record(), given()), Hold)


GOOD: Mapping[str, tuple[Callable[[], InRecord], Callable[[], View]]] = {
    "clock behind by exactly two minutes": (
        lambda: delivered(the_alert()),
        lambda: view(now=NOW - timedelta(seconds=120)),
    ),
    "back after three weeks": (lambda: delivered(the_alert()), lambda: view(now=NOW + timedelta(days=21))),
    "expired on arrival": (lambda: delivered(the_alert()), lambda: view(now=NOW + timedelta(days=31))),
    "signed with a key that has ended since": (
        lambda: delivered(the_alert()),
        lambda: view(
            without_key(valid_until=format_time(NOW + timedelta(hours=1))), now=NOW + timedelta(days=1)
        ),
    ),
    "origin suspended since": (
        lambda: delivered(the_alert()),
        lambda: view(suspended("520000"), directory_at=lambda _version: DIRECTORY),
    ),
    "sealed to an older key of ours that is still valid": (
        lambda: delivered(the_alert()),
        lambda: view(
            World.create(
                keys=[
                    *WORLD.document["keys"],
                    key_json(ME, "seal", seal_key("newer"), NOW - timedelta(hours=1)),
                ]
            )
        ),
    ),
}


@pytest.mark.parametrize(("record", "given"), GOOD.values(), ids=GOOD)
def test_everything_is_judged_at_the_time_of_entry(
    record: Callable[[], InRecord], given: Callable[[], View]
) -> None:
    """What was good when the exchange logged it is accepted, however late it is read."""
    assert isinstance(outcome(record(), given()), Accept)


def known(record: OutRecord, **over: Any) -> KnownMessage:
    fields = fields_of(record)
    facts = {
        "origin": fields["origin"],
        "id": fields["id"],
        "thread": fields["thread"],
        "type": fields["type"],
        "status": fields["status"],
        "digest": record.envelope.digest,
        "audience": tuple(fields["audience"]),
        "entered_at": NOW,
    }
    return KnownMessage(**{**facts, **over})


def test_the_same_message_again_is_a_duplicate() -> None:
    """A message known by origin, id and digest changes nothing."""
    record = the_alert()

    assert isinstance(outcome(delivered(record), known=Known.of([known(record)])), Duplicate)


def test_the_same_id_with_other_content_is_an_equivocation() -> None:
    """One id of one origin stands for one content."""
    record = the_alert()
    refused = outcome(delivered(record), known=Known.of([known(record, digest="sha256:" + "0" * 64)]))

    assert isinstance(refused, Reject)
    assert refused.code == Code.EQUIVOCATION


def test_the_same_id_of_another_origin_is_no_duplicate() -> None:
    """Ids are an origin's own; another province's doesn't hide a message."""
    record = the_alert()

    assert isinstance(outcome(delivered(record), known=Known.of([known(record, origin="330000")])), Accept)


MINE = WORLD.message("alert", ME, ["520000"], body=alert_body())
ANSWER_BODY = '{"by":{"officer_ref":"A-1","unit":"演练"},"kind":"progress","text":"演练"}'.encode()


def the_answer(**over: Any) -> InRecord:
    return delivered(WORLD.message("answer", "520000", [ME], about=MINE, body=ANSWER_BODY, **over))


REFERENCES: Mapping[str, tuple[Known, Code | None]] = {
    "known": (Known.of([known(MINE)]), None),
    "another digest": (Known.of([known(MINE, digest="sha256:" + "0" * 64)]), Code.REF_DIGEST),
    "another thread": (Known.of([known(MINE, thread=fields_of(the_alert())["id"])]), Code.REF_THREAD),
    "another status": (Known.of([known(MINE, status="actual")]), Code.REF_STATUS),
    "a bystander answers": (Known.of([known(MINE, audience=("330000",))]), Code.NOT_AN_ADDRESSEE),
}


@pytest.mark.parametrize(("facts", "expected"), REFERENCES.values(), ids=REFERENCES)
def test_references_to_what_is_known_must_fit(facts: Known, expected: Code | None) -> None:
    """Digest, thread, status and authority are checked against what is stored here."""
    judged = outcome(the_answer(), known=facts)

    assert (judged.code if isinstance(judged, Reject) else None) == expected


def test_only_the_sender_of_a_message_attaches_to_it() -> None:
    """To its own message a part is taken, also before that is here; to somebody else's it is refused."""
    alert = the_alert()
    body = compact_json(next(cut("a.txt", b"a")))
    part = delivered(WORLD.message("attachment", "520000", [ME], about=alert, body=body))
    foreign = delivered(WORLD.message("attachment", "520000", [ME], about=MINE, body=body))
    judged = outcome(foreign, known=Known.of([known(MINE)]))

    assert isinstance(outcome(part, known=Known.of([known(alert)])), Accept)
    assert isinstance(outcome(part), Accept)
    assert isinstance(judged, Reject)
    assert (judged.code, judged.where) == (Code.NOT_THE_ORIGIN, "refs")


def test_a_reference_to_something_unknown_is_kept_as_an_orphan() -> None:
    """An answer that comes before its alert (or after the alert was lost) isn't refused."""
    accepted = outcome(the_answer())

    assert isinstance(accepted, Accept)
    assert [ref.id for ref in accepted.orphans] == [fields_of(MINE)["id"]]


def test_a_lapsed_agreement_still_lets_an_answer_in_an_open_thread_through() -> None:
    """The thread's own time counts for an answer; an unknown thread has none."""
    lapsed = World.create(
        agreements=[
            agreement_json(["440000", "520000"], NOW, valid_until=format_time(NOW + timedelta(hours=1)))
        ]
    )
    late = NOW + timedelta(hours=2)
    answer = delivered(
        WORLD.message("answer", "520000", [ME], about=MINE, body=ANSWER_BODY, at=late), at=late
    )

    assert isinstance(outcome(answer, view(lapsed, now=late), Known.of([known(MINE)])), Accept)
    assert isinstance(outcome(answer, view(lapsed, now=late)), Reject)


def test_a_head_is_read_without_a_stamp() -> None:
    """Only its signature by the exchange's message key counts."""
    head = InRecord(WORLD.message("head", EXCHANGE, [ME]).envelope)

    assert isinstance(outcome(head), HeadRead)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(
            lambda: WORLD.message("head", EXCHANGE, [ME], key=WORLD.keys["520000"].message),
            Code.KEY_OWNER,
            id="signed by a province",
        ),
        pytest.param(
            lambda: WORLD.message("head", EXCHANGE, ["520000"]), Code.NOT_IN_AUDIENCE, id="for another"
        ),
        pytest.param(
            lambda: WORLD.message("head", EXCHANGE, [ME], at=NOW + timedelta(seconds=121)),
            Code.ISSUED_IN_FUTURE,
            id="from the future",
        ),
    ],
)
def test_a_head_that_is_not_the_exchanges_word_to_us_is_refused(
    head: Callable[[], OutRecord], expected: Code
) -> None:
    """Another key, another addressee, another time."""
    refused = outcome(InRecord(head().envelope))

    assert isinstance(refused, Reject)
    assert refused.code == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param(2, Hold, id="a directory that we don't have lists it: wait"),
        pytest.param(1, Reject, id="our own directory doesn't list it: refused"),
    ],
)
def test_a_head_under_a_key_that_is_new_to_us(version: int, expected: type) -> None:
    """The exchange has changed its message key, or somebody signs as if it had."""
    state = {"version": version, "digest": DIRECTORY.digest}
    content = {**fields_of(WORLD.message("head", EXCHANGE, [ME]))["content"], "directory": state}
    head = WORLD.message("head", EXCHANGE, [ME], content=content, key=signing_key("the next message key"))

    assert isinstance(outcome(InRecord(head.envelope)), expected)


def test_an_old_head_is_passed_over() -> None:
    """A desk back after weeks finds thousands; none is worth a check or a quarantine entry."""
    head = InRecord(WORLD.message("head", EXCHANGE, [ME]).envelope)

    assert isinstance(outcome(head, view(now=NOW + timedelta(minutes=10))), Passed)


@pytest.mark.parametrize(
    ("record", "answerable"),
    [
        pytest.param(lambda: delivered(the_alert(body=b"{}")), True, id="an alert"),
        pytest.param(
            lambda: delivered(
                WORLD.message("receipt", "520000", [ME], about=MINE, status="actual", refs=None)
            ),
            False,
            id="a receipt",
        ),
        pytest.param(
            lambda: delivered(WORLD.message("notice", EXCHANGE, [ME], about=MINE, refs=None)),
            False,
            id="a notice",
        ),
        pytest.param(
            lambda: delivered(WORLD.message("alert", "520000", ["330000"], body=alert_body())),
            False,
            id="an alert that isn't ours",
        ),
    ],
)
def test_only_what_people_send_is_ever_answered(record: Callable[[], InRecord], answerable: bool) -> None:
    """A refused receipt or notice is noted with its signer, and nobody is told."""
    refused = outcome(record())

    assert isinstance(refused, Reject)
    assert refused.vouched is not None
    assert refused.vouched.answerable == answerable


def test_without_a_good_signature_nobody_is_named() -> None:
    """Bytes that no key vouches for give no origin and no id."""
    refused = outcome(delivered(the_alert(key=Keys.of("666666").message)))

    assert isinstance(refused, Reject)
    assert refused.vouched is None


def test_a_refused_record_with_a_good_stamp_still_counts_as_arrived() -> None:
    """Its delivery number isn't asked for again."""
    refused = outcome(delivered(the_alert(body=b"{}"), delivery_seq=7, before=Frontier()))

    assert isinstance(refused, Reject)
    assert refused.stamp is not None
    assert refused.stamp.delivery_seq == 7
