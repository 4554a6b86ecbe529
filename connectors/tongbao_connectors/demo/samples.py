"""The sample alerts of the demo: where they lie, and how they stay fresh.

1. A sample is a submission in a file `<n>-<origin code>-<name>.json`; its sender isn't in the submission.
2. In a checkout they lie in examples/, in an installed package beside this module.
3. Each run sends them as new alerts: `client_ref` gets the run's mark, and the times in the body are moved
   by whole days so that the earliest one is today (in Beijing) or later. Everything else is sent as the file
   has it.
4. Files in `files/<n>/` go with the sample of that number; the run fills in the list of them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.files import File
from tongbao_schemas.encoding import compact_json, format_time, parse_time

NAME = re.compile(r"(?P<number>\d+)-(?P<origin>[1-9]\d0000)-(?P<slug>[a-z0-9-]+)\.json")
CLIENT_REF_LENGTH = 64


@dataclass(frozen=True)
class Sample:
    """A submission to send in the demo; `number` is its place in the list of samples, from 1."""

    number: int
    origin: str
    path: Path
    content: dict[str, Any]

    @property
    def title(self) -> str:
        """What the alert is about; fictional, so that it may be shown."""
        return str(self.content["body"]["title"])

    @property
    def is_test(self) -> bool:
        """A test message reaches no officer."""
        return bool(self.content["status"] == "test")

    def fresh(self, run: str, now: datetime) -> bytes:
        """The submission as this run sends it."""
        client_ref = f"{self.content['client_ref'][: CLIENT_REF_LENGTH - len(run) - 1]}-{run}"
        body = _moved(self.content["body"], _days_to_move(self.content["body"], now))
        if files := self.files():
            body["attachments"] = [file.note() for file in files]
        return compact_json({**self.content, "client_ref": client_ref, "body": body})

    def files(self) -> tuple[File, ...]:
        """The files that go with it."""
        place = self.path.parent / "files" / str(self.number)
        return tuple(File.read(path.name, path.read_bytes()) for path in sorted(place.glob("*")))


def folder() -> Path:
    """Where the samples are. Raises BadConfiguration."""
    here = Path(__file__).resolve().parent
    for place in (here.parents[2] / "examples", here / "examples"):
        if any(NAME.fullmatch(path.name) for path in place.glob("*.json")):
            return place
    raise BadConfiguration("examples/*.json")


def load() -> list[Sample]:
    """All samples in their order."""
    found = [(NAME.fullmatch(path.name), path) for path in folder().glob("*.json")]
    samples = [_read(match, path) for match, path in found if match]
    return sorted(samples, key=lambda sample: sample.number)


def _read(match: re.Match[str], path: Path) -> Sample:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Sample(int(match["number"]), match["origin"], path, content)


def _days_to_move(body: Any, now: datetime) -> timedelta:
    earliest = min(_times(body), default=now)
    today, first = now.astimezone(BEIJING).date(), earliest.astimezone(BEIJING).date()
    return timedelta(days=max(0, (today - first).days))


def _times(value: Any) -> Iterator[datetime]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _times(part)
    elif (time := _time(value)) is not None:
        yield time


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {name: _moved(part, by) for name, part in value.items()}
    if isinstance(value, list):
        return [_moved(part, by) for part in value]
    time = _time(value)
    return value if time is None else format_time(time + by)


def _time(value: Any) -> datetime | None:
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None
