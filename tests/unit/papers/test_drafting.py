"""Drafts from 拟稿 to 签发 in the database."""

import json
from typing import Any

import pytest

from tests.unit.papers.conftest import NOW, hand
from tests.unit.schemas import alerts
from tongbao_broker.errors import Conflict, Words
from tongbao_connectors.papers import drafting
from tongbao_connectors.papers.drafting import Faulty
from tongbao_connectors.papers.mapping import to_values
from tongbao_connectors.papers.models import Paper, Step
from tongbao_connectors.papers.states import Act, State
from tongbao_connectors.store.models import Draft
from tongbao_schemas.codes import Category

pytestmark = pytest.mark.usefixtures("papers_database")

AUTHOR, REVIEWER, LEADER = "黔-0002", "黔-0003", "黔-0001"


def good() -> dict[str, list[str]]:
    """A form without a fault."""
    sent = {
        "status": "exercise",
        "audience": ["440000"],
        "urgency": "flash",
        "handling": "H1",
        "body": alerts.alert(Category.ONLINE),
    }
    return to_values(sent, Category.ONLINE, today=NOW.date())


def drafted(values: dict[str, list[str]] | None = None) -> Paper:
    """A draft of the author."""
    return drafting.begin(Category.ONLINE, hand(AUTHOR), good() if values is None else values)


def approved() -> Paper:
    """A draft that the reviewer has passed."""
    return drafting.pass_on(drafting.submit(drafted(), hand(AUTHOR), {}), hand(REVIEWER))


def body_of(draft: Any) -> dict[str, Any]:
    """The body that was handed to the connector."""
    return dict(json.loads(bytes(draft.text))["body"])


def test_from_draft_to_the_connector() -> None:
    """Three officers, four lines, and one draft for the connector with the names of two of them."""
    draft = drafting.issue(approved(), hand(LEADER), {})

    row, paper = Draft.objects.get(), Paper.objects.get()
    assert (row.message_id, row.client_ref, row.submitted_by) == (
        draft.message_id,
        f"desk-{paper.pk}",
        LEADER,
    )
    assert body_of(row)["prepared_by"] == {"unit": "贵州省禁毒总队值班室", "officer_ref": AUTHOR}
    assert body_of(row)["approved_by"] == {"unit": "贵州省禁毒总队值班室", "officer_ref": LEADER}
    assert body_of(row)["secrecy_review"]["officer"] == REVIEWER
    assert [(step.act, step.officer_ref) for step in paper.steps.order_by("pk")] == [
        ("save", AUTHOR),
        ("submit", AUTHOR),
        ("pass", REVIEWER),
        ("issue", LEADER),
    ]


def test_nothing_of_the_text_stays_after_issue() -> None:
    """Neither the form nor a remark: the connector seals what was issued."""
    paper = drafting.submit(drafted(), hand(AUTHOR), {})
    paper = drafting.send_back(paper, hand(REVIEWER), "写明演练甲的车辆")
    paper = drafting.pass_on(drafting.submit(paper, hand(AUTHOR), {}), hand(REVIEWER))
    drafting.issue(paper, hand(LEADER), {})

    assert Paper.objects.get().form == {}
    assert set(Step.objects.values_list("remark", flat=True)) == {""}


def test_whatever_is_typed_is_kept() -> None:
    """A draft full of faults is saved as it is, and counts its savings."""
    paper = drafting.save(drafted(), {"body.title": [" 半句"], "nonsense": ["x"]}, hand(AUTHOR))

    assert paper.values == {"body.title": [" 半句"], "nonsense": ["x"]}
    assert paper.revision == 1
    assert Step.objects.count() == 1


def test_a_faulty_draft_is_not_submitted() -> None:
    """It stays with its author and says what is wrong."""
    paper = drafted({"body.title": ["半句"]})

    with pytest.raises(Faulty) as caught:
        drafting.submit(paper, hand(AUTHOR), {})

    assert len(caught.value.faults) > 5
    assert Paper.objects.get().stage is State.DRAFTING


@pytest.mark.parametrize("officer", [AUTHOR])
def test_the_author_neither_passes_nor_issues_it(officer: str) -> None:
    """Two different officers stand behind every alert."""
    paper = drafting.submit(drafted(), hand(AUTHOR), {})
    with pytest.raises(Conflict):
        drafting.pass_on(paper, hand(officer))

    paper = drafting.pass_on(paper, hand(REVIEWER))
    with pytest.raises(Conflict):
        drafting.issue(paper, hand(officer), {})

    assert Draft.objects.count() == 0


