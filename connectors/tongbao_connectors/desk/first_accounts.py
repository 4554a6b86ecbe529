"""The accounts that a demo network's desk begins with (`accounts.toml`): its passwords are no secret.

In any other network the file is refused: there the first account is made with `tongbao account add`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from tongbao_broker.errors import BadConfiguration, Words
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk.configuration import DEMO_NETWORK
from tongbao_connectors.roster import Setting, read_settings, read_text
from tongbao_connectors.settings import ConnectorSettings
from tongbao_schemas.fields import OfficerRef

if TYPE_CHECKING:
    from tongbao_connectors.desk.models import Account

FILE = "accounts.toml"


class FirstAccount(Setting):
    """One account of `accounts.toml`."""

    username: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$")]
    officer_ref: OfficerRef
    name: Annotated[str, Field(min_length=1, max_length=40)]
    role: Role
    unit: str = ""


class AccountsFile(Setting):
    """The tables of `accounts.toml`."""

    password: Annotated[str, Field(min_length=12)]
    account: tuple[FirstAccount, ...]


def load(folder: Path) -> AccountsFile | None:
    """The file in a province's folder, None where there is none; raises BadConfiguration."""
    path = folder / FILE
    return read_settings(AccountsFile, read_text(path), FILE) if path.exists() else None


def make(settings: ConnectorSettings) -> None:
    """Makes the accounts where the desk has none yet; raises BadConfiguration outside a demo network."""
    from tongbao_connectors.desk.models import Account

    file = load(settings.folder)
    if file is None:
        return
    if settings.network != DEMO_NETWORK:
        raise BadConfiguration(
            Words(
                "accounts.toml 中有公开口令，只能用于 demo 网络",
                "accounts.toml holds a published password: it is for the demo network only",
            )
        )
    if not Account.objects.exists():
        Account.objects.bulk_create(_rows(file))


def _rows(file: AccountsFile) -> list["Account"]:
    """Rows that share one hash, as they share one published password."""
    from django.contrib.auth.hashers import make_password

    from tongbao_connectors.desk.models import Account

    hashed = make_password(file.password)
    return [Account(password=hashed, **each.model_dump()) for each in file.account]
