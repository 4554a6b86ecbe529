"""Where a process answers for itself; settings know this without loading what answers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LOOPBACK = "127.0.0.1"
Host = Annotated[str, Field(min_length=1, description="address to listen on")]
Port = Annotated[
    int | None,
    Field(ge=1, le=65535, description="port to listen on; none: nothing is served", examples=[9464]),
]


class MetricsAddress(BaseModel):
    """Where a process answers; without a port nowhere."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    host: Host = LOOPBACK
    port: Port = None
