"""Enrols a province whose own system speaks the wire protocol: a folder to hand over, and a new directory.

    DIR/610000/README.md          what is in the folder, which topics, what comes first
    DIR/610000/participant.toml   code, network, the broker's address
    DIR/610000/client.properties  the Kafka settings of a Java client
    DIR/610000/tls.pem  ca.pem    client certificate (CN=610000) with its key; the issuing CA
    DIR/610000/keys/message.pem   the signing key; keys/seal/*.pem: the seal key
    DIR/610000/trust.json         roots and directory; pinned-root.json: the root to start from

Rules:
1. The new directory is the one before it and the province, one version higher.
2. Topics and rights are there before the directory is: whoever reads it can write and read at once.
3. The folder is whole or absent.
4. The private keys are made here, since a workspace is one person's whole network. In service a province
   makes them at home and only their public halves travel.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tongbao_broker.kafka.topics import DIRECTORY_TOPIC, LEAVES_TOPIC, in_topic, out_topic
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_broker.trust.directory import Directory, TrustFile
from tongbao_connectors import authority, issuing, workspace
from tongbao_connectors.authority import ParticipantKeys
from tongbao_connectors.enrolment import AlreadyEnrolled, NoSuchProvince
from tongbao_connectors.workspace import CERTIFICATE_DAYS, FolderTaken, Workspace
from tongbao_schemas.codes import EXCHANGE
from tongbao_schemas.number import PROVINCES

__all__ = ["Enrolled", "enrol"]

CLIENT = """\
# Kafka settings of a Java client. File names are relative to the folder in which the program starts.
bootstrap.servers={bootstrap}
security.protocol=SSL
ssl.enabled.protocols=TLSv1.3
ssl.keystore.type=PEM
ssl.keystore.location=tls.pem
ssl.truststore.type=PEM
ssl.truststore.location=ca.pem
allow.auto.create.topics=false
# producer
acks=all
enable.idempotence=true
compression.type=none
# consumer: assign the one partition and seek; the offset lives in your own database
auto.offset.reset=earliest
enable.auto.commit=false
"""
README = """\
# {code} {zh} {en}

本文件夹供 {zh} 自有系统直接接入通报网络“{network}”。私钥文件不得外传。
For {en}'s own system, which speaks the wire protocol on the network `{network}`. Keep the keys private.

| 主题 topic | 权限 right |
|---|---|
| `{out}` | 写、读 write, read |
| `{into}` | 读 read |
| `{directory}` | 读 read |
| `{leaves}` | 读 read |

| 文件 file | 内容 content |
|---|---|
| `participant.toml` | 单位代码、网络、Kafka 地址 code, network, the broker's address |
| `client.properties` | Java 客户端设置 settings of a Java client |
| `tls.pem`, `ca.pem` | 客户端证书（CN={code}）及私钥、CA 证书 client certificate and key, CA |
| `keys/message.pem` | Ed25519 签名私钥 signing key |
| `keys/seal/` | X25519 解密私钥 seal key |
| `trust.json` | 根文件与目录 roots and directory |
| `pinned-root.json` | 固定信任的根文件 the root to start from |

下一步 Next: docs/integrate.md, docs/protocol.md, examples/external_client.py, examples/go
"""


@dataclass(frozen=True)
class Enrolled:
    """A province that has been enrolled: its folder, and the directory that lists it."""

    workspace: Workspace
    code: str
    directory: Directory

    @property
    def folder(self) -> Path:
        return self.workspace.folder / self.code


def enrol(
    place: Workspace, code: str, now: datetime, *, open_topics: Callable[[Directory], None]
) -> Enrolled:
    """Enrols the province `code` as an external participant.

    `open_topics` makes the topics and rights of a directory where a broker runs. Raises NoSuchProvince,
    AlreadyEnrolled, FolderTaken, and whatever `open_topics` raises; the network is then as it was.
    """
    if code not in PROVINCES or code == EXCHANGE:
        raise NoSuchProvince(code)
    with issuing.alone(place):
        before = issuing.current(place, now)
        if before.directory.participant(code):
            raise AlreadyEnrolled(code)
        if (place.folder / code).exists():
            raise FolderTaken(str(place.folder / code))
        keys = ParticipantKeys.generate(code)
        issue = issuing.successor(
            place,
            before,
            lambda directory, signers: authority.with_province(directory, code, keys.public, signers, now),
            now,
        )
        open_topics(issue.directory)
        _make_folder(place, code, keys, issue.trust, now)
        enlarged = workspace.with_external(place, code)
        issuing.publish(place, issue)
    return Enrolled(enlarged, code, issue.directory)


def _make_folder(place: Workspace, code: str, keys: ParticipantKeys, trust: TrustFile, now: datetime) -> None:
    draft = Path(tempfile.mkdtemp(prefix=f".{code}.", dir=place.folder))
    try:
        _fill(draft, place, code, keys, trust, now)
        draft.rename(place.folder / code)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _fill(
    home: Path, place: Workspace, code: str, keys: ParticipantKeys, trust: TrustFile, now: datetime
) -> None:
    ca = CertificateAuthority.load(place.authority / "ca")
    ca.issue_to(home / "tls.pem", code, now=now, days=CERTIFICATE_DAYS)
    workspace.write_keys(home / "keys", keys)
    (home / "trust.json").write_bytes(trust.encode())
    shutil.copy(place.exchange / "pinned-root.json", home / "pinned-root.json")
    facts = {"code": code, "network": place.network}
    workspace.write_toml(home / "participant.toml", facts, {"kafka": {"bootstrap": place.bootstrap}})
    (home / "client.properties").write_text(CLIENT.format(bootstrap=place.bootstrap), encoding="ascii")
    (home / "README.md").write_text(_readme(place, code), encoding="utf-8")


def _readme(place: Workspace, code: str) -> str:
    return README.format(
        code=code,
        zh=PROVINCES[code].zh,
        en=PROVINCES[code].en,
        network=place.network,
        out=out_topic(code),
        into=in_topic(code),
        directory=DIRECTORY_TOPIC,
        leaves=LEAVES_TOPIC,
    )
