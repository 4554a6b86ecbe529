"""`show` at both ends of an alert: what is opened, on whose record, and what the desk adds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.province import Network, Province, alert
from tongbao_broker import database
from tongbao_connectors import casework, words
from tongbao_connectors.cli import show
from tongbao_connectors.cli.errors import WhyMissing
from tongbao_connectors.cli.frame import Call
from tongbao_connectors.cli.show import Found
from tongbao_connectors.cli.typesetting import typeset
from tongbao_connectors.language import Language
from tongbao_connectors.store.models import ContentKey, Message, Opening

SENDER, SIGNER = "A-0120", "A-0117"


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """An alert of 520000 that 440000 has signed for and answered twice."""
    net = Network(tmp_path)
    gz, gd = net.province("520000"), net.province("440000")
    gz.submit(alert("a-1"), by=SENDER)
    net.settle()
    with gd.here():
        [item] = casework.list_inbox()
        who: dict[str, Any] = {"officer_ref": SIGNER, "roster": gd.settings.roster(), "at": net.clock.now()}
        casework.claim(item.number, **who)
        casework.answer(item.number, kind="progress", text="演练：正在核查", origin="440000", **who)
        net.settle()
        who["at"] = net.clock.now()
        casework.answer(
            item.number, kind="result", text="演练：已查获", outcome="seized", origin="440000", **who
        )
    net.settle()
    yield net
    database.close()


def found(province: Province, reference: str = "") -> Found:
    """A message as a province knows it, with nothing opened; the alert if no other is named."""
    alert_here = Message.objects.get(type="alert").number
    return show.look_up(reference or alert_here, province.settings, province.net.clock.now())


def call(officer: str | None = None, lang: Language = "zh") -> Call:
    return Call(Path("demo"), False, None, officer, False, lang)


def text_of(call: Call, shown: Found) -> str:
    return "\n".join(left + text for left, text, _ in typeset(show.paper_of(call, shown, None), 100))


def test_the_origin_reads_its_alert_with_all_answers(net: Network) -> None:
    """Sent by whom, how far with whom, and each answer: what, when, by whom, its text."""
    with net.provinces["520000"].here():
        opened = show.open_for(SENDER, found(net.provinces["520000"]), None, with_answers=True)
        text = text_of(call(SENDER), opened)

    assert "状态      已登记" in text
    assert f"发出人    {SENDER}" in text
    assert all(stage in text for stage in ("已送达 · ", "已分派 · ", "已签收 · ", "阶段反馈 · "))
    assert "广东  阶段反馈 · " in text
    assert "反馈：已查获 · " in text
    assert "A-0117 省禁毒总队情报中心" in text
    assert "演练：正在核查" in text
    assert "演练：已查获" in text
    assert "本省发出" in text


def test_every_body_that_is_shown_is_on_record(net: Network) -> None:
    """The alert and both answers, each with the officer and the reason; without an officer none."""
    with net.provinces["520000"].here():
        closed = found(net.provinces["520000"])
        assert "正文未打开" in text_of(call(), closed)
        assert Opening.objects.count() == 0
        show.open_for(SENDER, closed, None, with_answers=True)

        assert set(Opening.objects.values_list("officer_ref", "why")) == {(SENDER, show.ON_DUTY)}
        assert Opening.objects.values("message").distinct().count() == 3


def test_what_is_not_shown_is_not_opened(net: Network) -> None:
    """`--json` of a received alert has no answers, so none is opened for it."""
    with net.provinces["440000"].here():
        show.open_for(SIGNER, found(net.provinces["440000"]), None, with_answers=False)

        assert Opening.objects.values("message").distinct().count() == 1


def test_whoever_is_not_accountable_says_why(net: Network) -> None:
    """The sender and who an answer lies with may open it without; everybody else gives a reason."""
    with net.provinces["520000"].here():
        shown = found(net.provinces["520000"])
        with pytest.raises(WhyMissing):
            show.open_for("A-0001", shown, None, with_answers=True)
        assert Opening.objects.count() == 0
        show.open_for("A-0001", shown, "督导检查", with_answers=True)

        assert set(Opening.objects.values_list("why", flat=True)) == {"督导检查"}


def test_the_addressee_reads_where_it_lies_and_why(net: Network) -> None:
    """Units and officers by name, the steps with the regions' names, deadlines kept, own answers below."""
    with net.provinces["440000"].here():
        opened = show.open_for(SIGNER, found(net.provinces["440000"]), None, with_answers=True)
        text = text_of(call(SIGNER), opened)

    assert "单位      省禁毒总队情报中心" in text
    assert "责任人    A-0117 演练甲" in text
    assert "签收人    A-0117 演练甲 · " in text
    assert "（目的地 440305 深圳市南山区）" in text
    assert "省禁毒总队情报中心 当值：A-0117" in text
    assert "intel" not in text
    assert text.count("（按时）") == 3
    assert "来源可信：贵州签名有效" in text


def test_a_purged_answer_is_said_to_be_purged(net: Network) -> None:
    """The fact of an answer outlives its text."""
    with net.provinces["520000"].here():
        shown = found(net.provinces["520000"])
        ContentKey.objects.filter(message__answer_kind="progress").delete()
        opened = show.open_for(SENDER, shown, None, with_answers=True)

        assert "正文已销毁" in text_of(call(SENDER), opened)


def test_an_answer_that_was_opened_is_read(net: Network) -> None:
    """The paper that its reader holds says so at once."""
    with net.provinces["520000"].here():
        province = net.provinces["520000"]
        [answer, *_] = found(province).answers
        shown = found(province, answer.message_id)
        text = text_of(call(SENDER), show.open_for(SENDER, shown, None, with_answers=True))

    assert text.startswith("^^^ 特急  已阅")
    assert words.state("waiting", "zh", "answer") == "待阅"
    assert "反馈人" in text
    assert "演练：正在核查" in text
