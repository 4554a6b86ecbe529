"""`tongbao claim REF`: an officer signs for an alert."""

from typing import Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both


@entry("claim", both("签收一份通报", "Sign for an alert"))
def claim(
    call: Call,
    reference: Annotated[
        str, typer.Argument(metavar="NUMBER|ID", help=both("编号或消息 id", "Readable number or id"))
    ],
) -> None:
    from tongbao_connectors.cli.inbox import as_json
    from tongbao_connectors.cli.printing import now

    officer = call.officer_ref()
    with call.province() as settings:
        from tongbao_connectors import casework
        from tongbao_connectors.duty import current

        item = casework.claim(reference, officer_ref=officer, roster=current.roster(settings), at=now())
    call.put(as_json(settings.code, item), lambda: None)
    call.say(
        f"{item.number} 已由 {item.claimed_by} 签收。", f"{item.number} is signed for by {item.claimed_by}."
    )
