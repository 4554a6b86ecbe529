"""The words of states and stages: none is missing in either language."""

import ast
import re
from pathlib import Path

import pytest

from tongbao_connectors import words
from tongbao_connectors.store.models import Draft, InboxItem, Outbox
from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import NoticeKind, Stage

STATES = {*Draft.State.values, *Outbox.State.values, *InboxItem.State.values, "received"}
STAGES = {*Stage, *AnswerKind, *Draft.State.values, *Outbox.State.values, NoticeKind.ADMITTED}
SOURCES = Path(words.__file__).parent
RAISED_IN_COMMANDS = (
    *("drafts", "finding", "quarantine", "roster", "routing", "settings", "trail", "workspace"),
    *(f"{room}/{path.stem}" for room in ("casework", "cli") for path in (SOURCES / room).glob("*.py")),
)
ENGLISH = re.compile("[a-z]{2,} [a-z]{2,}")


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_state_has_words(state: str) -> None:
    """What a draft, an own message or an inbox item can be."""
    assert re.fullmatch("[一-鿿]+", words.state(state, "zh"))
    assert words.state(state, "en") != ""


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_every_stage_of_a_trail_has_words(stage: str) -> None:
    """From the draft to the last answer."""
    assert re.fullmatch("[一-鿿]+", words.stage(stage, "zh"))
    assert words.stage(stage, "en")[0].isupper()


@pytest.mark.parametrize(
    ("text", "zh"),
    [
        ("seq 4", "本省序号 4"),
        ("leaf 7", "账本第 7 条"),
        ("深圳市禁毒支队", "深圳市禁毒支队"),
        ("leaf x", "leaf x"),
        ("", ""),
    ],
)
def test_details_of_events(text: str, zh: str) -> None:
    """Numbers are said in words, everything else stands as it is."""
    assert (words.event_detail(text, "zh"), words.event_detail(text, "en")) == (zh, text)


@pytest.mark.parametrize("name", RAISED_IN_COMMANDS)
def test_no_error_of_a_command_has_an_english_detail_only(name: str) -> None:
    """What is raised with a plain text names references and files; a sentence is given in both languages."""
    tree = ast.parse((SOURCES / f"{name}.py").read_text(encoding="utf-8"))
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    calls = [error for error in raised if isinstance(error, ast.Call) and "Error" not in ast.dump(error.func)]
    prose = [text for call in calls for text in map(_fixed_text, call.args) if ENGLISH.search(text)]

    assert prose == []


def _fixed_text(argument: ast.expr) -> str:
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return "…".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
