"""The header model: every type's fields, and what bends each of them."""

import json
from typing import Any

import pytest

from tests.unit.schemas import wire
from tongbao_schemas import header as models
from tongbao_schemas import number as numbers
from tongbao_schemas.codes import EXCHANGE_TYPES, KNOWN_SCHEMAS, PEOPLES_TYPES, RELATIONS, MessageType
from tongbao_schemas.encoding import b64encode, digest, parse_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import parse_header, payload_bytes
from tongbao_schemas.number import readable_number
from tongbao_schemas.record import OUT_LIMIT
from tongbao_schemas.refusals import Code

CLASSES: dict[str, type[models.Header]] = {
    "alert": models.AlertHeader,
    "update": models.UpdateHeader,
    "cancel": models.CancelHeader,
    "answer": models.AnswerHeader,
    "reply": models.ReplyHeader,
    "reminder": models.ReminderHeader,
    "closure": models.ClosureHeader,
    "attachment": models.AttachmentHeader,
    "receipt": models.ReceiptHeader,
    "notice": models.NoticeHeader,
    "head": models.HeadHeader,
}

COMMON = {
    *("network", "id", "thread", "type", "status", "origin"),
    *("audience", "issued_at", "expires_at", "refs", "schema"),
}
PROVINCES = COMMON | {"seq", "seen"}
PEOPLES = PROVINCES | {"number", "urgency", "handling", "category", "sealed"}
REQUIRED = dict.fromkeys(wire.PEOPLES, PEOPLES) | {
    "alert": PEOPLES | {"deadlines"},
    "receipt": PROVINCES | {"content"},
    "notice": COMMON | {"content"},
    "head": COMMON | {"content"},
}
SOMEWHERE = {
    "seq": 1,
    "seen": {"size": 0, "root": wire.NOTHING_YET},
    "number": readable_number("520000", 2026, 17),
    "urgency": "flash",
    "handling": "H1",
    "category": "online",
    "sealed": wire.header("alert")["sealed"],
    "deadlines": wire.deadlines(),
    "content": {"items": [wire.item("delivered")]},
}


def refusal(value: dict[str, Any]) -> Refused:
    """How a header is refused."""
    with pytest.raises(Refused) as caught:
        parse_header(wire.text(value))
    return caught.value


@pytest.mark.parametrize("kind", wire.ALL_TYPES)
def test_a_good_header_of_every_type_is_read(kind: str) -> None:
    """Each of the eleven types has its class, and the class keeps what was written."""
    header = parse_header(wire.text(wire.header(kind)))

    assert isinstance(header, CLASSES[kind])
    assert header.model_dump(mode="json", by_alias=True, exclude_none=True) == wire.header(kind)


@pytest.mark.parametrize("kind", wire.ALL_TYPES)
def test_each_type_has_exactly_its_own_fields(kind: str) -> None:
    """A field that the type needs must be there; a field of another type must not."""
    for name in REQUIRED[kind]:
        refused = refusal(wire.bent(kind, name, ...))
        assert (refused.code, refused.where) == (Code.HEADER_SHAPE, name)

    optional = {"deadlines"} if kind == "update" else set()
    for name in SOMEWHERE.keys() - REQUIRED[kind] - optional:
        refused = refusal(wire.bent(kind, name, SOMEWHERE[name]))
        assert (refused.code, refused.where) == (Code.HEADER_SHAPE, "(unknown field)")


def test_an_update_may_set_deadlines() -> None:
    """Deadlines are optional in an update: with them it reads as without."""
    header = parse_header(wire.text(wire.bent("update", "deadlines", wire.deadlines())))

    assert isinstance(header, models.UpdateHeader)
    assert header.deadlines is not None
    assert header.deadlines.sign_by == parse_time(wire.LATER)


