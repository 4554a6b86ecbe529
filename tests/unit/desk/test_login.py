"""The way in: password and second factor, lockout, recovery, certificate, and how a login ends."""

import re

import pytest
from django.contrib.sessions.models import Session
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.support.desk import Browser, DeskAt
from tests.support.django_settings import WEB
from tests.support.province import Network
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk import tokens
from tongbao_connectors.desk.models import Account

NAME, PASSWORD = "a-0117", "correct horse battery"
FINGERPRINT = "ab" * 32


@pytest.fixture
def gd(desk_network: Network) -> DeskAt:
    """广东's desk, where the second factor is asked for."""
    at = DeskAt(desk_network.province("440000"), second_factor="required")
    at.account(Role.RECEIVER, "A-0117", password=PASSWORD)
    return at


def log_in(browser: Browser, password: str = PASSWORD, **more: str) -> str:
    """Does the first step; where it leads, or the page's text where it stays."""
    response = browser.post("/login/", {"username": NAME, "password": password, **more})
    return response.headers.get("Location", "") or response.text


def code_of(gd: DeskAt) -> str:
    """What the token shows now."""
    with gd.province.here():
        return f"{totp(TOTPDevice.objects.get().bin_key, t0=0):06d}"


def with_token(gd: DeskAt) -> list[str]:
    """Gives the account a token that is in use; its recovery codes."""
    with gd.province.here():
        account = Account.objects.get(username=NAME)
        TOTPDevice.objects.create(user=account, name="token", confirmed=True)
        return tokens.new_recovery_codes(account)


def test_first_login_sets_up_a_token_before_anything_else(gd: DeskAt) -> None:
    """Without a second factor only its set-up is shown; then ten recovery codes, once; then the desk."""
    browser = gd.stranger()

    assert log_in(browser, next="/account/") == "/login/enrol/"
    assert browser.get("/account/")["Location"].startswith("/login/")
    shown = browser.get("/login/enrol/").text
    assert "<svg" in shown

    done = browser.post("/login/enrol/", {"code": code_of(gd)})

    assert len(re.findall(r"<li>[2-9a-z]{10}</li>", done.text)) == 10
    assert 'href="/account/"' in done.text
    assert browser.get("/account/").status_code == 200


def test_password_alone_lets_nobody_in(gd: DeskAt) -> None:
    """After the first step no page opens; after the second, with the token's code, the desk does."""
    with_token(gd)
    browser = gd.stranger()

    assert log_in(browser) == "/login/second/"
    assert browser.get("/account/")["Location"].startswith("/login/")
    browser.post("/login/second/", {"code": code_of(gd)})

    assert browser.get("/account/").status_code == 200


def test_code_of_a_token_counts_once(gd: DeskAt) -> None:
    """Who read the code over a shoulder can't use it again."""
    with_token(gd)
    first, second = gd.stranger(), gd.stranger()
    log_in(first)
    log_in(second)
    code = code_of(gd)
    first.post("/login/second/", {"code": code})

    assert "不对或已过期" in second.post("/login/second/", {"code": code}).text


def test_recovery_code_counts_once(gd: DeskAt) -> None:
    """A recovery code stands for the token, and is used up by that."""
    code = with_token(gd)[0]
    for expected in (302, 200):
        browser = gd.stranger()
        log_in(browser)
        assert browser.post("/login/second/", {"code": code}).status_code == expected


def test_second_step_does_not_wait_for_ever(gd: DeskAt) -> None:
    """Five minutes after the password the first step has to be done again."""
    with_token(gd)
    browser = gd.stranger()
    log_in(browser)
    gd.later(minutes=6)

    assert browser.post("/login/second/", {"code": code_of(gd)})["Location"] == "/login/"


