"""What is wrong with a draft: each fault at its field, in both languages."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.schemas import alerts
from tongbao_broker.errors import Words
from tongbao_connectors.papers import form
from tongbao_connectors.papers.checking import FILES, Fault, Question, anchors, check, fields_of, of_refused
from tongbao_connectors.papers.mapping import Officer, Signatures, blank, to_values, with_needed_papers
from tongbao_connectors.papers.values import Values
from tongbao_schemas.codes import Category, Status
from tongbao_schemas.errors import Refused
from tongbao_schemas.refusals import Code

NOW = datetime(2026, 11, 23, 6, 18, tzinfo=UTC)
AUTHOR = Officer("演练总队", "黔-0002")
ISSUER = Officer("演练总队", "黔-0001")
BAD = Path(__file__).parents[3] / "examples" / "bad"


def submission(category: Category = Category.OUTBOUND_TRAFFICKING, **changes: Any) -> dict[str, Any]:
    """A good submission with some fields of its body changed."""
    return {
        "status": "exercise",
        "audience": ["440000"],
        "urgency": "flash",
        "handling": "H1",
        "body": alerts.alert(category, **changes),
    }


def question(
    sent: dict[str, Any], category: Category = Category.OUTBOUND_TRAFFICKING, **typed: str
) -> Question:
    """The question whether the draft of a submission is right, with some fields typed otherwise."""
    values = to_values(sent, category, today=NOW.date())
    return asked(values | {path.replace("__", "."): [text] for path, text in typed.items()}, category)


def asked(
    values: Values,
    category: Category = Category.OUTBOUND_TRAFFICKING,
    agreed: Mapping[str, Words] | None = None,
) -> Question:
    """The question whether these values are right."""
    return Question(
        values, category, Signatures(AUTHOR, ISSUER, ISSUER), "520000", "desk-1", NOW, agreed or {}
    )


def paths(found: tuple[Fault, ...]) -> list[str]:
    """Where the faults are."""
    return [fault.path for fault in found]


@pytest.mark.parametrize("category", Category)
def test_a_good_draft_has_no_fault(category: Category) -> None:
    """Of each category."""
    assert check(question(submission(category), category)) == ()


@pytest.mark.parametrize("category", Category)
def test_an_empty_draft_names_every_field_that_is_needed(category: Category) -> None:
    """Each fault stands at a field or group of the page, in its order, with words in both languages."""
    values = blank(category, (Status.EXERCISE,))

    found = check(asked(values, category))

    assert {"urgency", "audience", "body.title", "body.case.number", "body.facts"} <= set(paths(found))
    places = list(anchors(values, category))
    assert [path for path in places if path in set(paths(found))] == paths(found)
    assert all(fault.words.zh and fault.words.en for fault in found)


def test_the_five_faults_of_a_draft_are_told_together() -> None:
    """Case number, paper, ID number, ended region, telephone: all at once, in the order of the page."""
    sent = submission(
        subjects=[alerts.SUBJECT | {"id_document": {"kind": "id_card", "number": "52000019900101000"}}],
        request={"actions": ["identify"]},
        movement={"to": {"region": "330183"}},
    )
    values = to_values(sent, Category.OUTBOUND_TRAFFICKING, today=NOW.date())
    del values["body.case.number"], values["body.contact.duty_phone"]

    found = check(asked(with_needed_papers(values)))

    assert [(fault.path, fault.words.zh) for fault in found] == [
        ("body.case.number", "填写案件编号，一份通报只写一个案件"),
        ("body.request.papers[0].number", "“查询身份”需要协查函，请添加文号和文件"),
        ("body.request.papers[0].digest", "选择文件，摘要随通报发出"),
        ("body.subjects[0].id_document.number", "公民身份号码应为 18 位，现在是 17 位"),
        ("body.movement.to.region", "富阳市（330183）2014 年起停用，2026-11-23 有效的是 富阳区（330111）"),
        ("body.contact.duty_phone", "填写 24 小时值班电话"),
    ]
    assert [fix.label.zh for fix in found[4].fixes] == ["改为 富阳区（330111）"]
    assert found[4].fixes[0].text == "浙江省 杭州市 富阳区（330111）"


def test_a_place_is_judged_on_the_day_of_the_movement() -> None:
    """富阳市 was a city in 2014, so an alert about that summer may name it."""
    sent = submission(
        movement={
            "to": {"region": "330183"},
            "window": {"from": "2014-06-01T00:00:00.000Z", "until": "2014-06-02T00:00:00.000Z"},
        }
    )

    assert check(question(sent)) == ()


FAULTS: list[tuple[str, str, str, str]] = [
    ("title", "body.title", "题" * 81, "标题最多 80 字，现在是 81 字"),
    ("two cases", "body.case.number", "甲、乙", "只写一个编号，不用顿号、逗号或竖线隔开几个"),
    ("telephone", "body.contact.duty_phone", "call me", "电话只写数字和连字符，5 至 20 位"),
    ("invisible", "body.facts", "演\u200b练", "含有看不见的控制字符，请删去后重新输入"),
    ("secret", "body.facts", "机密★", "标有国家秘密的内容不能在这里传递，请走机要渠道"),
    (
        "secret document",
        "body.legal_basis.marking",
        "secret",
        "标有国家秘密的内容不能在这里传递，请走机要渠道",
    ),
    ("real number in text", "body.facts", f"号码{alerts.PASSING}", "演练和测试通报只能填通不过校验的号码"),
    ("retention", "body.retain_until", "2036-01-01T00:00", "保存期限须晚于现在，最长 3 年"),
    ("expired", "expires_at", "2026-01-01T00:00", "有效期须晚于现在"),
    ("own province", "audience", "520000", "收件省不能是本省"),
    ("no such place", "body.to_places[0].region", "999999", "没有行政区划代码 999999"),
    ("no time", "expires_at", "soon", "通报有效至的写法不对"),
]


@pytest.mark.parametrize(
    ("path", "text", "words"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_one_fault_at_its_field(path: str, text: str, words: str) -> None:
    """What the models and rules refuse is said at the field, in words that tell what to do."""
    asks = question(submission())

    found = check(asked(asks.values | {path: [text]}))

    assert [(fault.path, fault.words.zh) for fault in found] == [(path, words)]
    assert found[0].words.en


def test_a_substance_outside_the_list_is_named() -> None:
    """The fault stands at the name, not at the choice."""
    found = check(question(submission(substances=[{"substance": "other_drug"}])))

    assert [(fault.path, fault.words.zh) for fault in found] == [
        ("body.substances[0].name", "选“其他”时填写具体名称")
    ]


def test_an_alert_for_information_asks_for_nothing_else() -> None:
    """Said at the requests."""
    sent = submission(request=alerts.request("for_information", "locate", papers=("assistance_letter",)))

    assert paths(check(question(sent))) == ["body.request.actions"]


@pytest.mark.parametrize(
    ("category", "changes", "path"),
    [
        (Category.OUTBOUND_TRAFFICKING, {"subjects": None}, "body.subjects"),
        (Category.ONLINE, {"targets": [alerts.VEHICLE]}, "body.targets[0].plate"),
        (Category.MANUFACTURING, {"targets": [alerts.VEHICLE]}, "body.targets[0].plate"),
        (Category.INTERDICTION, {"targets": [alerts.VEHICLE]}, "body.checkpoint"),
        (Category.PRECURSOR, {"firm": None}, "body.firm"),
    ],
)
def test_what_a_category_needs(category: Category, changes: dict[str, Any], path: str) -> None:
    """A missing subject or target, and what only this category asks for."""
    found = check(question(submission(category, **changes), category))

    assert paths(found) == [path]


def test_control_on_warrant_needs_a_warrant() -> None:
    """The whole check has the last word where the form's own looks find nothing."""
    found = check(question(submission(contact_rule="warrant")))

    assert [fault.code for fault in found] == [Code.PAPERS_MISSING]


