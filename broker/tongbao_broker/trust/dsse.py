"""DSSE v1 envelopes signed and verified (github.com/secure-systems-lab/dsse).

Rules:
1. What is signed is the pre-authentication encoding of payload type and exact payload bytes; nothing is
   re-serialised.
2. How many signatures a slot carries, by which keys and of which algorithm, is for the verifier to know.
   The envelope's `keyid` only says which of the known keys to try.
3. A payload type is compared before the payload is looked at.
"""

from collections.abc import Iterable, Mapping

from tongbao_broker.trust.keys import SigningKey, verify_signature
from tongbao_schemas.envelope import Envelope, Signature, pae
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

__all__ = ["check_payload_type", "only_signature", "sign", "signers", "verify_one"]


def sign(payload: bytes, payload_type: str, keys: Iterable[SigningKey]) -> Envelope:
    """The payload with one signature of each key, in their order."""
    signed = pae(payload_type, payload)
    return Envelope(payload, payload_type, tuple(Signature(key.keyid, key.sign(signed)) for key in keys))


def check_payload_type(envelope: Envelope, payload_type: str) -> None:
    """Raise `Refused(PAYLOAD_TYPE)` where the envelope is meant for another slot."""
    if envelope.payload_type != payload_type:
        raise Refused(Code.PAYLOAD_TYPE, "message.payloadType")


def only_signature(envelope: Envelope) -> Signature:
    """The one signature of an envelope; any other number raises `Refused(SIGNATURE_COUNT)`."""
    if len(envelope.signatures) != 1:
        raise Refused(Code.SIGNATURE_COUNT, "message.signatures")
    return envelope.signatures[0]


def verify_one(envelope: Envelope, payload_type: str, public: bytes) -> None:
    """Raise unless the envelope is of this type and carries exactly one signature, made by this key."""
    check_payload_type(envelope, payload_type)
    signature = only_signature(envelope)
    verify_signature(public, signature.sig, pae(payload_type, envelope.payload))


def signers(envelope: Envelope, payload_type: str, keys: Mapping[str, bytes]) -> set[bytes]:
    """The distinct public keys among `keys` (keyid → raw public) whose signature here is good.

    A signature by any other key, or a bad one, counts for nothing and hinders nothing: a rotated document
    carries signatures for readers of both sets.
    """
    check_payload_type(envelope, payload_type)
    signed = pae(payload_type, envelope.payload)
    return {
        keys[signature.keyid]
        for signature in envelope.signatures
        if signature.keyid in keys and _good(keys[signature.keyid], signature, signed)
    }


def _good(public: bytes, signature: Signature, signed: bytes) -> bool:
    try:
        verify_signature(public, signature.sig, signed)
    except Refused:
        return False
    return True
