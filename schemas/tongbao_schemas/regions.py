"""Administrative division codes of GB/T 2260, each valid at a date.

Source: `data/gbt2260.csv`, compiled from the published revisions 1980-12 to 2019-04 and one list as of
2023-06-30. A row is valid at a date if the newest revision not after that date lies between its first and
last revision, both included; so the gap between two revisions belongs to the older one. Which month between
2019-04 and 2023-06 a change happened in is unknown: there the old code and the new one both count.
"""

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

_FIRST: Final = "1980-12"
_LATEST: Final = "2023-06"
_NEWER: Final = "2019-05"


@dataclass(frozen=True, slots=True)
class Region:
    """A division: six-digit code, Chinese name, level (province, prefecture or county)."""

    code: str
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class _Listing:
    region: Region
    first: str
    last: str


def region(code: str, on: date) -> Region | None:
    """The division that `code` named on a date, if any."""
    revision = _revision(on)
    month = f"{on:%Y-%m}"
    for listing in _listings().get(code, ()):
        if listing.first == _NEWER and month >= _NEWER:
            return listing.region
        if listing.first <= revision <= listing.last:
            return listing.region
    return None


@lru_cache(maxsize=64)
def regions(on: date, within: str = "") -> tuple[Region, ...]:
    """The divisions that are valid on a date and whose code begins with `within`, in the order of codes."""
    found = (region(code, on) for code in sorted(_listings()) if code.startswith(within))
    return tuple(each for each in found if each is not None)


def ended(code: str, on: date) -> tuple[Region, str] | None:
    """What a code that isn't valid on a date named last before, and the month since which it doesn't."""
    before = [row for row in _listings().get(code, ()) if row.last <= _revision(on)]
    if not before or region(code, on) is not None:
        return None
    last = max(before, key=lambda row: row.last)
    return last.region, next((month for month in _revisions() if month > last.last), last.last)


def _revision(on: date) -> str:
    """The newest revision month not after a date."""
    revisions = _revisions()
    return revisions[max(bisect_right(revisions, f"{on:%Y-%m}") - 1, 0)]


@cache
def _listings() -> Mapping[str, tuple[_Listing, ...]]:
    table: dict[str, list[_Listing]] = defaultdict(list)
    text = (files("tongbao_schemas") / "data" / "gbt2260.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        first = _NEWER if row["listed_from"].startswith("after") else row["listed_from"] or _FIRST
        found = Region(row["code"], row["name"], row["level"])
        table[row["code"]].append(_Listing(found, first, row["listed_to"] or "9999-12"))
    return {code: tuple(listings) for code, listings in table.items()}


@cache
def _revisions() -> list[str]:
    months = {month for rows in _listings().values() for row in rows for month in (row.first, row.last)}
    return sorted((months | {_LATEST}) - {_NEWER, "9999-12"})
