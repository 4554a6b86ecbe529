"""Replaces a participant's certificate or keys while messages flow.

1. A certificate: the new one takes the file's place at once; who reads the file next goes by it. The broker's
   own (000000) goes by it when it is told to read the file again.
2. A signing key, for messages or for checkpoints: the directory lists the new key first; only when the
   exchange goes by that directory is anything signed with it. Until then it lies beside the old one as
   `message.next.pem` or `checkpoint.next.pem`, so that an interrupted rotation is finished by the next.
   Whoever meets the new key before the directory waits for the directory.
3. A seal key: its owner holds the new private half first; only then does the directory list it and anybody
   seal to it. The old private halves stay, for what is under way (`oldkeys` destroys them).
4. The old key stays in the directory for ever and holds for some days more, in which everything signed with
   it or sealed to it arrives.
5. A province with a system of its own finds new keys and the new directory in its folder, in this order.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from tongbao_broker import database
from tongbao_broker.errors import OperationError, Words
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_broker.trust.directory import Directory
from tongbao_broker.trust.keys import SealKey, SigningKey, load_signing_key, save_private
from tongbao_connectors import authority, issuing, stack, workspace
from tongbao_connectors.workspace import (
    BROKER,
    BROKER_HOSTS,
    CERTIFICATE_DAYS,
    NoSuchParticipant,
    Workspace,
)
from tongbao_schemas.codes import EXCHANGE, KeyUse

__all__ = [
    "NoSuchKey",
    "NotTakenOver",
    "await_directory",
    "rotate_certificate",
    "rotate_seal_key",
    "rotate_signing_key",
]

KNOWN_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


class NoSuchKey(NoSuchParticipant):
    """Only the exchange signs checkpoints, and only provinces open bodies."""

    code = "OP-32"
    zh = "该单位没有这种密钥。"
    en = "This participant has no key for that use."
    next_zh = "检查点密钥属于平台 100000，加密密钥属于各省。"
    next_en = "Checkpoint keys are the exchange's (100000), seal keys are the provinces'."


class NotTakenOver(OperationError):
    """The new directory is issued, but nobody has it from the exchange yet."""

    code = "OP-34"
    exit_code = 69
    zh = "平台尚未采用新目录，仍使用旧密钥。"
    en = "The exchange hasn't taken over the new directory yet; the old key stays in use."
    next_zh = "用 tongbao status 查看平台，然后再次执行同一命令，从中断处继续。"
    next_en = "Look at the exchange with: tongbao status. The same command again goes on from here."


def rotate_certificate(place: Workspace, code: str, now: datetime) -> None:
    """Issues a new key and certificate to a participant or to the broker, to each where there are several.

    Raises NoSuchParticipant, BadConfiguration.
    """
    ca = CertificateAuthority.load(place.authority / "ca")
    if code == BROKER:
        stack.certify_brokers(place.folder, place.brokers, ca, code, now, CERTIFICATE_DAYS)
    folder, hosts = (place.broker, BROKER_HOSTS) if code == BROKER else (place.participant(code), ())
    ca.issue_to(folder / "tls.pem", code, now=now, days=CERTIFICATE_DAYS, hosts=hosts)


def rotate_signing_key(
    place: Workspace, code: str, use: KeyUse, now: datetime, *, known: Callable[[Directory], None]
) -> Directory:
    """Gives a participant a new message or checkpoint key; the directory that lists it.

    `known` returns once the exchange goes by a directory. Raises NoSuchParticipant or NoSuchKey.
    """
    keys = place.participant(code) / "keys"
    if use is KeyUse.CHECKPOINT and code != EXCHANGE:
        raise NoSuchKey(code)
    waiting = keys / f"{use}.next.pem"
    with issuing.alone(place):
        if not waiting.exists():
            save_private(waiting, SigningKey.generate())
        key = load_signing_key(waiting)
        issue = issuing.current(place, now)
        if issue.directory.key(key.keyid) is None:
            issue = _with_successor(place, issue, code, use, key, now)
        known(issue.directory)
        waiting.replace(keys / f"{use}.pem")
    return issue.directory


def rotate_seal_key(place: Workspace, code: str, now: datetime, *, held: Callable[[], None]) -> Directory:
    """Gives a province a new seal key; the directory that lists it.

    `held` returns once the connector has read its keys anew. Raises NoSuchParticipant or NoSuchKey.
    """
    folder, key = place.participant(code) / "keys" / "seal", SealKey.generate()
    if code == EXCHANGE:
        raise NoSuchKey(code)
    with issuing.alone(place):
        save_private(folder / f"{key.kid[:16]}.pem", key)
        held()
        return _with_successor(place, issuing.current(place, now), code, KeyUse.SEAL, key, now).directory


def await_directory(version: int, databases: Sequence[str]) -> None:
    """Returns as soon as one of these connectors' databases has this directory, or a newer one, of the
    exchange's topic: then the exchange goes by it. Raises NotTakenOver after `KNOWN_WITHIN_S`.
    """
    from tongbao_connectors.store.models import TrustDocument

    until = time.monotonic() + KNOWN_WITHIN_S
    while True:
        for name in databases:
            with database.use(name):
                if TrustDocument.objects.filter(version__gte=version).exists():
                    return
        if time.monotonic() > until:
            raise NotTakenOver(Words(f"目录 {version}", f"directory {version}"))
        time.sleep(LOOK_EVERY_S)


def _with_successor(
    place: Workspace,
    before: issuing.Issue,
    code: str,
    use: KeyUse,
    key: SigningKey | SealKey,
    now: datetime,
) -> issuing.Issue:
    issue = issuing.successor(
        place,
        before,
        lambda directory, signers: authority.with_successors(
            directory, code, {use: key.public}, signers, now
        ),
        now,
    )
    issuing.publish(place, issue)
    if code in place.external:
        workspace.write_whole(place.participant(code) / "trust.json", issue.trust.encode().decode("ascii"))
    return issue
