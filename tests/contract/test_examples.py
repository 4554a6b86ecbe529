"""The samples that people try first, and the faulty ones that must be refused."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tongbao_schemas.codes import Category, Status, Urgency
from tongbao_schemas.errors import Refused
from tongbao_schemas.submission import check_submission, parse_submission

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GOOD = sorted(EXAMPLES.glob("*.json"))
BAD = sorted((EXAMPLES / "bad").glob("*.json"))
EXPECTED = tomllib.loads((EXAMPLES / "bad" / "expected.toml").read_text("utf-8"))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_sample_can_be_sent(path: Path) -> None:
    """Every sample passes all checks that come before storing, as its sender."""
    submission = parse_submission(path.read_bytes())
    body = check_submission(submission, now=NOW, origin=path.name.split("-")[1])

    assert "演练" in path.read_text("utf-8") or submission.status is Status.TEST
    assert body.model_dump_json()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_sample_does_not_go_stale(path: Path) -> None:
    """A sample can still be sent in three years."""
    check_submission(
        parse_submission(path.read_bytes()), now=NOW.replace(year=2029), origin=path.name.split("-")[1]
    )


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_faulty_file_is_refused_with_its_code_and_a_next_step(path: Path) -> None:
    """A faulty file is refused with the code in `expected.toml`, in two languages, without its content."""
    with pytest.raises(Refused) as caught:
        check_submission(parse_submission(path.read_bytes()), now=NOW, origin="520000")

    assert caught.value.code == EXPECTED[path.stem]
    assert caught.value.sentence("zh")
    assert caught.value.next_step("en")
    assert "演练" not in str(caught.value)


def test_each_faulty_file_is_listed_and_there_are_at_least_ten() -> None:
    """The list of expected codes and the folder hold the same names."""
    assert {path.stem for path in BAD} == EXPECTED.keys()
    assert len(BAD) >= 10


def test_the_samples_cover_what_can_be_sent() -> None:
    """All six categories, all three urgencies, one alert to two provinces and one test message are there."""
    submissions = [parse_submission(path.read_bytes()) for path in GOOD]

    assert {one.category for one in submissions} == set(Category)
    assert {one.urgency for one in submissions} == set(Urgency)
    assert {len(one.audience) for one in submissions} == {1, 2}
    assert {one.status for one in submissions} == {Status.EXERCISE, Status.TEST}
