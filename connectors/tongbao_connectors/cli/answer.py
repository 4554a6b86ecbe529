"""`tongbao answer REF`: the officer who holds an alert says what came of it, gives it back, or asks for time.

1. What is answered says `--kind`, else the option that only one kind has: `--ground` 退回补正, `--to`
   建议改发, `--until` 申请延期; without any it is the result.
2. `--until` is a time of Beijing unless it says its zone.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

KINDS = {"return": "returned", "more-time": "more_time"}
"""What the desk calls otherwise than a body does."""


@entry(
    "answer", both("反馈、退回、建议改发或申请延期", "Answer an alert, return or redirect it, ask for time")
)
def answer(
    call: Call,
    reference: Annotated[
        str, typer.Argument(metavar="NUMBER|ID", help=both("编号或消息 id", "Readable number or id"))
    ],
    text: Annotated[str, typer.Option("--text", help=both("反馈内容、理由", "What to say, or why"))],
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            help=both(
                "progress 阶段反馈，result 最终反馈，return 退回补正，redirect 建议改发，more-time 申请延期；"
                "不填则由其他选项确定，否则为 result",
                "progress, result, return, redirect or more-time; if left out, as the other options say, "
                "else result",
            ),
        ),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", help=both("结果代码（最终反馈必填）", "Outcome code (a result needs one)")),
    ] = None,
    ground: Annotated[
        str | None,
        typer.Option(
            "--ground",
            help=both(
                "退回理由：papers_incomplete 手续不完备，not_our_area 非本辖区，"
                "too_little_information 信息不足，duplicate 重复",
                "Why it is returned: papers_incomplete, not_our_area, too_little_information, duplicate",
            ),
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="CODE",
            help=both("建议改发到哪个省（代码）", "The province (code) that should have it instead"),
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help=both(
                "延至何时，北京时间，如 2026-11-30T18:00", "Until when, Beijing time: 2026-11-30T18:00"
            ),
        ),
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

    officer, by_then = call.officer_ref(), _time(until)
    with call.province() as settings:
        from tongbao_connectors import casework
        from tongbao_connectors.duty import current

        draft = casework.answer(
            reference,
            officer_ref=officer,
            roster=current.roster(settings),
            kind=_kind(kind, ground=ground, to=to, until=until),
            text=text,
            outcome=outcome,
            ground=ground,
            to=to,
            until=by_then,
            origin=settings.code,
            at=now(),
            client_ref=client_ref,
        )
    call.put(asdict(draft), lambda: print(draft.message_id))
    call.say("反馈已交接入端发送。", "The answer was handed to the connector.")


def _kind(said: str | None, *, ground: str | None, to: str | None, until: str | None) -> str:
    """The kind of answer as its body names it."""
    if said is not None:
        return KINDS.get(said, said)
    own = {"returned": ground, "redirect": to, "more_time": until}
    return next((kind for kind, option in own.items() if option is not None), "result")


def _time(text: str | None) -> datetime | None:
    """A time as it was typed; raises Usage."""
    from tongbao_broker.errors import Words
    from tongbao_connectors.cli.errors import Usage
    from tongbao_connectors.duty_time import BEIJING

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(
            Words(f"--until {text}：写成 2026-11-30T18:00", f"--until {text}: write it like 2026-11-30T18:00")
        ) from None
    return at.replace(tzinfo=at.tzinfo or BEIJING)
