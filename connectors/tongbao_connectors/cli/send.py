"""`tongbao send FILE`: hands a submission to its province's connector; `--follow` shows how it goes.

`--attach` sends files with it; an alert's list of attachments is filled in.
"""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.drafts import Draft
    from tongbao_connectors.files import File

LOOK_EVERY_S = 0.1
NUMBER_WITHIN_S = 3.0
ON_THE_WAY = ("drafted", "sealed", "published")
ENDED_BADLY = ("refused", "rejected")


@entry("send", both("发送一份文件", "Send a submission"))
def send(
    call: Call,
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help=both("文件，- 为标准输入", "The file, - for standard input")),
    ],
    attach: Annotated[
        list[Path] | None,
        typer.Option(
            "--attach",
            metavar="FILE",
            help=both(
                "随附的文件（PDF、OFD、JPEG、PNG、纯文本），可多次给出",
                "A file to go with it (PDF, OFD, JPEG, PNG, text); may be given several times",
            ),
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help=both("跟踪到全部反馈", "Follow until everybody has answered"))
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", metavar="S", help=both("最多跟踪多少秒", "Follow for at most so many seconds")
        ),
    ] = 3600,
) -> None:
    from tongbao_connectors.cli import reading
    from tongbao_connectors.cli.printing import now

    data, files = _with_files(reading.content(path), attach or [])
    up = call.runs()
    with call.province() as settings:
        from tongbao_connectors import casework

        by = call.officer or "tongbao send"
        roster = settings.roster()
        draft = casework.submit(data, origin=settings.code, by=by, roster=roster, at=now(), files=files)
        if up:
            draft = _numbered(draft)
        _check(draft)
        if not follow:
            _put(call, draft)
        _talk(call, draft, up)
        if follow:
            _follow(call, draft, settings.code, timeout)


def _with_files(data: bytes, paths: list[Path]) -> "tuple[bytes, list[File]]":
    """The submission with what it has to list of these files, and the files. Raises NoFile, Refused."""
    if not paths:
        return data, []
    from tongbao_connectors.cli import reading
    from tongbao_connectors.files import File
    from tongbao_schemas.bodies.attachment import MOST_BYTES
    from tongbao_schemas.encoding import compact_json
    from tongbao_schemas.gate import parse_object
    from tongbao_schemas.submission import SUBMISSION_LIMIT

    files = [File.read(path.name, reading.content(path, MOST_BYTES + 1)) for path in paths]
    said = parse_object(data, limit=SUBMISSION_LIMIT)
    if said.get("type") == "alert" and isinstance(said.get("body"), dict):
        listed = said["body"].setdefault("attachments", [])
        names = {(note.get("name"), note.get("digest")) for note in listed}
        listed += [file.note() for file in files if (file.name, file.digest) not in names]
    return compact_json(said), files


def _numbered(draft: "Draft") -> "Draft":
    """The draft as soon as the connector has numbered it, or as it is after some seconds."""
    until = time.monotonic() + NUMBER_WITHIN_S
    while draft.state in ON_THE_WAY and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        draft = _now(draft)
    return draft


def _now(draft: "Draft") -> "Draft":
    """Where the draft stands by now; whether this call made it stays as it was."""
    from tongbao_connectors import drafts

    return replace(drafts.find(draft.message_id), created=draft.created)


def _check(draft: "Draft") -> None:
    """Raises what the connector or the exchange said of the message, if it was no."""
    from tongbao_schemas.errors import Refused
    from tongbao_schemas.refusals import Code

    if draft.state in ENDED_BADLY and draft.code:
        raise Refused(Code(draft.code))


def _talk(call: Call, draft: "Draft", up: bool) -> None:
    from tongbao_connectors.words import state

    if not draft.created:
        call.say(
            "此前已提交过（client_ref 相同、内容相同）。", "Submitted before: same client_ref, same content."
        )
    if not up:
        call.say(
            "服务没有运行：已存为草稿，启动后发出（tongbao up）。",
            "Nothing runs: kept as a draft until tongbao up.",
        )
    else:
        call.say(f"状态：{state(draft.state, 'zh')}", f"State: {state(draft.state, 'en')}")


def _follow(call: Call, draft: "Draft", code: str, timeout: float) -> None:
    """Tells every new stage until all addressees have reached the last one. Raises Incomplete, Refused."""
    from tongbao_connectors import trail
    from tongbao_connectors.cli.errors import Incomplete

    told: set[tuple[str, str]] = set()
    last = "delivered" if draft.status == "test" else "result"
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        draft = _now(draft)
        _check(draft)
        stages = trail.stages(draft.message_id, code=code) if draft.number else {}
        _tell_new(call, stages, told)
        if stages and all(last in reached for reached in stages.values()):
            _put(call, draft, stages)
            return
        time.sleep(LOOK_EVERY_S)
    raise Incomplete(draft.number or draft.message_id)


def _tell_new(call: Call, stages: dict[str, list[str]], told: set[tuple[str, str]]) -> None:
    from tongbao_connectors.words import place, stage

    for code, reached in stages.items():
        for each in reached:
            if (code, each) not in told:
                told.add((code, each))
                line = f"  {place(code, call.lang)}  {stage(each, call.lang)}"
                call.say(line, line)


def _put(call: Call, draft: "Draft", stages: dict[str, list[str]] | None = None) -> None:
    data = asdict(draft) if stages is None else {**asdict(draft), "stages": stages}
    call.put(data, lambda: print(draft.number or draft.message_id))
