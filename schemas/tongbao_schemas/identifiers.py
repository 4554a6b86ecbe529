"""Message ids: UUID version 7 (RFC 9562, section 5.7), lower case with hyphens."""

import secrets
from datetime import UTC, datetime
from uuid import UUID


def new_id(at: datetime) -> str:
    """A fresh id that sorts by `at` (milliseconds), the rest random."""
    milliseconds = int(at.timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=value))


def id_time(message_id: str) -> datetime:
    """The time (UTC, milliseconds) that an id was made at, as its maker says."""
    milliseconds = UUID(message_id).int >> 80
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
