"""What the page of a draft shows: sections, controls, repeatable groups, each fault at its own control.

Everything is in words already, in the language of the page; templates only set it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tongbao_broker.errors import Words
from tongbao_connectors.desk.language import current, pick, say
from tongbao_connectors.papers import form
from tongbao_connectors.papers.agreements import Terms, longest
from tongbao_connectors.papers.checking import Fault, Fix
from tongbao_connectors.papers.fields import NO_WORDS, Block, Field, Group, Kind, Part, Section, variant
from tongbao_connectors.papers.mapping import ACTIONS, PAPERS
from tongbao_connectors.papers.values import Values, count, indices, many, one
from tongbao_schemas.bodies import codes
from tongbao_schemas.codes import Category, Handling, Labelled, Status, Urgency
from tongbao_schemas.number import PROVINCES

HOUR: Final = 3600
DAY: Final = 24 * HOUR
SHORT_DIGEST: Final = 12
_CONTACT: Final[Mapping[str, tuple[Words, Words, str]]] = {
    codes.ContactRule.COVERT: (Words("不得惊动", "Do not alert"), Words("秘密核查", "Covert"), "eye-off"),
    codes.ContactRule.OPEN: (
        Words("可公开查证", "May be checked openly"),
        Words("可以当面核实", "May be asked in person"),
        "eye",
    ),
    codes.ContactRule.WARRANT: (
        Words("凭证控制", "Control on warrant"),
        Words("凭所附文书执行", "On the papers that come with it"),
        "key",
    ),
}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `tone` colours its note: `ok`, `lacking` or nothing."""

    value: str
    label: str
    chosen: bool
    note: str = ""
    tone: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """One field as it stands. `fixes` are texts that would put it right."""

    id: str
    name: str
    field: Field
    label: str
    hint: str
    text: str
    options: tuple[Option, ...]
    fault: str
    fixes: tuple[Fix, ...]
    is_control: bool = True

    @property
    def kind(self) -> str:
        return self.field.kind.value

    @property
    def wide(self) -> bool:
        return self.field.wide or self.kind in ("cards", "checks", "provinces")

    @property
    def fixed(self) -> Option | None:
        """The only choice there is."""
        return self.options[0] if self.kind == "cards" and len(self.options) == 1 else None

    @property
    def said(self) -> str:
        """The value in words, for reading."""
        if self.options:
            return pick(_JOINT).join(option.label for option in self.options if option.chosen)
        return self.text.replace("T", " ") if self.kind == "time" else self.text

    @property
    def digest(self) -> str:
        """A digest cut short, the way people compare them."""
        digits = self.text.removeprefix("sha256:")
        return f"{digits[:4]}…{digits[-4:]}" if len(digits) > SHORT_DIGEST else digits


@dataclass(frozen=True, slots=True)
class Item:
    """One of several."""

    id: str
    heading: str
    remove: str
    parts: "tuple[Control | Repeat | Boxed, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A repeatable group. `adds` are its ways to add one: what is sent, and the button's words."""

    id: str
    name: str
    label: str
    hint: str
    items: tuple[Item, ...]
    adds: tuple[tuple[str, str], ...]
    fault: str
    is_repeat: bool = True


@dataclass(frozen=True, slots=True)
class Boxed:
    """Fields that belong together; `folded` ones are opened by a click."""

    id: str
    label: str
    parts: tuple[Control, ...]
    folded: bool
    is_box: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """A section. `missing` counts its faults; `begun` says that something stands in it."""

    id: str
    label: str
    parts: tuple[Control | Repeat | Boxed, ...]
    missing: int
    begun: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """What the choices depend on besides the draft itself."""

    statuses: tuple[Status, ...]
    addressees: tuple[str, ...]
    origin: str
    terms: tuple[Terms, ...]


def sections(
    values: Values, category: Category, faults: Iterable[Fault], setting: Setting
) -> tuple[Shown, ...]:
    """The whole form as it stands."""
    drawing = _Drawing(values, {fault.path: fault for fault in faults}, setting)
    return tuple(drawing.section(section) for section in form.sections(category))


