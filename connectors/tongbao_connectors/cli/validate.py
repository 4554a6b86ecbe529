"""`tongbao validate FILE`: checks a submission as `send` would, without a workspace and without sending."""

from pathlib import Path
from typing import Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both


@entry("validate", both("检查一份待发文件，不发送", "Check a submission without sending it"))
def validate(
    call: Call,
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help=both("文件，- 为标准输入", "The file, - for standard input")),
    ],
) -> None:
    from tongbao_connectors import words
    from tongbao_connectors.cli import reading
    from tongbao_connectors.cli.printing import now
    from tongbao_schemas.submission import check_submission, parse_submission

    found = parse_submission(reading.content(path))
    check_submission(found, now=now(), origin=call.acting or "")
    facts = {
        "ok": True,
        "client_ref": found.client_ref,
        "type": found.type,
        "status": found.status,
        "category": found.category,
        "urgency": found.urgency,
        "audience": list(found.audience),
        "digest": found.digest,
    }
    call.put(facts, lambda: print(call.words("通过", "ok")))
    what = (found.type.label(call.lang), found.category.label(call.lang), found.status.label(call.lang))
    to = " ".join(words.place(code, call.lang) for code in found.audience)
    line = f"{' · '.join(what)} → {to}"
    call.say(line, line)
