"""`tongbao rotate certificate|message-key|seal-key CODE`: new certificates and keys while messages flow."""

from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_broker.trust.directory import Directory

group = new_group(both("更换证书和密钥，收发不中断", "New certificates and keys while messages flow"))
CodeArgument = Annotated[
    str, typer.Argument(metavar="CODE", help=both("单位代码，如 520000", "The participant, such as 520000"))
]


@entry("certificate", both("换发 TLS 证书", "A new TLS certificate"))
def certificate(call: Call, code: CodeArgument) -> None:
    from tongbao_connectors import rotation, services
    from tongbao_connectors.cli.printing import now

    workspace = call.workspace()
    rotation.rotate_certificate(workspace, code, now())
    _put(call, code, "certificate", None, restarted=services.restart(workspace, code))


@entry("message-key", both("更换签名密钥", "A new key for signing messages"))
def message_key(call: Call, code: CodeArgument) -> None:
    from tongbao_connectors import rotation, services
    from tongbao_connectors.cli.printing import now

    workspace = call.workspace()

    def known(directory: "Directory") -> None:
        if services.running(workspace):
            with call.province(code):
                rotation.await_directory(directory.version)

    directory = rotation.rotate_message_key(workspace, code, now(), known=known)
    _put(call, code, "message-key", directory, restarted=services.restart(workspace, code))


@entry("seal-key", both("更换加密密钥", "A new key for sealing"))
def seal_key(call: Call, code: CodeArgument) -> None:
    from tongbao_connectors import rotation, services
    from tongbao_connectors.cli.printing import now

    workspace = call.workspace()
    restarted = False

    def held() -> None:
        nonlocal restarted
        restarted = services.restart(workspace, code)

    directory = rotation.rotate_seal_key(workspace, code, now(), held=held)
    _put(call, code, "seal-key", directory, restarted=restarted)


def _put(call: Call, code: str, what: str, directory: "Directory | None", *, restarted: bool) -> None:
    from tongbao_connectors.cli.printing import facts
    from tongbao_connectors.words import place

    version = directory.version if directory else None
    call.put(
        {"code": code, "rotated": what, "directory": version, "restarted": restarted},
        lambda: facts(
            [
                (call.words("单位", "participant"), f"{code} {place(code, call.lang)}"),
                (call.words("目录版本", "directory version"), version),
            ]
        ),
    )
    if restarted:
        call.say("已更换并启用。", "Replaced and in use.")
    else:
        call.say("已更换；下次启动时启用。", "Replaced; in use from the next start on.")


certificate.add_to(group)
message_key.add_to(group)
seal_key.add_to(group)
