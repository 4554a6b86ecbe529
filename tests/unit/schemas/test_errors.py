"""How a refusal speaks."""

import pytest

from tongbao_schemas.errors import Refused, TongbaoError
from tongbao_schemas.refusals import REFUSALS, Code


def test_a_refusal_reads_as_code_sentence_place_and_next_step() -> None:
    """The text of a refusal is what its row says, with the place between."""
    refused = Refused(Code.NOT_NFC, "deadlines.basis")

    assert str(refused) == (
        "TB-108 A text is not in Unicode normalisation form NFC. (at deadlines.basis) "
        "Normalise texts to NFC where they are entered."
    )


def test_a_refusal_without_a_place_names_none() -> None:
    """Where no field can be named, the text has no empty brackets."""
    assert "(" not in str(Refused(Code.NOT_UTF8))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_refusal_speaks_both_languages(lang: str) -> None:
    """Sentence and next step are the table's, in the language asked for."""
    refused = Refused(Code.EXPIRED)
    row = REFUSALS[Code.EXPIRED]

    assert (refused.sentence(lang), refused.next_step(lang)) == (row.sentence(lang), row.next_step(lang))


def test_a_refusal_is_one_of_the_projects_errors() -> None:
    """One root catches everything that the project raises on purpose."""
    assert issubclass(Refused, TongbaoError)
