"""The DSSE envelope: its shape, its exact payload bytes, and what a signature covers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongbao_schemas.encoding import b64encode
from tongbao_schemas.envelope import (
    DIRECTORY_TYPE,
    ENROLMENT_TYPE,
    MESSAGE_TYPE,
    ROOT_TYPE,
    Envelope,
    Signature,
    pae,
)
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

SIGNATURE = {"keyid": "ab" * 32, "sig": b64encode(bytes(64))}
GOOD: dict[str, Any] = {"payload": "e30=", "payloadType": MESSAGE_TYPE, "signatures": [SIGNATURE]}
WITHOUT_SIG = {"keyid": "ab" * 32}

BENT = {
    "no object": (["e30="], Code.ENVELOPE_SHAPE, ""),
    "a string": ("e30=", Code.ENVELOPE_SHAPE, ""),
    "empty": ({}, Code.ENVELOPE_SHAPE, ""),
    "no payload": ({k: v for k, v in GOOD.items() if k != "payload"}, Code.ENVELOPE_SHAPE, ""),
    "unknown field": (GOOD | {"alg": "none"}, Code.ENVELOPE_SHAPE, ""),
    "payload no string": (GOOD | {"payload": 1}, Code.ENVELOPE_SHAPE, "payload"),
    "payload an object": (GOOD | {"payload": {}}, Code.ENVELOPE_SHAPE, "payload"),
    "type no string": (GOOD | {"payloadType": True}, Code.ENVELOPE_SHAPE, "payloadType"),
    "signatures no list": (GOOD | {"signatures": SIGNATURE}, Code.ENVELOPE_SHAPE, "signatures"),
    "signature no object": (GOOD | {"signatures": ["AAAA"]}, Code.ENVELOPE_SHAPE, "signatures[0]"),
    "second signature short": (
        GOOD | {"signatures": [SIGNATURE, WITHOUT_SIG]},
        Code.ENVELOPE_SHAPE,
        "signatures[1]",
    ),
    "signature with an algorithm": (
        GOOD | {"signatures": [SIGNATURE | {"alg": "none"}]},
        Code.ENVELOPE_SHAPE,
        "signatures[0]",
    ),
    "key id no string": (
        GOOD | {"signatures": [SIGNATURE | {"keyid": 7}]},
        Code.ENVELOPE_SHAPE,
        "signatures[0].keyid",
    ),
    "payload not canonical": (GOOD | {"payload": "e31="}, Code.BASE64_FORM, "payload"),
    "payload with a line feed": (GOOD | {"payload": "e30=\n"}, Code.BASE64_FORM, "payload"),
    "signature URL-safe": (
        GOOD | {"signatures": [SIGNATURE | {"sig": "-_8="}]},
        Code.BASE64_FORM,
        "signatures[0].sig",
    ),
}

ENVELOPES = st.builds(
    Envelope,
    payload=st.binary(max_size=30),
    payload_type=st.sampled_from([MESSAGE_TYPE, DIRECTORY_TYPE, ROOT_TYPE, ENROLMENT_TYPE, "", "黔"]),
    signatures=st.lists(
        st.builds(Signature, keyid=st.text(max_size=4), sig=st.binary(max_size=8)), max_size=3
    ).map(tuple),
)


@pytest.mark.parametrize(("value", "code", "where"), BENT.values(), ids=BENT)
def test_a_bent_envelope_is_refused(value: Any, code: Code, where: str) -> None:
    """An envelope has exactly its fields in exactly their types; the refusal says which one is wrong."""
    with pytest.raises(Refused) as caught:
        Envelope.parse(value)

    assert (code, where) == (caught.value.code, caught.value.where)


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_the_number_of_signatures_is_not_the_envelopes_business(count: int) -> None:
    """An envelope of any number of signatures can be read: documents carry several, and a verifier counts."""
    envelope = Envelope.parse(GOOD | {"signatures": [SIGNATURE] * count})

    assert count == len(envelope.signatures)


def test_the_payload_is_kept_byte_by_byte() -> None:
    """Spaces, key order and escapes of the signer stay as they are, and the digest is of these bytes."""
    payload = b'{ "b":1 , "a":"\\u9ed4" }\n'
    envelope = Envelope.parse(GOOD | {"payload": b64encode(payload)})

    assert payload == envelope.payload
    assert envelope.digest == "sha256:0ab75dfac77f85efa69f90bc4e82430eceb7c81e99f153809dd2512f3f6ee460"


@settings(max_examples=60)
@given(ENVELOPES)
def test_an_envelope_comes_back_equal(envelope: Envelope) -> None:
    """Written as JSON and read again, an envelope is the same."""
    assert envelope == Envelope.parse(envelope.as_json())


# The example of the DSSE protocol, https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
SPEC = (
    "http://example.com/HelloWorld",
    b"hello world",
    b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
)


def test_a_signature_covers_what_dsse_says() -> None:
    """The bytes to sign are those of the DSSE specification's own example; lengths count bytes."""
    payload_type, payload, expected = SPEC

    assert expected == pae(payload_type, payload)
    assert pae("黔", "贵".encode()) == "DSSEv1 3 黔 3 贵".encode()


def taken_apart(data: bytes) -> tuple[str, bytes]:
    """Type and payload of a pre-authentication encoding, read by its lengths."""
    _, size, rest = data.split(b" ", 2)
    payload_type, rest = rest[: int(size)], rest[int(size) + 1 :]
    size, payload = rest.split(b" ", 1)
    assert int(size) == len(payload)
    return payload_type.decode(), payload


@settings(max_examples=60)
@given(st.text(alphabet="a 1é", max_size=6), st.binary(max_size=12))
def test_no_two_messages_have_the_same_bytes_to_sign(payload_type: str, payload: bytes) -> None:
    """Type and payload can be told from the signed bytes, so a signature fits one pair only."""
    assert (payload_type, payload) == taken_apart(pae(payload_type, payload))
