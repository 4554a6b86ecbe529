"""A province's request to be enrolled: whose keys it names, and what is refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tongbao_broker.errors import BadConfiguration
from tongbao_broker.trust.certificates import (
    CertificateAuthority,
    certified_key,
    check_request,
    read_certificate,
    request_certificate,
)
from tongbao_broker.trust.dsse import sign
from tongbao_broker.trust.enrolment import parse_request, request, verify_request
from tongbao_broker.trust.keys import SealKey, SigningKey, keyid_of
from tongbao_schemas.encoding import compact_json
from tongbao_schemas.envelope import DIRECTORY_TYPE, ENROLMENT_TYPE, Envelope
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MESSAGE, OTHER, SEAL = (
    SigningKey.from_seed(b"\x01" * 32),
    SigningKey.from_seed(b"\x02" * 32),
    SealKey.generate(),
)
_, CERTIFICATE_REQUEST = request_certificate("610000")
SMALL_ORDER = "00" * 32


def good() -> Envelope:
    return request(
        "demo",
        "610000",
        message=MESSAGE,
        seal=SEAL,
        certificate_request=CERTIFICATE_REQUEST,
        schemas=("alert/1.0", "receipt/1.0"),
        at=NOW,
    )


def changed(**changes: Any) -> Envelope:
    """The request with other content, signed again by its key."""
    document = {**json.loads(good().payload), **changes}
    return sign(compact_json(document), ENROLMENT_TYPE, [MESSAGE])


def test_a_request_says_what_it_asks_for() -> None:
    """Through its JSON and back: code, keys and what it understands."""
    asked = verify_request(parse_request(json.dumps(good().as_json()).encode()), network="demo")

    assert (asked.code, asked.message.kid, asked.seal.kid) == ("610000", MESSAGE.keyid, SEAL.kid)
    assert asked.schemas == ("alert/1.0", "receipt/1.0")


REFUSED: dict[str, tuple[Callable[[], Envelope], Code]] = {
    "signed by another key": (lambda: sign(good().payload, ENROLMENT_TYPE, [OTHER]), Code.SIGNATURE_WRONG),
    "signed twice": (lambda: sign(good().payload, ENROLMENT_TYPE, [MESSAGE, OTHER]), Code.SIGNATURE_COUNT),
    "not signed": (lambda: Envelope(good().payload, ENROLMENT_TYPE, ()), Code.SIGNATURE_COUNT),
    "signed as a directory": (lambda: sign(good().payload, DIRECTORY_TYPE, [MESSAGE]), Code.PAYLOAD_TYPE),
    "for another network": (lambda: changed(network="other"), Code.DOCUMENT_NETWORK),
    "for the exchange": (lambda: changed(code="100000"), Code.DOCUMENT_SHAPE),
    "no province": (lambda: changed(code="610100"), Code.DOCUMENT_SHAPE),
    "one key for both uses": (
        lambda: changed(seal={"kid": MESSAGE.keyid, "public": MESSAGE.public.hex()}),
        Code.DOCUMENT_SHAPE,
    ),
    "a key under another name": (
        lambda: changed(seal={"kid": OTHER.keyid, "public": SEAL.public.hex()}),
        Code.DOCUMENT_SHAPE,
    ),
    "a seal key of small order": (
        lambda: changed(seal={"kid": keyid_of(bytes.fromhex(SMALL_ORDER)), "public": SMALL_ORDER}),
        Code.SMALL_ORDER_KEY,
    ),
    "understands nothing": (lambda: changed(schemas=[]), Code.DOCUMENT_SHAPE),
    "something more": (lambda: changed(status="active"), Code.DOCUMENT_SHAPE),
    "a certificate for another": (
        lambda: changed(certificate_request=request_certificate("440000")[1].decode()),
        Code.DOCUMENT_SHAPE,
    ),
    "no certificate request": (lambda: changed(certificate_request="请"), Code.DOCUMENT_SHAPE),
    "a twisted certificate request": (
        lambda: changed(certificate_request=twisted(CERTIFICATE_REQUEST).decode()),
        Code.DOCUMENT_SHAPE,
    ),
}


def twisted(pem: bytes) -> bytes:
    """The request with its signature's last characters changed."""
    lines = pem.splitlines()
    lines[-2] = lines[-2][:-6] + (b"AAAA" if lines[-2][-6:-2] != b"AAAA" else b"BBBB") + lines[-2][-2:]
    return b"\n".join(lines)


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_is_wrong_is_refused(case: str) -> None:
    """Each with its code."""
    make, code = REFUSED[case]
    with pytest.raises(Refused) as refused:
        verify_request(make(), network="demo")

    assert refused.value.code is code


def test_the_certificate_is_for_the_key_that_asked(tmp_path: Any) -> None:
    """The authority certifies the request's key under exactly the code, and nothing else that it says."""
    ca = CertificateAuthority.create(tmp_path, now=NOW)
    pem = ca.certify(CERTIFICATE_REQUEST, "610000", now=NOW, days=30)

    assert certified_key(pem) == certified_key(CERTIFICATE_REQUEST)
    assert read_certificate(pem, ca.pem).subject == "CN=610000"


@pytest.mark.parametrize(
    "pem", [b"", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
)
def test_what_is_no_request_is_refused(pem: bytes) -> None:
    """Nothing, and nonsense."""
    with pytest.raises(BadConfiguration):
        check_request(pem, "610000")
    with pytest.raises(BadConfiguration):
        certified_key(pem)
