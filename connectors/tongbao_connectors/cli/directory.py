"""`tongbao directory show`: participants, keys, agreements, postings as the signed directory states them."""

from typing import Any

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


show.add_to(group)
