"""The frame of every page: nothing before login, nothing stored, nothing from elsewhere."""

import re

import pytest
from django.utils import translation

from tests.support.desk import DeskAt
from tongbao_connectors.authorisation import Role
from tongbao_connectors.desk.templatetags.desk import marked

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
PATHS = ("/account/", "/accounts/", "/accounts/add/", "/account/password/", "/account/token/")


def test_nothing_is_shown_before_login(desk_of_gd: DeskAt) -> None:
    """Every page but those of the login leads to the login, which knows where to go on."""
    stranger = desk_of_gd.stranger()

    for path in (*PATHS, "/nowhere/"):
        response = stranger.get(path)
        assert response.status_code == (404 if path == "/nowhere/" else 302), path
        if response.status_code == 302:
            assert response["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_page_is_whole(desk_of_gd: DeskAt, path: str, lang: str) -> None:
    """An administrator's pages: one h1, a strict policy, never stored, no inline script or style."""
    page = desk_of_gd.person(Role.ADMIN, "A-0900", lang=lang).get(path)

    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store" or "no-store" in page["Cache-Control"]
    assert set(page["Content-Security-Policy"].split("; ")) == POLICY
    assert page.text.count("<h1") == 1
    assert not re.search(r"<[^>]+\sstyle=|\son[a-z]+=|<script(?![^>]+src=)|<style", page.text)
    assert f'lang="{lang}"' in page.text[:200]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("zh-hans", "分派：演练甲 <b>（深圳）"),
        (
            "en",
            'Routed to <span lang="zh">演练甲</span> &lt;b&gt;（<span lang="zh">深圳）</span>',
        ),
    ],
)
def test_names_in_our_sentences_are_marked(lang: str, expected: str) -> None:
    """On an English page each run of Chinese says that it is, and nothing of it is markup."""
    words = {"zh-hans": "分派：演练甲 <b>（深圳）", "en": "Routed to 演练甲 <b>（深圳）"}[lang]
    with translation.override(lang):
        assert marked(words) == expected
        assert marked(marked(words)) == expected
