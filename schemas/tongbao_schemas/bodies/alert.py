"""The body of an alert (协查通报): what officers read.

1. One model for each of the six categories. The header's category picks it; the body does not repeat it.
2. The schema is closed. It has no place for ethnicity, religion, scores, biometrics, health or registry data,
   none for a list of cases, and none for more than `MAX_SUBJECTS` people.
3. Facts and assessment are separate texts. Who prepared it and who approved it are separate people.
4. Quantities are decimal strings with a unit, places are GB/T 2260 codes, periods are [from, until).
5. Without `retain_until` the body is kept until the message expires, and no longer.

What goes beyond a single field (officers differ, papers fit the request, codes were valid…) is in `rules`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tongbao_schemas.bodies import codes
from tongbao_schemas.bodies.attachment import MOST_BYTES, FileName
from tongbao_schemas.codes import Category
from tongbao_schemas.fields import (
    Digest,
    HeaderText,
    OfficerRef,
    ProvinceCode,
    Strict,
    Time,
    UnitName,
)
from tongbao_schemas.header import By

MAX_SUBJECTS: Final = 20

T = TypeVar("T")


def _none_twice(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) != len(values):
        raise ValueError("nothing is named twice")
    return values


def _real_day(value: str) -> str:
    date.fromisoformat(value)
    return value


Text = Annotated[str, Field(min_length=1, max_length=4000)]
ShortText = Annotated[str, Field(min_length=1, max_length=500)]
Name = UnitName
DocumentNumber = Annotated[str, StringConstraints(pattern=r"^[^\n、,，;；|]{1,64}$")]
"""One number of a case or paper; a list of numbers is refused."""
Plate = Annotated[str, StringConstraints(pattern=r"^\S{2,12}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9-]{4,19}$")]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real_day)]
Decimal = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 3166-1 alpha-3."""
RegionCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]
"""A GB/T 2260 code; whether it was valid at the date is a rule."""


class Place(Strict):
    """A place by region code, with an address where one is known."""

    region: RegionCode
    address: Name | None = None


class Unit(Strict):
    """A police unit."""

    kind: codes.UnitKind
    name: Name


class Case(Strict):
    """The one case that the alert belongs to."""

    number: DocumentNumber
    unit: Unit


class LegalBasis(Strict):
    """The one decision that the alert rests on."""

    kind: codes.LegalBasisKind
    number: DocumentNumber
    digest: Digest
    marking: codes.Marking = codes.Marking.NONE


class SecrecyReview(Strict):
    """Who reviewed it for secrecy, and with what result."""

    officer: OfficerRef
    result: codes.SecrecyResult


class Grading(Strict):
    """How reliable source and information are (A, B, C, X; 1–4)."""

    source: codes.SourceGrade
    information: codes.InformationGrade


class IdDocument(Strict):
    """An identity document."""

    kind: codes.IdDocumentKind
    number: Annotated[HeaderText, Field(max_length=32)]


class CarOfSubject(Strict):
    """A vehicle that a subject uses."""

    plate: Plate
    description: Name | None = None


class Subject(Strict):
    """A named suspect of this case. What is unknown is said to be unknown, not left out."""

    name: Name
    aliases: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    sex: codes.Sex
    birth_date: Day | None = None
    nationality: CountryCode | None = None
    id_document: IdDocument | None = None
    vehicles: Annotated[tuple[CarOfSubject, ...], Field(max_length=10)] = ()
    phones: Annotated[tuple[Phone, ...], Field(max_length=10)] = ()
    role: codes.Role
    danger: Annotated[
        tuple[codes.Danger, ...], Field(min_length=1, max_length=4), AfterValidator(_none_twice)
    ]
    measure: codes.Measure


class Quantity(Strict):
    """How much: a decimal string, never a float, and its unit."""

    amount: Decimal
    unit: codes.QuantityUnit


