"""What all commands share: language, common options, errors with exit codes, quick help."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tongbao_broker.errors import Conflict, Held, NoRight, NotFound, Unreachable
from tongbao_connectors.cli import frame
from tongbao_connectors.cli.frame import Call, Entry, Root, call_of, new_group
from tongbao_connectors.cli.language import BETWEEN, both, language_of, pick
from tongbao_connectors.cli.main import app
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

HEAVY = ("django", "kafka", "cryptography", "pydantic", "asyncio")
SIMPLE = "demo init up down status validate send inbox show claim answer trail"
COMMANDS = [
    *([name] for name in SIMPLE.split()),
    ["attachment", "save"],
    ["quarantine", "list"],
    ["quarantine", "show"],
    ["directory", "show"],
    ["schema", "list"],
    ["schema", "show"],
    ["topology", "plan"],
    ["topology", "apply"],
]


def run(group: typer.Typer, *arguments: str, **environment: str) -> Any:
    clean = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "", "TONGBAO_DIR": "", "COLUMNS": "200"}
    return CliRunner().invoke(group, list(arguments), env={**clean, **environment})


def group_with(function: Any) -> typer.Typer:
    """A command line with the one command `do`."""
    group = new_group("test", Root)
    Entry("do", "does it", function).add_to(group)
    Entry("other", "another", lambda call: None).add_to(group)
    return group


def seen_by(*arguments: str, **environment: str) -> Call:
    """The call that a command gets for this command line."""
    calls: list[Call] = []

    def do(call: Call) -> None:
        calls.append(call)

    result = run(group_with(do), *arguments, **environment)

    assert result.exit_code == 0, result.stderr
    return calls[0]


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "zh"),
        ([], {"LANG": "C.UTF-8"}, "zh"),
        ([], {"LANG": "POSIX"}, "zh"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LANG": "en_GB.UTF-8"}, "en"),
        ([], {"LANG": "de_DE.UTF-8"}, "en"),
        ([], {"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        (["--lang", "en"], {"LANG": "zh_CN.UTF-8"}, "en"),
        (["send", "x", "--lang=zh"], {"LANG": "en_GB.UTF-8"}, "zh"),
        (["--lang"], {"LANG": "en_GB.UTF-8"}, "zh"),
    ],
)
def test_language(arguments: list[str], environment: dict[str, str], expected: str) -> None:
    """`--lang` decides, then LC_ALL, LC_MESSAGES, LANG; without a language it is Chinese."""
    assert language_of(arguments, environment) == expected


def test_both_halves_can_be_picked() -> None:
    """A text of two languages gives either; a text of one language stays as it is."""
    assert (pick(both("甲", "a"), "zh"), pick(both("甲", "a"), "en"), pick("plain", "en")) == (
        "甲",
        "a",
        "plain",
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_command_has_help_in_both_languages(command: list[str], lang: str) -> None:
    """Help is in one language, and names the common options."""
    result = run(app, *command, "--help", "--lang", lang)

    assert result.exit_code == 0
    assert BETWEEN not in result.output
    assert "--officer" in result.output
    assert ("Which participant acts" in result.output) == (lang == "en")


def test_help_lists_every_command_in_the_language_asked_for() -> None:
    """The root's help follows LANG."""
    zh, en = run(app, "--help"), run(app, "--help", LANG="en_US.UTF-8")

    for command in COMMANDS:
        assert command[0] in zh.output
    assert "签收一份通报" in zh.output
    assert "Sign for an alert" in en.output


def test_no_command_shows_the_help() -> None:
    """`tongbao` alone is a question, not a mistake."""
    result = run(app)

    assert (result.exit_code, "demo" in result.output) == (0, True)


def test_help_loads_nothing_heavy() -> None:
    """Building the command line imports neither Django nor Kafka nor cryptography."""
    program = (
        "import sys; from typer.testing import CliRunner; from tongbao_connectors.cli.main import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(*(name for name in sys.argv[1:] if name in sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, *HEAVY], capture_output=True, text=True, check=True
    )

    assert [name for name in found.stdout.split() if name != "asyncio"] == []


