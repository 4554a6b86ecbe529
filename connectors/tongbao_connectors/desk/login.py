"""The way in: name and password (or a client certificate), then the second factor on a page of its own.

1. Nobody is logged in between the two steps: the session only remembers, for `STEP_FOR`, whose turn it is.
2. Wrong passwords and wrong codes count together; after `LOGIN_TRIES` the name is locked for `LOCKED_FOR`.
3. Who has no second factor yet sets one up before anything else; recovery codes are shown once.
4. A second factor may be off in the demo network only (see `configuration`).
5. A client certificate stands for the password where a proxy that we trust names it; never for the second
   factor.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib.auth import authenticate, login
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import devices_for_user
from django_otp import login as login_device
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from tongbao_broker import logs
from tongbao_broker.errors import Words
from tongbao_connectors.desk import access, tokens
from tongbao_connectors.desk.asking import AskingForm
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.language import say, words
from tongbao_connectors.desk.language_switch import safe_next
from tongbao_connectors.desk.middleware import BEGAN, GREET, PENDING, SEEN, Ended, public
from tongbao_connectors.desk.models import ADDRESS, USERNAME, Account
from tongbao_connectors.desk.web import LOCKED_FOR, LOGIN_TRIES

NEXT = "next"
STEP_FOR = timedelta(minutes=5)
BACKEND = "tongbao_connectors.desk.backends.PasswordBackend"
FINGERPRINT_HEX = 64

ENDED: Final[Mapping[str, Words]] = {
    Ended.IDLE: Words(
        "你一段时间没有操作，已自动退出。", "You were logged out: no page was asked for in a while."
    ),
    Ended.HOURS: Words("本次登录已满时限，请重新登录。", "The login reached its longest time; log in again."),
    Ended.GONE: Words(
        "登录已失效：口令已改、账号已停用，或在别处退出。",
        "The login is void: the password was changed, the account closed, or it was ended elsewhere.",
    ),
}
"""Why a login ended, by the word in the address."""

log = logs.get(__name__)


class FirstStep(AskingForm):
    """Name and password."""

    username = forms.CharField(
        label=words("警号", "Login name"),
        max_length=USERNAME,
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=words("口令", "Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


class SecondStep(AskingForm):
    """A code of six digits, or a recovery code."""

    code = forms.CharField(
        label=words("动态口令", "Code"),
        max_length=16,
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code", "autofocus": True}
        ),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).replace(" ", "")


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def first(request: HttpRequest) -> HttpResponse:
    """Name and password; or the certificate that the proxy has seen."""
    if request.user.is_authenticated:
        return redirect("/")
    by_certificate = "certificate" in request.POST
    form = FirstStep(None if by_certificate else request.POST or None)
    if request.method == "POST":
        account = _by_certificate(request) if by_certificate else _by_password(request, form)
        if account is not None:
            return _first_done(request, account)
    facts = {"form": form, "certificate": bool(certificate_of(request)), "next": safe_next(request)}
    facts |= {"unknown_certificate": by_certificate, "ended": ENDED.get(request.GET.get("ended", ""))}
    return _page(request, "desk/login.html", form.data.get("username", ""), **facts)


@public
@require_http_methods(["GET", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """The second factor."""
    account = pending(request)
    if account is None:
        return redirect("login")
    form = SecondStep(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = (
            None if is_locked(request, account.username) else tokens.match(account, form.cleaned_data["code"])
        )
        if device is not None:
            return enter(request, account, device)
        failed(request, account.username)
        form.add_error("code", _wrong_code(request, account.username))
    facts = {"form": form, "account_name": account.username, "has_key": has_key(account)}
    return _page(request, "desk/login-second.html", account.username, **facts)


@public
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """The first second factor of somebody who has none: a token, then recovery codes, shown once."""
    account = pending(request)
    if account is None or has_factor(account):
        return redirect("login")
    device = tokens.unconfirmed(account)
    form = SecondStep(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if tokens.confirm(device, form.cleaned_data["code"]):
            codes = tokens.new_recovery_codes(account)
            target = enter(request, account, device)["Location"]
            return _page(request, "desk/recovery.html", codes=codes, go_on=target)
        form.add_error(
            "code", say("口令不对或已过期，请输入新的 6 位", "Wrong or out of date; type the new six digits")
        )
    return _page(request, "desk/login-enrol.html", form=form, **tokens.shown(device))


@public
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Ends the login."""
    access.leave(request)
    return redirect("login")


def has_factor(account: Account) -> bool:
    """True when the account has a second factor."""
    return any(devices_for_user(account, confirmed=True))


def has_key(account: Account) -> bool:
    """True when the account has a security key."""
    found: bool = WebAuthnCredential.objects.filter(user=account).exists()
    return found


