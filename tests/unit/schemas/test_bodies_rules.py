"""The rules of a body beyond single fields, each with its own code (`bodies.rules`)."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schemas import alerts
from tongbao_schemas.bodies import codes
from tongbao_schemas.bodies.codes import Action, ContactRule, LegalBasisKind, Marking, PaperKind
from tongbao_schemas.bodies.parse import parse_body
from tongbao_schemas.bodies.rules import LONGEST_RETENTION
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.encoding import compact_json, format_time
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

WATCH = {"from": "2026-11-23T10:00:00.000Z", "until": "2026-11-26T10:00:00.000Z", "on_hit": "report_only"}
OPERATION = {
    "code_name": "演练一号",
    "lead": "520000",
    "participants": ["440000"],
    "not_before": "2026-11-25T00:00:00.000Z",
}
CATEGORY = Category.OUTBOUND_TRAFFICKING
LETTER, WATCH_APPROVAL, SUMMONS, ARREST_WARRANT = (
    "assistance_letter",
    "watch_approval",
    "summons",
    "arrest_warrant",
)


def refusal(body: dict[str, Any], **how: Any) -> tuple[Code, str]:
    with pytest.raises(Refused) as caught:
        alerts.read(body, **how)
    return caught.value.code, caught.value.where


def with_document(**document: Any) -> dict[str, Any]:
    return alerts.alert(subjects=[alerts.SUBJECT | {"id_document": document}])


class TestStateSecrets:
    """Rules 1 and 3."""

    @pytest.mark.parametrize(
        "text",
        [
            "机密★10年", "绝密★", "秘密 ★ 1年", "机 密★", "绝密☆30年", "秘密*长期", "机密＊",
            "〔秘密〕", "【绝密】", "（机密）", "(机密)文件", "机密级", "绝 密 级", "机密", "　秘密　",
            "第一页\n秘密\n正文", "附件为秘密★材料",
        ],
    )  # fmt: skip
    def test_a_text_with_a_secret_mark_is_refused(self, text: str) -> None:
        """The official mark and its usual variants are found anywhere in a text."""
        assert refusal(alerts.alert(facts=text)) == (Code.SECRET_DOCUMENT, "facts")

    @pytest.mark.parametrize(
        "text",
        [
            "请秘密核查，不得惊动", "秘密侦查", "警务工作秘密", "（警务工作秘密）", "工作秘密★",
            "商业秘密级材料", "泄露机密的危险", "★重点", "内部资料",
        ],
    )  # fmt: skip
    def test_words_of_daily_work_are_no_secret_mark(self, text: str) -> None:
        """A covert check and a police work secret may be written about."""
        alerts.read(alerts.alert(facts=text))

    @pytest.mark.parametrize("status", Status)
    def test_a_mark_is_found_in_every_kind_of_message(self, status: Status) -> None:
        """Exercises and tests carry no state secrets either."""
        code, _ = refusal(alerts.alert(title="机密★通报"), status=status)

        assert code is Code.SECRET_DOCUMENT

    @pytest.mark.parametrize(
        ("body", "where"),
        [
            (alerts.alert(request=alerts.request("locate") | {"detail": "秘密★"}), "request.detail"),
            (
                alerts.alert(attachments=[{"name": "机密★.pdf", "digest": alerts.DIGEST, "size": 9}]),
                "attachments[0].name",
            ),
            (
                alerts.alert(legal_basis=alerts.alert()["legal_basis"] | {"number": "绝密★1号"}),
                "legal_basis.number",
            ),
            (
                alerts.alert(subjects=[alerts.SUBJECT | {"aliases": ["甲", "【机密】"]}]),
                "subjects[0].aliases[1]",
            ),
        ],
    )
    def test_the_place_of_the_mark_is_named(self, body: dict[str, Any], where: str) -> None:
        """The refusal names the field that carries the mark, not the mark."""
        assert refusal(body) == (Code.SECRET_DOCUMENT, where)

    @pytest.mark.parametrize("marking", Marking)
    def test_documents_coded_as_state_secrets_are_refused(self, marking: Marking) -> None:
        """A legal basis, a paper or an attachment coded 绝密, 机密 or 秘密 is refused, any other passes."""
        paper = {"kind": LETTER, "number": "1", "digest": alerts.DIGEST, "marking": marking}
        attachment = {"name": "一.pdf", "digest": alerts.DIGEST, "size": 1, "marking": marking}
        bodies = {
            "legal_basis.marking": alerts.alert(
                legal_basis=alerts.alert()["legal_basis"] | {"marking": marking}
            ),
            "request.papers[0].marking": alerts.alert(request={"actions": ["locate"], "papers": [paper]}),
            "attachments[0].marking": alerts.alert(attachments=[attachment]),
        }
        for where, body in bodies.items():
            if marking in (Marking.CONFIDENTIAL, Marking.SECRET, Marking.TOP_SECRET):
                assert refusal(body) == (Code.SECRET_DOCUMENT, where)
            else:
                alerts.read(body)

    def test_an_answer_carries_no_secret_mark(self) -> None:
        """Answers are held to the same rule."""
        assert refusal(alerts.answer("progress", text="绝密★")) == (Code.SECRET_DOCUMENT, "text")


class TestIdNumbers:
    """Rules 2 and 7."""

    def test_an_actual_alert_takes_numbers_that_pass(self) -> None:
        """A number that passes is what a real alert has."""
        alerts.read(with_document(kind="id_card", number=alerts.PASSING), status=Status.ACTUAL)

    @pytest.mark.parametrize("number", [alerts.FAILING, alerts.PASSING[:-1], alerts.PASSING.lower(), "1"])
    def test_an_actual_alert_refuses_numbers_that_fail(self, number: str) -> None:
        """A wrong check digit or length is caught before it leaves the province."""
        body = with_document(kind="id_card", number=number)

        assert refusal(body, status=Status.ACTUAL) == (
            Code.ID_NUMBER_INVALID,
            "subjects[0].id_document.number",
        )

    @pytest.mark.parametrize("kind", ["passport", "travel_permit", "other"])
    def test_other_documents_have_no_check_digit(self, kind: str) -> None:
        """Only the number of an ID card has to pass."""
        alerts.read(with_document(kind=kind, number="E00000000"), status=Status.ACTUAL)

    @pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
    def test_an_exercise_takes_numbers_that_fail(self, status: Status) -> None:
        """Invented people have numbers that nobody can have."""
        alerts.read(with_document(kind="id_card", number=alerts.FAILING), status=status)

    @pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
    @pytest.mark.parametrize("kind", codes.IdDocumentKind)
    def test_an_exercise_refuses_numbers_that_pass(self, status: Status, kind: codes.IdDocumentKind) -> None:
        """A number that somebody may have is refused, whatever document it is said to be from."""
        body = with_document(kind=kind, number=alerts.PASSING)

        assert refusal(body, status=status) == (Code.ID_NUMBER_REAL, "subjects[0].id_document.number")

    @pytest.mark.parametrize(
        "text",
        [
            "身份号码11010519491231002X。", "110105 19491231 002X", "110105-19491231-002x",
            "１１０１０５19491231002X", "号码 110105 1949 12 31 002X",
        ],
    )  # fmt: skip
    def test_an_exercise_refuses_them_in_any_text(self, text: str) -> None:
        """Groups, hyphens, lower case and full-width digits don't hide a real number."""
        assert refusal(alerts.alert(facts=text)) == (Code.ID_NUMBER_REAL, "facts")
        assert refusal(alerts.answer("progress", text=text)) == (Code.ID_NUMBER_REAL, "text")

    def test_an_actual_text_may_name_a_number(self) -> None:
        """In an actual alert a text is not searched."""
        alerts.read(alerts.alert(facts="身份号码11010519491231002X。"), status=Status.ACTUAL)

    def test_digits_of_a_digest_are_no_id_number(self) -> None:
        """What looks like a number inside a digest is not one."""
        digest = f"sha256:{'11010519491231002'}1{'a' * 46}"
        alerts.read(alerts.alert(legal_basis=alerts.alert()["legal_basis"] | {"digest": digest}))


