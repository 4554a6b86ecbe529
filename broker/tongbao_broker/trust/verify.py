"""Who said it, unchanged, and may they say such a thing: steps 2 to 7 of admission and of acceptance.

The steps, in this order; the first that fails decides the code:
    2  envelope: its payload type, exactly one signature (shape and base64 were read with the record)
    3  key: in the directory, for messages, its owner the one expected, usable at the time
    4  signature over the exact payload bytes
    5  parse gate over the payload
    6  header: model, network, schema known here, type among those the key may sign
    7  origin = the key's owner

The exchange expects the owner of the topic and judges at its present time. A province expects nobody (the
key's owner must be the header's origin) and judges at the time of admission, so that a desk back after three
weeks refuses nothing that was good when it was logged.
"""

from dataclasses import dataclass
from datetime import datetime

from tongbao_broker.trust.directory import Directory, in_force, usable
from tongbao_broker.trust.dsse import check_payload_type, only_signature
from tongbao_broker.trust.keys import verify_signature
from tongbao_schemas.codes import KNOWN_SCHEMAS
from tongbao_schemas.documents import KeyRecord
from tongbao_schemas.envelope import MESSAGE_TYPE, pae
from tongbao_schemas.errors import Refused
from tongbao_schemas.header import AnyHeader, parse_header
from tongbao_schemas.record import OutRecord
from tongbao_schemas.refusals import Code

__all__ = ["Verified", "verify_message"]


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signer and header stand, beside the exact bytes that say so."""

    header: AnyHeader
    payload_digest: str
    keyid: str
    record: OutRecord


def verify_message(
    record: OutRecord, *, directory: Directory, network: str, at: datetime, owner: str | None = None
) -> Verified:
    """Steps 2 to 7 for a record that has its shape; raises `Refused` with the first failing step's code.

    `owner` is the participant whose topic the record lay in; None where it came through the exchange.
    """
    envelope = record.envelope
    check_payload_type(envelope, MESSAGE_TYPE)  # 2
    signature = only_signature(envelope)  # 2
    key = _message_key(signature.keyid, directory, owner, at)  # 3
    signed = pae(envelope.payload_type, envelope.payload)
    verify_signature(bytes.fromhex(key.public), signature.sig, signed)  # 4
    header = parse_header(envelope.payload)  # 5, 6
    _check_header(header, network, key)  # 6
    if header.origin != key.owner:  # 7
        raise Refused(Code.ORIGIN_NOT_OWNER, "origin")
    return Verified(header, envelope.digest, signature.keyid, record)


def _message_key(keyid: str, directory: Directory, owner: str | None, at: datetime) -> KeyRecord:
    """Step 3."""
    key = directory.message_key(keyid)
    if owner is not None and key.owner != owner:
        raise Refused(Code.KEY_OWNER, "message.signatures")
    if not in_force(key, at):
        raise Refused(Code.KEY_NOT_VALID, "message.signatures")
    if not usable(key, at):
        raise Refused(Code.KEY_COMPROMISED, "message.signatures")
    return key


def _check_header(header: AnyHeader, network: str, key: KeyRecord) -> None:
    """What step 6 asks beyond the model."""
    if header.network != network:
        raise Refused(Code.NETWORK_MISMATCH, "network")
    if header.schema_name not in KNOWN_SCHEMAS:
        raise Refused(Code.SCHEMA_UNKNOWN, "schema")
    if header.type not in (key.may_sign or ()):
        raise Refused(Code.TYPE_NOT_ALLOWED_FOR_KEY, "type")
