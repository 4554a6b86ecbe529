"""`tongbao answer REF`: the officer who signed for an alert says what came of it."""

from dataclasses import asdict
from typing import Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both


@entry("answer", both("反馈一份已签收的通报", "Answer an alert that was signed for"))
def answer(
    call: Call,
    reference: Annotated[
        str, typer.Argument(metavar="NUMBER|ID", help=both("编号或消息 id", "Readable number or id"))
    ],
    text: Annotated[str, typer.Option("--text", help=both("反馈内容", "What to say"))],
    kind: Annotated[
        str, typer.Option("--kind", help=both("progress 阶段反馈，result 最终反馈", "progress or result"))
    ] = "result",
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", help=both("结果代码（最终反馈必填）", "Outcome code (a result needs one)")),
    ] = None,
    client_ref: Annotated[
        str | None,
        typer.Option(
            "--client-ref",
            help=both("自编的唯一编号，重发不重复", "Your own unique reference, for safe retries"),
        ),
    ] = None,
) -> None:
    from tongbao_connectors.cli.printing import now

    officer = call.officer_ref()
    with call.province() as settings:
        from tongbao_connectors import casework

        draft = casework.answer(
            reference,
            officer_ref=officer,
            roster=settings.roster(),
            kind=kind,
            text=text,
            outcome=outcome,
            origin=settings.code,
            at=now(),
            client_ref=client_ref,
        )
    call.put(asdict(draft), lambda: print(draft.message_id))
    call.say("反馈已交连接器发送。", "The answer was handed to the connector.")
