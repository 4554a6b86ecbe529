"""Which act is allowed in which state of a case: pure, one table each for the receiver and the originator.

1. `FROM` names for each act the states of a received message in which it may be done; `TO` where it leads. An
   act that is missing in `TO` leaves the state as it is.
2. What is undone, reopened or could not be sent goes to where it stood with those who hold it: `held`.
3. An act of one's own can be undone for `UNDO_FOR`, as long as nothing was done after it. Undoing is an act
   like any other: it deletes nothing.
4. Who has signed for an alert and does nothing gives it back, after the time that the province's plan sets.
5. Who sent an alert may do with the thread what `OWN_FROM` says.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from tongbao_schemas.bodies.codes import AnswerKind
from tongbao_schemas.codes import Labelled

UNDO_FOR: Final = timedelta(minutes=5)


class State(Labelled):
    """Where a received message stands at the officers' desk."""

    WAITING = "waiting", "待签收", "To sign for"
    CLAIMED = "claimed", "已签收", "Signed for"
    ASSIGNED = "assigned", "已交办", "Assigned"
    WORKING = "working", "核查中", "In progress"
    ANSWERED = "answered", "已反馈", "Answered"
    RETURNED = "returned", "已退回补正", "Returned"
    REDIRECTED = "redirected", "已建议改发", "Redirected"
    CLOSED = "closed", "已办结", "Closed"
    CANCELLED = "cancelled", "已撤销", "Cancelled"
    READ = "read", "已阅", "Read"


HELD: Final = frozenset({State.CLAIMED, State.ASSIGNED, State.WORKING})
"""Somebody owns it and isn't done."""
OPEN: Final = HELD | {State.WAITING}
DONE: Final = frozenset(State) - OPEN


class Act(Labelled):
    """What somebody does with a received message, or what a message that arrives does to it."""

    CLAIM = "claim", "签收", "Sign for"
    UNDO = "undo", "撤回", "Undo"
    ASSIGN = "assign", "交办", "Assign"
    START = "start", "开始核查", "Start"
    PROGRESS = "progress", "阶段反馈", "Report progress"
    RESULT = "result", "反馈结果", "Give the result"
    RETURN = "returned", "退回补正", "Return"
    REDIRECT = "redirect", "建议改发", "Redirect"
    MORE_TIME = "more_time", "申请延期", "Ask for more time"
    ASK = "ask", "请求补充", "Ask for more"
    REMIND_ME = "remind_me", "提醒我", "Remind me"
    ASK_ALSO = "ask_also", "同时通知", "Ask others too"
    COME_BACK = "come_back", "退回待签收", "Come back"
    LIFT = "lift", "确认撤控", "Confirm the lifting"
    CLOSED_THERE = "closed_there", "发出方办结", "Closed by its origin"
    CANCELLED_THERE = "cancelled_there", "发出方撤销", "Cancelled by its origin"
    UPDATED_THERE = "updated_there", "发出方补充", "Updated by its origin"
    NOT_SENT = "not_sent", "反馈未发出", "The answer was not sent"


FROM: Final[Mapping[Act, frozenset[State]]] = MappingProxyType(
    {
        Act.CLAIM: frozenset({State.WAITING}),
        Act.UNDO: HELD,
        Act.ASSIGN: HELD,
        Act.START: frozenset({State.CLAIMED, State.ASSIGNED}),
        Act.PROGRESS: HELD | {State.ANSWERED},
        Act.RESULT: HELD | {State.ANSWERED},
        Act.RETURN: OPEN,
        Act.REDIRECT: OPEN,
        Act.MORE_TIME: HELD,
        Act.ASK: HELD,
        Act.REMIND_ME: OPEN,
        Act.ASK_ALSO: frozenset({State.WAITING}),
        Act.COME_BACK: frozenset({State.CLAIMED, State.ASSIGNED}),
        Act.LIFT: frozenset({State.CANCELLED}),
        Act.CLOSED_THERE: frozenset(State) - {State.CLOSED, State.CANCELLED, State.READ},
        Act.CANCELLED_THERE: frozenset(State) - {State.CANCELLED, State.READ},
        Act.UPDATED_THERE: frozenset({State.ANSWERED, State.RETURNED, State.REDIRECTED, State.CLOSED}),
        Act.NOT_SENT: frozenset({State.ANSWERED, State.RETURNED, State.REDIRECTED}),
    }
)
"""The states in which each act may be done."""