class CodedSubstance(Strict):
    """A substance by code; the codes for others need its name."""

    substance: codes.Substance
    name: Name | None = None
    quantity: Quantity | None = None

    @model_validator(mode="after")
    def _others_are_named(self) -> Self:
        if self.substance in codes.NAMED_SUBSTANCES and self.name is None:
            raise ValueError("a substance outside the list needs its name")
        return self


class Parcel(Strict):
    """A parcel, by its waybill number."""

    kind: Literal[codes.TargetKind.PARCEL]
    carrier: Name
    number: HeaderText


class Vehicle(Strict):
    """A vehicle without a known driver."""

    kind: Literal[codes.TargetKind.VEHICLE]
    plate: Plate
    description: Name | None = None


class Account(Strict):
    """An account on a platform."""

    kind: Literal[codes.TargetKind.ACCOUNT]
    platform: Name
    account: HeaderText


class Site(Strict):
    """A place that is itself the object."""

    kind: Literal[codes.TargetKind.SITE]
    place: Place
    description: ShortText


class Chemical(CodedSubstance):
    """A chemical, and what was noticed about it."""

    kind: Literal[codes.TargetKind.CHEMICAL]
    description: ShortText


Target = Annotated[Parcel | Vehicle | Account | Site | Chemical, Field(discriminator="kind")]


class Window(Strict):
    """[from, until)."""

    start: Time = Field(alias="from")
    until: Time


class Movement(Strict):
    """From where to where, by which way, and when."""

    origin: Place | None = Field(default=None, alias="from")
    to: Place
    via: Name | None = None
    window: Window | None = None


class Paper(Strict):
    """A legal paper that goes with the request; its file travels as an attachment."""

    kind: codes.PaperKind
    number: DocumentNumber
    digest: Digest
    marking: codes.Marking = codes.Marking.NONE