def dropped(
    values: Values, old: Category, new: Category, setting: Setting
) -> tuple[Control | Repeat | Boxed, ...]:
    """What stands in fields that another category doesn't have."""
    drawing = _Drawing(values, {}, setting)
    return tuple(part for part in drawing.parts(form.only_in(old, new), "") if _begun(part))


def anchor(path: str) -> str:
    """The id of a field's control."""
    return re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")


def duration(seconds: int) -> str:
    """30 分钟, 8 小时, 10 天."""
    if seconds % DAY == 0 and seconds > DAY:
        return say("{n} 天", "{n} days", n=seconds // DAY)
    if seconds % HOUR == 0:
        return say("{n} 小时", "{n} h", n=seconds // HOUR)
    return say("{n} 分钟", "{n} min", n=seconds // 60)


@dataclass(frozen=True, slots=True)
class _Drawing:
    values: Values
    faults: Mapping[str, Fault]
    setting: Setting

    def section(self, section: Section) -> Shown:
        parts = tuple(self.parts(section.parts, ""))
        return Shown(
            id=f"section-{section.name}",
            label=pick(section.label),
            parts=parts,
            missing=sum(_faults(part) for part in parts),
            begun=any(_begun(part) for part in parts),
        )

    def parts(self, parts: tuple[Part, ...], prefix: str) -> Iterator[Control | Repeat | Boxed]:
        for part in parts:
            if isinstance(part, Block):
                if part.action is None or part.action in many(self.values, ACTIONS):
                    yield self.block(part, prefix)
            elif isinstance(part, Group):
                yield self.group(part, prefix + part.name)
            else:
                yield self.control(part, prefix + part.name)

    def block(self, block: Block, prefix: str) -> Boxed:
        controls = tuple(self.control(field, prefix + field.name) for field in block.fields)
        typed = any(control.text or control.fault for control in controls)
        return Boxed(anchor(block.name), pick(block.label), controls, block.action is None and not typed)

    def group(self, group: Group, path: str) -> Repeat:
        items = tuple(self.item(group, path, index) for index in indices(self.values, path))
        fault = self.faults.get(path)
        full = len(items) >= group.most
        return Repeat(
            id=anchor(path),
            name=path,
            label=pick(group.label),
            hint=pick(group.hint),
            items=items,
            adds=() if full else tuple(_adds(group, path)),
            fault=pick(fault.words) if fault else "",
        )

    def item(self, group: Group, path: str, index: int) -> Item:
        at = f"{path}[{index}]"
        kind = one(self.values, f"{at}.kind")
        parts = tuple(self.parts(variant(group, kind), f"{at}."))
        if group.variants:
            parts = (_hidden(f"{at}.kind", kind), *parts)
        name = _label(codes.TargetKind, kind) if group.variants else pick(group.singular)
        return Item(anchor(at), f"{name} {index + 1}", f"remove:{path}:{index}", parts)

    def control(self, field: Field, path: str) -> Control:
        fault = self.faults.get(path)
        raw = self.values.get(path)
        text = (raw[-1] if raw else "") if raw is not None or not field.default else field.default
        return Control(
            id=anchor(path),
            name=path,
            field=field,
            label=pick(field.label),
            hint=pick(field.hint),
            text=text,
            options=tuple(self.options(field, path, text)),
            fault=pick(fault.words) if fault else "",
            fixes=fault.fixes if fault else (),
        )

    def options(self, field: Field, path: str, text: str) -> Iterator[Option]:
        if field.kind is Kind.PROVINCES:
            chosen = many(self.values, path)
            offered = self.setting.addressees if path == "audience" else self.everybody()
            offered = (*offered, *(code for code in chosen if code in PROVINCES and code not in offered))
            yield from (Option(code, province(code), code in chosen) for code in offered)
        elif field.kind is Kind.PROVINCE:
            yield from (Option(code, province(code), code == text) for code in self.everybody())
        elif field.choices is not None:
            chosen = many(self.values, path) if field.kind is Kind.CHECKS else (text,)
            for each in self.choices(field):
                yield self.option(each, each.value in chosen)

    def everybody(self) -> tuple[str, ...]:
        return tuple(sorted({self.setting.origin, *self.setting.addressees}))

    def choices(self, field: Field) -> Iterable[Labelled]:
        return self.setting.statuses if field.choices is Status else iter(field.choices or ())

    def option(self, each: Labelled, chosen: bool) -> Option:
        label = each.label(current())
        if isinstance(each, codes.Action):
            note, tone = self.papers(each, chosen)
            return Option(each.value, label, chosen, note, tone)
        if isinstance(each, codes.ContactRule):
            name, said, icon = _CONTACT[each]
            return Option(each.value, pick(name), chosen, pick(said), icon=icon)
        if isinstance(each, Urgency):
            terms = longest(self.setting.terms, each)
            sign = say("{t}内签收", "to be signed for within {t}", t=duration(terms[0])) if terms else ""
            return Option(each.value, label, chosen, sign)
        if isinstance(each, Handling | codes.SourceGrade | codes.InformationGrade):
            return Option(each.value, f"{each.value} {label}", chosen)
        return Option(each.value, label, chosen)

    def papers(self, action: codes.Action, chosen: bool) -> tuple[str, str]:
        """What the card of a request says of its papers."""
        choices = codes.PAPERS_NEEDED[action]
        if not choices:
            return say("不需文书", "Needs no paper"), ""
        if not chosen:
            return say("需要：{p}", "Needs: {p}", p=_listed(choices)), ""
        lacking = tuple(choice for choice in choices if not self.held(choice))
        if lacking:
            return say("缺：{p}", "Missing: {p}", p=_listed(lacking)), "lacking"
        return say("{p} 已附", "{p}: there", p=_listed(choices)), "ok"

    def held(self, choice: frozenset[codes.PaperKind]) -> bool:
        lines = [f"{PAPERS}[{index}]" for index in range(count(self.values, PAPERS))]
        return any(
            one(self.values, f"{line}.kind") in choice and one(self.values, f"{line}.number")
            for line in lines
        )


def province(code: str) -> str:
    """A province's name."""
    known = PROVINCES.get(code)
    return code if known is None else pick(Words(known.zh, known.en))


def _adds(group: Group, path: str) -> Iterator[tuple[str, str]]:
    if not group.variants:
        yield f"add:{path}", say("添加{what}", "Add: {what}", what=pick(group.singular))
    for kind in group.variants:
        yield f"add:{path}:{kind}", say("添加{what}", "Add: {what}", what=_label(codes.TargetKind, kind))


def _label(kind: type[Labelled], value: str) -> str:
    return kind(value).label(current()) if value in frozenset(kind) else value


def _hidden(path: str, value: str) -> Control:
    return Control(anchor(path), path, Field("kind", NO_WORDS, Kind.HIDDEN), "", "", value, (), "", ())


def _listed(choices: Iterable[frozenset[codes.PaperKind]]) -> str:
    joint = say("或", " or ")
    return pick(_JOINT).join(
        joint.join(kind.label(current()) for kind in codes.PaperKind if kind in choice) for choice in choices
    )


def _faults(part: Control | Repeat | Boxed) -> int:
    if isinstance(part, Control):
        return 1 if part.fault else 0
    if isinstance(part, Boxed):
        return sum(_faults(each) for each in part.parts)
    return (1 if part.fault else 0) + sum(_faults(each) for item in part.items for each in item.parts)


def _begun(part: Control | Repeat | Boxed) -> bool:
    if isinstance(part, Control):
        return bool(part.text.strip() if not part.options else part.said) and not part.field.default
    if isinstance(part, Boxed):
        return any(_begun(each) for each in part.parts)
    return bool(part.items)


_JOINT: Final = Words("、", ", ")
