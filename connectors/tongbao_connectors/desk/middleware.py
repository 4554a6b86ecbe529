"""What every request to a desk passes.

1. `not_stored`: no page is kept by a browser or proxy; files that are the same for everybody may be.
2. `Gate`: nothing is shown before login but the pages marked `@public`; a login ends after the idle time and
   at the latest after the session's hours, and the login page says why; who has a password of another's
   choosing changes it first. What somebody typed on a page that `keeps` it is saved first, and nothing else
   is done.
3. A look in the background (a page's live counts) doesn't keep a login alive.
4. Our own errors become pages: not found, no right, already decided otherwise, held.
5. What the database can't keep, as a null character on PostgreSQL, is a request that no form of ours makes.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tongbao_broker import logs
from tongbao_connectors.desk import access, pages
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.models import Account
from tongbao_schemas.errors import TongbaoError

View = TypeVar("View", bound=Callable[..., HttpResponse])
Answer = Callable[[HttpRequest], HttpResponse]

BEGAN = "began"
SEEN = "seen"
PENDING = "pending"
GREET = "greet"
BACKGROUND = "background"
RENEW_EVERY = timedelta(seconds=60)

log = logs.get(__name__)


class Ended(StrEnum):
    """Why a login has ended."""

    IDLE = "idle"
    HOURS = "hours"
    GONE = "gone"


def public(view: View) -> View:
    """Marks a page that is shown before login."""
    view.public = True  # type: ignore[attr-defined]
    return view


def in_background(view: View) -> View:
    """Marks a page that a script asks for by itself: it doesn't keep a login alive."""
    view.in_background = True  # type: ignore[attr-defined]
    return view


def not_stored(answer: Answer) -> Answer:
    """Rule 1."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers["X-Frame-Options"] = "DENY"
        return response

    return middleware


class Gate:
    """Rules 2 to 5."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], _args: Any, named: Any
    ) -> HttpResponse | None:
        account = request.user
        if not isinstance(account, Account) or not account.is_authenticated:
            return None if getattr(view, "public", False) else _to_login(request, _lost(request))
        now = desk().now()
        ended = why_over(request, now)
        if ended:
            kept = _kept(request, account, view, named)
            access.leave(request)
            return None if getattr(view, "public", False) else _to_login(request, ended, kept)
        if not getattr(view, "in_background", False):
            _renew(request, now)
        request.who = access.who_is(account, now)  # type: ignore[attr-defined]
        return _change_first(request, account, view)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, TongbaoError):
            return pages.of_error(request, error)
        if isinstance(error, DataError):
            return pages.bad_request(request)
        log.error("a page failed", exc_info=error)
        return None


def why_over(request: HttpRequest, now: datetime) -> Ended | None:
    """Why a login counts no more; None while it does."""
    began, seen = request.session.get(BEGAN), request.session.get(SEEN)
    if began is None or seen is None:
        return Ended.GONE
    file = desk().file
    if now - datetime.fromisoformat(began) > timedelta(hours=file.session_hours):
        return Ended.HOURS
    idle = now - datetime.fromisoformat(seen) > timedelta(minutes=file.idle_minutes)
    return Ended.IDLE if idle else None


def _lost(request: HttpRequest) -> Ended | None:
    """Whether whoever isn't logged in brings a cookie of a login that isn't known any more."""
    brought = settings.SESSION_COOKIE_NAME in request.COOKIES and PENDING not in request.session
    return Ended.GONE if brought else None


def _renew(request: HttpRequest, now: datetime) -> None:
    """Writes the session at most once a minute."""
    if now - datetime.fromisoformat(request.session[SEEN]) >= RENEW_EVERY:
        request.session[SEEN] = now.isoformat()


def _kept(request: HttpRequest, account: Account, view: Callable[..., HttpResponse], named: Any) -> bool:
    """Whether what was typed before the login ended has been saved by the page that it was typed on."""
    keep = getattr(view, "keeps", None)
    return request.method == "POST" and keep is not None and keep(request, account, **named)


def _to_login(request: HttpRequest, ended: Ended | None, kept: bool = False) -> HttpResponse:
    here = request.path if request.method == "GET" or kept else ""  # what was searched for stays out of it
    asked = {"next": here} if here not in ("", "/") else {}
    asked |= {"kept": "1"} if kept else {"ended": ended.value} if ended else {}
    if request.headers.get("HX-Request") and not kept:
        asked.pop("next", None)
    target = reverse("login") + (f"?{urlencode(asked)}" if asked else "")
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target)


def _change_first(
    request: HttpRequest, account: Account, view: Callable[..., HttpResponse]
) -> HttpResponse | None:
    if not account.must_change or getattr(view, "public", False):
        return None
    return None if request.path == reverse("password") else redirect("password")
