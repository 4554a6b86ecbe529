"""What an officer may do with a message now: no act is shown that can't be done.

1. The primary act is the next normal step; beside it its sibling; then two groups, for who needs help or time
   and for what isn't the reader's to do.
2. The state decides by `case_rules`, the person by `authorisation`. Nothing is shown disabled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tongbao_broker.errors import Words
from tongbao_connectors.authorisation import Thing, Verb, Who, decide
from tongbao_connectors.case_rules import Act, State, allowed
from tongbao_connectors.store.models import InboxItem
from tongbao_schemas.codes import MessageType

WHICH: Final = {
    "claim": (Act.CLAIM, Verb.SIGN, Words("签收", "Sign for")),
    "assign": (Act.ASSIGN, Verb.ASSIGN, Words("交办", "Assign")),
    "reassign": (Act.ASSIGN, Verb.ASSIGN, Words("改派", "Reassign")),
    "start": (Act.START, Verb.WORK, Words("开始核查", "Start")),
    "progress": (Act.PROGRESS, Verb.ANSWER, Words("阶段反馈", "Progress")),
    "result": (Act.RESULT, Verb.ANSWER, Words("反馈结果", "Result")),
    "return": (Act.RETURN, Verb.ANSWER, Words("退回补正", "Return")),
    "redirect": (Act.REDIRECT, Verb.ANSWER, Words("建议改发", "Redirect")),
    "more-time": (Act.MORE_TIME, Verb.ANSWER, Words("申请延期", "More time")),
    "ask": (Act.ASK, Verb.ANSWER, Words("请求补充", "Ask for more")),
    "remind-me": (Act.REMIND_ME, Verb.REMIND, Words("提醒我", "Remind me")),
    "lift": (Act.LIFT, Verb.SIGN, Words("确认撤控", "Confirm lifting")),
    "phone": (Act.CLAIM, Verb.SIGN, Words("电话签收代录", "Taken by phone")),
}
"""Each act by the word in its address: rule of the case, right of the person, its name."""

REPLY: Final = Words("回复", "Reply")
REPLIED_TO: Final = frozenset({MessageType.REPLY, MessageType.REMINDER, MessageType.ANSWER})
HELP: Final = ("ask", "more-time", "remind-me")
NOT_MINE: Final = ("reassign", "redirect", "return")
AT_ONCE: Final = frozenset({"claim", "start", "undo", "lift"})
"""Done by one press, without a form."""
SIGNS_TOO: Final = frozenset({"return", "redirect"})
"""Whoever may sign for a waiting alert can do this at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An act that can be done now."""

    name: str
    said: Words

    @property
    def at_once(self) -> bool:
        return self.name in AT_ONCE


@dataclass(frozen=True, slots=True)
class Choices:
    """The acts that can be done now, as a page groups them."""

    primary: Choice | None
    siblings: tuple[Choice, ...]
    help: tuple[Choice, ...]
    not_mine: tuple[Choice, ...]

    def __bool__(self) -> bool:
        return bool(self.primary or self.siblings or self.help or self.not_mine)


def choices(item: InboxItem, thing: Thing, who: Who, at: datetime) -> Choices:
    """What this person can do with a received message now."""
    if item.message.type != MessageType.ALERT:
        return _of_letter(item, thing, who)
    can = [name for name in WHICH if _can(name, item.state, thing, who)]
    if item.message.expires_at <= at:
        can = [name for name in can if name not in ("claim", "phone")]
    if item.closed_at is not None:
        can = [name for name in can if name != "lift"]
    order = [name for name in _normal(State(item.state)) if name in can]
    return Choices(
        primary=_choice(order[0]) if order else None,
        siblings=tuple(_choice(name) for name in order[1:]),
        help=tuple(_choice(name) for name in HELP if name in can),
        not_mine=tuple(_choice(name) for name in NOT_MINE if name in can and name not in order),
    )


def may_reply(item: InboxItem, thing: Thing, who: Who) -> bool:
    """Whether he can reply to a question, an answer or a reminder that lies with him."""
    open_yet = item.state in (State.WAITING.value, State.READ.value)
    return item.message.type in REPLIED_TO and open_yet and bool(decide(who, Verb.SIGN, thing))


def other_signers(thing: Thing, who: Who) -> tuple[str, ...]:
    """Who else may sign for it, so that he can do so by phone."""
    return tuple(sorted({thing.accountable, *thing.asked} - {"", who.officer_ref}))


def _of_letter(item: InboxItem, thing: Thing, who: Who) -> Choices:
    reply = Choice("reply", REPLY) if may_reply(item, thing, who) else None
    asked = item.message.type != MessageType.ANSWER
    return Choices(reply if asked else None, () if asked or reply is None else (reply,), (), ())


def _can(name: str, state: str, thing: Thing, who: Who) -> bool:
    act, verb, _ = WHICH[name]
    if not allowed(act, state):
        return False
    if name == "phone" and not other_signers(thing, who):
        return False
    if name in SIGNS_TOO and state == State.WAITING.value:
        return bool(decide(who, Verb.SIGN, thing))
    return bool(decide(who, verb, thing))


def _normal(state: State) -> tuple[str, ...]:
    """The next steps in their order."""
    return {
        State.WAITING: ("claim", "phone"),
        State.CLAIMED: ("start", "assign"),
        State.ASSIGNED: ("start", "progress"),
        State.WORKING: ("progress", "result"),
        State.ANSWERED: ("progress", "result"),
        State.CANCELLED: ("lift",),
    }.get(state, ())


def _choice(name: str) -> Choice:
    return Choice(name, WHICH[name][2])


OTHER_NAMES: Final[Mapping[str, Words]] = {
    "undo": Words("撤回", "Undo"),
    "reply": REPLY,
    "print": Words("打印", "Print"),
    "export": Words("导出", "Export"),
    "file": Words("打开附件", "Open the file"),
}


def name_of(name: str) -> Words:
    """What an act is called."""
    return OTHER_NAMES[name] if name in OTHER_NAMES else WHICH[name][2]
