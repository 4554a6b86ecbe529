"""A province's request to be enrolled: made where its keys are, judged where the directory is made.

1. It is one DSSE envelope of the enrolment type, signed with the message key that it names, and names the
   seal key and a certificate request. So who sent it holds the signing key and the key to be certified.
2. Who that is, no signature says: the envelope's digest is compared on another way (by telephone).
3. The private halves never leave the province.
"""

from datetime import datetime

from tongbao_broker.errors import BadConfiguration
from tongbao_broker.trust.certificates import check_request
from tongbao_broker.trust.directory import check_named
from tongbao_broker.trust.dsse import check_payload_type, sign, verify_one
from tongbao_broker.trust.keys import SealKey, SigningKey
from tongbao_schemas.documents import DOCUMENT_LIMIT, EnrolmentRequest
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.envelope import ENROLMENT_TYPE, Envelope
from tongbao_schemas.errors import Refused
from tongbao_schemas.gate import parse_object
from tongbao_schemas.record import IN_LIMIT
from tongbao_schemas.refusals import Code

__all__ = ["parse_request", "request", "verify_request"]


def request(
    network: str,
    code: str,
    *,
    message: SigningKey,
    seal: SealKey,
    certificate_request: bytes,
    schemas: tuple[str, ...],
    at: datetime,
) -> Envelope:
    """The signed request of a province.

    `certificate_request` is PKCS#10 in PEM, `schemas` are the ones it understands.
    """
    document = {
        "network": network,
        "code": code,
        "issued_at": format_time(at),
        "message": {"kid": message.keyid, "public": message.public.hex()},
        "seal": {"kid": seal.kid, "public": seal.public.hex()},
        "schemas": list(schemas),
        "certificate_request": certificate_request.decode("ascii"),
    }
    return sign(compact_json(document), ENROLMENT_TYPE, [message])


def parse_request(data: bytes) -> Envelope:
    """Read a request's envelope without believing it; raises `Refused`."""
    return Envelope.parse(parse_object(data, limit=IN_LIMIT))


def verify_request(envelope: Envelope, *, network: str) -> EnrolmentRequest:
    """What a request asks for, if its own message key signed it and its keys can be used.

    Raises `Refused`: PAYLOAD_TYPE, SIGNATURE_COUNT, SIGNATURE_WRONG, DOCUMENT_SHAPE, DOCUMENT_NETWORK,
    SMALL_ORDER_KEY, or a code of the parse gate.
    """
    check_payload_type(envelope, ENROLMENT_TYPE)
    parse_object(envelope.payload, limit=DOCUMENT_LIMIT)
    document = EnrolmentRequest.read(envelope.payload, refuse_as=Code.DOCUMENT_SHAPE)
    check_named(document.message, "Ed25519", "message")
    check_named(document.seal, "X25519", "seal")
    verify_one(envelope, ENROLMENT_TYPE, bytes.fromhex(document.message.public))
    if document.network != network:
        raise Refused(Code.DOCUMENT_NETWORK, "network")
    try:
        check_request(document.certificate_request.encode("ascii", "replace"), document.code)
    except BadConfiguration:
        raise Refused(Code.DOCUMENT_SHAPE, "certificate_request") from None
    return document