BENT = {
    "type unknown": ("alert", "type", "gossip", "type"),
    "type missing": ("alert", "type", ..., "type"),
    "type of another case": ("alert", "type", "Alert", "type"),
    "network in capitals": ("alert", "network", "Demo", "network"),
    "network of one letter": ("alert", "network", "d", "network"),
    "network of 33 letters": ("alert", "network", "d" * 33, "network"),
    "network with a line feed": ("alert", "network", "demo\n", "network"),
    "id in capitals": ("alert", "id", wire.ID.upper(), "id"),
    "id of version 4": ("alert", "id", wire.ID[:14] + "4" + wire.ID[15:], "id"),
    "id of a foreign variant": ("alert", "id", wire.ID[:19] + "c" + wire.ID[20:], "id"),
    "id without hyphens": ("alert", "id", wire.ID.replace("-", ""), "id"),
    "alert in another thread": ("alert", "thread", wire.OTHER_ID, "thread"),
    "receipt in another thread": ("receipt", "thread", wire.OTHER_ID, "thread"),
    "notice in another thread": ("notice", "thread", wire.OTHER_ID, "thread"),
    "status unknown": ("alert", "status", "drill", "status"),
    "status as its label": ("alert", "status", "正式", "status"),
    "exercise head": ("head", "status", "exercise", "status"),
    "origin of seven digits": ("alert", "origin", "5200000", "origin"),
    "origin a county": ("alert", "origin", "520102", "origin"),
    "origin as a number": ("alert", "origin", 520000, "origin"),
    "alert of the exchange": ("alert", "origin", "100000", "origin"),
    "notice of a province": ("notice", "origin", "520000", "origin"),
    "head of a province": ("head", "origin", "520000", "origin"),
    "audience empty": ("alert", "audience", [], "audience"),
    "audience all": ("alert", "audience", ["all"], "audience[0]"),
    "audience a string": ("alert", "audience", "440000", "audience"),
    "audience unsorted": ("alert", "audience", ["440000", "330000"], "audience"),
    "audience twice": ("alert", "audience", ["440000", "440000"], "audience"),
    "time without milliseconds": ("alert", "issued_at", "2026-11-23T18:34:28Z", "issued_at"),
    "time with an offset": ("alert", "issued_at", "2026-11-23T18:34:28.519+00:00", "issued_at"),
    "time with a leap second": ("alert", "issued_at", "2016-12-31T23:59:60.000Z", "issued_at"),
    "time that is no date": ("alert", "issued_at", "2026-02-30T18:34:28.519Z", "issued_at"),
    "time as a number": ("alert", "issued_at", 1795458868, "issued_at"),
    "time with a line feed": ("alert", "issued_at", wire.ISSUED + "\n", "issued_at"),
    "time in other digits": ("alert", "issued_at", "２０２６-11-23T18:34:28.519Z", "issued_at"),
    "expires when issued": ("answer", "expires_at", wire.ISSUED, "expires_at"),
    "schema of another type": ("alert", "schema", "answer/1.0", "schema"),
    "schema without a version": ("alert", "schema", "alert", "schema"),
    "schema version 0": ("alert", "schema", "alert/0.1", "schema"),
    "schema version 1.00": ("alert", "schema", "alert/1.00", "schema"),
    "schema version 100": ("alert", "schema", "alert/100.0", "schema"),
    "schema by its Python name": ("alert", "schema_name", "alert/1.0", "(unknown field)"),
    "alert with a ref": ("alert", "refs", wire.header("answer")["refs"], "refs"),
    "receipt with a ref": ("receipt", "refs", wire.header("answer")["refs"], "refs"),
    "answer without a ref": ("answer", "refs", [], "refs"),
    "ref relation unknown": ("answer", "refs.0.relation", "likes", "refs[0].relation"),
    "ref digest without its algorithm": ("answer", "refs.0.digest", "ab" * 32, "refs[0].digest"),
    "ref digest in capitals": ("answer", "refs.0.digest", "sha256:" + "AB" * 32, "refs[0].digest"),
    "ref with one more field": ("answer", "refs.0.note", "x", "refs[0] (unknown field)"),
    "seq 0": ("alert", "seq", 0, "seq"),
    "seq true": ("alert", "seq", True, "seq"),
    "seq a string": ("alert", "seq", "1", "seq"),
    "seen negative": ("alert", "seen.size", -1, "seen.size"),
    "seen root in base64": (
        "alert",
        "seen.root",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "seen.root",
    ),
    "urgency unknown": ("alert", "urgency", "high", "urgency"),
    "handling in lower case": ("alert", "handling", "h1", "handling"),
    "category unknown": ("alert", "category", "other", "category"),
    "basis empty": ("alert", "deadlines.basis", "", "deadlines.basis"),
    "basis of 201 characters": ("alert", "deadlines.basis", "甲" * 201, "deadlines.basis"),
    "basis of two lines": ("alert", "deadlines.basis", "甲\n乙", "deadlines.basis"),
    "suite unknown": ("alert", "sealed.suite", "X25519-SHA256-CHACHA", "sealed.suite"),
    "sealed to nobody": ("alert", "sealed.to", [], "sealed.to"),
    "wrap too short": ("alert", "sealed.to.0.wrap", "AAAA", "sealed.to[0].wrap"),
    "ciphertext of no block": ("alert", "sealed.ct_size", 16, "sealed.ct_size"),
    "ciphertext with half a block": ("alert", "sealed.ct_size", 4113, "sealed.ct_size"),
    "ciphertext of 89 blocks": ("alert", "sealed.ct_size", 4096 * 89 + 16, "sealed.ct_size"),
    "seal with one more field": ("alert", "sealed.cek", "x", "sealed (unknown field)"),
    "plaintext content on an alert": ("alert", "content", {"facts": "甲"}, "(unknown field)"),
}


