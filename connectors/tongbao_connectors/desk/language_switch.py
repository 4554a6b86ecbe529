"""The switch between 中文 and English."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from tongbao_connectors.desk.language import CHINESE, ENGLISH
from tongbao_connectors.desk.middleware import public


@public
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Remembers the language in a cookie and goes back to where the reader was."""
    chosen = ENGLISH if request.POST.get("language") == ENGLISH else CHINESE
    response = HttpResponseRedirect(safe_next(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def safe_next(request: HttpRequest) -> str:
    """Where a form asks to go on, if that is a page of this desk, else the start."""
    target = request.POST.get("next") or request.GET.get("next") or "/"
    allowed = url_has_allowed_host_and_scheme(target, allowed_hosts=None, require_https=request.is_secure())
    return target if allowed and target.startswith("/") else "/"
