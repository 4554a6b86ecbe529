"""`tongbao enrol`: a province makes its keys and asks, the centre approves.

At the province prepare, request, install, renew; at the centre receive, list, approve, activate, suspend.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_broker.trust.directory import Directory
    from tongbao_connectors.enrolment import Standing
    from tongbao_connectors.enrolment.centre import Applicant
    from tongbao_connectors.enrolment.province import Enrolling
    from tongbao_schemas.codes import ParticipantStatus

group = new_group(
    both(
        "入网：省里生成密钥并申请，平台核对指纹后批准",
        "Enrolment: keys and request at the province, approval at the centre",
    )
)
STANDINGS = {
    "saved": ("已生成密钥，未申请", "keys made, not yet requested"),
    "requested": ("已申请", "requested"),
    "approved": ("已批准，待启用", "approved, not yet active"),
    "active": ("启用", "active"),
    "suspended": ("暂停", "suspended"),
    "left": ("退出", "left"),
}
STANDARD_OUTPUT = Path("-")
CodeArgument = Annotated[
    str, typer.Argument(metavar="CODE", help=both("省级代码，如 610000", "The province, such as 610000"))
]
FolderArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER",
        help=both(
            "本省接入端的文件夹（密钥在其中）", "The folder of the province's connector, with its keys"
        ),
    ),
]
ToOption = Annotated[
    Path,
    typer.Option(
        "--to",
        metavar="FILE",
        help=both("写到哪个文件；- 为标准输出", "The file to write; - for standard output"),
    ),
]


@entry(
    "prepare",
    both("省：生成密钥（私钥不离开本机）", "Province: make the keys, which never leave this machine"),
)
def prepare(
    call: Call,
    code: CodeArgument,
    folder: FolderArgument,
    network: Annotated[
        str, typer.Option("--network", metavar="NAME", help=both("网络名称", "The network's name"))
    ],
) -> None:
    from tongbao_connectors.enrolment import province

    _put_own(call, province.prepare(folder, code, network))
    call.say(
        f"下一步：tongbao enrol request {folder} --to 申请.json",
        f"Next: tongbao enrol request {folder} --to request.json",
    )


@entry(
    "request",
    both("省：写出签名的申请，显示指纹", "Province: write the signed request, show its fingerprint"),
)
def request(call: Call, folder: FolderArgument, to: ToOption) -> None:
    from tongbao_connectors.cli.printing import now
    from tongbao_connectors.enrolment import province

    enrolling, content = province.requested(folder, now())
    _write(to, content)
    _put_own(call, enrolling)
    call.say(
        "把申请文件交给平台；平台来电核对时读出指纹。",
        "Hand the file to the centre; read the fingerprint to them on the telephone.",
    )


@entry("install", both("省：装入平台的答复", "Province: install the centre's answer"))
def install(
    call: Call,
    folder: FolderArgument,
    answer: Annotated[
        Path, typer.Argument(metavar="ANSWER", help=both("平台的答复文件", "The centre's answer"))
    ],
    root: Annotated[
        str,
        typer.Option(
            "--root",
            metavar="FINGERPRINT",
            help=both(
                "根文件指纹，由平台在电话中读出",
                "The root's fingerprint, as the centre read it on the telephone",
            ),
        ),
    ],
) -> None:
    from tongbao_connectors.cli import reading
    from tongbao_connectors.cli.printing import now
    from tongbao_connectors.enrolment import province

    _put_own(call, province.install(folder, reading.content(answer), root, now()))
    call.say(
        "填写 roster.toml 和 routing.toml，启动接入端，tongbao doctor 无误后请平台启用。",
        "Fill in roster.toml and routing.toml, start the connector; when tongbao doctor is content, "
        "ask the centre to make the province active.",
    )


@entry(
    "renew",
    both(
        "省：生成新的密钥和证书申请，再用 request 申请", "Province: make new keys; ask for them with request"
    ),
)
def renew(call: Call, folder: FolderArgument) -> None:
    from tongbao_connectors.enrolment import province

    _put_own(call, province.renew(folder))
    call.say(
        "先重启接入端（它须先有新的解密私钥），再执行 tongbao enrol request。",
        "Restart the connector first, which must hold the new private half before anybody seals to it; "
        "then: tongbao enrol request",
    )


@entry("receive", both("平台：收下一份申请，显示指纹", "Centre: take a request, show its fingerprint"))
def receive(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=both("申请文件", "The request"))],
) -> None:
    from tongbao_connectors.cli import reading
    from tongbao_connectors.cli.printing import now
    from tongbao_connectors.enrolment import centre

    applicant = centre.receive(call.workspace(), reading.content(file), now())
    _put_applicants(call, [applicant])
    call.say(
        f"致电该省（号码不取自申请），核对指纹，然后：tongbao enrol approve {applicant.code} "
        "--fingerprint … --to 答复.json",
        "Call the province on a number that you had before, compare the fingerprint, then: "
        f"tongbao enrol approve {applicant.code} --fingerprint … --to answer.json",
    )


@entry("list", both("平台：各申请及其状态", "Centre: all requests and how far they are"))
def list_(call: Call) -> None:
    from tongbao_connectors.cli.printing import now
    from tongbao_connectors.enrolment import centre

    _put_applicants(call, centre.applicants(call.workspace(), now()))


@entry(
    "approve",
    both(
        "平台：核对指纹并批准；新省尚不启用",
        "Centre: approve after comparing the fingerprint; a new province isn't active yet",
    ),
)
def approve(
    call: Call,
    code: CodeArgument,
    fingerprint: Annotated[
        str,
        typer.Option(
            "--fingerprint",
            metavar="FINGERPRINT",
            help=both("该省在电话中读出的指纹", "What the province read on the telephone"),
        ),
    ],
    to: ToOption,
) -> None:
    from tongbao_connectors.cli.printing import facts, now
    from tongbao_connectors.enrolment import centre

    answer, root = centre.approve(
        call.workspace(), code, fingerprint, now(), open_topics=lambda wanted: _open_topics(call, wanted)
    )
    _write(to, answer)
    if to != STANDARD_OUTPUT:
        call.put(
            {"code": code, "answer": str(to), "root": root},
            lambda: facts(
                [(call.words("单位", "province"), code), (call.words("答复", "answer"), to)],
            ),
        )
    call.say(
        f"把答复交给该省，在电话中读出根文件指纹：{root}",
        f"Hand the answer to the province and read the root's fingerprint to them: {root}",
    )


@entry(
    "activate",
    both("平台：启用（或恢复）一个省", "Centre: make a province active, for the first time or again"),
)
def activate(call: Call, code: CodeArgument) -> None:
    from tongbao_schemas.codes import ParticipantStatus

    _set_standing(call, code, ParticipantStatus.ACTIVE)


@entry(
    "suspend",
    both(
        "平台：暂停一个省，不能发也不再收新通报",
        "Centre: suspend a province: it neither sends nor is notified",
    ),
)
def suspend(call: Call, code: CodeArgument) -> None:
    from tongbao_schemas.codes import ParticipantStatus

    _set_standing(call, code, ParticipantStatus.SUSPENDED)


def _set_standing(call: Call, code: str, status: "ParticipantStatus") -> None:
    from tongbao_connectors.cli.printing import facts, now
    from tongbao_connectors.enrolment import centre

    directory = centre.set_standing(
        call.workspace(), code, status, now(), open_topics=lambda wanted: _open_topics(call, wanted)
    )
    call.put(
        {"code": code, "standing": str(status), "directory": directory.version},
        lambda: facts(
            [
                (call.words("单位", "province"), code),
                (call.words("状态", "standing"), call.words(*STANDINGS[status])),
                (call.words("目录版本", "directory version"), directory.version),
            ]
        ),
    )


def _open_topics(call: Call, wanted: "Directory") -> None:
    """Where the broker is this workspace's own and isn't up, the next start makes them."""
    from tongbao_connectors import services

    workspace = call.workspace()
    if workspace.brokers or services.running(workspace) is not None:
        services.apply_topology(workspace, wanted)


def _put_own(call: Call, enrolling: "Enrolling") -> None:
    from tongbao_connectors.cli.printing import facts
    from tongbao_connectors.enrolment import fingerprint
    from tongbao_connectors.words import place

    shown = fingerprint(enrolling.request_digest) if enrolling.request_digest else ""
    call.put(
        {
            "code": enrolling.code,
            "network": enrolling.network,
            "folder": str(enrolling.folder),
            "standing": str(enrolling.standing),
            "fingerprint": shown,
        },
        lambda: facts(
            [
                (call.words("单位", "province"), f"{enrolling.code} {place(enrolling.code, call.lang)}"),
                (call.words("网络", "network"), enrolling.network),
                (call.words("文件夹", "folder"), enrolling.folder),
                (call.words("状态", "standing"), _said(call, enrolling.standing)),
                (call.words("申请指纹", "request's fingerprint"), shown),
            ]
        ),
    )


def _put_applicants(call: Call, found: "list[Applicant]") -> None:
    from tongbao_connectors.cli.printing import table
    from tongbao_connectors.words import place

    rows = [
        [
            f"{each.code} {place(each.code, call.lang)}",
            _said(call, each.standing),
            each.request,
            call.words("待批准", "to approve") if each.waits else "",
        ]
        for each in found
    ]
    headings = [
        call.words("单位", "province"),
        call.words("状态", "standing"),
        call.words("申请指纹", "request's fingerprint"),
        "",
    ]
    call.put(
        [
            {
                "code": each.code,
                "standing": str(each.standing),
                "fingerprint": each.request,
                "waits": each.waits,
            }
            for each in found
        ],
        lambda: table(headings, rows),
    )


def _said(call: Call, standing: "Standing") -> str:
    return call.words(*STANDINGS[standing])


def _write(path: Path, content: bytes) -> None:
    from tongbao_connectors.cli.errors import Unwritable

    if path == STANDARD_OUTPUT:
        print(content.decode("ascii"))
        return
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Unwritable(f"{path}: {error.strerror}") from None


for command in (prepare, request, install, renew, receive, list_, approve, activate, suspend):
    command.add_to(group)
