"""Files of a thread: put together from the attachments that are here, each time somebody looks.

1. Nothing of a file lies here in plain, its name neither; without the content keys of its parts it is gone.
2. Parts count only if they come from who sent the message that they name. Parts that say the same name,
   type, digest and number of parts are one file; of two with the same number the later one in the log counts.
3. A file is `COMPLETE` when all parts are there and what they make has the digest and the type that they say.
4. What an alert lists is judged against the list. What has a listed name or digest and isn't exactly that
   file `DIFFERS` and is never handed out. A file that the list doesn't know at all came `later`.
5. More parts than `PARTS_AT_MOST` in one thread aren't looked at, so that nobody's page waits for minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tongbao_connectors.casework import bodies
from tongbao_connectors.store.models import ContentKey, Message, Record, Reference
from tongbao_schemas.bodies.attachment import is_of, join, media_type_of
from tongbao_schemas.bodies.codes import MediaType
from tongbao_schemas.codes import Labelled, MessageType
from tongbao_schemas.encoding import b64decode

PARTS_AT_MOST: Final = 240


class Stand(Labelled):
    """Whether a file is there."""

    COMPLETE = "complete", "齐全", "Complete"
    PARTLY = "partly", "未到齐", "Not all here"
    MISSING = "missing", "未到", "Not here yet"
    DIFFERS = "differs", "与通报所列不符", "Not what the alert lists"


@dataclass(frozen=True, slots=True)
class Attached:
    """A file, or what is known of it. `of` is the message that it belongs to.

    `size` is in bytes, 0 where it isn't known; of `parts` parts `here` have come.
    """

    of: Message
    name: str
    media_type: MediaType | None
    digest: str
    size: int
    stand: Stand
    here: int
    parts: int
    later: bool = False
    content: bytes = field(default=b"", repr=False)

    @property
    def complete(self) -> bool:
        """Whether it can be handed out."""
        return self.stand is Stand.COMPLETE


class _Said(NamedTuple):
    """What the parts of one file have in common."""

    name: str
    media_type: MediaType
    digest: str
    parts: int


_Pieces = Mapping[_Said, Mapping[int, bytes]]


def files_of(message: Message, listed: Sequence[Mapping[str, Any]] = ()) -> list[Attached]:
    """The files of a message, and of an alert those of all that followed it too.

    `listed` is what the alert's body lists. What each file holds comes with it: a page shows none of that.
    """
    parts = _parts(message)
    found = _of_message(message, parts.pop(message.message_id, {}), listed)
    if message.type == MessageType.ALERT:
        followers = Message.objects.filter(thread=message.thread, message_id__in=parts).order_by("pk")
        for each in followers:
            found += _of_message(each, parts[each.message_id], ())
    return found


def one(message: Message, digest: str) -> Attached | None:
    """A file of exactly this message by its digest, if it may be handed out."""
    alert = message.type == MessageType.ALERT
    listed = bodies.plain_body(message).get("attachments", ()) if alert else ()
    found = _of_message(message, _parts(message).get(message.message_id, {}), listed)
    return next((file for file in found if file.digest == digest and file.complete), None)


def _of_message(
    message: Message, pieces: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]
) -> list[Attached]:
    """`pieces` are those of parts that name the message, by their sender."""
    own: _Pieces = pieces.get(message.origin, {})
    exact = {(note["name"], note["digest"]): note for note in listed}
    names, digests = {name for name, _ in exact}, {digest for _, digest in exact}
    found = [_noted(message, note, own) for note in listed]
    for said, got in own.items():
        if (said.name, said.digest) not in exact:
            known = said.name in names or said.digest in digests
            found.append(_judged(message, said, got, differs=known, later=not known))
    return found


def _noted(message: Message, note: Mapping[str, Any], own: _Pieces) -> Attached:
    """The file that an alert lists."""
    said = [each for each in own if (each.name, each.digest) == (note["name"], note["digest"])]
    if not said:
        kind = media_type_of(note["name"])
        return Attached(message, note["name"], kind, note["digest"], note["size"], Stand.MISSING, 0, 0)
    best = max(said, key=lambda each: len(own[each]) / each.parts)
    return _judged(message, best, own[best], size=note["size"])


def _judged(
    message: Message,
    said: _Said,
    pieces: Mapping[int, bytes],
    *,
    size: int = 0,
    differs: bool = False,
    later: bool = False,
) -> Attached:
    content = join(pieces, said.digest) if len(pieces) == said.parts else None
    stand, measured = Stand.COMPLETE, size or len(content or b"")
    if differs or (len(pieces) == said.parts and not _fits(said, content, size)):
        stand, content = Stand.DIFFERS, None
    elif content is None:
        stand = Stand.PARTLY
    return Attached(
        message,
        said.name,
        said.media_type,
        said.digest,
        measured,
        stand,
        len(pieces),
        said.parts,
        later,
        content or b"",
    )


def _fits(said: _Said, content: bytes | None, size: int) -> bool:
    return content is not None and size in (0, len(content)) and is_of(said.media_type, content)


def _parts(message: Message) -> dict[str, dict[str, dict[_Said, dict[int, bytes]]]]:
    """The pieces of all files in the thread: by the message named, by sender, by file, by number."""
    rows = Message.objects.filter(thread=message.thread, type=MessageType.ATTACHMENT)
    parts = list(rows.order_by("leaf_index", "pk")[:PARTS_AT_MOST])
    targets = _targets(parts)
    found: dict[str, dict[str, dict[_Said, dict[int, bytes]]]] = {}
    for each in parts:
        body = _body(each)
        if body is not None and each.pk in targets:
            said = _Said(body["name"], MediaType(body["media_type"]), body["digest"], body["parts"])
            files = found.setdefault(targets[each.pk], {}).setdefault(each.origin, {})
            files.setdefault(said, {})[body["part"]] = b64decode(body["data"])
    return found


def _targets(parts: Sequence[Message]) -> dict[int, str]:
    """The message that each part belongs to, where it is here and is the one that was meant."""
    known = Reference.objects.filter(message__in=parts, known=True)
    return dict(known.values_list("message_id", "target"))


def _body(part: Message) -> dict[str, Any] | None:
    """The body of a part; None once it has been purged."""
    cek = ContentKey.objects.filter(message=part).values_list("cek", flat=True).first()
    if cek is None:
        return None
    return bodies.of_row(part, Record.objects.values_list("value", flat=True).get(message=part), cek)
