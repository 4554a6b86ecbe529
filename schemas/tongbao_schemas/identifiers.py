"""Message ids: UUID version 7 (RFC 9562, section 5.7), lower case with hyphens."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)


def new_id(at: datetime) -> str:
    """A fresh id that sorts by `at` (milliseconds), the rest random."""
    milliseconds = (at - EPOCH) // MILLISECOND
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=value))


def id_time(message_id: str) -> datetime:
    """The time (UTC, milliseconds) that an id was made at, as its maker says.

    OverflowError for an id past the year 9999, which only a maker with a broken clock writes.
    """
    return EPOCH + (UUID(message_id).int >> 80) * MILLISECOND