PIECES = [
    "1",
    "9",
    "０",
    "X",
    "x",
    " ",
    "-",
    "\n",
    "密",
    "秘",
    "机",
    "★",
    "(",
    ")",
    "级",
    '"',
    "\\",
    "/",
    "u5bc6",
]
PIECES += [alerts.PASSING, alerts.FAILING, "110105 19491231 002X", "工作", "甲"]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join))
def test_a_text_is_judged_alike_however_it_is_escaped(facts: str) -> None:
    """With escapes each string is judged by itself, without them the text as a whole: both find the same."""
    body = alerts.alert(facts=facts)

    assert verdict(json.dumps(body).encode()) == verdict(compact_json(body))


def verdict(data: bytes) -> tuple[Code, str] | None:
    try:
        parse_body("alert/1.0", data, category=CATEGORY, status=Status.EXERCISE, at=alerts.AT)
    except Refused as refused:
        return refused.code, refused.where
    return None


class TestOfficersAndObjects:
    """Rules 5 and 6."""

    def test_the_same_officer_cannot_prepare_and_approve(self) -> None:
        """One reference in both places is refused, whatever unit is written beside it."""
        body = alerts.alert(approved_by={"unit": "另一单位", "officer_ref": "黔-0002"})

        assert refusal(body) == (Code.SAME_OFFICER, "approved_by.officer_ref")

    def test_an_alert_is_about_somebody_or_something(self) -> None:
        """Without a subject and without a target there is nothing to look for."""
        assert refusal(alerts.alert(subjects=None)) == (Code.NO_SUBJECT_OR_TARGET, "subjects")
        alerts.read(alerts.alert(subjects=None, targets=[alerts.VEHICLE]))


