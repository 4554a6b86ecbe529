"""Traces: what happened to one message, in all provinces and at the exchange: spans of one trace (ADR 0010).

1. An option: nothing is imported, computed or sent until the settings name an endpoint (`[tracing]`).
2. Nothing travels with a message for it. Who knows a message's id knows its trace and every span that came
   before: the trace id is the id itself (a UUID's 16 bytes, random in its last 7), a span's id is the first
   8 bytes of SHA-256 of the message's id, the step and the participant. A step that is done twice after a
   crash bears the same id.
3. The steps follow each other as in `BEFORE`; the parent of each can be told without having met it.
4. A span says when, where, which step, type, urgency, status, code: `FACTS` and nothing else. No content, no
   number, no officer.
5. Which messages are traced follows from their id, so all who set the same ratio choose the same ones.
6. A span is told when it is over, to a queue that drops what it can't hold: tracing delays no message.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tongbao_broker.errors import BadConfiguration, Words

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

FACTS = frozenset({"type", "urgency", "status", "code", "channel", "result", "topic"})
RANDOM_BITS = 56
"""How many bits at the end of a trace id are random (W3C Trace Context, level 2)."""


class Step(StrEnum):
    """What happens to a message, in its order."""

    SUBMIT = "submit"
    SEAL = "seal"
    PUBLISH = "publish"
    ADMIT = "admit"
    DELIVER = "deliver"
    ACCEPT = "accept"
    ROUTE = "route"
    NOTIFY = "notify"
    OPEN = "open"
    SIGN = "sign"


BEFORE = {
    Step.SEAL: Step.SUBMIT,
    Step.PUBLISH: Step.SEAL,
    Step.ADMIT: Step.PUBLISH,
    Step.DELIVER: Step.ADMIT,
    Step.ACCEPT: Step.DELIVER,
    Step.ROUTE: Step.ACCEPT,
    Step.NOTIFY: Step.ROUTE,
    Step.OPEN: Step.ROUTE,
    Step.SIGN: Step.ROUTE,
}
AT_ORIGIN = frozenset({Step.SUBMIT, Step.SEAL, Step.PUBLISH, Step.ADMIT})
"""Steps that happen once, and bear the origin's code; the others bear the addressee's."""

Teller = Callable[..., None]
_tell: Teller | None = None


class Tracing(BaseModel):
    """The table `[tracing]` of exchange.toml and connector.toml."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    endpoint: Annotated[
        str | None,
        Field(
            pattern=r"^https?://[^\s]+$",
            description="where spans go, by OTLP over HTTP; none: no traces",
            examples=["http://127.0.0.1:4318/v1/traces"],
        ),
    ] = None
    ratio: Annotated[float, Field(ge=0, le=1, description="which part of the messages is traced")] = 1.0
    ca_file: Annotated[str | None, Field(description="who vouches for an https endpoint (PEM)")] = None


def configure(settings: Tracing, component: str, *, network: str, province: str) -> "SpanProcessor | None":
    """Sends spans from now on, if the settings name where to; the queue they go to, or None.

    To be called once in a process, after any fork. `component` is exchange, connector or watch. Raises
    BadConfiguration without the packages.
    """
    if settings.endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise BadConfiguration(
            Words("未安装链路追踪组件", "tracing isn't installed"),
            Words("安装 tongbao[tracing]。", "Install tongbao[tracing]."),
        ) from None
    exporter = OTLPSpanExporter(endpoint=settings.endpoint, certificate_file=settings.ca_file)
    processor = BatchSpanProcessor(exporter)
    install(processor, component, network=network, province=province, ratio=settings.ratio)
    return processor


def install(
    processor: "SpanProcessor", component: str, *, network: str, province: str, ratio: float = 1.0
) -> None:
    """Gives spans to a processor from now on."""
    global _tell
    _tell = _teller(processor, component, network, province, ratio)


def uninstall() -> None:
    """No spans any more."""
    global _tell
    _tell = None


def is_on() -> bool:
    """Whether anybody wants spans: what costs something to find out for them is found out only then."""
    return _tell is not None


def span(
    step: Step,
    message_id: str,
    *,
    origin: str,
    place: str = "",
    began: datetime,
    ended: datetime,
    nth: str = "",
    **facts: str,
) -> None:
    """Tells of a step that is over.

    `place` is the addressee where the step is one of his, `nth` tells steps apart that may be taken more
    than once. An empty fact is left out.
    """
    if _tell is not None:
        _tell(step, message_id, origin, place, began, ended, nth, facts)


def trace_id(message_id: str) -> int:
    """The trace of a message."""
    return UUID(message_id).int


def span_id(message_id: str, step: Step, code: str, nth: str = "") -> int:
    """The span of a message's step at a participant."""
    text = f"tongbao/span/v1\n{message_id}\n{step}\n{code}\n{nth}\n"
    return int.from_bytes(sha256(text.encode()).digest()[:8]) or 1


def is_chosen(message_id: str, ratio: float) -> bool:
    """Whether a message is among those that are traced."""
    return trace_id(message_id) % (1 << RANDOM_BITS) < ratio * (1 << RANDOM_BITS)


def _teller(processor: "SpanProcessor", component: str, network: str, province: str, ratio: float) -> Teller:
    from importlib.metadata import version

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    number = version("tongbao")
    resource = Resource(
        {
            "service.name": f"tongbao-{component}",
            "service.namespace": network,
            "service.instance.id": province,
            "service.version": number,
        }
    )
    scope = InstrumentationScope("tongbao", number)
    sampled = TraceFlags(TraceFlags.SAMPLED)
    kinds = {
        Step.PUBLISH: SpanKind.PRODUCER,
        Step.DELIVER: SpanKind.PRODUCER,
        Step.ADMIT: SpanKind.CONSUMER,
        Step.ACCEPT: SpanKind.CONSUMER,
    }

    def context(message_id: str, step: Step, code: str, nth: str = "") -> SpanContext:
        number = span_id(message_id, step, code, nth)
        return SpanContext(trace_id(message_id), number, is_remote=False, trace_flags=sampled)

    def tell(
        step: Step,
        message_id: str,
        origin: str,
        place: str,
        began: datetime,
        ended: datetime,
        nth: str,
        facts: dict[str, Any],
    ) -> None:
        if not is_chosen(message_id, ratio):
            return
        code = origin if step in AT_ORIGIN else place
        before = BEFORE.get(step)
        parent = context(message_id, before, origin if before in AT_ORIGIN else place) if before else None
        attributes = {
            f"tongbao.{name}": str(facts[name]) for name in sorted(FACTS & facts.keys()) if facts[name]
        }
        processor.on_end(
            ReadableSpan(
                name=step.value,
                context=context(message_id, step, code, nth),
                parent=parent,
                resource=resource,
                attributes=attributes | {"tongbao.place": place or origin},
                kind=kinds.get(step, SpanKind.INTERNAL),
                status=Status(StatusCode.ERROR, facts["code"]) if facts.get("code") else Status(),
                start_time=_nanoseconds(began),
                end_time=_nanoseconds(max(began, ended)),
                instrumentation_scope=scope,
            )
        )

    return tell


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
