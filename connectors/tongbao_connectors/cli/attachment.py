"""`tongbao attachment save REF NAME --to FILE`: hands out a file that came with a message, on record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.casework import Attached

group = new_group(both("附件：随通报发来的文件", "Attachments: files that came with a message"))


@entry("save", both("保存一份附件（会留痕）", "Save an attachment, on record"))
def save(
    call: Call,
    reference: Annotated[
        str, typer.Argument(metavar="NUMBER|ID", help=both("编号或消息 id", "Readable number or id"))
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help=both("附件名称", "The attachment's name"))],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FILE", help=both("存到哪个新文件", "The new file to save it to")),
    ],
    why: Annotated[str, typer.Option("--why", help=both("为何打开", "Why it is opened"))],
) -> None:
    from tongbao_connectors.cli.errors import NoFile
    from tongbao_connectors.cli.printing import now

    officer = call.officer_ref()
    with call.province() as settings:
        from tongbao_connectors import casework

        found = _found(reference, name)
        file = casework.open_file(
            found.of.message_id,
            found.digest,
            officer_ref=officer,
            why=why,
            roster=settings.roster(),
            at=now(),
        )
    try:
        with to.open("xb") as target:
            target.write(file.content)
    except OSError as error:
        raise NoFile(f"{to}: {error.strerror}") from None
    facts = {"name": file.name, "digest": file.digest, "size": file.size, "file": str(to)}
    call.put(facts, lambda: print(to))
    call.say(f"已保存，查阅已记录：{officer} · {why}", f"Saved; on record: {officer} · {why}")


def _found(reference: str, name: str) -> "Attached":
    """The file of this name; raises NotFound, with its state where it can't be handed out."""
    from tongbao_broker.errors import NotFound, Words
    from tongbao_connectors import casework, finding

    message = finding.message(reference)
    listed = casework.plain_body(message).get("attachments", ())
    named = [file for file in casework.files_of(message, listed) if file.name == name]
    for file in named:
        if file.complete:
            return file
    if named:
        stand = named[0].stand
        raise NotFound(Words(f"{name}：{stand.zh}", f"{name}: {stand.en}"))
    raise NotFound(Words(f"附件 {name}", f"attachment {name}"))


save.add_to(group)
