"""Numbers that only grow, by name: the last seq and serial given out, the highest delivery number met."""

from collections.abc import Sequence

from tongbao_broker.insertion import insert
from tongbao_broker.statements import places, select, update
from tongbao_connectors.store.models import Counter


def value(name: str) -> int:
    """Where a counter stands; 0 for one that never moved."""
    return values([name])[name]


def values(names: Sequence[str]) -> dict[str, int]:
    """Where these counters stand; 0 for one that never moved."""
    found = select('"name", "value"', Counter, f'"name" IN {places(names)}', names)
    return dict.fromkeys(names, 0) | dict(found)


def move(name: str, read: int, to: int) -> bool:
    """Moves a counter from where it was read, inside the caller's transaction; False if it has moved since.

    Raises IntegrityError where another process moves it for the first time as well.
    """
    if update(Counter, '"value" = %s', '"name" = %s AND "value" = %s', (to, name, read)):
        return True
    if read or value(name):
        return False
    insert(Counter, [{"name": name, "value": to}])
    return True


def raise_to(name: str, to: int) -> None:
    """Moves a counter up to this number unless it is there, inside the caller's transaction."""
    if not update(Counter, '"value" = %s', '"name" = %s AND "value" < %s', (to, name, to)) and to > value(
        name
    ):
        insert(Counter, [{"name": name, "value": to}])
