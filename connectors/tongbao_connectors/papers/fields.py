"""What a form is made of: fields, groups that occur as often as needed, blocks, sections.

A field's path is the one in the submission. What a field takes is decided by the body's models and rules; the
form adds the words: label, hint, what to do where it is empty or has another form.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tongbao_broker.errors import Words
from tongbao_schemas.bodies import codes
from tongbao_schemas.codes import Labelled

NO_WORDS: Final = Words("", "")


class Kind(Labelled):
    """How a field is filled in."""

    TEXT = "text"
    LONG = "long"
    LINES = "lines"
    SELECT = "select"
    CARDS = "cards"
    CHECKS = "checks"
    PROVINCES = "provinces"
    PROVINCE = "province"
    REGION = "region"
    DAY = "day"
    TIME = "time"
    FILE = "file"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `name` is its path within its section or group.

    `asks` is said where it is needed and empty, `form` where its text has another form. `beside` names the
    field without which this one says nothing.
    """

    name: str
    label: Words
    kind: Kind = Kind.TEXT
    choices: type[Labelled] | None = None
    hint: Words = NO_WORDS
    asks: Words = NO_WORDS
    form: Words = NO_WORDS
    beside: str = ""
    default: str = ""
    optional: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that occur as often as there is something to say.

    `variants` are fields by the item's own kind; `singular` names one item.
    """

    name: str
    label: Words
    singular: Words
    most: int
    fields: "tuple[Part, ...]" = ()
    variants: "Mapping[str, tuple[Part, ...]]" = field(default_factory=dict)
    hint: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class Block:
    """Fields that belong to one thing; `action` is the request without which it is not asked for."""

    name: str
    label: Words
    fields: tuple[Field, ...]
    action: codes.Action | None = None


Part = Field | Group | Block


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading of its own; `name` is its anchor."""

    name: str
    label: Words
    parts: tuple[Part, ...]


def variant(group: Group, kind: str) -> tuple[Part, ...]:
    """The fields of one item of a group, which may depend on its kind."""
    return group.variants.get(kind, ()) if group.variants else group.fields


def flat(parts: tuple[Part, ...]) -> Iterator[Field | Group]:
    """The fields and groups without the blocks around them."""
    for part in parts:
        if isinstance(part, Block):
            yield from part.fields
        else:
            yield part
