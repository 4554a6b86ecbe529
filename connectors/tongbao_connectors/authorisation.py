"""Who may do what at a province's desk: one function that every view, list, export and search asks.

1. `decide` is pure: who asks, what for, about which thing; the answer says whether, and if not, who can.
2. A role says what a person may ever do, the thing whether this person may do it here. Both must agree.
   The empty thing asks for the role alone: may he ever?
3. Near to a received message are the accountable officer, those asked too, who signed for it, who works on
   it, and whoever is on duty for its unit. For them the reason of opening a body is automatic; everybody
   else types one. The unit's leader sees it and may assign it; he signs for it when he is asked.
4. A supervisor sees everything and changes nothing. An administrator looks after accounts and channels and
   reads no message.
5. Two different officers stand behind whatever leaves: nobody reviews or issues his own draft.
6. A posted officer (外派联络员) follows what is between his home and his hosts, as long as the directory says
   that he is posted there: he looks, comments, and urges the host about what his home sent it, nothing else.
7. What the origin's handling code forbids, no role allows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final, Literal

from tongbao_broker.errors import Words
from tongbao_connectors.case_rules import EventKind
from tongbao_schemas.codes import Handling, Labelled

Direction = Literal["in", "out", ""]


class Role(Labelled):
    """What an account is for; each has one."""

    RECEIVER = "receiver", "接收员", "Receiver"
    REVIEWER = "reviewer", "审核员", "Reviewer"
    LEADER = "leader", "组长", "Leader"
    ADMIN = "admin", "管理员", "Administrator"
    SUPERVISOR = "supervisor", "法制监督", "Legal supervisor"
    POSTED = "posted", "外派联络员", "Posted officer"


class Verb(StrEnum):
    """What can be done at a desk."""

    SEE_INBOX = auto()
    SEE_MESSAGE = auto()
    OPEN_BODY = auto()
    SIGN = auto()
    ASSIGN = auto()
    WORK = auto()
    ANSWER = auto()
    UNDO = auto()
    REMIND = auto()
    CLOSE = auto()
    SUPPLEMENT = auto()
    CANCEL = auto()
    COMMENT = auto()
    DRAFT = auto()
    REVIEW = auto()
    ISSUE = auto()
    URGE = auto()
    FOLLOW = auto()
    SEE_SENT = auto()
    SEE_DUTY = auto()
    CHANGE_DUTY = auto()
    HAND_OVER = auto()
    SEE_CHANNELS = auto()
    MANAGE_CHANNELS = auto()
    MANAGE_ACCOUNTS = auto()
    SEE_OPENINGS = auto()
    PRINT = auto()
    EXPORT = auto()
    SEARCH = auto()


@dataclass(frozen=True, slots=True)
class Who:
    """The person who asks. `on_duty` holds the units that he is accountable for at this moment, `hosts` the
    provinces to which he is posted now.
    """

    officer_ref: str
    role: Role
    unit: str
    on_duty: frozenset[str] = frozenset()
    active: bool = True
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked about; the empty thing stands for the verb in general. `leader` leads its unit.

    `asked` are officers whom an escalation asked too, and the accountable one's substitutes. `between` are
    the provinces whose thread with this one it is of.
    """

    kind: str = ""
    unit: str = ""
    accountable: str = ""
    leader: str = ""
    asked: frozenset[str] = frozenset()
    claimed_by: str = ""
    assigned_to: str = ""
    direction: Direction = ""
    submitted_by: str = ""
    reviewed_by: str = ""
    handling: str = ""
    between: frozenset[str] = frozenset()


