"""The form of an alert for each of the six categories: what all have, and what each asks for besides."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tongbao_broker.errors import Words
from tongbao_connectors.papers.fields import Block, Field, Group, Kind, Part, Section
from tongbao_connectors.papers.sections import (
    ADDRESSEES,
    CASE,
    CONTACT,
    MOVEMENT,
    ONE_NUMBER,
    REQUEST,
    SUBJECTS,
    SUBSTANCES,
    TARGETS,
    TEXTS,
    place,
)
from tongbao_schemas.bodies import codes
from tongbao_schemas.codes import Category

_ROLE: Final = Field(
    "body.suspected_role",
    Words("疑似作用", "Suspected role"),
    Kind.SELECT,
    codes.Role,
    asks=Words("选择疑似作用", "Choose the suspected role"),
)

CATEGORY_PARTS: Final[Mapping[Category, tuple[Part, ...]]] = MappingProxyType(
    {
        Category.OUTBOUND_TRAFFICKING: (
            Group(
                "body.to_places",
                Words("流入地点", "Destinations"),
                Words("流入地点", "Destination"),
                10,
                place("", Words("流入地点", "Destination")),
            ),
            _ROLE,
        ),
        Category.MANUFACTURING: (),
        Category.INTERDICTION: (
            Field(
                "body.mode",
                Words("方式", "Mode"),
                Kind.SELECT,
                codes.TransportMode,
                asks=Words("选择运输方式", "Choose the mode of transport"),
            ),
            Field(
                "body.checkpoint",
                Words("卡点", "Checkpoint"),
                optional=True,
                asks=Words(
                    "写明卡点、路线，或在目标中写明包裹",
                    "Name a checkpoint, a route, or a parcel among the targets",
                ),
            ),
            Field("body.route", Words("路线", "Route"), Kind.LONG, optional=True, wide=True),
        ),
        Category.ONLINE: (),
        Category.STREET_DEALING: (
            *place("body.place", Words("贩卖地点", "Place")),
            Field(
                "body.upstream_lead",
                Words("深挖线索", "Lead to the larger case"),
                Kind.LONG,
                wide=True,
                hint=Words(
                    "打零包、破大案：写明通向上家的线索", "How the small deal leads to the larger case"
                ),
                asks=Words("写明通向上家的线索", "Say how it leads to the larger case"),
            ),
        ),
        Category.PRECURSOR: (
            Field(
                "body.firm",
                Words("企业", "Firm"),
                optional=True,
                asks=Words("写明企业或许可证号", "Name the firm or the permit"),
            ),
            Field("body.permit", Words("许可证号", "Permit"), optional=True, form=ONE_NUMBER),
        ),
    }
)
"""What a category asks for besides."""

CATEGORY_NEEDS: Final[Mapping[Category, Words]] = MappingProxyType(
    {
        Category.OUTBOUND_TRAFFICKING: Words(
            "须写明流入地点和疑似作用", "Needs the destinations and the suspected role"
        ),
        Category.MANUFACTURING: Words(
            "须有场所或化学品作为目标", "Needs a site or a chemical among the targets"
        ),
        Category.INTERDICTION: Words(
            "须写明方式，以及卡点、路线或包裹", "Needs the mode, and a checkpoint, a route or a parcel"
        ),
        Category.ONLINE: Words("须有平台账号作为目标", "Needs an account among the targets"),
        Category.STREET_DEALING: Words(
            "须写明地点和通向上家的线索", "Needs the place and the lead to the larger case"
        ),
        Category.PRECURSOR: Words(
            "须有化学品作为目标，并写明企业或许可证",
            "Needs a chemical among the targets, and the firm or the permit",
        ),
    }
)

BLOCKS: Final = tuple(
    part.name for part in REQUEST.parts if isinstance(part, Block) and part.action is not None
)
"""What is on the page only while it is asked for."""


def sections(category: Category) -> tuple[Section, ...]:
    """The form of a category, in the order of the page."""
    own = CATEGORY_PARTS[category]
    asked = (Section("category", Words(category.zh, category.en), own),) if own else ()
    return (
        ADDRESSEES,
        CASE,
        REQUEST,
        *asked,
        Section("subjects", SUBJECTS.label, (SUBJECTS,)),
        Section("targets", Words("目标与物品", "Targets and substances"), (TARGETS, SUBSTANCES)),
        MOVEMENT,
        TEXTS,
        CONTACT,
    )


def only_in(old: Category, new: Category) -> tuple[Part, ...]:
    """What the form of one category asks for and that of another one doesn't."""
    kept = {part.name for part in CATEGORY_PARTS[new]}
    return tuple(part for part in CATEGORY_PARTS[old] if part.name not in kept)
