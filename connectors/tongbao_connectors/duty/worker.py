"""The watch of one province: `python -m tongbao_connectors.duty.worker FOLDER`.

It judges what is due and sends words to officers, once a second or more often while words are under way. It
doesn't touch the broker: the connector seals and sends what it leads to. One watch runs for each province: a
second one on the same machine waits for a lock, one on another machine takes over, and the first one ends.
While the connector isn't caught up, only what had arrived before is judged; words go out. In spare
moments it reads new bodies for the search index; what goes wrong there stops nothing else. Once an hour it
clears drafts that were left untouched.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, TextIO

from tongbao_broker import database, logs, tracing
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import OperationError, exit_code
from tongbao_broker.process import Pulse, die_with_parent, on_sigterm
from tongbao_connectors.settings import APPS, ConnectorSettings
from tongbao_schemas.errors import TongbaoError

if TYPE_CHECKING:
    from tongbao_connectors.duty.rules import Rules
    from tongbao_connectors.duty.sending import Outbound
    from tongbao_connectors.search.index import Index

READY = "watch"
APPS_OF_THE_WATCH = (*APPS, "tongbao_connectors.papers")
LOCK = Path("run") / "watch.lock"
EVERY_S = 0.5
GRACE_S = 6.0
BODIES_A_TURN = 25
REST_TURNS = 120

log = logs.get(__name__)


def run(folder: Path) -> None:
    """Runs the watch of a folder until SIGTERM; a failure ends the process with its exit code."""
    die_with_parent()
    ended = on_sigterm()
    settings = ConnectorSettings.load(folder)
    logs.configure(f"watch-{settings.code}", settings.folder / "log" / "watch.log")
    try:
        with _alone(settings.folder, ended), database.use(_opened(settings)):
            _work(settings, ended)
    except Exception as error:
        log.exception("the watch ends")
        if isinstance(error, OperationError):
            print(error, file=sys.stderr, flush=True)
        os._exit(exit_code(error) if isinstance(error, TongbaoError) else 1)
    os._exit(0)  # a word that hangs in a thread is not waited for


def _opened(settings: ConnectorSettings) -> str:
    return settings.open_database(migrate=True, apps=APPS_OF_THE_WATCH)


def _work(settings: ConnectorSettings, ended: Event) -> None:
    """Imports what has models only now: the database is open."""
    from tongbao_connectors.duty import watching
    from tongbao_connectors.duty.copying import Copier
    from tongbao_connectors.duty.judging import Judge
    from tongbao_connectors.duty.rules import Reread
    from tongbao_connectors.duty.sending import Outbound
    from tongbao_connectors.papers.clearing import Clearing
    from tongbao_connectors.search.index import Index

    if ended.is_set():
        return
    clock, rules = SystemClock(), Reread(settings)
    with database.atomic():
        epoch = watching.begin(clock.now())
    judge, copier, outbound = Judge(epoch), Copier(epoch), Outbound(epoch)
    reader, clearing = Reader(Index.of(settings.folder)), Clearing(settings)
    tracing.configure(settings.tracing, "watch", network=settings.network, province=settings.code)
    pulse = Pulse(settings.folder, READY)
    _answer(settings)
    while not ended.wait(EVERY_S):
        now, current = clock.now(), rules.now()
        behind_since = watching.note_turn(epoch, watching.is_caught_up(now), now)
        judge.turn(current, now, behind_since)
        if behind_since is None:
            copier.turn(current, now)
            clearing.turn(now)
        outbound.turn(current, now)
        reader.turn()
        pulse.beat()
    _wait_for_answers(outbound, rules.now(), clock)


def _answer(settings: ConnectorSettings) -> None:
    """Lets whoever may ask see how it stands."""
    from tongbao_broker.metering.endpoint import serve
    from tongbao_connectors.duty.meters import held, look

    serve(
        settings.metrics.of("watch"),
        settings.folder,
        "watch",
        network=settings.network,
        province=settings.code,
        look=look(SystemClock()),
        name=READY,
        held=held,
    )


class Reader:
    """Reads new bodies for the search index, a few a turn; after a failure it rests."""

    def __init__(self, index: "Index") -> None:
        self._index = index
        self._rest = 0

    def turn(self) -> None:
        """Reads the next few bodies."""
        if self._rest:
            self._rest -= 1
            return
        try:
            self._index.fill(BODIES_A_TURN)
        except Exception:
            log.exception("the search index waits")
            self._rest = REST_TURNS


def _wait_for_answers(outbound: "Outbound", rules: "Rules", clock: SystemClock) -> None:
    """Gives the words under way a moment to be answered, so that their fate is written down."""
    outbound.close()
    pause = Event()
    for _ in range(int(GRACE_S / EVERY_S)):
        outbound.collect(rules, clock.now())
        if outbound.is_idle:
            return
        pause.wait(EVERY_S)


@contextmanager
def _alone(folder: Path, ended: Event) -> Iterator[None]:
    """Holds the folder's lock; waits for it until told to end."""
    path = folder / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        while not _locked(file) and not ended.wait(EVERY_S):
            pass
        yield


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    run(Path(sys.argv[1]))