def test_fifth_wrong_try_locks_the_name(gd: DeskAt) -> None:
    """Wrong passwords and wrong codes count together; then the right password doesn't help either."""
    with_token(gd)
    browser = gd.stranger()
    said = [log_in(browser, "wrong password") for _ in range(3)]
    log_in(browser)
    said += [browser.post("/login/second/", {"code": "000000"}).text for _ in range(2)]

    assert [
        bool(re.search(f"还可试 {left} 次", text)) for left, text in zip((4, 3, 2, 1), said, strict=False)
    ]
    assert "已锁定" in said[-1]
    assert "已锁定" in log_in(gd.stranger())


def test_unknown_name_and_wrong_password_say_the_same(gd: DeskAt) -> None:
    """The answer doesn't tell which names exist."""
    wrong = log_in(gd.stranger(), "wrong password")
    unknown = gd.stranger().post("/login/", {"username": "nobody", "password": "x"}).text

    assert "警号或口令不对" in wrong
    assert "警号或口令不对" in unknown


def test_what_is_missing_is_named(gd: DeskAt) -> None:
    """An empty field is asked for by its label, in the language of the page."""
    assert "填写口令" in gd.stranger().post("/login/", {"username": NAME}).text
    assert "Fill in: Password" in gd.stranger("en").post("/login/", {"username": NAME}).text


def test_password_of_somebody_elses_choosing_is_changed_first(gd: DeskAt) -> None:
    """After a reset every page leads to the change of the password, and a weak one is not taken."""
    person = gd.person(Role.RECEIVER, "A-0117")
    with gd.province.here():
        Account.objects.filter(username=NAME).update(must_change=True)

    assert person.get("/account/")["Location"] == "/account/password/"
    weak = person.post("/account/password/", {"old": PASSWORD, "new": "short", "again": "short"})
    assert weak.status_code == 200
    assert "<title>错误：" in weak.text.replace("\n", "")

    new = "a much longer phrase"
    done = person.post("/account/password/", {"old": PASSWORD, "new": new, "again": new})

    assert done["Location"] == "/account/?done=password"
    assert person.get("/account/").status_code == 200


def test_login_ends_when_idle_and_after_its_hours(gd: DeskAt) -> None:
    """15 minutes without a page end it; work keeps it alive, but for 12 hours at most."""
    idle, busy = gd.person(Role.RECEIVER, "A-0117"), gd.person(Role.RECEIVER, "A-0117")
    for _ in range(2):
        gd.later(minutes=10)
        assert busy.get("/account/").status_code == 200
    assert idle.get("/account/").status_code == 302

    for _ in range(72):
        gd.later(minutes=10)
        last = busy.get("/account/").status_code
    assert last == 302


@pytest.mark.parametrize(
    ("lang", "minutes", "said"),
    [
        ("zh-CN", 16, "你一段时间没有操作，已自动退出。"),
        ("zh-CN", 13 * 60, "本次登录已满时限"),
        ("en", 16, "You were logged out"),
    ],
)
def test_the_login_page_says_why_a_login_ended(gd: DeskAt, lang: str, minutes: int, said: str) -> None:
    """Idle for too long, or logged in for too long; a script that asks is led to the same page."""
    person = gd.person(Role.RECEIVER, "A-0117", lang=lang)
    script = gd.person(Role.RECEIVER, "A-0117", lang=lang)
    gd.later(minutes=minutes)
    where = person.get("/account/")["Location"]
    led = script.get("/badge/", headers={"HX-Request": "true"})["HX-Redirect"]

    assert said in person.get(where).text
    assert led.partition("?")[2] in where


def test_a_cookie_of_a_login_that_is_no_more_is_told_so(gd: DeskAt) -> None:
    """After a change of the password elsewhere, for instance; a stranger is told nothing."""
    person = gd.person(Role.RECEIVER, "A-0117")
    with gd.province.here():
        Session.objects.all().delete()
    where = person.get("/account/")["Location"]

    assert "登录已失效" in person.get(where).text
    assert gd.stranger().get("/account/")["Location"] == "/login/?next=%2Faccount%2F"


