"""Envelopes signed and verified."""

from dataclasses import replace

import pytest

from tests.support.world import signing_key
from tongbao_broker.trust.dsse import sign, signers, verify_one
from tongbao_schemas.envelope import DIRECTORY_TYPE, MESSAGE_TYPE, Envelope, Signature
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

A, B = signing_key("a"), signing_key("b")
GOOD = sign(b"{}", MESSAGE_TYPE, [A])
[SIGNATURE] = GOOD.signatures


def test_one_good_signature_verifies() -> None:
    """What a key signed verifies with its public half."""
    verify_one(GOOD, MESSAGE_TYPE, A.public)


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        pytest.param(replace(GOOD, payload=b"{ }"), Code.SIGNATURE_WRONG, id="other bytes"),
        pytest.param(replace(GOOD, payload_type=DIRECTORY_TYPE), Code.PAYLOAD_TYPE, id="another slot"),
        pytest.param(sign(b"{}", MESSAGE_TYPE, []), Code.SIGNATURE_COUNT, id="no signature"),
        pytest.param(sign(b"{}", MESSAGE_TYPE, [A, B]), Code.SIGNATURE_COUNT, id="two signatures"),
        pytest.param(sign(b"{}", MESSAGE_TYPE, [A, A]), Code.SIGNATURE_COUNT, id="the same one twice"),
        pytest.param(sign(b"{}", MESSAGE_TYPE, [B]), Code.SIGNATURE_WRONG, id="another key"),
        pytest.param(
            replace(GOOD, signatures=(Signature(A.keyid, SIGNATURE.sig[:63]),)),
            Code.SIGNATURE_WRONG,
            id="cut signature",
        ),
    ],
)
def test_anything_else_is_refused(envelope: Envelope, code: Code) -> None:
    """Each fault of an envelope has its code."""
    with pytest.raises(Refused) as refused:
        verify_one(envelope, MESSAGE_TYPE, A.public)

    assert refused.value.code is code


def test_a_signature_is_for_its_payload_type() -> None:
    """The type is signed too: a directory's signature is none of a message with the same bytes."""
    moved = replace(sign(b"{}", DIRECTORY_TYPE, [A]), payload_type=MESSAGE_TYPE)
    with pytest.raises(Refused) as refused:
        verify_one(moved, MESSAGE_TYPE, A.public)

    assert refused.value.code is Code.SIGNATURE_WRONG


KNOWN = {A.keyid: A.public, B.keyid: B.public}


@pytest.mark.parametrize(
    ("envelope", "keys", "found"),
    [
        pytest.param(sign(b"{}", MESSAGE_TYPE, [A, B]), KNOWN, {A.public, B.public}, id="both"),
        pytest.param(sign(b"{}", MESSAGE_TYPE, [A, A]), KNOWN, {A.public}, id="one twice"),
        pytest.param(
            sign(b"{}", MESSAGE_TYPE, [A, signing_key("c")]), KNOWN, {A.public}, id="one of a stranger"
        ),
        pytest.param(
            replace(GOOD, signatures=(SIGNATURE, Signature(B.keyid, SIGNATURE.sig))),
            KNOWN,
            {A.public},
            id="one under another's name",
        ),
        pytest.param(
            replace(GOOD, signatures=(SIGNATURE, Signature("alias", SIGNATURE.sig))),
            KNOWN | {"alias": A.public},
            {A.public},
            id="one key under two names",
        ),
        pytest.param(sign(b"{}", MESSAGE_TYPE, []), KNOWN, set(), id="none"),
    ],
)
def test_signers_are_distinct_public_keys(
    envelope: Envelope, keys: dict[str, bytes], found: set[bytes]
) -> None:
    """What counts towards a threshold is a set of public keys, whatever names and repeats there are."""
    assert signers(envelope, MESSAGE_TYPE, keys) == found
