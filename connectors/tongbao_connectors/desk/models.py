"""The accounts of a desk. Each belongs to one person and has one role."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from tongbao_connectors.authorisation import Role

USERNAME = 32
NAME = 40
UNIT = 32
OFFICER_REF = 32
FINGERPRINT = 64
ADDRESS = 45


class Accounts(BaseUserManager["Account"]):
    """Makes accounts whose passwords are hashed with Argon2."""

    def make(
        self, username: str, password: str, *, officer_ref: str, name: str, role: Role, unit: str = ""
    ) -> "Account":
        """A new account; raises IntegrityError where the name or the officer has one already."""
        account = self.model(username=username, officer_ref=officer_ref, name=name, role=role, unit=unit)
        account.set_password(password)
        account.save()
        return account


class Account(AbstractBaseUser):
    """A person's way in. `must_change` asks for a password of his own; `certificate` is the SHA-256 of the
    client certificate he may come in with instead of a password.
    """

    username = models.CharField(max_length=USERNAME, unique=True)
    officer_ref = models.CharField(max_length=OFFICER_REF, unique=True)
    name = models.CharField(max_length=NAME)
    role = models.CharField(max_length=12, choices=[(role.value, role.en) for role in Role])
    unit = models.CharField(max_length=UNIT, default="", blank=True)
    is_active = models.BooleanField(default=True)
    must_change = models.BooleanField(default=False)
    certificate = models.CharField(max_length=FINGERPRINT, default="", blank=True)
    last_login_from = models.CharField(max_length=ADDRESS, default="", blank=True)
    last_login_before = models.DateTimeField(null=True)
    last_login_before_from = models.CharField(max_length=ADDRESS, default="", blank=True)
    shortcuts = models.BooleanField(default=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar = ["officer_ref", "name", "role"]

    objects: ClassVar[Accounts] = Accounts()

    class Meta:
        constraints: ClassVar = (
            models.UniqueConstraint(
                fields=["certificate"], name="desk_certificate_once", condition=~Q(certificate="")
            ),
        )

    def __str__(self) -> str:
        return self.officer_ref

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.officer_ref
