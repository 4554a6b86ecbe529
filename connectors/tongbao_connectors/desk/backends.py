"""How an account comes in: by name and password. What follows (second factor, session) is `login`."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from tongbao_connectors.desk.models import Account


class PasswordBackend(BaseBackend):
    """Compares a password with its Argon2 hash; an unknown name takes as long as a wrong password."""

    def authenticate(
        self, request: HttpRequest | None, username: str = "", password: str = "", **_given: Any
    ) -> Account | None:
        account = Account.objects.filter(username=username).first()
        if account is None:
            Account().set_password(password)
            return None
        return account if account.check_password(password) and account.is_active else None

    def get_user(self, user_id: int) -> Account | None:
        return Account.objects.filter(pk=user_id, is_active=True).first()
