"""`tongbao account add|list|reset`: who may log in at a province's desk.

The first account of a desk is made here, on its own machine; the others by an administrator in the browser.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongbao_connectors.cli.frame import Call, entry, new_group
from tongbao_connectors.cli.language import both

if TYPE_CHECKING:
    from tongbao_connectors.desk.models import Account

group = new_group(both("联络台的账号", "Accounts of an officers' desk"))


@entry("add", both("新建账号，显示一次性口令", "Make an account; its one-time password is shown"))
def add(
    call: Call,
    username: Annotated[str, typer.Argument(metavar="NAME", help=both("警号", "Login name"))],
    role: Annotated[
        str,
        typer.Option(
            "--role",
            metavar="ROLE",
            help=both(
                "receiver、reviewer、leader、admin、supervisor 或 posted",
                "receiver, reviewer, leader, admin, supervisor or posted",
            ),
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", help=both("姓名；名册中有的可省", "Name, unless the roster has it")),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            "--unit", metavar="UNIT", help=both("单位代码；名册中有的可省", "Unit, unless the roster has it")
        ),
    ] = None,
) -> None:
    """The officer is named with --officer, the province with --as."""
    from tongbao_connectors.authorisation import Role
    from tongbao_connectors.cli.errors import Usage

    if role not in list(Role):
        raise Usage(call.words(f"--role 为 {'、'.join(Role)} 之一", f"--role is one of {', '.join(Role)}"))
    with _desk(call) as roster:
        from tongbao_connectors.desk import people

        if unit is not None and unit not in roster.units:
            raise Usage(call.words(f"--unit：名册中没有 {unit}", f"--unit: the roster has no {unit}"))
        known = roster.officers.get(call.officer_ref())
        if role == Role.POSTED and known is None and unit is None:
            raise Usage("--unit")
        given = {
            "name": name or (known.name if known else call.officer_ref()),
            "unit": known.unit if known else unit or "",
        }
        made, password = people.make(username, officer_ref=call.officer_ref(), role=Role(role), **given)
        facts = _facts(made) | {"password": password}
    call.put(facts, lambda: _show_with_password(facts, call))


@entry("list", both("列出账号", "List the accounts"))
def listing(call: Call) -> None:
    """All accounts of a desk."""
    with _desk(call):
        from tongbao_connectors.desk.models import Account

        rows = [_facts(each) for each in Account.objects.order_by("username")]
    call.put(rows, lambda: _show(rows, call))


@entry("reset", both("重置口令与令牌，解除锁定", "Reset password and token, lift a lock"))
def reset(
    call: Call,
    username: Annotated[str, typer.Argument(metavar="NAME", help=both("警号", "Login name"))],
) -> None:
    """What an officer does who has lost his password or his token, in person."""
    from tongbao_broker.errors import NotFound

    with _desk(call):
        from tongbao_connectors.desk import people, tokens
        from tongbao_connectors.desk.models import Account

        account = Account.objects.filter(username=username).first()
        if account is None:
            raise NotFound(username)
        tokens.forget(account)
        facts = _facts(account) | {"password": people.reset_password(account)}
    call.put(facts, lambda: _show_with_password(facts, call))


@contextmanager
def _desk(call: Call) -> Iterator[Any]:
    """The acting province's desk, opened as its own process opens it; its roster."""
    from tongbao_connectors.desk import configuration, opening

    settings = call.settings()
    yield opening.open_desk(settings, configuration.load(settings.folder, settings.network)).roster()


def _facts(account: "Account") -> dict[str, Any]:
    return {
        "username": account.username,
        "officer_ref": account.officer_ref,
        "name": account.name,
        "role": account.role,
        "active": account.is_active,
    }


def _show_with_password(facts: dict[str, Any], call: Call) -> None:
    _show([facts], call)
    call.say(
        "口令只显示这一次，当面交给本人。登录后须先改口令，再设置令牌。",
        "The password is shown this once; hand it over in person. At the first login it has to be changed "
        "and a token set up.",
    )


def _show(rows: list[dict[str, Any]], call: Call) -> None:
    from tongbao_connectors.authorisation import Role
    from tongbao_connectors.cli.printing import table

    if not rows:
        call.say(
            "还没有账号。新建：tongbao account add 警号 --role admin --officer 编号",
            "There is no account yet. Make one: tongbao account add NAME --role admin --officer REF",
        )
        return
    headings = [
        call.words("警号", "login name"),
        call.words("编号", "reference"),
        call.words("姓名", "name"),
        call.words("角色", "role"),
        call.words("状态", "state"),
        *([call.words("一次性口令", "one-time password")] if "password" in rows[0] else []),
    ]
    table(headings, [_row(each, Role(each["role"]).label(call.lang), call) for each in rows])


def _row(facts: dict[str, Any], role: str, call: Call) -> list[Any]:
    state = call.words("在用", "open") if facts["active"] else call.words("已停用", "closed")
    known = [facts["username"], facts["officer_ref"], facts["name"], role, state]
    return [*known, facts["password"]] if "password" in facts else known


for command in (add, listing, reset):
    command.add_to(group)
