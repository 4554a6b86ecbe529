"""Between what stands in the form and the submission that is sent; both ways, nothing is lost on either.

1. What is left empty is absent. An item of a group in which nothing is typed is no item, and a field that
   says nothing without the one beside it goes with that one.
2. 布控 and 联合行动 are described only where they are asked for; the form keeps what was typed there.
3. Times are typed in Beijing time, places by name or code, lists of words one a line.
4. A text that can't be converted goes on as it stands, so that the check refuses it at its own field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from tongbao_connectors.duty_time import BEIJING
from tongbao_connectors.papers import form, places
from tongbao_connectors.papers.fields import Block, Field, Group, Kind, Part, flat, variant
from tongbao_connectors.papers.values import Values, added, indices, many, one, removed, typed
from tongbao_schemas.bodies.codes import PAPERS_NEEDED, Action, PaperKind
from tongbao_schemas.codes import Category, MessageType, Status
from tongbao_schemas.encoding import format_time, parse_time

ACTIONS: Final = "body.request.actions"
PAPERS: Final = "body.request.papers"
MOVEMENT_START: Final = "body.movement.window.from"
_LISTS: Final = frozenset({Kind.CHECKS, Kind.PROVINCES})


@dataclass(frozen=True, slots=True)
class Officer:
    """By whom something is signed, as it stands in the body."""

    unit: str
    officer_ref: str

    def as_json(self) -> dict[str, str]:
        return {"unit": self.unit, "officer_ref": self.officer_ref}


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who drafted, who reviewed for secrecy, who issues."""

    author: Officer
    reviewer: Officer
    issuer: Officer


def to_submission(
    values: Mapping[str, list[str]],
    category: Category,
    signatures: Signatures,
    *,
    client_ref: str,
    today: date,
) -> dict[str, Any]:
    """The submission as plain JSON; not checked."""
    filled = _Filling(dict(values), today)
    found: dict[str, Any] = {}
    for section in form.sections(category):
        _put(found, filled, section.parts, "")
    body = found.setdefault("body", {})
    body["prepared_by"] = signatures.author.as_json()
    body["approved_by"] = signatures.issuer.as_json()
    if "secrecy_review" in body:
        body["secrecy_review"]["officer"] = signatures.reviewer.officer_ref
    return {
        "client_ref": client_ref,
        "type": MessageType.ALERT.value,
        "category": category.value,
    } | found


def to_values(submission: Mapping[str, Any], category: Category, *, today: date) -> Values:
    """What stands in the form for a submission, without what the desk itself knows."""
    values: Values = {}
    for section in form.sections(category):
        values |= _taken(submission, section.parts, "", today)
    return values


def blank(category: Category, statuses: tuple[Status, ...]) -> Values:
    """An empty form with its defaults."""
    values: Values = {}
    for section in form.sections(category):
        for part in flat(section.parts):
            if isinstance(part, Field) and part.default:
                values[part.name] = [part.default]
    if len(statuses) == 1:
        values["status"] = [statuses[0].value]
    return values


def with_needed_papers(values: Values) -> Values:
    """With a line for each paper that a chosen request needs, and without empty ones that none needs."""
    chosen = many(values, ACTIONS)
    choices = [choice for action in Action if action in chosen for choice in PAPERS_NEEDED[action]]
    needed = {paper for choice in choices for paper in choice}
    for index in reversed(indices(values, PAPERS)):
        item = f"{PAPERS}[{index}]"
        if not typed(values, item, ("kind", "marking")) and one(values, f"{item}.kind") not in needed:
            values = removed(values, PAPERS, index)
    for choice in choices:
        present = {one(values, f"{PAPERS}[{index}].kind") for index in indices(values, PAPERS)}
        if not present & choice:
            values = added(values, PAPERS, kind=_usual(choice), number="", digest="")
    return values


def day_of(path: str, values: Mapping[str, list[str]], today: date) -> date:
    """On which day the region code of a field has to be valid."""
    start = one(values, MOVEMENT_START)
    if path.startswith("body.movement.") and start:
        try:
            return date.fromisoformat(start[:10])
        except ValueError:
            return today
    return today


