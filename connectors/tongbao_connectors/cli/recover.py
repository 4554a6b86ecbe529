"""`tongbao recover CODE`: a database that is older than the log gets what it lacks from the log."""

from dataclasses import asdict
from typing import Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both


@entry(
    "recover",
    both("数据库恢复为旧副本后，从日志补齐", "Bring a province's restored database up to date from the log"),
)
def recover(
    call: Call,
    code: Annotated[str, typer.Argument(metavar="CODE", help=both("省级代码", "Code of the province"))],
) -> None:
    from tongbao_connectors.cli.errors import NotFromTheLog
    from tongbao_connectors.cli.printing import now
    from tongbao_schemas.codes import EXCHANGE

    if code == EXCHANGE:
        raise NotFromTheLog(EXCHANGE)
    with call.province(code) as settings:
        from tongbao_broker.kafka.reader import Reader
        from tongbao_connectors import recovery

        connection = settings.connection(f"tongbao-{code}-recovery")
        found = recovery.recover(settings, lambda topics: Reader(connection, topics), now())
    call.put(
        asdict(found),
        lambda: typer.echo(
            call.words(
                f"{code}：补齐本省发出的消息 {found.sent} 条，收到的消息 {found.received} 条。",
                f"{code}: {found.sent} messages sent and {found.received} received were imported.",
            )
        ),
    )
    if found.held:
        call.say(f"其余由接入端继续读取：{found.held}", f"The connector goes on with the rest: {found.held}")
    call.say(
        "副本之后新报送的 client_ref 不在日志中：再次报送前，先用 tongbao trail 核对是否已发出。",
        "The log holds no client_ref: see whether something went out before it is sent again.",
    )
