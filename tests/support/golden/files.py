"""All golden files: the world and the families."""

from tests.support.golden import bodies, documents, envelopes, numbers, rights, seals, signers, stamps, texts
from tests.support.golden.case import Family, text
from tests.support.golden.network import world_json

FAMILIES = (
    envelopes.family,
    texts.family,
    signers.family,
    numbers.family,
    rights.audience_family,
    rights.references_family,
    seals.family,
    stamps.family,
    bodies.family,
    documents.family,
)


def families() -> list[Family]:
    """Every family, made anew."""
    return [family() for family in FAMILIES]


def files() -> dict[str, str]:
    """Every file's name and text."""
    made = {f"{family.name}.json": family.as_text() for family in families()}
    return {"world.json": text(world_json()), **made}
