"""A key in foreign hands: the directory says from when on it counts for nothing.

1. What it signed before stays good; what was admitted from then on is refused, or flagged as suspect by
   whoever has it already.
2. The key stays listed. The time can be moved back later, never forward or away: that would bring back what
   was refused.
"""

from datetime import datetime

from tongbao_broker.errors import BadConfiguration, Conflict, NotFound, Words
from tongbao_broker.trust.directory import Directory
from tongbao_connectors import authority, issuing
from tongbao_connectors.workspace import Workspace
from tongbao_schemas.documents import KeyRecord
from tongbao_schemas.encoding import parse_time

__all__ = ["NoSuchKeyListed", "SinceEarlier", "close", "time_of"]

SHORTEST = 16


class NoSuchKeyListed(NotFound):
    """The directory lists no key of this name, or several that begin so."""

    code = "OP-46"
    zh = "目录中没有这个密钥。"
    en = "The directory lists no such key."
    next_zh = "编号见 tongbao directory show，至少给出前 16 位。"
    next_en = "See its name with: tongbao directory show; give at least its first 16 digits."


class SinceEarlier(Conflict):
    """The key counts for nothing since an earlier time already."""

    code = "OP-47"
    zh = "该密钥已登记为更早泄露。"
    en = "The key is listed as compromised since an earlier time."
    next_zh = "只能改为更早的时刻，不能推后或取消。"
    next_en = "The time can be moved back, never forward or away."


def time_of(text: str) -> datetime:
    """A time as on the wire; raises BadConfiguration."""
    try:
        return parse_time(text)
    except ValueError:
        raise BadConfiguration(
            Words("时刻须如 2026-11-24T08:00:00.000Z", "a time is written like 2026-11-24T08:00:00.000Z")
        ) from None


def close(place: Workspace, kid: str, since: datetime, now: datetime) -> tuple[KeyRecord, Directory]:
    """Lists a key as compromised since a time; the key and the directory that says so.

    `kid` is its name or the beginning of it. Raises NoSuchKeyListed, SinceEarlier.
    """
    with issuing.alone(place):
        issue = issuing.current(place, now)
        key = _named(issue.directory, kid)
        if key.compromised_since is not None and key.compromised_since <= since:
            raise SinceEarlier(key.kid[:SHORTEST])
        issue = issuing.successor(
            place,
            issue,
            lambda directory, signers: authority.with_compromised(directory, key.kid, since, signers, now),
            now,
        )
        issuing.publish(place, issue)
    return key, issue.directory


def _named(directory: Directory, kid: str) -> KeyRecord:
    found = [key for key in directory.document.keys if key.kid.startswith(kid)]
    if len(kid) < SHORTEST or len(found) != 1:
        raise NoSuchKeyListed(kid[:SHORTEST])
    return found[0]