@dataclass(frozen=True, slots=True)
class _Filling:
    values: Values
    today: date

    def encoded(self, field: Field, path: str) -> Any:
        """The field's value on the wire, None where it has none."""
        if field.kind in _LISTS:
            return list(many(self.values, path)) or None
        text = one(self.values, path)
        if not text:
            return None
        if field.kind is Kind.LINES:
            return [line.strip() for line in text.split("\n") if line.strip()] or None
        if field.kind is Kind.TIME:
            return _instant(text)
        if field.kind is Kind.REGION:
            expected = many(self.values, "audience")
            return places.code_of(text, day_of(path, self.values, self.today), expected)
        return text


def _put(found: dict[str, Any], filled: _Filling, parts: tuple[Part, ...], prefix: str) -> None:
    for part in parts:
        if isinstance(part, Block):
            if part.action is None or part.action in many(filled.values, ACTIONS):
                _put(found, filled, part.fields, prefix)
        elif isinstance(part, Group):
            items = list(_items(filled, part, prefix + part.name))
            if items:
                _set(found, part.name, items)
        else:
            _put_field(found, filled, part, prefix)


def _put_field(found: dict[str, Any], filled: _Filling, field: Field, prefix: str) -> None:
    if field.beside and not one(filled.values, prefix + field.beside):
        return
    value = filled.encoded(field, prefix + field.name)
    if value is not None and not _said_by_absence(field, value):
        _set(found, field.name, value)


def _said_by_absence(field: Field, value: Any) -> bool:
    """A marking of none is what absence means."""
    return field.name.endswith("marking") and value == field.default


def _items(filled: _Filling, group: Group, path: str) -> Iterator[dict[str, Any]]:
    for index in indices(filled.values, path):
        item = f"{path}[{index}]"
        kind = one(filled.values, f"{item}.kind")
        if not typed(filled.values, item, _preset(group, kind)):
            continue
        made: dict[str, Any] = {"kind": kind} if group.variants else {}
        _put(made, filled, variant(group, kind), f"{item}.")
        yield made


def _preset(group: Group, kind: str) -> list[str]:
    """What stands in a new item without anybody having typed it."""
    fields = [part.name for part in variant(group, kind) if isinstance(part, Field) and part.default]
    return [*fields, "kind"] if group.variants else fields


def _set(found: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        found = found.setdefault(name, {})
    found[last] = value


def _get(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _taken(found: Any, parts: tuple[Part, ...], prefix: str, today: date) -> Values:
    values: Values = {}
    for part in flat(parts):
        value = _get(found, part.name)
        path = prefix + part.name
        if isinstance(part, Group):
            for index, item in enumerate(value if isinstance(value, list) else ()):
                values |= _item_taken(part, item, f"{path}[{index}]", today)
        elif value is not None:
            values[path] = _decoded(part, value, today)
    return values


def _item_taken(group: Group, item: Any, path: str, today: date) -> Values:
    kind = str(_get(item, "kind") or "")
    values = _taken(item, variant(group, kind), f"{path}.", today)
    return values | ({f"{path}.kind": [kind]} if group.variants else {})


def _decoded(field: Field, value: Any, today: date) -> list[str]:
    if isinstance(value, list):
        texts = [str(each) for each in value]
        return ["\n".join(texts)] if field.kind is Kind.LINES else texts
    text = str(value)
    if field.kind is Kind.TIME:
        return [_local(text)]
    return [places.full_name(text, today)] if field.kind is Kind.REGION else [text]


def _instant(text: str) -> str:
    """A local time as it is typed, or as a browser sends it, on the wire; the text itself if it is none."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return text
    return format_time(local.replace(tzinfo=local.tzinfo or BEIJING))


def _local(text: str) -> str:
    try:
        local = parse_time(text).astimezone(BEIJING).replace(tzinfo=None)
    except ValueError:
        return text
    exact = "milliseconds" if local.microsecond else "seconds" if local.second else "minutes"
    return local.isoformat(timespec=exact)


def _usual(choice: frozenset[PaperKind]) -> PaperKind:
    """Where one of several papers serves, the first of the list is offered."""
    return next(paper for paper in PaperKind if paper in choice)
