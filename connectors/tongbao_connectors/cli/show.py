"""`tongbao show REF`: one message as a paper; with `--officer` its body too, which is recorded first.

An alert's answers follow it: those that its origin received, or those that an addressee sent. They are opened
together with it, each on record.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.casework import Attached, Item, OpenedBody
    from tongbao_connectors.cli.desk import AnswerOnFile
    from tongbao_connectors.cli.paper import Sheet
    from tongbao_connectors.cli.typesetting import Paper, Section
    from tongbao_connectors.roster import Roster
    from tongbao_connectors.settings import ConnectorSettings
    from tongbao_connectors.trail import Trail

ON_DUTY = "值班签收"


@dataclass(frozen=True, slots=True)
class Found:
    """A message as the province `code` knows it at a moment, with what was opened of it."""

    code: str
    roster: "Roster"
    at: datetime
    item: "Item"
    trail: "Trail"
    opened: "OpenedBody | None" = None
    files: "tuple[Attached, ...]" = ()
    answers: "tuple[AnswerOnFile, ...]" = ()

    @property
    def own(self) -> bool:
        """Whether this province wrote it."""
        return self.item.origin == self.code


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
    with call.province() as settings:
        from tongbao_connectors.cli.printing import now

        found = look_up(reference, settings, now())
        if call.officer is not None:
            found = open_for(call.officer, found, why, with_answers=found.own or not call.as_json)
    call.put(_as_json(found), lambda: _print(call, found, why))


def look_up(reference: str, settings: "ConnectorSettings", at: datetime) -> Found:
    """What the province knows of a message and of the answers to it, all closed. Raises NotFound."""
    from tongbao_connectors import casework, trail

    item = casework.show(reference)
    way = trail.find(item.message_id, code=settings.code, network=settings.network)
    return Found(settings.code, settings.roster(), at, item, way, answers=_answers(way))


def open_for(officer: str, found: Found, why: str | None, *, with_answers: bool) -> Found:
    """The same with its bodies, each opening on record. Raises WhyMissing, NoRight, NotFound."""
    from tongbao_connectors import casework, finding
    from tongbao_connectors.cli.errors import WhyMissing

    if why is None and not _is_accountable(officer, found):
        raise WhyMissing("--why")
    reason = why or ON_DUTY
    opened = casework.open_body(
        found.item.message_id, officer_ref=officer, why=reason, roster=found.roster, at=found.at
    )
    files = casework.files_of(finding.message(opened.message_id), opened.body.get("attachments", ()))
    answers = [_opened(each, officer, reason, found) for each in found.answers] if with_answers else ()
    item = casework.show(found.item.message_id)  # an answer has been read by now
    return replace(found, item=item, opened=opened, files=tuple(files), answers=tuple(answers))


def _is_accountable(officer: str, found: Found) -> bool:
    """For the message itself, or for one of the answers to it."""
    from tongbao_connectors import casework

    items = [found.item, *(casework.show(answer.message_id) for answer in found.answers)]
    return any(found.roster.may_claim(officer, item.officer_ref) for item in items)


def _answers(way: "Trail") -> "tuple[AnswerOnFile, ...]":
    """The answers that the trail of an alert names."""
    from tongbao_connectors.cli.desk import AnswerOnFile
    from tongbao_schemas.bodies.codes import AnswerKind

    kinds = set(AnswerKind)
    return tuple(
        AnswerOnFile(event.detail, event.place, event.stage, event.at)
        for event in way.events
        if event.stage in kinds
    )


def _opened(answer: "AnswerOnFile", officer: str, why: str, found: Found) -> "AnswerOnFile":
    from tongbao_broker.errors import NotFound
    from tongbao_connectors import casework

    try:
        opened = casework.open_body(
            answer.message_id, officer_ref=officer, why=why, roster=found.roster, at=found.at
        )
    except NotFound:
        return replace(answer, purged=True)
    return replace(answer, body=opened.body)


def _as_json(found: Found) -> dict[str, Any]:
    from tongbao_connectors.cli.inbox import as_json
    from tongbao_schemas.encoding import format_time

    data: dict[str, Any] = as_json(found.code, found.item)
    if found.opened is not None:
        data |= {"body": found.opened.body, "openings": found.opened.openings}
        data["attachments"] = [_file(each) for each in found.files]
    if found.own:
        data["answers"] = [{**asdict(each), "at": format_time(each.at)} for each in found.answers]
    return data


def _file(file: "Attached") -> dict[str, Any]:
    return {
        "of": file.of.message_id,
        "name": file.name,
        "digest": file.digest,
        "size": file.size,
        "state": file.stand,
        "parts": [file.here, file.parts],
        "later": file.later,
    }


def _print(call: Call, found: Found, why: str | None) -> None:
    from tongbao_connectors.cli import typesetting

    typesetting.put(paper_of(call, found, why))
    if found.opened is None:
        call.say(
            "正文未打开；加 --officer 联络员编号 打开（会留痕）。",
            "The body stays closed; --officer REF opens it, on record.",
        )


def paper_of(call: Call, found: Found, why: str | None) -> "Paper":
    from tongbao_connectors.cli import paper
    from tongbao_schemas.codes import MessageType

    sheet = _sheet(call, found)
    rest = _rest(sheet, found)
    if found.opened is None:
        return paper.closed(sheet, rest=rest)
    write = paper.of_alert if found.item.type == MessageType.ALERT else paper.of_letter
    return write(sheet, found.opened.body, opening=_opening(call, found.opened, found.at, why), rest=rest)


def _sheet(call: Call, found: Found) -> "Sheet":
    from tongbao_connectors.cli.paper import Sheet, Source
    from tongbao_connectors.wording import Wording

    proof = found.trail.proof
    source = Source(found.own, proof.index, proof.admitted_at) if proof else Source(found.own)
    return Sheet(found.item, source, bool(found.answers), Wording(call.lang, found.at, found.item.issued_at))


def _rest(sheet: "Sheet", found: Found) -> "list[Section]":
    """What this province's desk adds: where it stands, and the answers to an alert."""
    from tongbao_connectors.cli import desk

    if found.own:
        stands = desk.sent(sheet, found.trail.events, found.roster)
    else:
        stands = desk.received(sheet, found.roster)
    if found.files:
        return [stands, desk.files(found.files, sheet.w), *_answered(sheet, found)]
    return [stands, *_answered(sheet, found)]


def _answered(sheet: "Sheet", found: Found) -> "list[Section]":
    from tongbao_connectors.cli import desk
    from tongbao_schemas.codes import MessageType

    if found.item.type != MessageType.ALERT:
        return []
    return [desk.answers(found.answers, sheet.w)]


def _opening(call: Call, opened: "OpenedBody", at: datetime, why: str | None) -> str:
    from tongbao_connectors.cli.printing import beijing

    reason = why or call.words(ON_DUTY, "on duty")
    return call.words(
        f"本次打开已记录：{call.officer} · {reason} · {beijing(at)} · 第 {opened.openings} 次查阅",
        f"On record: opened by {call.officer} · {reason} · {beijing(at)} · opening no. {opened.openings}",
    )
