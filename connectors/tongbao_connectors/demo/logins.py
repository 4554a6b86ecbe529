"""Where the demo's desks are and as whom one can log in there."""

from typing import Any

from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import first_accounts
from tongbao_connectors.desk.first_accounts import FirstAccount
from tongbao_connectors.workspace import Workspace


def desks(workspace: Workspace) -> list[dict[str, Any]]:
    """Each desk's address, its logins (one for each role, the first of the file) and their password."""
    found = []
    for code in workspace.desks:
        file = first_accounts.load(workspace.participant(code))
        if file is not None:
            found.append(
                {
                    "province": code,
                    "address": workspace.desk_address(code),
                    "logins": [_login(account) for account in _one_of_each(file.account)],
                    "password": file.password,
                }
            )
    return found


def _one_of_each(accounts: tuple[FirstAccount, ...]) -> list[FirstAccount]:
    first: dict[Role, FirstAccount] = {}
    for account in accounts:
        first.setdefault(account.role, account)
    return [first[role] for role in Role if role in first]


def _login(account: FirstAccount) -> dict[str, str]:
    return {
        "username": account.username,
        "role": str(account.role),
        "officer_ref": account.officer_ref,
        "unit": account.unit,
    }
