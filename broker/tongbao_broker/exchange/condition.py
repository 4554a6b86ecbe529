"""How the relay stands, as whoever watches it sees it from another thread: copies, never what is at work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tongbao_broker.exchange.dispatch import LaneState
from tongbao_broker.trust.directory import Trust

__all__ = ["Condition"]


@dataclass(frozen=True, slots=True)
class Condition:
    """`held` is why the streams are held, empty while they flow; `unread` maps a province to the next offset
    of its `out` topic and the end that is known of it.
    """

    held: str
    trust: Trust
    keys: Mapping[str, str]
    lanes: Mapping[str, LaneState]
    refused: frozenset[str]
    """Provinces whose `in` topic the broker refused at the last attempt."""
    closed: frozenset[str]
    """Provinces whose `out` topic can't be read."""
    unread: Mapping[str, tuple[int, int | None]]
    heads: Mapping[str, datetime]
    trail_size: int
    published_leaves: int
