"""Issues the next directory of a workspace.

1. One at a time: two at once would make two directories of one version.
2. Every directory is verified from the pinned root before anybody gets it.
3. The exchange gets it last, by the replacement of its trust.json, which it notices while it runs; the
   provinces follow `exchange.directory.v1`.
"""

import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tongbao_broker.trust.directory import (
    Directory,
    TrustFile,
    load_trust,
    parse_root_file,
    parse_trust_file,
)
from tongbao_broker.trust.keys import SigningKey, load_signing_key
from tongbao_connectors import workspace
from tongbao_connectors.workspace import Workspace
from tongbao_schemas.envelope import Envelope

__all__ = ["Issue", "alone", "current", "publish", "successor"]

Change = Callable[[Envelope, Sequence[SigningKey]], Envelope]
"""Makes the next directory out of the one before it, signed with the directory keys."""


@dataclass(frozen=True)
class Issue:
    """A directory with the roots it is trusted by, verified."""

    trust: TrustFile
    directory: Directory


@contextmanager
def alone(place: Workspace) -> Iterator[None]:
    """Nobody else issues a directory of this workspace meanwhile."""
    with (place.authority / "issuing.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def current(place: Workspace, now: datetime) -> Issue:
    """The newest directory that was issued."""
    trust = parse_trust_file((place.authority / "trust.json").read_bytes())
    return Issue(trust, _verified(place, trust, now))


def successor(place: Workspace, before: Issue, change: Change, now: datetime) -> Issue:
    """The next directory, not yet published. To be called inside `alone`. Raises Refused."""
    paths = sorted((place.authority / "directory-keys").glob("*.pem"))
    signed = change(before.trust.directory, [load_signing_key(path) for path in paths])
    trust = TrustFile(before.trust.roots, signed)
    return Issue(trust, _verified(place, trust, now))


def publish(place: Workspace, issue: Issue) -> None:
    """Puts a directory into force."""
    document = json.dumps(issue.trust.directory.as_json())
    workspace.write_whole(place.authority / "directory.json", document)
    for folder in (place.authority, place.exchange):
        workspace.write_whole(folder / "trust.json", issue.trust.encode().decode("ascii"))


def _verified(place: Workspace, trust: TrustFile, now: datetime) -> Directory:
    pinned = parse_root_file((place.exchange / "pinned-root.json").read_bytes())
    return load_trust(trust, pinned, network=place.network, now=now, allow_expired=True).directory
