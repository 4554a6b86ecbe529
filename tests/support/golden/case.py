"""A golden case, and how a file of them is written (the format is told in `schemas/vectors/README.md`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tests.support.world import NOW
from tongbao_schemas.encoding import b64encode, format_time

Judge = Literal["admission", "acceptance", "trust"]
Parts = Sequence[tuple[bytes, int]]
"""Bytes as pieces, each so many times."""


@dataclass(frozen=True)
class Earlier:
    """A record that was judged before the case's own and found good; `name` is how the file names it.

    `at` is there only if it was judged at another time.
    """

    name: str
    by: str
    value: bytes
    at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """How a case names it."""
        return {"by": self.by, "record": self.name} | ({"at": format_time(self.at)} if self.at else {})


@dataclass(frozen=True)
class Case:
    """What is judged, by whom and when, and what must come of it.

    `by` is the owner of the topic (admission) or the province that accepts; empty for a trust file.
    `uses_seq` is said of rejections by the exchange; `seen` are the highest versions of root and directory
    seen before.
    """

    name: str
    says: str
    judge: Judge
    by: str
    value: bytes | Parts
    expected: str
    at: datetime = NOW
    directory: str = "1"
    before: tuple[Earlier, ...] = ()
    uses_seq: bool | None = None
    seen: tuple[int, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """The case as its file has it; records stand under `records`, by name."""
        facts: dict[str, Any] = {"name": self.name, "says": self.says, "judge": self.judge}
        facts |= {"by": self.by} if self.by else {}
        facts |= {"at": format_time(self.at)}
        facts |= {} if self.judge == "trust" else {"directory": self.directory}
        facts |= {"seen": {"root": self.seen[0], "directory": self.seen[1]}} if self.seen else {}
        facts |= {"before": [one.as_json() for one in self.before]} if self.before else {}
        facts |= {"record": self.name, "expected": self.expected}
        return facts | ({} if self.uses_seq is None else {"uses_seq": self.uses_seq})

    @property
    def records(self) -> dict[str, Any]:
        """The case's own record and those before it, as base64 or as pieces of it."""
        return {**{one.name: b64encode(one.value) for one in self.before}, self.name: _written(self.value)}


@dataclass(frozen=True)
class Family:
    """Cases about one thing; one file."""

    name: str
    about: str
    cases: Sequence[Case]

    def as_text(self) -> str:
        """The family's file."""
        records = {name: value for case in self.cases for name, value in case.records.items()}
        cases = [case.as_json() for case in self.cases]
        return text({"family": self.name, "about": self.about, "records": records, "cases": cases})


def text(value: Any) -> str:
    """A JSON file for people and programs."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _written(value: bytes | Parts) -> Any:
    if isinstance(value, bytes):
        return b64encode(value)
    return [{"base64": b64encode(piece), "times": times} for piece, times in value]
