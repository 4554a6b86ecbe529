"""A file that is to travel with a message: what has to be right about it before anybody takes it.

1. Name, type, content and size are judged as the receiver will judge them (protocol, section 12).
2. Nothing in it is changed, a picture's metadata neither: it is evidence, and its hash has to stay.
"""

from dataclasses import dataclass, field
from typing import Any

from tongbao_schemas.bodies.attachment import MOST_BYTES, cut, is_of, media_type_of
from tongbao_schemas.bodies.codes import MediaType
from tongbao_schemas.bodies.parse import ATTACHMENT_SCHEMA, parse_body
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.encoding import compact_json, digest
from tongbao_schemas.errors import Refused
from tongbao_schemas.identifiers import EPOCH
from tongbao_schemas.refusals import Code


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be sent."""

    name: str
    media_type: MediaType
    content: bytes = field(repr=False)
    digest: str

    @classmethod
    def read(cls, name: str, content: bytes) -> "File":
        """The file of this name (without folders); raises Refused."""
        kind = media_type_of(name)
        if kind is None:
            raise Refused(Code.ATTACHMENT_CONTENT, "name")
        if len(content) > MOST_BYTES:
            raise Refused(Code.ATTACHMENTS_TOO_LARGE)
        if not content or not is_of(kind, content):
            raise Refused(Code.ATTACHMENT_CONTENT, "data")
        first = compact_json(next(cut(name, content)))
        parse_body(ATTACHMENT_SCHEMA, first, category=Category.ONLINE, status=Status.ACTUAL, at=EPOCH)
        return cls(name, kind, content, digest(content))

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)

    def note(self) -> dict[str, Any]:
        """As an alert lists it."""
        return {"name": self.name, "digest": self.digest, "size": self.size}