@pytest.mark.parametrize(("kind", "path", "value", "where"), BENT.values(), ids=BENT)
def test_a_bent_field_is_refused_at_its_place(kind: str, path: str, value: Any, where: str) -> None:
    """Each wrong value is refused as HEADER_SHAPE, and the refusal names the field."""
    refused = refusal(wire.bent(kind, path, value))

    assert (refused.code, refused.where) == (Code.HEADER_SHAPE, where)


WRONG_BASE64 = {
    "trailing bits": "A" * 106 + "B=",
    "URL-safe": "_" * 106 + "A=",
    "line break": "A" * 105 + "\nA=",
    "no padding": "A" * 108,
}


@pytest.mark.parametrize("wrap", WRONG_BASE64.values(), ids=WRONG_BASE64)
def test_a_wrap_is_canonical_base64_of_eighty_bytes(wrap: str) -> None:
    """A wrap in another spelling is refused, so that the signed header has one form only."""
    refused = refusal(wire.bent("alert", "sealed.to.0.wrap", wrap))

    assert refused.code in (Code.BASE64_FORM, Code.HEADER_SHAPE)


@pytest.mark.parametrize("blocks", [1, 2, 88])
def test_a_ciphertext_has_whole_blocks(blocks: int) -> None:
    """The size that is signed is 4096·n + 16 bytes with 1 ≤ n ≤ 88."""
    size = 4096 * blocks + 16
    header = parse_header(wire.text(wire.bent("alert", "sealed.ct_size", size)))

    assert isinstance(header, models.PeopleHeader)
    assert header.sealed.ct_size == size


def test_the_relations_of_a_type_are_those_of_the_table() -> None:
    """Over all types and relations, a header passes exactly where the table has the pair."""
    passed = set()
    for kind in wire.PEOPLES[1:]:
        for relation in ("supplements", "corrects", "retracts", "answers", "closes"):
            value = wire.bent(kind, "refs.0.relation", relation)
            try:
                parse_header(wire.text(value))
            except Refused:
                continue
            passed.add((kind, relation))

    assert passed == {(kind.value, relation.value) for kind, row in RELATIONS.items() for relation in row}