TO: Final[Mapping[Act, State]] = MappingProxyType(
    {
        Act.CLAIM: State.CLAIMED,
        Act.ASSIGN: State.ASSIGNED,
        Act.START: State.WORKING,
        Act.RESULT: State.ANSWERED,
        Act.RETURN: State.RETURNED,
        Act.REDIRECT: State.REDIRECTED,
        Act.COME_BACK: State.WAITING,
        Act.CLOSED_THERE: State.CLOSED,
        Act.CANCELLED_THERE: State.CANCELLED,
    }
)
"""The state to which an act leads; the others leave it, or go to where it is held (undo, an update)."""


def allowed(act: Act, state: str) -> bool:
    """Whether the act may be done in this state."""
    return state in FROM[act]


def after(act: Act, state: str, *, claimed_by: str = "", assigned_to: str = "") -> State:
    """The state that the act leads to; the two officers are those who hold it afterwards."""
    if act in (Act.UNDO, Act.UPDATED_THERE, Act.NOT_SENT):
        return held(claimed_by, assigned_to)
    if act is Act.PROGRESS and state != State.ANSWERED:
        return State.WORKING
    return TO.get(act, State(state))


def next_due(
    state: str,
    *,
    sign_by: datetime | None,
    first_feedback_by: datetime | None,
    result_by: datetime | None,
    first_answer_at: datetime | None = None,
) -> datetime | None:
    """What is due next of this province: signing, then the first answer, then the result; None: nothing."""
    if state == State.WAITING:
        return sign_by
    if state not in HELD:
        return None
    return result_by if first_answer_at else first_feedback_by


def held(claimed_by: str, assigned_to: str) -> State:
    """The state of what these two hold, before anything was begun."""
    if assigned_to:
        return State.ASSIGNED
    return State.CLAIMED if claimed_by else State.WAITING


class ThreadState(Labelled):
    """Where an own alert stands, as its originator decided."""

    OPEN = "open", "办理中", "Open"
    CLOSED = "closed", "已办结", "Closed"
    CANCELLED = "cancelled", "已撤销", "Cancelled"


class OwnAct(Labelled):
    """What the originator does with an own alert."""

    CLOSE = "close", "办结", "Close"
    CANCEL = "cancel", "撤销", "Cancel"
    SUPPLEMENT = "supplement", "补充/更正", "Supplement or correct"
    REMIND = "remind", "催办", "Remind"
    REPLY = "reply", "回复", "Reply"
    REISSUE = "reissue", "改发", "Re-issue"


OWN_FROM: Final[Mapping[OwnAct, frozenset[ThreadState]]] = MappingProxyType(
    {
        OwnAct.CLOSE: frozenset({ThreadState.OPEN}),
        OwnAct.CANCEL: frozenset({ThreadState.OPEN, ThreadState.CLOSED}),
        OwnAct.SUPPLEMENT: frozenset({ThreadState.OPEN, ThreadState.CLOSED}),
        OwnAct.REMIND: frozenset({ThreadState.OPEN}),
        OwnAct.REPLY: frozenset(ThreadState),
        OwnAct.REISSUE: frozenset({ThreadState.OPEN, ThreadState.CLOSED}),
    }
)
"""The states of a thread in which each act may be done; a supplement reopens a closed one."""


