"""What an officer reads: everything that a body says, in words, in the order in which he needs it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.schemas import alerts
from tongbao_connectors.casework import Item
from tongbao_connectors.cli import desk, paper
from tongbao_connectors.cli.paper import Sheet, Source
from tongbao_connectors.cli.typesetting import Paper, typeset
from tongbao_connectors.demo import samples
from tongbao_connectors.language import Language
from tongbao_connectors.wording import Wording
from tongbao_schemas.codes import Category, Labelled

NOW = datetime(2026, 11, 23, 14, 18, tzinfo=UTC)
NUMBER = "黔2026-000017-D"
SAMPLES = samples.load()
PROVED = Source(own=False, index=17, admitted_at=NOW - timedelta(minutes=18))
WIDTH = 100


def item(**over: Any) -> Item:
    """A flash alert of Guizhou for Guangdong that has to be signed for within twelve minutes."""
    facts: dict[str, Any] = {
        "number": NUMBER,
        "message_id": "019aafd6-0c00-7000-8000-000000000001",
        "thread": "019aafd6-0c00-7000-8000-000000000001",
        "origin": "520000",
        "audience": ("440000", "330000"),
        "type": "alert",
        "answer_kind": "",
        "status": "exercise",
        "urgency": "flash",
        "category": "outbound_trafficking",
        "handling": "H2",
        "unit": "gd-shenzhen",
        "officer_ref": "粤-0117",
        "rule": "深圳",
        "steps": (),
        "state": "waiting",
        "issued_at": NOW - timedelta(minutes=18),
        "received_at": NOW - timedelta(minutes=18),
        "expires_at": NOW + timedelta(days=30),
        "sign_by": NOW + timedelta(minutes=12),
        "first_feedback_by": NOW + timedelta(hours=4),
        "result_by": NOW + timedelta(hours=24),
        "expired": False,
        "claimed_by": None,
        "claimed_at": None,
        "answered_at": None,
    }
    return Item(**facts | over)


def sheet(lang: Language = "zh", *, source: Source = PROVED, answered: bool = False, **over: Any) -> Sheet:
    shown = item(**over)
    return Sheet(shown, source, answered, Wording(lang, NOW, shown.issued_at))


def text_of(made: Paper) -> str:
    return "\n".join(left + text for left, text, _ in typeset(made, WIDTH))


def shown(body: dict[str, Any], lang: Language = "zh", **over: Any) -> str:
    """An alert's paper as text."""
    return text_of(paper.of_alert(sheet(lang, **over), body, opening="本次打开已记录", rest=()))


def sample(number: int, lang: Language = "zh") -> str:
    content = SAMPLES[number - 1].content
    return shown(content["body"], lang, category=content["category"], status=content["status"])


def rows(text: str) -> dict[str, list[str]]:
    """Labels of the first block and the lines behind each."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n\n")[1].split("\n"):
        label, _, said = line.partition("  ")
        found.setdefault(label or list(found)[-1], []).append(said.strip())
    return found


def strings(value: Any, name: str = "") -> Iterator[str]:
    """Every text of a body as it was written; coded values and digests aside."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from strings(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part, name)
    elif name not in ("digest", "from", "until") and value not in CODES:
        yield value


CODES = {str(code) for kind in Labelled.__subclasses__() for code in kind}


def test_the_answer_comes_before_the_document() -> None:
    """Level and time left, status, title, way; then the ten questions in their order; then the texts."""
    text = sample(1)
    head, block, *_ = text.split("\n\n")

    assert head.split("\n") == [
        "^^^ 特急  剩 12 分  今日 22:30 前签收",
        "【演练】不得据此采取真实行动",
        SAMPLES[0].title,
        f"协查通报 {NUMBER} · 贵州 → 广东、浙江 · 外流贩毒",
    ]
    assert list(rows(text)) == [
        "请你做",
        "可否惊动",
        "对象",
        "车辆",
        "时间地点",
        "危险",
        "手续",
        "来源",
        "值班电话",
    ]
    headings = re.findall(r"^── (.+?) ─", text, re.MULTILINE)
    assert headings == ["事实", "研判　推断，不是事实", "依据与责任"]
    assert text.index(block) < text.index("本次打开已记录") < text.index("── 事实")


def test_the_first_block_of_the_first_sample() -> None:
    """What an officer must know within seconds."""
    said = rows(sample(1))

    assert said["请你做"][:2] == ["布控、查找", "发现即报，不单独抓捕；先电话联系我方值班室。"]
    assert said["可否惊动"] == ["秘密核查不得惊动"]
    assert said["对象"][:2] == ["演练甲 · 男 · 38 岁", "嫌疑角色 运输 · 已立案"]
    assert "居民身份证 520000198802290018（无效号）" in said["对象"]
    assert said["车辆"] == ["贵A00000  白色小型客车"]
    assert "贵阳市（520100） → 深圳市（440300），经高速公路" in said["时间地点"]
    assert said["危险"] == ["持刀"]
    assert said["手续"] == ["齐全，3 份", "立案决定书、布控审批表、协查函"]
    assert said["来源"] == ["来源可信：贵州签名有效", "今日 22:00 登记，账本第 17 条，证明有效"]
    assert said["值班电话"][0] == "0851-00000110（24 小时）"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("number", range(1, len(SAMPLES) + 1))
