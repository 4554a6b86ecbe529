"""Every page of a desk in every state, with the roles that see it.

No scene changes what another shows: it opens a page and, where the page is the answer to a form, posts one
that the desk refuses or that only reads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import resolve
from playwright.sync_api import Page

from tests.browser.scenes import (
    ADMIN,
    FILE,
    GUANGDONG,
    HEAD,
    KNOWN,
    LOCKED,
    NEW,
    NOBODY,
    PASSWORD,
    POSTED,
    RECALLED,
    RECEIVER,
    REVIEWER,
    SUPERVISOR,
    ZHEJIANG,
    Scenes,
)
from tongbao_connectors.desk.inbox.lists import Tab
from tongbao_connectors.papers.following import FOLLOWS
from tongbao_schemas.codes import Category

OFFICERS = (RECEIVER, REVIEWER, HEAD)
READERS = (*OFFICERS, SUPERVISOR)
STAFF = (*READERS, ADMIN)
EVERYBODY = (*STAFF, POSTED)
ELSEWHERE = "01900000-0000-7000-8000-000000000000"
SUBMIT = "main form :is(button.primary, button.danger)"

Reach = Callable[[Page], None]


@dataclass(frozen=True)
class Scene:
    """A page in a state: who sees it, at which desk and path, and what is done to get there."""

    name: str
    path: str
    who: tuple[str, ...] = (RECEIVER,)
    desk: str = GUANGDONG
    reach: Reach | None = None
    status: int = 200

    @property
    def address(self) -> str:
        """The name of the address, as the table of addresses has it; empty where there is none."""
        if self.status == 404 and self.path == NO_PAGE:
            return ""
        return str(resolve(f"/{self.path.partition('?')[0]}").url_name)


NO_PAGE = "no/such/page/"
NOT_A_PAGE = {
    "badge": "a number inside other pages",
    "posted-badge": "a number inside other pages",
    "inbox-live": "cards for an inbox that is open",
    "draft-file": "hands out a file of one's own draft",
    "draft-act": "takes a form, leads to a draft, the drafts or the sent alert",
    "draft-again": "takes a form, leads to a draft",
    "draft-import": "takes a form, leads to a draft; refused: scene `draft-new: import refused`",
    "duty-agree": "takes a form, leads to the week",
    "duty-withdraw": "takes a form, leads to the week",
    "channel-test": "takes a form, leads to the channels",
    "keys": "takes a form, leads to the inbox",
    "keys-add-begin": "asked by a script for a security key",
    "keys-add-complete": "asked by a script for a security key",
    "login-key-begin": "asked by a script for a security key",
    "login-key-complete": "asked by a script for a security key",
    "language": "takes a form, leads back",
    "logout": "takes a form, leads to the login",
}
"""Addresses without a page of their own, and why."""


def pressed(selector: str = SUBMIT, **fields: str) -> Reach:
    """Fills fields by name and presses a button; the page is then what the desk answered."""

    def reach(page: Page) -> None:
        for name, text in fields.items():
            page.locator(f"[name={name}]").fill(text)
        with page.expect_navigation():
            page.locator(selector).first.click()

    return reach


def posted_to(path: str, selector: str) -> Reach:
    """Presses a button of a page that was opened before something changed."""

    def reach(page: Page) -> None:
        button = page.locator(selector).first
        button.evaluate("(each, path) => { each.form.action = path }", path)
        with page.expect_navigation():
            button.click()

    return reach


def saved_elsewhere(page: Page) -> None:
    """Saves a draft that has been saved by another window meanwhile."""
    page.locator("#revision").evaluate("each => { each.value = '0' }")
    page.locator("[name='body.title']").fill("演练：另一个窗口")
    with page.expect_navigation():
        page.locator(".end-bar button[value=save]").click()


def searched(words: str) -> Reach:
    """Searches by Enter."""

    def reach(page: Page) -> None:
        page.locator("#q").fill(words)
        with page.expect_navigation():
            page.locator("#q").press("Enter")

    return reach


def without_token(page: Page) -> None:
    """Posts a form of an earlier login."""
    page.locator("main [name=csrfmiddlewaretoken]").first.evaluate("each => each.remove()")
    with page.expect_navigation():
        page.locator(SUBMIT).first.click()


def gallery(made: Scenes) -> Iterator[Scene]:
    """All scenes."""
    yield from _frame()
    yield from _logins()
    yield from _inbox(made)
    yield from _messages(made)
    yield from _acts(made)
    yield from _sent(made)
    yield from _drafts(made)
    yield from _posted(made)
    yield from _duty()
    yield from _nothing()


def _frame() -> Iterator[Scene]:
    yield Scene("start", "", (RECEIVER, ADMIN))
    yield Scene("account", "account/", EVERYBODY)
    yield Scene("account: password changed", "account/?done=password")
    yield Scene("password", "account/password/", (ADMIN,))
    yield Scene("password: wrong", "account/password/", (ADMIN,), reach=pressed())
    yield Scene("token", "account/token/")
    yield Scene("token: wrong", "account/token/", reach=pressed())
    yield Scene("keys-own", "account/keys/")
    yield Scene("accounts", "accounts/", (ADMIN,))
    yield Scene("accounts-add", "accounts/add/", (ADMIN,))
    yield Scene("accounts-add: wrong", "accounts/add/", (ADMIN,), reach=pressed())
    yield Scene("accounts-one", "accounts/1/", (ADMIN,))
    yield Scene("no page", NO_PAGE, (RECEIVER, NOBODY), status=404)
    yield Scene("no right", "accounts/", (RECEIVER,), status=403)
    yield Scene("no right of an administrator", "inbox/", (ADMIN,), status=403)
    yield Scene("form out of date", "account/password/", (ADMIN,), reach=without_token)


def _logins() -> Iterator[Scene]:
    at = {"who": (NOBODY,), "desk": ZHEJIANG}
    known = pressed(username=KNOWN, password=PASSWORD)

    def wrong_code(page: Page) -> None:
        known(page)
        pressed(code="000000")(page)

    yield Scene("login", "login/", (NOBODY,))
    yield Scene("login: strict", "login/", **at)  # type: ignore[arg-type]
    yield Scene("login: kept", "login/?next=/drafts/1/&kept=1", **at)  # type: ignore[arg-type]
    yield Scene("login: empty", "login/", reach=pressed(), **at)  # type: ignore[arg-type]
    wrong = pressed(username="a-0999", password="wrong")
    yield Scene("login: wrong", "login/", reach=wrong, **at)  # type: ignore[arg-type]
    locked = pressed(username=LOCKED, password=PASSWORD)
    yield Scene("login: locked", "login/", reach=locked, **at)  # type: ignore[arg-type]
    yield Scene("login-second", "login/second/", (KNOWN,), ZHEJIANG)
    yield Scene("login-second: wrong", "login/", reach=wrong_code, **at)  # type: ignore[arg-type]
    yield Scene("login-enrol", "login/enrol/", (NEW,), ZHEJIANG)
    yield Scene("login-enrol: wrong", "login/enrol/", (NEW,), ZHEJIANG, pressed(code="000000"))


def _inbox(made: Scenes) -> Iterator[Scene]:
    yield Scene("inbox", "inbox/", READERS)
    for tab in Tab:
        yield Scene(f"inbox-tab: {tab.value}", f"inbox/{tab.value}/", (HEAD, RECEIVER))
    yield Scene("inbox: found", "inbox/", reach=searched("演练"))
    yield Scene("inbox: nothing found", "inbox/", reach=searched("没有这个词"))
    yield Scene("inbox: nothing left by the filter", "inbox/?status=test&level=flash&from=330000")
    yield Scene("inbox: just signed for", f"inbox/?signed={made.at['signed']}")
    yield Scene("inbox: somebody else was first", f"inbox/?taken={made.at['signed']}", (REVIEWER,))
    chosen = f"inbox/sign/?item={made.at['waiting']}&item={made.at['urgent']}&item={made.at['signed']}"
    yield Scene("sign-many", chosen)
    yield Scene("sign-many: nothing chosen", "inbox/sign/")


def _messages(made: Scenes) -> Iterator[Scene]:
    every = (
        *("overdue", "expired", "urgent", "routine", "signed", "assigned", "working", "asked", "answered"),
        *("returned", "closed", "cancelled", "update", "cancel", "reminder", "reply", "closure"),
    )
    yield Scene("message: waiting", f"m/{made.at['waiting']}/", READERS)
    for name in every:
        yield Scene(f"message: {name}", f"m/{made.at[name]}/")
    yield Scene("message: assigned to the reader", f"m/{made.at['assigned']}/", (REVIEWER,))
    yield Scene("message: working, for the leader", f"m/{made.at['working']}/", (HEAD,))
    where = f"m/{made.at['urgent']}/"
    read = pressed(why="演练检查")
    yield Scene("message: no reason given", where, (SUPERVISOR,), reach=pressed())
    yield Scene("message: opened with a reason", where, (SUPERVISOR,), reach=read)
    taken = f"m/{made.at['signed']}/?taken={made.at['signed']}"
    yield Scene("message: somebody else was first", taken, (REVIEWER,))
    yield Scene("message: of nobody", f"m/{ELSEWHERE}/", status=404)
    yield Scene("message-print: asks", f"m/{made.at['waiting']}/print/")
    yield Scene("message-print: no reason", f"m/{made.at['waiting']}/print/", reach=pressed())
    for name in ("waiting", "reply", "closed"):
        yield Scene(f"message-print: {name}", f"m/{made.at[name]}/print/", reach=pressed(why="入卷"))
    yield Scene("message-export: asks", f"m/{made.at['waiting']}/export/")
    a_file = f"files/{FILE.digest.removeprefix('sha256:')}/"
    yield Scene("message-file: asks", f"m/{made.at['routine']}/{a_file}", (SUPERVISOR,))
    yield Scene("sent-file: asks", f"sent/{made.at['own closed']}/{a_file}", (HEAD,))


def _acts(made: Scenes) -> Iterator[Scene]:
    of = {
        "waiting": ("return", "redirect", "phone"),
        "working": ("progress", "result", "ask", "more-time", "remind-me", "reassign"),
        "signed": ("assign",),
        "reminder": ("reply",),
    }
    for state, acts in of.items():
        for act in acts:
            where = f"m/{made.at[state]}/{act}/"
            yield Scene(f"message-act: {act}", where)
            yield Scene(f"message-act: {act}, wrong", where, reach=pressed())
    late = posted_to(f"/m/{made.at['closed']}/start/", "#acts form button")
    yield Scene("message-act: too late", f"m/{made.at['signed']}/", reach=late)


def _sent(made: Scenes) -> Iterator[Scene]:
    yield Scene("sent", "sent/", READERS)
    for name in ("own open", "own asked", "own closed", "own rejected", "own refused", "own unsealed"):
        yield Scene(f"sent-one: {name}", f"sent/{made.at[name]}/", (HEAD,))
    yield Scene("sent-one: for a supervisor", f"sent/{made.at['own open']}/", (SUPERVISOR,))
    opened = pressed("main form:has(#why) button", why="演练检查")
    yield Scene("sent-one: opened", f"sent/{made.at['own open']}/", (HEAD,), reach=opened)
    printed = pressed(why="入卷")
    yield Scene("sent-print: asks", f"sent/{made.at['own open']}/print/", (HEAD,))
    yield Scene("sent-print", f"sent/{made.at['own open']}/print/", (HEAD,), reach=printed)
    yield Scene("sent-export: asks", f"sent/{made.at['own open']}/export/", (HEAD,))
    yield Scene("sent-one: done", f"sent/{made.at['own open']}/?done=remind", (HEAD,))
    for act in FOLLOWS:
        where = f"sent/{made.at['own asked' if act == 'reply' else 'own open']}/{act}/"
        yield Scene(f"sent-act: {act}", where, (HEAD,))
        yield Scene(f"sent-act: {act}, wrong", where, (HEAD,), reach=pressed())


def _posted(made: Scenes) -> Iterator[Scene]:
    yield Scene("posted", "posted/", (POSTED, RECALLED))
    yield Scene("posted-way", "posted/in/", (POSTED,))
    for name in ("own open", "own asked", "own closed", "waiting", "closed"):
        yield Scene(f"posted-one: {name}", f"posted/m/{made.at[name]}/", (POSTED,))
    yield Scene("posted-one: done", f"posted/m/{made.at['own open']}/?done=remind", (POSTED,))
    for act, address in (("remind", "urge"), ("comment", "remark")):
        where = f"posted/m/{made.at['own open']}/{act}/"
        yield Scene(f"posted-{address}", where, (POSTED,))
        yield Scene(f"posted-{address}: wrong", where, (POSTED,), reach=pressed())


def _drafts(made: Scenes) -> Iterator[Scene]:
    yield Scene("drafts", "drafts/", READERS)
    for tab in ("review", "issue"):
        yield Scene(f"drafts: {tab}", f"drafts/?tab={tab}", (REVIEWER,))
    yield Scene("draft-new", "drafts/new/")
    refused = pressed("main form:has([name=text]) button", text="[1, 2]")
    yield Scene("draft-new: import refused", "drafts/new/", reach=refused)
    for category in Category:
        where = made.drafts[category.value][1:]
        yield Scene(f"draft: {category.value}", where)
        yield Scene(f"draft: {category.value}, wrong", f"{where}?checked=1")
    yield Scene("draft-category", f"{made.drafts['online'][1:]}category/")
    yield Scene("draft: saved elsewhere", made.drafts["online"][1:], reach=saved_elsewhere)
    where = made.drafts["reviewing"][1:]
    yield Scene("draft: reviewing", where, (RECEIVER, REVIEWER))
    sent_back = pressed("button[value=send_back]")
    yield Scene("draft: sent back without a word", where, (REVIEWER,), reach=sent_back)
    yield Scene("draft: approved", made.drafts["approved"][1:], (RECEIVER, HEAD))
    yield Scene("draft: sent back", made.drafts["sent back"][1:])
    yield Scene("draft: one's own to review", made.drafts["own"][1:], (HEAD,))


def _duty() -> Iterator[Scene]:
    yield Scene("duty", "duty/?unit=intel", STAFF)
    yield Scene("duty: the whole province", "duty/", (HEAD,))
    for change, who in (("override", HEAD), ("substitute", RECEIVER), ("swap", RECEIVER)):
        yield Scene(f"duty-{change}", f"duty/{change}/?unit=intel", (who,))
        yield Scene(f"duty-{change}: wrong", f"duty/{change}/?unit=intel", (who,), reach=pressed())
    yield Scene("handover", "handover/", OFFICERS)
    yield Scene("notifications", "notifications/", STAFF)


def _nothing() -> Iterator[Scene]:
    for path in (
        "inbox/",
        "inbox/mine/",
        "inbox/group/",
        "inbox/done/",
        "sent/",
        "drafts/",
        "drafts/?tab=review",
    ):
        yield Scene(f"nothing there: {path}", path, (HEAD,), ZHEJIANG)
    for path in ("handover/", "notifications/", "duty/"):
        yield Scene(f"nothing there: {path}", path, (HEAD,), ZHEJIANG)
    yield Scene("nothing there: accounts", "accounts/", (ADMIN,), ZHEJIANG)