def test_every_type_has_a_row_in_the_tables() -> None:
    """The tables of relations and schemas leave out no type, and each type is either side's."""
    assert set(RELATIONS) == set(MessageType)
    assert {name.partition("/")[0] for name in KNOWN_SCHEMAS} == set(MessageType)
    assert set(wire.PEOPLES) == PEOPLES_TYPES
    assert not PEOPLES_TYPES & EXCHANGE_TYPES


ORDERS = {
    "signed for when issued": {"sign_by": wire.ISSUED},
    "feedback before signing": {"sign_by": wire.EXPIRES, "first_feedback_by": wire.LATER},
    "result before feedback": {"first_feedback_by": wire.EXPIRES, "result_by": wire.LATER},
    "result after expiry": {"result_by": "2026-12-23T18:34:28.520Z"},
}


@pytest.mark.parametrize("kind", ["alert", "update"])
@pytest.mark.parametrize("change", ORDERS.values(), ids=ORDERS)
def test_deadlines_out_of_order_have_their_own_code(kind: str, change: dict[str, str]) -> None:
    """issued_at < sign_by ≤ first_feedback_by ≤ result_by ≤ expires_at, or DEADLINES_ORDER."""
    refused = refusal(wire.bent(kind, "deadlines", wire.deadlines() | change))

    assert (refused.code, refused.where) == (Code.DEADLINES_ORDER, "deadlines")


@pytest.mark.parametrize(
    "moment", [wire.EXPIRES, "2026-11-23T18:34:28.520Z"], ids=["expiry", "next millisecond"]
)
def test_deadlines_may_fall_together(moment: str) -> None:
    """All deadlines may be one moment: from the millisecond after issue to the moment of expiry."""
    same = dict.fromkeys(("sign_by", "first_feedback_by", "result_by"), moment)

    parse_header(wire.text(wire.bent("alert", "deadlines", wire.deadlines() | same)))


def test_a_message_may_live_for_one_millisecond() -> None:
    """The shortest life is one millisecond; none at all is refused."""
    header = parse_header(wire.text(wire.bent("answer", "expires_at", "2026-11-23T18:34:28.520Z")))

    assert header.expires_at > header.issued_at


def test_a_field_has_one_name() -> None:
    """The schema goes by its wire name only: by our own attribute's name it is missing."""
    value = wire.bent("alert", "schema", ...) | {"schema_name": "alert/1.0"}

    assert (refusal(value).code, refusal(value).where) == (Code.HEADER_SHAPE, "schema")


def test_a_header_may_fill_its_limit() -> None:
    """A payload of exactly the limit is read, one byte more is too large, and both fit a record in base64."""
    full = wire.text(wire.header("alert")).ljust(models.HEADER_LIMIT)

    parse_header(full)
    with pytest.raises(Refused) as caught:
        parse_header(full + b" ")
    assert caught.value.code is Code.RECORD_TOO_LARGE
    assert len(b64encode(full)) <= OUT_LIMIT


def test_a_message_may_go_to_everyone_and_refer_to_many() -> None:
    """33 provinces in an audience and several refs of the type's relations are no fault."""
    everyone = sorted(numbers.PROVINCES.keys() - {"100000", "520000"})
    refs = [
        {"id": wire.OTHER_ID, "digest": wire.DIGEST, "relation": name} for name in ("supplements", "corrects")
    ]
    header = parse_header(wire.text(wire.header("update") | {"audience": everyone, "refs": refs}))

    assert (len(header.audience), len(header.refs)) == (33, 2)


@pytest.mark.parametrize("kind", wire.PEOPLES[1:])
def test_other_messages_carry_the_number_of_their_thread(kind: str) -> None:
    """Only an alert's number names its sender: an answer goes under the number it answers."""
    number = numbers.readable_number("440000", 2026, 17)
    header = parse_header(wire.text(wire.bent(kind, "number", number)))

    assert isinstance(header, models.PeopleHeader)
    assert header.number == number