def certificate_of(request: HttpRequest) -> str:
    """The SHA-256 of the client certificate, as a proxy that we trust names it; empty if none does."""
    file = desk().file
    if not file.certificate_header or request.META.get("REMOTE_ADDR") not in file.proxies:
        return ""
    named = request.headers.get(file.certificate_header, "").replace(":", "").strip().lower()
    known = len(named) == FINGERPRINT_HEX and all(digit in "0123456789abcdef" for digit in named)
    return named if known else ""


def address_of(request: HttpRequest) -> str:
    """Where the browser is: the connection's other end, or what a proxy that we trust says."""
    remote = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (forwarded if remote in desk().file.proxies and forwarded else remote)[:ADDRESS]


def _by_password(request: HttpRequest, form: FirstStep) -> Account | None:
    if not form.is_valid():
        return None
    name = form.cleaned_data["username"]
    found = None
    if not is_locked(request, name):
        found = authenticate(request, username=name, password=form.cleaned_data["password"])
    if not isinstance(found, Account):
        form.add_error(None, _wrong_password(request, name))
        return None
    return found


def _by_certificate(request: HttpRequest) -> Account | None:
    named = certificate_of(request)
    return Account.objects.filter(certificate=named, is_active=True).first() if named else None


def _first_done(request: HttpRequest, account: Account) -> HttpResponse:
    request.session.cycle_key()
    request.session[PENDING] = [account.pk, desk().now().isoformat()]
    request.session[NEXT] = safe_next(request)
    if desk().file.second_factor == "off":
        return enter(request, account, None)
    return redirect("login-second" if has_factor(account) else "login-enrol")


def pending(request: HttpRequest) -> Account | None:
    """Who has done the first step, not too long ago."""
    pk, at = request.session.get(PENDING, (None, ""))
    if pk is None or desk().now() - datetime.fromisoformat(at) > STEP_FOR:
        return None
    return Account.objects.filter(pk=pk, is_active=True).first()


def enter(request: HttpRequest, account: Account, device: Device | None) -> HttpResponse:
    """Logs the account in, both steps done, and leads to where it wanted to go."""
    now, target = desk().now(), request.session.get(NEXT, "/")
    before = {"last_login_before": account.last_login, "last_login_before_from": account.last_login_from}
    request.session.pop(PENDING, None)
    login(request, account, backend=BACKEND)
    if device is not None:
        login_device(request, device)
    mine = Account.objects.filter(pk=account.pk)
    mine.update(last_login=now, last_login_from=address_of(request), **before)
    request.session[BEGAN] = request.session[SEEN] = now.isoformat()
    request.session[GREET] = True
    log.info("logged in", officer_ref=account.officer_ref)
    return redirect(target)


def failed(request: HttpRequest, username: str) -> None:
    """Counts a wrong try."""
    user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)
    log.info("a login failed")


def is_locked(request: HttpRequest, username: str) -> bool:
    """True while too many wrong tries lock the name."""
    locked: bool = AxesProxyHandler.is_locked(request, {"username": username})
    return locked


def _tries_left(request: HttpRequest, username: str) -> int:
    failures: int = AxesProxyHandler.get_failures(request, {"username": username})
    return max(0, LOGIN_TRIES - failures)


def _wrong_password(request: HttpRequest, username: str) -> str:
    if is_locked(request, username):
        return _locked()
    return say(
        "警号或口令不对。还可试 {n} 次，之后锁定 {m} 分钟。",
        "Wrong name or password. {n} more tries, then locked for {m} minutes.",
        n=_tries_left(request, username),
        m=LOCKED_FOR // timedelta(minutes=1),
    )


def _wrong_code(request: HttpRequest, username: str) -> str:
    if is_locked(request, username):
        return _locked()
    return say(
        "口令不对或已过期，请输入新的 6 位。还可试 {n} 次，之后锁定 {m} 分钟。",
        "Wrong or out of date; type the new six digits. {n} more tries, then locked for {m} minutes.",
        n=_tries_left(request, username),
        m=LOCKED_FOR // timedelta(minutes=1),
    )


def _locked() -> str:
    return say(
        "试错过多，已锁定。{m} 分钟后再试，或由本省管理员解锁。",
        "Too many wrong tries: locked. Try again in {m} minutes, or let an administrator unlock it.",
        m=LOCKED_FOR // timedelta(minutes=1),
    )


def _page(request: HttpRequest, template: str, username: str = "", **facts: Any) -> HttpResponse:
    """A page of the way in; after a try with a name that is locked its status says so, and until when."""
    facts |= {"idle_minutes": desk().file.idle_minutes}
    if request.method != "POST" or not username or not is_locked(request, username):
        return render(request, template, facts)
    response = render(request, template, facts, status=429)
    response.headers["Retry-After"] = str(int(LOCKED_FOR.total_seconds()))
    return response
