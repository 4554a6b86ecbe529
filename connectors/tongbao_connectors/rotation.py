"""Replaces a participant's certificate or keys while messages flow.

1. A certificate: the new one takes the file's place at once; who reads the file next goes by it.
2. A message key: the directory lists the new key first; only when the exchange goes by that directory is
   anything signed with it. Until then it lies beside the old one as `message.next.pem`, so that an
   interrupted rotation is finished by the next.
3. A seal key: the connector holds the new private half first; only then does the directory list it and
   anybody seal to it. The old private halves stay, for what is under way.
4. The old key holds for some days more, in which everything signed with it or sealed to it arrives.
"""

import time
from collections.abc import Callable
from datetime import datetime

from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.keys import SealKey, SigningKey, load_signing_key, save_private
from tongbao_connectors import authority, issuing
from tongbao_connectors.services import CouldNotStart
from tongbao_connectors.workspace import CERTIFICATE_DAYS, Workspace

__all__ = ["await_directory", "rotate_certificate", "rotate_message_key", "rotate_seal_key"]

KNOWN_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


def rotate_certificate(place: Workspace, code: str, now: datetime) -> None:
    """Issues a new key and certificate to a participant. Raises NoSuchParticipant, BadConfiguration."""
    ca = CertificateAuthority.load(place.authority / "ca")
    ca.issue_to(place.participant(code) / "tls.pem", code, now=now, days=CERTIFICATE_DAYS)


def rotate_message_key(
    place: Workspace, code: str, now: datetime, *, known: Callable[[Directory], None]
) -> Directory:
    """Gives a province a new message key; the directory that lists it.

    `known` returns once the exchange goes by a directory. Raises NoSuchParticipant or NoConnector.
    """
    keys = place.province(code) / "keys"
    waiting = keys / "message.next.pem"
    with issuing.alone(place):
        if not waiting.exists():
            save_private(waiting, SigningKey.generate())
        key = load_signing_key(waiting)
        issue = issuing.current(place, now)
        if issue.directory.key(key.keyid) is None:
            issue = _with_successor(place, issue, code, key, now)
        known(issue.directory)
        waiting.replace(keys / "message.pem")
    return issue.directory


def rotate_seal_key(place: Workspace, code: str, now: datetime, *, held: Callable[[], None]) -> Directory:
    """Gives a province a new seal key; the directory that lists it.

    `held` returns once the connector has read its keys anew. Raises NoSuchParticipant or NoConnector.
    """
    folder, key = place.province(code) / "keys" / "seal", SealKey.generate()
    with issuing.alone(place):
        save_private(folder / f"{key.kid[:16]}.pem", key)
        held()
        return _with_successor(place, issuing.current(place, now), code, key, now).directory


def await_directory(version: int) -> None:
    """Returns as soon as the current database's connector has this directory, or a newer one, of the
    exchange's topic. Raises CouldNotStart after `KNOWN_WITHIN_S`.
    """
    from tongbao_connectors.store.models import TrustDocument

    until = time.monotonic() + KNOWN_WITHIN_S
    while not TrustDocument.objects.filter(version__gte=version).exists():
        if time.monotonic() > until:
            raise CouldNotStart(f"directory {version}")
        time.sleep(LOOK_EVERY_S)


def _with_successor(
    place: Workspace, before: issuing.Issue, code: str, key: SigningKey | SealKey, now: datetime
) -> issuing.Issue:
    issue = issuing.successor(
        place,
        before,
        lambda directory, signers: authority.with_successor(directory, code, key, signers, now),
        now,
    )
    issuing.publish(place, issue)
    return issue
