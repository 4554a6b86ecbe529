"""The body of an attachment: one part of one file. Which message it belongs to stands in the header's refs.

1. A file is cut into parts of `PART_BYTES`, of which the last may be shorter; so each part knows its place,
   whatever arrives first. A file has at most `MOST_PARTS`.
2. Every part says the whole file's name, type and SHA-256. Parts that say the same make one file.
3. Papers, scans and pictures are taken, and nothing that runs, changes its looks or hides something: no
   office formats (macros, tracked changes, whole lists of people), no HTML or SVG, no archives.
4. Name, type and content agree: the name's ending is one of the type's, and the first bytes are too.
5. A name is one that any system can store: no path, no character that Windows refuses, at most 60 characters.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints

from tongbao_schemas.bodies.codes import MediaType
from tongbao_schemas.encoding import b64decode, b64encode, digest
from tongbao_schemas.errors import Refused
from tongbao_schemas.fields import Digest, Strict
from tongbao_schemas.refusals import Code

PART_BYTES: Final = 256 * 1024
MOST_PARTS: Final = 80
MOST_BYTES: Final = MOST_PARTS * PART_BYTES
"""20 MiB: what a file may have, and all files that an alert lists together."""

ENDINGS: Final[Mapping[MediaType, tuple[str, ...]]] = MappingProxyType(
    {
        MediaType.PDF: (".pdf",),
        MediaType.OFD: (".ofd",),
        MediaType.JPEG: (".jpg", ".jpeg"),
        MediaType.PNG: (".png",),
        MediaType.TEXT: (".txt",),
    }
)
"""How the names of each type end, in capitals too."""
_BEGINNINGS: Final[Mapping[MediaType, bytes]] = MappingProxyType(
    {
        MediaType.PDF: b"%PDF-",
        MediaType.OFD: b"PK\x03\x04",
        MediaType.JPEG: b"\xff\xd8\xff",
        MediaType.PNG: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        MediaType.TEXT: b"",
    }
)
_OFD_ENTRY: Final = b"OFD.xml"
_CONTROLS: Final = frozenset(range(0x20)) - frozenset(b"\t\n\r\f") | {0x7F}
_UNFIT: Final = r'/\\:*?"<>|\n'
_NAME: Final = (
    rf"^[^\s.{_UNFIT}][^{_UNFIT}]{{0,55}}"
    r"\.([Pp][Dd][Ff]|[Oo][Ff][Dd]|[Jj][Pp][Ee]?[Gg]|[Pp][Nn][Gg]|[Tt][Xx][Tt])$"
)


def _canonical(value: str) -> str:
    b64decode(value, "data")
    return value


FileName = Annotated[str, StringConstraints(max_length=60, pattern=_NAME)]
Data = Annotated[
    str, StringConstraints(min_length=4, max_length=(PART_BYTES + 2) // 3 * 4), AfterValidator(_canonical)
]


class AttachmentBody(Strict):
    """附件: one part of a file. `digest` is the whole file's."""

    name: FileName
    media_type: MediaType
    digest: Digest
    part: Annotated[int, Field(ge=1, le=MOST_PARTS)]
    parts: Annotated[int, Field(ge=1, le=MOST_PARTS)]
    data: Data

    @cached_property
    def content(self) -> bytes:
        """The bytes of this part."""
        return b64decode(self.data)


def check_attachment(body: AttachmentBody) -> None:
    """Rules 1 and 4, as far as one part shows it: `ATTACHMENT_PART`, `ATTACHMENT_CONTENT`."""
    content = body.content
    if body.part > body.parts:
        raise Refused(Code.ATTACHMENT_PART, "part")
    if len(content) > PART_BYTES or (body.part < body.parts and len(content) != PART_BYTES):
        raise Refused(Code.ATTACHMENT_PART, "data")
    if media_type_of(body.name) is not body.media_type:
        raise Refused(Code.ATTACHMENT_CONTENT, "media_type")
    begins = body.part > 1 or content.startswith(_BEGINNINGS[body.media_type])
    if not begins or (body.media_type is MediaType.TEXT and _has_controls(content)):
        raise Refused(Code.ATTACHMENT_CONTENT, "data")


def media_type_of(name: str) -> MediaType | None:
    """The type that a name's ending stands for; None for an ending that isn't taken."""
    lower = name.lower()
    return next((kind for kind, endings in ENDINGS.items() if lower.endswith(endings)), None)


def is_of(media_type: MediaType, content: bytes) -> bool:
    """Whether a whole file begins, and a text is written throughout, as its type says."""
    if not content.startswith(_BEGINNINGS[media_type]):
        return False
    if media_type is MediaType.OFD:
        return _OFD_ENTRY in content
    return media_type is not MediaType.TEXT or _is_text(content)


def cut(name: str, content: bytes) -> Iterator[dict[str, Any]]:
    """The bodies of a file's parts in their order, as plain JSON values.

    Name and content have been found good.
    """
    whole, count = digest(content), parts_of(len(content))
    for index in range(count):
        yield part(name, whole, index + 1, count, content[index * PART_BYTES : (index + 1) * PART_BYTES])


def part(name: str, whole: str, number: int, parts: int, piece: bytes) -> dict[str, Any]:
    """The body of one part, as plain JSON values; `whole` is the file's digest."""
    return {
        "name": name,
        "media_type": media_type_of(name),
        "digest": whole,
        "part": number,
        "parts": parts,
        "data": b64encode(piece),
    }


def parts_of(size: int) -> int:
    """How many parts a file of so many bytes has."""
    return -(-size // PART_BYTES)


def join(pieces: Mapping[int, bytes], whole: str) -> bytes | None:
    """The file of which these are the parts by number; None unless its digest is `whole`."""
    content = b"".join(pieces[part] for part in sorted(pieces))
    return content if digest(content) == whole else None


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not _has_controls(content)


def _has_controls(content: bytes) -> bool:
    return not _CONTROLS.isdisjoint(content)
