"""`tongbao directory show|compromised|post|recall`: what the signed directory states; a key that counts no
more; who is posted to another province.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_broker.trust.directory import Directory

group = new_group(
    both("目录：单位、密钥、协议、派驻", "The directory: participants, keys, agreements, postings")
)


@entry("show", both("验证并显示目录", "Verify and show the directory"))
def show(call: Call) -> None:
    from tongbao_connectors import services

    directory = services.directory(call.workspace())
    document = directory.document.model_dump(mode="json", by_alias=True, exclude_none=True)
    call.put({"digest": directory.digest, **document}, lambda: _print(call, directory.digest, document))


def _print(call: Call, digest: str, document: dict[str, Any]) -> None:
    from tongbao_connectors.cli.printing import facts, table
    from tongbao_connectors.words import place

    facts(
        [
            (call.words("网络", "network"), document["network"]),
            (call.words("版本", "version"), document["version"]),
            (call.words("有效至", "expires"), document["expires_at"]),
            (call.words("摘要", "digest"), digest),
        ]
    )
    table(
        [
            call.words("代码", "code"),
            call.words("名称", "name"),
            call.words("状态", "status"),
            call.words("模式", "schemas"),
        ],
        [
            [p["code"], place(p["code"], call.lang), p["status"], " ".join(p["schemas"])]
            for p in document["participants"]
        ],
    )
    table(
        [
            call.words("密钥", "key"),
            call.words("属于", "owner"),
            call.words("用途", "use"),
            call.words("有效至", "until"),
        ],
        [[k["kid"][:16] + "…", k["owner"], k["use"], k["valid_until"]] for k in document["keys"]],
    )
    table(
        [call.words("协议", "agreement"), call.words("各方", "parties"), call.words("有效至", "until")],
        [[a["doc_number"], " ".join(a["parties"]), a["valid_until"]] for a in document["agreements"]],
    )
    _postings(call, document["postings"])


def _postings(call: Call, postings: list[dict[str, Any]]) -> None:
    """Who is posted where and until when; nothing where nobody is."""
    from tongbao_connectors.cli.printing import table
    from tongbao_connectors.words import place

    if postings:
        table(
            [
                call.words("外派联络员", "posted officer"),
                call.words("派出", "home"),
                call.words("驻地", "host"),
                call.words("自", "from"),
                call.words("至", "until"),
            ],
            [
                [
                    p["officer_ref"],
                    *(place(p[end], call.lang) for end in ("home", "host")),
                    *(p[end] for end in ("valid_from", "valid_until")),
                ]
                for p in postings
            ],
        )


@entry(
    "compromised",
    both(
        "登记泄露的密钥：自该时刻起签署的一律不认",
        "A key in foreign hands: what it signs from then on counts for nothing",
    ),
)
def compromised(
    call: Call,
    kid: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help=both(
                "密钥编号，至少前 16 位，见 directory show",
                "Its name or the first 16 digits, see directory show",
            ),
        ),
    ],
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="TIME",
            help=both(
                "何时起，如 2026-11-24T08:00:00.000Z", "From when on, such as 2026-11-24T08:00:00.000Z"
            ),
        ),
    ],
) -> None:
    from tongbao_connectors import keylosses
    from tongbao_connectors.cli.printing import facts, now

    key, directory = keylosses.close(call.workspace(), kid, keylosses.time_of(since), now())
    call.put(
        {"kid": key.kid, "owner": key.owner, "use": str(key.use), "directory": directory.version},
        lambda: facts(
            [
                (call.words("密钥", "key"), key.kid),
                (call.words("属于", "owner"), key.owner),
                (call.words("自", "since"), since),
                (call.words("目录版本", "directory version"), directory.version),
            ]
        ),
    )


TIME = both("如 2026-11-24T08:00:00.000Z", "Such as 2026-11-24T08:00:00.000Z")
REFERENCE = both("联络员编号，如 黔-0301", "The officer's reference, such as 黔-0301")


@entry("post", both("派驻联络员到外省", "Post an officer to another province"))
def post(
    call: Call,
    reference: Annotated[str, typer.Argument(metavar="REF", help=REFERENCE)],
    home: Annotated[str, typer.Option("--home", metavar="CODE", help=both("派出省", "His province"))],
    host: Annotated[str, typer.Option("--host", metavar="CODE", help=both("驻地", "Where he is posted"))],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help=TIME)],
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help=both("何时起，不写即从现在起", "From when on; now, if left out"),
        ),
    ] = None,
) -> None:
    from tongbao_connectors import secondment
    from tongbao_connectors.cli.printing import now

    posting = secondment.posting(reference, home, host, since, until, now())
    _put(call, secondment.post(call.workspace(), posting, now()), reference)


@entry("recall", both("结束派驻", "End an officer's posting"))
def recall(
    call: Call,
    reference: Annotated[str, typer.Argument(metavar="REF", help=REFERENCE)],
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="CODE", help=both("驻地；不写即全部", "Where he is posted; all, if left out")
        ),
    ] = "",
) -> None:
    from tongbao_connectors import secondment
    from tongbao_connectors.cli.printing import now

    _put(call, secondment.recall(call.workspace(), reference, host, now()), reference)


def _put(call: Call, directory: "Directory", reference: str) -> None:
    """The officer's postings as the new directory has them."""
    from tongbao_connectors.cli.printing import facts

    document = directory.document.model_dump(mode="json", by_alias=True)
    mine = [each for each in document["postings"] if each["officer_ref"] == reference]

    def said() -> None:
        facts([(call.words("目录版本", "directory version"), directory.version)])
        _postings(call, mine)

    call.put({"directory": directory.version, "postings": mine}, said)


for command in (show, compromised, post, recall):
    command.add_to(group)
