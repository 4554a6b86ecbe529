"""The demo's samples are all there, stay fresh, and say what the demo promises."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from tongbao_connectors.demo import samples
from tongbao_connectors.demo.journey import ALL_STAGES, ROUTED_STAGES, TEST_STAGES, Journey
from tongbao_connectors.demo.samples import Sample
from tongbao_connectors.workspace import DEMO_PROVINCES
from tongbao_schemas.codes import Category
from tongbao_schemas.submission import check_submission, parse_submission

NOW = datetime(2027, 3, 5, 2, 30, tzinfo=UTC)


def sample(**content: object) -> Sample:
    facts = {"client_ref": "demo-1", "status": "exercise", "audience": ["440000", "330000"], "body": {}}
    return Sample(99, "520000", samples.folder() / "x.json", {**facts, **content})


def test_eight_samples_cover_six_categories_and_five_provinces() -> None:
    """Numbers run from 1 to 8; all six categories and all demo provinces take part."""
    found = samples.load()

    assert [each.number for each in found] == list(range(1, 9))
    assert {each.content["category"] for each in found} == {str(category) for category in Category}
    assert {each.origin for each in found}.union(*(each.content["audience"] for each in found)) == set(
        DEMO_PROVINCES
    )


def test_no_sample_is_actual() -> None:
    """Seven exercises and one test: nothing that the demo sends can be taken for real."""
    assert sorted(each.content["status"] for each in samples.load()) == ["exercise"] * 7 + ["test"]


@pytest.mark.parametrize("days", [0, 1, 400])
def test_samples_stay_valid(days: int) -> None:
    """As a run sends them they pass every check, today and in a year."""
    now = NOW + timedelta(days=days)
    for each in samples.load():
        check_submission(parse_submission(each.fresh("run", now)), now=now, origin=each.origin)


def test_one_sample_brings_a_file() -> None:
    """The first one lists it as it lies in examples/files/1; it is plainly invented."""
    first, *others = samples.load()
    [file] = first.files()

    assert json.loads(first.fresh("run", NOW))["body"]["attachments"] == [file.note()]
    assert "演练" in file.name
    assert b"EXERCISE - invented paper" in file.content
    assert not any(each.files() for each in others)


def test_each_run_sends_new_alerts() -> None:
    """The client_ref carries the run's mark and keeps within 64 characters."""
    long = sample(client_ref="x" * 64)
    sent = [json.loads(long.fresh(run, NOW))["client_ref"] for run in ("20270305", "20270306")]

    assert sent == ["x" * 55 + "-20270305", "x" * 55 + "-20270306"]


def test_past_times_move_by_whole_days_and_keep_their_distance() -> None:
    """The earliest time moves to today, at its time of day; numbers and names stay."""
    body = {
        "title": "2026-11-23",
        "movement": {"window": {"from": "2026-11-23T13:00:00.000Z", "until": "2026-11-23T16:00:00.000Z"}},
        "list": ["2026-11-25T00:00:00.000Z", 7],
    }
    moved = json.loads(sample(body=body).fresh("run", NOW))["body"]

    assert moved == {
        "title": "2026-11-23",
        "movement": {"window": {"from": "2027-03-05T13:00:00.000Z", "until": "2027-03-05T16:00:00.000Z"}},
        "list": ["2027-03-07T00:00:00.000Z", 7],
    }


def test_future_times_stay() -> None:
    """Nothing is moved back."""
    body = {"retain_until": "2028-01-01T00:00:00.000Z"}

    assert json.loads(sample(body=body).fresh("run", NOW))["body"] == body


@pytest.mark.parametrize(
    ("goal", "stages", "missing"),
    [
        (ALL_STAGES, {}, {"440000": list(ALL_STAGES), "330000": list(ALL_STAGES)}),
        (TEST_STAGES, {"440000": ["admitted", "delivered"]}, {"330000": ["admitted", "delivered"]}),
        (ROUTED_STAGES, {"440000": list(ALL_STAGES), "330000": list(ROUTED_STAGES)}, {}),
        (
            ALL_STAGES,
            {"440000": list(ALL_STAGES), "330000": list(ROUTED_STAGES)},
            {"330000": ["claimed", "result"]},
        ),
    ],
)
def test_what_a_journey_lacks(
    goal: tuple[str, ...], stages: dict[str, list[str]], missing: dict[str, list[str]]
) -> None:
    """Every addressee must have reached every stage of the goal; one of two is not enough."""
    journey = Journey(sample(), "id", goal, sent=0.0, stages=stages)

    assert (journey.missing, journey.is_over) == (missing, not missing)


def test_refused_journey_is_over() -> None:
    """There is nothing to wait for after a refusal."""
    assert Journey(sample(), "id", ALL_STAGES, sent=0.0, refusal="TB-414").is_over


def test_samples_hold_no_real_person() -> None:
    """Names are marked as invented, plates and phones can't exist."""
    for each in samples.load():
        text = each.path.read_text(encoding="utf-8")
        assert all(plate.endswith("00000") for plate in re.findall(r'"plate": "([^"]+)"', text))
        assert all("演练" in name for name in re.findall(r'"name": "([^"]*(?:甲|乙|丙|丁))"', text))
