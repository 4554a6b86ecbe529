"""The exchange's process: settings, database, broker, relay; from its start to SIGTERM.

    python -m tongbao_broker.exchange.worker FOLDER

1. It says that it is ready once the streams are open; from then on it answers for its metrics.
2. SIGTERM ends it between two turns.
3. It ends by `os._exit` when it can't be trusted any more (fenced, producer broken, topic replaced) and on
   any other error: nothing of what it still holds in memory may reach the broker. Its supervisor starts a
   new one, which begins from the tables.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NoReturn

from tongbao_broker import database, logs, tracing
from tongbao_broker.clock import SystemClock
from tongbao_broker.collecting import settle_down
from tongbao_broker.errors import BadConfiguration, TongbaoError, exit_code
from tongbao_broker.exchange.points import no_op
from tongbao_broker.exchange.settings import ExchangeSettings
from tongbao_broker.process import Pulse, die_with_parent, on_sigterm

if TYPE_CHECKING:
    from tongbao_broker.exchange.relay import Relay
    from tongbao_broker.kafka.writer import Writer

NAME = "100000"
POLL_S = 0.02
TROUBLE_PAUSE_S = 1.0
UNFORESEEN = 70

_log = logs.get(__name__)


def run(folder: Path, *, reached: Callable[[str], None] = no_op) -> None:
    """Runs the exchange of `folder` until SIGTERM; `reached` is told every commit point. To be called once
    a process.

    Does not return after an error: the process ends with the error's exit code.
    """
    die_with_parent()
    ended = on_sigterm()
    try:
        settings = ExchangeSettings.load(folder)
        logs.configure("exchange", settings.log_file)
        _work(settings, ended, reached)
    except TongbaoError as error:
        _end(error, exit_code(error))
    except Exception as error:
        _end(error, UNFORESEEN)


def _work(settings: ExchangeSettings, ended: Event, reached: Callable[[str], None]) -> None:
    settings.open_database(NAME)
    tracing.configure(settings.tracing, "exchange", network=settings.network, province=NAME)
    from tongbao_broker.exchange.meters import timed

    relay, writer = _relay(settings, timed(reached))
    relay.start()
    settle_down()
    pulse = Pulse(settings.folder)
    _answer(settings, relay)
    _log.info("the exchange is at work", host=settings.kafka.bootstrap)
    while not ended.is_set():
        pulse.beat()
        if not relay.turn(POLL_S):
            ended.wait(TROUBLE_PAUSE_S)
    relay.close()
    writer.close()
    database.close()
    _log.info("the exchange has ended")


def _relay(settings: ExchangeSettings, reached: Callable[[str], None]) -> "tuple[Relay, Writer]":
    """The relay of these settings, not yet started. Its modules have models, so the database is open by
    now.
    """
    from tongbao_broker.exchange.notices import Announcer
    from tongbao_broker.exchange.own_directory import OwnDirectory
    from tongbao_broker.exchange.relay import Relay, Roads, Voice
    from tongbao_broker.kafka.reader import Reader
    from tongbao_broker.kafka.writer import Writer

    connection = settings.connection()
    writer = Writer(connection)
    return (
        Relay(
            own=OwnDirectory(settings.trust_file, settings.pinned_root, settings.network),
            voice=Voice(Announcer(settings.network, settings.message_key()), settings.checkpoint_key()),
            clock=SystemClock(),
            roads=Roads(lambda topics: Reader(connection, topics), writer),
            reached=reached,
        ),
        writer,
    )


def _answer(settings: ExchangeSettings, relay: "Relay") -> None:
    """Lets whoever may ask see how it stands."""
    from tongbao_broker.exchange.meters import look
    from tongbao_broker.metering.endpoint import serve

    serve(
        settings.metrics,
        settings.folder,
        "exchange",
        network=settings.network,
        province=NAME,
        look=look(settings.folder, relay.condition, SystemClock()),
        held=lambda: relay.condition().held,
    )


def _end(error: Exception, code: int) -> NoReturn:
    _log.critical("the exchange ends", exc_info=error)
    print(f"exchange: {error if isinstance(error, TongbaoError) else type(error).__name__}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str]) -> None:
    """`python -m tongbao_broker.exchange.worker FOLDER`."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m tongbao_broker.exchange.worker FOLDER")
    folder = Path(arguments[0])
    if not folder.is_dir():
        raise SystemExit(str(BadConfiguration(f"there is no folder {folder}")))
    run(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