class Request(Strict):
    """What the receiver is asked to do, with the papers that this needs."""

    actions: Annotated[
        tuple[codes.Action, ...], Field(min_length=1, max_length=7), AfterValidator(_none_twice)
    ]
    detail: ShortText | None = None
    papers: Annotated[tuple[Paper, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _information_stands_alone(self) -> Self:
        if codes.Action.FOR_INFORMATION in self.actions and len(self.actions) > 1:
            raise ValueError("an alert for information asks for nothing else")
        return self


class Watch(Window):
    """布控: for how long, and what to do on a hit."""

    on_hit: codes.OnHit


class Operation(Strict):
    """A joint operation: who leads, who takes part, and not before when."""

    code_name: Name
    lead: ProvinceCode
    participants: Annotated[
        tuple[ProvinceCode, ...], Field(min_length=1, max_length=34), AfterValidator(_none_twice)
    ]
    not_before: Time


class Contact(Strict):
    """Whom to call, day and night."""

    unit: Name
    duty_phone: Phone


class AttachmentNote(Strict):
    """A file that travels in `attachment` messages."""

    name: FileName
    digest: Digest
    size: Annotated[int, Field(ge=1, le=MOST_BYTES)]
    marking: codes.Marking = codes.Marking.NONE


def _names_differ(notes: tuple[AttachmentNote, ...]) -> tuple[AttachmentNote, ...]:
    _none_twice(tuple(note.name.lower() for note in notes))
    return notes


class AlertBody(Strict):
    """What all categories have in common."""

    title: Annotated[HeaderText, Field(max_length=80)]
    case: Case
    legal_basis: LegalBasis
    secrecy_review: SecrecyReview
    lead_source: codes.LeadSource
    grading: Grading
    prepared_by: By
    approved_by: By
    facts: Text
    assessment: Text | None = None
    subjects: Annotated[tuple[Subject, ...], Field(json_schema_extra={"maxItems": MAX_SUBJECTS})] = ()
    targets: Annotated[tuple[Target, ...], Field(max_length=20)] = ()
    movement: Movement | None = None
    substances: Annotated[tuple[CodedSubstance, ...], Field(max_length=20)] = ()
    request: Request
    contact_rule: codes.ContactRule
    watch: Watch | None = None
    operation: Operation | None = None
    contact: Contact
    attachments: Annotated[
        tuple[AttachmentNote, ...], Field(max_length=20), AfterValidator(_names_differ)
    ] = ()
    retain_until: Time | None = None

    @property
    def destinations(self) -> tuple[str, ...]:
        """The region codes of where it leads to, the most telling first: all that routing sees of places."""
        places = [*self.category_places(), *self.site_places()]
        if self.movement is not None:
            places.append(("movement.to", self.movement.to))
        return tuple(dict.fromkeys(place.region for _, place in places))

    def category_places(self) -> Iterator[tuple[str, Place]]:
        """The places that the category itself asks for, each with its path."""
        yield from ()

    def site_places(self) -> Iterator[tuple[str, Place]]:
        """The sites among the targets, each with its path."""
        for index, target in enumerate(self.targets):
            if isinstance(target, Site):
                yield f"targets[{index}].place", target.place

    def category_gap(self) -> str:
        """The path of what the category needs and the body lacks; empty if it lacks nothing."""
        return ""

    def has_target(self, *kinds: codes.TargetKind) -> bool:
        """Whether a target of one of these kinds is named."""
        return any(target.kind in kinds for target in self.targets)


class OutboundTrafficking(AlertBody):
    """外流贩毒: also the destinations and the suspected role."""

    to_places: Annotated[tuple[Place, ...], Field(min_length=1, max_length=10)]
    suspected_role: codes.Role

    def category_places(self) -> Iterator[tuple[str, Place]]:
        """Where it flows to."""
        for index, place in enumerate(self.to_places):
            yield f"to_places[{index}]", place


class Manufacturing(AlertBody):
    """制毒 (4·14): also evidence of a site or of precursors, as a target."""

    def category_gap(self) -> str:
        """A site or a chemical."""
        return "" if self.has_target(codes.TargetKind.SITE, codes.TargetKind.CHEMICAL) else "targets"


class Interdiction(AlertBody):
    """堵源截流 (5·14): also the mode, and a checkpoint, a route or a parcel."""

    mode: codes.TransportMode
    checkpoint: Name | None = None
    route: ShortText | None = None

    def category_gap(self) -> str:
        """A checkpoint, a route or a parcel among the targets."""
        found = self.checkpoint or self.route or self.has_target(codes.TargetKind.PARCEL)
        return "" if found else "checkpoint"


class Online(AlertBody):
    """网络涉毒: also platform and account, as a target."""

    def category_gap(self) -> str:
        """An account."""
        return "" if self.has_target(codes.TargetKind.ACCOUNT) else "targets"


class StreetDealing(AlertBody):
    """零星贩毒: also the place, and the lead from the small deal to the larger case."""

    place: Place
    upstream_lead: ShortText

    def category_places(self) -> Iterator[tuple[str, Place]]:
        """Where it is dealt."""
        yield "place", self.place


class Precursor(AlertBody):
    """易制毒化学品: also the chemical, as a target, and the firm or the permit."""

    firm: Name | None = None
    permit: DocumentNumber | None = None

    def category_gap(self) -> str:
        """A chemical, and a firm or a permit."""
        if not self.has_target(codes.TargetKind.CHEMICAL):
            return "targets"
        return "" if self.firm or self.permit else "firm"


ALERT_BODIES: Final[Mapping[Category, type[AlertBody]]] = MappingProxyType(
    {
        Category.OUTBOUND_TRAFFICKING: OutboundTrafficking,
        Category.MANUFACTURING: Manufacturing,
        Category.INTERDICTION: Interdiction,
        Category.ONLINE: Online,
        Category.STREET_DEALING: StreetDealing,
        Category.PRECURSOR: Precursor,
    }
)
"""The tagged union: the header's category is the tag."""


def category_fields(model: type[Any]) -> frozenset[str]:
    """The fields that a category adds to the common ones."""
    return frozenset(model.model_fields) - frozenset(AlertBody.model_fields)