def test_who_may_not_be_notified_is_told_at_the_addressees() -> None:
    """An addressee without an agreement that allows this."""
    values = question(submission()).values
    words = Words("与广东没有有效协议", "No agreement with Guangdong")

    found = check(asked(values, agreed={"440000": words}))

    assert found == (Fault("audience", words, Code.NO_AGREEMENT),)


@pytest.mark.parametrize("path", sorted(BAD.glob("*.json")), ids=lambda path: path.stem)
def test_what_the_examples_are_refused_for_stands_at_a_field(path: Path) -> None:
    """Every `where` of a refusal leads to a field or group of the page, or to the page as a whole."""
    places = BAD.joinpath("places.toml").read_text(encoding="utf-8")
    where = next(
        (line.split('"')[1] for line in places.splitlines() if line.startswith(f"{path.stem} =")), ""
    )
    asks = question(submission())

    fault = of_refused(Refused(Code.BODY_SHAPE, where), asks)

    assert fault.path in {"", FILES, *anchors(asks.values, asks.category)}


def test_every_field_has_words_in_both_languages() -> None:
    """Labels, hints and what is asked, of every field of every category."""
    for category in Category:
        for section in form.sections(category):
            assert all(section.label)
        for field in fields_of(question(submission(category), category).values, category).values():
            assert all(bool(words.zh) == bool(words.en) for words in (field.label, field.hint, field.asks))


def test_targets_faults_stand_at_their_own_fields() -> None:
    """The tag that tells targets apart is no part of a field's path."""
    sent = submission(targets=[{"kind": "vehicle", "plate": "x"}])

    assert paths(check(question(sent))) == ["body.targets[0].plate"]


def test_json_stays_json() -> None:
    """What is judged can be written down as it is sent."""
    assert json.loads(json.dumps(question(submission()).submission()))["client_ref"] == "desk-1"
