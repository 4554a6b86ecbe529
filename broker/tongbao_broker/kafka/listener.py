"""A broker's own certificate, replaced while the broker runs.

1. The file comes first: one PEM with key and chain, at the path that the broker's settings name.
2. Any change of a broker's own settings makes it read its key store files again (KIP-226), also one that
   removes a setting which isn't set. So nothing is left behind that a later start could stumble over.
3. New connections meet the new certificate; those that are open go on under the old one. The listener for
   controllers follows an instant after the one for clients.
"""

import socket
import ssl
import time
from pathlib import Path

from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType

from tongbao_broker.errors import BadConfiguration, Unreachable
from tongbao_broker.kafka.client import ANSWER_S, Connection, administration

KEY_STORE = "listener.name.ssl.ssl.keystore.location"
TAKEN_OVER_S = 10.0
LOOK_EVERY_S = 0.1
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def reload_certificate(connection: Connection, certificate: Path) -> bool:
    """Has the brokers read their key stores again; True as soon as every server shows this certificate.

    False if one still shows another after `TAKEN_OVER_S`. Raises Unreachable, NoRight or BadConfiguration.
    """
    with administration(connection) as admin:
        brokers = [str(each["broker_id"]) for each in admin.describe_cluster()["brokers"]]
        touch = {KEY_STORE: (AlterConfigOp.DELETE, None)}
        asked = [ConfigResource(ConfigResourceType.BROKER, broker, touch) for broker in brokers]
        admin.alter_configs(asked, raise_on_unknown=False)
    wanted, until = _leaf(certificate), time.monotonic() + TAKEN_OVER_S
    while any(served(connection, server) != wanted for server in connection.bootstrap.split(",")):
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def served(connection: Connection, server: str) -> bytes:
    """The certificate (DER) that `host:port` shows to a new client. Raises Unreachable."""
    host, _, port = server.rpartition(":")
    name = host.strip("[]")
    try:
        with (
            socket.create_connection((name, int(port)), timeout=ANSWER_S) as plain,
            connection.ssl_context().wrap_socket(plain, server_hostname=name) as secure,
        ):
            return secure.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise Unreachable(f"{server}: {getattr(error, 'reason', None) or type(error).__name__}") from error


def _leaf(certificate: Path) -> bytes:
    """The first certificate (DER) of a PEM file, which is the file's owner's."""
    try:
        _, _, rest = certificate.read_text("ascii").partition(BEGIN)
        return ssl.PEM_cert_to_DER_cert(BEGIN + rest.partition(END)[0] + END)
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"{certificate}: {type(error).__name__}") from None
