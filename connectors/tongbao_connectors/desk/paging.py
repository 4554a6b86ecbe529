"""Which page of a list an address or a form asks for, and other whole numbers that a browser tells."""

from collections.abc import Mapping


def page_number(given: Mapping[str, str]) -> int:
    """The page asked for, from 1; what is no number asks for the first."""
    return max(1, whole_number(given.get("page"), digits=7))


def whole_number(told: str | None, digits: int = 18) -> int:
    """A number of at most so many digits; 0 for anything else."""
    return int(told) if told and told.isdecimal() and len(told) <= digits else 0
