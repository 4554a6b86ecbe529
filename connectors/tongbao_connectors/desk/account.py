"""A person's own page: who he is here, his password, his second factor, how the desk behaves for him."""

from typing import cast

from django import forms
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from tongbao_connectors.desk import access, tokens
from tongbao_connectors.desk.asking import AskingForm
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.language import say, words
from tongbao_connectors.desk.login import SecondStep, has_factor
from tongbao_connectors.desk.models import Account


class WithPassword(AskingForm):
    """A form that asks for the present password, to be sure who sits there."""

    old = forms.CharField(
        label=words("现口令", "Present password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )

    def __init__(self, account: Account, data: object = None) -> None:
        super().__init__(data)
        self._account = account

    def clean_old(self) -> str:
        old = str(self.cleaned_data["old"])
        if not self._account.check_password(old):
            raise forms.ValidationError(say("现口令不对", "The present password is wrong"))
        return old


class NewToken(WithPassword, SecondStep):
    """What the new token shows."""


class NewPassword(WithPassword):
    """Twice the new password."""

    new = forms.CharField(
        label=words("新口令", "New password"),
        help_text=words("至少 12 个字符，不用常见口令", "At least 12 characters, no common password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=words("再输一次新口令", "The new password again"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean_new(self) -> str:
        new = str(self.cleaned_data["new"])
        validate_password(new, self._account)
        return new

    def clean_again(self) -> str:
        again = str(self.cleaned_data["again"])
        if again != self.cleaned_data.get("new", again):
            raise forms.ValidationError(say("两次输入的新口令不同", "The two new passwords differ"))
        return again


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """What the desk knows of whoever asks, and his settings."""
    own = account_of(request)
    if request.method == "POST":
        Account.objects.filter(pk=own.pk).update(shortcuts=request.POST.get("shortcuts") == "on")
        return redirect("account")
    facts = {
        "factor": has_factor(own),
        "codes_left": tokens.recovery_codes_left(own),
        "second_factor_off": desk().file.second_factor == "off",
        "unit_code": access.unit_of(own, desk().roster()),
        "done": request.GET.get("done", ""),
    }
    return render(request, "desk/account.html", facts)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """A new password; every other login of this account ends with it."""
    own = account_of(request)
    form = NewPassword(own, request.POST or None)
    if request.method == "POST" and form.is_valid():
        own.set_password(form.cleaned_data["new"])
        own.must_change = False
        own.save(update_fields=["password", "must_change"])
        update_session_auth_hash(request, own)
        return redirect("/account/?done=password")
    return render(request, "desk/password.html", {"form": form, "first_time": own.must_change})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def token(request: HttpRequest) -> HttpResponse:
    """A new token in place of the former one, with new recovery codes; the password shows who asks."""
    own = account_of(request)
    device = tokens.unconfirmed(own)
    form = NewToken(own, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if tokens.confirm(device, form.cleaned_data["code"]):
            codes = tokens.new_recovery_codes(own)
            return render(request, "desk/recovery-own.html", {"codes": codes})
        form.add_error(
            "code", say("口令不对或已过期，请输入新的 6 位", "Wrong or out of date; type the new six digits")
        )
    return render(request, "desk/token.html", {"form": form, **tokens.shown(device)})


def account_of(request: HttpRequest) -> Account:
    """Whoever is logged in."""
    return cast(Account, request.user)
