"""How the demo judges and shows what happened (no process is started)."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tongbao_connectors.cli.errors import Incomplete
from tongbao_connectors.demo import samples
from tongbao_connectors.demo.journey import ALL_STAGES, ROUTED_STAGES, Journey
from tongbao_connectors.demo.run import Demo, Outcome
from tongbao_connectors.demo.screen import Screen

SAMPLES = samples.load()


def journey(stages: dict[str, list[str]], **others: Any) -> Journey:
    seen = {(code, stage): 0.25 for code, reached in stages.items() for stage in reached}
    return Journey(
        SAMPLES[6], "id-7", ALL_STAGES, 0.0, number="黔2026-000007-H", stages=stages, after_s=seen, **others
    )


def story(*journeys: Journey) -> Any:
    return SimpleNamespace(journeys=list(journeys), trail=lambda: {"size": 9, "root": "ab" * 32})


def demo(once: bool = True) -> Demo:
    return Demo(Path("x"), once=once, lang="en", default_folder=True, told=lambda outcome: None)


def test_outcome_says_what_the_origin_knows() -> None:
    """One entry for each alert with its stages by addressee, the trail, and the seconds."""
    run = demo()
    whole = journey({"330000": list(ALL_STAGES), "440000": list(ALL_STAGES)})
    run._conclude(story(whole), 1.5)
    facts = run.outcome.as_json()

    assert facts == {
        "ok": True,
        "alerts": [
            {
                "number": "黔2026-000007-H",
                "status": "exercise",
                "category": "outbound_trafficking",
                "origin": "520000",
                "audience": ["330000", "440000"],
                "stages": {"330000": list(ALL_STAGES), "440000": list(ALL_STAGES)},
            }
        ],
        "trail": {"size": 9, "root": "ab" * 32},
        "desks": [],
        "seconds": {"alerts": 1.5},
    }


@pytest.mark.parametrize(
    ("one", "missing"),
    [
        (
            journey({"330000": list(ALL_STAGES), "440000": list(ROUTED_STAGES)}),
            {"440000": ["claimed", "result"]},
        ),
        (
            journey({"330000": list(ALL_STAGES), "440000": list(ALL_STAGES)}, refusal="TB-414"),
            {"refused": ["TB-414"]},
        ),
    ],
    ids=["two stages of one addressee", "refused"],
)
def test_missing_stage_is_a_failure_with_its_reason(one: Journey, missing: dict[str, list[str]]) -> None:
    """Whatever is missing is named per alert and addressee, and the outcome isn't ok."""
    run = demo()

    with pytest.raises(Incomplete, match="黔2026-000007-H"):
        run._conclude(story(one), 1.0)

    facts = run.outcome.as_json()
    assert (facts["ok"], facts["missing"]) == (False, {"7 黔2026-000007-H": missing})


def test_interrupted_run_is_not_ok() -> None:
    """Ctrl-C before the end is neither success nor a missing stage."""
    run = demo()
    run._halt.set()
    run._conclude(story(journey({})), 1.0)

    assert (run.outcome.ok, Outcome().ok) == (False, False)


def test_lines_tell_each_stage_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal every stage is one line, however often the screen is told of changes."""
    screen = Screen("zh")
    screen.follow([journey({"330000": ["admitted", "delivered"]})])
    screen.show()
    screen.show()

    assert [line.split() for line in capsys.readouterr().err.splitlines()] == [
        ["黔2026-000007-H", "黔→浙", "已登记", "0.25", "s"],
        ["黔2026-000007-H", "黔→浙", "已送达", "0.25", "s"],
    ]


def test_commands_to_type_fit_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """They name the program as it was called, the folder unless it is the default, and the right officer."""
    monkeypatch.setattr("sys.argv", [".venv/bin/tongbao"])
    one = Journey(SAMPLES[3], "id-4", ROUTED_STAGES, 0.0, number="黔2026-000004-N")
    telling = story(one)
    telling.accountable = lambda journey, code: "浙-0111"
    elsewhere = Demo(Path("a b"), once=False, lang="en", default_folder=False, told=lambda outcome: None)

    default = dict(demo(once=False)._next_commands(cast(Any, telling)))

    assert default["Sign for it"] == ".venv/bin/tongbao claim 黔2026-000004-N --as 330000 --officer 浙-0111"
    assert dict(elsewhere._next_commands(cast(Any, telling)))["See what lies in the inboxes"] == (
        ".venv/bin/tongbao --dir 'a b' inbox"
    )
