"""Whatever somebody types, no page breaks: what no database keeps is refused or shown as a fault."""

import re
from html import unescape

import pytest

from tests.support.desk import text
from tests.unit.desk.test_rights_over_http import ADMIN, FAR, LEADER, NEAR, Place, acts, addresses
from tests.unit.desk.test_rights_over_http import place as _place

place = _place

FORM = re.compile(r"<form\b(.*?)</form>", re.DOTALL)
FIELD = re.compile(r'<(?:input|textarea|select|button)\b[^>]*?\bname="([^"]+)"')
ACTION = re.compile(r'\baction="([^"]*)"')
KEPT = {"csrfmiddlewaretoken", "act", "step"}
NOT_TRIED = ("/logout/", "/password/")
ODD = {
    "a null character": "演练\0甲",
    "a text longer than any column": "长" * 5000,
    "a number larger than any column": "9" * 40,
}


def forms(page: str, path: str) -> list[tuple[str, list[str]]]:
    """Where the forms of a page go, and their fields."""
    found = []
    for form in FORM.findall(page):
        action = ACTION.search(form)
        found.append((unescape(action[1]) if action and action[1] else path, FIELD.findall(form)))
    return found


@pytest.fixture(scope="module")
def seen(place: Place) -> list[tuple[str, str, tuple[str, ...]]]:
    """Every form that each of some people sees: who, where it goes, its fields."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for who in (LEADER, FAR, NEAR, ADMIN):
        for path, allowed in {**addresses(place), **acts(place)}.values():
            answer = place.people[who].get(path) if who in allowed else None
            if answer is not None and answer.status_code == 200 and "html" in answer.headers["Content-Type"]:
                found |= {(who, to): tuple(fields) for to, fields in forms(text(answer), path)}
    return [(who, to, fields) for (who, to), fields in found.items() if not to.startswith(NOT_TRIED)]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_no_form_breaks(place: Place, seen: list[tuple[str, str, tuple[str, ...]]], odd: str) -> None:
    """Every field of every form that somebody sees takes it, refuses it or says what is wrong."""
    broken = []
    for who, path, fields in seen:
        for kept in (set(), KEPT):
            given = {field: field if field in kept else odd for field in fields}
            if place.people[who].post(path, given).status_code >= 500:
                broken.append((who, path, sorted(given)))

    assert broken == []


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_no_address_breaks(place: Place, odd: str) -> None:
    """What stands behind the question mark is somebody's typing as well."""
    broken = []
    for name, (path, allowed) in addresses(place).items():
        if LEADER in allowed:
            asked = dict.fromkeys(
                ("q", "page", "state", "from", "until", "item", "kind", "tab", "next", "why"), odd
            )
            if place.people[LEADER].get(path, asked).status_code >= 500:
                broken.append(name)

    assert broken == []


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_the_login_does_not_break(place: Place, odd: str) -> None:
    """Name, password and where one wants to go to."""
    stranger = place.people["stranger"]

    assert stranger.post("/login/", {"username": odd, "password": odd, "next": odd}).status_code < 500
