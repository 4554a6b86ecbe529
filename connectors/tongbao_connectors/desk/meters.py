"""What a desk counts: pages by their name and time, logins and their failures; and who is logged in.

No account, address or query is told, only how many.
"""

import time
from collections.abc import Callable, Iterator

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric

from tongbao_broker.clock import Clock
from tongbao_broker.metering.registry import REGISTRY, gauge

SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST"})
IN, FAILED, LOCKED = "in", "failed", "locked"

PAGES = Histogram(
    "tongbao_desk_page_seconds",
    "Time to answer a request, by the page's name, method and first digit of the status",
    ["view", "method", "status"],
    buckets=SECONDS,
    registry=REGISTRY,
)
LOGINS = Counter(
    "tongbao_desk_logins",
    "Logins by result: in, failed (password or code), locked (a name was locked out)",
    ["result"],
    registry=REGISTRY,
)


def timed(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware that takes every page's time. A page without a name is one of our own that is missing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began_s = time.perf_counter()
        response = answer(request)
        match = request.resolver_match
        view = match.view_name if match and match.view_name else "none"
        method = request.method if request.method in METHODS else "other"
        PAGES.labels(view, method, f"{response.status_code // 100}xx").observe(time.perf_counter() - began_s)
        return response

    return middleware


def listen() -> None:
    """Counts logins from now on; to be called once a process."""
    for signal, result in ((user_logged_in, IN), (user_login_failed, FAILED), (user_locked_out, LOCKED)):
        LOGINS.labels(result)
        signal.connect(_counter(result), weak=False, dispatch_uid=f"meters {result}")


def _counter(result: str) -> Callable[..., None]:
    def count(**_facts: object) -> None:
        LOGINS.labels(result).inc()

    return count


def look(clock: Clock) -> Callable[[], Iterator[Metric]]:
    """What looks up the rest."""

    def looked_up() -> Iterator[Metric]:
        living = Session.objects.filter(expire_date__gt=clock.now()).count()
        yield gauge("tongbao_desk_sessions", "Sessions that haven't ended", living)

    return looked_up
