"""A security key in a real browser: added on the own page, then enough for the second step of a login."""

import base64

import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, Page, expect

from tests.support.desk_process import Running

pytestmark = pytest.mark.kafka


def code_shown(page: Page) -> str:
    """The code that a token would show for the key on the page."""
    key = page.locator("code").inner_text().replace(" ", "")
    return f"{totp(base64.b32decode(key + '=' * (-len(key) % 8))):06d}"


def first_step(page: Page, desk: Running) -> None:
    page.goto(f"http://localhost:{desk.port}/login/")
    page.get_by_label("Login name").fill("0002")
    page.get_by_label("Password").fill("tongbao-demo")
    page.get_by_role("button", name="Next").click()


def test_key_stands_for_the_code(strict_desk_process: Running, browser: Browser) -> None:
    """Set up a token, add a key, log out: the key lets in again; without the password nothing is added."""
    context = browser.new_context(locale="en")
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    first_step(page, strict_desk_process)
    page.get_by_label("Code").fill(code_shown(page))
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("link", name="Written down, go on").click()

    page.goto(f"http://localhost:{strict_desk_process.port}/account/keys/")
    page.get_by_label("Present password").fill("a guess")
    page.get_by_role("button", name="Add a key").click()
    expect(page.get_by_role("alert")).to_contain_text("The present password is wrong")
    page.get_by_label("Present password").fill("tongbao-demo")
    page.get_by_role("button", name="Add a key").click()
    expect(page.get_by_role("rowheader", name="Key 1")).to_be_visible()

    page.goto(f"http://localhost:{strict_desk_process.port}/account/")
    page.get_by_role("button", name="Log out").click()
    first_step(page, strict_desk_process)
    page.get_by_role("button", name="Use a security key").click()
    expect(page.locator(".person")).to_be_visible()

    assert failures == []
    context.close()
