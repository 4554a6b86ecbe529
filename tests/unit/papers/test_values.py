"""What stands in a form."""

from tongbao_connectors.papers.values import (
    added,
    count,
    indices,
    many,
    of_form,
    one,
    removed,
    typed,
    without,
)


def test_line_ends_and_characters_are_made_uniform() -> None:
    """A browser's CR LF and decomposed letters change nothing about a text."""
    values = of_form([("body.facts", ["a\r\nb"]), ("body.title", ["e\u0301"])])

    assert values == {"body.facts": ["a\nb"], "body.title": ["\u00e9"]}


def test_gaps_in_the_numbers_are_closed() -> None:
    """Also in groups within groups."""
    values = of_form([("g[2].a", ["x"]), ("g[5].a", ["y"]), ("g[5].v[3].p", ["p"]), ("g[5].v[7].p", ["q"])])

    assert values == {"g[0].a": ["x"], "g[1].a": ["y"], "g[1].v[0].p": ["p"], "g[1].v[1].p": ["q"]}


def test_adding_and_removing_items() -> None:
    """An item is added at the end; behind a removed one all move up, and nothing else is lost."""
    values = added(added({"t": ["keep"]}, "g", name="a", kind=""), "g", name="b", kind="k")

    assert indices(values, "g") == [0, 1]
    assert removed(values, "g", 0) == {"t": ["keep"], "g[0].name": ["b"], "g[0].kind": ["k"]}
    assert count(removed(values, "g", 0), "g") == 1


def test_what_counts_as_typed() -> None:
    """Blanks are nothing, and what stands there by itself may be left out."""
    values = {"g[0].a": ["  "], "g[0].kind": ["car"], "g[10].a": ["x"], "list": ["b", "a"]}

    assert not typed(values, "g[0]", ("kind",))
    assert typed(values, "g[0]")
    assert one(values, "g[0].a") == ""
    assert one(values, "missing") == ""
    assert many(values, "list") == ("b", "a")


def test_without_fields_and_groups() -> None:
    """What stands below a path goes with it; what only begins like it stays."""
    values = {"a": ["1"], "a.b": ["2"], "a[0].c": ["3"], "ab": ["4"], "b.a": ["5"]}

    assert without(values, ["a"]) == {"ab": ["4"], "b.a": ["5"]}
    assert without(values, []) == values