class TestRegionCodes:
    """Rule 8."""

    @pytest.mark.parametrize(
        ("code", "year", "valid"),
        [
            ("330183", 2014, True),  # 富阳市 until 2014, now 富阳区 330111
            ("330183", 2026, False),
            ("330111", 2026, True),
            ("522400", 2011, True),  # 毕节 before and after 2011
            ("522400", 2012, False),
            ("520500", 2012, True),
            ("449999", 2026, False),
            ("440301", 2026, False),  # 市辖区 is a placeholder
        ],
    )
    def test_a_place_of_the_category_is_judged_on_the_day(self, code: str, year: int, valid: bool) -> None:
        """A code must be valid when the alert is judged."""
        body, at = (
            alerts.alert(to_places=[{"region": "440300"}, {"region": code}]),
            datetime(year, 6, 1, tzinfo=UTC),
        )
        if valid:
            alerts.read(body, at=at)
        else:
            assert refusal(body, at=at) == (Code.REGION_CODE, "to_places[1].region")

    @pytest.mark.parametrize("end", ["from", "to"])
    def test_a_movement_is_judged_at_its_start(self, end: str) -> None:
        """A movement of 2010 has the codes of 2010, though the alert is of today."""
        places = {"from": {"region": "520100"}, "to": {"region": "440300"}} | {end: {"region": "522400"}}
        window = {"from": "2010-06-01T00:00:00.000Z", "until": "2010-06-02T00:00:00.000Z"}

        alerts.read(alerts.alert(movement=places | {"window": window}))
        assert refusal(alerts.alert(movement=places)) == (Code.REGION_CODE, f"movement.{end}.region")

    @pytest.mark.parametrize(
        ("category", "changes", "where"),
        [
            (
                Category.MANUFACTURING,
                {"targets": [alerts.VEHICLE, alerts.SITE | {"place": {"region": "530199"}}]},
                "targets[1].place.region",
            ),
            (Category.STREET_DEALING, {"place": {"region": "320599"}}, "place.region"),
        ],
    )
    def test_every_place_is_judged(self, category: Category, changes: dict[str, Any], where: str) -> None:
        """Sites and the place of a street deal too."""
        assert refusal(alerts.alert(category, **changes), category=category) == (Code.REGION_CODE, where)

    def test_the_day_is_that_of_beijing(self) -> None:
        """From midnight in Beijing on the new code counts, while UTC is still at the day before."""
        body = alerts.alert(to_places=[{"region": "520500"}])
        alerts.read(body, at=datetime(2011, 9, 30, 16, 0, tzinfo=UTC))

        assert refusal(body, at=datetime(2011, 9, 30, 15, 59, tzinfo=UTC))[0] is Code.REGION_CODE


