"""`tongbao show REF`: one alert; with `--officer` its body too, which is recorded first."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import Language, both

if TYPE_CHECKING:
    from tongbao_connectors.casework import Item, OpenedBody

ON_DUTY = "值班签收"


@entry(
    "show",
    both(
        "查看一份通报；加 --officer 打开正文（会留痕）", "Show one alert; --officer opens its body, on record"
    ),
)
def show(
    call: Call,
    reference: Annotated[
        str, typer.Argument(metavar="NUMBER|ID", help=both("编号或消息 id", "Readable number or id"))
    ],
    why: Annotated[
        str | None,
        typer.Option(
            "--why",
            help=both("为何打开正文（责任人可省略）", "Why the body is opened (the accountable may omit it)"),
        ),
    ] = None,
) -> None:
    from tongbao_connectors.cli.inbox import as_json

    with call.province() as settings:
        from tongbao_connectors import casework

        item = casework.show(reference)
        opened = None if call.officer is None else _open(call, item, settings.roster(), why)
    data: dict[str, Any] = as_json(settings.code, item)
    if opened is not None:
        data |= {"body": opened.body, "openings": opened.openings}
    call.put(data, lambda: _print(call, item, opened))


def _open(call: Call, item: "Item", roster: Any, why: str | None) -> "OpenedBody":
    from tongbao_connectors import casework
    from tongbao_connectors.cli.errors import WhyMissing
    from tongbao_connectors.cli.printing import now

    officer = call.officer_ref()
    if why is None and not roster.may_claim(officer, item.officer_ref):
        raise WhyMissing("--why")
    return casework.open_body(
        item.message_id, officer_ref=officer, why=why or ON_DUTY, roster=roster, at=now()
    )


def _print(call: Call, item: "Item", opened: "OpenedBody | None") -> None:
    from tongbao_connectors.cli.printing import beijing, facts, now
    from tongbao_connectors.cli.words import category, handling, kind, place, state, status, urgency

    lang = call.lang
    at = now()
    facts(
        [
            (call.words("编号", "number"), item.number),
            (call.words("消息", "message"), item.message_id),
            (call.words("类型", "type"), kind(item.type, lang)),
            (call.words("等级", "urgency"), urgency(item.urgency, lang)),
            (call.words("性质", "status"), status(item.status, lang)),
            (call.words("类别", "category"), category(item.category, lang)),
            (call.words("来自", "from"), place(item.origin, lang)),
            (call.words("发往", "to"), " ".join(place(code, lang) for code in item.audience)),
            (call.words("使用限制", "handling"), handling(item.handling, lang)),
            (call.words("状态", "state"), state(item.state, lang)),
            (call.words("单位", "unit"), item.unit),
            (call.words("责任人", "accountable"), item.officer_ref),
            (call.words("签收人", "signed for by"), item.claimed_by),
            (call.words("分派理由", "why here"), " → ".join(step[lang] for step in item.steps)),
            (call.words("收到", "received"), beijing(item.received_at)),
            (call.words("签收期限", "sign by"), _due(item.sign_by, at, lang)),
            (call.words("反馈期限", "result by"), _due(item.result_by, at, lang)),
        ]
    )
    if opened is not None:
        call.say(
            f"正文（已记录：第 {opened.openings} 次查阅）", f"Body (on record: opening no. {opened.openings})"
        )
        _print_body(item, opened.body, lang)
    else:
        call.say(
            "正文未打开；加 --officer 联络员编号 打开（会留痕）。",
            "The body stays closed; --officer REF opens it, on record.",
        )


def _print_body(item: "Item", body: dict[str, Any], lang: Language) -> None:
    from tongbao_connectors.cli import body as bodies
    from tongbao_connectors.cli.printing import console

    out = console()
    colon = "：" if lang == "zh" else ": "
    lines = bodies.lines(
        body, kind=item.type, category=item.category, status=item.status, at=item.issued_at, lang=lang
    )
    for depth, label, text in lines:
        out.print(f"{'  ' * depth}{label}{colon}{text}", markup=False)


def _due(due: Any, at: Any, lang: Any) -> str:
    from tongbao_connectors.cli.printing import beijing, left

    return f"{beijing(due)} ({left(due, at, lang)})" if due else ""
