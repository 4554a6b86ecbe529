"""Which page of a list an address or a form asks for."""

from collections.abc import Mapping


def page_number(given: Mapping[str, str]) -> int:
    """The page asked for, from 1; what is no number asks for the first."""
    asked = given.get("page", "1")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 8 else 1