def test_whoever_comes_in_is_told_of_the_login_before(desk_network: Network) -> None:
    """On the first page, once: when, from where, and what to do if it wasn't he."""
    gd = DeskAt(desk_network.province("440000"), second_factor="off")
    gd.account(Role.RECEIVER, "A-0117", password=PASSWORD)
    first, second = gd.stranger(), gd.stranger()
    log_in(first)
    before = first.get("/account/").text
    gd.later(hours=3)
    second.post("/login/", {"username": NAME, "password": PASSWORD}, REMOTE_ADDR="10.1.2.3")
    pages = [second.get("/account/").text for _ in range(2)]

    assert "这是你第一次登录" in before
    assert "上次登录 2026-11-23 12:00，来自 127.0.0.1。 如非本人，立即报组长" in pages[0]
    assert "如非本人" not in pages[1]


def test_a_locked_name_is_told_so_by_the_status_too(gd: DeskAt) -> None:
    """429 with the time to wait; in words on the page, which is the login's own."""
    for _ in range(5):
        answer = gd.stranger().post("/login/", {"username": NAME, "password": "wrong password"})

    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "15 分钟后再试，或由本省管理员解锁" in answer.text


def test_logout_deletes_the_session(gd: DeskAt) -> None:
    """Nothing of a login is left on the server, and the cookie opens nothing any more."""
    person = gd.person(Role.RECEIVER, "A-0117")
    assert person.post("/logout/")["Location"] == "/login/"
    with gd.province.here():
        assert Session.objects.count() == 0
    assert person.get("/account/").status_code == 302


def test_certificate_counts_only_through_the_proxy(desk_network: Network) -> None:
    """The named header of a trusted proxy stands for the password, never for the second factor."""
    gd = DeskAt(
        desk_network.province("440000"),
        second_factor="required",
        certificate_header="X-Client-Cert-Sha256",
        proxies=("10.0.0.9",),
    )
    gd.account(Role.RECEIVER, "A-0117", certificate=FINGERPRINT)
    headers = {"X-Client-Cert-Sha256": FINGERPRINT.upper()}
    proxied, direct = gd.stranger(), gd.stranger()

    through = proxied.post("/login/", {"certificate": "yes"}, headers=headers, REMOTE_ADDR="10.0.0.9")
    past = direct.post("/login/", {"certificate": "yes"}, headers=headers, REMOTE_ADDR="10.0.0.8")

    assert through["Location"] == "/login/enrol/"
    assert past.status_code == 200
    assert "没有对应的账号" in past.text


def test_next_page_is_one_of_this_desk(gd: DeskAt) -> None:
    """Nobody is sent to another site after the login."""
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        page = gd.stranger().get("/login/", {"next": elsewhere}).text
        assert 'name="next" value="/"' in page


def test_what_was_searched_for_is_not_carried_along(gd: DeskAt) -> None:
    """A name that stood in a search is in no address and no log of the login."""
    assert gd.stranger().get("/inbox/", {"q": "演练甲"})["Location"] == "/login/?next=%2Finbox%2F"


def test_language_is_remembered(gd: DeskAt) -> None:
    """The switch goes back to the page and holds from then on."""
    browser = gd.stranger()
    switched = browser.post("/language/", {"language": "en", "next": "/login/"})

    assert switched["Location"] == "/login/"
    assert "<h1>Log in</h1>" in browser.get("/login/").text


def test_unknown_name_costs_a_hash_too(gd: DeskAt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time doesn't tell which names exist either."""
    hashed: list[str] = []
    monkeypatch.setattr(Account, "set_password", lambda _account, password: hashed.append(password))
    gd.stranger().post("/login/", {"username": "nobody", "password": "x"})

    assert hashed == ["x"]


def test_passwords_are_hashed_with_argon2() -> None:
    """What tests use is only cheaper."""
    assert WEB["PASSWORD_HASHERS"] == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
