"""Which terms bodies and queries have."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_connectors.search import terms
from tongbao_connectors.search.terms import Kind, Term

BODY = {
    "title": "请查",
    "case": {"number": "演练案〔2026〕1号"},
    "subjects": [
        {
            "name": "演练甲",
            "aliases": ["阿演"],
            "id_document": {"number": "52000019880229001X"},
            "phones": ["000-0001"],
            "vehicles": [{"plate": "贵A·00000"}],
        }
    ],
    "targets": [{"account": "Demo_1"}, {"number": "SF 001"}],
    "contact": {"duty_phone": "0851-110"},
}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.PAIR, "请查"),
        (Kind.PAIR, "练甲"),
        (Kind.PAIR, "阿演"),
        (Kind.CASE, "演练案20261号"),
        (Kind.DOCUMENT, "52000019880229001x"),
        (Kind.PHONE, "0000001"),
        (Kind.PLATE, "贵a00000"),
        (Kind.TAIL, "a00000"),
        (Kind.ACCOUNT, "demo1"),
        (Kind.WAYBILL, "sf001"),
    ],
)
def test_a_body_is_found_by(kind: Kind, text: str) -> None:
    """Names and texts by pairs, identifiers whole, in one form."""
    assert Term(kind, text) in terms.of_body(BODY)


def test_the_writing_units_phone_is_no_term() -> None:
    """Else all alerts of one unit would be similar."""
    assert not [term for term in terms.of_body(BODY) if term.text == "0851110"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("贵Ａ·00000", "贵a00000"), ("000-0001", "0000001"), ("ＡＢ", "ab"), ("阿　演", "阿演")],
)
def test_one_form(one: str, other: str) -> None:
    """Width, case, blanks and signs make no difference."""
    assert terms.normal(one) == terms.normal(other)


@pytest.mark.parametrize("query", ["", " ", "甲", "·", "甲 乙", "%_"])
def test_asks_nothing(query: str) -> None:
    """Less than two letters or digits."""
    assert terms.of_query(query) == ()


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=2, max_size=30))
def test_a_text_is_found_by_itself(text: str) -> None:
    """Whatever a title says, asking for it whole asks for pairs that it has."""
    found = terms.of_body({"title": text})
    for word in terms.of_query(text):
        if " " not in text.strip():
            assert set(word.pairs) <= found


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
    )
)
def test_any_shape_has_terms(shape: object) -> None:
    """A body of whatever shape is read without an error."""
    names = ("title", "subjects", "targets", "case", "request", "operation")

    assert isinstance(terms.of_body(dict.fromkeys(names, shape)), frozenset)
