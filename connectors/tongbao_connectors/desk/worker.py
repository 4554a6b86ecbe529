"""The process of one province's desk: `python -m tongbao_connectors.desk.worker FOLDER`.

1. One gunicorn master and one worker with threads, on the address of desk.toml: the loopback one unless told
   otherwise. What is in front of it (TLS, names) is a proxy's affair.
2. It migrates its own tables, after whichever of the province's processes is at it, and says that it is ready
   when a page could be served.
3. It never touches the broker: signing for an alert is a row, and the connector sends it.
4. SIGTERM ends it within `STOP_S`, whoever has pages open.
"""

import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from tongbao_broker import database, logs
from tongbao_broker.clock import SystemClock
from tongbao_broker.errors import OperationError, exit_code
from tongbao_broker.process import SUPERVISOR, Pulse, die_with_parent
from tongbao_connectors.desk import configuration
from tongbao_connectors.desk.configuration import DeskFile
from tongbao_connectors.desk.opening import open_desk
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.errors import TongbaoError

READY = "desk"
THREADS = 8
STOP_S = 2
STUCK_S = 60
KEEP_ALIVE_S = 5


class LibraryLog(Logger):  # type: ignore[misc]
    """Passes what gunicorn says on to our log, which keeps templates and drops arguments."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.handlers[:] = []
        self.access_log.disabled = True


class Worker(ThreadWorker):  # type: ignore[misc]
    """Shows life from one of the threads that serve pages: where all of them hang, it falls silent."""

    pulse: Pulse | None = None

    def notify(self) -> None:
        super().notify()
        if self.pulse is not None and self.pulse.due:
            self.tpool.submit(self.pulse.beat)


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without a command line: what it runs with is said here and nowhere else."""

    def __init__(self, settings: ConnectorSettings, file: DeskFile) -> None:
        self._settings = settings
        self._folder = settings.folder
        self._file = file
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            "bind": f"{self._file.host}:{self._file.port}",
            "workers": 1,
            "worker_class": Worker,
            "threads": THREADS,
            "graceful_timeout": STOP_S,
            "timeout": STUCK_S,
            "keepalive": KEEP_ALIVE_S,
            "control_socket_disable": True,
            "logger_class": LibraryLog,
            "proc_name": "tongbao-desk",
            "forwarded_allow_ips": ",".join(self._file.proxies) or "127.0.0.1",
            "post_fork": self._forked,
            "post_worker_init": self._serves,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from django.core.wsgi import get_wsgi_application
        from django.urls import reverse

        application = get_wsgi_application()
        reverse("login")  # imports every page now, not at the first request
        return application

    def _forked(self, _arbiter: Any, _worker: Any) -> None:
        os.environ[SUPERVISOR] = str(os.getppid())
        die_with_parent()

    def _serves(self, worker: Worker) -> None:
        worker.pulse = Pulse(self._folder, READY, os.getppid())
        _answer(self._settings)


def _answer(settings: ConnectorSettings) -> None:
    """Lets whoever may ask see how it stands: from the worker process, where pages are counted."""
    from tongbao_broker.metering.endpoint import serve
    from tongbao_connectors.desk import meters

    meters.listen()
    serve(
        settings.metrics.of("desk"),
        settings.folder,
        "desk",
        network=settings.network,
        province=settings.code,
        look=meters.look(SystemClock()),
        name=READY,
    )


def run(folder: Path) -> None:
    """Serves the desk of a folder until SIGTERM; a failure ends the process with its exit code."""
    die_with_parent()
    settings = ConnectorSettings.load(folder)
    logs.configure(f"desk-{settings.code}", settings.folder / "log" / "desk.log")
    try:
        file = configuration.load(settings.folder, settings.network)
        open_desk(settings, file)
        database.close()  # the worker process opens its own
        Server(settings, file).run()
    except Exception as error:
        logs.get(__name__).exception("the desk ends")
        if isinstance(error, OperationError):
            print(error, file=sys.stderr, flush=True)
        sys.exit(exit_code(error) if isinstance(error, TongbaoError) else 1)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
