"""Which terms a body is found by, and which terms a query asks for: pure.

1. Texts (title, names, facts, assessment, request) are found by pairs of neighbouring characters, so that a
   Chinese word of two characters is found. Identifiers (documents, plates, phones, accounts, waybills, case
   numbers) are found whole; a plate also without its province.
2. Everything is compared in one form: compatibility characters as plain ones, small letters, nothing but
   letters and digits.
3. A word of the query must occur as an identifier, or with all its pairs. One character alone asks nothing.
4. Two messages are similar by an identifier that both have, never by a name, a place or a text. The duty
   phone of the unit that wrote isn't one of the case.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tongbao_schemas.codes import Labelled

WORDS_IN_A_QUERY = 6
LONGEST_WORD = 64
PROVINCE_OF_A_PLATE = 1


class Kind(Labelled):
    """What a term is; of an identifier the reason why two messages are similar."""

    PAIR = "pair", "文字", "Text"
    DOCUMENT = "document", "同一证件号码", "Same document number"
    PLATE = "plate", "同一车牌", "Same plate"
    TAIL = "tail", "车牌（不含省份）", "Plate without its province"
    PHONE = "phone", "同一电话", "Same phone"
    ACCOUNT = "account", "同一账号", "Same account"
    WAYBILL = "waybill", "同一运单号", "Same waybill"
    CASE = "case", "同一案件编号", "Same case number"


IDENTIFIERS = tuple(kind for kind in Kind if kind is not Kind.PAIR)
REASONS = tuple(kind for kind in IDENTIFIERS if kind is not Kind.TAIL)


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """A normal form of one kind."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a query: found as any of `whole`, or by all of `pairs`."""

    whole: tuple[Term, ...]
    pairs: tuple[Term, ...]


def of_body(body: dict[str, Any]) -> frozenset[Term]:
    """The terms of a body as it was sent, of whatever type: what isn't there has none."""
    return frozenset(
        term
        for term in (*_identifiers(body), *(p for text in _texts(body) for p in pairs(text)))
        if term.text
    )


def of_query(text: str) -> tuple[Word, ...]:
    """What a query asks for, word by word; words of one character are left out."""
    words = (normal(word) for word in text.split()[:WORDS_IN_A_QUERY])
    return tuple(_word(word[:LONGEST_WORD]) for word in words if len(word) > 1)


def normal(text: str) -> str:
    """The form in which terms are compared."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in plain if character.isalnum())


def pairs(text: str) -> Iterator[Term]:
    """Each two neighbouring characters."""
    plain = normal(text)
    yield from (Term(Kind.PAIR, plain[at : at + 2]) for at in range(len(plain) - 1))


def _word(plain: str) -> Word:
    return Word(tuple(Term(kind, plain) for kind in IDENTIFIERS), tuple(dict.fromkeys(pairs(plain))))


def _texts(body: dict[str, Any]) -> Iterator[str]:
    yield from (_text(body.get(name)) for name in ("title", "facts", "assessment", "text", "upstream_lead"))
    yield _text(_part(body.get("request")).get("detail"))
    yield _text(body.get("firm"))
    yield _text(_part(body.get("operation")).get("code_name"))
    for subject in _parts(body.get("subjects")):
        yield _text(subject.get("name"))
        yield from map(_text, _list(subject.get("aliases")))
    yield from (_text(target.get("description")) for target in _parts(body.get("targets")))


def _identifiers(body: dict[str, Any]) -> Iterator[Term]:
    yield _term(Kind.CASE, _part(body.get("case")).get("number"))
    for subject in _parts(body.get("subjects")):
        yield _term(Kind.DOCUMENT, _part(subject.get("id_document")).get("number"))
        yield from (_term(Kind.PHONE, phone) for phone in _list(subject.get("phones")))
        for vehicle in _parts(subject.get("vehicles")):
            yield from _plate(vehicle.get("plate"))
    for target in _parts(body.get("targets")):
        yield from _plate(target.get("plate"))
        yield _term(Kind.ACCOUNT, target.get("account"))
        yield _term(Kind.WAYBILL, target.get("number"))


def _plate(value: Any) -> Iterator[Term]:
    whole = _term(Kind.PLATE, value)
    yield whole
    yield Term(Kind.TAIL, whole.text[PROVINCE_OF_A_PLATE:])


def _term(kind: Kind, value: Any) -> Term:
    return Term(kind, normal(_text(value)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _part(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _parts(value: Any) -> list[dict[str, Any]]:
    return [part for part in _list(value) if isinstance(part, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
