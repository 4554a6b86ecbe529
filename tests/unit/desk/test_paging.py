"""Which page an address asks for."""

import pytest

from tongbao_connectors.desk.paging import page_number


@pytest.mark.parametrize(
    ("asked", "number"),
    [("", 1), ("1", 1), ("7", 7), ("0", 1), ("-2", 1), ("²", 1), ("x", 1), ("99999999", 1), ("٣", 3)],
)
def test_what_is_no_number_asks_for_the_first_page(asked: str, number: int) -> None:
    """A digit that is no number, such as a superscript, neither."""
    assert page_number({"page": asked}) == number
    assert page_number({}) == 1
