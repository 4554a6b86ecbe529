"""`tongbao schema list|show NAME`: the message formats, as JSON Schemas."""

import json
from typing import Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

group = new_group(both("消息格式（JSON Schema）", "Message formats (JSON Schema)"))


@entry("list", both("列出全部格式", "List all formats"))
def list_schemas(call: Call) -> None:
    from tongbao_schemas import export

    names = list(export.SCHEMA_NAMES)
    call.put(names, lambda: print("\n".join(names)))


@entry("show", both("显示一种格式", "Show one format"))
def show(
    call: Call,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=both("名称，如 submission/1.0", "Name, submission/1.0"))
    ],
) -> None:
    from tongbao_broker.errors import NotFound, Words
    from tongbao_schemas import export

    if name not in export.SCHEMA_NAMES:
        raise NotFound(
            name, Words("名称见 tongbao schema list。", "See the names with: tongbao schema list.")
        )
    print(json.dumps(export.json_schema(name), ensure_ascii=False, indent=None if call.as_json else 2))


list_schemas.add_to(group)
show.add_to(group)
