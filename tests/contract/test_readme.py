"""What the two READMEs tell people to type."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tongbao_connectors.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
COMMAND = re.compile(r"\.venv/bin/tongbao ([^`\n]+)")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def commands_in(name: str) -> list[str]:
    return COMMAND.findall(text_of(name))


@pytest.mark.parametrize("line", sorted({line for name in READMES for line in commands_in(name)}))
def test_a_command_in_the_readme_exists_with_its_options(line: str) -> None:
    """Each command line resolves to a command that knows every option on it."""
    command = get_command(app)
    known = {option for parameter in command.params for option in parameter.opts}
    for word in shlex.split(line):
        if isinstance(command, TyperGroup) and word in command.commands:
            command = command.commands[word]
            known |= {option for parameter in command.params for option in parameter.opts}

    assert not isinstance(command, TyperGroup), f"{line} names no command"
    assert {word for word in shlex.split(line) if word.startswith("--")} <= known


def test_both_languages_show_the_same_commands() -> None:
    """The English and the Chinese page tell people to type the same."""
    assert commands_in("README.md") == commands_in("README.zh-CN.md")
    assert re.findall(r"make [a-z-]+", text_of("README.md")) == re.findall(
        r"make [a-z-]+", text_of("README.zh-CN.md")
    )


@pytest.mark.parametrize("name", READMES)
def test_every_make_target_in_the_readme_exists(name: str) -> None:
    """`make …` in the text is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))

    assert set(re.findall(r"(?<=make )[a-z-]+", text_of(name))) <= targets


@pytest.mark.parametrize("page", [*READMES, *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_link_leads_somewhere(page: str) -> None:
    """A relative link names a file or folder of the repository."""
    links = [link for link in LINK.findall(text_of(page)) if "://" not in link]
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]

    assert missing == []


def test_the_changelog_knows_the_version() -> None:
    """The version in pyproject.toml has an entry for its users."""
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]

    assert f"## {version}" in text_of("CHANGELOG.md")
