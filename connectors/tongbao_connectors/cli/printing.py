"""Tables and times for people, on standard output."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tongbao_connectors.cli.language import Language

if TYPE_CHECKING:
    from rich.console import Console

BEIJING = timezone(timedelta(hours=8), "Beijing")
WIDTH_OF_A_FILE = 200
UNITS: dict[Language, tuple[str, str, str]] = {"zh": ("天", "小时", "分"), "en": ("d ", "h ", "min ")}


def console(*, talk: bool = False) -> "Console":
    """Standard output, or standard error for talk; a pipe gets wide lines instead of folded ones."""
    from rich.console import Console

    stream = sys.stderr if talk else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDTH_OF_A_FILE, highlight=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, talk: bool = False) -> None:
    """Prints rows under headings; None shows as nothing."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console(talk=talk).print(grid)


def facts(pairs: Iterable[tuple[str, object]], *, talk: bool = False) -> None:
    """Prints names and values, one pair a line; pairs without a value are left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
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


def left(due: datetime | None, at: datetime, lang: Language) -> str:
    """How much time is left, in its two largest units."""
    if due is None:
        return ""
    minutes = int((due - at).total_seconds()) // 60
    if minutes < 0:
        return "已超时" if lang == "zh" else "overdue"
    parts = zip((minutes // 1440, minutes // 60 % 24, minutes % 60), UNITS[lang], strict=True)
    return "".join([f"{count}{unit}" for count, unit in parts if count][:2]) or f"<1{UNITS[lang][2]}".rstrip()


def now() -> datetime:
    """The present time of this machine."""
    from tongbao_broker.clock import SystemClock

    return SystemClock().now().astimezone(UTC)
