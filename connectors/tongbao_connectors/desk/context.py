"""What every page says beside its own: whose desk, which network, who, since when, and where to go.

1. Navigation names only pages that exist and that the person may see.
2. A page carries its own time. When the exchange's last sign of life is older than `STALE_AFTER`, the page
   says since when, what still works and how much waits.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from tongbao_broker.errors import Words
from tongbao_connectors.authorisation import Role, Verb, Who, decide
from tongbao_connectors.desk import access
from tongbao_connectors.desk.here import desk
from tongbao_connectors.desk.language import pick
from tongbao_connectors.desk.middleware import GREET
from tongbao_connectors.desk.models import Account
from tongbao_connectors.desk.posted.lists import count_unseen
from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.papers import lists
from tongbao_connectors.store.models import Draft, ExchangeHead, InboxItem, Outbox, StageReport

STALE_AFTER = timedelta(seconds=150)
DEMO = "demo"

PAGES = (
    ("inbox", Verb.SEE_INBOX, Words("收件箱", "Inbox"), "inbox", ("inbox", "message", "sign-many")),
    ("posted", Verb.FOLLOW, Words("往来协查", "Home and host"), "swap", ("posted",)),
    ("sent", Verb.SEE_SENT, Words("发件", "Sent"), "send", ("sent", "draft")),
    ("accounts", Verb.MANAGE_ACCOUNTS, Words("账号", "Accounts"), "people", ("accounts",)),
    ("duty", Verb.SEE_DUTY, Words("值班", "Duty"), "calendar", ("duty",)),
    ("handover", Verb.HAND_OVER, Words("交接", "Handover"), "swap", ("handover",)),
    ("notifications", Verb.SEE_CHANNELS, Words("通知", "Notices"), "bell", ("notifications", "channel")),
)


@dataclass(frozen=True)
class Place:
    """One entry of the navigation; `badge` is the address at which its count is asked for again."""

    name: str
    href: str
    words: str
    icon: str
    current: bool
    count: int = 0
    badge: str = ""


@dataclass(frozen=True)
class Tape:
    """The line under the bar: which network, and whether the exchange answers."""

    kind: Literal["exercise", "test", "actual"]
    words: Words
    network: str
    rule: Words
    heard_at: datetime | None


@dataclass(frozen=True)
class Stale:
    """Since when nothing is heard, what works all the same, how much waits."""

    since: Words
    works: Words
    unsent: Words


def page(request: HttpRequest) -> dict[str, Any]:
    """The context of every page."""
    here = desk()
    now = here.now()
    facts: dict[str, Any] = {
        "desk_name": pick(here.name),
        "network": here.network,
        "page_time": now,
        "here": request.get_full_path(),
    }
    account = request.user
    if not isinstance(account, Account) or not hasattr(request, "who"):
        return facts | {"tape": tape(here.network, None), "who": None, "nav": ()}
    who = access.who_asks(request)
    heard = ExchangeHead.objects.order_by("-at").values_list("at", flat=True).first()
    return facts | {
        "tape": tape(here.network, heard),
        "who": who,
        "account": account,
        "role": Role(account.role),
        "on_duty": [here.roster().units[unit].name for unit in sorted(who.on_duty)],
        "nav": tuple(navigation(request, who)),
        "stale": stale(heard, now),
        "greet": _greet(request),
    }


def _greet(request: HttpRequest) -> bool:
    """Whether this is the first page after a login, which tells of the login before."""
    if request.headers.get("HX-Request") or request.method != "GET":
        return False
    return bool(request.session.pop(GREET, False))


def tape(network: str, heard: datetime | None) -> Tape:
    """What kind of network this is; only a production network is neither for exercises nor for tests."""
    no_action = Words("不得据此采取真实行动", "No real action may rest on it")
    if network == DEMO or network.startswith("exercise"):
        name = Words("演示网", "Demo network") if network == DEMO else Words("演练网", "Exercise network")
        return Tape("exercise", name, network, no_action, heard)
    if network.startswith("test"):
        return Tape("test", Words("测试网", "Test network"), network, no_action, heard)
    return Tape("actual", Words("警务工作秘密", "Police work secret"), network, Words("", ""), heard)


def navigation(request: HttpRequest, who: Who) -> Iterator[Place]:
    """Rule 1."""
    at = request.resolver_match.url_name if request.resolver_match else ""
    for name, verb, words, icon, prefixes in PAGES:
        href = _href(name)
        if href and decide(who, verb):
            current = bool(at) and str(at).startswith(prefixes)
            count = COUNTS[name](who) if name in COUNTS else 0
            yield Place(
                name, href, pick(words), icon, current, count, _href(BADGES[name]) if name in BADGES else ""
            )


def waiting(who: Who) -> int:
    """How many alerts and other messages that are signed for wait for someone, as far as this person sees."""
    return access.visible(InboxItem.objects.filter(state=InboxItem.State.WAITING), who).count()


COUNTS: Final[Mapping[str, Callable[[Who], int]]] = {
    "inbox": waiting,
    "posted": count_unseen,
    "sent": lists.to_decide,
}
"""What waits for a person behind an entry of the navigation."""
BADGES: Final[Mapping[str, str]] = {"inbox": "badge", "posted": "posted-badge"}
"""The counts that a page which is open asks for again, by the names of their addresses."""


def stale(heard: datetime | None, now: datetime) -> Stale | None:
    """Rule 2; None while the exchange is heard, and before it was ever heard."""
    if heard is None or now - heard <= STALE_AFTER:
        return None
    since = heard.astimezone(BEIJING)
    time = f"{since:%H:%M}" if now - heard < timedelta(hours=12) else f"{since:%m-%d %H:%M}"
    count = unsent()
    return Stale(
        Words(f"连接中断，{time} 起未更新。", f"No connection, not updated since {time}."),
        Words(
            "仍可查看、拟稿、签收，恢复后自动发出。",
            "Reading, drafting and signing still work and are sent when it is back.",
        ),
        Words(f"待发 {count} 件。", f"{count} waiting to be sent."),
    )


def unsent() -> int:
    """What waits to be sent: drafts, sealed messages, stages that no receipt carries yet."""
    drafts = Draft.objects.filter(state=Draft.State.DRAFTED).count()
    sealed = Outbox.objects.filter(state=Outbox.State.SEALED).count()
    return drafts + sealed + StageReport.objects.filter(pending=True).count()


def _href(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
