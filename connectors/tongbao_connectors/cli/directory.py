"""`tongbao directory show|compromised`: what the signed directory states, and a key that counts no more."""

from typing import Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

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
    if document["postings"]:
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
                for p in document["postings"]
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


for command in (show, compromised):
    command.add_to(group)
