"""A worker that writes down when it does what: `python -m bench.traced FOLDER FILE`.

One line per event, the monotonic clock's seconds first: every commit point by its name, `read TOPIC`,
`wrote MILLISECONDS` (from the call to the acknowledgement) and `commit MILLISECONDS`.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from tongbao_broker.kafka import reader, writer
from tongbao_broker.kafka.reader import Batch
from tongbao_broker.kafka.writer import Outgoing


class Log:
    """The file, a line at a time."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __call__(self, event: str) -> None:
        self._file.write(f"{time.monotonic():.6f} {event}\n")

    def taken(self, event: str, began: float) -> None:
        self(f"{event} {(time.monotonic() - began) * 1000:.2f}")


def main(folder: Path, file: Path) -> None:
    """Runs the exchange's worker or a connector's, by what lies in the folder."""
    with file.open("w", buffering=1, encoding="utf-8") as stream:
        log = Log(stream)
        _note_kafka(log)
        _note_commits(log)
        if (folder / "exchange.toml").exists():
            from tongbao_broker.exchange.worker import run
        else:
            from tongbao_connectors.worker import run
        run(folder, reached=log)


def _note_kafka(log: Log) -> None:
    poll, send_all = reader.Reader.poll, writer.Writer.send_all

    def noted_poll(self: reader.Reader, timeout_s: float, max_records: int) -> list[Batch]:
        batches = poll(self, timeout_s, max_records)
        for batch in batches:
            log(f"read {batch.topic}")
        return batches

    def noted_send(self: writer.Writer, items: Sequence[Outgoing]) -> list[int]:
        began = time.monotonic()
        offsets = send_all(self, items)
        log.taken("wrote", began)
        return offsets

    reader.Reader.poll = noted_poll  # type: ignore[method-assign]
    writer.Writer.send_all = noted_send  # type: ignore[method-assign]


def _note_commits(log: Log) -> None:
    from django.db.backends.sqlite3.base import DatabaseWrapper

    commit: Callable[[Any], None] = DatabaseWrapper._commit  # type: ignore[attr-defined]

    def noted(self: Any) -> None:
        began = time.monotonic()
        commit(self)
        log.taken("commit", began)

    DatabaseWrapper._commit = noted  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
