"""A province's desk without a browser: the province's real database, and people who are logged in.

net = Network(tmp_path, apps=DESK)            # or the fixtures `desk_network`, `desk_of_gd`
gd = DeskAt(net.province("440000"))
leader = gd.person(Role.LEADER, "A-0001")     # a Browser: get, post, in the province's database
page = leader.get("/inbox/waiting/")          # Django's response; .text is its HTML
leader.post("/m/…/sign/", {...}, follow=True)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from tests.support.databases import DESK
from tests.support.province import Network, Province
from tongbao_broker import database
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import here
from tongbao_connectors.desk.configuration import DeskFile
from tongbao_connectors.desk.login import BACKEND
from tongbao_connectors.desk.middleware import BEGAN, SEEN
from tongbao_connectors.desk.models import Account

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


def text(response: Any) -> str:
    """A response's page."""
    return str(response.text)


class Browser:
    """One person's browser at one province's desk; `lang` is what it asks for."""

    def __init__(self, province: Province, account: Account | None, lang: str = "zh-CN") -> None:
        self.province = province
        self.account = account
        self._client = Client(headers={"accept-language": lang}, raise_request_exception=False)
        if account is not None:
            self._log_in(account)

    def get(self, path: str, data: Any = None, **named: Any) -> "Response":
        """The page at this address."""
        with self.province.here():
            return self._client.get(path, data, **named)

    def post(self, path: str, data: Any = None, **named: Any) -> "Response":
        """What the desk answers to a form."""
        with self.province.here():
            return self._client.post(path, data or {}, **named)

    def request(self, method: str, path: str, data: Any = None, **named: Any) -> "Response":
        """Any method at all."""
        with self.province.here():
            return self._client.generic(method, path, data or b"", **named)

    @property
    def session(self) -> str:
        """The key of this browser's login."""
        return self._client.cookies[settings.SESSION_COOKIE_NAME].value

    def take(self, session: str) -> None:
        """Puts a login's key into this browser, wherever it is from."""
        self._client.cookies[settings.SESSION_COOKIE_NAME] = session

    def _log_in(self, account: Account) -> None:
        now = self.province.net.clock.now().isoformat()
        with self.province.here():
            session = SessionStore()
            session[SESSION_KEY] = str(account.pk)
            session[BACKEND_SESSION_KEY] = BACKEND
            session[HASH_SESSION_KEY] = account.get_session_auth_hash()
            session[BEGAN] = session[SEEN] = now
            session.save()
        self._client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""


class DeskAt:
    """A province with a desk."""

    def __init__(self, province: Province, **file: Any) -> None:
        self.province = province
        told = DeskFile(**{"second_factor": "off", "hosts": ("testserver",), **file})
        self.desk = here.Desk(province.settings, told, province.net.clock)
        here.serve(province.code, self.desk)

    def account(self, role: Role, officer_ref: str, *, password: str = "", **facts: Any) -> Account:
        """An account (one for each officer); without a password nobody can come in by the login page."""
        with self.province.here():
            known = Account.objects.filter(officer_ref=officer_ref).first()
            if known is not None:
                return known
            name = facts.pop("name", f"演练员{officer_ref}")
            account = Account(
                username=officer_ref.lower(), officer_ref=officer_ref, name=name, role=role, **facts
            )
            account.password = "!"
            if password:
                account.set_password(password)
            account.save()
            return account

    def person(self, role: Role, officer_ref: str, *, lang: str = "zh-CN", **facts: Any) -> Browser:
        """Somebody of this role who is logged in."""
        return Browser(self.province, self.account(role, officer_ref, **facts), lang)

    def stranger(self, lang: str = "zh-CN") -> Browser:
        """A browser that nobody has logged in with."""
        return Browser(self.province, None, lang)

    def later(self, **span: int) -> None:
        """Lets time pass for the whole network."""
        self.province.net.clock.forward(**span)


@pytest.fixture
def desk_network(tmp_path: Path) -> Iterator[Network]:
    """A network whose provinces' databases have the desk's tables."""
    yield Network(tmp_path, apps=DESK)
    database.close()


@pytest.fixture
def desk_of_gd(desk_network: Network) -> DeskAt:
    """广东's desk, with 贵州 beside it."""
    desk_network.province("520000")
    return DeskAt(desk_network.province("440000"))
