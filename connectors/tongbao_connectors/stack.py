"""What the servers of a workspace get that run in containers: Kafka's brokers and PostgreSQL.

    DIR/kafka-1/ …        a broker: server.properties, cluster.id, log4j2.yaml, tls.pem (CN=000000), ca.pem
    DIR/database/         roles.sql: a role and a database for each participant; pg_hba.conf, tls.pem, ca.pem
    DIR/520000/keys/database.pass   the participant's password, as libpq's password file

Rules:
1. A participant's role owns its database and can't connect to another's. The server gets salted verifiers
   (SCRAM, RFC 5802) and never a password; its own superuser has none, so that nobody is it over the network.
2. PostgreSQL is spoken to over TLS only, and proves its name. It runs as a user of its own, which shares with
   whoever makes this the group alone: that may read its key.
3. The files of a broker name the places where its container finds things.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from tongbao_broker.kafka.properties import Places, Server, new_cluster_id, server_properties
from tongbao_broker.trust.certificates import CertificateAuthority
from tongbao_broker.trust.keys import write_private

__all__ = [
    "BROKER_PORT",
    "CONTROLLER_PORT",
    "DESK_PORT",
    "certify_brokers",
    "database_url",
    "make_brokers",
    "make_database",
]

BROKER_PORT = 9092
CONTROLLER_PORT = 9093
DATABASE_PORT = 5432
DESK_PORT = 8080
EVERYWHERE = "0.0.0.0"  # noqa: S104 - of the container; what reaches it is said outside
IN_CONTAINER = Places(
    certificate="/etc/kafka/secrets/tls.pem", ca="/etc/kafka/secrets/ca.pem", data="/var/lib/kafka/data"
)
PASSWORD_BYTES = 32
SALT_BYTES = 16
ITERATIONS = 4096
PASSWORD_FILE = Path("keys") / "database.pass"
LOGGING = """\
Configuration:
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %p %c %m%n"
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: STDOUT
"""
ROLES = """\
CREATE ROLE {role} LOGIN PASSWORD '{verifier}';
CREATE DATABASE {role} OWNER {role};
REVOKE ALL ON DATABASE {role} FROM PUBLIC;
"""
WHO_MAY_CONNECT = """\
local all all trust
hostssl all all all scram-sha-256
"""
CLOSED = """\
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
ALTER ROLE postgres PASSWORD NULL;
"""


def make_brokers(
    folder: Path, hosts: Sequence[str], ca: CertificateAuthority, principal: str, now: datetime, days: int
) -> None:
    """A folder for each broker, with its settings and its certificate."""
    servers = [Server(number, host, BROKER_PORT, CONTROLLER_PORT) for number, host in enumerate(hosts, 1)]
    cluster = new_cluster_id()
    certify_brokers(folder, hosts, ca, principal, now, days)
    for server in servers:
        home = folder / server.host
        settings = server_properties(server, servers, IN_CONTAINER)
        (home / "server.properties").write_text(settings, encoding="ascii")
        (home / "cluster.id").write_text(cluster, encoding="ascii")
        (home / "log4j2.yaml").write_text(LOGGING, encoding="ascii")


def certify_brokers(
    folder: Path, hosts: Sequence[str], ca: CertificateAuthority, principal: str, now: datetime, days: int
) -> None:
    """A new key and certificate for each broker, in its folder."""
    for host in hosts:
        (folder / host).mkdir(exist_ok=True)
        ca.issue_to(folder / host / "tls.pem", principal, now=now, days=days, hosts=(host, "localhost"))


def database_url(host: str, code: str, folder: Path) -> str:
    """The address of a participant's database; `folder` is where the participant finds its files."""
    role, files = _role(code), {"passfile": folder / PASSWORD_FILE, "sslrootcert": folder / "ca.pem"}
    return f"postgresql://{role}@{host}:{DATABASE_PORT}/{role}?{urlencode(files, safe='/')}"


def make_database(
    folder: Path, host: str, codes: Iterable[str], ca: CertificateAuthority, now: datetime, days: int
) -> None:
    """Gives each participant a password, and the server its certificate and what recognises the passwords."""
    statements = [_admit(folder / code, host, _role(code)) for code in codes]
    home = folder / "database"
    home.mkdir()
    home.chmod(0o755)
    ca.issue_to(home / "tls.pem", host, now=now, days=days, hosts=(host,))
    (home / "tls.pem").chmod(0o640)
    for name, text in {"roles.sql": "".join([*statements, CLOSED]), "pg_hba.conf": WHO_MAY_CONNECT}.items():
        (home / name).write_text(text, encoding="ascii")
        (home / name).chmod(0o644)


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps instead of a password (RFC 5802, section 3; SCRAM-SHA-256 of RFC 7677)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored, server = hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(each).decode("ascii") for each in (salt, stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt64}${stored64}:{server64}"


def _admit(home: Path, host: str, role: str) -> str:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    line = f"{host}:{DATABASE_PORT}:{role}:{role}:{password}\n"
    write_private(home / PASSWORD_FILE, line.encode("ascii"))
    return ROLES.format(role=role, verifier=scram_verifier(password, secrets.token_bytes(SALT_BYTES)))


def _role(code: str) -> str:
    return f"tongbao_{code}"