def test_everything_that_a_body_says_is_on_the_paper(number: int, lang: Language) -> None:
    """No name, number, place or text is left out, in either language."""
    text = "".join(sample(number, lang).replace("║", "").split())
    missing = {
        said for said in strings(SAMPLES[number - 1].content["body"]) if "".join(said.split()) not in text
    }

    assert missing == set()


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_wire_word_is_left(category: Category, lang: Language) -> None:
    """An officer never meets a field's name or a coded term."""
    body = alerts.alert(category, assessment="推断。")
    text = shown(body, lang, category=category)

    said = text.replace("demo_0004", "")

    assert not re.findall(r"[a-z]+_[a-z]+|None|null|\{|\[\]", said)
    if lang == "zh":
        assert not re.findall(r"[a-z]{3,}", said)


def test_what_is_unknown_is_said() -> None:
    """A bare alert answers every question, with 未知 where it must."""
    body = alerts.alert(Category.ONLINE)
    said = rows(shown(body, category="online"))

    assert said["车辆"] == ["未知"]
    assert said["危险"] == ["未知"]
    assert said["时间地点"] == ["时间未知", "地点未知"]
    assert rows(
        shown(
            alerts.alert(Category.MANUFACTURING, subjects=[], targets=[alerts.VEHICLE]),
            category="manufacturing",
        )
    )["对象"] == ["未知"]


def test_facts_and_assessment_are_apart() -> None:
    """The assessment is marked as inference, with the grading in words, in every line."""
    text = shown(alerts.alert(facts="事实甲。", assessment="推断乙。\n推断丙。"))
    facts, assessment = text[text.index("── 事实") : text.index("── 依据")].split("\n\n")[:2]

    assert "事实甲。" in facts
    assert "推断" not in facts
    assert assessment.split("\n")[1:] == [
        "║ 推断乙。",
        "║ 推断丙。",
        "║ 来源分级  B 多数可靠",
        "║ 情报分级  2 来源直接知悉，未经佐证",
    ]
    assert "║ 未作研判" in shown(alerts.alert(assessment=None))


@pytest.mark.parametrize(
    ("over", "answered", "expected"),
    [
        ({}, False, "^^^ 特急  剩 12 分  今日 22:30 前签收"),
        ({"sign_by": NOW - timedelta(minutes=25)}, False, "^^^ 特急  超时 25 分  今日 21:53 前签收"),
        ({"state": "claimed", "urgency": "urgent"}, False, "^^ 加急  剩 4 小时  明日 02:18 前首次反馈"),
        ({"state": "claimed"}, True, "^^^ 特急  剩 1 天  明日 22:18 前反馈结果"),
        ({"state": "answered", "urgency": "routine"}, True, "^ 平急  已反馈"),
        ({"state": "settled"}, False, "^^^ 特急  已登记"),
        ({"sign_by": None}, False, "^^^ 特急  待签收"),
    ],
    ids=["to sign", "overdue", "signed", "first answer given", "answered", "own", "no deadline"],
)
def test_the_band_says_what_is_due_next(over: dict[str, Any], answered: bool, expected: str) -> None:
    """Level by word and sign, and the one deadline that counts now."""
    text = text_of(paper.closed(sheet(answered=answered, **over), rest=()))

    assert text.split("\n")[0] == expected


@pytest.mark.parametrize(
    ("status", "lang", "line"),
    [
        ("exercise", "zh", "【演练】不得据此采取真实行动"),
        ("test", "zh", "【测试】不办理"),
        ("actual", "zh", "【正式】"),
        ("actual", "en", "[Actual]"),
        ("exercise", "en", "[Exercise] no real action may follow from it"),
    ],
)
def test_the_status_is_always_visible(status: str, lang: Language, line: str) -> None:
    """In the head in words, and in every heading."""
    text = shown(alerts.alert(), lang, status=status)
    mark = line.strip("【[").split("】")[0].split("]")[0]
    headings = [each for each in text.split("\n") if each.startswith("── ")]

    assert text.split("\n")[1] == line
    assert all(heading.endswith(f" {mark} ──") for heading in headings)


def test_an_expired_alert_says_so() -> None:
    """Nobody acts on what is no longer valid without having read that."""
    assert "【已过期】" in shown(alerts.alert(), expires_at=NOW - timedelta(hours=1))
    assert "【已过期】" in shown(alerts.alert(), expired=True)
    assert "【已过期】" not in shown(alerts.alert())


