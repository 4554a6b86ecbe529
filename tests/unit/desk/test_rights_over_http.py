"""Every address × person × method at a province's desk: who gets in is written here once more, by hand.

Objects: an alert that lies in the intelligence unit, alerts that this province sent to the province whence
that came and to a third one, a draft, an alert that only the other province has, one that nobody has. One
officer is posted at the other province, the posting of another one is over. Whatever is not allowed changes
nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.support.databases import DESK
from tests.support.desk import Browser, DeskAt
from tests.support.posting import post, posting
from tests.support.province import Network, Province, alert, alert_body
from tongbao_broker import database
from tongbao_connectors import drafts
from tongbao_connectors.authorisation import Role, Who
from tongbao_connectors.drafts import Draft
from tongbao_connectors.files import File
from tongbao_connectors.papers import attaching, drafting
from tongbao_connectors.papers.drafting import Hand
from tongbao_connectors.store.models import InboxItem
from tongbao_schemas.codes import Category

NEAR, FAR, REVIEWER, LEADER = "near", "far", "reviewer", "leader"
ADMIN, SUPERVISOR, CLOSED, STRANGER = "admin", "supervisor", "closed", "stranger"
POSTED, RECALLED = "posted", "recalled"
PEOPLE = {
    NEAR: (Role.RECEIVER, "A-0117"),
    FAR: (Role.RECEIVER, "A-0120"),
    REVIEWER: (Role.REVIEWER, "A-0118"),
    LEADER: (Role.LEADER, "A-0001"),
    ADMIN: (Role.ADMIN, "A-0900"),
    SUPERVISOR: (Role.SUPERVISOR, "A-0901"),
    POSTED: (Role.POSTED, "A-0301"),
    RECALLED: (Role.POSTED, "A-0302"),
}
OUTSIDE = {CLOSED, STRANGER}
ALL = set(PEOPLE)
STAFF = ALL - {POSTED, RECALLED}
OFFICERS = {NEAR, FAR, REVIEWER, LEADER}
READERS = OFFICERS | {SUPERVISOR}
SEES_INTEL = {NEAR, REVIEWER, LEADER, SUPERVISOR}
NOBODY: set[str] = set()
PUBLIC = {"login", "login-second", "login-enrol", "login-key-begin", "login-key-complete", "language"}
NOWHERE = UUID("01900000-0000-7000-8000-000000000000")
CHANGED_BY_LOOKING = {"sessions.Session", "axes.AccessAttempt", "axes.AccessLog", "axes.AccessFailureLog"}


@dataclass
class Place:
    """A desk with its people, and the objects that the addresses are about."""

    gd: Province
    people: dict[str, Browser]
    received: str
    sent: str
    of_another: str
    of_a_third: str
    draft: int
    enclosed: int

    def state(self) -> str:
        """A digest of everything that the desk has written down, logins apart."""
        with self.gd.here():
            rows = [
                (model._meta.label, sorted(map(repr, model._default_manager.values_list())))
                for model in apps.get_models()
                if model._meta.label not in CHANGED_BY_LOOKING and database_has(model._meta.app_label)
            ]
        return hashlib.sha256(repr(rows).encode()).hexdigest()


def database_has(label: str) -> bool:
    return database.Router().allow_migrate(database.current(), label)


FILE = File.read("演练.txt", "演练".encode())
DIGEST = FILE.digest.removeprefix("sha256:")


def with_file(sender: Province, client_ref: str, to: str) -> Draft:
    """An alert that comes with a file."""
    body = json.loads(alert_body(attachments=[FILE.note()]))
    now, data = sender.net.clock.now(), alert(client_ref, to, body=body)
    with sender.here():
        return drafts.submit(data, origin=sender.code, by="A-0120", now=now, files=[FILE])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    net = Network(Path(tmp_path_factory.mktemp("rights")), apps=DESK)
    gz, gd = net.province("520000"), net.province("440000")
    at = DeskAt(gd)
    own, other = with_file(gd, "b-1", "520000"), gz.submit(alert("a-2", "330000"))
    with_file(gz, "a-1", "440000")
    third = gd.submit(alert("b-2", "330000"))
    now = net.clock.now()
    over = posting(now, days=(-9, -1), officer_ref="A-0302", home="440000", host="520000")
    post(net, posting(now, home="440000", host="520000"), over)
    with gd.here():
        item = InboxItem.objects.select_related("message").get(message__type="alert")
    people = {name: at.person(role, ref, unit="duty") for name, (role, ref) in PEOPLE.items()}
    people[CLOSED] = at.person(Role.LEADER, "A-0333")
    at.account(Role.LEADER, "A-0333")
    with gd.here():
        from tongbao_connectors.desk.models import Account

        Account.objects.filter(officer_ref="A-0333").update(is_active=False)
        draft = drafting.begin(Category.ONLINE, Hand.of(Who(PEOPLE[FAR][1], Role.RECEIVER, "duty"), at.desk))
        attaching.attach(draft, [(FILE.name, FILE.content)])
        [enclosed] = attaching.listed(draft)
    people[STRANGER] = at.stranger()
    yield Place(
        gd,
        people,
        item.message.message_id,
        own.message_id,
        other.message_id,
        third.message_id,
        draft.pk,
        enclosed.pk,
    )
    database.close()


def addresses(place: Place) -> "Addresses":
    """Every page that can be looked at (GET), and who may."""
    about = {"received": place.received, "sent": place.sent}
    strange = {"of another": place.of_another, "of nobody": str(NOWHERE)}

    def at(address: str, **kwargs: Any) -> str:
        return reverse(address, kwargs=kwargs)

    found = {
        "start": (at("start"), ALL),
        "account": (at("account"), ALL),
        "password": (at("password"), ALL),
        "token": (at("token"), ALL),
        "keys-own": (at("keys-own"), ALL),
        "accounts": (at("accounts"), {ADMIN}),
        "accounts-add": (at("accounts-add"), {ADMIN}),
        "accounts-one": (at("accounts-one", pk=1), {ADMIN}),
        "inbox": (at("inbox"), READERS),
        "inbox-tab": (at("inbox-tab", tab="group"), READERS),
        "badge": (at("badge"), READERS),
        "sign-many": (at("sign-many"), READERS),
        "sign-many, ids": (f"{at('sign-many')}?item={place.received}&item={place.of_another}", READERS),
        "message": (at("message", message_id=about["received"]), SEES_INTEL),
        "message-print": (at("message-print", message_id=about["received"]), SEES_INTEL),
        "message-export": (at("message-export", message_id=about["received"]), SEES_INTEL),
        "message-file": (at("message-file", message_id=about["received"], digest=DIGEST), SEES_INTEL),
        "message-file, sent": (at("message-file", message_id=about["sent"], digest=DIGEST), NOBODY),
        "message-act, assign": (at("message-act", message_id=about["received"], name="assign"), {LEADER}),
        "message-act, return": (
            at("message-act", message_id=about["received"], name="return"),
            {NEAR, REVIEWER},
        ),
        "message-act, result": (at("message-act", message_id=about["received"], name="result"), NOBODY),
        "message, sent": (at("message", message_id=about["sent"]), READERS),
        "sent": (at("sent"), READERS),
        "sent-one": (at("sent-one", message_id=about["sent"]), READERS),
        "sent-one, received": (at("sent-one", message_id=about["received"]), NOBODY),
        "sent-print": (at("sent-print", message_id=about["sent"]), READERS),
        "sent-export": (at("sent-export", message_id=about["sent"]), READERS),
        "sent-print, received": (at("sent-print", message_id=about["received"]), NOBODY),
        "sent-file": (at("sent-file", message_id=about["sent"], digest=DIGEST), READERS),
        "sent-file, received": (at("sent-file", message_id=about["received"], digest=DIGEST), NOBODY),
        "sent-act, reissue": (at("sent-act", message_id=about["sent"], name="reissue"), {FAR, LEADER}),
        "drafts": (at("drafts"), READERS),
        "draft-new": (at("draft-new"), OFFICERS),
        "draft": (at("draft", number=place.draft), {FAR, REVIEWER, LEADER}),
        "draft-file": (at("draft-file", number=place.draft, key=place.enclosed), {FAR, REVIEWER, LEADER}),
        "draft-file, none": (at("draft-file", number=place.draft, key=999), NOBODY),
        "draft-category": (at("draft-category", number=place.draft), {FAR}),
        "draft, none": (at("draft", number=999), NOBODY),
        "draft-category, none": (at("draft-category", number=999), NOBODY),
        "duty": (at("duty"), STAFF),
        "duty-override": (at("duty-override"), OFFICERS),
        "duty-substitute": (at("duty-substitute"), OFFICERS),
        "duty-swap": (at("duty-swap"), OFFICERS),
        "handover": (at("handover"), OFFICERS),
        "notifications": (at("notifications"), STAFF),
        "posted": (at("posted"), {POSTED, RECALLED}),
        "posted-way": (at("posted-way", way="in"), {POSTED, RECALLED}),
        "posted-badge": (at("posted-badge"), {POSTED, RECALLED}),
        "posted-one": (at("posted-one", message_id=about["sent"]), {POSTED}),
        "posted-one, received": (at("posted-one", message_id=about["received"]), {POSTED}),
        "posted-one, of a third": (at("posted-one", message_id=place.of_a_third), NOBODY),
        "posted-urge": (at("posted-urge", message_id=about["sent"]), {POSTED}),
        "posted-urge, received": (at("posted-urge", message_id=about["received"]), NOBODY),
        "posted-urge, of a third": (at("posted-urge", message_id=place.of_a_third), NOBODY),
        "posted-remark": (at("posted-remark", message_id=about["sent"]), {POSTED}),
        "posted-remark, received": (at("posted-remark", message_id=about["received"]), {POSTED}),
        "posted-remark, of a third": (at("posted-remark", message_id=place.of_a_third), NOBODY),
    }
    for what, message_id in strange.items():
        for name in ("message-print", "message-export", "sent-one", "posted-one", "posted-urge"):
            found[f"{name}, {what}"] = (at(name, message_id=message_id), NOBODY)
        for name in ("message-file", "sent-file"):
            found[f"{name}, {what}"] = (at(name, message_id=message_id, digest=DIGEST), NOBODY)
        for act in ("claim", "assign", "open", "no-such-act"):
            found[f"message-act {act}, {what}"] = (at("message-act", message_id=message_id, name=act), NOBODY)
    return found


Addresses = dict[str, tuple[str, set[str]]]

POSTED_ONLY = {
    "keys",
    "keys-add-begin",
    "keys-add-complete",
    "inbox-live",
    "logout",
    "draft-import",
    "draft-act",
    "draft-again",
    "duty-agree",
    "duty-withdraw",
    "channel-test",
}
BY_OTHER_TESTS = {"sent-act"}


def names_of(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names_of(pattern.url_patterns)
        else:
            yield str(pattern.name)


def everybody(table: Addresses) -> Iterator[tuple[tuple[str, tuple[str, set[str]]], str]]:
    """Every address × person. Who is posted no more has the role of who is: only their own pages differ."""
    for each, who in product(table.items(), [*PEOPLE, *OUTSIDE]):
        if who != RECALLED or each[0].startswith("posted"):
            yield each, who


def test_no_address_is_left_out(place: Place) -> None:
    """A new page has to be put into this table, or the table is wrong."""
    known = {name.split(",")[0].split(" ")[0] for name in addresses(place)} | POSTED_ONLY | PUBLIC

    assert set(names_of(get_resolver().url_patterns)) == known | BY_OTHER_TESTS


def test_who_may_look(place: Place) -> None:
    """Every address × person, by GET: a page for whom it is for; else no right or not found."""
    wrong = []
    for (name, (path, allowed)), who in everybody(addresses(place)):
        status = place.people[who].get(path).status_code
        expected = {200, 302} if who in allowed else {302} if who in OUTSIDE else {403, 404}
        if status not in expected:
            wrong.append((name, who, status))

    assert wrong == []


def test_strangers_see_only_the_login(place: Place) -> None:
    """Without a login, or with a closed account, every address leads to the login."""
    for (_, (path, _)), who in product(addresses(place).items(), OUTSIDE):
        assert place.people[who].get(path)["Location"].startswith("/login/")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_do_nothing(place: Place, method: str) -> None:
    """No address takes them, whoever asks, and nothing changes."""
    before, wrong = place.state(), []
    for (name, (path, _)), who in product(addresses(place).items(), [LEADER, FAR, STRANGER]):
        status = place.people[who].request(method, path).status_code
        if status not in ({302} if who == STRANGER else {403, 404, 405}):
            wrong.append((name, who, status))

    assert wrong == []
    assert place.state() == before


def test_forms_of_whom_it_is_not_for_change_nothing(place: Place) -> None:
    """POST by everybody who may not: with no field, with foreign ids, with a role of his own choosing."""
    forms: list[dict[str, Any]] = [
        {},
        {"item": [place.received, place.of_another, str(NOWHERE)], "to": "A-0120", "why": "x", "text": "x"},
        {"act": "change", "role": "admin", "certificate": "", "username": "new", "officer_ref": "A-0001"},
    ]
    posts = {**addresses(place), **acts(place)}
    before, wrong = place.state(), []
    for (name, (path, allowed)), who in everybody(posts):
        if who in allowed:
            continue
        for form in forms:
            status = place.people[who].post(path, form).status_code
            if status not in ({302} if who in OUTSIDE else {403, 404, 405, 409}):
                wrong.append((name, who, status))

    assert wrong == []
    assert place.state() == before


def acts(place: Place) -> "Addresses":
    """Every act on the received alert while it waits, and who may."""
    signs = {NEAR, REVIEWER}

    def at(name: str) -> str:
        return reverse("message-act", kwargs={"message_id": place.received, "name": name})

    return {
        "claim": (at("claim"), signs),
        "start": (at("start"), NOBODY),
        "undo": (at("undo"), NOBODY),
        "progress": (at("progress"), NOBODY),
        "assign": (at("assign"), {LEADER}),
        "open": (at("open"), SEES_INTEL),
        "channel-test": (reverse("channel-test", kwargs={"name": "mail"}), {ADMIN}),
        "draft-import": (reverse("draft-import"), OFFICERS),
        "keys": (reverse("keys"), READERS),
        "inbox-live": (reverse("inbox-live", kwargs={"tab": "waiting"}), READERS),
    }


def test_bulk_signing_takes_only_what_one_may_sign(place: Place) -> None:
    """Foreign and unknown ids among the chosen ones are passed over; a supervisor's choice signs nothing."""
    before = place.state()
    form = {"item": [place.received, place.of_another, place.sent, str(NOWHERE)]}
    for who in (FAR, SUPERVISOR):
        assert place.people[who].post(reverse("sign-many"), form).status_code in (302, 403)

    assert place.state() == before


def test_another_provinces_login_opens_nothing_here(place: Place) -> None:
    """A session of one desk is unknown at another: each has its own in its own database."""
    with place.gd.here():
        known = place.people[LEADER].session
    elsewhere = Browser(place.gd.net.provinces["520000"], None)
    DeskAt(place.gd.net.provinces["520000"])
    elsewhere.take(known)

    assert elsewhere.get("/account/")["Location"].startswith("/login/")
