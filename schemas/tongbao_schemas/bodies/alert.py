"""The body of an alert (协查通报): what officers read.

One model for each of the six categories; the header's category picks it, the body does not repeat it. The
schema is closed: there is no place for ethnicity, religion, scores, biometrics, health or registry data.
The rules that go beyond single fields are in `bodies.rules`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from tongbao_schemas.bodies import codes
from tongbao_schemas.codes import Category
from tongbao_schemas.fields import (
    Digest,
    HeaderText,
    OfficerRef,
    Positive,
    ProvinceCode,
    Strict,
    Time,
    UnitName,
)
from tongbao_schemas.header import By

Text = Annotated[str, Field(min_length=1, max_length=4000)]
ShortText = Annotated[str, Field(min_length=1, max_length=500)]
Name = UnitName
Plate = Annotated[str, StringConstraints(pattern=r"^[^\s]{2,12}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9-]{4,19}$")]
Day = Annotated[str, StringConstraints(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Decimal = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$")]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]
"""A GB/T 2260 code; whether it existed at the date is a rule."""

MAX_SUBJECTS: Final = 20


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

    number: HeaderText
    unit: Unit


class LegalBasis(Strict):
    """The one decision that the alert rests on."""

    kind: codes.LegalBasisKind
    number: HeaderText
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
    number: HeaderText


class Subject(Strict):
    """A named suspect of this case."""

    name: Name
    sex: codes.Sex
    birth_date: Day | None = None
    nationality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    id_document: IdDocument | None = None
    aliases: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    vehicles: Annotated[tuple[Plate, ...], Field(max_length=10)] = ()
    phones: Annotated[tuple[Phone, ...], Field(max_length=10)] = ()
    role: codes.Role
    danger: Annotated[tuple[codes.Danger, ...], Field(max_length=4)] = ()
    measure: codes.Measure


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


class Chemical(Strict):
    """A chemical, and what was noticed about it."""

    kind: Literal[codes.TargetKind.CHEMICAL]
    name: Name
    description: ShortText


Target = Annotated[Parcel | Vehicle | Account | Site | Chemical, Field(discriminator="kind")]


class Window(Strict):
    """[from, until)."""

    start: Time = Field(alias="from")
    until: Time


class Movement(Strict):
    """From where to where, and when."""

    origin: Place | None = Field(default=None, alias="from")
    to: Place
    window: Window | None = None
    mode: codes.TransportMode | None = None


class SubstanceFound(Strict):
    """A substance; the quantity is a decimal string, never a float."""

    code: codes.Substance
    name: Name | None = None
    quantity: Decimal | None = None
    unit: codes.QuantityUnit | None = None


class Paper(Strict):
    """A legal paper that goes with the request; its file travels as an attachment."""

    kind: codes.PaperKind
    number: HeaderText
    digest: Digest
    marking: codes.Marking = codes.Marking.NONE


class Request(Strict):
    """What the receiver is asked to do, with the papers that this needs."""

    action: codes.Action
    detail: ShortText | None = None
    papers: Annotated[tuple[Paper, ...], Field(max_length=10)] = ()


class Watch(Strict):
    """布控: for how long, and what to do on a hit."""

    start: Time = Field(alias="from")
    until: Time
    on_hit: codes.OnHit


class Operation(Strict):
    """A joint operation: who leads, who takes part, and not before when."""

    code_name: Name
    lead: ProvinceCode
    participants: Annotated[tuple[ProvinceCode, ...], Field(min_length=2, max_length=34)]
    not_before: Time


class Contact(Strict):
    """Whom to call, day and night."""

    unit: Name
    duty_phone: Phone


class AttachmentNote(Strict):
    """A file that travels in `attachment` messages."""

    name: HeaderText
    digest: Digest
    size: Positive
    marking: codes.Marking = codes.Marking.NONE


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
    substances: Annotated[tuple[SubstanceFound, ...], Field(max_length=20)] = ()
    request: Request
    contact_rule: codes.ContactRule
    watch: Watch | None = None
    operation: Operation | None = None
    contact: Contact
    attachments: Annotated[tuple[AttachmentNote, ...], Field(max_length=20)] = ()
    retain_until: Time

    @property
    def destinations(self) -> tuple[str, ...]:
        """The region codes of where it leads to, the most telling first: what routing goes by."""
        places = [*self._category_places(), *self._site_places()]
        if self.movement is not None:
            places.append(self.movement.to)
        return tuple(dict.fromkeys(place.region for place in places))

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place the body names, where it leads to and where it comes from."""
        origin = self.movement.origin if self.movement is not None else None
        to = self.movement.to if self.movement is not None else None
        return tuple(
            place
            for place in (*self._category_places(), *self._site_places(), origin, to)
            if place is not None
        )

    def _category_places(self) -> tuple[Place, ...]:
        return ()

    def _site_places(self) -> tuple[Place, ...]:
        return tuple(target.place for target in self.targets if isinstance(target, Site))


class OutboundTrafficking(AlertBody):
    """外流贩毒: also the destinations and the suspected role."""

    to_places: Annotated[tuple[Place, ...], Field(min_length=1, max_length=10)]
    suspected_role: codes.Role

    def _category_places(self) -> tuple[Place, ...]:
        return self.to_places


class Manufacturing(AlertBody):
    """制毒: also evidence of a site or of precursors, as a target."""


class Interdiction(AlertBody):
    """堵源截流: also the mode, and a checkpoint, a route or a parcel."""

    mode: codes.TransportMode
    checkpoint: Name | None = None
    route: ShortText | None = None


class Online(AlertBody):
    """网络涉毒: also platform and account, as a target."""


class StreetDealing(AlertBody):
    """零星贩毒: also the place and the lead towards the larger case."""

    place: Place
    upstream_lead: ShortText

    def _category_places(self) -> tuple[Place, ...]:
        return (self.place,)


class Precursor(AlertBody):
    """易制毒化学品: also the chemical, as a target, and the firm or the permit."""

    firm: Name | None = None
    permit: HeaderText | None = None


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