NUMBERS = {
    "another province": readable_number("440000", 2026, 17),
    "wrong check character": "黔2026-000017-A",
    "no number": "",
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_an_alert_has_a_number_of_its_origin(number: str) -> None:
    """A number of another province, or one that fails its check, is NUMBER_WRONG."""
    refused = refusal(wire.bent("alert", "number", number))

    assert (refused.code, refused.where) == (Code.NUMBER_WRONG, "number")


WITHOUT_ID = {name: value for name, value in wire.item("refused").items() if name != "of"}
RECEIPTS = {
    "delivered": ([wire.item("delivered")], "440000"),
    "every stage": ([wire.item(stage) for stage in wire.STAGES if stage != "missing"], "440000"),
    "refused without an id": ([WITHOUT_ID], "440000"),
    "missing": ([wire.item("missing")], "100000"),
    "500 items": ([wire.item("delivered")] * 500, "440000"),
}


@pytest.mark.parametrize(("items", "to"), RECEIPTS.values(), ids=RECEIPTS)
def test_receipts_of_every_stage_are_read(items: list[dict[str, Any]], to: str) -> None:
    """Each stage has its own shape of item, and a receipt holds 1 to 500 of them."""
    value = wire.header("receipt") | {"audience": [to], "content": {"items": items}}
    header = parse_header(wire.text(value))

    assert isinstance(header, models.ReceiptHeader)
    assert [item["stage"] for item in items] == [item.stage for item in header.content.items]


@pytest.mark.parametrize("stage", wire.STAGES)
def test_exactly_the_desk_stages_name_a_person(stage: str) -> None:
    """What a person did says by whom; what a connector did must not name anyone."""
    desk = stage in wire.DESK_STAGES
    changed = {name: value for name, value in wire.item(stage).items() if name != "by"}
    if not desk:
        changed["by"] = wire.item("claimed")["by"]
    value = wire.header("receipt") | {
        "audience": ["100000" if stage == "missing" else "440000"],
        "content": {"items": [changed]},
    }

    assert refusal(value).where.endswith(".by" if desk else "(unknown field)")


BAD_RECEIPTS = {
    "no item": ([], "440000"),
    "501 items": ([wire.item("delivered")] * 501, "440000"),
    "unknown stage": ([{**wire.item("delivered"), "stage": "lost"}], "440000"),
    "claimed by nobody": ([{**wire.item("delivered"), "stage": "claimed"}], "440000"),
    "delivered by somebody": ([{**wire.item("claimed"), "stage": "delivered"}], "440000"),
    "officer of two lines": (
        [{**wire.item("claimed"), "by": {"unit": "演练支队", "officer_ref": "甲\n乙"}}],
        "440000",
    ),
    "officer with a name": (
        [{**wire.item("claimed"), "by": {"unit": "演练支队", "officer_ref": "粤-0117", "name": "甲"}}],
        "440000",
    ),
    "refused without a code": ([{**wire.item("delivered"), "stage": "refused"}], "440000"),
    "refused with a foreign code": ([{**wire.item("refused"), "code": "E42"}], "440000"),
    "missing number 0": ([{**wire.item("missing"), "delivery_seq": 0}], "100000"),
    "missing to a province": ([wire.item("missing")], "440000"),
    "delivered to the exchange": ([wire.item("delivered")], "100000"),
    "missing among others": ([wire.item("missing"), wire.item("delivered")], "100000"),
}


@pytest.mark.parametrize(("items", "to"), BAD_RECEIPTS.values(), ids=BAD_RECEIPTS)
def test_a_receipt_out_of_shape_is_refused(items: list[dict[str, Any]], to: str) -> None:
    """An item that is not of its stage's shape, or goes to the wrong place, is refused."""
    refused = refusal(wire.header("receipt") | {"audience": [to], "content": {"items": items}})

    assert refused.code is Code.HEADER_SHAPE


def test_a_receipt_has_one_receiver() -> None:
    """A receipt is about messages of one origin, so it goes to one."""
    refused = refusal(wire.bent("receipt", "audience", ["330000", "440000"]))

    assert (refused.code, refused.where) == (Code.HEADER_SHAPE, "audience")


@pytest.mark.parametrize("kind", wire.NOTICES)
def test_notices_of_every_kind_are_read(kind: str) -> None:
    """Each kind of notice has its own fields, and every one of them is needed."""
    own = wire.notice(kind).keys() - {"of", "digest"}
    header = parse_header(wire.text(wire.bent("notice", "content", wire.notice(kind))))

    assert isinstance(header, models.NoticeHeader)
    assert header.content.kind == kind
    for name in own:
        content = {key: value for key, value in wire.notice(kind).items() if key != name}
        assert refusal(wire.bent("notice", "content", content)).code is Code.HEADER_SHAPE


def test_a_rejection_may_be_of_something_unreadable() -> None:
    """What could not be read has no id and digest; its record's place and hash are there."""
    content = {name: value for name, value in wire.notice("rejected").items() if name not in ("of", "digest")}
    header = parse_header(wire.text(wire.bent("notice", "content", content)))

    assert isinstance(header, models.NoticeHeader)
    assert isinstance(header.content, models.RejectedNotice)
    assert header.content.of is None


HOLES = {
    "none": ([], True),
    "one": ([[4, 4]], True),
    "up to the last integer": ([[4, 2**53 - 1]], True),
    "neighbours": ([[4, 5], [6, 6]], True),
    "settled": ([[3, 4]], False),
    "backwards": ([[6, 5]], False),
    "overlapping": ([[4, 6], [6, 8]], False),
    "unsorted": ([[8, 9], [4, 5]], False),
    "of three": ([[4, 5, 6]], False),
    "of one": ([[4]], False),
}


@pytest.mark.parametrize(("holes", "good"), HOLES.values(), ids=HOLES)
def test_holes_ascend_above_what_is_settled(holes: list[list[int]], good: bool) -> None:
    """A head's holes are ranges in order, none of them within 1..settled_seq."""
    value = wire.bent("head", "content.holes", holes)

    if good:
        parse_header(wire.text(value))
    else:
        assert refusal(value).code is Code.HEADER_SHAPE


def test_a_header_passes_the_gate_first() -> None:
    """A payload that breaks a rule of the gate is refused with the gate's code, not as a shape."""
    bidi = wire.bent("alert", "deadlines.basis", "甲\u202e乙")

    assert refusal(bidi).code is Code.FORBIDDEN_CHARACTER
    assert refusal(wire.bent("alert", "seq", 1.0)).code is Code.NUMBER_FORM
    assert refusal(wire.bent("update", "deadlines", None)).code is Code.NULL_VALUE


def test_a_refusal_names_no_key_or_value_of_the_sender() -> None:
    """Neither an unknown key nor a wrong value reaches the text of a refusal."""
    canary = "canary-演练甲-520000198802290018"
    for value in (
        wire.bent("alert", canary, canary),
        wire.bent("alert", f"sealed.{canary}", 1),
        wire.bent("alert", "type", canary),
        wire.bent("alert", "status", canary),
        wire.bent("receipt", "content", {"items": [{"stage": canary}]}),
        wire.bent("notice", "content", {"kind": canary}),
    ):
        refused = refusal(value)
        assert canary not in str(refused) + repr(refused) + refused.where
        assert refused.__cause__ is None
        assert canary not in str(refused.__context__)


def test_what_we_write_is_compact_and_read_again() -> None:
    """The payload we sign has sorted keys and no spaces; its digest is that of these bytes."""
    payload = payload_bytes(wire.header("alert"))

    assert (
        payload
        == json.dumps(
            wire.header("alert"), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()
    )
    assert digest(payload) == digest(payload_bytes(json.loads(payload)))


def test_what_would_be_refused_is_not_written() -> None:
    """`payload_bytes` refuses a header that its receiver would refuse."""
    with pytest.raises(Refused) as caught:
        payload_bytes(wire.bent("alert", "audience", ["440000", "330000"]))
    assert caught.value.code is Code.HEADER_SHAPE