class EventKind(Labelled):
    """What happened to a message in this province."""

    ROUTED = "routed", "分派", "Routed"
    READ = "read", "查阅", "Read"
    CLAIMED = "claimed", "签收", "Signed for"
    UNCLAIMED = "unclaimed", "更正：撤回签收", "Correction: signature withdrawn"
    ASSIGNED = "assigned", "交办", "Assigned"
    UNASSIGNED = "unassigned", "更正：撤回交办", "Correction: assignment withdrawn"
    STARTED = "started", "开始核查", "Checking began"
    UNSTARTED = "unstarted", "更正：撤回开始核查", "Correction: start withdrawn"
    PROGRESS = "progress", "阶段反馈", "Progress reported"
    RESULT = "result", "反馈结果", "Result given"
    RETURNED = "returned", "退回补正", "Returned"
    REDIRECTED = "redirected", "建议改发", "Redirected"
    MORE_TIME = "more_time", "申请延期", "More time asked for"
    ASKED = "asked", "请求补充", "More was asked for"
    REPLIED = "replied", "回复", "Replied"
    REMINDED_SELF = "reminded_self", "设定提醒", "Reminder set"
    REMINDED = "reminded", "催办", "Reminder"
    ESCALATED = "escalated", "升级", "Escalated"
    NOTIFIED = "notified", "已通知", "Notified"
    CHANNEL_FAILED = "channel_failed", "通知未送达", "Notification failed"
    SUPPRESSED = "suppressed", "重复通知已合并", "Repeat suppressed"
    CAME_BACK = "came_back", "无进展，退回待签收", "No progress: back to be signed for"
    CLOSED = "closed", "办结", "Closed"
    CANCELLED = "cancelled", "撤销", "Cancelled"
    LIFTED = "lifted", "确认撤控", "Control lifted"
    SUPPLEMENTED = "supplemented", "补充", "Supplemented"
    CORRECTED = "corrected", "更正", "Corrected"
    REOPENED = "reopened", "重新办理", "Reopened"
    REISSUED = "reissued", "改发", "Re-issued"
    SENT_AGAIN = "sent_again", "修改后重发", "Corrected and sent again"
    NOT_SENT = "not_sent", "未发出", "Not sent"
    COMMENTED = "commented", "备注", "Comment"
    EXPORTED = "exported", "导出", "Exported"
    PRINTED = "printed", "打印", "Printed"
    FILE_OPENED = "file_opened", "打开附件", "File opened"
    TAKEN_BY_PHONE = "taken_by_phone", "电话签收（代录）", "Taken by phone"


UNDONE_BY: Final[Mapping[EventKind, EventKind]] = MappingProxyType(
    {
        EventKind.CLAIMED: EventKind.UNCLAIMED,
        EventKind.TAKEN_BY_PHONE: EventKind.UNCLAIMED,
        EventKind.ASSIGNED: EventKind.UNASSIGNED,
        EventKind.STARTED: EventKind.UNSTARTED,
    }
)
"""What can be undone, and the line that says so."""

MOVES: Final = frozenset(
    {
        *UNDONE_BY,
        *UNDONE_BY.values(),
        EventKind.PROGRESS,
        EventKind.RESULT,
        EventKind.RETURNED,
        EventKind.REDIRECTED,
        EventKind.MORE_TIME,
        EventKind.ASKED,
        EventKind.CAME_BACK,
        EventKind.CLOSED,
        EventKind.CANCELLED,
        EventKind.REOPENED,
        EventKind.NOT_SENT,
    }
)
"""What something else can't be undone beneath: it changed the state or went out to others."""

ACT_OF: Final[Mapping[AnswerKind, tuple[Act, EventKind]]] = MappingProxyType(
    {
        AnswerKind.PROGRESS: (Act.PROGRESS, EventKind.PROGRESS),
        AnswerKind.RESULT: (Act.RESULT, EventKind.RESULT),
        AnswerKind.RETURNED: (Act.RETURN, EventKind.RETURNED),
        AnswerKind.REDIRECT: (Act.REDIRECT, EventKind.REDIRECTED),
        AnswerKind.MORE_TIME: (Act.MORE_TIME, EventKind.MORE_TIME),
    }
)
"""What each kind of answer is, as an act and as a line."""
