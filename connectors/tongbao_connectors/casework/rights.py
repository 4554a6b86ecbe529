"""Who may do what with a received message, as far as the case itself decides it. All raise NoRight.

The desk asks `authorisation` first; these rules hold for every way in, the command line too.
"""

from datetime import datetime

from tongbao_broker.errors import NoRight, Words
from tongbao_connectors import drafts
from tongbao_connectors.authorisation import EXPORTABLE
from tongbao_connectors.roster import Roster
from tongbao_connectors.store.models import InboxItem, Message


def check_may_sign(row: InboxItem, officer_ref: str, roster: Roster, at: datetime) -> None:
    """The accountable officer or his substitute, whoever is accountable for the unit now, whom an escalation
    asked.
    """
    if officer_ref in roster.officers and officer_ref in row.asked:
        return
    if roster.may_claim(officer_ref, row.officer_ref):
        return
    if row.unit in roster.units and roster.may_claim(
        officer_ref, roster.accountable(row.unit, at).officer_ref
    ):
        return
    raise NoRight(
        Words(
            f"责任人是 {row.officer_ref}，不是 {officer_ref}",
            f"{row.officer_ref} is accountable for this message, not {officer_ref}",
        )
    )


def check_holds(row: InboxItem, officer_ref: str) -> None:
    """Only who works on it goes on with it."""
    if not officer_ref or row.holder != officer_ref:
        raise NoRight(*drafts.ONLY_WHO_SIGNED)


def check_may_copy(message: Message) -> None:
    """A file that is handed out is a copy: what the handling code says of exporting holds for it."""
    if message.handling not in EXPORTABLE:
        raise NoRight(
            Words(
                "处理要求不允许导出，须先征得来源省同意",
                "its handling code forbids exporting; ask the origin",
            )
        )


def check_may_assign(row: InboxItem, officer_ref: str, roster: Roster) -> None:
    """Who signed for it, whom it was assigned to, and the leader of the unit it lies in."""
    unit = roster.units.get(row.unit)
    leader = unit.leader if unit else ""
    if officer_ref not in {row.claimed_by, row.assigned_to, leader} - {""}:
        raise NoRight(
            Words(
                "只有签收人、承办人或单位负责人可以交办",
                "who signed for it, works on it or leads the unit assigns it",
            )
        )
