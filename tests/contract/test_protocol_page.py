"""The protocol page says what the code does."""

import re
from pathlib import Path

from tongbao_schemas.codes import RELATIONS, MessageType
from tongbao_schemas.gate import MAX_DEPTH
from tongbao_schemas.record import IN_LIMIT, OUT_LIMIT
from tongbao_schemas.refusals import Code, table_markdown

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_the_page_has_the_table_of_codes() -> None:
    """The published table is `table_markdown()`, between the page's two marks."""
    published = PAGE.partition("<!-- codes:start -->\n")[2].partition("<!-- codes:end -->")[0]

    assert table_markdown() == published


def test_every_code_on_the_page_exists() -> None:
    """No sentence of the page names a code that nothing is refused with."""
    assert set(re.findall(r"TB-\d+", PAGE)) <= set(Code)


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    """A reader of the page and the code agree on sizes and depth."""
    section = PAGE.partition("## 3 Records")[2].partition("## 4")[0]

    assert f"| {OUT_LIMIT:,} |" in section
    assert f"| {IN_LIMIT:,} |" in section
    assert f"at most {MAX_DEPTH} levels deep" in PAGE


def test_the_table_of_types_has_the_relations_of_the_code() -> None:
    """Each type's row names the relations its refs may have, or none."""
    section = PAGE.partition("## 5 The signed header")[2].partition("## 6")[0]
    rows = re.findall(r"^\| ([a-z, ]+) \| [^|]+ \| ([^|]+) \|", section, re.MULTILINE)
    named = {kind: set(re.findall(r"`(\w+)`", refs)) for kinds, refs in rows for kind in kinds.split(", ")}

    assert {kind.value: set(RELATIONS[kind]) for kind in MessageType} == {
        kind: relations for kind, relations in named.items() if kind != "type"
    }