def test_every_request_reads_in_full() -> None:
    """A watch with its end and what to do on a hit; a joint operation with who leads, and not before when."""
    request = alerts.request(
        "watch", "joint_operation", papers=("watch_approval", "assistance_letter", "operation_plan")
    )
    body = alerts.alert(
        request=request,
        watch={
            "from": "2026-11-23T10:00:00.000Z",
            "until": "2026-11-24T10:00:00.000Z",
            "on_hit": "follow",
        },
        operation={
            "code_name": "演练行动",
            "lead": "520000",
            "participants": ["440000", "330000"],
            "not_before": "2026-11-23T22:00:00.000Z",
        },
    )

    assert rows(shown(body))["请你做"] == [
        "布控、联合行动",
        "布控 今日 18:00 至 明日 18:00，剩 19 小时 42 分",
        "命中后 跟踪",
        "联合行动 演练行动：贵州牵头，广东、浙江参战",
        "明日 06:00（剩 7 小时 42 分） 之前不得先动",
    ]
    assert "Joint operation 演练行动: led by Guizhou, with Guangdong, Zhejiang" in shown(body, "en")


def test_papers_that_are_missing_are_named() -> None:
    """Should such an alert ever lie here, the officer is told what it lacks."""
    body = alerts.alert(request=alerts.request("arrest", papers=("assistance_letter",)))

    assert rows(shown(body))["手续"][0] == "不齐，缺 逮捕证或拘留证或通缉令"


def test_several_subjects_are_told_apart() -> None:
    """Danger and vehicle name the person they belong to."""
    second = alerts.SUBJECT | {"name": "演练乙", "danger": ["firearm", "violence"]}
    first = alerts.SUBJECT | {"vehicles": [{"plate": "贵A00000"}]}
    said = rows(shown(alerts.alert(subjects=[first, second])))

    assert said["危险"] == ["演练甲：不详", "演练乙：持枪、暴力"]
    assert said["车辆"] == ["贵A00000（演练甲）"]


def test_the_source_of_a_paper() -> None:
    """Verified with its entry, not yet proved, or written here."""
    unproved, own = Source(own=False), Source(own=True, index=3, admitted_at=NOW)

    assert rows(shown(alerts.alert(), source=unproved))["来源"][1] == "登记证明未到"
    assert rows(shown(alerts.alert(), source=own))["来源"][0] == "本省发出"
    assert "verified: signed by Guizhou" in shown(alerts.alert(), "en")


def test_markings_attachments_and_retention() -> None:
    """What may be done with it, what comes with it, and how long it is kept, in words."""
    note = {"name": "图片 1.jpg", "digest": alerts.DIGEST, "size": 20480, "marking": "work_secret"}
    text = shown(alerts.alert(attachments=[note], retain_until="2026-12-23T10:00:00.000Z"))

    assert "附件      图片 1.jpg · 20480 字节（警务工作秘密）" in text
    assert "使用限制  H2 未经发出方同意不得转发" in text
    assert "保存至    12-23 18:00（剩 29 天 19 小时）" in text


def test_english_names_whose_words_follow() -> None:
    """Labels are English, what a province wrote stays Chinese and is marked as its own words."""
    text = sample(1, "en")

    assert "── Facts (as written by Guizhou) ──" in text
    assert "── Assessment: inference, not fact ──" in text
    assert SAMPLES[0].content["body"]["facts"][:20] in text


def test_markup_in_a_text_is_text() -> None:
    """Square brackets and colons of a body are printed, not obeyed."""
    said = "[bold red]甲[/] :boom: [link=http://x]乙[/link]"

    assert said in shown(alerts.alert(facts=said))


def test_no_answer_is_said() -> None:
    """An empty section says that it is empty."""
    text = text_of(paper.closed(sheet(), rest=[desk.answers((), sheet().w)]))

    assert "── 反馈 ─" in text
    assert text.endswith("尚无反馈")


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("progress", "阶段反馈"),
        ("result", "反馈：已查找到"),
        ("returned", "退回补正：手续不完备"),
        ("redirect", "建议改发：广西"),
        ("more_time", "申请延期至 11-30 08:00（剩 6 天 9 小时）"),
    ],
)
def test_an_answer_is_a_paper_of_its_own(kind: str, verdict: str) -> None:
    """What it comes to, by whom, when, and its text."""
    answer = replace(item(), type="answer", origin="440000", audience=("520000",), answer_kind=kind)
    made = paper.of_letter(
        replace(sheet(), item=answer), alerts.answer(kind), opening="本次打开已记录", rest=()
    )
    text = text_of(made)

    assert text.split("\n")[2:4] == [verdict, f"反馈 {NUMBER} · 广东 → 贵州 · 外流贩毒"]
    assert "粤-0117 演练支队" in text
    assert "演练反馈。" in text


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("update", "补充/更正通报"),
        ("cancel", "撤销：误发"),
        ("reply", "请求补充"),
        ("reminder", "催办"),
        ("closure", "办结：协查目的已达到"),
    ],
)
def test_what_follows_an_alert_is_a_paper_of_its_own(kind: str, verdict: str) -> None:
    """What it comes to, who signed it, its text, and of an update what it changes."""
    letter = replace(item(), type=kind, origin="520000", audience=("440000",))
    made = paper.of_letter(replace(sheet(), item=letter), alerts.follow_up(kind), opening="已记录", rest=())
    text = text_of(made)

    assert text.split("\n")[2] == verdict
    assert "粤-0117 演练支队" in text
    assert "演练说明。" in text
    assert ("0851-00000000" in text and "原为 0851-00000001" in text) == (kind == "update")
