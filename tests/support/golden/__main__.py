"""Writes `schemas/vectors/` anew, or says with `--check` what lies there that would be written otherwise."""

import sys
from pathlib import Path

from tests.support.golden.files import files

FOLDER = Path(__file__).resolve().parents[3] / "schemas/vectors"


def main(arguments: list[str]) -> int:
    made = files()
    if "--check" in arguments:
        stale = [name for name, text in made.items() if not _is(FOLDER / name, text)]
        print("\n".join(f"not as the generator writes it: {name}" for name in stale) or "up to date")
        return 1 if stale else 0
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
