"""The process of one province's connector: `python -m tongbao_connectors.worker FOLDER`.

It migrates its own database, says that it is ready once it has taken up its cursors, and runs until
SIGTERM. Whatever goes wrong with the broker or the database ends it at once, without any tidying up that
could hang: all that was acknowledged is in the tables, and its supervisor starts it again.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from tongbao_broker import database, logs, tracing
from tongbao_broker.clock import SystemClock
from tongbao_broker.collecting import settle_down
from tongbao_broker.errors import OperationError, exit_code
from tongbao_broker.process import Pulse, die_with_parent, on_sigterm
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.errors import TongbaoError

if TYPE_CHECKING:
    from tongbao_connectors.connector import Connector


def no_op(_point: str) -> None:
    """What happens at a commit point when nobody strikes there."""


def run(folder: Path, *, reached: Callable[[str], None] = no_op) -> None:
    """Runs the connector of a folder until SIGTERM; a failure ends the process with its exit code."""
    die_with_parent()
    ended = on_sigterm()
    settings = ConnectorSettings.load(folder)
    logs.configure(f"connector-{settings.code}", settings.folder / "log" / "worker.log")
    log = logs.get(__name__)
    try:
        with database.use(settings.open_database(migrate=True)):
            _work(settings, ended, reached)
    except Exception as error:
        log.exception("the connector ends")
        _explain(error)
        os._exit(exit_code(error) if isinstance(error, TongbaoError) else 1)


def _work(settings: ConnectorSettings, ended: Event, reached: Callable[[str], None]) -> None:
    """Imports what has models only now: the database is open."""
    from tongbao_broker.kafka.reader import Reader
    from tongbao_broker.kafka.topics import DIRECTORY_TOPIC
    from tongbao_broker.kafka.writer import Writer
    from tongbao_connectors.connector import Connector
    from tongbao_connectors.meters import timed
    from tongbao_connectors.waking import bell

    def open_reader(topics: Sequence[str]) -> Reader:
        """The bell ends the wait of the reader that follows all topics, of no other."""
        return Reader(connection, topics, bell() if DIRECTORY_TOPIC in topics else None)

    connection = settings.connection()
    writer = Writer(connection)
    connector = Connector(
        settings,
        open_reader=open_reader,
        writer=writer,
        clock=SystemClock(),
        reached=timed(reached),
    )
    connector.start()
    settle_down()
    tracing.configure(settings.tracing, "connector", network=settings.network, province=settings.code)
    pulse = Pulse(settings.folder)
    _answer(settings, connector)
    while not ended.is_set():
        connector.turn()
        pulse.beat()
    connector.close()
    writer.close()


def _answer(settings: ConnectorSettings, connector: "Connector") -> None:
    """Lets whoever may ask see how it stands."""
    from tongbao_broker.metering.endpoint import serve
    from tongbao_connectors.meters import look

    serve(
        settings.metrics.of("connector"),
        settings.folder,
        "connector",
        network=settings.network,
        province=settings.code,
        look=look(settings.folder, connector.condition, SystemClock()),
        held=lambda: connector.condition().word,
    )


def _explain(error: Exception) -> None:
    """Says on stderr what a person can do about it; the log has the rest."""
    if isinstance(error, OperationError):
        print(error, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
