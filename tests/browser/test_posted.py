"""A posted officer on the real network: copied, reading, urging; and out once the directory recalls him."""

from datetime import timedelta

import pytest

from tests.browser.conftest import Send, Visit
from tests.browser.stage import RECEIVER, SENDER
from tests.browser.visitor import Desks
from tests.support.network import until
from tongbao_broker import database
from tongbao_broker.clock import SystemClock
from tongbao_connectors import secondment
from tongbao_schemas.documents import Posting

pytestmark = pytest.mark.kafka

OFFICER = "黔-0301"


def test_a_posted_officer_is_copied_urges_and_is_out_with_his_posting(
    desks: Desks, visit: Visit, send: Send
) -> None:
    """What his home sends to his host counts at his badge and is told by the watch; his 催办 arrives at the
    host; recalled by a new directory, he sees nothing in the login that is open, and is told since when.
    """
    reference = send("posted")
    officer = visit(SENDER, "0301")
    assert officer.page.url.endswith("/posted/")
    until(lambda: told(desks, reference), 30, "the watch tells him")
    assert officer.comes_to_say("件未看")
    assert [officer.violations(), officer.overflows()] == [[], False]

    officer.go(f"posted/m/{reference}/")
    assert officer.says("本次打开已记录")
    assert not officer.offers("签收")
    officer.press("催办")
    officer.fill({"text": "演练：请尽快反馈。"})
    officer.press("催办")
    assert officer.says("已催办")

    host = visit(RECEIVER, "0117")
    host.go(f"m/{reference}/")
    until(lambda: host.comes_to_say("催办"), 30, "the reminder is at the host")

    place, now = desks.network.workspace, SystemClock().now
    secondment.recall(place, OFFICER, "", now())
    officer.go("posted/")
    until(lambda: officer.comes_to_say("派驻广东已于"), 30, "the desk has the new directory")
    assert not officer.says("件未看")
    answer = officer.page.request.get(f"{officer.address}posted/m/{reference}/")
    assert answer.status == 403

    again = Posting(
        officer_ref=OFFICER,
        home=SENDER,
        host=RECEIVER,
        valid_from=now(),
        valid_until=now() + timedelta(days=30),
    )
    secondment.post(place, again, now())
    until(lambda: officer.comes_to_say("件未看") or officer.says("发往驻地"), 30, "he is posted again")
    assert [officer.complaints, host.complaints] == [[], []]


def told(desks: Desks, reference: str) -> bool:
    """Whether the watch of his home has told him of this alert at the desk."""
    from tongbao_connectors.duty.models import Notification

    with database.use(desks.network.open_province(SENDER)):
        rows = Notification.objects.filter(channel="web", recipient=OFFICER, why="copy")
        return rows.filter(message__message_id=reference, path=f"/posted/m/{reference}/").exists()
