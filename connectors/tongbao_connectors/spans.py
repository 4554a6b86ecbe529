"""What a province tells of messages in their traces: submitted, sealed, published; accepted, routed; and what
its officers did, as its stage reports have it: a body opened, an alert signed for.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tongbao_broker import tracing
from tongbao_broker.kafka.writer import Outgoing
from tongbao_broker.tracing import Step
from tongbao_connectors.intake import Intake
from tongbao_schemas.codes import PEOPLES_TYPES, Stage
from tongbao_schemas.header import Header, PeopleHeader

STAGES = {Stage.READ: Step.OPEN, Stage.CLAIMED: Step.SIGN}
TYPES = {f"tongbao.{kind.value}.v1": kind.value for kind in PEOPLES_TYPES}


class Reported(Protocol):
    """What is told of a stage report."""

    @property
    def of(self) -> str: ...
    @property
    def of_origin(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def sealed(
    made: Iterable[tuple[Header, int | None]],
    submitted: Mapping[int, datetime],
    began: datetime,
    ended: datetime,
) -> None:
    """Two steps of each message that was made of a draft: how long it lay there, and its sealing."""
    if not tracing.is_on():
        return
    for header, draft in made:
        if draft is None or not isinstance(header, PeopleHeader):
            continue
        facts = {"type": header.type, "urgency": header.urgency, "status": header.status}
        origin, at = header.origin, submitted[draft]
        tracing.span(Step.SUBMIT, header.id, origin=origin, began=at, ended=began, **facts)
        tracing.span(Step.SEAL, header.id, origin=origin, began=began, ended=ended, **facts)


def published(items: Iterable[Outgoing], origin: str, began: datetime, ended: datetime) -> None:
    """A step of each message that went to the topic, known by its CloudEvents headers."""
    if not tracing.is_on():
        return
    for item in items:
        said = dict(item.headers)
        if kind := TYPES.get(said["ce_type"].decode()):
            tracing.span(
                Step.PUBLISH,
                said["ce_id"].decode(),
                origin=origin,
                began=began,
                ended=ended,
                topic=item.topic,
                type=kind,
            )


def accepted(intakes: Iterable[Intake], place: str, ended: datetime) -> None:
    """Verified, opened and stored; and, for what officers handle, that it lies with somebody."""
    if not tracing.is_on():
        return
    for intake in intakes:
        for accept, decision in intake.accepted:
            header = accept.examined.header
            if not isinstance(header, PeopleHeader):
                continue
            where = {"origin": header.origin, "place": place}
            facts = {"type": header.type, "urgency": header.urgency, "status": header.status}
            tracing.span(Step.ACCEPT, header.id, **where, began=intake.at, ended=ended, **facts)
            if decision is not None:
                tracing.span(Step.ROUTE, header.id, **where, began=ended, ended=ended, **facts)


def reported(reports: Sequence[Reported], place: str, ended: datetime) -> None:
    """What officers did, from when they did it to when their report went out."""
    if not tracing.is_on():
        return
    for report in reports:
        step = STAGES.get(Stage(report.stage))
        if step is not None and report.of:
            nth = report.at.isoformat()
            tracing.span(
                step, report.of, origin=report.of_origin, place=place, began=report.at, ended=ended, nth=nth
            )
