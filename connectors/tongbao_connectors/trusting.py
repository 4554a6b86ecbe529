"""The directory that this province goes by: from its file, then from `exchange.directory.v1`, never back.

1. Every root and directory is verified from the root that was pinned when the connector was set up.
2. The highest versions of both ever verified are kept in the database; nothing below them is taken again,
   wherever it comes from.
3. An expired directory is taken over all the same (a newer one may be long in coming): while it lasts, the
   connector holds.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from tongbao_broker.trust.directory import (
    Directory,
    Trust,
    load_trust,
    parse_root_file,
    parse_trust_file,
)
from tongbao_connectors.settings import ConnectorSettings
from tongbao_connectors.store.models import TrustDocument
from tongbao_schemas.documents import DirectoryDocument
from tongbao_schemas.envelope import Envelope
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code


@dataclass(frozen=True, slots=True)
class Offered:
    """A verified file of roots and directory, as read."""

    value: bytes
    trust: Trust


@dataclass(slots=True)
class Trusting:
    """What is in force, and how a newer one comes to be."""

    network: str
    pinned_root: Envelope
    current: Trust
    _earlier: dict[int, Directory] = field(default_factory=dict)

    @property
    def directory(self) -> Directory:
        """The directory in force."""
        return self.current.directory

    def directory_at(self, version: int) -> Directory:
        """The directory of this version if it was ever in force here, else the one in force now."""
        if version == self.directory.version:
            return self.directory
        if version not in self._earlier:
            row = TrustDocument.objects.filter(version=version).first()
            self._earlier[version] = _as_kept(bytes(row.value)) if row else self.directory
        return self._earlier[version]

    @classmethod
    def of(cls, settings: ConnectorSettings, now: datetime) -> "Trusting":
        """`start` with what lies in a province's folder."""
        return cls.start(
            network=settings.network,
            pinned_root=settings.pinned_root(),
            trust_file=settings.trust_file(),
            now=now,
        )

    @classmethod
    def start(cls, *, network: str, pinned_root: bytes, trust_file: bytes, now: datetime) -> "Trusting":
        """The newest that the database or the file knows; raises Refused where neither can be verified."""
        pinned = parse_root_file(pinned_root)
        newest = TrustDocument.objects.order_by("version").last()
        stored = _verified(bytes(newest.value), pinned, network, now) if newest else None
        if stored is None:
            current = _verified(trust_file, pinned, network, now)
        else:
            current = _newer(trust_file, pinned, network, now, stored.trust) or stored
        trusting = cls(network, pinned, current.trust)
        _keep(current, now)
        return trusting

    def read(self, value: bytes, now: datetime) -> Offered | None:
        """A newer directory out of a record, None for one that isn't newer; raises Refused.

        What is read here comes into force by `take_over`.
        """
        return _newer(value, self.pinned_root, self.network, now, self.current)

    def store(self, offered: Offered, at: datetime) -> None:
        """Keeps it, inside the caller's transaction."""
        _keep(offered, at)

    def take_over(self, offered: Offered) -> None:
        """Goes by it from now on; to be called after the commit."""
        if offered.trust.directory.version > self.directory.version:
            self.current = offered.trust
            self._earlier.clear()


def newest() -> Directory | None:
    """The newest directory that was ever in force here, as the database has it; None before the first."""
    row = TrustDocument.objects.order_by("version").last()
    return _as_kept(bytes(row.value)) if row else None


def _newer(value: bytes, pinned: Envelope, network: str, now: datetime, current: Trust) -> Offered | None:
    """The file's directory if it is newer.

    An old one is passed over unjudged: the topic holds all of them.
    """
    try:
        return _verified(value, pinned, network, now, current)
    except Refused as refused:
        if refused.code == Code.DOCUMENT_ROLLED_BACK:
            return None
        raise


def _verified(
    value: bytes, pinned: Envelope, network: str, now: datetime, current: Trust | None = None
) -> Offered:
    trust = load_trust(
        parse_trust_file(value),
        pinned,
        network=network,
        now=now,
        minimum_root=current.root.version if current else 0,
        minimum_version=current.directory.version + 1 if current else 0,
        allow_expired=True,
    )
    return Offered(value, trust)


@lru_cache(maxsize=4)
def _as_kept(value: bytes) -> Directory:
    """A directory that was verified when it was stored."""
    envelope = parse_trust_file(value).directory
    return Directory(DirectoryDocument.read(envelope.payload, refuse_as=Code.DOCUMENT_SHAPE), envelope.digest)


def _keep(offered: Offered, at: datetime) -> None:
    TrustDocument.objects.get_or_create(
        version=offered.trust.directory.version,
        defaults={
            "root_version": offered.trust.root.version,
            "value": offered.value,
            "stored_at": at,
        },
    )
