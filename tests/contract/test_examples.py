"""The samples that people try first, and the faulty ones that must be refused."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tongbao_schemas.bodies.followups import FOLLOW_UPS as BODIES
from tongbao_schemas.codes import RELATIONS, Category, MessageType, Status, Urgency
from tongbao_schemas.errors import Refused
from tongbao_schemas.identity import real_id_numbers
from tongbao_schemas.submission import check_submission, parse_submission

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GOOD = sorted(EXAMPLES.glob("*.json"))
BAD = sorted((EXAMPLES / "bad").glob("*.json"))
EXPECTED = tomllib.loads((EXAMPLES / "bad" / "expected.toml").read_text("utf-8"))
PLACES = tomllib.loads((EXAMPLES / "bad" / "places.toml").read_text("utf-8"))
FOLLOW_UPS = sorted((EXAMPLES / "follow-ups").glob("*.json"))
SENDERS = tomllib.loads((EXAMPLES / "senders.toml").read_text("utf-8"))

good_samples = pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
bad_samples = pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)


@good_samples
@pytest.mark.parametrize("year", [2026, 2029, 2040])
def test_a_sample_can_be_sent_on_any_later_day(path: Path, year: int) -> None:
    """Every sample passes all checks that come before storing, as its sender, also in years to come."""
    submission = parse_submission(path.read_bytes())

    check_submission(submission, now=NOW.replace(year=year), origin=SENDERS[path.name])


@pytest.mark.parametrize("path", FOLLOW_UPS, ids=lambda path: path.stem)
def test_a_sample_of_what_follows_an_alert_is_good(path: Path) -> None:
    """But for the refs, which stand for a real message, it can be sent; and it is plainly invented."""
    submission = parse_submission(path.read_bytes())
    by = submission.body.get("by", {"officer_ref": ""})
    origin = "440000" if by["officer_ref"].startswith("粤") else "520000"

    check_submission(submission, now=NOW, origin=origin)
    assert submission.status is Status.EXERCISE
    assert "演练" in submission.body.get("text", submission.body.get("name"))


def test_there_is_a_sample_of_every_follow_up() -> None:
    """Update (both relations), cancel, reply (both kinds), reminder, closure, attachment."""
    submissions = [parse_submission(path.read_bytes()) for path in FOLLOW_UPS]

    assert {one.type for one in submissions} == {*BODIES, MessageType.ATTACHMENT}
    assert {ref.relation for one in submissions for ref in one.refs} == {
        relation for kind in BODIES for relation in RELATIONS[kind]
    }


@good_samples
def test_a_sample_is_plainly_invented(path: Path) -> None:
    """A sample says 演练 or 测试 in its facts, is never `actual` and has no ID number that passes."""
    submission = parse_submission(path.read_bytes())

    assert submission.status is not Status.ACTUAL
    assert re.match("【(演练|测试)】", submission.body["facts"])
    assert real_id_numbers(path.read_text("utf-8")) == []


def test_the_senders_are_those_in_the_names() -> None:
    """`senders.toml` names the sender of each sample, and so does the file's own name."""
    assert {path.name: path.name.split("-")[1] for path in GOOD} == SENDERS


@bad_samples
def test_a_faulty_file_is_refused_with_its_code_at_its_field(path: Path) -> None:
    """A faulty file is refused with the code in `expected.toml` at the field in `places.toml`."""
    with pytest.raises(Refused) as caught:
        check_submission(parse_submission(path.read_bytes()), now=NOW, origin="520000")

    assert (caught.value.code, caught.value.where) == (EXPECTED[path.stem], PLACES[path.stem])


@bad_samples
def test_a_refusal_says_what_to_do_and_repeats_nothing(path: Path) -> None:
    """The refusal has a sentence and a next step in both languages, and no value of the file."""
    with pytest.raises(Refused) as caught:
        check_submission(parse_submission(path.read_bytes()), now=NOW, origin="520000")
    said = [part(lang) for part in (caught.value.sentence, caught.value.next_step) for lang in ("zh", "en")]

    assert all(said)
    assert not re.search("演练|ethnicity|score|demo_", str(caught.value))


def test_each_faulty_file_is_listed_and_there_are_enough() -> None:
    """The lists and the folder hold the same names, more than ten, and every code of bodies."""
    assert {path.stem for path in BAD} == EXPECTED.keys() == PLACES.keys()
    assert len(BAD) > 10
    assert {f"TB-5{n:02d}" for n in range(1, 16)} <= set(EXPECTED.values())


def test_the_samples_cover_what_can_be_sent() -> None:
    """All six categories, all three urgencies, one alert to two provinces and one test message are there."""
    submissions = [parse_submission(path.read_bytes()) for path in GOOD]

    assert {one.category for one in submissions} == set(Category)
    assert {one.urgency for one in submissions} == set(Urgency)
    assert {len(one.audience) for one in submissions} == {1, 2}
    assert {one.status for one in submissions} == {Status.EXERCISE, Status.TEST}
