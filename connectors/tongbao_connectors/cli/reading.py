"""What a command is given to read: a file, or standard input."""

import sys
from pathlib import Path

from tongbao_connectors.cli.errors import NoFile

STANDARD_INPUT = Path("-")
READ_AT_MOST = (
    2_000_000  # more than anything that is read may have, so that the parse gate is the one to refuse it
)


def content(path: Path, at_most: int = READ_AT_MOST) -> bytes:
    """The bytes of a file, or of standard input for `-`; raises NoFile."""
    try:
        if path == STANDARD_INPUT:
            return sys.stdin.buffer.read(at_most)
        with path.open("rb") as file:
            return file.read(at_most)
    except OSError as error:
        raise NoFile(f"{path}: {error.strerror}") from None
