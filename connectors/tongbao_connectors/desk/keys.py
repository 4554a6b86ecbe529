"""Security keys (WebAuthn) as a second factor: added on the own page, used at the second step of the login.

1. A key is bound to the name in the browser's address, so there is none under a bare IP address, and none
   without TLS but on localhost.
2. Whoever adds or removes one types his password again.
3. A ceremony's state lies in the session and is used once.
"""

import ipaddress
import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from django_otp_webauthn.utils import rewrite_exceptions

from tongbao_broker import logs
from tongbao_broker.database import atomic
from tongbao_connectors.desk import login
from tongbao_connectors.desk.account import WithPassword, account_of
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.language import pick, say
from tongbao_connectors.desk.middleware import public
from tongbao_connectors.desk.models import Account

ADDING = "key-adding"
SHOWING = "key-showing"

log = logs.get(__name__)


class Helper(WebAuthnHelper):  # type: ignore[misc]
    """The library's ceremonies, for the name by which this browser calls the desk."""

    def get_relying_party_domain(self) -> str:
        return name_of(self.request)

    def get_relying_party_name(self) -> str:
        return pick(desk().name)

    def get_allowed_origins(self) -> list[str]:
        return [f"{self.request.scheme}://{self.request.get_host()}"]


def name_of(request: HttpRequest) -> str:
    """The desk's name in the browser's address, without a port."""
    return request.get_host().rpartition(":")[0] or request.get_host()


def are_possible(request: HttpRequest) -> bool:
    """Rule 1."""
    name = name_of(request)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return request.is_secure() or name == "localhost"
    return False


def of(account: Account) -> list[WebAuthnCredential]:
    """The keys of an account."""
    return list(WebAuthnCredential.objects.filter(user=account).order_by("pk"))


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """The own keys; removing one."""
    own = account_of(request)
    form = WithPassword(own, request.POST or None)
    if request.method == "POST" and form.is_valid():
        WebAuthnCredential.objects.filter(user=own, pk=_number(request.POST.get("key", ""))).delete()
        return redirect("keys-own")
    facts = {"form": form, "keys": of(own), "possible": are_possible(request)}
    return render(request, "desk/keys.html", facts)


@sensitive_post_parameters()
@require_POST
def add_begin(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a key, once the password is right."""
    own = account_of(request)
    if not own.check_password(str(_json(request).get("old", ""))):
        return _no(say("现口令不对", "The present password is wrong"))
    options, request.session[ADDING] = Helper(request).register_begin(own)
    return JsonResponse(options)


@require_POST
def add_complete(request: HttpRequest) -> HttpResponse:
    """Takes the new key into use."""
    own, state = account_of(request), request.session.pop(ADDING, None)
    if state is None:
        return _no(say("请重新开始", "Begin again"))
    try:
        with rewrite_exceptions(), atomic():
            Helper(request).register_complete(own, state, _json(request))
    except OTPWebAuthnApiError:
        return _no(say("这把密钥没有通过校验", "This key was not accepted"))
    log.info("security key added", officer_ref=own.officer_ref)
    return JsonResponse({"go": reverse("keys-own")})


@public
@require_POST
def show_begin(request: HttpRequest) -> HttpResponse:
    """What the browser needs to ask the key of whoever has done the first step."""
    account = login.pending(request)
    if account is None:
        return _no(say("请重新登录", "Log in again"))
    options, request.session[SHOWING] = Helper(request).authenticate_begin(account, False)
    return JsonResponse(options)


@public
@require_POST
def show_complete(request: HttpRequest) -> HttpResponse:
    """The second step of the login by a key; a wrong one counts as a wrong code."""
    account, state = login.pending(request), request.session.pop(SHOWING, None)
    if account is None or state is None or login.is_locked(request, account.username):
        return _no(say("请重新登录", "Log in again"))
    try:
        with rewrite_exceptions(), atomic():
            key = Helper(request).authenticate_complete(account, state, _json(request))
    except OTPWebAuthnApiError:
        login.failed(request, account.username)
        return _no(say("这把密钥没有通过校验", "This key was not accepted"))
    return JsonResponse({"go": login.enter(request, account, key)["Location"]})


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _no(sentence: str) -> HttpResponse:
    return JsonResponse({"sentence": sentence}, status=422)
