"""The administrator's list of accounts: who may come in, as what; new ones, resets, closing.

1. A password that somebody else chose is good for one login: its owner changes it first.
2. An account is closed, never deleted: what was done under it keeps its name.
3. Nobody closes his own account or takes his own administration away.
4. Whether a posted officer is posted is the directory's to say; his account's page says what it says.
"""

import secrets
from typing import Any

from axes.utils import reset as unlock
from django import forms
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from tongbao_broker import logs
from tongbao_broker.database import atomic
from tongbao_broker.errors import Conflict, NotFound, Words
from tongbao_connectors import postings
from tongbao_connectors.authorisation import Role, Verb
from tongbao_connectors.desk import access, tokens
from tongbao_connectors.desk.asking import AskingForm
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.language import current, say, words
from tongbao_connectors.desk.login import has_factor
from tongbao_connectors.desk.models import FINGERPRINT, NAME, OFFICER_REF, USERNAME, Account

PASSWORD_BYTES = 12

log = logs.get(__name__)


class NewAccount(AskingForm):
    """What an account needs; name and unit come from the roster where the officer stands in it."""

    username = forms.RegexField(
        regex=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$",
        max_length=USERNAME,
        label=words("警号", "Login name"),
        help_text=words("2 至 32 位字母、数字", "2 to 32 letters and digits"),
    )
    officer_ref = forms.CharField(
        max_length=OFFICER_REF,
        label=words("联络员编号", "Officer reference"),
        help_text=words("如 粤-0117；对外只出现编号", "such as 粤-0117; outside, only this is seen"),
    )
    name = forms.CharField(max_length=NAME, label=words("姓名", "Name"))
    role = forms.ChoiceField(
        label=words("角色", "Role"),
        choices=[(role.value, words(role.zh, role.en)) for role in Role],
        widget=forms.RadioSelect,
    )
    unit = forms.ChoiceField(label=words("单位", "Unit"), required=False, widget=forms.Select({"lang": "zh"}))

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)
        units = [(unit.code, unit.name) for unit in desk().roster().units.values()]
        self.fields["unit"].choices = [("", "—"), *units]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A posted officer, whom no roster lists, is of a unit of his home: there his openings count."""
        given: dict[str, Any] = super().clean() or {}
        listed = given.get("officer_ref") in desk().roster().officers
        if given.get("role") == Role.POSTED and not given.get("unit") and not listed:
            self.add_error("unit", say("选择派出的单位", "Choose the unit that posts him"))
        return given


class Change(AskingForm):
    """What can be changed of an account."""

    role = forms.ChoiceField(
        label=words("角色", "Role"),
        choices=[(role.value, words(role.zh, role.en)) for role in Role],
        widget=forms.RadioSelect,
    )
    certificate = forms.RegexField(
        regex=rf"^[0-9a-f]{{{FINGERPRINT}}}$",
        required=False,
        label=words("客户端证书的 SHA-256", "SHA-256 of the client certificate"),
        help_text=words(
            "64 位十六进制；留空则不能用证书登录", "64 hex digits; empty: no login by certificate"
        ),
        error_messages={"invalid": words("应为 64 位小写十六进制", "64 lower-case hex digits are expected")},
    )


@require_safe
@access.needs(Verb.MANAGE_ACCOUNTS)
def accounts(request: HttpRequest) -> HttpResponse:
    """All accounts, the open ones first."""
    rows = Account.objects.order_by("-is_active", "username")
    listed = [{"account": each, "factor": has_factor(each)} for each in rows]
    return render(request, "desk/accounts.html", {"rows": listed})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@access.needs(Verb.MANAGE_ACCOUNTS)
def add(request: HttpRequest) -> HttpResponse:
    """A new account; its first password is shown once."""
    form = NewAccount(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made, first = make(**{**given, "role": Role(given["role"])})
        except Conflict as taken:
            form.add_error("username", taken.detail_in(current()))
        else:
            return render(request, "desk/account-password.html", {"account_shown": made, "password": first})
    return render(request, "desk/account-add.html", {"form": form})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@access.needs(Verb.MANAGE_ACCOUNTS)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: change it, or reset what its owner has lost."""
    shown = Account.objects.filter(pk=pk).first()
    if shown is None:
        raise NotFound()
    form = Change(request.POST if request.POST.get("act") == "change" else None, initial=_initial(shown))
    if request.method == "POST":
        response = _act(request, shown, form)
        if response is not None:
            return response
    facts = {"form": form, "account_shown": shown, "factor": has_factor(shown), "own": shown == request.user}
    if shown.role == Role.POSTED:
        facts["posted"] = postings.said(shown.officer_ref, desk().code, desk().now())
        facts["listed"] = shown.officer_ref in desk().roster().officers
    return render(request, "desk/account-one.html", facts)


def make(username: str, *, officer_ref: str, name: str, role: Role, unit: str) -> tuple[Account, str]:
    """A new account and its password for one login; raises Conflict where name or officer has one already."""
    first = one_time_password()
    try:
        with atomic():
            made = Account.objects.make(
                username, first, officer_ref=officer_ref, name=name, role=role, unit=unit
            )
            Account.objects.filter(pk=made.pk).update(must_change=True)
    except IntegrityError:
        raise Conflict(Words("警号或编号已有账号", "the name or reference has an account already")) from None
    log.info("account made", officer_ref=made.officer_ref)
    return made, first


def one_time_password() -> str:
    """A password that is good for one login."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def reset_password(account: Account) -> str:
    """Gives an account a password for one login, and lifts a lock; that password."""
    first = one_time_password()
    account.set_password(first)
    account.must_change = True
    account.save(update_fields=["password", "must_change"])
    unlock(username=account.username)
    return first


def _initial(account: Account) -> dict[str, str]:
    return {"role": account.role, "certificate": account.certificate}


def _act(request: HttpRequest, account: Account, form: Change) -> HttpResponse | None:
    act = request.POST.get("act", "")
    log.info("account changed", officer_ref=account.officer_ref, type=act[:20])
    if act == "password":
        return render(
            request,
            "desk/account-password.html",
            {"account_shown": account, "password": reset_password(account)},
        )
    if act == "change":
        return _change(request, account, form)
    if act == "factor":
        tokens.forget(account)
    elif act == "unlock":
        unlock(username=account.username)
    elif act in ("close", "open"):
        _not_oneself(request, account)
        Account.objects.filter(pk=account.pk).update(is_active=act == "open")
    return redirect(reverse("accounts-one", args=[account.pk]))


def _change(request: HttpRequest, account: Account, form: Change) -> HttpResponse | None:
    if not form.is_valid():
        return None
    if form.cleaned_data["role"] != account.role:
        _not_oneself(request, account)
    try:
        with atomic():
            Account.objects.filter(pk=account.pk).update(**form.cleaned_data)
    except IntegrityError:
        form.add_error("certificate", say("该证书已属于另一账号", "Another account has this certificate"))
        return None
    return redirect("accounts")


def _not_oneself(request: HttpRequest, account: Account) -> None:
    if account == request.user:
        raise Conflict(
            Words(
                "不能停用自己，也不能改自己的角色", "nobody closes his own account or changes his own role"
            ),
            Words("请另一位管理员办理。", "Let another administrator do it."),
        )
