"""`tongbao rotate certificate|message-key|seal-key|checkpoint-key CODE`: new certificates and keys while
messages flow.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_broker.trust.directory import Directory
    from tongbao_connectors.oldkeys import Outcome
    from tongbao_connectors.workspace import Workspace
    from tongbao_schemas.codes import KeyUse

group = new_group(both("更换证书和密钥，收发不中断", "New certificates and keys while messages flow"))
CodeArgument = Annotated[
    str,
    typer.Argument(
        metavar="CODE",
        help=both(
            "单位代码，如 520000；平台 100000，Kafka 服务端 000000",
            "The participant, such as 520000; the exchange is 100000, the broker 000000",
        ),
    ),
]


@entry("certificate", both("换发 TLS 证书", "A new TLS certificate"))
def certificate(call: Call, code: CodeArgument) -> None:
    from tongbao_connectors import rotation, services
    from tongbao_connectors.cli.printing import now
    from tongbao_connectors.workspace import BROKER

    workspace = call.workspace()
    rotation.rotate_certificate(workspace, code, now())
    if code == BROKER:
        reloaded = services.reload_broker_certificate(workspace)
        restarted = not reloaded and services.restart(workspace, services.KAFKA)
        _put(call, code, "certificate", None, restarted=restarted, in_use=reloaded or restarted)
    else:
        restarted = services.restart(workspace, code)
        _put(call, code, "certificate", None, restarted=restarted, in_use=restarted)


@entry("message-key", both("更换签名密钥", "A new key for signing messages"))
def message_key(call: Call, code: CodeArgument) -> None:
    from tongbao_schemas.codes import KeyUse

    _signing_key(call, code, KeyUse.MESSAGE)


@entry("checkpoint-key", both("更换平台的检查点密钥", "A new key for signing the log, the exchange's only"))
def checkpoint_key(call: Call, code: CodeArgument) -> None:
    from tongbao_schemas.codes import KeyUse

    _signing_key(call, code, KeyUse.CHECKPOINT)


def _signing_key(call: Call, code: str, use: "KeyUse") -> None:
    from tongbao_connectors import rotation, services
    from tongbao_connectors.cli.printing import now

    workspace = call.workspace()

    def known(directory: "Directory") -> None:
        if workspace.brokers or services.running(workspace):
            rotation.await_directory(directory.version, _databases(workspace))

    directory = rotation.rotate_signing_key(workspace, code, use, now(), known=known)
    restarted = services.restart(workspace, code)
    _put(call, code, f"{use}-key", directory, restarted=restarted, in_use=restarted)


def _databases(workspace: "Workspace") -> list[str]:
    """All connectors' databases, opened: names for `database.use`."""
    from tongbao_connectors.settings import ConnectorSettings

    return [ConnectorSettings.load(workspace.province(code)).open_database() for code in workspace.provinces]


@entry(
    "seal-key",
    both("更换加密密钥；或销毁不再需要的旧私钥", "A new key for sealing; or destroy old private halves"),
)
def seal_key(
    call: Call,
    code: CodeArgument,
    destroy_old: Annotated[
        bool,
        typer.Option(
            "--destroy-old",
            help=both(
                "不换新密钥，只销毁旧的解密私钥；仍有用的不销毁",
                "Make no new key; destroy the old private halves that nothing needs any more",
            ),
        ),
    ] = False,
) -> None:
    if destroy_old:
        _destroy_old(call, code)
    else:
        _new_seal_key(call, code)


def _new_seal_key(call: Call, code: str) -> None:
    from tongbao_connectors import rotation, services
    from tongbao_connectors.cli.printing import now

    workspace = call.workspace()
    restarted = False

    def held() -> None:
        nonlocal restarted
        restarted = services.restart(workspace, code)

    directory = rotation.rotate_seal_key(workspace, code, now(), held=held)
    _put(call, code, "seal-key", directory, restarted=restarted, in_use=restarted)


def _destroy_old(call: Call, code: str) -> None:
    from tongbao_connectors import issuing, services
    from tongbao_connectors.cli.printing import now

    workspace, at = call.workspace(), now()
    with call.province(code) as settings:
        from tongbao_connectors import oldkeys

        outcome = oldkeys.destroy(settings, issuing.current(workspace, at).directory, at)
    restarted = bool(outcome.destroyed) and services.restart(workspace, code)
    call.put(
        {
            "code": code,
            "destroyed": list(outcome.destroyed),
            "kept": [{"kid": kid, "why": call.words(*why)} for kid, why in outcome.kept.items()],
            "restarted": restarted,
        },
        lambda: _show_old(call, outcome),
    )


def _show_old(call: Call, outcome: "Outcome") -> None:
    for kid in outcome.destroyed:
        print(call.words(f"已销毁 {kid[:16]}", f"destroyed {kid[:16]}"))
    for kid, why in outcome.kept.items():
        print(call.words(f"保留 {kid[:16]}：{why.zh}", f"kept {kid[:16]}: {why.en}"))
    if not outcome.destroyed and not outcome.kept:
        print(call.words("没有旧的解密私钥", "there is no old private half"))


def _put(
    call: Call, code: str, what: str, directory: "Directory | None", *, restarted: bool, in_use: bool
) -> None:
    from tongbao_connectors.cli.printing import facts
    from tongbao_connectors.words import place
    from tongbao_connectors.workspace import BROKER

    name = "Kafka" if code == BROKER else place(code, call.lang)
    version = directory.version if directory else None
    call.put(
        {"code": code, "rotated": what, "directory": version, "restarted": restarted, "in_use": in_use},
        lambda: facts(
            [
                (call.words("单位", "participant"), f"{code} {name}"),
                (call.words("目录版本", "directory version"), version),
            ]
        ),
    )
    if in_use:
        call.say("已更换并启用。", "Replaced and in use.")
    elif code in call.workspace().external:
        call.say(
            "已更换；该省自有系统须重新读取其文件夹（docs/integrate.md 第 4 节）。",
            "Replaced; that province's own system must read its folder anew (docs/integrate.md, section 4).",
        )
    else:
        call.say("已更换；下次启动时启用。", "Replaced; in use from the next start on.")


certificate.add_to(group)
message_key.add_to(group)
seal_key.add_to(group)
checkpoint_key.add_to(group)
