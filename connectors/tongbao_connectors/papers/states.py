"""The way of a draft from 拟稿 over 审核 to 签发, as one table: who may do what, and in which state.

1. An officer drafts. Another one, who may review, passes it or sends it back with remarks. One who may issue
   issues it. The author neither reviews nor issues his own draft; reviewer and issuer may be one officer.
2. While it is being reviewed or waits to be issued the text is locked. The author may take it back until
   somebody has passed it.
3. Issued and discarded are ends: nothing leads on from there. What nobody goes on with is discarded by the
   desk itself.
4. Whether an officer's role lets him draft, review or issue at all is decided elsewhere; this table is
   about the states and about who has done what before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tongbao_broker.errors import Words
from tongbao_schemas.codes import Labelled


class State(Labelled):
    """How far a draft has got."""

    DRAFTING = "drafting", "拟稿", "Being drafted"
    REVIEWING = "reviewing", "待审核", "Awaiting review"
    APPROVED = "approved", "待签发", "Awaiting issue"
    SENT_BACK = "sent_back", "退回修改", "Sent back"
    ISSUED = "issued", "已签发", "Issued"
    DISCARDED = "discarded", "已作废", "Discarded"


class Act(Labelled):
    """What an officer does with a draft; each is a line of its history."""

    SAVE = "save", "保存草稿", "Save"
    CATEGORY = "category", "改类别", "Change the category"
    SUBMIT = "submit", "送审", "Submit"
    TAKE_BACK = "take_back", "撤回修改", "Take back"
    PASS = "pass", "审核通过", "Pass"
    SEND_BACK = "send_back", "退回修改", "Send back"
    ISSUE = "issue", "签发", "Issue"
    DISCARD = "discard", "作废", "Discard"
    CLEAR = "clear", "长期未动，自动清除", "Cleared: left untouched"


class Part(Labelled):
    """What an officer is to a draft."""

    AUTHOR = "author", "拟稿人", "Author"
    REVIEWER = "reviewer", "审核人", "Reviewer"
    OTHER = "other", "他人", "Somebody else"
    NOBODY = "nobody", "系统", "The desk itself"


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states an act leads where, and who does it."""

    states: frozenset[State]
    to: State | None
    by: frozenset[Part]


OPEN: Final = frozenset(State) - {State.ISSUED, State.DISCARDED}
_WITH_AUTHOR: Final = frozenset({State.DRAFTING, State.SENT_BACK})
_UNDER_WAY: Final = frozenset({State.REVIEWING, State.APPROVED})
_AUTHOR: Final = frozenset({Part.AUTHOR})
_OTHERS: Final = frozenset({Part.REVIEWER, Part.OTHER})
_NOBODY: Final = frozenset({Part.NOBODY})

RULES: Final[Mapping[Act, Rule]] = MappingProxyType(
    {
        Act.SAVE: Rule(_WITH_AUTHOR, None, _AUTHOR),
        Act.CATEGORY: Rule(_WITH_AUTHOR, None, _AUTHOR),
        Act.SUBMIT: Rule(_WITH_AUTHOR, State.REVIEWING, _AUTHOR),
        Act.TAKE_BACK: Rule(frozenset({State.REVIEWING}), State.DRAFTING, _AUTHOR),
        Act.PASS: Rule(frozenset({State.REVIEWING}), State.APPROVED, _OTHERS),
        Act.SEND_BACK: Rule(_UNDER_WAY, State.SENT_BACK, _OTHERS),
        Act.ISSUE: Rule(frozenset({State.APPROVED}), State.ISSUED, _OTHERS),
        Act.DISCARD: Rule(_WITH_AUTHOR, State.DISCARDED, _AUTHOR),
        Act.CLEAR: Rule(OPEN, State.DISCARDED, _NOBODY),
    }
)

NOT_ONES_OWN: Final = Words(
    "拟稿人不能审核或签发自己的稿件", "the author neither reviews nor issues his own draft"
)
ONLY_THE_AUTHOR: Final = Words("只有拟稿人可以这样做", "only the author does this")
BY_ITSELF: Final = Words("由系统自动办理", "the desk does this by itself")
_WHO_ELSE: Final[Mapping[frozenset[Part], Words]] = MappingProxyType(
    {_AUTHOR: ONLY_THE_AUTHOR, _OTHERS: NOT_ONES_OWN, _NOBODY: BY_ITSELF}
)


def part(officer_ref: str, *, author: str, reviewer: str = "") -> Part:
    """What this officer is to a draft of that author, passed by that reviewer; none: the desk itself."""
    if not officer_ref:
        return Part.NOBODY
    if officer_ref == author:
        return Part.AUTHOR
    return Part.REVIEWER if officer_ref == reviewer else Part.OTHER


def obstacle(act: Act, state: State, who: Part) -> Words | None:
    """Why this officer can't do this now; None if he can."""
    rule = RULES[act]
    if who not in rule.by:
        return _WHO_ELSE[rule.by]
    if state not in rule.states:
        return Words(f"稿件现在是“{state.zh}”", f"the draft's state is: {state.en}")
    return None


def after(act: Act, state: State) -> State:
    """The state that an act leads to."""
    return RULES[act].to or state


def possible(state: State, who: Part) -> tuple[Act, ...]:
    """What this officer can do now."""
    return tuple(act for act in Act if obstacle(act, state, who) is None)
