"""Lines for a terminal: broken where Chinese may break, never steered by a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tongbao_connectors.cli.typesetting import REPLACEMENT, WIDEST, Paper, Row, Section, plain, typeset, wrap

TEXTS = st.text(alphabet="贵州省 贵A00000粤-0117，。（）《》“”…→·abc\n", max_size=120)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        pytest.param("贵州广东浙江", 6, ["贵州广", "东浙江"], id="anywhere between characters"),
        pytest.param("贵州广，东", 6, ["贵州", "广，东"], id="not before a comma"),
        pytest.param("贵州（广东）", 6, ["贵州", "（广", "东）"], id="not after an opening bracket"),
        pytest.param("租用贵A00000小客车", 10, ["租用", "贵A00000小", "客车"], id="not inside a plate"),
        pytest.param("责任人粤-0117在岗", 10, ["责任人", "粤-0117在", "岗"], id="not inside a reference"),
        pytest.param(
            "电话 000-00000001 夜间", 14, ["电话", "000-00000001", "夜间"], id="not inside a number"
        ),
        pytest.param("0123456789", 4, ["0123", "4567", "89"], id="unless a line can't hold it"),
        pytest.param("甲\n\n乙", 10, ["甲", "", "乙"], id="its own line breaks stay"),
        pytest.param("", 10, [""], id="nothing"),
    ],
)
def test_where_a_line_breaks(text: str, width: int, lines: list[str]) -> None:
    """Marks keep to their words, and what is read as one stays one."""
    assert wrap(text, width) == lines


@given(text=TEXTS, width=st.integers(8, 60))
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    """All but blanks at the breaks is there, in its order, and no line is too wide."""
    lines = wrap(text, width)

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize(
    "text",
    ["\x1b[2J", "\x9b31m", "\x07", "\r", "\u202e", "\u2066", "\u200b", "\x7f", "\x00", "\u2028"],
    ids=ascii,
)
def test_no_text_steers_the_terminal(text: str) -> None:
    """Whatever a terminal or a reader's eye would obey is shown as a sign that something was there."""
    assert plain(f"甲{text}乙") == f"甲{REPLACEMENT}{text[1:]}乙"


def paper(**section: object) -> Paper:
    return Paper((("协查通报", "bold"),), "演练", (Section(**section),))  # type: ignore[arg-type]


def test_the_status_stands_in_every_heading() -> None:
    """Whoever has scrolled past the head still reads 演练."""
    lines = [text for _, text, _ in typeset(paper(heading="事实", texts=("甲",)), 80)]

    assert lines[2].startswith("── 事实 ─")
    assert lines[2].endswith("─ 演练 ──")
    assert cell_len(lines[2]) == 80


def test_labels_stand_left_and_what_follows_is_indented() -> None:
    """A long text stays in its column; the style belongs to the first line and not to the label."""
    rows = (Row("车辆", ("贵A00000 白色小型客车", "蓝色货车"), "bold"), Row("值班电话", ("0851-00000110",)))
    lines = typeset(paper(heading="", rows=rows), 24)

    assert lines[2:] == [
        ("车辆      ", "贵A00000 白色", "bold"),
        ("          ", "小型客车", "bold"),
        ("          ", "蓝色货车", ""),
        ("值班电话  ", "0851-00000110", ""),
    ]


def test_a_margin_marks_every_line() -> None:
    """Assessment can't be taken for fact, however far one has scrolled."""
    section = {"heading": "研判", "texts": ("甲" * 60,), "rows": (Row("来源", ("B",)),), "margin": "║ "}
    lines = typeset(paper(**section), 80)

    assert [left[:2] for left, _, _ in lines[3:]] == ["║ "] * 3


def test_a_paper_is_never_wider_than_can_be_read() -> None:
    """A terminal of 300 columns doesn't make lines of 300."""
    lines = typeset(paper(heading="事实", texts=("甲" * 200,)), 300)

    assert max(cell_len(text) for _, text, _ in lines) == WIDEST