class TestPeriods:
    """Rules 9 and 15."""

    @pytest.mark.parametrize("until", ["2026-11-23T10:00:00.000Z", "2026-11-23T09:59:59.999Z"])
    def test_a_period_begins_before_it_ends(self, until: str) -> None:
        """An empty or reversed period is refused, in a movement and in a watch."""
        period = {"from": "2026-11-23T10:00:00.000Z", "until": until}
        moving = alerts.alert(movement={"to": {"region": "440300"}, "window": period})
        watching = alerts.alert(
            request=alerts.request("watch", papers=(WATCH_APPROVAL,)), watch=WATCH | period
        )

        assert refusal(moving) == (Code.WINDOW_ORDER, "movement.window.until")
        assert refusal(watching) == (Code.WINDOW_ORDER, "watch.until")

    def test_a_period_may_be_over(self) -> None:
        """An alert may tell of what was, so no sample goes stale."""
        window = {"from": "2020-01-01T00:00:00.000Z", "until": "2020-01-02T00:00:00.000Z"}
        alerts.read(alerts.alert(movement={"to": {"region": "440300"}, "window": window}))

    def test_more_time_lies_ahead(self) -> None:
        """More time until now or earlier is no time."""
        now = format_time(alerts.AT)

        assert refusal(alerts.answer("more_time", until=now)) == (Code.WINDOW_ORDER, "until")


class TestCategories:
    """Rule 10."""

    @pytest.mark.parametrize(
        ("category", "changes", "where"),
        [
            (Category.OUTBOUND_TRAFFICKING, {"to_places": None}, "to_places"),
            (Category.OUTBOUND_TRAFFICKING, {"suspected_role": None}, "suspected_role"),
            (Category.MANUFACTURING, {"targets": [alerts.VEHICLE]}, "targets"),
            (Category.INTERDICTION, {"mode": None}, "mode"),
            (Category.INTERDICTION, {"targets": [alerts.VEHICLE]}, "checkpoint"),
            (Category.ONLINE, {"targets": [alerts.PARCEL]}, "targets"),
            (Category.STREET_DEALING, {"place": None}, "place"),
            (Category.STREET_DEALING, {"upstream_lead": None}, "upstream_lead"),
            (Category.PRECURSOR, {"targets": [alerts.VEHICLE]}, "targets"),
            (Category.PRECURSOR, {"firm": None}, "firm"),
        ],
    )
    def test_a_category_says_what_it_needs(
        self, category: Category, changes: dict[str, Any], where: str
    ) -> None:
        """What makes the category is missing: refused with one code, at the field to fill."""
        assert refusal(alerts.alert(category, **changes), category=category) == (Code.CATEGORY_NEEDS, where)

    @pytest.mark.parametrize(
        ("category", "changes"),
        [
            (Category.MANUFACTURING, {"targets": [alerts.CHEMICAL]}),
            (Category.INTERDICTION, {"targets": [alerts.VEHICLE], "checkpoint": "演练检查站"}),
            (Category.INTERDICTION, {"targets": [alerts.VEHICLE], "route": "演练高速"}),
            (Category.PRECURSOR, {"firm": None, "permit": "演练备案〔2026〕1号"}),
        ],
    )
    def test_a_category_takes_any_of_its_choices(self, category: Category, changes: dict[str, Any]) -> None:
        """A chemical for a site, a checkpoint or a route for a parcel, a permit for a firm."""
        alerts.read(alerts.alert(category, **changes), category)

    @pytest.mark.parametrize(
        ("said", "meant"), [pair for pair in product(Category, Category) if len(set(pair)) == 2]
    )
    def test_a_body_of_another_category_is_refused(self, said: Category, meant: Category) -> None:
        """The header's category decides: a body written for another one does not pass."""
        code, _ = refusal(alerts.alert(meant), category=said)

        assert code in (Code.CATEGORY_NEEDS, Code.BODY_SHAPE)


