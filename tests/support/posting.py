"""Postings as a directory lists them, from a network's own moment."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.province import Network
from tongbao_schemas.encoding import format_time

OFFICER = "A-0301"
HOME, HOST, OTHER = "520000", "440000", "330000"


def posting(
    at: datetime,
    *,
    days: tuple[int, int] = (-1, 30),
    officer_ref: str = OFFICER,
    home: str = HOME,
    host: str = HOST,
) -> dict[str, Any]:
    """One posting, from so many days until so many days from a moment."""
    start, end = (format_time(at + timedelta(days=each)) for each in days)
    return {"officer_ref": officer_ref, "home": home, "host": host, "valid_from": start, "valid_until": end}


def post(net: Network, *postings: dict[str, Any]) -> None:
    """Puts these postings into the directory's next version, and lets everybody have it."""
    net.change(postings=list(postings or [posting(net.clock.now())]))
    net.settle()
