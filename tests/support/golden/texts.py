"""JSON that is signed as it stands and still refused: the parse gate over payloads and bodies."""

from typing import Any

from tests.support.golden.case import Family
from tests.support.golden.maker import Maker
from tests.support.golden.network import GD, GZ
from tongbao_schemas.gate import MAX_INTEGER
from tongbao_schemas.record import OutRecord

UNIT = "演练值班室"


def family() -> Family:
    make = Maker("texts")
    alert = make.alert("the alert")
    before = (make.earlier("the alert", alert),)
    key = make.world.keys[GD].message

    def receipt(name: str, **over: Any) -> OutRecord:
        item = make.message(name, "receipt", GD, [GZ], about=alert, **over)
        desk = {"stage": "claimed", "by": {"unit": UNIT, "officer_ref": "粤-0117"}}
        return make.changed(item, lambda fields: fields["content"]["items"][0].update(desk), key)

    def case(name: str, says: str, old: str, new: bytes, expected: str) -> None:
        """The receipt with one piece of its payload's text replaced."""
        piece = old.encode() if old else b'"status":"exercise"'
        make.admission(
            name, says, make.rewritten(receipt(name), piece, new, key), expected, by=GD, before=before
        )

    def number(name: str, says: str, written: bytes, expected: str) -> None:
        """The receipt with its seq written in another way."""
        record = receipt(name, seq=777_777)
        bent = make.rewritten(record, b'"seq":777777', b'"seq":' + written, key)
        make.admission(name, says, bent, expected, by=GD, before=before)

    def unit(name: str, says: str, written: bytes, expected: str) -> None:
        """The receipt with its unit's name written in another way."""
        case(name, says, f'"{UNIT}"', b'"' + written + b'"', expected)

    status = b'"status":"exercise"'
    unit("good-text", "A receipt whose text is as it should be.", UNIT.encode(), "admit")
    unit("escaped-text", "Escapes are as good as the characters themselves.", rb"\u6f14\u7ec3", "admit")
    unit("private-use", "A private-use character, as rare names need them.", "演练\ue000".encode(), "admit")
    unit("astral", "A character beyond U+FFFF.", "演练𠮷".encode(), "admit")
    case(
        "key-twice", "`status` twice, the second time another.", "", status + b',"status":"actual"', "TB-104"
    )
    case(
        "key-twice-by-escape",
        "The second `status` is spelled with an escape.",
        "",
        status + rb',"st\u0061tus":"actual"',
        "TB-104",
    )
    number("largest-integer", "A seq of 2^53 − 1.", str(MAX_INTEGER).encode(), "admit")
    number("too-large-integer", "A seq of 2^53.", str(MAX_INTEGER + 1).encode(), "TB-105")
    number("nan", "NaN isn't JSON, though many parsers read it.", b"NaN", "TB-105")
    number("infinity", "Nor is Infinity.", b"Infinity", "TB-105")
    number("huge-exponent", "1e400, which some parsers turn into infinity.", b"1e400", "TB-105")
    number("exponent", "1e3 is a whole number, but not written as one.", b"1e3", "TB-105")
    number("fraction", "1.0 is not written as a whole number.", b"1.0", "TB-105")
    number("leading-zero", "01 is no JSON number.", b"01", "TB-105")
    number("number-in-quotes", "A text is not converted into a number.", b'"777777"', "TB-301")
    number("null", "Nothing is ever null.", b"null", "TB-114")
    number("truth", "true is no number.", b"true", "TB-301")
    case(
        "depth-16", "Depth 16 passes the gate; the header's model has no such field.", "", _deep(15), "TB-301"
    )
    case("depth-17", "Depth 17.", "", _deep(16), "TB-106")
    unit("nul-escaped", "U+0000 as an escape.", rb"a\u0000", "TB-107")
    unit("nul-raw", "U+0000 as it is.", b"a\x00", "TB-107")
    unit("delete", "U+007F, which JSON itself allows.", b"a\x7f", "TB-107")
    unit("c1-control", "U+0085.", "a\x85".encode(), "TB-107")
    unit("tab", "A tab.", rb"a\tb", "TB-107")
    unit(
        "line-break-in-header",
        "A line break passes the gate, but a header's text has one line.",
        rb"a\nb",
        "TB-301",
    )
    unit("bidi", "U+202E turns the text that follows around.", "甲\u202e乙".encode(), "TB-107")
    unit("bidi-isolate", "U+2066.", "甲\u2066乙".encode(), "TB-107")
    unit("zero-width", "U+200B.", "甲\u200b乙".encode(), "TB-107")
    unit("byte-order-mark-inside", "U+FEFF within a text.", rb"a\ufeff", "TB-107")
    unit("noncharacter", "U+FFFE.", rb"a\ufffe", "TB-107")
    unit("noncharacter-beyond", "U+1FFFF, as a pair of escapes.", rb"a\ud83f\udfff", "TB-107")
    unit("lone-surrogate", "Half a pair of surrogates.", rb"a\ud800", "TB-107")
    unit("reversed-surrogates", "A pair in the wrong order.", rb"a\udc00\ud800", "TB-107")
    unit("not-nfc", "e with a combining accent.", "e\u0301".encode(), "TB-108")
    unit("not-nfc-by-escape", "The same, the accent as an escape.", rb"e\u0301", "TB-108")
    unit("compatibility-ideograph", "U+F900, which NFC replaces by U+8C48.", "\uf900".encode(), "TB-108")
    case("bad-key", "The forbidden character is in a key.", "", status + rb',"a\u200b":1', "TB-107")
    make.admission(
        "payload-not-utf-8",
        "Signed bytes that aren't UTF-8.",
        make.rewritten(receipt("latin"), f'"{UNIT}"'.encode(), b'"\xe9"', key),
        "TB-102",
        by=GD,
        before=before,
    )
    _bodies(make)
    return Family(
        make.family, "The parse gate over signed payloads (step 5) and over opened bodies.", make.cases
    )


def _bodies(make: Maker) -> None:
    for name, says, body, expected in (
        ("body-key-twice", "A sealed body with a key twice.", b'{"title":"a","title":"b"}', "TB-104"),
        ("body-fraction", "A sealed body with a fraction.", b'{"quantity":1.5}', "TB-105"),
        ("body-bidi", "A sealed body with U+202E.", '{"title":"\u202e"}'.encode(), "TB-107"),
        ("body-not-nfc", "A sealed body that isn't NFC.", '{"title":"e\u0301"}'.encode(), "TB-108"),
        ("body-not-utf-8", "A sealed body that isn't UTF-8.", b'{"title":"\xff"}', "TB-102"),
        ("body-empty", "A sealed body of no bytes.", b"", "TB-103"),
        ("body-depth-17", "A sealed body 17 deep.", b"{" + _deep(16) + b"}", "TB-106"),
    ):
        make.acceptance(name, says, make.alert(name, body=body), expected)


def _deep(lists: int) -> bytes:
    """A member whose value is so many lists deep; the object around it makes one more."""
    return b'"status":' + b"[" * lists + b"]" * lists
