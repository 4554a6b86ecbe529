"""The types of single fields and the base of every model.

Models are strict (nothing is converted), closed (an unknown field refuses) and frozen. They read the JSON
text itself, after the parse gate passed it: `Model.read(data)`.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from tongbao_schemas.encoding import b64decode, format_time, parse_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

TIME_PATTERN: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
WRAP_SIZE: Final = 80
"""Bytes of a wrapped content key: an encapsulated key of 32 and the sealed content key of 48 (RFC 9180)."""
UUID7_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return parse_time(format_time(value))
    if not isinstance(value, str):
        raise ValueError("a time is a string")
    return parse_time(value)


def _one_line(value: str) -> str:
    if "\n" in value:
        raise ValueError("a header text has one line")
    return value


def _wrapped_key(value: str) -> str:
    if len(b64decode(value, "wrap")) != WRAP_SIZE:
        raise ValueError("a wrapped key has 80 bytes")
    return value


Time = Annotated[
    datetime,
    BeforeValidator(_time),
    PlainSerializer(format_time, return_type=str),
    WithJsonSchema({"type": "string", "pattern": TIME_PATTERN}),
]
"""An aware UTC time with milliseconds; a datetime from our own code is cut to that, a naive one refused."""

Network = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$")]
MessageId = Annotated[str, StringConstraints(pattern=UUID7_PATTERN)]
ParticipantCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]0000$")]
"""A participant: a GB/T 2260 province code, or the exchange, 100000."""
ProvinceCode = Annotated[str, StringConstraints(pattern=r"^(1[1-9]|[2-9][0-9])0000$")]
"""A GB/T 2260 province code, and not the exchange."""
WrappedKey = Annotated[str, StringConstraints(min_length=108, max_length=108), AfterValidator(_wrapped_key)]
"""Canonical base64 of a content key wrapped for one receiver."""
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Kid = HexDigest
"""Hex SHA-256 of a raw 32-byte public key."""
SchemaName = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[1-9][0-9]?\.(0|[1-9][0-9]?)$")]
RefusalCode = Annotated[str, StringConstraints(pattern=r"^TB-[1-6][0-9]{2}$")]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
OfficerRef = Annotated[str, StringConstraints(min_length=1, max_length=32), AfterValidator(_one_line)]
"""How a unit names an officer without the name, for example 粤-0117."""
UnitName = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_one_line)]
HeaderText = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]


class Strict(BaseModel):
    """Base of every model on the wire."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @classmethod
    def read(cls, data: bytes, *, refuse_as: Code) -> Self:
        """The model of a JSON text that has passed the parse gate; else `Refused(refuse_as)` with a path."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            where = explain(error)
        raise Refused(refuse_as, where)


def explain(error: ValidationError, *, tagged: bool = False) -> str:
    """The path of the first wrong field, without values; an unknown field gives its parent's path.

    `tagged`: the model is a union whose tag pydantic puts before the path.
    """
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if tagged and not first["loc"]:
        return "type"
    unknown = first["type"] == "extra_forbidden"
    location = first["loc"][1:] if tagged else first["loc"]
    path = field_path(location[:-1] if unknown else location)
    return f"{path} (unknown field)".strip() if unknown else path


def field_path(location: tuple[int | str, ...]) -> str:
    """`("refs", 0, "id")` as `refs[0].id`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).lstrip(".")
