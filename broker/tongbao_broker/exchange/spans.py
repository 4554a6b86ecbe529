"""What the exchange tells of messages in their traces: that they were admitted or rejected, and delivered."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tongbao_broker import tracing
from tongbao_broker.exchange.admission import Admit, Decision, Reject
from tongbao_broker.exchange.dispatch import Entry
from tongbao_broker.tracing import Step
from tongbao_schemas.header import PeopleHeader

__all__ = ["admitted", "delivered"]


def admitted(decisions: Sequence[Decision], began: datetime, ended: datetime) -> None:
    """A step of each message whose origin is proven; a rejected one says its code."""
    if not tracing.is_on():
        return
    for decision in decisions:
        message = decision.message if isinstance(decision, Admit | Reject) else None
        if message is None or not isinstance(header := message.header, PeopleHeader):
            continue
        tracing.span(
            Step.ADMIT,
            header.id,
            origin=header.origin,
            began=began,
            ended=ended,
            type=header.type,
            urgency=header.urgency,
            status=header.status,
            code=decision.code if isinstance(decision, Reject) else "",
        )


def delivered(entry: Entry | None, moved: Mapping[str, int], began: datetime, ended: datetime) -> None:
    """A step for each addressee whose lane has got as far; `moved` maps him to the last number there."""
    if entry is None or not tracing.is_on():
        return
    headers = {message.index: message.header for message in entry.messages}
    for outbound in entry.outbound:
        header = headers.get(outbound.index)
        if isinstance(header, PeopleHeader) and outbound.delivery_seq <= moved.get(outbound.addressee, 0):
            tracing.span(
                Step.DELIVER,
                header.id,
                origin=header.origin,
                place=outbound.addressee,
                began=began,
                ended=ended,
                type=header.type,
            )
