"""What `desk.toml` and `accounts.toml` may say, and what is refused."""

from pathlib import Path

import pytest

from tongbao_broker.errors import BadConfiguration
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import configuration, first_accounts
from tongbao_connectors.workspace import DEMO_DESKS, DEMO_POSTINGS, template


def write(folder: Path, text: str) -> Path:
    (folder / "desk.toml").write_text(text, encoding="utf-8")
    return folder


def test_silent_file_is_safe(tmp_path: Path) -> None:
    """Without a word the desk listens on loopback, asks for a second factor and believes no header."""
    told = configuration.load(tmp_path, "cn")

    assert (told.host, told.second_factor, told.certificate_header, told.proxies) == (
        "127.0.0.1",
        "required",
        "",
        (),
    )
    assert (told.idle_minutes, told.session_hours) == (15, 12)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ('second_factor = "off"', "cn"),
        ('second_factor = "off"', "exercise-2026"),
        ('certificate_header = "X-Client-Cert"', "cn"),
        ("idle_minutes = 0", "cn"),
        ("port = 70000", "cn"),
        ("second-factor = true", "cn"),
    ],
    ids=[
        "no second factor in production",
        "nor in an exercise",
        "a header without the proxy that sets it",
        "no idle time",
        "no such port",
        "unknown key",
    ],
)
def test_unsafe_or_unknown_setting_is_refused(tmp_path: Path, text: str, network: str) -> None:
    """The desk doesn't start; the error names the file."""
    with pytest.raises(BadConfiguration, match=r"desk\.toml"):
        configuration.load(write(tmp_path, text), network)


@pytest.mark.parametrize("code", DEMO_DESKS)
def test_demo_desk_has_every_role(tmp_path: Path, code: str) -> None:
    """The shipped accounts are whole: each role, each officer of the roster once, who is posted."""
    (tmp_path / "accounts.toml").write_text(template(code, "accounts.toml"), encoding="utf-8")
    file = first_accounts.load(tmp_path)

    assert file is not None
    posted = {posting.officer_ref for posting in DEMO_POSTINGS if posting.home == code}
    roles = {account.role for account in file.account}
    assert roles == set(Role) - (set() if posted else {Role.POSTED})
    assert {account.officer_ref for account in file.account if account.role is Role.POSTED} == posted
    assert len({account.officer_ref for account in file.account}) == len(file.account)
    assert all(
        f'officer_ref = "{account.officer_ref}"' in template(code, "roster.toml")
        for account in file.account
        if account.role not in (Role.ADMIN, Role.SUPERVISOR, Role.POSTED)
    )