def test_common_options_are_taken_on_both_sides_of_the_command() -> None:
    """What stands before the command counts unless the same option stands after it."""
    before = seen_by("--as", "440000", "--json", "do")
    after = seen_by("do", "--as", "440000", "--json")
    both_sides = seen_by("--as", "440000", "--officer", "粤-0117", "do", "--as", "530000")

    assert before == after
    assert (before.acting, before.as_json) == ("440000", True)
    assert (both_sides.acting, both_sides.officer) == ("530000", "粤-0117")


@pytest.mark.parametrize(
    ("arguments", "variable", "folder", "is_default"),
    [
        ([], "", "tongbao-demo", True),
        ([], "/srv/net", "/srv/net", False),
        (["--dir", "mine"], "/srv/net", "mine", False),
    ],
)
def test_folder(arguments: list[str], variable: str, folder: str, is_default: bool) -> None:
    """`--dir`, then $TONGBAO_DIR, then ./tongbao-demo."""
    call = seen_by("do", *arguments, TONGBAO_DIR=variable)

    assert (call.folder, call.default_folder) == (Path(folder), is_default)


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (Refused(Code.BODY_SHAPE, "body.title"), 65, "TB-501"),
        (Refused(Code.SIGNATURE_WRONG), 66, "TB-206"),
        (NotFound("message 1"), 4, "OP-08"),
        (NoRight("not you"), 77, "OP-09"),
        (Unreachable("127.0.0.1:1"), 69, "OP-05"),
        (Conflict("signed for"), 1, "OP-10"),
        (Held("disk"), 1, "OP-01"),
        (ZeroDivisionError("secret"), 1, "CL-99"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_error_is_code_sentence_next_step_and_exit_code(
    error: Exception, exit_code: int, code: str, lang: str
) -> None:
    """Plain and as JSON, on standard error, with nothing on standard output."""

    def do(call: Call) -> None:
        raise error

    plain = run(group_with(do), "do", "--lang", lang)
    as_json = run(group_with(do), "do", "--lang", lang, "--json")
    facts = json.loads(as_json.stderr)["error"]

    assert (plain.exit_code, as_json.exit_code) == (exit_code, exit_code)
    assert (plain.stdout, as_json.stdout) == ("", "")
    assert plain.stderr.startswith(f"{code} {facts['sentence']}")
    assert ("下一步：" if lang == "zh" else "Next: ") + facts["next"] in plain.stderr
    assert (facts["code"], facts["exit"]) == (code, exit_code)


def test_unforeseen_error_shows_neither_its_message_nor_a_traceback() -> None:
    """A foreign error's message may quote a body; only its class and place are shown."""

    def do(call: Call) -> None:
        raise ValueError("canary 520000198802290018")

    result = run(group_with(do), "do")

    assert "canary" not in result.output
    assert "ValueError, test_cli_frame.py:" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["frob"], ["claim"], ["do", "--nonsense"], ["--lang", "fr", "inbox"]], ids=" ".join
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    """Unknown commands and options, missing arguments and wrong choices are usage errors of the same form."""
    result = run(app, *arguments, "--json")

    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"]["code"] == "CL-01"


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (["frob"], "frob"),
        (["claim"], "NUMBER|ID"),
        (["inbox", "--nonsense"], "--nonsense"),
        (["send", "x", "--timeout", "soon"], "--timeout"),
        (["send", "x", "--lang"], "--lang"),
        (["send", "a", "b", "c"], "b c"),
    ],
    ids=" ".join,
)
def test_wrong_usage_in_chinese_names_what_is_wrong(arguments: list[str], about: str) -> None:
    """The library's English sentence isn't put into a Chinese one; the word it is about is."""
    result = run(app, *arguments)

    assert result.stderr.splitlines()[0] == f"CL-01 命令行有误。（{about}）"


def test_interrupt_ends_with_130() -> None:
    """Ctrl-C is no error to explain."""

    def do(call: Call) -> None:
        raise KeyboardInterrupt

    assert run(group_with(do), "do").exit_code == frame.INTERRUPTED


def test_call_without_options() -> None:
    """The defaults: nobody acts, talk is Chinese, data are tables."""
    call = call_of({}, {})

    assert (call.acting, call.officer, call.as_json, call.lang) == (None, None, False, "zh")
