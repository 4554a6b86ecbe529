"""`tongbao trail REF`: everything that a participant knows of a message, with the proof of its entry."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.trail import Trail


@entry(
    "trail",
    both(
        "一份通报的全程留痕（--as 100000 为平台所见）",
        "A message's whole trail (--as 100000: the exchange's view)",
    ),
)
def trail(
    call: Call,
    reference: Annotated[
        str, typer.Argument(metavar="NUMBER|ID", help=both("编号或消息 id", "Readable number or id"))
    ],
) -> None:
    from tongbao_schemas.codes import EXCHANGE

    code = call.acting or _origin_of(call, reference)
    if code == EXCHANGE:
        from tongbao_connectors.cli.exchange_trail import show

        show(call, reference)
        return
    with call.province(code) as settings:
        from tongbao_connectors import trail as trails

        found = trails.find(reference, code=settings.code, network=settings.network)
    call.put(_as_json(found), lambda: _print(call, found))


def _origin_of(call: Call, reference: str) -> str:
    """The province that a readable number names; for an id somebody must be named. Raises WhoActs."""
    from tongbao_schemas.errors import Refused
    from tongbao_schemas.number import check_number

    try:
        return check_number(reference)
    except Refused:
        return call.code()


def _as_json(found: "Trail") -> dict[str, Any]:
    from tongbao_schemas.encoding import format_time

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return format_time(value)
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        return value

    return dict(plain(asdict(found)))


def _print(call: Call, found: "Trail") -> None:
    from tongbao_connectors.cli.printing import beijing, facts, table
    from tongbao_connectors.words import category, event_detail, place, stage, state, status

    lang = call.lang
    facts(
        [
            (call.words("编号", "number"), found.number),
            (call.words("消息", "message"), found.message_id),
            (call.words("性质", "status"), status(found.status, lang)),
            (call.words("类别", "category"), category(found.category, lang) if found.category else ""),
            (call.words("来自", "from"), place(found.origin, lang)),
            (call.words("发往", "to"), " ".join(place(code, lang) for code in found.audience)),
            (call.words("状态", "state"), state(found.state, lang)),
            (call.words("摘要", "digest"), found.digest),
        ]
    )
    headings = [
        call.words("时间（北京）", "time (Beijing)"),
        call.words("环节", "stage"),
        call.words("单位", "where"),
    ]
    headings += [call.words("经手", "by"), call.words("代码", "code"), call.words("说明", "detail")]
    table(
        headings,
        [
            [
                beijing(e.at, exactly=True),
                stage(e.stage, lang),
                place(e.place, lang),
                e.by,
                e.code,
                event_detail(e.detail, lang),
            ]
            for e in found.events
        ],
    )
    if found.proof is None:
        call.say("尚无登记证明。", "There is no proof of entry yet.")
    else:
        proof = found.proof
        call.say(
            f"登记证明有效：第 {proof.index} 条，在 {proof.size} 条的账本中，根 {proof.root}",
            f"Proof of entry verified: leaf {proof.index} in the tree of {proof.size}, root {proof.root}",
        )