def test_the_reviewer_may_issue() -> None:
    """Two officers are enough."""
    drafting.issue(approved(), hand(REVIEWER), {})

    assert body_of(Draft.objects.get())["approved_by"]["officer_ref"] == REVIEWER


def test_locked_while_it_is_reviewed() -> None:
    """What the reviewer reads is what is issued: nobody writes in between."""
    paper = drafting.submit(drafted(), hand(AUTHOR), {})

    with pytest.raises(Conflict):
        drafting.save(paper, {}, hand(AUTHOR))


def test_sent_back_corrected_and_submitted_again() -> None:
    """The remark is there for the author; the review begins anew."""
    paper = drafting.submit(drafted(), hand(AUTHOR), {})
    paper = drafting.send_back(paper, hand(REVIEWER), "写明车辆")

    assert paper.stage is State.SENT_BACK
    assert paper.steps.get(act=Act.SEND_BACK.value).remark == "写明车辆"
    paper = drafting.submit(drafting.save(paper, good(), hand(AUTHOR)), hand(AUTHOR), {})
    assert (paper.stage, paper.reviewer) == (State.REVIEWING, "")


def test_two_at_once() -> None:
    """The second is told who came first; nothing happens twice."""
    seen = drafting.submit(drafted(), hand(AUTHOR), {})
    drafting.pass_on(seen, hand(REVIEWER))

    with pytest.raises(Conflict) as caught:
        drafting.send_back(seen, hand(LEADER), "迟到")

    assert REVIEWER in caught.value.detail_in("zh")
    assert Paper.objects.get().stage is State.APPROVED


def test_issued_twice_it_is_sent_once() -> None:
    """The second 签发 finds it issued."""
    paper = approved()
    drafting.issue(paper, hand(LEADER), {})

    with pytest.raises(Conflict):
        drafting.issue(drafting.find(paper.pk), hand(REVIEWER), {})
    assert Draft.objects.count() == 1


def test_an_agreement_that_has_lapsed_stops_the_issue() -> None:
    """It is judged again at the moment of issue, and the draft stays where it was."""
    with pytest.raises(Faulty) as caught:
        drafting.issue(approved(), hand(LEADER), {"440000": Words("无协议", "no agreement")})

    assert [fault.path for fault in caught.value.faults] == ["audience"]
    assert (Paper.objects.get().stage, Draft.objects.count()) == (State.APPROVED, 0)


def test_a_discarded_draft_leaves_its_history_only() -> None:
    """Who and when, not what."""
    paper = drafting.discard(drafted(), hand(AUTHOR))

    assert (paper.stage, paper.form) == (State.DISCARDED, {})
    assert [step.act for step in paper.steps.order_by("pk")] == ["save", "discard"]


def test_another_category_keeps_what_both_have() -> None:
    """Only what the old one alone asks for goes; the history says from which to which."""
    paper = drafted(good() | {"body.mode": ["rail"], "body.route": ["沪昆"], "body.routes": ["别的"]})
    paper = drafting.change_category(paper, Category.INTERDICTION, hand(AUTHOR))
    assert paper.values["body.mode"] == ["rail"]
    seen = paper

    paper = drafting.change_category(paper, Category.PRECURSOR, hand(AUTHOR))

    assert (paper.category, paper.revision) == ("precursor", 2)
    assert {"body.mode", "body.route"}.isdisjoint(paper.values)
    assert paper.values == {
        path: texts for path, texts in seen.values.items() if path not in ("body.mode", "body.route")
    }
    assert paper.steps.order_by("-pk")[0].remark == "堵源截流 → 易制毒化学品"
    with pytest.raises(Conflict):
        drafting.change_category(seen, Category.ONLINE, hand(AUTHOR))


def test_a_locked_draft_keeps_its_category() -> None:
    """While it is reviewed nothing of it changes."""
    paper = drafting.submit(drafted(), hand(AUTHOR), {})

    with pytest.raises(Conflict):
        drafting.change_category(paper, Category.PRECURSOR, hand(AUTHOR))