NO_WORDS: Final = Words("", "")


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `reason` says who can, where it is no; `automatic_why` is empty where a reason is typed."""

    allowed: bool
    reason: Words = NO_WORDS
    automatic_why: str = ""

    def __bool__(self) -> bool:
        return self.allowed


Rule = Callable[[Who, Thing], bool]

ANYTHING: Final = Thing()
OFFICERS: Final = frozenset({Role.RECEIVER, Role.REVIEWER, Role.LEADER})
READERS: Final = OFFICERS | {Role.SUPERVISOR}
APPROVERS: Final = frozenset({Role.REVIEWER, Role.LEADER})
POSTED: Final = frozenset({Role.POSTED})
EVERYBODY: Final = frozenset(Role) - POSTED
EXPORTABLE: Final = frozenset({"", Handling.H0, Handling.H1})

ON_DUTY_WHY: Final = "值班签收"
HANDLING_WHY: Final = "承办"
ASKED_WHY: Final = "升级通知"
POSTED_WHY: Final = "外派联络"
AUTHOR_WHY: Final = "拟稿"
REVIEWER_WHY: Final = "审核"
AUTOMATIC: Final[Mapping[str, Words]] = {
    ON_DUTY_WHY: Words(ON_DUTY_WHY, "on duty for it"),
    HANDLING_WHY: Words(HANDLING_WHY, "handles it"),
    ASKED_WHY: Words(ASKED_WHY, "escalated to"),
    POSTED_WHY: Words(POSTED_WHY, "posted officer"),
    AUTHOR_WHY: Words(AUTHOR_WHY, "wrote it"),
    REVIEWER_WHY: Words(REVIEWER_WHY, "reviewed it"),
    EventKind.REISSUED.zh: Words(EventKind.REISSUED.zh, "to re-issue it"),
    EventKind.SENT_AGAIN.zh: Words(EventKind.SENT_AGAIN.zh, "to correct it and send it again"),
}
"""The reasons of an opening that nobody types, as they are kept, in words."""


def decide(who: Who, verb: Verb, thing: Thing = ANYTHING) -> Decision:
    """Whether this person may do this with this thing."""
    roles, rule = RULES[verb]
    if not who.active:
        return _no("账号已停用，由本省管理员启用。", "The account is closed; an administrator can open it.")
    if who.role not in roles:
        return _no(*_able(roles))
    if verb in (Verb.PRINT, Verb.EXPORT) and thing.handling not in _allowed(verb):
        return _no(*(_OWN_NOT_EXPORTED if thing.direction == "out" else _NOT_EXPORTED))
    if thing != ANYTHING and who.role is Role.POSTED and not _follows(who, verb, thing):
        return _no(
            "只限派驻期内本省与驻地之间的协查。", "Only what is between home and host, while he is posted."
        )
    if thing != ANYTHING and who.role is not Role.POSTED and not rule(who, thing):
        return _no(
            "由主责、承办人或组长办理。", "Its accountable officer, its handler or a leader can do it."
        )
    return Decision(True, automatic_why=_automatic_why(who, verb, thing))


_NOT_EXPORTED: Final = (
    "处理要求不允许导出，须先征得来源省同意。",
    "Its handling code forbids it; ask the origin first.",
)
_OWN_NOT_EXPORTED: Final = (
    "处理要求不允许导出，可以打印。",
    "Its handling code forbids a file; it may be printed.",
)


def _allowed(verb: Verb) -> frozenset[str]:
    return EXPORTABLE if verb is Verb.EXPORT else EXPORTABLE | {Handling.H2, Handling.H3}


def _no(zh: str, en: str) -> Decision:
    return Decision(False, Words(zh, en))


def _able(roles: frozenset[Role]) -> tuple[str, str]:
    ordered = [role for role in Role if role in roles]
    zh = "、".join(role.zh for role in ordered)
    en = ", ".join(role.en.lower() for role in ordered)
    return f"可由{zh}办理。", f"This can be done by: {en}."


def _automatic_why(who: Who, verb: Verb, thing: Thing) -> str:
    if verb is not Verb.OPEN_BODY:
        return ""
    if who.role is Role.POSTED:
        return POSTED_WHY
    if thing.direction == "out":
        return _own_why(who, thing)
    if who.role not in OFFICERS:
        return ""
    if _handles(who, thing):
        return HANDLING_WHY
    if _answers_for(who, thing):
        return ON_DUTY_WHY
    return ASKED_WHY if who.officer_ref in thing.asked else ""


def _own_why(who: Who, thing: Thing) -> str:
    if who.officer_ref == thing.submitted_by:
        return AUTHOR_WHY
    return REVIEWER_WHY if who.officer_ref == thing.reviewed_by else ""


def _always(_who: Who, _thing: Thing) -> bool:
    return True


def _handles(who: Who, thing: Thing) -> bool:
    """He has signed for it or works on it."""
    return who.officer_ref in {thing.claimed_by, thing.assigned_to} - {""}


def _answers_for(who: Who, thing: Thing) -> bool:
    """It lies with him while nobody has signed for it."""
    return who.officer_ref == thing.accountable != "" or thing.unit in who.on_duty


def _near(who: Who, thing: Thing) -> bool:
    return _handles(who, thing) or _answers_for(who, thing) or who.officer_ref in {*thing.asked, thing.leader}


def _in_his_view(who: Who, thing: Thing) -> bool:
    """Leaders and supervisors see the province, officers their unit and what concerns them."""
    if thing.direction == "out" or who.role in (Role.LEADER, Role.SUPERVISOR):
        return True
    return thing.unit == who.unit or _near(who, thing)


def _signs(who: Who, thing: Thing) -> bool:
    return _received(thing) and (_answers_for(who, thing) or who.officer_ref in thing.asked)


def _assigns(who: Who, thing: Thing) -> bool:
    return _received(thing) and (who.officer_ref == thing.leader or _handles(who, thing))


def _works(who: Who, thing: Thing) -> bool:
    return _received(thing) and _handles(who, thing)


def _received(thing: Thing) -> bool:
    return thing.direction == "in"


def _own_sent(who: Who, thing: Thing) -> bool:
    """What this province sent: its author, its reviewer, their unit, a leader."""
    if thing.direction != "out":
        return False
    wrote = who.officer_ref in {thing.submitted_by, thing.reviewed_by}
    return wrote or who.role is Role.LEADER or (thing.unit != "" and thing.unit == who.unit)


def _follows(who: Who, verb: Verb, thing: Thing) -> bool:
    """It is between his home and a province he is posted to; his home alone urges about its own alerts."""
    return bool(who.hosts & thing.between) and (verb is not Verb.URGE or thing.direction == "out")


def _his_draft(who: Who, thing: Thing) -> bool:
    return thing.submitted_by in ("", who.officer_ref)


def _not_his_own(who: Who, thing: Thing) -> bool:
    return thing.submitted_by != who.officer_ref


def _his_shift(who: Who, thing: Thing) -> bool:
    return who.role is Role.LEADER or who.officer_ref == thing.accountable


RULES: Final[Mapping[Verb, tuple[frozenset[Role], Rule]]] = {
    Verb.SEE_INBOX: (READERS, _always),
    Verb.SEARCH: (READERS | POSTED, _always),
    Verb.SEE_MESSAGE: (READERS, _in_his_view),
    Verb.OPEN_BODY: (READERS | POSTED, _in_his_view),
    Verb.SEE_OPENINGS: (READERS, _in_his_view),
    Verb.PRINT: (READERS, _in_his_view),
    Verb.EXPORT: (READERS, _in_his_view),
    Verb.SIGN: (OFFICERS, _signs),
    Verb.ASSIGN: (OFFICERS, _assigns),
    Verb.WORK: (OFFICERS, _works),
    Verb.ANSWER: (OFFICERS, _works),
    Verb.UNDO: (OFFICERS, _works),
    Verb.REMIND: (OFFICERS, _works),
    Verb.CLOSE: (OFFICERS, _own_sent),
    Verb.SUPPLEMENT: (OFFICERS, _own_sent),
    Verb.CANCEL: (OFFICERS, _own_sent),
    Verb.URGE: (OFFICERS | POSTED, _own_sent),
    Verb.FOLLOW: (POSTED, _always),
    Verb.COMMENT: (POSTED, _always),
    Verb.DRAFT: (OFFICERS, _his_draft),
    Verb.REVIEW: (APPROVERS, _not_his_own),
    Verb.ISSUE: (APPROVERS, _not_his_own),
    Verb.SEE_SENT: (READERS, _always),
    Verb.SEE_DUTY: (EVERYBODY, _always),
    Verb.CHANGE_DUTY: (OFFICERS, _his_shift),
    Verb.HAND_OVER: (OFFICERS, _always),
    Verb.SEE_CHANNELS: (EVERYBODY, _always),
    Verb.MANAGE_CHANNELS: (frozenset({Role.ADMIN}), _always),
    Verb.MANAGE_ACCOUNTS: (frozenset({Role.ADMIN}), _always),
}
