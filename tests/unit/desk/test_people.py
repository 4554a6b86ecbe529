"""The administrator's pages: accounts are made, reset, changed and closed, never deleted."""

import re

from tests.support.desk import DeskAt
from tests.support.posting import post
from tests.support.province import Network
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk.models import Account

NEW = {"username": "a0222", "officer_ref": "A-0222", "name": "演练新人", "role": "leader", "unit": "duty"}


def account_of(gd: DeskAt, **facts: str) -> Account:
    with gd.province.here():
        return Account.objects.get(**facts)


def test_new_account_has_a_password_for_one_login(desk_of_gd: DeskAt) -> None:
    """It is shown once, to the administrator, and its owner must choose another one."""
    admin = desk_of_gd.person(Role.ADMIN, "A-0900")
    shown = admin.post("/accounts/add/", NEW).text
    password = re.findall(r"<code>([A-Za-z0-9_-]{16})</code>", shown)[0]

    made = account_of(desk_of_gd, username="a0222")
    came = desk_of_gd.stranger().post("/login/", {"username": "a0222", "password": password})

    assert (made.role, made.unit, made.must_change) == ("leader", "duty", True)
    assert made.password.startswith("argon2$")
    assert came.status_code == 302


def test_officer_has_one_account(desk_of_gd: DeskAt) -> None:
    """A second one is refused at its field, and nothing is changed."""
    admin = desk_of_gd.person(Role.ADMIN, "A-0900")
    admin.post("/accounts/add/", NEW)
    again = admin.post("/accounts/add/", {**NEW, "username": "other"})

    assert "already" in again.text or "已有账号" in again.text
    with desk_of_gd.province.here():
        assert Account.objects.filter(officer_ref="A-0222").count() == 1


def test_a_posted_officers_account_names_his_unit_and_shows_his_posting(desk_network: Network) -> None:
    """No roster lists him, so his unit is asked for; where he is posted is the directory's to say."""
    desk_network.province("440000")
    at = DeskAt(desk_network.province("520000"))
    admin = at.person(Role.ADMIN, "A-0900")
    new = {**NEW, "role": "posted", "officer_ref": "A-0301", "unit": ""}
    asked = admin.post("/accounts/add/", new).text
    admin.post("/accounts/add/", {**new, "unit": "duty"})
    path = f"/accounts/{account_of(at, officer_ref='A-0301').pk}/"
    before = admin.get(path).text
    post(desk_network)

    assert "选择派出的单位" in asked
    assert "目录中没有这名联络员的派驻" in before
    assert "派驻广东，至" in admin.get(path).text
    assert "名册中仍有此人" not in before
    at.account(Role.POSTED, "A-0118")
    assert "名册中仍有此人" in admin.get(f"/accounts/{account_of(at, officer_ref='A-0118').pk}/").text


def test_closed_account_is_out_at_once(desk_of_gd: DeskAt) -> None:
    """Its running login ends with the next page, and it comes back when it is opened again."""
    admin = desk_of_gd.person(Role.ADMIN, "A-0900")
    person = desk_of_gd.person(Role.RECEIVER, "A-0117")
    path = f"/accounts/{account_of(desk_of_gd, officer_ref='A-0117').pk}/"
    admin.post(path, {"act": "close"})
    out = person.get("/account/").status_code
    admin.post(path, {"act": "open"})

    assert out == 302
    assert account_of(desk_of_gd, officer_ref="A-0117").is_active


def test_reset_ends_running_logins(desk_of_gd: DeskAt) -> None:
    """Who has the old password is out when the administrator gives a new one."""
    admin = desk_of_gd.person(Role.ADMIN, "A-0900")
    person = desk_of_gd.person(Role.RECEIVER, "A-0117")
    admin.post(f"/accounts/{account_of(desk_of_gd, officer_ref='A-0117').pk}/", {"act": "password"})

    assert person.get("/account/").status_code == 302


def test_nobody_closes_or_promotes_himself(desk_of_gd: DeskAt) -> None:
    """The only administrator can't lock everybody out."""
    admin = desk_of_gd.person(Role.ADMIN, "A-0900")
    path = f"/accounts/{account_of(desk_of_gd, officer_ref='A-0900').pk}/"

    assert admin.post(path, {"act": "close"}).status_code == 409
    assert admin.post(path, {"act": "change", "role": "leader", "certificate": ""}).status_code == 409
    assert account_of(desk_of_gd, officer_ref="A-0900").role == "admin"


def test_certificate_belongs_to_one(desk_of_gd: DeskAt) -> None:
    """A fingerprint that isn't one, or is somebody else's, is refused at its field."""
    admin = desk_of_gd.person(Role.ADMIN, "A-0900")
    desk_of_gd.account(Role.RECEIVER, "A-0118", certificate="ab" * 32)
    desk_of_gd.account(Role.RECEIVER, "A-0117")
    path = f"/accounts/{account_of(desk_of_gd, officer_ref='A-0117').pk}/"

    wrong = admin.post(path, {"act": "change", "role": "receiver", "certificate": "xyz"}).text
    taken = admin.post(path, {"act": "change", "role": "receiver", "certificate": "ab" * 32}).text

    assert "64 位小写十六进制" in wrong
    assert "该证书已属于另一账号" in taken


def test_new_token_asks_for_the_password(desk_of_gd: DeskAt) -> None:
    """Who finds a desk unlocked can't put his own token on it."""
    person = desk_of_gd.person(Role.RECEIVER, "A-0117", password="correct horse battery")
    answer = person.post("/account/token/", {"old": "guess", "code": "000000"}).text

    assert "现口令不对" in answer
