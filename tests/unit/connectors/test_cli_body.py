"""A body is shown in words, whole, and as plain text."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from tongbao_connectors.cli import body as bodies
from tongbao_connectors.demo import samples
from tongbao_schemas.bodies import alert, answer
from tongbao_schemas.codes import Labelled

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SAMPLES = samples.load()


def shown(content: dict[str, Any], lang: str) -> list[bodies.Line]:
    facts = {name: content[name] for name in ("category", "status")}
    return list(bodies.lines(content["body"], kind="alert", at=AT, lang=lang, **facts))  # type: ignore[arg-type]


def wire_names() -> set[str]:
    """The names of all fields of all models of bodies."""
    models = [
        each
        for module in (alert, answer)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseModel)
    ]
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)
    else:
        yield str(value)


def test_every_field_of_a_body_has_a_chinese_name() -> None:
    """No label is missing, and none is left over."""
    assert set(bodies.LABELS) == wire_names()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.path.stem)
def test_chinese_view_has_no_wire_word_left(sample: samples.Sample) -> None:
    """Coded values stand in Chinese, and the free text is complete."""
    lines = shown(sample.content, "zh")
    values = {text for _, _, text in lines}

    codes = {str(code) for kind in Labelled.__subclasses__() for code in kind} - {"A", "B", "C"}

    assert not values & codes
    assert sample.title in values
    assert sample.content["body"]["facts"] in values


def test_english_view_has_english_words() -> None:
    """The same body with the wire's names and English labels."""
    lines = shown(SAMPLES[0].content, "en")

    assert (0, "contact_rule", "Covert, do not alert") in lines


def test_places_have_their_names_and_times_are_beijing() -> None:
    """A region code is followed by what it is called; a time says Beijing's clock."""
    lines = [text for _, _, text in shown(SAMPLES[0].content, "zh")]
    until = SAMPLES[0].content["body"]["movement"]["window"]["until"]

    assert any(text.startswith("4403") and text.endswith(("市", "区")) for text in lines)
    assert until not in lines
