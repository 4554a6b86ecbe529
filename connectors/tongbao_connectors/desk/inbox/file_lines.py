"""The files of a message as a page lists them: what each is, how large, and whether it is here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tongbao_connectors import casework
from tongbao_connectors.casework.files import Attached, Stand
from tongbao_connectors.store.models import Message
from tongbao_connectors.wording import Wording
from tongbao_schemas.codes import MessageType
from tongbao_schemas.number import PROVINCES


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file in a list. `of` is the message that it belongs to, `whose` says which where it matters."""

    name: str
    kind: str
    size: str
    digest: str
    short: str
    stand: str
    icon: str
    complete: bool
    of: str
    own: bool
    whose: str


def lines_of(message: Message, listed: Sequence[Mapping[str, Any]], w: Wording) -> tuple[FileLine, ...]:
    """The files of a message, as a page lists them."""
    return tuple(_line(file, message, w) for file in casework.files_of(message, listed))


def _line(file: Attached, page: Message, w: Wording) -> FileLine:
    plain = file.digest.removeprefix("sha256:")
    return FileLine(
        name=file.name,
        kind=w.label(file.media_type) if file.media_type else "",
        size=size_of(file.size),
        digest=plain,
        short=f"{plain[:4]}…{plain[-4:]}",
        stand=_stand(file, w),
        icon={Stand.COMPLETE: "tick", Stand.DIFFERS: "cross"}.get(file.stand, "held"),
        complete=file.complete,
        of=file.of.message_id,
        own=file.of.delivery_seq is None,
        whose=_whose(file, page, w),
    )


def size_of(size: int) -> str:
    """588 B, 12 KB, 3.4 MB; nothing where it isn't known."""
    if size < 1024:
        return f"{size} B" if size else ""
    return f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def _stand(file: Attached, w: Wording) -> str:
    if file.stand is Stand.PARTLY:
        return w.of(f"已到 {file.here}/{file.parts}", f"{file.here} of {file.parts} parts here")
    return w.label(file.stand)


def _whose(file: Attached, page: Message, w: Wording) -> str:
    if file.of.pk != page.pk:
        place = PROVINCES[file.of.origin]
        return f"{w.label(MessageType(file.of.type))} · {w.of(place.zh, place.en)}"
    return w.of("补充附件", "sent later") if file.later and page.type == MessageType.ALERT else ""
