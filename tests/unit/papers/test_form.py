"""The six forms as data: what only one category asks for."""

from itertools import permutations

import pytest

from tongbao_connectors.papers import form
from tongbao_connectors.papers.fields import flat
from tongbao_schemas.codes import Category

OWN = {
    Category.OUTBOUND_TRAFFICKING: {"body.to_places", "body.suspected_role"},
    Category.MANUFACTURING: set(),
    Category.INTERDICTION: {"body.mode", "body.checkpoint", "body.route"},
    Category.ONLINE: set(),
    Category.STREET_DEALING: {"body.place.region", "body.place.address", "body.upstream_lead"},
    Category.PRECURSOR: {"body.firm", "body.permit"},
}


@pytest.mark.parametrize(("old", "new"), list(permutations(Category, 2)))
def test_what_another_category_drops(old: Category, new: Category) -> None:
    """Exactly the fields that stand in the old form and not in the new one."""
    dropped = {part.name for part in form.only_in(old, new)}
    fields = {
        category: {part.name for section in form.sections(category) for part in flat(section.parts)}
        for category in (old, new)
    }

    assert dropped == OWN[old]
    assert dropped == fields[old] - fields[new]
