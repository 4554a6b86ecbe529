"""What officers do with alerts: sign for, assign, work on and answer what was received; close, cancel,
supplement and remind of what was sent; and see where each stands.

1. Only the accountable officer, his substitute, whoever is on duty in the unit or was asked by an escalation
   signs for an alert, once. Who comes second is told by whom and when it was signed for. What isn't an
   alert isn't signed for: it counts as read when the officer it lies with has opened it.
2. Only who holds an alert goes on with it: the officer to whom it was assigned, else who signed for it. Which
   act is allowed in which state says `case_rules`, in one table.
3. Each act is one transaction: the change of state, whose condition decides between two at once; a line in
   the timeline; the report to the originator. Undoing within five minutes is a line too.
4. A body is opened through `open_body` and nowhere else; who, when and why are written first, in the same
   transaction.
5. Nothing here waits for the broker: stages and messages are rows, and the connector sends them.
"""

from tongbao_connectors.casework.bodies import Card, card, cards, plain_body
from tongbao_connectors.casework.commenting import comment
from tongbao_connectors.casework.files import Attached, files_of
from tongbao_connectors.casework.items import Item, list_inbox, show
from tongbao_connectors.casework.opening import OpenedBody, open_body, open_file
from tongbao_connectors.casework.originating import (
    cancel,
    close,
    own_state,
    own_states,
    remind,
    reply,
    supplement,
)
from tongbao_connectors.casework.signing import (
    Outcome,
    ask_also,
    claim,
    claim_many,
    come_back,
    lift,
    remind_me,
    take_by_phone,
    undo,
    undoable,
)
from tongbao_connectors.casework.standing import Addressee, Fact, Openings, opened_by, standing, standings
from tongbao_connectors.casework.timeline import Line, timeline
from tongbao_connectors.casework.working import answer, ask, assign, start, submit

__all__ = [
    "Addressee",
    "Attached",
    "Card",
    "Fact",
    "Item",
    "Line",
    "OpenedBody",
    "Openings",
    "Outcome",
    "answer",
    "ask",
    "ask_also",
    "assign",
    "cancel",
    "card",
    "cards",
    "claim",
    "claim_many",
    "close",
    "come_back",
    "comment",
    "files_of",
    "lift",
    "list_inbox",
    "open_body",
    "open_file",
    "opened_by",
    "own_state",
    "own_states",
    "plain_body",
    "remind",
    "remind_me",
    "reply",
    "show",
    "standing",
    "standings",
    "start",
    "submit",
    "supplement",
    "take_by_phone",
    "timeline",
    "undo",
    "undoable",
]
