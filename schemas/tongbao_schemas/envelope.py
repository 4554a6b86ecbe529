"""The DSSE v1 envelope around exact payload bytes (https://github.com/secure-systems-lab/dsse).

The bytes that were signed are kept beside everything parsed from them and are never serialised anew. How
many signatures there must be, and of what kind, is for the verifier to say (`tongbao_broker.trust`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from tongbao_schemas.encoding import b64, b64decode, b64encode, compact_json, digest
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

MESSAGE_TYPE: Final = "application/vnd.tongbao.message.v1+json"
DIRECTORY_TYPE: Final = "application/vnd.tongbao.directory.v1+json"
ROOT_TYPE: Final = "application/vnd.tongbao.root.v1+json"
ENROLMENT_TYPE: Final = "application/vnd.tongbao.enrolment.v1+json"
REMEMBERED_NAMES: Final = 256


@dataclass(frozen=True)
class Signature:
    """One signature and the id of the key that is said to have made it."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """Payload bytes, their type, and the signatures over both."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    @cached_property
    def digest(self) -> str:
        """`sha256:…` of the payload: how other messages and the trail name this one."""
        return digest(self.payload)

    def as_json(self) -> dict[str, Any]:
        """The envelope as it stands in a record."""
        return {
            "payload": b64encode(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": one.keyid, "sig": b64encode(one.sig)} for one in self.signatures],
        }

    def encode(self) -> bytes:
        """The JSON text of `as_json`; put together by hand, since base64 needs no escapes."""
        signatures = [
            b'{"keyid":%b,"sig":"%b"}' % (_quoted(one.keyid), b64(one.sig)) for one in self.signatures
        ]
        return b'{"payload":"%b","payloadType":%b,"signatures":[%b]}' % (
            b64(self.payload),
            _quoted(self.payload_type),
            b",".join(signatures),
        )

    @classmethod
    def parse(cls, value: Any) -> "Envelope":
        """The envelope in a parsed JSON value; `ENVELOPE_SHAPE` or `BASE64_FORM`."""
        fields = _exactly(value, {"payload": str, "payloadType": str, "signatures": list})
        signatures = tuple(
            _signature(one, f"signatures[{place}]") for place, one in enumerate(fields["signatures"])
        )
        return cls(b64decode(fields["payload"], "payload"), fields["payloadType"], signatures)


@lru_cache(maxsize=REMEMBERED_NAMES)
def _quoted(text: str) -> bytes:
    return compact_json(text)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that a signature covers."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _signature(value: Any, place: str) -> Signature:
    fields = _exactly(value, {"keyid": str, "sig": str}, place)
    return Signature(fields["keyid"], b64decode(fields["sig"], f"{place}.sig"))


def _exactly(value: Any, shape: Mapping[str, type], place: str = "") -> dict[str, Any]:
    """`value` if it is an object with exactly these fields of these types."""
    if not isinstance(value, dict) or value.keys() != shape.keys():
        raise Refused(Code.ENVELOPE_SHAPE, place)
    for name, kind in shape.items():
        if not isinstance(value[name], kind):
            raise Refused(Code.ENVELOPE_SHAPE, f"{place}.{name}".lstrip("."))
    return value