class TestPapers:
    """Rules 11 to 13."""

    @pytest.mark.parametrize(
        ("action", "papers"),
        [
            (Action.IDENTIFY, (LETTER,)),
            (Action.LOCATE, (LETTER,)),
            (Action.WATCH, (WATCH_APPROVAL,)),
            (Action.INSPECT, (LETTER,)),
            (Action.SUMMON, (LETTER, SUMMONS)),
            (Action.SUMMON, (LETTER, "compelled_appearance")),
            (Action.ARREST, (LETTER, "detention_warrant")),
            (Action.ARREST, (LETTER, ARREST_WARRANT)),
            (Action.ARREST, (LETTER, "wanted_order")),
            (Action.JOINT_OPERATION, (LETTER, "operation_plan")),
        ],
    )
    def test_an_action_needs_exactly_its_papers(self, action: Action, papers: tuple[str, ...]) -> None:
        """With its papers an action passes; without any one of them it is refused."""
        described: dict[str, Any] = {
            "watch": WATCH if action is Action.WATCH else None,
            "operation": OPERATION if action is Action.JOINT_OPERATION else None,
        }
        alerts.read(alerts.alert(request=alerts.request(action, papers=papers), **described))
        for missing in papers:
            rest = tuple(paper for paper in papers if paper != missing)
            body = alerts.alert(request=alerts.request(action, papers=rest), **described)

            assert refusal(body) == (Code.PAPERS_MISSING, "request.papers")

    def test_several_actions_need_the_papers_of_each(self) -> None:
        """布控 and 抓捕 together need what both need."""
        papers = (WATCH_APPROVAL, LETTER, ARREST_WARRANT)
        alerts.read(alerts.alert(request=alerts.request("watch", "arrest", papers=papers), watch=WATCH))
        body = alerts.alert(request=alerts.request("watch", "arrest", papers=papers[:2]), watch=WATCH)

        assert refusal(body) == (Code.PAPERS_MISSING, "request.papers")

    def test_every_action_and_every_paper_has_its_place(self) -> None:
        """The table covers each action, and no paper is listed that no action asks for."""
        asked = {paper for needs in codes.PAPERS_NEEDED.values() for choice in needs for paper in choice}

        assert codes.PAPERS_NEEDED.keys() == set(Action)
        assert asked == set(PaperKind)

    @pytest.mark.parametrize(
        "kind", [kind for kind in LegalBasisKind if kind is not LegalBasisKind.CASE_FILING]
    )
    def test_a_measure_against_a_person_needs_an_opened_case(self, kind: LegalBasisKind) -> None:
        """布控, 传唤, 抓捕 and a joint operation rest on 立案决定书; looking into something does not."""
        basis = alerts.alert()["legal_basis"] | {"kind": kind}
        watching = alerts.request("watch", papers=(WATCH_APPROVAL,))
        looking = alerts.request("identify", papers=(LETTER,))

        alerts.read(alerts.alert(legal_basis=basis, request=looking))
        assert refusal(alerts.alert(legal_basis=basis, request=watching, watch=WATCH)) == (
            Code.PAPERS_MISSING,
            "legal_basis.kind",
        )

    def test_control_on_warrant_needs_a_warrant(self) -> None:
        """凭证控制 without a warrant to show is refused."""
        bare = alerts.request("locate", papers=(LETTER,))
        shown = alerts.request("locate", papers=(LETTER, ARREST_WARRANT))

        alerts.read(alerts.alert(contact_rule=ContactRule.WARRANT, request=shown))
        assert refusal(alerts.alert(contact_rule=ContactRule.WARRANT, request=bare)) == (
            Code.PAPERS_MISSING,
            "request.papers",
        )

    @pytest.mark.parametrize(
        ("action", "papers", "field", "detail"),
        [
            ("watch", (WATCH_APPROVAL,), "watch", WATCH),
            ("joint_operation", (LETTER, "operation_plan"), "operation", OPERATION),
        ],
    )
    def test_a_watch_or_operation_is_described_exactly_when_asked_for(
        self, action: str, papers: tuple[str, ...], field: str, detail: dict[str, Any]
    ) -> None:
        """Asked for without a description, or described without being asked for: both are refused."""
        undescribed = alerts.alert(request=alerts.request(action, papers=papers))
        unasked = alerts.alert(**{field: detail})

        assert refusal(undescribed) == (Code.PAPERS_MISSING, field)
        assert refusal(unasked) == (Code.PAPERS_MISSING, field)


class TestRetention:
    """Rule 14."""

    @pytest.mark.parametrize(
        ("kept", "good"),
        [
            (timedelta(0), False),
            (timedelta(milliseconds=1), True),
            (timedelta(days=365), True),
            (LONGEST_RETENTION, True),
            (LONGEST_RETENTION + timedelta(milliseconds=1), False),
        ],
    )
    def test_a_body_is_kept_for_a_time_and_not_for_ever(self, kept: timedelta, good: bool) -> None:
        """The end of retention lies ahead, by three years at most."""
        body = alerts.alert(retain_until=format_time(alerts.AT + kept))
        if good:
            alerts.read(body)
        else:
            assert refusal(body) == (Code.RETAIN_UNTIL, "retain_until")
