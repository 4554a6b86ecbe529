"""A province's desk without a broker, served to a browser: every state a test asks for, at any time.

The pages, their middleware and their files are those that gunicorn serves; each request works in the
province's database.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from tests.support.desk import Browser
from tests.support.django_settings import WEB
from tests.support.province import Province
from tongbao_broker import database

LOOPBACK = "127.0.0.1"
SESSION: str = WEB["SESSION_COOKIE_NAME"]


class Quiet(WSGIRequestHandler):
    """Answers without a line for every request."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(province: Province) -> Iterator[str]:
    """The address of the province's desk, with a slash at its end, while the block runs."""
    pages = WSGIHandler()

    def application(environ: Any, start_response: Any) -> Any:
        with database.use(province.code):
            return pages(environ, start_response)

    server = ThreadedWSGIServer((LOOPBACK, 0), Quiet)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def cookie(person: Browser, address: str) -> Any:
    """What a browser needs to be this person without the login page."""
    return {"name": SESSION, "value": person.session, "url": address}
