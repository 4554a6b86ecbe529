"""The files that are to go with a draft.

1. A file is judged when it is given: name, type by its first bytes, size. What is wrong is told at the field,
   and nothing of it is kept.
2. Its bytes lie beside the draft until that is issued, discarded or cleared; then they are deleted here.
   Nothing in them is changed.
3. Their list goes into the alert as it is checked, reviewed and issued; then they go to the connector.
4. A draft that is made out of an alert gets that alert's files, as far as they are complete.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tongbao_broker.errors import Words
from tongbao_connectors import casework
from tongbao_connectors.files import File
from tongbao_connectors.papers.checking import FILES, Fault
from tongbao_connectors.papers.models import Enclosure, Paper
from tongbao_connectors.store.models import HeldFile, Message
from tongbao_schemas.bodies.attachment import MOST_BYTES
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import REFUSALS, Code

FIELD: Final = FILES
MOST_FILES: Final = 20


def listed(paper: Paper) -> list[Enclosure]:
    """A draft's files in their order, without their bytes."""
    return list(paper.files.defer("content").order_by("pk"))


def notes(paper: Paper) -> list[dict[str, Any]]:
    """The files as the alert will list them."""
    return [{"name": row.name, "digest": row.digest, "size": row.size} for row in listed(paper)]


def attach(paper: Paper, given: Iterable[tuple[str, bytes | None]]) -> tuple[Fault, ...]:
    """Keeps the files that are good, given by name and content (None: too long to be read); what is wrong.

    Inside the caller's transaction. The same file again changes nothing.
    """
    return tuple(fault for name, content in given if (fault := _attach(paper, name, content)) is not None)


def detach(paper: Paper, key: str) -> None:
    """Takes a file away again."""
    if key.isdigit():
        paper.files.filter(pk=int(key)).delete()


def files_of(paper: Paper) -> list[File]:
    """The files themselves, to be handed to the connector."""
    return [File.read(row.name, bytes(row.content)) for row in paper.files.order_by("pk")]


def forget(paper: Paper) -> None:
    """Deletes the bytes of a draft's files."""
    paper.files.all().delete()


def carry(paper: Paper, alert: Message, notes_of: Sequence[dict[str, Any]]) -> None:
    """Gives a draft the files that an own alert lists and that are complete."""
    for file in casework.files_of(alert, notes_of):
        if file.of.pk == alert.pk and file.complete:
            _keep(paper, File.read(file.name, file.content))


def carry_held(paper: Paper, message_id: str) -> None:
    """Gives a draft the files of an alert that couldn't be sealed."""
    held = HeldFile.objects.filter(message_id=message_id)
    for row in held.order_by("number"):
        _keep(paper, File.read(row.name, bytes(row.content)))


def _attach(paper: Paper, name: str, content: bytes | None) -> Fault | None:
    there = listed(paper)
    try:
        if content is None:
            raise Refused(Code.ATTACHMENTS_TOO_LARGE)
        file = File.read(name, content)
    except Refused as refused:
        return _fault(name, refused)
    if any((row.name, row.digest) == (file.name, file.digest) for row in there):
        return None
    if any(row.name.lower() == file.name.lower() for row in there):
        return Fault(FIELD, _named(file.name, _TWICE))
    if len(there) >= MOST_FILES:
        return Fault(FIELD, _named(file.name, _TOO_MANY))
    if sum(row.size for row in there) + file.size > MOST_BYTES:
        return _fault(name, Refused(Code.ATTACHMENTS_TOO_LARGE))
    _keep(paper, file)
    return None


def _keep(paper: Paper, file: File) -> None:
    Enclosure.objects.create(
        paper=paper,
        name=file.name,
        media_type=file.media_type,
        digest=file.digest,
        size=file.size,
        content=file.content,
    )


def _fault(name: str, refused: Refused) -> Fault:
    row = REFUSALS[refused.code]
    said = Words((row.zh + row.next_zh).rstrip("。"), f"{row.en} {row.next_en}".rstrip("."))
    return Fault(FIELD, _named(name, _NAMES if refused.code is Code.BODY_SHAPE else said), refused.code)


def _named(name: str, said: Words) -> Words:
    shown = name if len(name) <= 60 else f"{name[:57]}…"
    return Words(f"“{shown}”：{said.zh}", f"“{shown}”: {said.en}")


_NAMES: Final = Words(
    '文件名最多 60 个字，不以点或空格开头，不含 / \\ : * ? " < > |',
    'a name has at most 60 characters, begins with neither dot nor blank, and has none of / \\ : * ? " < > |',
)
_TWICE: Final = Words("已有同名文件，请先移除或改名", "there is a file of this name; remove or rename one")
_TOO_MANY: Final = Words("最多 20 份附件", "20 files at most")
