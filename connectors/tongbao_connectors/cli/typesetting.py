"""A paper set in lines for a terminal: labels left, text right, sections under a rule.

1. Chinese breaks anywhere but before a closing mark or after an opening one. Numbers, plates, telephone
   numbers and references are never broken unless a line can't hold them.
2. Lines are at most `WIDEST` cells wide, however wide the terminal is.
3. A character that could steer a terminal or turn the order of reading is shown as `REPLACEMENT`. Nothing in
   a text is markup.
4. Style only repeats what words and signs say already.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WIDEST = 100
GAP = 2
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_OPENING, _CLOSING = "（〔【《「『“‘(", "，。、；：？！）〕】》」』”’%…·"
_PIECE = re.compile(rf" +|[{_OPENING}]*(?:[^\x00-\xff]?[!-~\xa1-\xff]+|[^ ])[{_CLOSING}]*", re.DOTALL)
"""Blanks, or what stays together: a run of Latin with the character before it (粤-0117), or one character."""

Line = tuple[str, str, str]
"""What stands left of the text (a label, a margin), the text, and the text's style."""


@dataclass(frozen=True, slots=True)
class Row:
    """A label and what it says; `style` is that of its first line."""

    label: str
    lines: tuple[str, ...]
    style: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows and running text under a heading; `margin` stands before every line of it."""

    heading: str
    rows: tuple[Row, ...] = ()
    texts: tuple[str, ...] = ()
    margin: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """A head (texts with their styles) and sections; `mark` (演练) stands again in every heading."""

    head: tuple[tuple[str, str], ...]
    mark: str
    sections: tuple[Section, ...]


def typeset(paper: Paper, width: int) -> list[Line]:
    """The lines of a paper at a width in cells."""
    width = min(width, WIDEST)
    lines = [("", line, style) for text, style in paper.head for line in wrap(text, width)]
    for section in paper.sections:
        lines += _section(section, paper.mark, width)
    return lines


def put(paper: Paper) -> None:
    """Prints a paper on standard output."""
    from rich.text import Text

    from tongbao_connectors.cli.printing import console

    out = console()
    for left, text, style in typeset(paper, out.width):
        out.print(Text.assemble(left, (text, style)), no_wrap=True, overflow="ignore", crop=False)


def wrap(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` cells; its own line breaks stay."""
    return [line for paragraph in plain(text).split("\n") for line in _wrapped(paragraph, width)]


def plain(text: str) -> str:
    """The text without anything that a terminal would obey."""
    return _STEERING.sub(REPLACEMENT, text)


def _section(section: Section, mark: str, width: int) -> Iterator[Line]:
    yield "", "", ""
    if section.heading:
        yield "", _rule(section.heading, mark, width), "bold"
    room = width - _cells(section.margin)
    for text in section.texts:
        yield from ((section.margin, line, "") for line in wrap(text, room))
    column = max((_cells(row.label) for row in section.rows), default=0) + GAP
    for row in section.rows:
        yield from _row(row, column, section.margin, room)


def _rule(heading: str, mark: str, width: int) -> str:
    filling = width - _cells(heading) - _cells(mark) - 8
    return f"── {heading} {'─' * filling} {mark} ──"


def _row(row: Row, column: int, margin: str, room: int) -> Iterator[Line]:
    label = row.label + " " * (column - _cells(row.label))
    lines = [(line, index) for index, text in enumerate(row.lines) for line in wrap(text, room - column)]
    for number, (line, index) in enumerate(lines):
        yield f"{margin}{' ' * column if number else label}", line, "" if index else row.style


def _wrapped(paragraph: str, width: int) -> Iterator[str]:
    line = ""
    for piece in _pieces(paragraph, width):
        if line and _cells(line) + _cells(piece.rstrip()) > width:
            yield line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
    yield line.rstrip()


def _pieces(paragraph: str, width: int) -> Iterator[str]:
    for match in _PIECE.finditer(paragraph):
        piece = match[0]
        while _cells(piece) > width:
            kept = _fitting(piece, width)
            yield piece[:kept]
            piece = piece[kept:]
        yield piece


def _fitting(piece: str, width: int) -> int:
    """How many characters fit, at least one."""
    return next((n for n in range(1, len(piece)) if _cells(piece[: n + 1]) > width), len(piece))


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
