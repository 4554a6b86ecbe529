"""Tables and times for people, on standard output."""

import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tongbao_connectors.duty_time import BEIJING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDTH_OF_A_FILE = 200
KEPT_WHOLE = 23


def console(*, talk: bool = False) -> "Console":
    """Standard output, or standard error for talk; a pipe gets wide lines instead of folded ones."""
    from rich.console import Console

    stream = sys.stderr if talk else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDTH_OF_A_FILE, highlight=False)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    whole: Collection[str] = (),
    talk: bool = False,
) -> None:
    """Prints rows under headings; None shows as nothing.

    Columns of references and numbers, and those named in `whole`, are never folded.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    cells = [[Text("" if cell is None else str(cell)) for cell in row] for row in rows]
    for number, column in enumerate(columns):
        kept = column in whole or _holds_references([row[number] for row in cells])
        grid.add_column(column, overflow="fold", no_wrap=kept)
    for row in cells:
        grid.add_row(*row)
    console(talk=talk).print(grid)


def _holds_references(cells: "Sequence[Text]") -> bool:
    texts = [cell.plain for cell in cells if cell.plain]
    return all(len(text) <= KEPT_WHOLE and any(map(str.isdigit, text)) for text in texts)


def facts(pairs: Iterable[tuple[str, object]], *, talk: bool = False) -> None:
    """Prints names and values, one pair a line; pairs without a value are left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", ()):
            grid.add_row(Text(name, style="bold"), Text(str(value)))
    console(talk=talk).print(grid)


def beijing(at: datetime | None, *, exactly: bool = False) -> str:
    """A time as officers read it: Beijing time to the second, or exactly: to the millisecond."""
    if at is None:
        return ""
    local = at.astimezone(BEIJING)
    fraction = f".{local.microsecond // 1000:03d}" if exactly else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{fraction}"


def now() -> datetime:
    """The present time of this machine."""
    from tongbao_broker.clock import SystemClock

    return SystemClock().now().astimezone(UTC)
